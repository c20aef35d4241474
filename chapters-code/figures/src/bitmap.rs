//! The PNG: plotters' bitmap, a pixel of it to the unit, averaged down to two a pixel.

use std::collections::BTreeSet;

use ab_glyph::{GlyphId, OutlinedGlyph, PxScaleFactor};
use plotters::prelude::{BitMapBackend, Color, DrawingBackend};
use plotters::style::RGBAColor;

use crate::error::FigureError;
use crate::fonts::{self, Placing};
use crate::scene::{Anchor, Area, Ink, Label, Mark, Pixels, Scene, UNITS, at, units};
use crate::text::Language;

/// plotters' pixels, in each direction, that make one pixel of the PNG: lines and curves
/// get smooth edges from their average.
const OVERSAMPLING: usize = 2;

/// Dark on white, whatever the page that shows it.
const TEXT: [u8; 3] = [0x1f, 0x23, 0x28];
const PAGE: [u8; 3] = [0xff, 0xff, 0xff];

/// `scene` as the bytes of a PNG.
pub(crate) fn png(scene: &Scene) -> Result<Vec<u8>, FigureError> {
    let size = scene.units();
    let (width, height) = (size.0 as usize, size.1 as usize);
    let mut pixels = vec![0; width * height * 3];
    let mut bitmap = BitMapBackend::with_buffer(&mut pixels, size);
    for mark in &scene.marks {
        paint(&mut bitmap, mark)?;
    }
    drop(bitmap); // it holds the pixels
    encode_rgb(&averaged(&pixels, width), width / OVERSAMPLING)
}

/// Averages each square of [`OVERSAMPLING`] × [`OVERSAMPLING`] pixels of an image
/// `width` wide.
#[expect(clippy::cast_possible_truncation)]
fn averaged(pixels: &[u8], width: usize) -> Vec<u8> {
    const COUNT: u16 = (OVERSAMPLING * OVERSAMPLING) as u16;
    let stride = width * 3;
    let mut smaller = Vec::with_capacity(pixels.len() / usize::from(COUNT));
    for rows in pixels.chunks_exact(stride * OVERSAMPLING) {
        let mut sums = vec![COUNT / 2; stride / OVERSAMPLING];
        for row in rows.chunks_exact(stride) {
            for (sum, square) in
                sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * OVERSAMPLING))
            {
                for pixel in square.chunks_exact(3) {
                    sum[0] += u16::from(pixel[0]);
                    sum[1] += u16::from(pixel[1]);
                    sum[2] += u16::from(pixel[2]);
                }
            }
        }
        smaller.extend(sums.iter().map(|sum| (sum / COUNT) as u8));
    }
    smaller
}

fn encode_rgb(pixels: &[u8], width: usize) -> Result<Vec<u8>, FigureError> {
    encode(pixels, width, pixels.len() / width / 3, |encoder| {
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: 7559, // 192 dots an inch: twice a CSS pixel
            yppu: 7559,
            unit: png::Unit::Meter,
        }));
    })
}

/// A PNG of indexed colors. Its palette has only the colors that occur: all 256 are
/// larger than a thumbnail.
pub(crate) fn encode_indexed(picture: &Pixels) -> Result<Vec<u8>, FigureError> {
    let Pixels { columns, indices, palette } = picture;
    let colors = palette.colors();
    let used: BTreeSet<u8> = indices.iter().copied().collect();
    let palette: Vec<[u8; 3]> =
        used.iter().map(|index| colors[usize::from(*index)]).collect();
    let mut place = [0; 256];
    for (new, old) in (0..=u8::MAX).zip(&used) {
        place[usize::from(*old)] = new;
    }
    let pixels: Vec<u8> =
        indices.iter().map(|index| place[usize::from(*index)]).collect();
    encode(&pixels, *columns, picture.rows(), |encoder| {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.as_flattened().to_vec());
    })
}

fn encode(
    data: &[u8],
    width: usize,
    height: usize,
    settings: impl Fn(&mut png::Encoder<&mut Vec<u8>>),
) -> Result<Vec<u8>, FigureError> {
    let mut bytes = Vec::new();
    let width = u32::try_from(width).map_err(FigureError::draw)?;
    let height = u32::try_from(height).map_err(FigureError::draw)?;
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    settings(&mut encoder);
    let mut writer = encoder.write_header().map_err(FigureError::draw)?;
    writer.write_image_data(data).map_err(FigureError::draw)?;
    writer.finish().map_err(FigureError::draw)?;
    Ok(bytes)
}

/// Draws a mark; a pixel of the bitmap is a unit of the scene.
fn paint(bitmap: &mut BitMapBackend<'_>, mark: &Mark) -> Result<(), FigureError> {
    match mark {
        Mark::Rect(area, ink) => return paint_rectangle(bitmap, *area, *ink),
        Mark::Pixels(area, pixels) => return paint_cells(bitmap, *area, pixels),
        Mark::Label(label) => return paint_text(bitmap, label),
        Mark::Path(points, width, ink) => {
            let style = color(*ink).stroke_width(units(*width).unsigned_abs());
            bitmap.draw_path(points.iter().copied().map(at), &style)
        }
        Mark::Polygon(points, ink) => {
            bitmap.fill_polygon(points.iter().copied().map(at), &color(*ink))
        }
        Mark::Circle(center, radius, ink) => {
            let radius = units(*radius).unsigned_abs();
            bitmap.draw_circle(at(*center), radius, &color(*ink), true)
        }
    }
    .map_err(FigureError::draw)
}

fn color(ink: Ink) -> RGBAColor {
    let ([red, green, blue], opacity) = match ink {
        Ink::Text => (TEXT, 1.0),
        Ink::Faint(opacity) => (TEXT, opacity),
        Ink::Page => (PAGE, 1.0),
        Ink::Rgb(rgb) => (rgb, 1.0),
    };
    RGBAColor(red, green, blue, opacity)
}

fn paint_rectangle(
    bitmap: &mut BitMapBackend<'_>,
    area: Area,
    ink: Ink,
) -> Result<(), FigureError> {
    let (top_left, bottom_right) = area.corners();
    bitmap
        .draw_rect(top_left, bottom_right, &color(ink), true)
        .map_err(FigureError::draw)
}

/// One rectangle a cell.
fn paint_cells(
    bitmap: &mut BitMapBackend<'_>,
    area: Area,
    pixels: &Pixels,
) -> Result<(), FigureError> {
    let width = area.width / pixels.columns as f64;
    let height = area.height / pixels.rows() as f64;
    for (cell, index) in pixels.indices.iter().enumerate() {
        let (row, column) = (cell / pixels.columns, cell % pixels.columns);
        let x = area.x + column as f64 * width;
        let y = area.y + row as f64 * height;
        let ink = Ink::Rgb(pixels.palette.colors()[usize::from(*index)]);
        paint_rectangle(bitmap, Area { x, y, width, height }, ink)?;
    }
    Ok(())
}

/// Text of our own: spaced to fractions of a pixel, at any angle.
fn paint_text(
    bitmap: &mut BitMapBackend<'_>,
    label: &Label,
) -> Result<(), FigureError> {
    let text = label.text.in_language(Language::Portuguese);
    let Some(outline) = fonts::outline(text, &placing(label)) else {
        return Ok(()); // nothing but spaces
    };
    let scale = PxScaleFactor { horizontal: 1.0, vertical: 1.0 };
    let text = OutlinedGlyph::new(GlyphId(0).with_scale(1.0), outline, scale);
    let corner = text.px_bounds().min;
    let (x, y) = at(label.at);
    let (left, top) = (x + whole(corner.x), y + whole(corner.y));
    let color = color(label.ink);
    let mut drawn = Ok(());
    text.draw(|right, down, coverage| {
        if drawn.is_ok() {
            let at = (left + whole_u(right), top + whole_u(down));
            let covered = color.mix(f64::from(coverage.clamp(0.0, 1.0)));
            drawn = bitmap.draw_pixel(at, covered.to_backend_color());
        }
    });
    drawn.map_err(FigureError::draw)
}

fn placing(label: &Label) -> Placing {
    Placing {
        size: label.size * f64::from(UNITS),
        bold: label.bold,
        turn: label.turn.degrees().to_radians(),
        before: match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        },
    }
}

#[expect(clippy::cast_possible_truncation)]
fn whole(pixels: f32) -> i32 {
    pixels.round() as i32
}

fn whole_u(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::averaged;

    #[test]
    fn pixels_are_averaged_in_squares() {
        let [black, white, gray] = [[0; 3], [255; 3], [100, 0, 50]];
        let rows = [[black, white, gray, gray], [white, black, gray, gray]];
        assert_eq!(
            averaged(rows.as_flattened().as_flattened(), 4),
            [128, 128, 128, 100, 0, 50]
        );
    }
}
