//! The book's pictures: a [`Heatmap`] with its numbers written in the cells, many of them
//! side by side in a [`HeatmapGrid`], a [`LineChart`], a [`BarChart`], and a
//! [`Diagram`] of boxes and arrows.
//!
//! All come out as a [`Figure`], which owns all it needs: an SVG that follows the page's
//! light or dark theme, and a PNG on white, which [`plotters`] rasterises. No system font
//! is needed, since `DejaVu` Sans is built in.
//!
//! Whatever a figure says, it says in Portuguese and in English: a [`Text`] is a string for
//! both or a pair. There is room for the longer of the two; an SVG holds both, and whoever
//! shows it chooses.
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
//!     .title(("Pesos de atenção", "Attention weights"))
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
mod error;
mod figure;
mod fonts;
mod heatmap;
mod line_chart;
mod palette;
mod scene;
mod svg;
mod text;
mod viridis;

pub use bar_chart::BarChart;
pub use diagram::Diagram;
pub use error::FigureError;
pub use figure::Figure;
pub use heatmap::{Heatmap, HeatmapGrid};
pub use line_chart::LineChart;
pub use text::{Language, Text};
pub use viridis::viridis;
