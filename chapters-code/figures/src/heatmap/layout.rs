//! Where everything of a heatmap goes. All lengths are pixels.

use ndarray::Axis;

use super::{Heatmap, Side};
use crate::axis::{Scale, Tick};
use crate::fonts;
use crate::scene::{Anchor, Area, Ink, Label, Mark, Pixels, Scene, Turn};
use crate::viridis::{self, VIRIDIS, readable_on, viridis};

/// Around the picture.
const PAD: f64 = 16.0;
/// Between the cells and what stands beside them.
const SPACE: f64 = 9.0;
/// From the cells to the colour bar.
const BAR_SPACE: f64 = 22.0;
const BAR_WIDTH: f64 = 16.0;
const BAR_BANDS: usize = 100;
/// About how many numbers stand beside the bar.
const BAR_TICKS: usize = 7;
const TICK: f64 = 4.0;

const TITLE_SIZE: f64 = 15.0;
const TEXT_SIZE: f64 = 13.0;
const TICK_SIZE: f64 = 11.0;
const SMALLEST_TEXT: f64 = 9.0;
const LARGEST_NUMBER: f64 = 17.0;
/// A label longer than this ends in an ellipsis.
const LONGEST_LABEL: f64 = 220.0;
/// From one line of text to the next, in ems.
const LINE: f64 = 1.3;

/// The most rows or columns that get a rectangle a cell; beyond, the cells are one
/// image.
const MOST_CELLS: usize = 64;
/// The most rows or columns that show their numbers unasked.
const MOST_NUMBERS: usize = 16;
/// Cells that are asked to show their numbers grow up to this side for all of them.
const LARGEST_SIDE: f64 = 1600.0;
/// The most pixels a side of that image has; more cells are averaged.
const MOST_PIXELS: usize = 1024;

pub(super) struct Layout<'a> {
    map: &'a Heatmap,
    scale: Scale,
    cells: Area,
    row_labels: Labels,
    column_labels: Labels,
    /// Size of the numbers in the cells, if they show.
    number_size: Option<f64>,
    title: Vec<String>,
    ticks: Vec<Tick>,
    width: f64,
    height: f64,
}

impl<'a> Layout<'a> {
    pub(super) fn new(map: &'a Heatmap) -> Self {
        let (rows, columns) = map.values.dim();
        let (low, high) = map.ends();
        let scale = Scale::new(low, high);
        let (pitch, number_size) = pitch(map);
        let mut cells = Area {
            x: 0.0,
            y: 0.0,
            width: (pitch * columns as f64).max(24.0),
            height: (pitch * rows as f64).max(24.0),
        };
        let row_labels = Labels::of_rows(&map.rows, rows, cells.height / rows as f64);
        let column_labels =
            Labels::of_columns(&map.columns, columns, cells.width / columns as f64);
        let ticks = scale.ticks(BAR_TICKS);

        let left = PAD + line_of(&map.rows.title) + row_labels.width() + SPACE;
        cells.x = left.max(PAD + column_labels.overhang()).round();
        let labels =
            ticks.iter().map(|tick| fonts::width(&tick.label, TICK_SIZE, false));
        let bar = BAR_SPACE + BAR_WIDTH + TICK + 4.0 + labels.fold(0.0, f64::max);
        let mut width = (cells.right() + bar + PAD).ceil();

        let room = width.max(440.0) - 2.0 * PAD;
        let title = fonts::wrap(&map.title, TITLE_SIZE, true, room, 4);
        let wider = title_width(&title) + 2.0 * PAD - width;
        if wider > 0.0 {
            cells.x += (wider / 2.0).round();
            width += wider.ceil();
        }
        let title_height = title.len() as f64 * TITLE_SIZE * LINE;
        cells.y =
            if title.is_empty() { PAD } else { (PAD + title_height + 10.0).round() };
        let below = column_labels.height() + line_of(&map.columns.title);
        let height =
            (cells.bottom() + SPACE + below).max(bar_area(cells).bottom()) + PAD;
        Self {
            map,
            scale,
            cells,
            row_labels,
            column_labels,
            number_size,
            title,
            ticks,
            width,
            height,
        }
    }

    pub(super) fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.width, self.height);
        self.draw_title(&mut scene);
        self.draw_cells(&mut scene);
        self.draw_row_labels(&mut scene);
        self.draw_column_labels(&mut scene);
        self.draw_side_titles(&mut scene);
        self.draw_bar(&mut scene);
        scene
    }

    /// Centred over the cells, as far as the picture's edges let it.
    fn draw_title(&self, scene: &mut Scene) {
        let half = title_width(&self.title) / 2.0 + PAD;
        let x = self.cells.middle().0.min(self.width - half).max(half);
        for (line, text) in self.title.iter().enumerate() {
            let y = PAD + (line as f64 + 0.5) * TITLE_SIZE * LINE;
            scene.label(Label::new(text, (x, y), TITLE_SIZE).bold());
        }
    }

    fn draw_cells(&self, scene: &mut Scene) {
        let (rows, columns) = self.map.values.dim();
        if rows.max(columns) > MOST_CELLS {
            scene.add(Mark::Pixels(self.cells, self.pixels()));
            return;
        }
        let (width, height) = self.cell_size();
        let gap = gap(width.min(height));
        for ((row, column), &value) in self.map.values.indexed_iter() {
            let cell = Area {
                x: self.cells.x + column as f64 * width,
                y: self.cells.y + row as f64 * height,
                width: width - gap,
                height: height - gap,
            };
            let colour = viridis(self.scale.place(value));
            scene.add(Mark::Rect(cell, Ink::Rgb(colour)));
            if let Some(size) = self.number_size {
                let number = Label::new(self.map.written(value), cell.middle(), size);
                scene.label(number.ink(Ink::Rgb(readable_on(colour))));
            }
        }
    }

    /// The cells as an image; where there are too many, each pixel is the mean of
    /// several.
    fn pixels(&self) -> Pixels {
        let (rows, columns) = self.map.values.dim();
        let block = (rows.div_ceil(MOST_PIXELS), columns.div_ceil(MOST_PIXELS));
        let mut indices = Vec::new();
        for band in self.map.values.axis_chunks_iter(Axis(0), block.0) {
            for part in band.axis_chunks_iter(Axis(1), block.1) {
                let places = part.iter().map(|value| self.scale.place(*value));
                indices.push(viridis::index(places.sum::<f64>() / part.len() as f64));
            }
        }
        Pixels { columns: columns.div_ceil(block.1), indices }
    }

    fn cell_size(&self) -> (f64, f64) {
        let (rows, columns) = self.map.values.dim();
        (self.cells.width / columns as f64, self.cells.height / rows as f64)
    }

    fn draw_row_labels(&self, scene: &mut Scene) {
        let x = self.cells.x - SPACE;
        for (index, text) in &self.row_labels.shown {
            let y = self.cells.y + (*index as f64 + 0.5) * self.cell_size().1 - 0.5;
            scene.label(
                Label::new(text, (x, y), self.row_labels.size).anchor(Anchor::End),
            );
        }
    }

    fn draw_column_labels(&self, scene: &mut Scene) {
        let labels = &self.column_labels;
        for (index, text) in &labels.shown {
            let x = self.cells.x + (*index as f64 + 0.5) * self.cell_size().0 - 0.5;
            let top = self.cells.bottom() + SPACE;
            let label = match labels.turn {
                Turn::None => {
                    Label::new(text, (x, top + labels.size / 2.0 - 1.0), labels.size)
                }
                turn => Label::new(
                    text,
                    (x + labels.lean(), top - 2.0 + labels.lean()),
                    labels.size,
                )
                .anchor(Anchor::End)
                .turn(turn),
            };
            scene.label(label);
        }
    }

    fn draw_side_titles(&self, scene: &mut Scene) {
        let (middle_x, middle_y) = self.cells.middle();
        let beside = self.cells.x - SPACE - self.row_labels.width() - line_of(" ")
            + TEXT_SIZE / 2.0;
        let below = self.cells.bottom() + SPACE + self.column_labels.height();
        let below = below + line_of(" ") - TEXT_SIZE / 2.0;
        let rows = Label::new(
            side_title(&self.map.rows, self.cells.height),
            (beside, middle_y),
            TEXT_SIZE,
        );
        let columns = Label::new(
            side_title(&self.map.columns, self.cells.width),
            (middle_x, below),
            TEXT_SIZE,
        );
        scene.label(rows.turn(Turn::Up));
        scene.label(columns);
    }

    fn draw_bar(&self, scene: &mut Scene) {
        let bar = bar_area(self.cells);
        // Each band reaches to the bottom, and the next covers it: no seams between them.
        for band in 0..BAR_BANDS {
            let down = band as f64 / BAR_BANDS as f64;
            let y = bar.y + down * bar.height;
            let rest = Area { y, height: bar.bottom() - y, ..bar };
            let middle = (band as f64 + 0.5) / BAR_BANDS as f64;
            let colour = VIRIDIS[usize::from(viridis::index(1.0 - middle))];
            scene.add(Mark::Rect(rest, Ink::Rgb(colour)));
        }
        for tick in &self.ticks {
            let y = bar.bottom() - tick.at * bar.height;
            let end = bar.right() + TICK;
            scene.add(Mark::Path(vec![(bar.right(), y), (end, y)], 1.0, Ink::Text));
            let label = Label::new(&tick.label, (end + 4.0, y), TICK_SIZE);
            scene.label(label.anchor(Anchor::Start));
        }
    }
}

/// The length of a cell's side with its gap, and the size of the number in it.
fn pitch(map: &Heatmap) -> (f64, Option<f64>) {
    let (rows, columns) = map.values.dim();
    let most = rows.max(columns);
    let count = most as f64;
    if most > MOST_CELLS {
        return (640.0 / count, None);
    }
    let side = (210.0 + 30.0 * count).min(640.0);
    let pitch = (side / count).clamp(10.0, 100.0).floor();
    // The widest number, in ems, and the air beside it.
    let numbers =
        map.values.iter().map(|value| fonts::width(&map.written(*value), 1.0, false));
    let widest = numbers.fold(0.0, f64::max);
    let air = 8.0;
    let size =
        |pitch: f64| (pitch * 0.27).min((pitch - air) / widest).min(LARGEST_NUMBER);
    match map.annotate {
        Some(false) => (pitch, None),
        Some(true) => {
            let least = (SMALLEST_TEXT * widest + air).max(SMALLEST_TEXT / 0.27).ceil();
            let pitch = pitch.max(least.min(LARGEST_SIDE / count));
            (pitch, Some(size(pitch)))
        }
        None => {
            let shows = most <= MOST_NUMBERS && size(pitch) >= SMALLEST_TEXT;
            (pitch, shows.then(|| size(pitch)))
        }
    }
}

/// A side's title, as much of it as the side has room for.
fn side_title(side: &Side, length: f64) -> String {
    fonts::elide(&side.title, TEXT_SIZE, false, length.max(80.0))
}

/// The page that shows between two cells.
fn gap(pitch: f64) -> f64 {
    match pitch {
        48.0.. => 2.0,
        20.0.. => 1.0,
        _ => 0.5,
    }
}

/// How much room a title takes across its line.
fn line_of(title: &str) -> f64 {
    if title.is_empty() { 0.0 } else { TEXT_SIZE + 11.0 }
}

fn title_width(lines: &[String]) -> f64 {
    let widths = lines.iter().map(|line| fonts::width(line, TITLE_SIZE, true));
    widths.fold(0.0, f64::max)
}

/// The colour bar, as high as the cells but never too low for its numbers.
fn bar_area(cells: Area) -> Area {
    Area {
        x: cells.right() + BAR_SPACE,
        y: cells.y,
        width: BAR_WIDTH,
        height: (cells.height - 1.0).max(100.0),
    }
}

/// The labels of one side that are shown, and how.
struct Labels {
    shown: Vec<(usize, String)>,
    size: f64,
    turn: Turn,
}

impl Labels {
    fn of_rows(side: &Side, count: usize, pitch: f64) -> Self {
        let every = thinned(side, pitch);
        let size = (pitch * every as f64 * 0.95).clamp(SMALLEST_TEXT, TEXT_SIZE);
        Self { shown: shown(side, count, every, size), size, turn: Turn::None }
    }

    /// Level where they fit, slanted where their lines have room, else upright.
    fn of_columns(side: &Side, count: usize, pitch: f64) -> Self {
        let every = thinned(side, pitch);
        let room = pitch * every as f64;
        let mut labels = Self {
            shown: shown(side, count, every, TEXT_SIZE),
            size: TEXT_SIZE,
            turn: Turn::None,
        };
        let widest = labels.width() / TEXT_SIZE;
        let level = (room - 8.0) / widest;
        if level >= 11.0 || side.labels.is_none() && level >= SMALLEST_TEXT {
            labels.size = level.min(TEXT_SIZE).floor();
        } else if room * std::f64::consts::FRAC_1_SQRT_2 >= TEXT_SIZE * 1.1 {
            labels.turn = Turn::Slant;
        } else {
            labels.turn = Turn::Up;
            labels.size = (room * 0.9).clamp(SMALLEST_TEXT, TEXT_SIZE);
        }
        labels
    }

    fn width(&self) -> f64 {
        let widths =
            self.shown.iter().map(|(_, text)| fonts::width(text, self.size, false));
        widths.fold(0.0, f64::max)
    }

    /// How far turned labels reach down, or level ones.
    fn height(&self) -> f64 {
        match self.turn {
            Turn::None if self.shown.is_empty() => 0.0,
            Turn::None => self.size,
            Turn::Slant => {
                self.width() * std::f64::consts::FRAC_1_SQRT_2 + self.size * 0.4
            }
            Turn::Up => self.width(),
        }
    }

    /// How far slanted labels may reach out to the left of the cells.
    fn overhang(&self) -> f64 {
        match self.turn {
            Turn::Slant => self.width() * std::f64::consts::FRAC_1_SQRT_2,
            _ => 0.0,
        }
    }

    /// Moves the end of a slanted label so that its last letter's top is under its
    /// cell's middle.
    fn lean(&self) -> f64 {
        match self.turn {
            Turn::Slant => self.size * 0.25,
            _ => 0.0,
        }
    }
}

/// Of how many rows or columns one is labelled, so that labels don't touch: 1, 2, 5, 10
/// …
fn thinned(side: &Side, pitch: f64) -> usize {
    let spacing = if side.labels.is_some() { 10.0 } else { 32.0 };
    let steps =
        (0..9).flat_map(|power| [1, 2, 5].map(|step| step * 10_usize.pow(power)));
    let mut wide = steps.filter(|every| pitch * *every as f64 >= spacing);
    wide.next().unwrap_or(usize::MAX)
}

fn shown(side: &Side, count: usize, every: usize, size: f64) -> Vec<(usize, String)> {
    let short = |text: String| fonts::elide(&text, size, false, LONGEST_LABEL);
    (0..count).step_by(every).map(|index| (index, short(side.label(index)))).collect()
}
