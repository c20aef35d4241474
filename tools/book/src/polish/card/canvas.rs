//! A picture of a few inks on one paper, with smooth edges, and few bytes as a PNG.

use ab_glyph::{FontRef, Glyph, Point, PxScaleFont, ScaleFont, point};
use anyhow::Result;
use png::{BitDepth, ColorType, Encoder, Filter};

/// The size that those who show such a picture ask for.
pub const WIDTH: usize = 1200;
/// As [`WIDTH`].
pub const HEIGHT: usize = 630;

/// How much of an ink a pixel can have: none (paper) to 15 parts of 15.
const LEVELS: u8 = 16;

/// Letters of a size, which is the height of a line of them.
pub type Letters<'a> = PxScaleFont<&'a FontRef<'a>>;

/// What has been drawn: a pixel is an ink's number times [`LEVELS`], plus how much of it there is.
pub struct Canvas(Vec<u8>);

impl Canvas {
    /// Bare paper.
    pub fn new() -> Self {
        Self(vec![0; WIDTH * HEIGHT])
    }

    /// Writes a line; `at` is its upper left corner.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn write(&mut self, line: &str, at: Point, letters: &Letters<'_>, ink: u8) {
        for mut glyph in set(line, letters).0 {
            glyph.position += at;
            let Some(shape) = letters.outline_glyph(glyph) else {
                continue; // a space
            };
            let corner = shape.px_bounds().min; // a whole pixel's
            shape.draw(|right, down, covered| {
                let place = (corner.x + right as f32, corner.y + down as f32);
                self.dot((place.0 as usize, place.1 as usize), ink, covered);
            });
        }
    }

    /// Fills a square with round corners; `at` is its upper left one.
    pub fn square(&mut self, at: (usize, usize), side: usize, radius: f32, ink: u8) {
        let half = side as f32 / 2.0;
        // How far a pixel's middle is beyond the straight part of the edges.
        let beyond =
            |place: usize| ((place as f32 + 0.5 - half).abs() - half + radius).max(0.0);
        for (down, right) in
            (0..side).flat_map(|down| (0..side).map(move |x| (down, x)))
        {
            let covered = radius - beyond(right).hypot(beyond(down)) + 0.5;
            self.dot((at.0 + right, at.1 + down), ink, covered);
        }
    }

    /// Covers a part of a pixel, unless more of it is covered already.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn dot(&mut self, (x, y): (usize, usize), ink: u8, covered: f32) {
        let level = (covered.clamp(0.0, 1.0) * f32::from(LEVELS - 1)).round() as u8;
        if x >= WIDTH || y >= HEIGHT {
            return;
        }
        let pixel = &mut self.0[y * WIDTH + x];
        if *pixel % LEVELS < level {
            *pixel = ink * LEVELS + level;
        }
    }

    /// The picture; colors are red, green and blue.
    ///
    /// # Errors
    ///
    /// If it can't be encoded.
    pub fn png(&self, paper: u32, inks: &[u32]) -> Result<Vec<u8>> {
        let shades = |ink: &u32| [*ink; LEVELS as usize];
        let shades = inks.iter().flat_map(shades).zip((0..LEVELS).cycle());
        let palette: Vec<_> =
            shades.map(|(ink, part)| mixed(paper, ink, part)).collect();
        let (width, height) = (u32::try_from(WIDTH)?, u32::try_from(HEIGHT)?);
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(palette.as_flattened());
        encoder.set_filter(Filter::NoFilter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.0)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// How wide a line is.
pub fn width(text: &str, letters: &Letters<'_>) -> f32 {
    set(text, letters).1
}

/// A line's glyphs, its upper left corner at 0, 0, and its width.
fn set(text: &str, letters: &Letters<'_>) -> (Vec<Glyph>, f32) {
    let mut glyphs: Vec<Glyph> = Vec::new();
    let mut pen = 0.0;
    for character in text.chars() {
        let mut glyph = letters.scaled_glyph(character);
        if let Some(last) = glyphs.last() {
            pen += letters.kern(last.id, glyph.id);
        }
        glyph.position = point(pen, letters.ascent());
        pen += letters.h_advance(glyph.id);
        glyphs.push(glyph);
    }
    (glyphs, pen)
}

/// A color with some parts of 15 of another over it.
fn mixed(paper: u32, ink: u32, part: u8) -> [u8; 3] {
    let [[_, paper @ ..], [_, ink @ ..]] = [paper, ink].map(u32::to_be_bytes);
    let (all, part) = (u16::from(LEVELS - 1), u16::from(part));
    std::array::from_fn(|channel| {
        let [paper, ink]: [u16; 2] = [paper[channel], ink[channel]].map(u16::from);
        let mixed = (paper * (all - part) + ink * part) / all;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut canvas = Canvas::new();
        for place in [(WIDTH, 0), (0, HEIGHT), (usize::MAX, usize::MAX)] {
            canvas.dot(place, 1, 1.0);
        }
        assert!(canvas.0.iter().all(|pixel| *pixel == 0));
        canvas.dot((WIDTH - 1, HEIGHT - 1), 1, 1.0);
        canvas.dot((WIDTH - 1, HEIGHT - 1), 2, 0.5); // an edge hides nothing
        assert_eq!(canvas.0.last(), Some(&(2 * LEVELS - 1)));
    }

    #[test]
    fn a_square_is_as_large_as_it_says() {
        let mut canvas = Canvas::new();
        canvas.square((2, 3), 10, 3.0, 0);
        let full = |row: usize| {
            let full = |column: &usize| canvas.0[row * WIDTH + column] == LEVELS - 1;
            (0..WIDTH).filter(full).count()
        };
        assert_eq!([2, 7, 12, 13].map(full), [0, 10, 4, 0]);
        assert_eq!(canvas.0[3 * WIDTH + 2] % LEVELS, 0, "the corner is round");
    }

    #[test]
    fn inks_mix_with_the_paper() {
        let [paper, ink] = [0x10_2030, 0xff_00ff];
        assert_eq!(mixed(paper, ink, 0), [0x10, 0x20, 0x30]);
        assert_eq!(mixed(paper, ink, 15), [0xff, 0x00, 0xff]);
    }
}
