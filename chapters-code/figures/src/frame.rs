//! What every figure has around its drawing: a heading, a description, and texts of the
//! same sizes. All lengths are pixels.

use crate::axis::Tick;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::fonts;
use crate::scene::{Label, Scene};
use crate::text::Text;

/// A figure isn't wider if it can be helped: shown on a telephone, on 360 pixels, its smallest
/// text ([`SMALLEST_TEXT`]) still has nine.
pub(crate) const WIDTH: f64 = 500.0;
/// Around the picture.
pub(crate) const PAD: f64 = 12.0;
pub(crate) const TITLE_SIZE: f64 = 15.0;
pub(crate) const TEXT_SIZE: f64 = 13.0;
pub(crate) const SMALLEST_TEXT: f64 = 12.5;
pub(crate) const TICK_SIZE: f64 = SMALLEST_TEXT;
/// From one line of text to the next, in ems.
pub(crate) const LINE: f64 = 1.3;

/// How much room the title of an axis takes across its line.
pub(crate) const SIDE_LINE: f64 = TEXT_SIZE + 11.0;

/// The same, if there is a title.
pub(crate) fn line_of(title: &Text) -> f64 {
    if title.is_empty() { 0.0 } else { SIDE_LINE }
}

/// The width of the widest of `texts`.
pub(crate) fn widest<'a>(
    texts: impl IntoIterator<Item = &'a Text>,
    size: f64,
    bold: bool,
) -> f64 {
    texts.into_iter().map(|text| text.width(size, bold)).fold(0.0, f64::max)
}

/// The width of the widest number of a scale.
pub(crate) fn widest_tick(ticks: &[Tick], size: f64) -> f64 {
    let width = |tick: &Tick| fonts::width(&tick.label, size, false);
    ticks.iter().map(width).fold(0.0, f64::max)
}

/// The setter that every figure has, for a type with a `caption`.
macro_rules! caption_setter {
    () => {
        /// The heading above the drawing, which is also the picture's name for a screen
        /// reader.
        #[must_use]
        pub fn title(mut self, title: impl Into<$crate::Text>) -> Self {
            self.caption.set_title(title);
            self
        }
    };
}

/// What a figure is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caption {
    title: Text,
}

impl Caption {
    pub(crate) fn set_title(&mut self, title: impl Into<Text>) {
        self.title = title.into().map(|title| title.trim().to_owned());
    }

    pub(crate) fn title(&self) -> &Text {
        &self.title
    }

    /// The heading over a picture that has `room` for it, in letters of this size.
    pub(crate) fn heading(&self, size: f64, room: f64) -> Heading {
        Heading { lines: self.title.wrap(size, true, room, 4), size }
    }

    /// Finishes `scene`; `title` stands in for the caption's if it has none, and
    /// `description` is what a screen reader says.
    pub(crate) fn figure(
        &self,
        scene: Scene,
        title: Text,
        description: Text,
    ) -> Result<Figure, FigureError> {
        let title = if self.title.is_empty() { title } else { self.title.clone() };
        Figure::new(scene, title, description)
    }
}

/// The lines of a title above a picture.
pub(crate) struct Heading {
    lines: Vec<Text>,
    size: f64,
}

impl Heading {
    pub(crate) fn width(&self) -> f64 {
        widest(&self.lines, self.size, true)
    }

    /// From the top of the picture to what stands under the heading.
    pub(crate) fn bottom(&self) -> f64 {
        match self.lines.len() {
            0 => PAD,
            lines => (PAD + lines as f64 * self.size * LINE + 10.0).round(),
        }
    }

    /// Centered on `middle`, as far as the edges of a picture this `width` let it.
    pub(crate) fn draw(&self, scene: &mut Scene, middle: f64, width: f64) {
        let half = self.width() / 2.0 + PAD;
        let x = middle.min(width - half).max(half);
        for (line, text) in self.lines.iter().enumerate() {
            let y = PAD + (line as f64 + 0.5) * self.size * LINE;
            scene.label(Label::new(text, (x, y), self.size).bold());
        }
    }
}
