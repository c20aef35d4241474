//! How long a page takes to read.

use crate::page::{Block, Located};

/// Words of prose that one reads in a minute, and lines of code, and displayed formulas: a page of
/// this book is studied, not skimmed.
const WORDS: f64 = 200.0;
const LINES: f64 = 20.0;
const FORMULAS: f64 = 4.0;

/// Estimates are no finer than this.
const STEP: f64 = 5.0;

/// The minutes that a page takes, in steps of five.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of minutes"
)]
pub fn minutes(blocks: &[Located]) -> usize {
    let time: f64 = blocks.iter().map(|located| of_block(&located.block)).sum();
    ((time / STEP).round().max(1.0) * STEP) as usize
}

fn of_block(block: &Block) -> f64 {
    let lines = |code: &str| code.lines().count() as f64 / LINES;
    match block {
        Block::Code(listing) => lines(&listing.code),
        Block::Cell(cell) if cell.draws => 0.0, // folded
        Block::Cell(cell) => lines(&cell.code),
        Block::Math(_) => 1.0 / FORMULAS,
        block => {
            block.words().map_or(0, |text| text.split_whitespace().count()) as f64
                / WORDS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Formula, Listing};

    #[test]
    fn prose_code_and_formulas_take_their_time() {
        let prose = |words: usize| Block::Markdown("word ".repeat(words));
        let code = |lines: usize| {
            let code = "let a = 1;\n".repeat(lines);
            Block::Code(Listing { language: "rust".into(), code, file: None })
        };
        for (blocks, expected) in [
            (vec![], 5),
            (vec![prose(1000)], 5),
            (vec![prose(2000)], 10),
            (vec![prose(2000), code(400)], 30),
            (vec![prose(2000), Block::Math(Formula::default()), code(150)], 20),
        ] {
            let blocks: Vec<Located> =
                blocks.into_iter().map(|block| Located { line: 1, block }).collect();
            assert_eq!(minutes(&blocks), expected, "{blocks:?}");
        }
    }
}
