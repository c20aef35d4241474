//! The line chart: a loss over steps, a time over lengths.

mod legend;

use crate::axis::{Scale, Tick, significant};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::frame::{
    Caption, Heading, PAD, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, WIDTH, line_of,
    widest_tick,
};
use crate::scene::{Anchor, Area, Ink, Label, Mark, Scene, Turn};
use crate::text::{Language, Text};
use legend::Legend;

/// The lines' rectangle isn't narrower than this beside their names, …
const NARROWEST: f64 = 290.0;
/// … and so high.
const TALL: f64 = 280.0;
/// About how many numbers stand beside an axis.
const TICKS: usize = 7;
const LINE_WIDTH: f64 = 2.0;
const MARKER: f64 = 4.5;
const DASH: f64 = 7.0;
const DASH_GAP: f64 = 4.5;
const DASH_INK: Ink = Ink::Faint(0.65);
/// A series shows about this many markers at most.
const MOST_MARKERS: usize = 12;
/// Points of a line that nobody could tell apart are left out.
const MOST_POINTS: usize = 2000;

/// Colors that stand out from white and from mdBook's dark pages alike, for most
/// color-blind readers too.
const COLORS: [[u8; 3]; 5] = [
    [0x1f, 0x77, 0xb4],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x92, 0x6b],
    [0xb8, 0x5c, 0xa0],
    [0x8c, 0x76, 0x1c],
];

/// Lines through points, each with its own color, marker and name beside it.
///
/// It copies what it is given, so a notebook can keep it between cells.
///
/// ```
/// use figures::LineChart;
///
/// let figure = LineChart::new()
///     .title("Loss")
///     .x_title("step")
///     .series("train", &[(1.0, 2.3), (10.0, 1.1), (100.0, 0.4)])
///     .series("test", &[(1.0, 2.4), (10.0, 1.5), (100.0, 0.9)])
///     .log_x()
///     .draw()?;
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LineChart {
    caption: Caption,
    x: Side,
    y: Side,
    x_ticks: Option<Vec<f64>>,
    series: Vec<Series>,
}

#[derive(Clone, Debug, Default)]
struct Side {
    title: Text,
    log: bool,
}

#[derive(Clone, Debug)]
struct Series {
    name: Text,
    points: Vec<(f64, f64)>,
    look: Look,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// With the color and the marker of this index.
    Solid(usize),
    /// Dashed in the color of the text, without markers.
    Dashed,
}

impl LineChart {
    /// A chart with no series yet.
    pub fn new() -> Self {
        Self::default()
    }

    caption_setter!();

    /// What runs along the horizontal axis.
    #[must_use]
    pub fn x_title(mut self, title: impl Into<Text>) -> Self {
        self.x.title = title.into();
        self
    }

    /// What runs along the vertical axis.
    #[must_use]
    pub fn y_title(mut self, title: impl Into<Text>) -> Self {
        self.y.title = title.into();
        self
    }

    /// Adds a line through `points`, `(x, y)` in the order they are joined.
    #[must_use]
    pub fn series(self, name: impl Into<Text>, points: &[(f64, f64)]) -> Self {
        let solid = |series: &&Series| matches!(series.look, Look::Solid(_));
        let index = self.series.iter().filter(solid).count();
        self.with(name, points, Look::Solid(index))
    }

    /// Adds a dashed line without markers, for something that the others are compared
    /// with: `n²` beside a time that grows with it.
    #[must_use]
    pub fn dashed_series(self, name: impl Into<Text>, points: &[(f64, f64)]) -> Self {
        self.with(name, points, Look::Dashed)
    }

    fn with(
        mut self,
        name: impl Into<Text>,
        points: &[(f64, f64)],
        look: Look,
    ) -> Self {
        self.series.push(Series { name: name.into(), points: points.to_vec(), look });
        self
    }

    /// The numbers written along the horizontal axis; unless set, round ones. Those
    /// beyond the points are left out.
    #[must_use]
    pub fn x_ticks(mut self, values: &[f64]) -> Self {
        self.x_ticks = Some(values.to_vec());
        self
    }

    /// Makes the horizontal axis logarithmic: all x must be above zero.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.x.log = true;
        self
    }

    /// Makes the vertical axis logarithmic: all y must be above zero.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.y.log = true;
        self
    }

    /// Draws the chart.
    ///
    /// # Errors
    ///
    /// - [`FigureError::NoSeries`]: nothing to draw.
    /// - [`FigureError::SeriesEmpty`]: a series has no points.
    /// - [`FigureError::SeriesNotFinite`]: a coordinate is NaN or infinite.
    /// - [`FigureError::SeriesNotPositive`]: a coordinate on a logarithmic axis isn't above zero.
    /// - [`FigureError::Draw`]: the drawing library failed.
    pub fn draw(&self) -> Result<Figure, FigureError> {
        self.check()?;
        let title = Text::both(|language| {
            let [y, x] =
                [&self.y, &self.x].map(|side| side.title.in_language(language));
            format!("{y} / {x}")
        });
        let description = Text::both(|language| self.describe(language));
        self.caption.figure(Layout::new(self).scene(), title, description)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.series.is_empty() {
            return Err(FigureError::NoSeries);
        }
        for series in &self.series {
            if series.points.is_empty() {
                let name = series.name.english();
                return Err(FigureError::SeriesEmpty { name });
            }
            for (index, point) in series.points.iter().enumerate() {
                self.check_point(series, index, *point)?;
            }
        }
        Ok(())
    }

    fn check_point(
        &self,
        series: &Series,
        index: usize,
        (x, y): (f64, f64),
    ) -> Result<(), FigureError> {
        let name = || series.name.english();
        if !(x.is_finite() && y.is_finite()) {
            return Err(FigureError::SeriesNotFinite { name: name(), index, x, y });
        }
        for (axis, side, value) in [("x", &self.x, x), ("y", &self.y, y)] {
            if side.log && value <= 0.0 {
                let name = name();
                return Err(FigureError::SeriesNotPositive {
                    name,
                    index,
                    axis,
                    value,
                });
            }
        }
        Ok(())
    }

    fn describe(&self, language: Language) -> String {
        let ends = |series: &Series| {
            let point = |(x, y)| format!("({}, {})", significant(x), significant(y));
            let first = series.points.first().copied().map_or(String::new(), point);
            let last = series.points.last().copied().map_or(String::new(), point);
            format!("{}: {first} … {last}", series.name.in_language(language))
        };
        self.series.iter().map(ends).collect::<Vec<_>>().join("; ")
    }
}

/// Where everything of a chart goes. All lengths are pixels.
struct Layout<'a> {
    chart: &'a LineChart,
    x: Scale,
    y: Scale,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    plot: Area,
    heading: Heading,
    legend: Legend,
    height: f64,
}

impl<'a> Layout<'a> {
    fn new(chart: &'a LineChart) -> Self {
        let points = || chart.series.iter().flat_map(|series| series.points.iter());
        let x = Scale::around(points().map(|(x, _)| *x), chart.x.log);
        let y = Scale::around(points().map(|(_, y)| *y), chart.y.log);
        let y_ticks = y.ticks(TICKS);
        let beside = widest_tick(&y_ticks, TICK_SIZE) + 8.0;
        let left = (PAD + line_of(&chart.y.title) + beside).round();
        let room = WIDTH - left - PAD;
        let legend = Legend::new(&chart.series, room, NARROWEST);
        let heading = chart.caption.heading(TITLE_SIZE, WIDTH - 2.0 * PAD);
        let plot = Area {
            x: left,
            y: heading.bottom() + legend.height(),
            width: room - legend.width(),
            height: legend.plot_height(TALL),
        };
        let given = chart.x_ticks.as_ref().map(|values| x.ticks_at(values));
        let count = if legend.width() > 0.0 { TICKS - 2 } else { TICKS };
        let x_ticks = given.unwrap_or_else(|| x.ticks(count));
        let height = plot.bottom() + 10.0 + TICK_SIZE + line_of(&chart.x.title) + PAD;
        Self { chart, x, y, x_ticks, y_ticks, plot, heading, legend, height }
    }

    fn scene(&self) -> Scene {
        let mut scene = Scene::new(WIDTH, self.height);
        self.draw_titles(&mut scene);
        self.draw_grid(&mut scene);
        self.draw_axes(&mut scene);
        for series in &self.chart.series {
            self.draw_series(&mut scene, series);
        }
        self.draw_legend(&mut scene);
        scene
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            self.plot.x + self.x.place(x) * self.plot.width,
            self.plot.bottom() - self.y.place(y) * self.plot.height,
        )
    }

    fn draw_titles(&self, scene: &mut Scene) {
        let (middle_x, middle_y) = self.plot.middle();
        self.heading.draw(scene, middle_x, WIDTH);
        let side = |title: &Text, room| title.elide(TEXT_SIZE, false, room);
        let y_title = side(&self.chart.y.title, self.plot.height);
        let beside = (PAD + TEXT_SIZE / 2.0, middle_y);
        scene.label(Label::new(y_title, beside, TEXT_SIZE).turn(Turn::Up));
        let x_title = side(&self.chart.x.title, self.plot.width);
        let below = (middle_x, self.height - PAD - TEXT_SIZE / 2.0);
        scene.label(Label::new(x_title, below, TEXT_SIZE));
    }

    fn draw_grid(&self, scene: &mut Scene) {
        let Area { x, y, .. } = self.plot;
        for tick in &self.y_ticks {
            let across = self.plot.bottom() - tick.at * self.plot.height;
            let line = vec![(x, across), (self.plot.right(), across)];
            scene.add(Mark::Path(line, 1.0, Ink::Faint(0.12)));
            let label = Label::new(&tick.label, (x - 8.0, across), TICK_SIZE);
            scene.label(label.anchor(Anchor::End));
        }
        for tick in &self.x_ticks {
            let down = x + tick.at * self.plot.width;
            let line = vec![(down, y), (down, self.plot.bottom())];
            scene.add(Mark::Path(line, 1.0, Ink::Faint(0.12)));
            let below = self.plot.bottom() + 9.0 + TICK_SIZE / 2.0;
            scene.label(Label::new(&tick.label, (down, below), TICK_SIZE));
        }
    }

    fn draw_axes(&self, scene: &mut Scene) {
        let Area { x, y, .. } = self.plot;
        let corner = vec![
            (x, y),
            (x, self.plot.bottom()),
            (self.plot.right(), self.plot.bottom()),
        ];
        scene.add(Mark::Path(corner, 1.0, Ink::Faint(0.6)));
    }

    fn draw_series(&self, scene: &mut Scene, series: &Series) {
        let line = thinned(&series.points, MOST_POINTS).map(|point| self.at(point));
        let line: Vec<(f64, f64)> = line.collect();
        let Look::Solid(index) = series.look else {
            draw_dashes(scene, &line);
            return;
        };
        scene.add(Mark::Path(line, LINE_WIDTH, color(index)));
        for point in thinned(&series.points, MOST_MARKERS) {
            scene.add(marker(index, self.at(point)));
        }
    }

    fn draw_legend(&self, scene: &mut Scene) {
        let end = |series: &Series| {
            series.points.last().map_or(self.plot.y, |point| self.at(*point).1)
        };
        let ends: Vec<f64> = self.chart.series.iter().map(end).collect();
        self.legend.draw(scene, &self.chart.series, self.plot, &ends);
    }
}

/// What stands before the name of a series.
fn draw_sample(scene: &mut Scene, look: Look, at: (f64, f64)) {
    match look {
        Look::Solid(index) => scene.add(marker(index, at)),
        Look::Dashed => {
            let sample = [(at.0 - MARKER - 5.0, at.1), (at.0 + MARKER + 3.0, at.1)];
            draw_dashes(scene, &sample);
        }
    }
}

/// About `most` of `points`, evenly picked, with the first and the last.
fn thinned(points: &[(f64, f64)], most: usize) -> impl Iterator<Item = (f64, f64)> {
    let every = points.len().div_ceil(most).max(1);
    let kept = move |(index, point): (usize, &(f64, f64))| {
        (index % every == 0 || index + 1 == points.len()).then_some(*point)
    };
    points.iter().enumerate().filter_map(kept)
}

/// `line` as dashes; each may turn where the line does.
fn draw_dashes(scene: &mut Scene, line: &[(f64, f64)]) {
    let mut dash: Vec<(f64, f64)> = line.first().copied().into_iter().collect();
    let mut left = DASH; // of this dash, or of the gap when `dash` is empty
    for pair in line.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut walked = 0.0;
        while length - walked > left {
            walked += left;
            let part = walked / length;
            let turn =
                (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            if dash.is_empty() {
                (dash, left) = (vec![turn], DASH);
            } else {
                dash.push(turn);
                scene.add(Mark::Path(std::mem::take(&mut dash), 1.5, DASH_INK));
                left = DASH_GAP;
            }
        }
        left -= length - walked;
        if !dash.is_empty() {
            dash.push(to);
        }
    }
    if dash.len() > 1 {
        scene.add(Mark::Path(dash, 1.5, DASH_INK));
    }
}

fn color(index: usize) -> Ink {
    Ink::Rgb(COLORS[index % COLORS.len()])
}

/// A circle, square, triangle, diamond, triangle on its tip, or tall bar. Six shapes
/// and five colors tell thirty series apart.
fn marker(index: usize, (x, y): (f64, f64)) -> Mark {
    let r = MARKER;
    let corners: &[(f64, f64)] = match index % 6 {
        0 => return Mark::Circle((x, y), r * 0.95, color(index)),
        1 => &[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        2 => &[(0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)],
        3 => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
        4 => &[(0.0, 1.15), (1.1, -0.85), (-1.1, -0.85)],
        _ => &[(-0.6, -1.1), (0.6, -1.1), (0.6, 1.1), (-0.6, 1.1)],
    };
    let place = |(dx, dy): &(f64, f64)| (x + dx * r, y + dy * r);
    Mark::Polygon(corners.iter().map(place).collect(), color(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viridis::assert_seen_on_pages;

    #[test]
    fn lines_stand_out_from_light_and_dark_pages() {
        assert_seen_on_pages(&COLORS);
    }
}
