//! A picture as a list of marks, and how plotters draws it on any backend.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, RGBAColor};

use crate::FigureError;
use crate::viridis::VIRIDIS;

/// Backends count in whole units; there are this many to a pixel.
pub(crate) const UNITS: u32 = 4;

/// The name that plotters hands to a backend; SVG documents name a whole list of
/// families.
const FONT: &str = "DejaVu Sans";

/// plotters' font sizes are this many times the em.
pub(crate) const PLOTTERS_EM: f64 = 1.24;

/// What a mark is painted with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ink {
    /// The colour of the page's text.
    Text,
    /// The page's text colour, this opaque (0 to 1).
    Faint(f64),
    /// The colour of the page itself.
    Page,
    /// A colour that stays the same on every page.
    Rgb([u8; 3]),
}

/// The colours that a page's theme decides, as the backend at hand writes them.
pub(crate) struct Palette {
    pub(crate) text: [u8; 3],
    pub(crate) page: [u8; 3],
    /// Stands for the pixels of a [`Mark::Pixels`], which are then left out.
    pub(crate) pixels: Option<[u8; 3]>,
}

impl Palette {
    fn colour(&self, ink: Ink) -> RGBAColor {
        let ([red, green, blue], opacity) = match ink {
            Ink::Text => (self.text, 1.0),
            Ink::Faint(opacity) => (self.text, opacity),
            Ink::Page => (self.page, 1.0),
            Ink::Rgb(rgb) => (rgb, 1.0),
        };
        RGBAColor(red, green, blue, opacity)
    }
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

/// One line of text.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) at: (f64, f64),
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) ink: Ink,
    pub(crate) anchor: Anchor,
    pub(crate) turn: Turn,
}

impl Label {
    pub(crate) fn new(text: impl Into<String>, at: (f64, f64), size: f64) -> Self {
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

    fn style(&self, palette: &Palette) -> TextStyle<'static> {
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        // plotters has no slant: the turn that no label of ours makes stands for it, and
        // `svg` and `bitmap` know.
        let transform = match self.turn {
            Turn::None => FontTransform::None,
            Turn::Slant => FontTransform::Rotate90,
            Turn::Up => FontTransform::Rotate270,
        };
        let h_pos = match self.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = self.size * f64::from(UNITS) * PLOTTERS_EM;
        (FONT, size)
            .into_font()
            .style(style)
            .transform(transform)
            .color(&palette.colour(self.ink))
            .pos(Pos::new(h_pos, VPos::Center))
    }
}

/// A picture of `columns` pixels a row, each an index into viridis' 256 colours.
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub(crate) columns: usize,
    pub(crate) indices: Vec<u8>,
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
    /// A filled circle: centre and radius.
    Circle((f64, f64), f64, Ink),
    /// Text.
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
    /// An empty scene, its size rounded up to whole pixels.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width: width.ceil() as u32,
            height: height.ceil() as u32,
            marks: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    pub(crate) fn label(&mut self, label: Label) {
        if !label.text.is_empty() {
            self.add(Mark::Label(label));
        }
    }

    /// The size in backend units.
    pub(crate) fn units(&self) -> (u32, u32) {
        (self.width * UNITS, self.height * UNITS)
    }

    /// Draws everything on a backend of [`Scene::units`].
    pub(crate) fn paint<DB: DrawingBackend>(
        &self,
        backend: DB,
        palette: &Palette,
    ) -> Result<(), FigureError> {
        let area = backend.into_drawing_area();
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        let page = Area { x: 0.0, y: 0.0, width, height };
        rectangle(&area, page, palette.colour(Ink::Page))?;
        for mark in &self.marks {
            paint_mark(&area, mark, palette)?;
        }
        area.present().map_err(FigureError::draw)
    }
}

fn paint_mark<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    mark: &Mark,
    palette: &Palette,
) -> Result<(), FigureError> {
    match mark {
        Mark::Rect(rect, ink) => return rectangle(area, *rect, palette.colour(*ink)),
        Mark::Pixels(rect, pixels) => {
            return paint_pixels(area, *rect, pixels, palette);
        }
        Mark::Path(points, width, ink) => {
            let style = palette.colour(*ink).stroke_width(units(*width).unsigned_abs());
            area.draw(&PathElement::new(all_units(points), style))
        }
        Mark::Polygon(points, ink) => {
            area.draw(&Polygon::new(all_units(points), palette.colour(*ink)))
        }
        Mark::Circle(centre, radius, ink) => {
            let style = palette.colour(*ink).filled();
            area.draw(&Circle::new(at(*centre), units(*radius), style))
        }
        Mark::Label(label) => area.draw(&Text::new(
            label.text.as_str(),
            at(label.at),
            label.style(palette),
        )),
    }
    .map_err(FigureError::draw)
}

/// One rectangle a cell, or the palette's stand-in for all of them.
fn paint_pixels<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    rect: Area,
    pixels: &Pixels,
    palette: &Palette,
) -> Result<(), FigureError> {
    if let Some(stand_in) = palette.pixels {
        return rectangle(area, rect, palette.colour(Ink::Rgb(stand_in)));
    }
    let width = rect.width / pixels.columns as f64;
    let height = rect.height / pixels.rows() as f64;
    for (cell, index) in pixels.indices.iter().enumerate() {
        let (row, column) = (cell / pixels.columns, cell % pixels.columns);
        let x = rect.x + column as f64 * width;
        let y = rect.y + row as f64 * height;
        let colour = Ink::Rgb(VIRIDIS[usize::from(*index)]);
        rectangle(area, Area { x, y, width, height }, palette.colour(colour))?;
    }
    Ok(())
}

fn rectangle<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    rect: Area,
    colour: RGBAColor,
) -> Result<(), FigureError> {
    let corners = [at((rect.x, rect.y)), at((rect.right(), rect.bottom()))];
    area.draw(&Rectangle::new(corners, colour.filled())).map_err(FigureError::draw)
}

#[expect(clippy::cast_possible_truncation)]
fn units(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

fn all_units(points: &[(f64, f64)]) -> Vec<(i32, i32)> {
    points.iter().copied().map(at).collect()
}
