//! A picture as a list of marks, which `svg` and `bitmap` each write in their own way.

use crate::palette::Palette;
use crate::text::{Language, Text};

/// Both formats count in whole units; there are this many to a pixel.
pub(crate) const UNITS: u32 = 4;

/// What a mark is painted with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ink {
    /// The color of the page's text.
    Text,
    /// The page's text color, this opaque (0 to 1).
    Faint(f64),
    /// The color of the page itself.
    Page,
    /// A color that stays the same on every page.
    Rgb([u8; 3]),
}

/// An upright rectangle, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Area {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(crate) fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The top left and the bottom right in units.
    pub(crate) fn corners(&self) -> ((i32, i32), (i32, i32)) {
        (at((self.x, self.y)), at((self.right(), self.bottom())))
    }
}

/// Which point of a text lies at its position; its middle, across the line, always
/// does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Which way a text runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Turn {
    /// From left to right.
    None,
    /// Rising at 45°.
    Slant,
    /// From bottom to top.
    Up,
}

impl Turn {
    /// The angle in degrees, counter-clockwise.
    pub(crate) fn degrees(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Slant => 45.0,
            Self::Up => 90.0,
        }
    }
}

/// One line of text.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) text: Text,
    pub(crate) at: (f64, f64),
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) ink: Ink,
    pub(crate) anchor: Anchor,
    pub(crate) turn: Turn,
}

impl Label {
    pub(crate) fn new(text: impl Into<Text>, at: (f64, f64), size: f64) -> Self {
        Self {
            text: text.into(),
            at,
            size,
            bold: false,
            ink: Ink::Text,
            anchor: Anchor::Middle,
            turn: Turn::None,
        }
    }

    pub(crate) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(crate) fn ink(mut self, ink: Ink) -> Self {
        self.ink = ink;
        self
    }

    pub(crate) fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    pub(crate) fn turn(mut self, turn: Turn) -> Self {
        self.turn = turn;
        self
    }
}

/// A picture of `columns` pixels a row, each an index into the 256 colors of a palette.
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub(crate) columns: usize,
    pub(crate) indices: Vec<u8>,
    pub(crate) palette: Palette,
}

impl Pixels {
    pub(crate) fn rows(&self) -> usize {
        self.indices.len() / self.columns.max(1)
    }
}

/// One thing drawn. Marks come in painting order.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A filled rectangle.
    Rect(Area, Ink),
    /// A line through points, this many pixels wide.
    Path(Vec<(f64, f64)>, f64, Ink),
    /// A filled polygon.
    Polygon(Vec<(f64, f64)>, Ink),
    /// A filled circle: center and radius.
    Circle((f64, f64), f64, Ink),
    /// A piece of text.
    Label(Label),
    /// A heatmap of too many cells for a rectangle each.
    Pixels(Area, Pixels),
}

/// A picture before it has a format: what to draw, on how many pixels.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) marks: Vec<Mark>,
}

impl Scene {
    /// The bare page, its size rounded up to whole pixels.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn new(width: f64, height: f64) -> Self {
        let (width, height) = (width.ceil(), height.ceil());
        let page = Area { x: 0.0, y: 0.0, width, height };
        let marks = vec![Mark::Rect(page, Ink::Page)];
        Self { width: width as u32, height: height as u32, marks }
    }

    pub(crate) fn add(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    pub(crate) fn label(&mut self, label: Label) {
        if !label.text.is_empty() {
            self.add(Mark::Label(label));
        }
    }

    /// The same picture with its texts in one language.
    pub(crate) fn in_language(mut self, language: Language) -> Self {
        for mark in &mut self.marks {
            if let Mark::Label(label) = mark {
                label.text = label.text.in_language(language).into();
            }
        }
        self
    }

    /// The size in units.
    pub(crate) fn units(&self) -> (u32, u32) {
        (self.width * UNITS, self.height * UNITS)
    }
}

/// Pixels in whole units.
#[expect(clippy::cast_possible_truncation)]
pub(crate) fn units(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round() as i32
}

/// A point in whole units.
pub(crate) fn at((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}
