//! A volume's cover: its title over the attention map of chapter 1.

use std::fmt::Write as _;

use super::tree::escaped;
use crate::edition::Title;
use crate::workspace::Language;

/// The map of “pense sobre máquinas”, to two places.
const MAP: [[f64; 3]; 3] = [[0.28, 0.26, 0.46], [0.37, 0.20, 0.43], [0.34, 0.16, 0.50]];

/// The colors of what stands for the book: red, green and blue.
pub const PAPER: u32 = 0x2b_1840;
/// The title.
pub const WHITE: u32 = 0xff_ffff;
/// What stands beside it.
pub const SOFT: u32 = 0xe3_d3f2;
/// What stands out.
pub const ACCENT: u32 = 0xc7_9be6;

const WIDTH: usize = 1600;
const HEIGHT: usize = 2400;
const MARGIN: usize = 140;
const FONT: &str = "'Open Sans','Helvetica Neue',Arial,sans-serif";

/// The cover as a drawing.
#[must_use]
pub fn svg(title: &Title, language: Language) -> String {
    let mut parts = String::new();
    let lines = [
        text(&title.title, 400, 150, 700, WHITE),
        paragraph(&title.description, 560),
        map(),
    ];
    for line in lines {
        parts.push_str(&line);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" xml:lang=\"{}\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#{PAPER:06x}\"/>\n{parts}</svg>\n",
        language.tag()
    )
}

fn text(words: &str, y: usize, size: usize, weight: usize, color: u32) -> String {
    format!(
        "<text x=\"{MARGIN}\" y=\"{y}\" font-family=\"{FONT}\" font-size=\"{size}\" \
         font-weight=\"{weight}\" fill=\"#{color:06x}\">{}</text>\n",
        escaped(words)
    )
}

/// Words in lines that are not wider than the cover.
fn paragraph(words: &str, y: usize) -> String {
    const LINE: usize = 40; // characters of 66 units
    let lines = wrapped(words, |line| line.chars().count() <= LINE);
    let lines = lines.iter().enumerate();
    lines.map(|(i, line)| text(line, y + 92 * i, 66, 400, SOFT)).collect()
}

/// Words in lines that fit, as far as no single word is too long to.
pub fn wrapped(words: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (lines.last_mut(), longer.filter(|longer| fits(longer))) {
            (Some(line), Some(longer)) => *line = longer,
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn map() -> String {
    let side = (WIDTH - 2 * MARGIN) / 3;
    let mut cells = String::new();
    for (row, weights) in MAP.iter().enumerate() {
        for (column, weight) in weights.iter().enumerate() {
            let (x, y) = (MARGIN + column * side, 940 + row * side);
            let (side, opacity) = (side - 12, 2.0 * weight);
            // A String takes all.
            let _ = writeln!(
                cells,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" rx=\"14\" \
                 fill=\"#{ACCENT:06x}\" fill-opacity=\"{opacity:.2}\"/>"
            );
        }
    }
    cells
}
