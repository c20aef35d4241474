//! Where everything of a grid of heatmaps goes. All lengths are pixels.

use super::HeatmapGrid;
use crate::frame::{
    Heading, LINE, PAD, SMALLEST_TEXT, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, WIDTH,
    line_of, widest,
};
use crate::heatmap::bar::Bar;
use crate::heatmap::cells::{self, Look, MOST_CELLS, MOST_RECTANGLES};
use crate::heatmap::labels::{Labels, SPACE, draw_side_titles};
use crate::heatmap::{Heatmap, Side};
use crate::palette::Colors;
use crate::scene::{Anchor, Area, Label, Scene};
use crate::text::Text;

/// A grid is wider than [`WIDTH`] if its cells would be smaller than this …
const SMALL_CELL: f64 = 4.0;
/// … or, with labels, too small for those; …
const LABELED_CELL: f64 = 13.0;
/// … but it never is wider than the page for their sake.
const PAGE: f64 = 720.0;
/// The texts of a grid that wide can be read where it is shown on 360 pixels, too.
const WIDE_TEXT: f64 = 18.0;
const WIDE_TITLE: f64 = 21.0;
/// Numbers in the cells may take more.
const LARGEST_WIDTH: f64 = 1600.0;
const LARGEST_CELL: f64 = 32.0;
const LARGEST_PANEL: f64 = 640.0;
/// A panel smaller than this has no labels or numbers beside it.
const THUMBNAIL: f64 = 72.0;
/// Cells smaller than this have neither labels nor gaps between them.
const SMALLEST_CELL: f64 = 12.0;
const LONGEST_ROW_TITLE: f64 = 120.0;
const HIGHEST_BAR: f64 = 320.0;

/// Between two panels, with their labels and without.
const GAP: f64 = 16.0;
const THUMBNAIL_GAP: f64 = 5.0;
/// A grid of many rows has smaller cells than its width would let it.
const LARGEST_HEIGHT: f64 = 2400.0;
const SMALLEST_PANEL: f64 = 8.0;

/// The size of all cells, and what there is room for with it.
struct Plan {
    /// Whether all panels have the same labels beside their rows.
    rows_shared: bool,
    columns_shared: bool,
    pitch: f64,
    labels: bool,
    numbers: Option<f64>,
    gap: f64,
}

impl Plan {
    fn new(grid: &HeatmapGrid, bar: &Bar, row_titles: f64) -> Self {
        let (_, columns) = grid.shape();
        let labeled = grid
            .panels
            .iter()
            .any(|map| map.rows.labels.is_some() || map.columns.labels.is_some());
        let rows_shared = shared(grid, row_side);
        let columns_shared = shared(grid, column_side);
        let labels = if rows_shared {
            reach(label_width(&grid.panels[..1]))
        } else {
            reach(label_width(&grid.panels)) * columns as f64
        };
        let frame = 2.0 * PAD + bar.width() + row_titles;
        let with_labels = frame + line_of(&grid.row_side_title()) + labels;

        let least = if labeled { LABELED_CELL } else { SMALL_CELL };
        let (pitch, numbers) = pitch_of(grid, with_labels, GAP, least);
        let narrowest = grid.panels.iter().map(|map| map.values.ncols()).min();
        let fits = if labeled {
            pitch >= SMALLEST_CELL
        } else {
            pitch * narrowest.unwrap_or(1) as f64 >= THUMBNAIL
        };
        if fits {
            let (labels, gap) = (true, GAP);
            return Self { rows_shared, columns_shared, pitch, labels, numbers, gap };
        }
        let (labels, gap) = (false, THUMBNAIL_GAP);
        let (pitch, numbers) = pitch_of(grid, frame, gap, SMALL_CELL);
        Self { rows_shared, columns_shared, pitch, labels, numbers, gap }
    }

    fn look(&self, map: &Heatmap, cells: usize) -> Look {
        match self.numbers {
            Some(size) if annotated(map) => Look::Rectangles(Some(size)),
            _ if self.pitch < SMALLEST_CELL || cells > MOST_RECTANGLES => Look::Image,
            _ => Look::Rectangles(None),
        }
    }
}

/// The side of a cell where all else takes `frame` and the gaps, and the size of the
/// numbers in the cells.
fn pitch_of(
    grid: &HeatmapGrid,
    frame: f64,
    gap: f64,
    least: f64,
) -> (f64, Option<f64>) {
    let (_, columns) = grid.shape();
    let in_column = |column| grid.panels.iter().skip(column).step_by(columns);
    let across: f64 = (0..columns)
        .map(|column| most(in_column(column).map(|map| map.values.ncols() as f64)))
        .sum();
    let in_rows = grid.panels.chunks(columns);
    let heights: Vec<f64> = in_rows
        .map(|row| most(row.iter().map(|map| map.values.nrows() as f64)))
        .collect();
    let down: f64 = heights.iter().sum();
    let tallest = most(heights.into_iter());

    let frame = frame + gap * (columns - 1) as f64;
    let room = |width: f64| (width - frame).max(1.0) / across;
    let pitch = room(WIDTH)
        .max(least.min(room(PAGE)))
        .min(LARGEST_CELL)
        .min(LARGEST_PANEL / tallest)
        .min(LARGEST_HEIGHT / down);
    let pitch = if pitch > 1.0 { (pitch * 4.0).floor() / 4.0 } else { pitch };

    let numbers = grid.panels.iter().filter(|map| annotated(map));
    let widest = most(numbers.map(cells::widest_number));
    let needed = cells::least_pitch(widest);
    if widest > 0.0 && needed <= room(LARGEST_WIDTH) {
        let pitch = pitch.max(needed);
        return (pitch, Some(cells::number_size(widest, pitch)));
    }
    (pitch, None)
}

fn annotated(map: &Heatmap) -> bool {
    map.annotate == Some(true)
        && map.values.nrows().max(map.values.ncols()) <= MOST_CELLS
}

fn row_side(map: &Heatmap) -> (&Side, usize) {
    (&map.rows, map.values.nrows())
}

fn column_side(map: &Heatmap) -> (&Side, usize) {
    (&map.columns, map.values.ncols())
}

/// Whether this side of all panels has the same labels.
fn shared(grid: &HeatmapGrid, side: fn(&Heatmap) -> (&Side, usize)) -> bool {
    let labels = |map| {
        let (side, count) = side(map);
        (&side.labels, count)
    };
    grid.panels.windows(2).all(|pair| labels(&pair[0]) == labels(&pair[1]))
}

/// How wide the labels of these rows are at most.
fn label_width(panels: &[Heatmap]) -> f64 {
    most(panels.iter().map(|map| {
        Labels::of_rows(&map.rows, map.values.nrows(), LARGEST_CELL).width()
    }))
}

/// How far labels this long reach out of the cells.
fn reach(labels: f64) -> f64 {
    if labels > 0.0 { labels + SPACE } else { 0.0 }
}

fn most(lengths: impl Iterator<Item = f64>) -> f64 {
    lengths.fold(0.0, f64::max)
}

/// One heatmap with what is written around it.
struct Panel<'a> {
    map: &'a Heatmap,
    title: Vec<Text>,
    title_size: f64,
    rows: Labels,
    columns: Labels,
    cells: Area,
}

impl<'a> Panel<'a> {
    fn new(grid: &'a HeatmapGrid, plan: &Plan, index: usize) -> Self {
        let map = &grid.panels[index];
        let count = grid.panels.len();
        let (_, per_row) = grid.shape();
        let (rows, columns) = map.values.dim();
        let length = |cells: usize| (plan.pitch * cells as f64).max(SMALLEST_PANEL);
        let (width, height) = (length(columns), length(rows));
        let mut panel = Self {
            map,
            title: Vec::new(),
            title_size: TEXT_SIZE,
            rows: Labels::none(),
            columns: Labels::none(),
            cells: Area { x: 0.0, y: 0.0, width, height },
        };
        let room = width + plan.gap - 2.0;
        let title = grid.panel_title(index);
        panel.title = title.wrap(panel.title_size, false, room, 2);
        if plan.labels && (index.is_multiple_of(per_row) || !plan.rows_shared) {
            panel.rows = Labels::of_rows(&map.rows, rows, plan.pitch);
        }
        let shared = plan.columns_shared;
        if plan.labels && (index + per_row >= count || !shared) {
            let labels = Labels::of_columns(&map.columns, columns, plan.pitch);
            // Beside a hole in the last row, slanted labels would reach into a panel.
            let hole = shared && !count.is_multiple_of(per_row);
            panel.columns = if hole { labels.upright(plan.pitch) } else { labels };
        }
        panel
    }

    /// How far its labels reach out to the left.
    fn left(&self) -> f64 {
        reach(self.rows.width())
    }

    /// Where its labels end.
    fn bottom(&self) -> f64 {
        self.cells.bottom() + reach(self.columns.height())
    }

    /// How much room its title takes above it.
    fn above(&self) -> f64 {
        match self.title.len() {
            0 => 0.0,
            lines => lines as f64 * self.title_size * LINE + 4.0,
        }
    }

    fn draw(&self, scene: &mut Scene, colors: &Colors, look: Look) {
        let (rows, columns) = self.map.values.dim();
        cells::draw(scene, self.map, self.cells, colors, look);
        self.rows.draw_rows(scene, self.cells, rows);
        self.columns.draw_columns(scene, self.cells, columns);
        let (middle, _) = self.cells.middle();
        for (line, text) in self.title.iter().rev().enumerate() {
            let up = 4.0 + (line as f64 + 0.5) * self.title_size * LINE;
            let at = (middle, self.cells.y - up);
            scene.label(Label::new(text, at, self.title_size));
        }
    }
}

pub(super) struct Layout<'a> {
    grid: &'a HeatmapGrid,
    colors: Colors,
    bar: Bar,
    /// The size of the titles of rows and columns of panels.
    text: f64,
    plan: Plan,
    panels: Vec<Panel<'a>>,
    /// Around the cells of all panels.
    block: Area,
    heading: Heading,
    width: f64,
    height: f64,
}

impl<'a> Layout<'a> {
    pub(super) fn new(grid: &'a HeatmapGrid) -> Self {
        let colors = grid.colors();
        let (mut text, mut title) = (TEXT_SIZE, TITLE_SIZE);
        let mut bar = Bar::new(colors, TICK_SIZE);
        let mut row_titles = title_reach(grid, text);
        let mut plan = Plan::new(grid, &bar, row_titles);
        if !plan.labels {
            (text, title) = (WIDE_TEXT, WIDE_TITLE);
            bar = Bar::new(colors, text);
            row_titles = title_reach(grid, text);
            plan = Plan::new(grid, &bar, row_titles);
        }
        let panel = |index| Panel::new(grid, &plan, index);
        let panels = (0..grid.panels.len()).map(panel).collect();
        let heading = grid
            .caption
            .heading(title, if plan.labels { WIDTH } else { PAGE } - 2.0 * PAD);
        let block = Area { x: 0.0, y: 0.0, width: 0.0, height: 0.0 };
        let mut layout = Self {
            grid,
            colors,
            bar,
            text,
            plan,
            panels,
            block,
            heading,
            width: 0.0,
            height: 0.0,
        };
        layout.place_columns(PAD + row_titles + line_of(&layout.side_titles()[0]));
        layout.place_rows();
        layout
    }

    /// What the rows and the columns are called, written where their labels are.
    fn side_titles(&self) -> [Text; 2] {
        if self.plan.labels {
            [self.grid.row_side_title(), self.grid.column_side_title()]
        } else {
            Default::default()
        }
    }

    /// Places the panels from left to right; what stands to the left of their labels
    /// ends at `left`.
    fn place_columns(&mut self, left: f64) {
        let (_, columns) = self.grid.shape();
        let shapes = self.panels.windows(2);
        let aligned = shapes
            .map(|pair| (pair[0].cells, pair[1].cells))
            .all(|(a, b)| (a.width, a.height) == (b.width, b.height));
        let mut x = left;
        for column in 0..columns {
            let panels = || self.panels.iter().skip(column).step_by(columns);
            let overhang = most(panels().map(|panel| panel.columns.overhang()));
            let clear = match column {
                0 => PAD + overhang,
                _ if aligned => 0.0, // slanted labels are parallel
                _ => x - self.plan.gap + overhang,
            };
            x = (x + most(panels().map(Panel::left))).max(clear).round();
            let widest = most(panels().map(|panel| panel.cells.width));
            let panels = self.panels.iter_mut().skip(column).step_by(columns);
            panels.for_each(|panel| panel.cells.x = x);
            x += widest + self.plan.gap;
        }
        let right = x - self.plan.gap;
        self.width = (right + self.bar.width() + PAD).ceil();
        let wider = self.heading.width() + 2.0 * PAD - self.width;
        let aside = (wider / 2.0).round().max(0.0);
        self.width += wider.ceil().max(0.0);
        self.panels.iter_mut().for_each(|panel| panel.cells.x += aside);
        self.block.x = self.panels[0].cells.x;
        self.block.width = right + aside - self.block.x;
    }

    /// Places the panels from the heading down.
    fn place_rows(&mut self) {
        let (_, columns) = self.grid.shape();
        let mut y = self.heading.bottom();
        if self.grid.grid_columns.is_some() {
            y += self.column_title_size() * LINE + 4.0;
        }
        let hanging = self.plan.columns_shared;
        for row in self.panels.chunks_mut(columns) {
            y = (y + most(row.iter().map(Panel::above))).round();
            for panel in row.iter_mut() {
                panel.cells.y = y;
            }
            let bottom = |panel: &Panel| {
                if hanging { panel.cells.bottom() } else { panel.bottom() }
            };
            y = most(row.iter().map(bottom)) + self.plan.gap;
        }
        let bottom = most(self.panels.iter().map(|panel| panel.cells.bottom()));
        self.block.y = self.panels[0].cells.y;
        self.block.height = bottom - self.block.y;
        let title = line_of(&self.side_titles()[1]);
        self.height = (self.bottom() + title).max(self.bar_area().bottom()) + PAD;
    }

    /// Where the lowest labels end.
    fn bottom(&self) -> f64 {
        most(self.panels.iter().map(Panel::bottom))
    }

    fn bar_area(&self) -> Area {
        let area = Bar::area(self.block);
        Area { height: area.height.min(HIGHEST_BAR), ..area }
    }

    pub(super) fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.width, self.height);
        self.heading.draw(&mut scene, self.block.middle().0, self.width);
        let cells = self.panels.iter().map(|panel| panel.map.values.len()).sum();
        for panel in &self.panels {
            let look = self.plan.look(panel.map, cells);
            panel.draw(&mut scene, &self.colors, look);
        }
        self.draw_grid_titles(&mut scene);
        let reach = (self.label_width(), self.bottom() - self.block.bottom() - SPACE);
        let titles = self.side_titles();
        draw_side_titles(&mut scene, self.block, [&titles[0], &titles[1]], reach);
        self.bar.draw(&mut scene, self.bar_area());
        scene
    }

    /// The width of the labels at the left edge.
    fn label_width(&self) -> f64 {
        let (_, columns) = self.grid.shape();
        most(self.panels.iter().step_by(columns).map(|panel| panel.rows.width()))
    }

    fn draw_grid_titles(&self, scene: &mut Scene) {
        let (_, columns) = self.grid.shape();
        let beside = reach(self.label_width()) + line_of(&self.side_titles()[0]);
        let x = self.block.x - beside - SPACE;
        let firsts = self.panels.iter().step_by(columns);
        for (title, panel) in row_titles(self.grid, self.text).iter().zip(firsts) {
            let at = (x, panel.cells.middle().1);
            scene.label(Label::new(title, at, self.text).anchor(Anchor::End));
        }
        let size = self.column_title_size();
        let above = most(self.panels.iter().take(columns).map(Panel::above));
        let y = self.block.y - above - 4.0 - size * LINE / 2.0;
        for (title, panel) in self.grid.grid_columns.iter().flatten().zip(&self.panels)
        {
            let room = self.column_title_room(panel);
            let title = title.elide(size, false, room);
            scene.label(Label::new(title, (panel.cells.middle().0, y), size));
        }
    }

    fn column_title_room(&self, panel: &Panel) -> f64 {
        panel.cells.width + self.plan.gap - 6.0
    }

    /// So that they fit over their columns, if letters that small can be read.
    fn column_title_size(&self) -> f64 {
        let titles = self.grid.grid_columns.iter().flatten().zip(&self.panels);
        let sizes = titles.map(|(title, panel)| {
            self.column_title_room(panel) / title.width(1.0, false).max(0.1)
        });
        sizes.fold(self.text, f64::min).max(SMALLEST_TEXT)
    }
}

/// How far the titles of the rows of panels reach out.
fn title_reach(grid: &HeatmapGrid, size: f64) -> f64 {
    reach(widest(&row_titles(grid, size), size, false))
}

/// The titles of the rows of panels, as long as they may be.
fn row_titles(grid: &HeatmapGrid, size: f64) -> Vec<Text> {
    let short = |title: &Text| title.elide(size, false, LONGEST_ROW_TITLE);
    grid.grid_rows.iter().flatten().map(short).collect()
}
