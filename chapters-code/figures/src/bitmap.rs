//! The PNG: plotters' bitmap at four pixels to the unit, averaged down to two.

use std::collections::BTreeSet;

use ab_glyph::{GlyphId, OutlinedGlyph, PxScaleFactor};
use plotters::prelude::{BitMapBackend, DrawingBackend};
use plotters::style::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind,
    FontStyle, FontTransform,
};

use crate::FigureError;
use crate::fonts::{self, Placing};
use crate::scene::{PLOTTERS_EM, Palette, Scene};
use crate::viridis::VIRIDIS;

/// Backend pixels, in each direction, that make one pixel of the PNG: lines and curves
/// get smooth edges from their average.
const OVERSAMPLING: usize = 2;

/// Dark on white, whatever the page that shows it.
const PALETTE: Palette =
    Palette { text: [0x1f, 0x23, 0x28], page: [0xff, 0xff, 0xff], pixels: None };

/// `scene` as the bytes of a PNG.
pub(crate) fn png(scene: &Scene) -> Result<Vec<u8>, FigureError> {
    let size = scene.units();
    let (width, height) = (size.0 as usize, size.1 as usize);
    let mut pixels = vec![0; width * height * 3];
    scene.paint(Bitmap(BitMapBackend::with_buffer(&mut pixels, size)), &PALETTE)?;
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

/// A PNG of viridis' colours, `width` pixels a row, each given by its index.
///
/// Its palette has only the colours that occur: all 256 are larger than a thumbnail.
pub(crate) fn encode_viridis(
    indices: &[u8],
    width: usize,
) -> Result<Vec<u8>, FigureError> {
    let used: BTreeSet<u8> = indices.iter().copied().collect();
    let palette: Vec<[u8; 3]> =
        used.iter().map(|index| VIRIDIS[usize::from(*index)]).collect();
    let mut place = [0; 256];
    for (new, old) in (0..=u8::MAX).zip(&used) {
        place[usize::from(*old)] = new;
    }
    let pixels: Vec<u8> =
        indices.iter().map(|index| place[usize::from(*index)]).collect();
    encode(&pixels, width, indices.len() / width, |encoder| {
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

/// plotters' bitmap backend with text of our own: spaced to fractions of a pixel, at
/// any angle.
struct Bitmap<'a>(BitMapBackend<'a>);

type Drawn<E> = Result<(), DrawingErrorKind<E>>;

impl<'a> DrawingBackend for Bitmap<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.0.get_size()
    }

    fn ensure_prepared(&mut self) -> Drawn<Self::ErrorType> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<Self::ErrorType> {
        self.0.present()
    }

    fn draw_pixel(
        &mut self,
        point: BackendCoord,
        color: BackendColor,
    ) -> Drawn<Self::ErrorType> {
        let (width, height) = self.0.get_size();
        let inside = |at: i32, size: u32| u32::try_from(at).is_ok_and(|at| at < size);
        if inside(point.0, width) && inside(point.1, height) {
            self.0.draw_pixel(point, color)?;
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn<Self::ErrorType> {
        self.0.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<Self::ErrorType> {
        self.0.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn<Self::ErrorType> {
        let Some(outline) = fonts::outline(text, &placing(style)) else {
            return Ok(()); // nothing but spaces
        };
        let scale = PxScaleFactor { horizontal: 1.0, vertical: 1.0 };
        let text = OutlinedGlyph::new(GlyphId(0).with_scale(1.0), outline, scale);
        let corner = text.px_bounds().min;
        let mut drawn = Ok(());
        text.draw(|right, down, coverage| {
            if drawn.is_ok() {
                let at = (
                    x + whole(corner.x) + whole_u(right),
                    y + whole(corner.y) + whole_u(down),
                );
                drawn = self.blend(at, style.color(), coverage);
            }
        });
        drawn
    }
}

impl Bitmap<'_> {
    fn blend(
        &mut self,
        at: BackendCoord,
        colour: BackendColor,
        coverage: f32,
    ) -> Drawn<<Self as DrawingBackend>::ErrorType> {
        let alpha = colour.alpha * f64::from(coverage.clamp(0.0, 1.0));
        self.draw_pixel(at, BackendColor { alpha, ..colour })
    }
}

fn placing(style: &impl BackendTextStyle) -> Placing {
    Placing {
        size: style.size() / PLOTTERS_EM,
        bold: matches!(style.style(), FontStyle::Bold),
        turn: match style.transform() {
            FontTransform::Rotate90 => std::f64::consts::FRAC_PI_4, // a slant: see `Label::style`
            FontTransform::Rotate270 => std::f64::consts::FRAC_PI_2,
            _ => 0.0,
        },
        before: match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => 0.5,
            HPos::Right => 1.0,
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
        let [black, white, grey] = [[0; 3], [255; 3], [100, 0, 50]];
        let rows = [[black, white, grey, grey], [white, black, grey, grey]];
        assert_eq!(
            averaged(rows.as_flattened().as_flattened(), 4),
            [128, 128, 128, 100, 0, 50]
        );
    }
}
