//! The colors of a scale: viridis, or two colors that part at zero.

use std::sync::LazyLock;

use crate::axis::Scale;
use crate::viridis::{VIRIDIS, index};

/// Which colors a heatmap has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Palette {
    /// From the least to the greatest.
    #[default]
    Viridis,
    /// From blue (below zero) over gray to orange (above).
    Diverging,
}

impl Palette {
    /// Its 256 colors, from the low end.
    pub(crate) fn colors(self) -> &'static [[u8; 3]; 256] {
        match self {
            Self::Viridis => &VIRIDIS,
            Self::Diverging => &DIVERGING,
        }
    }

    /// The ends of a scale for numbers from `low` to `high`.
    pub(crate) fn ends(self, (low, high): (f64, f64)) -> (f64, f64) {
        let far = low.abs().max(high.abs());
        match self {
            Self::Viridis => (low, high),
            Self::Diverging => (-far, far),
        }
    }
}

/// What color a number has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Colors {
    pub(crate) scale: Scale,
    pub(crate) palette: Palette,
}

impl Colors {
    /// For numbers between these ends; see [`Heatmap::root_scale`](crate::Heatmap::root_scale).
    pub(crate) fn new(palette: Palette, ends: (f64, f64), root: bool) -> Self {
        let (low, high) = palette.ends(ends);
        let even = Scale::new(low, high);
        let scale =
            if root && palette == Palette::Viridis { even.root() } else { even };
        Self { scale, palette }
    }

    pub(crate) fn of(&self, value: f64) -> [u8; 3] {
        self.at(self.scale.place(value))
    }

    /// The color of a place on the scale, from 0 to 1.
    pub(crate) fn at(&self, place: f64) -> [u8; 3] {
        self.palette.colors()[usize::from(index(place))]
    }
}

/// Steps of even lightness in Oklab from a gray (number 128) to the ends, of which neither
/// is lighter or stronger than the other and both stand out from light and dark pages. Blue
/// and orange are told apart by color-blind readers, too.
static DIVERGING: LazyLock<[[u8; 3]; 256]> = LazyLock::new(|| {
    const GRAY: [f64; 3] = [0.93, 0.0, 0.003];
    // Lightness 0.52, chroma 0.13, hues 255° and 45°.
    const BLUE: [f64; 3] = [0.52, -0.0336, -0.1256];
    const ORANGE: [f64; 3] = [0.52, 0.0919, 0.0919];
    std::array::from_fn(|i| {
        let (end, far) = if i < 128 {
            (BLUE, (128 - i) as f64 / 128.0)
        } else {
            (ORANGE, (i - 128) as f64 / 127.0)
        };
        rgb([0, 1, 2].map(|axis| GRAY[axis] + (end[axis] - GRAY[axis]) * far))
    })
});

/// Oklab's color as sRGB's.
fn rgb([lightness, a, b]: [f64; 3]) -> [u8; 3] {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
    .map(gamma)
}

/// A channel's light as sRGB writes it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn gamma(light: f64) -> u8 {
    let channel = if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    };
    (channel * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viridis::{assert_seen_on_pages, contrast, readable_on};

    fn diverging(low: f64, high: f64) -> Colors {
        Colors::new(Palette::Diverging, (low, high), false)
    }

    #[test]
    fn zero_is_gray_and_both_sides_are_as_strong() {
        let colors = diverging(-0.25, 1.0);
        assert_eq!(colors.of(0.0), [232, 232, 230]);
        let ends = [colors.of(-1.0), colors.of(1.0)];
        assert_eq!(ends, [[46, 105, 178], [164, 76, 29]]);
        assert_seen_on_pages(&ends);
        let white = |value: f64| contrast(colors.of(value), [255; 3]);
        for far in [0.1, 0.25, 0.5, 0.75, 1.0] {
            assert!((white(far) / white(-far) - 1.0).abs() < 0.06, "{far}");
            assert!(white(far) > white(far - 0.1) && white(-far) > white(0.1 - far));
        }
    }

    #[test]
    fn every_color_has_a_readable_text() {
        for color in *Palette::Diverging.colors() {
            assert!(contrast(readable_on(color), color) >= 4.5, "{color:?}");
        }
    }
}
