//! The book's pictures: a [`Heatmap`] with its numbers written in the cells, many of them
//! side by side in a [`HeatmapGrid`], a [`LineChart`], a [`BarChart`], and a
//! [`Diagram`] of boxes and arrows.
//!
//! All come out as a [`Figure`], which owns all it needs: an SVG that follows the page's
//! light or dark theme, and a PNG on white, which [`plotters`] rasterises. No system font
//! is needed, since `DejaVu` Sans is built in.
//!
//! ```
//! use figures::Heatmap;
//! use ndarray::array;
//!
//! let words = ["pense", "sobre", "máquinas"];
//! let weights = array![[0.28, 0.26, 0.46], [0.37, 0.20, 0.43], [0.34, 0.16, 0.50]];
//! let figure = Heatmap::new(&weights)
//!     .row_labels(&words)
//!     .column_labels(&words)
//!     .title("Attention weights")
//!     .draw()?;
//! assert!(figure.svg().starts_with("<svg"));
//! # Ok::<(), figures::FigureError>(())
//! ```

#[macro_use]
mod frame;

mod axis;
mod bar_chart;
mod bitmap;
mod diagram;
mod fonts;
mod heatmap;
mod line_chart;
mod scene;
mod svg;
mod viridis;

use std::io;
use std::path::{Path, PathBuf};

pub use bar_chart::BarChart;
use base64::prelude::{BASE64_STANDARD, Engine};
pub use diagram::Diagram;
pub use heatmap::{Heatmap, HeatmapGrid};
pub use line_chart::LineChart;
pub use viridis::viridis;

use scene::Scene;

/// The environment variable that evcxr sets for the code it runs.
const EVCXR: &str = "EVCXR_IS_RUNTIME";

/// Where [`Figure::show`] leaves its files, from the current folder.
const FOLDER: &str = "target/figures";

/// A drawn picture. It owns everything it shows, so that a notebook can keep it between
/// cells.
#[derive(Clone, Debug)]
pub struct Figure {
    svg: String,
    scene: Scene,
    title: String,
    description: String,
}

impl Figure {
    /// Finishes `scene` into a figure called `title`, described by `description`.
    pub(crate) fn new(
        scene: Scene,
        title: String,
        description: String,
    ) -> Result<Self, FigureError> {
        let svg = svg::document(&scene, &title, &description)?;
        Ok(Self { svg, scene, title, description })
    }

    /// The SVG document: it scales with the page, takes the page's text colour, and
    /// holds real text.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The same picture as a PNG on white, with two pixels to each SVG unit.
    ///
    /// # Errors
    ///
    /// [`FigureError::Draw`] when the drawing backend or the encoder fails.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        bitmap::png(&self.scene)
    }

    /// Writes the figure to `path`, as an SVG or a PNG by its extension (in any case).
    ///
    /// # Errors
    ///
    /// [`FigureError::UnknownFormat`] for another extension, [`FigureError::Save`] when
    /// the file can't be written, and those of [`Figure::png`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FigureError> {
        let path = path.as_ref();
        let bytes = match extension(path).as_str() {
            "svg" => self.svg.clone().into_bytes(),
            "png" => self.png()?,
            _ => return Err(FigureError::UnknownFormat { path: path.into() }),
        };
        std::fs::write(path, bytes).map_err(|source| FigureError::save(path, source))
    }

    /// Prints the figure the way evcxr's Jupyter kernel reads rich output: as SVG, and as
    /// HTML that holds the same SVG in an `<img>`, which Jupyter shows in a notebook that
    /// it does not trust yet (one just cloned).
    ///
    /// evcxr calls this for a figure that is the last expression of a cell.
    pub fn evcxr_display(&self) {
        let svg = self.svg.trim_end();
        println!("EVCXR_BEGIN_CONTENT image/svg+xml\n{svg}\nEVCXR_END_CONTENT");
        let html = self.html();
        println!("EVCXR_BEGIN_CONTENT text/html\n{html}\nEVCXR_END_CONTENT");
    }

    /// The figure as one `<img>` element that carries its SVG.
    fn html(&self) -> String {
        let data = BASE64_STANDARD.encode(self.svg.trim_end());
        let alt = svg::escape(&format!("{}. {}", self.title, self.description));
        let alt = alt.replace('"', "&quot;").replace('\n', " ");
        format!("<img alt=\"{alt}\" src=\"data:image/svg+xml;base64,{data}\">")
    }

    /// Shows the figure: in a notebook under its cell; elsewhere as a file in
    /// `target/figures` (from the current folder) named after the title, whose path is
    /// printed.
    ///
    /// # Errors
    ///
    /// Those of [`Figure::save`], outside a notebook.
    pub fn show(&self) -> Result<(), FigureError> {
        if std::env::var_os(EVCXR).is_some() {
            self.evcxr_display();
            return Ok(());
        }
        let folder = Path::new(FOLDER);
        std::fs::create_dir_all(folder)
            .map_err(|source| FigureError::save(folder, source))?;
        let path = folder.join(format!("{}.svg", file_name(&self.title)));
        self.save(&path)?;
        println!("{}", path.display());
        Ok(())
    }
}

/// The extension of `path` in lower case, or nothing.
fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

/// `title` as a file name: letters and digits in lower case, hyphens for the rest, 60
/// characters at most.
fn file_name(title: &str) -> String {
    let letters = title.to_lowercase();
    let words: Vec<&str> = letters
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let name: String = words.join("-").chars().take(60).collect();
    match name.trim_end_matches('-') {
        "" => "figure".to_owned(),
        name => name.to_owned(),
    }
}

/// What can be wrong with a figure. Each message names the value to correct.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    Empty {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// A cell is NaN or infinite.
    #[error(
        "the value at row {row}, column {column} (counted from 0) is {value}, not a number that has a colour"
    )]
    NotFinite {
        /// Row of the cell, from 0.
        row: usize,
        /// Column of the cell, from 0.
        column: usize,
        /// What it holds.
        value: f64,
    },
    /// The colour scale has no extent: `min` must be below `max`, both finite.
    #[error(
        "the colour range {min} to {max} is empty: give a smaller number, then a larger one"
    )]
    Range {
        /// The lower end that was given.
        min: f64,
        /// The upper end that was given.
        max: f64,
    },
    /// A grid has no panels.
    #[error("the grid has no panels: give it one matrix at least")]
    NoPanels,
    /// Something is wrong with one heatmap of a grid.
    #[error("panel {index} (counted from 0): {source}")]
    Panel {
        /// Position of the heatmap, from 0, row by row.
        index: usize,
        /// What is wrong with it.
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
    SeriesEmpty {
        /// Name of the series.
        name: String,
    },
    /// A point of a series has a coordinate that is NaN or infinite.
    #[error(
        "point {index} (counted from 0) of the series {name:?} is ({x}, {y}): both must be finite"
    )]
    SeriesNotFinite {
        /// Name of the series.
        name: String,
        /// Position of the point, from 0.
        index: usize,
        /// Its x.
        x: f64,
        /// Its y.
        y: f64,
    },
    /// A point of a series isn't above zero on a logarithmic axis.
    #[error(
        "point {index} (counted from 0) of the series {name:?} has {axis} = {value}: a logarithmic axis takes only numbers above zero"
    )]
    SeriesNotPositive {
        /// Name of the series.
        name: String,
        /// Position of the point, from 0.
        index: usize,
        /// `"x"` or `"y"`.
        axis: &'static str,
        /// The coordinate.
        value: f64,
    },
    /// A measure of a bar chart has more or fewer values than there are labels.
    #[error("the series {name:?} has {given} values for {expected} labels")]
    BarCount {
        /// Name of the series.
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
        /// Name of the series.
        name: String,
        /// Position of the value, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// An arrow of a diagram leads from or to a box that there isn't, or in a circle.
    #[error(
        "the arrow from box {from} to box {to} can't be drawn: there are {nodes} boxes, \
         counted from 0, and arrows must not lead in a circle"
    )]
    Edge {
        /// Where it starts.
        from: usize,
        /// Where it leads.
        to: usize,
        /// How many boxes there are.
        nodes: usize,
    },
    /// The figure's file (or its folder) can't be written.
    #[error("can't write {}: {source}", path.display())]
    Save {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file's extension is none that a figure can be saved as.
    #[error("can't tell the format of {} from its extension: use .svg or .png", path.display())]
    UnknownFormat {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The drawing library failed.
    #[error("the figure can't be drawn: {0}")]
    Draw(String),
}

impl FigureError {
    fn save(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Save { path, source }
    }

    /// Wraps an error of the drawing library.
    pub(crate) fn draw(error: impl std::fmt::Display) -> Self {
        Self::Draw(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{file_name, svg};
    use crate::Heatmap;
    use base64::prelude::{BASE64_STANDARD, Engine};

    #[test]
    fn the_html_is_an_image_of_the_same_svg_with_words() {
        let figure = Heatmap::new(&ndarray::array![[0.5]])
            .title("\"<b>\" & 'c'")
            .description("one cell")
            .draw()
            .unwrap();
        let html = figure.html();
        let alt = "<img alt=\"&quot;&lt;b&gt;&quot; &amp; 'c'. one cell\" src=\"data:";
        assert!(html.starts_with(alt), "{html}");
        let data = html.split("base64,").nth(1).unwrap().trim_end_matches("\">");
        let decoded = BASE64_STANDARD.decode(data).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), figure.svg().trim_end());
        assert_eq!(svg::escape("<&>"), "&lt;&amp;&gt;");
    }

    #[test]
    fn titles_become_file_names() {
        let cases = [
            ("Attention weights", "attention-weights"),
            ("Camada 0, cabeça 8", "camada-0-cabeça-8"),
            ("../../etc/passwd", "etc-passwd"),
            ("", "figure"),
            ("%?", "figure"),
        ];
        for (title, name) in cases {
            assert_eq!(file_name(title), name);
        }
    }
}
