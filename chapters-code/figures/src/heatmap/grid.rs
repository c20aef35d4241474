//! Many heatmaps side by side.

mod layout;

use ndarray::{ArrayRef3, Axis};

use super::{DESCRIBED, Heatmap, Side, check_range, crossed, owned};
use crate::axis::extent;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::frame::Caption;
use crate::palette::{Colors, Palette};
use crate::text::{Language, Text};
use layout::Layout;

/// A description says something of each panel of a grid of up to this many.
const DESCRIBED_PANELS: usize = 16;

/// Heatmaps side by side that share one color scale: the heads of a layer, or all the
/// heads of a model.
///
/// All cells have the same size. What is the same for all panels is written once: labels
/// at the left and lower edges, titles of rows and columns beside them. Panels too small
/// for their labels have none.
///
/// ```
/// use figures::HeatmapGrid;
/// use ndarray::Array3;
///
/// let heads: Array3<f64> = Array3::from_elem((8, 3, 3), 1.0 / 3.0);
/// let words = ["pense", "sobre", "máquinas"];
/// let figure = HeatmapGrid::new(&heads)
///     .row_labels(words)
///     .column_labels(words)
///     .panel_titles((0..8).map(|head| format!("head {head}")))
///     .range(0.0, 1.0)
///     .draw()?;
/// # Ok::<(), figures::FigureError>(())
/// ```
///
/// Panels of different shapes bring their own labels and titles:
///
/// ```
/// use figures::{Heatmap, HeatmapGrid};
/// use ndarray::Array2;
///
/// let (source, target) = (["o", "gato"], ["the", "cat", "."]);
/// let decoder: Array2<f64> = Array2::from_elem((3, 3), 1.0 / 3.0);
/// let cross: Array2<f64> = Array2::from_elem((3, 2), 0.5);
/// let figure = HeatmapGrid::of([
///     Heatmap::new(&decoder).title("decoder").row_labels(target).column_labels(target),
///     Heatmap::new(&cross).title("cross").row_labels(target).column_labels(source),
/// ])
/// .range(0.0, 1.0)
/// .draw()?;
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeatmapGrid {
    panels: Vec<Heatmap>,
    panel_titles: Option<Vec<Text>>,
    per_row: Option<usize>,
    grid_rows: Option<Vec<Text>>,
    grid_columns: Option<Vec<Text>>,
    caption: Caption,
    range: Option<(f64, f64)>,
}

impl HeatmapGrid {
    /// A grid of one heatmap for each matrix of `values`, shape
    /// `[panels, rows, columns]`.
    pub fn new(values: &ArrayRef3<f64>) -> Self {
        Self::of(values.axis_iter(Axis(0)).map(|panel| Heatmap::new(&panel)))
    }

    /// A grid of `panels`, row by row, which may differ in shape.
    ///
    /// A panel keeps its title, its labels and its digits; its range widens the grid's
    /// color scale. Its numbers show if it asks for them with
    /// [`annotate(true)`](Heatmap::annotate).
    pub fn of(panels: impl IntoIterator<Item = Heatmap>) -> Self {
        Self {
            panels: panels.into_iter().collect(),
            panel_titles: None,
            per_row: None,
            grid_rows: None,
            grid_columns: None,
            caption: Caption::default(),
            range: None,
        }
    }

    /// What each panel is called, row by row: as many titles as there are panels.
    ///
    /// Unless set, a panel has its heatmap's title; one without is counted from 0 if
    /// the rows and columns of panels have no titles either.
    #[must_use]
    pub fn panel_titles<L: IntoIterator<Item: Into<Text>>>(
        mut self,
        titles: L,
    ) -> Self {
        self.panel_titles = Some(owned(titles));
        self
    }

    /// How many panels stand side by side: 1 at least. Unless set, about as many as
    /// there are rows of them.
    #[must_use]
    pub fn columns(mut self, panels: usize) -> Self {
        self.per_row = Some(panels.max(1));
        self
    }

    /// Names the rows of panels, from the top (`layer 0`, `layer 1`, …): as many titles
    /// as there are such rows.
    #[must_use]
    pub fn grid_row_titles<L: IntoIterator<Item: Into<Text>>>(
        mut self,
        titles: L,
    ) -> Self {
        self.grid_rows = Some(owned(titles));
        self
    }

    /// Names the columns of panels, from the left (`head 0`, `head 1`, …): as many
    /// titles as there are such columns.
    #[must_use]
    pub fn grid_column_titles<L: IntoIterator<Item: Into<Text>>>(
        mut self,
        titles: L,
    ) -> Self {
        self.grid_columns = Some(owned(titles));
        self
    }

    /// Names the rows of every panel, from the top: as many labels as a panel has rows.
    #[must_use]
    pub fn row_labels<L: IntoIterator<Item: Into<Text>>>(self, labels: L) -> Self {
        let labels = owned(labels);
        self.each(|panel| panel.rows.labels = Some(labels.clone()))
    }

    /// Names the columns of every panel, from the left: as many labels as a panel has
    /// columns.
    #[must_use]
    pub fn column_labels<L: IntoIterator<Item: Into<Text>>>(self, labels: L) -> Self {
        let labels = owned(labels);
        self.each(|panel| panel.columns.labels = Some(labels.clone()))
    }

    /// What the rows of every panel are; "Query" unless set, and nothing if empty. It is
    /// written beside the labels, if all panels agree on it.
    #[must_use]
    pub fn row_title(self, title: impl Into<Text>) -> Self {
        let title = title.into();
        self.each(|panel| panel.rows.title.clone_from(&title))
    }

    /// What the columns of every panel are; "Key" unless set, and nothing if empty. It
    /// is written under the labels, if all panels agree on it.
    #[must_use]
    pub fn column_title(self, title: impl Into<Text>) -> Self {
        let title = title.into();
        self.each(|panel| panel.columns.title.clone_from(&title))
    }

    caption_setter!();

    /// The values at the two ends of the color scale; unless set, the least and the
    /// greatest value of all panels. Values beyond an end have that end's color.
    #[must_use]
    pub fn range(mut self, min: f64, max: f64) -> Self {
        self.range = Some((min, max));
        self
    }

    /// Colors numbers around zero, as [`Heatmap::diverging`].
    #[must_use]
    pub fn diverging(self) -> Self {
        self.each(|panel| panel.palette = Palette::Diverging)
    }

    /// Colors by the square root, as [`Heatmap::root_scale`].
    #[must_use]
    pub fn root_scale(self) -> Self {
        self.each(|panel| panel.root = true)
    }

    /// Decimals of the numbers in the cells: 2 unless set, 15 at most.
    #[must_use]
    pub fn digits(self, digits: usize) -> Self {
        self.each(|panel| panel.digits = digits.min(15))
    }

    /// Whether the cells hold their numbers, for which they grow; unless set, they
    /// don't. Grids of too many columns for them have none.
    #[must_use]
    pub fn annotate(self, annotate: bool) -> Self {
        self.each(|panel| panel.annotate = Some(annotate))
    }

    fn each(mut self, change: impl Fn(&mut Heatmap)) -> Self {
        self.panels.iter_mut().for_each(change);
        self
    }

    /// Draws the grid.
    ///
    /// # Errors
    ///
    /// - [`FigureError::NoPanels`]: nothing to draw.
    /// - [`FigureError::Panel`]: a panel has no cells, not one label a row or a column, a value
    ///   that is NaN or infinite, or an empty range of its own.
    /// - [`FigureError::TitleCount`]: not one title a panel, or a row or column of panels.
    /// - [`FigureError::Range`]: the range's ends aren't finite, or the first isn't below the
    ///   second.
    /// - [`FigureError::Draw`]: the drawing library failed.
    pub fn draw(&self) -> Result<Figure, FigureError> {
        self.check()?;
        let title = crossed(&self.row_side_title(), &self.column_side_title());
        let description = Text::both(|language| self.describe(language));
        self.caption.figure(Layout::new(self).scene(), title, description)
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.panels.is_empty() {
            return Err(FigureError::NoPanels);
        }
        for (index, panel) in self.panels.iter().enumerate() {
            panel.check().map_err(|error| {
                let source = Box::new(error);
                FigureError::Panel { index, source }
            })?;
        }
        let (rows, columns) = self.shape();
        check_titles("panels", self.panel_titles.as_ref(), self.panels.len())?;
        check_titles("rows of panels", self.grid_rows.as_ref(), rows)?;
        check_titles("columns of panels", self.grid_columns.as_ref(), columns)?;
        check_range(self.range)
    }

    /// How many rows and columns of panels there are.
    fn shape(&self) -> (usize, usize) {
        let panels = self.panels.len();
        let columns = self.per_row.unwrap_or_else(|| even_columns(panels)).min(panels);
        (panels.div_ceil(columns), columns)
    }

    /// The least and the greatest number that has a color of its own.
    fn ends(&self) -> (f64, f64) {
        let ends = self.panels.iter().map(Heatmap::ends);
        self.range.unwrap_or_else(|| extent(ends.flat_map(|(low, high)| [low, high])))
    }

    /// All panels have the colors of the first.
    fn colors(&self) -> Colors {
        let first = &self.panels[0];
        Colors::new(first.palette, self.ends(), first.root)
    }

    fn panel_title(&self, index: usize) -> Text {
        let own = self.panels[index].caption.title();
        match &self.panel_titles {
            Some(titles) => titles[index].clone(),
            None if !own.is_empty() => own.clone(),
            None if self.grid_rows.is_some() || self.grid_columns.is_some() => {
                Text::default()
            }
            None => index.to_string().into(),
        }
    }

    fn row_side_title(&self) -> Text {
        common_title(self.panels.iter().map(|panel| &panel.rows))
    }

    fn column_side_title(&self) -> Text {
        common_title(self.panels.iter().map(|panel| &panel.columns))
    }

    fn describe(&self, language: Language) -> String {
        let count = self.panels.len();
        if count > DESCRIBED_PANELS {
            let (rows, columns) = self.shape();
            let first = &self.panels[0];
            let (low, high) = extent(
                self.panels.iter().flat_map(|panel| panel.values.iter().copied()),
            );
            let (low, high) = (first.written(low), first.written(high));
            return format!("{count} ({rows} × {columns}): {low} … {high}");
        }
        let cells: usize = self.panels.iter().map(|panel| panel.values.len()).sum();
        let panels = self.panels.iter().enumerate().map(|(index, panel)| {
            let values = if cells > DESCRIBED {
                panel.summary()
            } else {
                panel.describe(language)
            };
            match self.panel_title(index).in_language(language) {
                "" => values,
                title => format!("{title}: {values}"),
            }
        });
        panels.collect::<Vec<_>>().join("; ")
    }
}

/// The title that all `sides` have, or nothing.
fn common_title<'a>(mut sides: impl Iterator<Item = &'a Side>) -> Text {
    let first = sides.next().map(|side| side.title.clone()).unwrap_or_default();
    if sides.all(|side| side.title == first) { first } else { Text::default() }
}

/// The least number of columns, from the square root of `panels` up, that leaves no
/// hole in the last row, if one of the first two does.
fn even_columns(panels: usize) -> usize {
    let root = panels.isqrt();
    let root = if root * root < panels { root + 1 } else { root };
    let even = (root..root + 2).find(|columns| panels.is_multiple_of(*columns));
    even.unwrap_or(root).max(1)
}

fn check_titles(
    of: &'static str,
    titles: Option<&Vec<Text>>,
    expected: usize,
) -> Result<(), FigureError> {
    match titles.map(Vec::len) {
        Some(given) if given != expected => {
            Err(FigureError::TitleCount { of, expected, given })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::even_columns;

    #[test]
    fn grids_are_about_square_and_full() {
        let cases = [
            (1, 1),
            (2, 2),
            (3, 3),
            (4, 2),
            (5, 3),
            (6, 3),
            (8, 4),
            (12, 4),
            (144, 12),
        ];
        for (panels, columns) in cases {
            assert_eq!(even_columns(panels), columns, "{panels} panels");
        }
    }
}
