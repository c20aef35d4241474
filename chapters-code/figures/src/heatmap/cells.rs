//! The cells of a matrix, one rectangle each or all of them an image.

use ndarray::Axis;

use super::Heatmap;
use crate::fonts;
use crate::frame::SMALLEST_TEXT;
use crate::palette::Colors;
use crate::scene::{Area, Ink, Label, Mark, Pixels, Scene};
use crate::viridis::{self, readable_on};

/// The most rows or columns that get a rectangle a cell.
pub(super) const MOST_CELLS: usize = 64;
/// The most cells of a figure that get a rectangle each and no number.
pub(super) const MOST_RECTANGLES: usize = 1024;
const LARGEST_NUMBER: f64 = 17.0;
/// Beside a number, within its cell.
const NUMBER_AIR: f64 = 6.0;
/// A number is this high in its cell.
const NUMBER_HEIGHT: f64 = 0.45;
/// Pixels of an image for each pixel of the page: more cells are averaged.
const SHARPNESS: f64 = 1.6;

/// How the cells of a matrix look.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    /// A rectangle each, with a number of this size if there is one.
    Rectangles(Option<f64>),
    /// One image, without gaps.
    Image,
}

/// Draws the cells of `map` so that they fill `area`.
pub(super) fn draw(
    scene: &mut Scene,
    map: &Heatmap,
    area: Area,
    colors: &Colors,
    look: Look,
) {
    let Look::Rectangles(number_size) = look else {
        scene.add(Mark::Pixels(area, pixels(map, area, colors)));
        return;
    };
    let (rows, columns) = map.values.dim();
    let (width, height) = (area.width / columns as f64, area.height / rows as f64);
    let gap = gap(width.min(height));
    for ((row, column), &value) in map.values.indexed_iter() {
        let cell = Area {
            x: area.x + column as f64 * width,
            y: area.y + row as f64 * height,
            width: width - gap,
            height: height - gap,
        };
        let color = colors.of(value);
        scene.add(Mark::Rect(cell, Ink::Rgb(color)));
        if let Some(size) = number_size {
            let number = Label::new(map.written(value), cell.middle(), size);
            scene.label(number.ink(Ink::Rgb(readable_on(color))));
        }
    }
}

/// The cells as an image; where there are too many, each pixel is the mean of several.
fn pixels(map: &Heatmap, area: Area, colors: &Colors) -> Pixels {
    let (rows, columns) = map.values.dim();
    let block = (block(rows, area.height), block(columns, area.width));
    let mut indices = Vec::new();
    for band in map.values.axis_chunks_iter(Axis(0), block.0) {
        for part in band.axis_chunks_iter(Axis(1), block.1) {
            let places = part.iter().map(|value| colors.scale.place(*value));
            indices.push(viridis::index(places.sum::<f64>() / part.len() as f64));
        }
    }
    let columns = columns.div_ceil(block.1);
    Pixels { columns, indices, palette: colors.palette }
}

/// How many of `count` cells along `length` make one pixel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn block(count: usize, length: f64) -> usize {
    (count as f64 / (length * SHARPNESS)).ceil().max(1.0) as usize
}

/// The page that shows between two cells.
fn gap(pitch: f64) -> f64 {
    match pitch {
        48.0.. => 2.0,
        20.0.. => 1.0,
        _ => 0.5,
    }
}

/// How wide the widest number of `map` is, in ems.
pub(super) fn widest_number(map: &Heatmap) -> f64 {
    let numbers =
        map.values.iter().map(|value| fonts::width(&map.written(*value), 1.0, false));
    numbers.fold(0.0, f64::max)
}

/// The size of numbers `widest` ems wide in cells of this `pitch`.
pub(super) fn number_size(widest: f64, pitch: f64) -> f64 {
    (pitch * NUMBER_HEIGHT).min((pitch - NUMBER_AIR) / widest).min(LARGEST_NUMBER)
}

/// The least pitch whose cells have room for numbers `widest` ems wide.
pub(super) fn least_pitch(widest: f64) -> f64 {
    (SMALLEST_TEXT * widest + NUMBER_AIR).max(SMALLEST_TEXT / NUMBER_HEIGHT).ceil()
}
