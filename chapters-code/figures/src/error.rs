//! What can be wrong with a figure.

use std::io;
use std::path::{Path, PathBuf};

/// What can be wrong with a figure. Each message names the value to correct.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "a field is what its message says of it")]
pub enum FigureError {
    /// There are more or fewer labels than rows (or columns).
    #[error("the heatmap has {expected} {axis} but {given} labels for them")]
    LabelCount {
        /// `"rows"` or `"columns"`.
        axis: &'static str,
        /// How many the matrix has.
        expected: usize,
        /// How many labels were given.
        given: usize,
    },
    /// The matrix has no cells.
    #[error("a matrix of {rows} × {columns} has nothing to draw")]
    Empty { rows: usize, columns: usize },
    /// A cell is NaN or infinite.
    #[error(
        "the value at row {row}, column {column} (counted from 0) is {value}, not a number that has a color"
    )]
    NotFinite {
        /// Row of the cell, from 0.
        row: usize,
        /// Column of the cell, from 0.
        column: usize,
        value: f64,
    },
    /// The color scale has no extent: `min` must be below `max`, both finite.
    #[error(
        "the color range {min} to {max} is empty: give a smaller number, then a larger one"
    )]
    Range { min: f64, max: f64 },
    /// A grid has no panels.
    #[error("the grid has no panels: give it one matrix at least")]
    NoPanels,
    /// Something is wrong with one heatmap of a grid.
    #[error("panel {index} (counted from 0): {source}")]
    Panel {
        /// Position of the heatmap, from 0, row by row.
        index: usize,
        source: Box<FigureError>,
    },
    /// There are more or fewer titles than panels (or rows or columns of them).
    #[error("the grid has {expected} {of} but {given} titles for them")]
    TitleCount {
        /// `"panels"`, `"rows of panels"` or `"columns of panels"`.
        of: &'static str,
        /// How many the grid has.
        expected: usize,
        /// How many titles were given.
        given: usize,
    },
    /// A chart has no series.
    #[error("the chart has no series: add one with .series(name, …)")]
    NoSeries,
    /// A series has no points.
    #[error("the series {name:?} has no points")]
    SeriesEmpty { name: String },
    /// A point of a series has a coordinate that is NaN or infinite.
    #[error(
        "point {index} (counted from 0) of the series {name:?} is ({x}, {y}): both must be finite"
    )]
    SeriesNotFinite {
        name: String,
        /// Position of the point, from 0.
        index: usize,
        x: f64,
        y: f64,
    },
    /// A point of a series isn't above zero on a logarithmic axis.
    #[error(
        "point {index} (counted from 0) of the series {name:?} has {axis} = {value}: a logarithmic axis takes only numbers above zero"
    )]
    SeriesNotPositive {
        name: String,
        /// Position of the point, from 0.
        index: usize,
        /// `"x"` or `"y"`.
        axis: &'static str,
        value: f64,
    },
    /// A measure of a bar chart has more or fewer values than there are labels.
    #[error("the series {name:?} has {given} values for {expected} labels")]
    BarCount {
        name: String,
        /// How many labels there are.
        expected: usize,
        /// How many values were given.
        given: usize,
    },
    /// A bar's value is NaN or infinite.
    #[error(
        "value {index} (counted from 0) of the series {name:?} is {value}, which no bar can show"
    )]
    BarNotFinite {
        name: String,
        /// Position of the value, from 0.
        index: usize,
        value: f64,
    },
    /// An arrow of a diagram leads from or to a box that there isn't, or in a circle.
    #[error(
        "the arrow from box {from} to box {to} can't be drawn: there are {nodes} boxes, \
         counted from 0, and arrows must not lead in a circle"
    )]
    Edge {
        from: usize,
        to: usize,
        /// How many boxes there are.
        nodes: usize,
    },
    /// The figure's file (or its folder) can't be written.
    #[error("can't write {}: {source}", path.display())]
    Save { path: PathBuf, source: io::Error },
    /// The file's extension is none that a figure can be saved as.
    #[error("can't tell the format of {} from its extension: use .svg or .png", path.display())]
    UnknownFormat { path: PathBuf },
    /// The drawing library failed.
    #[error("the figure can't be drawn: {0}")]
    Draw(String),
}

impl FigureError {
    pub(crate) fn save(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Save { path, source }
    }

    /// Wraps an error of the drawing library.
    pub(crate) fn draw(error: impl std::fmt::Display) -> Self {
        Self::Draw(error.to_string())
    }
}
