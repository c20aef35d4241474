//! What every figure has around its drawing: a heading, a description, and texts of the
//! same sizes. All lengths are pixels.

use crate::error::FigureError;
use crate::figure::Figure;
use crate::fonts;
use crate::scene::{Label, Scene};
use crate::svg::printable;

/// Around the picture.
pub(crate) const PAD: f64 = 16.0;
pub(crate) const TITLE_SIZE: f64 = 15.0;
pub(crate) const TEXT_SIZE: f64 = 13.0;
pub(crate) const TICK_SIZE: f64 = 11.0;
pub(crate) const SMALLEST_TEXT: f64 = 9.0;
/// From one line of text to the next, in ems.
pub(crate) const LINE: f64 = 1.3;

/// How much room the title of an axis takes across its line.
pub(crate) fn line_of(title: &str) -> f64 {
    if title.is_empty() { 0.0 } else { TEXT_SIZE + 11.0 }
}

/// The width of the widest of `texts`.
pub(crate) fn widest<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    size: f64,
    bold: bool,
) -> f64 {
    texts.into_iter().map(|text| fonts::width(text, size, bold)).fold(0.0, f64::max)
}

/// The setter that every figure has, for a type with a `caption`.
macro_rules! caption_setter {
    () => {
        /// The heading above the drawing, which is also the picture's name for a screen
        /// reader.
        #[must_use]
        pub fn title(mut self, title: impl AsRef<str>) -> Self {
            self.caption.set_title(title);
            self
        }
    };
}

/// What a figure is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caption {
    title: String,
}

impl Caption {
    pub(crate) fn set_title(&mut self, title: impl AsRef<str>) {
        self.title = printable(title.as_ref());
    }

    pub(crate) fn title(&self) -> &str {
        self.title.trim()
    }

    /// The heading over a picture that has `room` for it.
    pub(crate) fn heading(&self, room: f64) -> Heading {
        Heading { lines: fonts::wrap(&self.title, TITLE_SIZE, true, room, 4) }
    }

    /// Finishes `scene`; `title` stands in for the caption's if it has none, and
    /// `description` is what a screen reader says.
    pub(crate) fn figure(
        &self,
        scene: Scene,
        title: String,
        description: String,
    ) -> Result<Figure, FigureError> {
        let title = match self.title() {
            "" => title,
            given => given.to_owned(),
        };
        Figure::new(scene, title, description)
    }
}

/// The lines of a title above a picture.
pub(crate) struct Heading {
    lines: Vec<String>,
}

impl Heading {
    pub(crate) fn width(&self) -> f64 {
        widest(self.lines.iter().map(String::as_str), TITLE_SIZE, true)
    }

    /// From the top of the picture to what stands under the heading.
    pub(crate) fn bottom(&self) -> f64 {
        match self.lines.len() {
            0 => PAD,
            lines => (PAD + lines as f64 * TITLE_SIZE * LINE + 10.0).round(),
        }
    }

    /// Centred on `middle`, as far as the edges of a picture this `width` let it.
    pub(crate) fn draw(&self, scene: &mut Scene, middle: f64, width: f64) {
        let half = self.width() / 2.0 + PAD;
        let x = middle.min(width - half).max(half);
        for (line, text) in self.lines.iter().enumerate() {
            let y = PAD + (line as f64 + 0.5) * TITLE_SIZE * LINE;
            scene.label(Label::new(text, (x, y), TITLE_SIZE).bold());
        }
    }
}
