//! The color bar beside the cells.

use crate::axis::Tick;
use crate::frame::widest_tick;
use crate::palette::Colors;
use crate::scene::{Anchor, Area, Ink, Label, Mark, Scene};

/// From the cells to the bar.
const SPACE: f64 = 16.0;
const WIDTH: f64 = 14.0;
const BANDS: usize = 100;
/// About how many numbers stand beside it.
const TICKS: usize = 7;
const TICK: f64 = 4.0;

pub(super) struct Bar {
    colors: Colors,
    ticks: Vec<Tick>,
    /// The height of the letters beside it, in pixels.
    size: f64,
}

impl Bar {
    pub(super) fn new(colors: Colors, size: f64) -> Self {
        Self { colors, ticks: colors.scale.ticks(TICKS), size }
    }

    /// Everything to the right of the cells.
    pub(super) fn width(&self) -> f64 {
        SPACE + WIDTH + TICK + 4.0 + widest_tick(&self.ticks, self.size)
    }

    /// As high as `cells`, but never too low for its numbers.
    pub(super) fn area(cells: Area) -> Area {
        Area {
            x: cells.right() + SPACE,
            y: cells.y,
            width: WIDTH,
            height: (cells.height - 1.0).max(100.0),
        }
    }

    pub(super) fn draw(&self, scene: &mut Scene, bar: Area) {
        // Each band reaches to the bottom, and the next covers it: no seams between them.
        for band in 0..BANDS {
            let down = band as f64 / BANDS as f64;
            let y = bar.y + down * bar.height;
            let rest = Area { y, height: bar.bottom() - y, ..bar };
            let middle = (band as f64 + 0.5) / BANDS as f64;
            let color = self.colors.at(1.0 - middle);
            scene.add(Mark::Rect(rest, Ink::Rgb(color)));
        }
        for tick in &self.ticks {
            let y = bar.bottom() - tick.at * bar.height;
            let end = bar.right() + TICK;
            scene.add(Mark::Path(vec![(bar.right(), y), (end, y)], 1.0, Ink::Text));
            let label = Label::new(&tick.label, (end + 4.0, y), self.size);
            scene.label(label.anchor(Anchor::Start));
        }
    }
}
