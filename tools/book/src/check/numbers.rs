//! Numbers in the prose: each must be one that the chapter printed.

use std::sync::LazyLock;

use anyhow::Result;
use nbformat::v4::Output;
use regex::Regex;

use crate::i18n;
use crate::notebook::{self, Outputs};
use crate::page::{Block, Located};
use crate::workspace::{Language, Workspace};

/// Numbers in the prose of chapters that nothing on the page printed.
///
/// A number counts if it has at least two decimals (1,56 or 1.56; formulas and code
/// apart): some number among the outputs, in the page's code or in its formulas must
/// round to it.
///
/// # Errors
///
/// If a page or notebook can't be read.
pub fn unsourced(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        let outputs = notebook::recorded_outputs(workspace, &chapter)?;
        for language in Language::ALL {
            let blocks = i18n::blocks(workspace, &chapter, language)?;
            let sources = numbers_shown(&outputs, &blocks);
            for (line, number) in claims(&blocks) {
                if !sources.iter().any(|source| rounds_to(*source, &number)) {
                    findings.push(format!(
                        "{}:{line} ({}): no output of the chapter gives the number {number}",
                        chapter.page().display(),
                        language.tag()
                    ));
                }
            }
        }
    }
    Ok(findings)
}

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)?(?:e-?\d+)?").expect("a valid pattern"));
static CLAIM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+[.,]\d{2,}").expect("a valid pattern"));
static LITERAL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`[^`]*`|\]\([^)]*\)").expect("a valid pattern"));

fn numbers_shown(outputs: &Outputs, blocks: &[Located]) -> Vec<f64> {
    let mut texts: Vec<String> = Vec::new();
    for output in outputs.values().flatten() {
        match output {
            Output::Stream { text, .. } => texts.push(text.0.clone()),
            other => {
                let value = serde_json::to_value(other).unwrap_or_default();
                texts.push(value["data"]["text/plain"].to_string()); // drawings are no sources
            }
        }
    }
    for located in blocks {
        match &located.block {
            Block::Cell(cell) => texts.push(cell.code.clone()),
            Block::Code(listing) => texts.push(listing.code.clone()),
            Block::Math(text) => texts.push(text.clone()),
            _ => {}
        }
    }
    let numbers = texts.iter().flat_map(|text| NUMBER.find_iter(text));
    numbers.filter_map(|number| number.as_str().parse().ok()).collect()
}

/// The numbers with decimals in prose, captions and titles, with their lines.
fn claims(blocks: &[Located]) -> Vec<(usize, String)> {
    let mut claims = Vec::new();
    for located in blocks {
        let (Block::Markdown(text) | Block::Caption(text) | Block::Details(text)) =
            &located.block
        else {
            continue;
        };
        for (i, line) in text.lines().enumerate() {
            let prose = LITERAL.replace_all(line, "");
            let found = CLAIM.find_iter(&prose);
            claims.extend(
                found.map(|n| (located.line + i, n.as_str().replace(',', "."))),
            );
        }
    }
    claims
}

fn rounds_to(source: f64, claim: &str) -> bool {
    let decimals = claim.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{source:.decimals$}") == claim
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_an_output_that_rounds_to_it() {
        assert!(rounds_to(0.284_2, "0.28"));
        assert!(!rounds_to(0.286, "0.28"));
        let block =
            |text: &str| Located { line: 1, block: Block::Markdown(text.into()) };
        let found = claims(&[block("pesa 0,28 e `0.99`\n1.5 e 12.345")]);
        assert_eq!(found, [(1, "0.28".to_owned()), (2, "12.345".to_owned())]);
    }
}
