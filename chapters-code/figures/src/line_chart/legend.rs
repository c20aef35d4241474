//! The names of the series: each where its line ends or, if they are long, all above the
//! plot.

use super::{MARKER, Series, draw_sample};
use crate::frame::{TEXT_SIZE, widest};
use crate::scene::{Anchor, Area, Label, Scene};
use crate::text::Text;

/// From one name to the next.
const LINE: f64 = 20.0;
/// The plot grows with the names beside it up to this height, and so do the names above it;
/// then their lines move closer.
const TALLEST: f64 = 1200.0;
/// Names above the plot have this between them.
const GAP: f64 = 18.0;
/// Before a name: its marker.
const SAMPLE: f64 = 2.0 * MARKER + 8.0;
/// From the plot to the markers beside it.
const SPACE: f64 = 14.0;
/// Below the names that stand above the plot.
const BELOW: f64 = 8.0;

pub(super) struct Legend {
    names: Vec<Text>,
    /// How many names stand side by side above the plot; none if they stand beside it.
    columns: Option<usize>,
}

impl Legend {
    /// The names of `series`, where plot and legend have this much `room` together and the
    /// plot isn't narrower than `least`.
    pub(super) fn new(series: &[Series], room: f64, least: f64) -> Self {
        let names: Vec<Text> = series
            .iter()
            .map(|series| series.name.elide(TEXT_SIZE, false, room - SAMPLE))
            .collect();
        let mut legend = Self { names, columns: None };
        if room - legend.width() < least {
            let columns = ((room + GAP) / legend.column()).floor();
            legend.columns = Some(whole(columns).clamp(1, legend.names.len().max(1)));
        }
        legend
    }

    fn column(&self) -> f64 {
        SAMPLE + widest(&self.names, TEXT_SIZE, false) + GAP
    }

    /// How much room it takes to the right of the plot.
    pub(super) fn width(&self) -> f64 {
        match self.columns {
            Some(_) => 0.0,
            None => SPACE + SAMPLE + widest(&self.names, TEXT_SIZE, false),
        }
    }

    /// How much room it takes above the plot.
    pub(super) fn height(&self) -> f64 {
        self.columns
            .map_or(0.0, |columns| self.rows(columns) * self.line(columns) + BELOW)
    }

    fn rows(&self, columns: usize) -> f64 {
        self.names.len().div_ceil(columns) as f64
    }

    fn line(&self, columns: usize) -> f64 {
        LINE.min(TALLEST / self.rows(columns))
    }

    /// How tall a plot is that would be this `tall` without it.
    pub(super) fn plot_height(&self, tall: f64) -> f64 {
        match self.columns {
            Some(_) => tall,
            None => tall.max(self.names.len() as f64 * LINE).min(TALLEST.max(tall)),
        }
    }

    /// Draws it around `plot`; `ends` says at what heights the lines end.
    pub(super) fn draw(
        &self,
        scene: &mut Scene,
        series: &[Series],
        plot: Area,
        ends: &[f64],
    ) {
        for ((series, name), at) in
            series.iter().zip(&self.names).zip(self.places(plot, ends))
        {
            draw_sample(scene, series.look, at);
            let label = Label::new(name, (at.0 + MARKER + 8.0, at.1), TEXT_SIZE);
            scene.label(label.anchor(Anchor::Start));
        }
    }

    /// Where the markers are: each where its line ends, or as near to it as the other names
    /// allow; or in rows above the plot.
    fn places(&self, plot: Area, ends: &[f64]) -> Vec<(f64, f64)> {
        let Some(columns) = self.columns else {
            let x = plot.right() + SPACE + MARKER;
            return spread(ends, plot).into_iter().map(|y| (x, y)).collect();
        };
        let (width, line) = (self.column(), self.line(columns));
        let top = plot.y - self.height() + line / 2.0;
        let place = |i: usize| {
            let (column, row) = (i % columns, i / columns);
            (plot.x + MARKER + column as f64 * width, top + row as f64 * line)
        };
        (0..self.names.len()).map(place).collect()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(count: f64) -> usize {
    count as usize
}

/// Moves heights apart until no two are closer than a line of the legend, within the
/// plot; a legend too long for it has lower lines.
fn spread(heights: &[f64], plot: Area) -> Vec<f64> {
    let line = LINE.min(plot.height / heights.len().max(1) as f64);
    let half = line / 2.0;
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|a, b| heights[*a].total_cmp(&heights[*b]));
    let mut placed = heights.to_vec();
    let mut least = plot.y + half;
    for index in &order {
        placed[*index] = placed[*index].max(least);
        least = placed[*index] + line;
    }
    let mut most = plot.bottom() - half;
    for index in order.iter().rev() {
        placed[*index] = placed[*index].min(most);
        most = placed[*index] - line;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::super::Look;
    use super::*;

    #[test]
    fn names_keep_apart_within_the_plot() {
        let plot = Area { x: 0.0, y: 0.0, width: 1.0, height: 100.0 };
        assert_eq!(spread(&[50.0, 50.0], plot), [50.0, 70.0]);
        assert_eq!(spread(&[99.0, 98.0, 97.0], plot), [90.0, 70.0, 50.0]);
        assert_eq!(spread(&[0.0], plot), [10.0]);
        assert_eq!(spread(&[5.0; 5], plot), [10.0, 30.0, 50.0, 70.0, 90.0]);
    }

    #[test]
    fn long_names_stand_above_the_plot_in_columns() {
        let series = |name: &str| Series {
            name: name.into(),
            points: Vec::new(),
            look: Look::Solid(0),
        };
        let legend = |name: &str| {
            let series: Vec<Series> = (0..4).map(|_| series(name)).collect();
            Legend::new(&series, 420.0, 290.0)
        };
        let short = legend("treino");
        assert!(short.width() > 50.0 && short.height() < 1e-9);
        let long = legend("84 palavras: guardadas");
        assert!(long.width() < 1e-9 && long.height() > 2.0 * LINE);
        let plot = Area { x: 50.0, y: 100.0, width: 420.0, height: 200.0 };
        let places = long.places(plot, &[0.0; 4]);
        assert!((places[0].1 - places[1].1).abs() < 1e-9 && places[2].1 > places[0].1);
        assert!((places[0].0 - places[2].0).abs() < 1e-9 && places[1].0 > 200.0);
        assert!(places.iter().all(|(x, y)| *x < 470.0 && *y < 100.0), "{places:?}");
    }
}
