//! Where everything of a heatmap goes. All lengths are pixels.

use super::Heatmap;
use super::bar::Bar;
use super::cells::{self, Look, MOST_CELLS, MOST_RECTANGLES};
use super::labels::{Labels, SPACE, draw_side_titles};
use crate::frame::{Heading, PAD, SMALLEST_TEXT, line_of};
use crate::palette::Colours;
use crate::scene::{Area, Scene};

/// The most rows or columns that show their numbers unasked.
const MOST_NUMBERS: usize = 16;
/// Cells that are asked to show their numbers grow up to this side for all of them.
const LARGEST_SIDE: f64 = 1600.0;

pub(super) struct Layout<'a> {
    map: &'a Heatmap,
    colours: Colours,
    cells: Area,
    look: Look,
    row_labels: Labels,
    column_labels: Labels,
    heading: Heading,
    bar: Bar,
    width: f64,
    height: f64,
}

impl<'a> Layout<'a> {
    pub(super) fn new(map: &'a Heatmap) -> Self {
        let (rows, columns) = map.values.dim();
        let colours = map.colours();
        let (pitch, look) = pitch(map);
        let mut cells = Area {
            x: 0.0,
            y: 0.0,
            width: (pitch * columns as f64).max(24.0),
            height: (pitch * rows as f64).max(24.0),
        };
        let row_labels = Labels::of_rows(&map.rows, rows, cells.height / rows as f64);
        let column_labels =
            Labels::of_columns(&map.columns, columns, cells.width / columns as f64);
        let bar = Bar::new(colours);

        let left = PAD + line_of(&map.rows.title) + row_labels.width() + SPACE;
        cells.x = left.max(PAD + column_labels.overhang()).round();
        let mut width = (cells.right() + bar.width() + PAD).ceil();

        let heading = map.caption.heading(width.max(440.0) - 2.0 * PAD);
        let wider = heading.width() + 2.0 * PAD - width;
        if wider > 0.0 {
            cells.x += (wider / 2.0).round();
            width += wider.ceil();
        }
        cells.y = heading.bottom();
        let below = column_labels.height() + line_of(&map.columns.title);
        let height =
            (cells.bottom() + SPACE + below).max(Bar::area(cells).bottom()) + PAD;
        Self {
            map,
            colours,
            cells,
            look,
            row_labels,
            column_labels,
            heading,
            bar,
            width,
            height,
        }
    }

    pub(super) fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.width, self.height);
        let Self { map, cells, row_labels, column_labels, .. } = self;
        let (rows, columns) = map.values.dim();
        self.heading.draw(&mut scene, cells.middle().0, self.width);
        cells::draw(&mut scene, map, *cells, &self.colours, self.look);
        row_labels.draw_rows(&mut scene, *cells, rows);
        column_labels.draw_columns(&mut scene, *cells, columns);
        let titles = [&map.rows.title, &map.columns.title];
        let reach = (row_labels.width(), column_labels.height());
        draw_side_titles(&mut scene, *cells, titles, reach);
        self.bar.draw(&mut scene, Bar::area(*cells));
        scene
    }
}

/// The length of a cell's side with its gap, and what the cells look like.
fn pitch(map: &Heatmap) -> (f64, Look) {
    let (rows, columns) = map.values.dim();
    let most = rows.max(columns);
    let count = most as f64;
    if most > MOST_CELLS {
        return (640.0 / count, Look::Image);
    }
    let side = (210.0 + 30.0 * count).min(640.0);
    let pitch = (side / count).clamp(10.0, 100.0).floor();
    let widest = cells::widest_number(map);
    if map.annotate == Some(true) {
        let pitch = pitch.max(cells::least_pitch(widest).min(LARGEST_SIDE / count));
        return (pitch, Look::Rectangles(Some(cells::number_size(widest, pitch))));
    }
    let size = cells::number_size(widest, pitch);
    let shows = map.annotate.is_none() && most <= MOST_NUMBERS && size >= SMALLEST_TEXT;
    let look = if shows {
        Look::Rectangles(Some(size))
    } else if rows * columns > MOST_RECTANGLES {
        Look::Image
    } else {
        Look::Rectangles(None)
    };
    (pitch, look)
}
