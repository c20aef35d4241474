//! Numbers that are printed and that no sentence takes up: a list for an author to judge, no
//! gate.

use anyhow::Result;
use nbformat::v4::Output;

use super::numbers::{NUMBER, NUMERAL, printed, rounds_to};
use crate::i18n;
use crate::markdown;
use crate::notebook::{self, Outputs};
use crate::page::{Block, Cell, Located};
use crate::workspace::{Language, Workspace};

/// Cells whose output has numbers, none of which the prose of their section takes up, rounded
/// or as a percentage. A number of one digit proves nothing where others have more.
///
/// # Errors
///
/// If a page or notebook can't be read.
pub fn unread(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for chapter in workspace.chapters()? {
        let outputs = notebook::recorded_outputs(workspace, &chapter)?;
        let blocks = i18n::blocks(workspace, &chapter, Language::Portuguese)?;
        let page = chapter.page().display();
        let cells = unread_on(&blocks, &outputs).into_iter();
        found.extend(cells.map(|(line, cell)| format!("{page}:{line}: {cell}")));
    }
    Ok(found)
}

/// A heading and what follows it.
#[derive(Default)]
struct Section<'a> {
    /// The numbers in its words and formulas, as Rust writes them.
    said: Vec<String>,
    cells: Vec<(usize, &'a Cell)>,
}

fn unread_on(blocks: &[Located], outputs: &Outputs) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for Section { said, cells } in sections(blocks) {
        for (line, cell) in cells {
            let outputs = outputs.get(&cell.id).map(Vec::as_slice).unwrap_or_default();
            let numbers = telling(outputs);
            let read =
                numbers.iter().any(|n| said.iter().any(|said| takes_up(said, n)));
            if !numbers.is_empty() && !read {
                found.push((line, format!("{}: {}", cell.id, shortened(&numbers))));
            }
        }
    }
    found
}

fn sections(blocks: &[Located]) -> Vec<Section<'_>> {
    let mut all = vec![Section::default()];
    for located in blocks {
        if let Block::Markdown(text) = &located.block {
            for passage in markdown::passages(text) {
                if passage.section.is_some() {
                    all.push(Section::default());
                }
                all.last_mut()
                    .into_iter()
                    .for_each(|s| s.said.extend(said(passage.text)));
            }
            continue;
        }
        let Some(section) = all.last_mut() else { continue };
        match &located.block {
            Block::Cell(cell) => section.cells.push((located.line, cell)),
            Block::Math(formula) => section.said.extend(said(&formula.tex)),
            other => section.said.extend(other.words().map(said).unwrap_or_default()),
        }
    }
    all
}

/// The numbers of an output that say most: those of more than one digit, if there are any.
fn telling(outputs: &[Output]) -> Vec<String> {
    let mut numbers: Vec<String> = Vec::new();
    for text in outputs.iter().map(printed) {
        for number in NUMBER.find_iter(&text).map(|number| number.as_str()) {
            if !numbers.iter().any(|known| known == number) {
                numbers.push(number.to_owned());
            }
        }
    }
    let of_one_digit = |number: &String| number.len() == 1;
    if !numbers.iter().all(of_one_digit) {
        numbers.retain(|number| !of_one_digit(number));
    }
    numbers
}

/// Numbers in words, from two on.
const WORDS: [&str; 11] = [
    "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze",
    "doze",
];

/// The numbers of a Portuguese text, as Rust writes them; `1.234` may be a thousand or one.
fn said(text: &str) -> Vec<String> {
    let text = text.replace("{,}", ",").to_lowercase();
    let mut numbers: Vec<String> = Vec::new();
    for numeral in NUMERAL.find_iter(&text).map(|numeral| numeral.as_str()) {
        numbers.push(numeral.replace(',', "."));
        if numeral.contains('.') {
            numbers.push(numeral.replace('.', "").replace(',', "."));
        }
    }
    for word in text.split(|c: char| !c.is_alphabetic()) {
        let place = WORDS.iter().position(|&number| number == word);
        numbers.extend(place.map(|place| (place + 2).to_string()));
    }
    numbers
}

/// Whether what is said is the number, rounded or in percent.
fn takes_up(said: &str, number: &str) -> bool {
    let number: f64 = number.parse().unwrap_or(f64::NAN);
    rounds_to(number, said) || number <= 1.0 && rounds_to(100.0 * number, said)
}

fn shortened(numbers: &[String]) -> String {
    const SHOWN: usize = 8;
    let rest = if numbers.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<&str> = numbers.iter().take(SHOWN).map(String::as_str).collect();
    shown.join(", ") + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(id: &str) -> Block {
        Block::Cell(Cell {
            id: id.into(),
            code: String::new(),
            file: "chapters-code/a/examples/walkthrough.rs".into(),
            draws: false,
            fails: false,
            varies: false,
        })
    }

    #[test]
    fn an_output_that_no_sentence_takes_up_is_listed() {
        let prose = |text: &str| Block::Markdown(text.into());
        let blocks = [
            prose("# A\n\nEm 28 %, 3 de 7."),
            cell("share"),
            cell("digits"),
            cell("other"),
            prose("Foram 30.522, $`1{,}963`$.\n\n## B\n\n99"),
            cell("far"),
            cell("words"),
            Block::Details("Todos os doze".into()),
        ];
        let blocks =
            blocks.into_iter().zip(1..).map(|(block, line)| Located { line, block });
        let printed = [
            ("share", "0.284 of 3"),
            ("digits", "[7, 2]"),
            ("other", "3 in 41: 0.5 0.25\n0.5"),
            ("far", "30522 1.9627"),
            ("words", "12"),
        ];
        let outputs = printed.map(|(id, text)| {
            let text = serde_json::json!({"output_type": "stream", "name": "stdout", "text": text});
            (id.to_owned(), vec![serde_json::from_value(text).unwrap()])
        });
        let found = unread_on(&blocks.collect::<Vec<_>>(), &Outputs::from(outputs));
        let expected = [(4, "other: 41, 0.5, 0.25"), (6, "far: 30522, 1.9627")];
        assert_eq!(found, expected.map(|(line, cell)| (line, cell.to_owned())));
    }
}
