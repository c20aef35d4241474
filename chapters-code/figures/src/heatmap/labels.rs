//! What is written beside the rows and under the columns of cells.

use super::Side;
use crate::frame::{SIDE_LINE, SMALLEST_TEXT, TEXT_SIZE, widest};
use crate::scene::{Anchor, Area, Label, Scene, Turn};
use crate::text::Text;

/// Between the cells and what stands beside them.
pub(super) const SPACE: f64 = 9.0;
/// A label longer than this ends in an ellipsis.
const LONGEST_LABEL: f64 = 220.0;

/// The labels of one side that are shown, and how.
pub(super) struct Labels {
    shown: Vec<(usize, Text)>,
    size: f64,
    turn: Turn,
}

impl Labels {
    pub(super) fn of_rows(side: &Side, count: usize, pitch: f64) -> Self {
        let every = thinned(side, pitch);
        let size = (pitch * every as f64 * 0.95).clamp(SMALLEST_TEXT, TEXT_SIZE);
        Self { shown: shown(side, count, every, size), size, turn: Turn::None }
    }

    /// Level where they fit, slanted where their lines have room, else upright.
    pub(super) fn of_columns(side: &Side, count: usize, pitch: f64) -> Self {
        let every = thinned(side, pitch);
        let room = pitch * every as f64;
        let mut labels = Self {
            shown: shown(side, count, every, TEXT_SIZE),
            size: TEXT_SIZE,
            turn: Turn::None,
        };
        let widest = labels.width() / TEXT_SIZE;
        let level = (room - 8.0) / widest;
        if level >= SMALLEST_TEXT {
            labels.size = level.min(TEXT_SIZE);
        } else if room * std::f64::consts::FRAC_1_SQRT_2 >= TEXT_SIZE * 1.1 {
            labels.turn = Turn::Slant;
        } else {
            labels.turn = Turn::Up;
            labels.size = (room * 0.9).clamp(SMALLEST_TEXT, TEXT_SIZE);
        }
        labels
    }

    /// No labels.
    pub(super) fn none() -> Self {
        Self { shown: Vec::new(), size: TEXT_SIZE, turn: Turn::None }
    }

    /// The same labels, upright if they are slanted: nothing reaches out to the left.
    pub(super) fn upright(self, pitch: f64) -> Self {
        match self.turn {
            Turn::Slant => {
                let size = (pitch * 0.9).clamp(SMALLEST_TEXT, TEXT_SIZE);
                Self { turn: Turn::Up, size, ..self }
            }
            _ => self,
        }
    }

    pub(super) fn width(&self) -> f64 {
        widest(self.shown.iter().map(|(_, text)| text), self.size, false)
    }

    /// How far turned labels reach down, or level ones.
    pub(super) fn height(&self) -> f64 {
        match self.turn {
            Turn::None if self.shown.is_empty() => 0.0,
            Turn::None => self.size,
            Turn::Slant => {
                self.width() * std::f64::consts::FRAC_1_SQRT_2 + self.size * 0.4
            }
            Turn::Up => self.width(),
        }
    }

    /// How far slanted labels may reach out to the left of the cells.
    pub(super) fn overhang(&self) -> f64 {
        match self.turn {
            Turn::Slant => self.width() * std::f64::consts::FRAC_1_SQRT_2,
            _ => 0.0,
        }
    }

    /// Draws the labels of `count` rows to the left of `cells`.
    pub(super) fn draw_rows(&self, scene: &mut Scene, cells: Area, count: usize) {
        let x = cells.x - SPACE;
        let pitch = cells.height / count as f64;
        for (index, text) in &self.shown {
            let y = cells.y + (*index as f64 + 0.5) * pitch - 0.5;
            scene.label(Label::new(text, (x, y), self.size).anchor(Anchor::End));
        }
    }

    /// Draws the labels of `count` columns under `cells`.
    pub(super) fn draw_columns(&self, scene: &mut Scene, cells: Area, count: usize) {
        let top = cells.bottom() + SPACE;
        let pitch = cells.width / count as f64;
        for (index, text) in &self.shown {
            let x = cells.x + (*index as f64 + 0.5) * pitch - 0.5;
            let label = match self.turn {
                Turn::None => {
                    Label::new(text, (x, top + self.size / 2.0 - 1.0), self.size)
                }
                turn => {
                    let at = (x + self.lean(), top - 2.0 + self.lean());
                    Label::new(text, at, self.size).anchor(Anchor::End).turn(turn)
                }
            };
            scene.label(label);
        }
    }

    /// Moves the end of a slanted label so that its last letter's top is under its
    /// cell's middle.
    fn lean(&self) -> f64 {
        match self.turn {
            Turn::Slant => self.size * 0.25,
            _ => 0.0,
        }
    }
}

/// One row or column of so many is labeled, so that labels don't touch: 1, 2, 5, 10 …
fn thinned(side: &Side, pitch: f64) -> usize {
    let spacing = if side.labels.is_some() { SMALLEST_TEXT } else { 26.0 };
    let steps =
        (0..9).flat_map(|power| [1, 2, 5].map(|step| step * 10_usize.pow(power)));
    let mut wide = steps.filter(|every| pitch * *every as f64 >= spacing);
    wide.next().unwrap_or(usize::MAX)
}

fn shown(side: &Side, count: usize, every: usize, size: f64) -> Vec<(usize, Text)> {
    let short = |text: Text| text.elide(size, false, LONGEST_LABEL);
    (0..count).step_by(every).map(|index| (index, short(side.label(index)))).collect()
}

/// Draws the titles of `sides` (rows, then columns) on the far side of their labels,
/// which reach this far out of `cells` to the left and below.
pub(super) fn draw_side_titles(
    scene: &mut Scene,
    cells: Area,
    sides: [&Text; 2],
    (left, down): (f64, f64),
) {
    let (middle_x, middle_y) = cells.middle();
    let title = |text: &Text, at, length: f64| {
        Label::new(text.elide(TEXT_SIZE, false, length.max(80.0)), at, TEXT_SIZE)
    };
    let beside = cells.x - SPACE - left - SIDE_LINE + TEXT_SIZE / 2.0;
    scene.label(title(sides[0], (beside, middle_y), cells.height).turn(Turn::Up));
    let below = cells.bottom() + SPACE + down + SIDE_LINE - TEXT_SIZE / 2.0;
    scene.label(title(sides[1], (middle_x, below), cells.width));
}
