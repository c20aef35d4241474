//! `DejaVu` Sans, built in: how wide a text is, and its outline.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, Outline, OutlineCurve, Point, Rect, point};

/// The families an SVG asks for, in order. `DejaVu` is the widest, so text measured
/// with it fits in the others too.
pub(crate) const FAMILY: &str = "'DejaVu Sans', 'Helvetica Neue', Arial, sans-serif";

/// How far below the middle of a line its baseline is, in ems: half the height of a
/// capital.
pub(crate) const BASELINE: f64 = 0.36;

/// Width in ems of a character that `DejaVu` Sans doesn't have: a Chinese one is this
/// wide.
const UNKNOWN_WIDTH: f32 = 1.0;

/// No line of text has more bytes than this.
const LONGEST: usize = 600;

fn font(bold: bool) -> Option<&'static FontRef<'static>> {
    static REGULAR: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    static BOLD: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    let parse = |bytes| FontRef::try_from_slice(bytes).ok();
    if bold {
        BOLD.get_or_init(|| parse(dejavu::sans::bold())).as_ref()
    } else {
        REGULAR.get_or_init(|| parse(dejavu::sans::regular())).as_ref()
    }
}

/// Width of `text` at `size` (the em, in pixels).
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let Some(font) = font(bold) else {
        return text.chars().count() as f64 * size;
    };
    let ems = glyphs(font, text).last().map_or(0.0, |(_, _, end)| end);
    f64::from(ems) * size
}

/// `text`, or as much of its start as fits in `room` pixels with an ellipsis after it.
pub(crate) fn elide(text: &str, size: f64, bold: bool, room: f64) -> String {
    let fits = |text: &str| width(text, size, bold) <= room;
    if text.len() <= LONGEST && fits(text) {
        return text.to_owned();
    }
    let kept: Vec<char> = text.chars().take(LONGEST).collect();
    let shorter = |count: &usize| {
        let start: String = kept[..*count].iter().collect();
        start.trim_end().to_owned() + "…"
    };
    let counts: Vec<usize> = (0..kept.len()).collect();
    let fitting = counts.partition_point(|count| fits(&shorter(count)));
    fitting.checked_sub(1).map_or(String::new(), |longest| shorter(&longest))
}

/// Breaks `text` at spaces into at most `most` lines that fit in `room` pixels; what
/// doesn't fit in them ends in an ellipsis.
pub(crate) fn wrap(
    text: &str,
    size: f64,
    bold: bool,
    room: f64,
    most: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|line| width(line, size, bold) <= room) {
            Some(longer) => {
                lines.pop();
                lines.push(longer);
            }
            None => lines.push(word.to_owned()),
        }
    }
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(rest);
    }
    lines.iter().map(|line| elide(line, size, bold, room)).collect()
}

/// Each glyph of `text` with where it starts and ends, in ems from the start of the
/// text.
fn glyphs<'a>(
    font: &'a FontRef<'static>,
    text: &'a str,
) -> impl Iterator<Item = (GlyphId, f32, f32)> + 'a {
    let em = font.units_per_em().unwrap_or(2048.0);
    let mut previous = None;
    let mut pen = 0.0;
    text.chars().map(move |character| {
        let glyph = font.glyph_id(character);
        if let Some(previous) = previous.replace(glyph) {
            pen += font.kern_unscaled(previous, glyph) / em;
        }
        let start = pen;
        pen += match glyph.0 {
            0 => UNKNOWN_WIDTH,
            _ => font.h_advance_unscaled(glyph) / em,
        };
        (glyph, start, pen)
    })
}

/// How a text lies: its size, weight, turn (radians, counter-clockwise) and how much of
/// its width is left of its anchor (0 to 1).
pub(crate) struct Placing {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) turn: f64,
    pub(crate) before: f64,
}

/// The outline of `text` in pixels around its anchor (y grows upwards), for `ab_glyph`
/// to fill.
pub(crate) fn outline(text: &str, placing: &Placing) -> Option<Outline> {
    let font = font(placing.bold)?;
    let em = font.units_per_em()?;
    let left = -placing.before * width(text, 1.0, placing.bold);
    let mut curves = Vec::new();
    for (glyph, start, _) in glyphs(font, text) {
        let Some(glyph) = font.outline(glyph) else {
            continue; // a space
        };
        let place = |p: &Point| {
            let (x, y) =
                (f64::from(p.x / em + start) + left, f64::from(p.y / em) - BASELINE);
            turned(x * placing.size, y * placing.size, placing.turn)
        };
        curves.extend(glyph.curves.iter().map(|curve| map(curve, place)));
    }
    let bounds = bounds(&curves)?;
    Some(Outline { bounds, curves })
}

#[expect(clippy::cast_possible_truncation)]
fn turned(x: f64, y: f64, turn: f64) -> Point {
    let (sin, cos) = turn.sin_cos();
    point((x * cos - y * sin) as f32, (x * sin + y * cos) as f32)
}

fn map(curve: &OutlineCurve, place: impl Fn(&Point) -> Point) -> OutlineCurve {
    match curve {
        OutlineCurve::Line(a, b) => OutlineCurve::Line(place(a), place(b)),
        OutlineCurve::Quad(a, b, c) => OutlineCurve::Quad(place(a), place(b), place(c)),
        OutlineCurve::Cubic(a, b, c, d) => {
            OutlineCurve::Cubic(place(a), place(b), place(c), place(d))
        }
    }
}

/// The box of all points of `curves`, its `min` the top left as `ab_glyph` has it.
fn bounds(curves: &[OutlineCurve]) -> Option<Rect> {
    let points = curves.iter().flat_map(|curve| match *curve {
        OutlineCurve::Line(a, b) => [a, b, b, b],
        OutlineCurve::Quad(a, b, c) => [a, b, c, c],
        OutlineCurve::Cubic(a, b, c, d) => [a, b, c, d],
    });
    points.map(|p| Rect { min: p, max: p }).reduce(|a, b| Rect {
        min: point(a.min.x.min(b.min.x), a.min.y.max(b.min.y)),
        max: point(a.max.x.max(b.max.x), a.max.y.min(b.max.y)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_dejavus() {
        // 1303 of 2048 units a digit
        assert!((width("0000", 10.0, false) - 4.0 * 6.362).abs() < 0.01);
        assert!(width("máquinas", 13.0, true) > width("máquinas", 13.0, false));
        assert!(width("", 13.0, false).abs() < 1e-9);
        assert!((width("日本", 10.0, false) - 20.0).abs() < 1e-6);
    }

    #[test]
    fn texts_are_cut_to_their_room() {
        assert_eq!(elide("##ificação", 13.0, false, 200.0), "##ificação");
        for text in ["a fairly long label", &"x".repeat(1_000_000)] {
            let short = elide(text, 13.0, false, 60.0);
            assert!(
                short.ends_with('…') && width(&short, 13.0, false) <= 60.0,
                "{short}"
            );
        }
        assert_eq!(elide("abc", 13.0, false, 1.0), "");
    }

    #[test]
    fn texts_are_wrapped_at_spaces() {
        assert_eq!(wrap("a bb  ccc", 10.0, false, 30.0, 4), ["a bb", "ccc"]);
        assert_eq!(wrap("aa bb cc", 10.0, false, 20.0, 2), ["aa", "b…"]);
        assert!(wrap("   ", 10.0, false, 30.0, 4).is_empty());
    }
}
