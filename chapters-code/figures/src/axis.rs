//! Scales and their tick marks.

/// A range of numbers laid out along a line, evenly, by powers of ten or by square roots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    root: bool,
}

/// Numbers beside a scale of square roots, as parts of its length in numbers.
const ROOT_TICKS: [f64; 5] = [0.0, 0.05, 0.2, 0.5, 1.0];

/// A number worth writing beside a scale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Where it is, from 0 to 1 along the scale.
    pub(crate) at: f64,
    pub(crate) label: String,
}

impl Scale {
    /// From `low` to `high`, which are finite; a single number is the middle of its
    /// scale.
    pub(crate) fn new(low: f64, high: f64) -> Self {
        let (low, high) = widened(low, high);
        Self { low, high, log: false, root: false }
    }

    /// The same range, laid out by the square root of the distance from its low end.
    pub(crate) fn root(self) -> Self {
        Self { root: true, ..self }
    }

    /// A scale for `values` (all finite, and above zero if `log`), with some air at
    /// both ends.
    pub(crate) fn around(values: impl Iterator<Item = f64>, log: bool) -> Self {
        let place = |value: f64| if log { value.log10() } else { value };
        let (low, high) = extent(values.map(place));
        let (low, high) = widened(low, high);
        let air = (high / 2.0 - low / 2.0) * 0.08;
        let (low, high) = (finite(low - air), finite(high + air));
        Self { low, high, log, root: false }
    }

    /// Where `value` is: 0 at the low end, 1 at the high end.
    pub(crate) fn place(&self, value: f64) -> f64 {
        self.fraction(if self.log { value.log10() } else { value })
    }

    // Halves, because the distance of two finite numbers can be infinite.
    fn fraction(&self, place: f64) -> f64 {
        let even = (place / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if self.root { even.max(0.0).sqrt() } else { even }
    }

    /// About `count` round numbers within the scale.
    pub(crate) fn ticks(&self, count: usize) -> Vec<Tick> {
        let decades = self.high - self.low;
        if self.log && decades >= 2.5 {
            return self.decades(count);
        }
        if self.log {
            return self.within_decades();
        }
        if self.root {
            let length = self.high - self.low;
            return self.ticks_at(&ROOT_TICKS.map(|part| self.low + part * length));
        }
        let step = step(self.low, self.high, count);
        let values = match step {
            Some(step) => multiples(self.low, self.high, step),
            None => vec![self.low, self.high],
        };
        let labels = labels(&values, step);
        let place = |value: &f64| self.fraction(*value);
        values
            .iter()
            .map(place)
            .zip(labels)
            .map(|(at, label)| Tick { at, label })
            .collect()
    }

    /// Those of `values` that are within the scale.
    pub(crate) fn ticks_at(&self, values: &[f64]) -> Vec<Tick> {
        let tick = |value: &f64| Tick { at: self.place(*value), label: short(*value) };
        let within = |tick: &Tick| (0.0..=1.0).contains(&tick.at);
        values.iter().map(tick).filter(within).collect()
    }

    /// Powers of ten, every so many of them, all written alike.
    fn decades(&self, count: usize) -> Vec<Tick> {
        let every = ((self.high - self.low) / count as f64).ceil().max(1.0);
        let powers = multiples(self.low, self.high, every);
        let plain = powers.iter().all(|power| (-3.0..6.0).contains(power));
        let label = |power: f64| match power {
            _ if plain => short(10_f64.powf(power)),
            0.0 => "1".to_owned(),
            _ => format!("1e{power}"),
        };
        let tick =
            |power: &f64| Tick { at: self.fraction(*power), label: label(*power) };
        powers.iter().map(tick).collect()
    }

    /// 1, 2 and 5 times a power of ten; if none of them is within the scale, its ends.
    fn within_decades(&self) -> Vec<Tick> {
        let first = self.low.floor();
        let round: Vec<f64> = [0.0, 1.0, 2.0, 3.0]
            .iter()
            .flat_map(|up| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powf(first + up)))
            .collect();
        let ticks = self.ticks_at(&round);
        if ticks.len() >= 2 {
            return ticks;
        }
        let end = |at: f64, power: f64| Tick { at, label: short(10_f64.powf(power)) };
        vec![end(0.0, self.low), end(1.0, self.high)]
    }
}

/// The least and the greatest of `values`.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// The two ends of a scale that has some length.
fn widened(low: f64, high: f64) -> (f64, f64) {
    if low < high && high / 2.0 - low / 2.0 > 0.0 {
        return (low, high);
    }
    let air = (low.abs() * 0.1).max(0.5);
    (finite(low - air), finite(low + air))
}

fn finite(value: f64) -> f64 {
    value.clamp(f64::MIN, f64::MAX)
}

/// 1, 2 or 5 times a power of ten, so that about `count` steps lead from `low` to
/// `high`.
///
/// There is none when the step is too fine for numbers of that size, or too large for
/// any.
fn step(low: f64, high: f64, count: usize) -> Option<f64> {
    let rough = (high / 2.0 - low / 2.0) / count as f64 * 2.0;
    let size = 10_f64.powf(rough.log10().floor());
    let factor =
        [1.0, 2.0, 5.0].into_iter().find(|factor| factor * size >= rough * 0.999);
    let step = factor.unwrap_or(10.0) * size;
    let largest = low.abs().max(high.abs());
    (step.is_normal() && largest.is_finite() && largest / step < 1e12).then_some(step)
}

/// The multiples of `step` from `low` to `high`.
fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    const MOST: usize = 40;
    let slack = 1e-9;
    let first = (low / step - slack).ceil();
    (0..MOST)
        .map(|i| (first + i as f64) * step)
        .take_while(|value| value / step <= high / step + slack)
        .collect()
}

/// `values` written with as many digits as their step needs.
fn labels(values: &[f64], step: Option<f64>) -> Vec<String> {
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let Some(step) = step else {
        return values.iter().map(|value| format!("{value:.3e}")).collect();
    };
    let decimals = digits(-step.log10().floor());
    if largest < 1e6 && decimals <= 5 {
        let decimal = |value: &f64| fixed(*value, decimals);
        return values.iter().map(decimal).collect();
    }
    let significant = digits(largest.log10().floor() - step.log10().floor());
    values.iter().map(|value| exponential(*value, significant)).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn digits(count: f64) -> usize {
    count.clamp(0.0, 15.0) as usize
}

/// `value` with this many decimals, and no sign on a zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero.to_owned(),
        _ => text,
    }
}

fn exponential(value: f64, decimals: usize) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.decimals$e}") }
}

/// `value` with four significant digits at most, for those who hear it read out: what an
/// f32 sum still promises, and no more.
pub(crate) fn significant(value: f64) -> String {
    let rounded = format!("{value:.3e}").parse().unwrap_or(value);
    if rounded == 0.0 {
        "0".to_owned() // no sign on a zero
    } else if (1e-3..1e6).contains(&rounded.abs()) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

/// A number in few characters: 0.001, 1000, 5e-7.
fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        let text = format!("{value:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let text = format!("{value:.2e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scale: Scale, count: usize) -> String {
        let labels: Vec<String> =
            scale.ticks(count).into_iter().map(|tick| tick.label).collect();
        labels.join(" ")
    }

    #[test]
    fn ticks_are_round_numbers() {
        let cases = [
            (0.0, 1.0, "0.0 0.2 0.4 0.6 0.8 1.0"),
            (0.1638, 0.4996, "0.2 0.3 0.4"),
            (0.0, 0.998, "0.0 0.2 0.4 0.6 0.8"),
            (-3.0, 3.0, "-2 0 2"),
            (0.0, 512.0, "0 200 400"),
            (0.0, 5e9, "0 1e9 2e9 3e9 4e9 5e9"),
            (0.0, 5e-9, "0 1e-9 2e-9 3e-9 4e-9 5e-9"),
            (7.0, 7.0, "6.5 7.0 7.5"),
        ];
        for (low, high, expected) in cases {
            assert_eq!(written(Scale::new(low, high), 5), expected, "{low} to {high}");
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        let log = |low: f64, high: f64| Scale::around([low, high].into_iter(), true);
        assert_eq!(written(log(1.0, 1e4), 6), "1 10 100 1000 10000");
        assert_eq!(written(log(1e-8, 1.0), 5), "1e-8 1e-6 1e-4 1e-2 1");
        assert_eq!(written(log(1e3, 1e9), 7), "1e3 1e4 1e5 1e6 1e7 1e8 1e9");
        assert_eq!(written(log(20.0, 90.0), 5), "20 50");
        assert_eq!(written(log(16.0, 512.0), 5), "20 50 100 200 500");
        assert_eq!(written(log(5.0, 5.0), 5), "2 5 10");
    }

    #[test]
    fn given_ticks_stay_within_the_scale() {
        let log = Scale::around([16.0, 4096.0].into_iter(), true);
        let given = [-1.0, 0.0, 1.0, 16.0, 256.0, 4096.0, 1e9, f64::NAN];
        let ticks = log.ticks_at(&given);
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["16", "256", "4096"]);
        assert!((ticks[1].at - 0.5).abs() < 1e-12);
        let even = Scale::new(-2.0, 2.0).ticks_at(&[-2.0, 0.0, 0.5]);
        let labels: Vec<&str> = even.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["-2", "0", "0.5"]);
    }

    #[test]
    fn roots_give_room_to_small_numbers() {
        let scale = Scale::new(0.0, 1.0).root();
        assert_eq!(written(scale, 5), "0 0.05 0.2 0.5 1");
        assert!((scale.place(0.25) - 0.5).abs() < 1e-12);
        assert!(scale.place(-1.0).abs() < 1e-12);
    }

    #[test]
    fn four_digits_are_read_out() {
        let cases = [
            (0.129_810_060_9, "0.1298"),
            (1_020.141_560_9, "1020"),
            (0.999_999_999_9, "1"),
            (-98.850_000_000_1, "-98.85"),
            (0.000_126_684_967, "1.267e-4"),
            (270_794_800.0, "2.708e8"),
            (-0.0, "0"),
            (12.0, "12"),
        ];
        for (value, read) in cases {
            assert_eq!(significant(value), read);
        }
    }

    #[test]
    fn awful_scales_have_ticks_within_them() {
        let ends = [
            (f64::MIN, f64::MAX),
            (f64::MAX, f64::MAX),
            (0.0, f64::MIN_POSITIVE),
            (0.0, 5e-324),
            (1e15, 1e15 + 1.0),
            (-0.0, 0.0),
            (1e308, f64::MAX),
        ];
        for (low, high) in ends {
            for scale in
                [Scale::new(low, high), Scale::around([low, high].into_iter(), false)]
            {
                let ticks = scale.ticks(5);
                assert!((1..=40).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
                assert!(
                    ticks.iter().all(|tick| (-1e-6..=1.000_001).contains(&tick.at)),
                    "{ticks:?}"
                );
                assert!(ticks.iter().all(|tick| tick.label.len() < 24), "{ticks:?}");
            }
        }
    }
}
