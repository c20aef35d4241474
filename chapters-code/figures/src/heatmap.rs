//! The heatmap: a matrix as colored cells.

mod bar;
mod cells;
mod grid;
mod labels;
mod layout;

use ndarray::{Array2, ArrayRef2, ArrayView1};

use crate::axis::{extent, fixed};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::frame::Caption;
use crate::palette::{Colors, Palette};
use crate::text::{Language, Text};
pub use grid::HeatmapGrid;
use layout::Layout;

/// A description writes every value of a matrix up to this many cells.
const DESCRIBED: usize = 36;

/// A matrix drawn as colored cells, row 0 on top: seaborn's `heatmap(annot=True,
/// cmap="viridis")`.
///
/// It copies what it is given, so a notebook can keep it between cells.
///
/// ```
/// use figures::Heatmap;
/// use ndarray::array;
///
/// let weights = array![[0.9, 0.1], [0.2, 0.8]];
/// let figure = Heatmap::new(&weights)
///     .row_labels(["o", "gato"])
///     .column_labels(["o", "gato"])
///     .range(0.0, 1.0)
///     .draw()?;
/// # Ok::<(), figures::FigureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heatmap {
    values: Array2<f64>,
    rows: Side,
    columns: Side,
    caption: Caption,
    range: Option<(f64, f64)>,
    palette: Palette,
    root: bool,
    digits: usize,
    annotate: Option<bool>,
}

/// What is written along one side of the cells.
#[derive(Clone, Debug, PartialEq)]
struct Side {
    title: Text,
    /// One a row (or column); without any, they are counted from 0.
    labels: Option<Vec<Text>>,
}

impl Side {
    fn new(title: &str) -> Self {
        Self { title: title.into(), labels: None }
    }

    fn label(&self, index: usize) -> Text {
        match &self.labels {
            Some(labels) => labels[index].clone(),
            None => index.to_string().into(),
        }
    }
}

impl Heatmap {
    /// A heatmap of `values`, shape `[rows, columns]`. A view (`&array.slice(…)`) will
    /// do too.
    ///
    /// Its rows are queries and its columns keys until told otherwise.
    pub fn new(values: &ArrayRef2<f64>) -> Self {
        Self {
            values: values.to_owned(),
            rows: Side::new("Query"),
            columns: Side::new("Key"),
            caption: Caption::default(),
            range: None,
            palette: Palette::default(),
            root: false,
            digits: 2,
            annotate: None,
        }
    }

    /// Names the rows, from the top: as many labels as there are rows.
    #[must_use]
    pub fn row_labels<L: IntoIterator<Item: Into<Text>>>(mut self, labels: L) -> Self {
        self.rows.labels = Some(owned(labels));
        self
    }

    /// Names the columns, from the left: as many labels as there are columns.
    #[must_use]
    pub fn column_labels<L: IntoIterator<Item: Into<Text>>>(
        mut self,
        labels: L,
    ) -> Self {
        self.columns.labels = Some(owned(labels));
        self
    }

    /// What the rows are; "Query" unless set, and nothing if empty.
    #[must_use]
    pub fn row_title(mut self, title: impl Into<Text>) -> Self {
        self.rows.title = title.into();
        self
    }

    /// What the columns are; "Key" unless set, and nothing if empty.
    #[must_use]
    pub fn column_title(mut self, title: impl Into<Text>) -> Self {
        self.columns.title = title.into();
        self
    }

    caption_setter!();

    /// The values at the two ends of the color scale; unless set, the least and the
    /// greatest value. Values beyond an end have that end's color.
    #[must_use]
    pub fn range(mut self, min: f64, max: f64) -> Self {
        self.range = Some((min, max));
        self
    }

    /// Colors numbers around zero: zero is gray, what is below it blue, what is above it
    /// orange, and the scale goes as far on one side as on the other.
    #[must_use]
    pub fn diverging(mut self) -> Self {
        self.palette = Palette::Diverging;
        self
    }

    /// Colors by the square root of how far a value is along the scale: most of the
    /// colors go to the small values, so that 0.05 can be told from 0.1 where others
    /// reach 1. The numbers beside the color bar show it.
    #[must_use]
    pub fn root_scale(mut self) -> Self {
        self.root = true;
        self
    }

    /// Decimals of the numbers in the cells: 2 unless set, 15 at most.
    #[must_use]
    pub fn digits(mut self, digits: usize) -> Self {
        self.digits = digits.min(15);
        self
    }

    /// Whether the cells hold their numbers; unless set, they do where there is room
    /// (up to 16 rows and columns). Above 64 rows or columns they never do.
    #[must_use]
    pub fn annotate(mut self, annotate: bool) -> Self {
        self.annotate = Some(annotate);
        self
    }

    /// Draws the heatmap.
    ///
    /// # Errors
    ///
    /// - [`FigureError::Empty`]: the matrix has no rows or no columns.
    /// - [`FigureError::LabelCount`]: not one label a row, or a column.
    /// - [`FigureError::NotFinite`]: a value is NaN or infinite.
    /// - [`FigureError::Range`]: the range's ends aren't finite, or the first isn't below the
    ///   second.
    /// - [`FigureError::Draw`]: the drawing library failed.
    pub fn draw(&self) -> Result<Figure, FigureError> {
        self.check()?;
        let title = crossed(&self.rows.title, &self.columns.title);
        let description = Text::both(|language| self.describe(language));
        self.caption.figure(Layout::new(self).scene(), title, description)
    }

    fn check(&self) -> Result<(), FigureError> {
        let (rows, columns) = self.values.dim();
        if rows == 0 || columns == 0 {
            return Err(FigureError::Empty { rows, columns });
        }
        check_labels("rows", &self.rows, rows)?;
        check_labels("columns", &self.columns, columns)?;
        for ((row, column), &value) in self.values.indexed_iter() {
            if !value.is_finite() {
                return Err(FigureError::NotFinite { row, column, value });
            }
        }
        check_range(self.range)
    }

    /// The least and the greatest number that has a color of its own.
    fn ends(&self) -> (f64, f64) {
        self.range.unwrap_or_else(|| extent(self.values.iter().copied()))
    }

    fn colors(&self) -> Colors {
        Colors::new(self.palette, self.ends(), self.root)
    }

    /// A value as its cell writes it.
    fn written(&self, value: f64) -> String {
        let digits = self.digits;
        if value.abs() < 1e6 {
            fixed(value, digits)
        } else {
            format!("{value:.digits$e}")
        }
    }

    /// The picture in numbers and labels alone.
    fn describe(&self, language: Language) -> String {
        if self.values.len() > DESCRIBED {
            return self.summary();
        }
        let label = |side: &Side, i| side.label(i).in_language(language).to_owned();
        let line = |(row, values): (usize, ArrayView1<'_, f64>)| {
            let cell = |(i, value): (usize, &f64)| {
                format!("{} {}", label(&self.columns, i), self.written(*value))
            };
            let cells: Vec<String> = values.iter().enumerate().map(cell).collect();
            format!("{}: {}", label(&self.rows, row), cells.join(", "))
        };
        let rows = self.values.rows().into_iter().enumerate();
        rows.map(line).collect::<Vec<_>>().join("; ")
    }

    /// Its shape and its range.
    fn summary(&self) -> String {
        let (rows, columns) = self.values.dim();
        let (low, high) = extent(self.values.iter().copied());
        format!("{rows} × {columns}: {} … {}", self.written(low), self.written(high))
    }
}

fn check_range(range: Option<(f64, f64)>) -> Result<(), FigureError> {
    match range {
        Some((min, max)) if !(min.is_finite() && max.is_finite() && min < max) => {
            Err(FigureError::Range { min, max })
        }
        _ => Ok(()),
    }
}

fn owned<L: IntoIterator<Item: Into<Text>>>(labels: L) -> Vec<Text> {
    labels.into_iter().map(Into::into).collect()
}

/// What a picture of `rows` and `columns` is called if it has no title.
fn crossed(rows: &Text, columns: &Text) -> Text {
    Text::both(|it| format!("{} × {}", rows.in_language(it), columns.in_language(it)))
}

fn check_labels(
    axis: &'static str,
    side: &Side,
    expected: usize,
) -> Result<(), FigureError> {
    match side.labels.as_ref().map(Vec::len) {
        Some(given) if given != expected => {
            Err(FigureError::LabelCount { axis, expected, given })
        }
        _ => Ok(()),
    }
}
