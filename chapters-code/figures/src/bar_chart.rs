//! The bar chart: several measures of the same things, side by side.

use crate::axis::{Scale, Tick, extent};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::frame::{
    Caption, Heading, PAD, SIDE_LINE, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, WIDTH, widest,
};
use crate::scene::{Anchor, Area, Ink, Label, Mark, Scene};
use crate::text::{Language, Text};

/// The width of one measure's bars, at most and at least.
const PANEL: (f64, f64) = (220.0, 100.0);
/// Between two measures.
const GAP: f64 = 24.0;
/// From one bar to the next, unless there are so many that the bars pass [`TALLEST`].
const ROW: f64 = 22.0;
const TALLEST: f64 = 2400.0;
/// The bar's share of it.
const FILLED: f64 = 0.66;
const LONGEST_LABEL: f64 = 140.0;
/// About how many numbers stand below each measure.
const TICKS: usize = 4;

/// Above zero and below it. Both stand out from white and from dark pages.
const COLORS: [[u8; 3]; 2] = [[0x1f, 0x77, 0xb4], [0xd5, 0x5e, 0x00]];

/// Horizontal bars from zero, one a label: each measure has its own column of bars and
/// its own scale, and all share the labels on the left.
///
/// It copies what it is given, so a notebook can keep it between cells.
///
/// ```
/// use figures::BarChart;
///
/// let figure = BarChart::new(["o", "gato"])
///     .title("Two measures")
///     .series("weight", &[0.2, 0.8])
///     .series("change", &[-0.5, 1.5])
///     .draw()?;
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BarChart {
    caption: Caption,
    labels: Vec<Text>,
    series: Vec<Series>,
}

#[derive(Clone, Debug)]
struct Series {
    name: Text,
    values: Vec<f64>,
}

impl BarChart {
    /// A chart of these things, from the top, with no measure yet.
    pub fn new<L: IntoIterator<Item: Into<Text>>>(labels: L) -> Self {
        let labels = labels.into_iter().map(Into::into);
        Self { caption: Caption::default(), labels: labels.collect(), series: vec![] }
    }

    caption_setter!();

    /// Adds a measure to the right of those before it: a value for each label.
    #[must_use]
    pub fn series(mut self, name: impl Into<Text>, values: &[f64]) -> Self {
        self.series.push(Series { name: name.into(), values: values.to_vec() });
        self
    }

    /// Draws the chart.
    ///
    /// # Errors
    ///
    /// - [`FigureError::NoSeries`]: nothing to draw.
    /// - [`FigureError::SeriesEmpty`]: there are no labels.
    /// - [`FigureError::BarCount`]: a measure has not one value a label.
    /// - [`FigureError::BarNotFinite`]: a value is NaN or infinite.
    /// - [`FigureError::Draw`]: the drawing library failed.
    pub fn draw(&self) -> Result<Figure, FigureError> {
        self.check()?;
        let names = Text::both(|language| {
            let name = |series: &Series| series.name.in_language(language).to_owned();
            self.series.iter().map(name).collect::<Vec<_>>().join(" / ")
        });
        let description = Text::both(|language| self.describe(language));
        self.caption.figure(Layout::new(self).scene(), names, description)
    }

    fn check(&self) -> Result<(), FigureError> {
        let Some(first) = self.series.first() else {
            return Err(FigureError::NoSeries);
        };
        if self.labels.is_empty() {
            return Err(FigureError::SeriesEmpty { name: first.name.english() });
        }
        for Series { name, values } in &self.series {
            let name = name.english();
            let (expected, given) = (self.labels.len(), values.len());
            if given != expected {
                return Err(FigureError::BarCount { name, expected, given });
            }
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                let value = values[index];
                return Err(FigureError::BarNotFinite { name, index, value });
            }
        }
        Ok(())
    }

    fn describe(&self, language: Language) -> String {
        let bar = |(label, value): (&Text, &f64)| {
            format!("{} {value:.3}", label.in_language(language))
        };
        let measure = |Series { name, values }: &Series| {
            let bars: Vec<String> = self.labels.iter().zip(values).map(bar).collect();
            format!("{}: {}", name.in_language(language), bars.join(", "))
        };
        self.series.iter().map(measure).collect::<Vec<_>>().join("; ")
    }
}

/// Where everything of a chart goes. All lengths are pixels.
struct Layout<'a> {
    labels: Vec<Text>,
    panels: Vec<Panel<'a>>,
    /// From one bar to the next.
    row: f64,
    heading: Heading,
    width: f64,
    height: f64,
}

/// One measure's bars.
struct Panel<'a> {
    series: &'a Series,
    scale: Scale,
    ticks: Vec<Tick>,
    area: Area,
}

impl<'a> Layout<'a> {
    fn new(chart: &'a BarChart) -> Self {
        let elide = |label: &Text| label.elide(TEXT_SIZE, false, LONGEST_LABEL);
        let labels: Vec<Text> = chart.labels.iter().map(elide).collect();
        let widest = widest(&labels, TEXT_SIZE, false);
        let left = (PAD + widest + 10.0).round();
        let count = chart.series.len() as f64;
        let gaps = (count - 1.0) * GAP;
        let panel = ((WIDTH - left - gaps - PAD) / count).floor();
        let panel = panel.min(PANEL.0).max(PANEL.1);
        let width = left + count * panel + gaps + PAD;
        let heading = chart.caption.heading(TITLE_SIZE, width - 2.0 * PAD);
        let top = heading.bottom() + SIDE_LINE;
        let row = ROW.min(TALLEST / labels.len() as f64);
        let tall = labels.len() as f64 * row;
        let place = |(i, series): (usize, &'a Series)| {
            let x = left + i as f64 * (panel + GAP);
            let area = Area { x, y: top, width: panel, height: tall };
            Panel::new(series, area)
        };
        let panels = chart.series.iter().enumerate().map(place).collect();
        let height = top + tall + 10.0 + TICK_SIZE + PAD;
        Self { labels, panels, row, heading, width, height }
    }

    fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.width, self.height);
        self.heading.draw(&mut scene, self.width / 2.0, self.width);
        for panel in &self.panels {
            panel.draw(&mut scene);
        }
        let first = self.panels.first().map(|panel| panel.area);
        for (row, label) in self.labels.iter().enumerate() {
            let Some(area) = first else { break };
            let at = (area.x - 8.0, area.y + (row as f64 + 0.5) * self.row);
            scene.label(Label::new(label, at, TEXT_SIZE).anchor(Anchor::End));
        }
        scene
    }
}

impl<'a> Panel<'a> {
    fn new(series: &'a Series, area: Area) -> Self {
        // Bars start at zero: it is on every scale.
        let (low, high) = extent(series.values.iter().copied().chain([0.0]));
        let scale = Scale::new(low, high);
        Self { series, scale, ticks: scale.ticks(TICKS), area }
    }

    fn x(&self, value: f64) -> f64 {
        self.area.x + self.scale.place(value) * self.area.width
    }

    fn draw(&self, scene: &mut Scene) {
        let Area { x, y, width, .. } = self.area;
        let name = self.series.name.elide(TEXT_SIZE, false, width);
        let above = (x + width / 2.0, y - SIDE_LINE / 2.0);
        scene.label(Label::new(name, above, TEXT_SIZE));
        for tick in &self.ticks {
            let across = x + tick.at * width;
            self.line(scene, across, Ink::Faint(0.12));
            let below = (across, self.area.bottom() + 7.0 + TICK_SIZE / 2.0);
            scene.label(Label::new(&tick.label, below, TICK_SIZE));
        }
        for (row, value) in self.series.values.iter().enumerate() {
            let (zero, end) = (self.x(0.0), self.x(*value));
            let step = self.area.height / self.series.values.len() as f64;
            let bar = Area {
                x: zero.min(end),
                y: y + (row as f64 + (1.0 - FILLED) / 2.0) * step,
                width: (end - zero).abs(),
                height: step * FILLED,
            };
            let color = COLORS[usize::from(*value < 0.0)];
            scene.add(Mark::Rect(bar, Ink::Rgb(color)));
        }
        self.line(scene, self.x(0.0), Ink::Faint(0.6));
    }

    fn line(&self, scene: &mut Scene, x: f64, ink: Ink) {
        let ends = vec![(x, self.area.y), (x, self.area.bottom())];
        scene.add(Mark::Path(ends, 1.0, ink));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viridis::assert_seen_on_pages;

    #[test]
    fn bars_stand_out_from_light_and_dark_pages() {
        assert_seen_on_pages(&COLORS);
    }

    #[test]
    fn zero_is_on_every_scale() {
        let area = Area { x: 100.0, y: 0.0, width: 200.0, height: 10.0 };
        let zero_of = |values: &[f64]| {
            let series = Series { name: Text::default(), values: values.to_vec() };
            Panel::new(&series, area).x(0.0)
        };
        assert!((zero_of(&[1.0, 3.0]) - 100.0).abs() < 1e-9);
        assert!((zero_of(&[-1.0, -3.0]) - 300.0).abs() < 1e-9);
        assert!((zero_of(&[-1.0, 3.0]) - 150.0).abs() < 1e-9);
        assert!((100.0..=300.0).contains(&zero_of(&[0.0, 0.0])));
    }
}
