//! Where everything of a heatmap goes. All lengths are pixels.

use super::Heatmap;
use super::bar::Bar;
use super::cells::{self, Look, MOST_CELLS, MOST_RECTANGLES};
use super::labels::{Labels, SPACE, draw_side_titles};
use crate::frame::{
    Heading, PAD, SMALLEST_TEXT, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, WIDTH, line_of,
};
use crate::palette::Colors;
use crate::scene::{Area, Scene};

/// The most rows or columns that show their numbers unasked.
const MOST_NUMBERS: usize = 16;
/// The height of all cells, …
const LARGEST_SIDE: f64 = 640.0;
/// … unless they are asked to show their numbers: for these they may grow.
const LARGEST_ANNOTATED: f64 = 1600.0;

pub(super) struct Layout<'a> {
    map: &'a Heatmap,
    colors: Colors,
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
        let colors = map.colors();
        let bar = Bar::new(colors, TICK_SIZE);
        let widest = Labels::of_rows(&map.rows, rows, 2.0 * TEXT_SIZE).width();
        let beside = 2.0 * PAD + line_of(&map.rows.title) + widest + SPACE;
        let (pitch, look) = pitch(map, WIDTH - beside - bar.width());
        let mut cells = Area {
            x: 0.0,
            y: 0.0,
            width: (pitch * columns as f64).max(24.0),
            height: (pitch * rows as f64).max(24.0),
        };
        let row_labels = Labels::of_rows(&map.rows, rows, cells.height / rows as f64);
        let column_labels =
            Labels::of_columns(&map.columns, columns, cells.width / columns as f64);
        let left = PAD + line_of(&map.rows.title) + row_labels.width() + SPACE;
        cells.x = left.max(PAD + column_labels.overhang()).round();
        let mut width = (cells.right() + bar.width() + PAD).ceil();

        let heading = map.caption.heading(TITLE_SIZE, WIDTH - 2.0 * PAD);
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
            colors,
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
        cells::draw(&mut scene, map, *cells, &self.colors, self.look);
        row_labels.draw_rows(&mut scene, *cells, rows);
        column_labels.draw_columns(&mut scene, *cells, columns);
        let titles = [&map.rows.title, &map.columns.title];
        let reach = (row_labels.width(), column_labels.height());
        draw_side_titles(&mut scene, *cells, titles, reach);
        self.bar.draw(&mut scene, Bar::area(*cells));
        scene
    }
}

/// The length of a cell's side with its gap, where all of a row have `room`, and what the
/// cells look like. Cells with words beside them aren't smaller than a word is high.
fn pitch(map: &Heatmap, room: f64) -> (f64, Look) {
    let (rows, columns) = map.values.dim();
    let most = rows.max(columns);
    let count = most as f64;
    let pitch = (room / columns as f64).min(LARGEST_SIDE / rows as f64);
    if most > MOST_CELLS {
        return (pitch, Look::Image);
    }
    let named = map.rows.labels.is_some() || map.columns.labels.is_some();
    let least = if named { SMALLEST_TEXT.ceil() } else { 4.0 };
    let pitch = pitch.clamp(least, 100.0).floor();
    let widest = cells::widest_number(map);
    if map.annotate == Some(true) {
        let pitch =
            pitch.max(cells::least_pitch(widest).min(LARGEST_ANNOTATED / count));
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
