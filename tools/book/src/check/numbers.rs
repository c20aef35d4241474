//! Numbers in the prose: each must be one that the chapter printed.

use std::sync::LazyLock;

use anyhow::Result;
use mdbook_markdown::pulldown_cmark::{Event, LinkType, Tag};
use nbformat::v4::Output;
use regex::Regex;

use crate::i18n;
use crate::markdown;
use crate::notebook::{self, Outputs};
use crate::page::{Block, Located};
use crate::workspace::{Language, Workspace};

/// Numbers in the prose of chapters that nothing on the page printed.
///
/// A number counts if it has at least two decimals (1,56 in Portuguese, 1.56 in English;
/// formulas and code apart): some number among the outputs, in the page's code or in its
/// formulas must round to it. Thousands, prices, versions and dates are no measurements.
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
            for (line, claim) in claims(&blocks, language) {
                if !sources.iter().any(|source| rounds_to(*source, &claim.value)) {
                    let claim = &claim.shown;
                    let find = |text: &str| {
                        let mut claims = claims_of(text, language).into_iter();
                        claims.find(|(_, c)| c.shown == *claim).map(|(byte, _)| byte)
                    };
                    let page = chapter.page();
                    let at = i18n::place(workspace, page, line, language, &find);
                    findings.push(format!(
                        "{at}: no output of {} gives the number {claim}",
                        chapter.name
                    ));
                }
            }
        }
    }
    Ok(findings)
}

pub(super) static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)?(?:e-?\d+)?").expect("a valid pattern"));
pub(super) static NUMERAL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+(?:[.,]\d+)*").expect("a valid pattern"));

/// What an output says in words and numbers; drawings say nothing.
pub(super) fn printed(output: &Output) -> String {
    match output {
        Output::Stream { text, .. } => text.0.clone(),
        other => {
            let value = serde_json::to_value(other).unwrap_or_default();
            value["data"]["text/plain"].to_string()
        }
    }
}

fn numbers_shown(outputs: &Outputs, blocks: &[Located]) -> Vec<f64> {
    let mut texts: Vec<String> = outputs.values().flatten().map(printed).collect();
    for located in blocks {
        match &located.block {
            Block::Cell(cell) => texts.push(cell.code.clone()),
            Block::Code(listing) => texts.push(listing.code.clone()),
            Block::Math(formula) => texts.push(formula.tex.clone()),
            _ => {}
        }
    }
    let numbers = texts.iter().flat_map(|text| NUMBER.find_iter(text));
    numbers.filter_map(|number| number.as_str().parse().ok()).collect()
}

/// A number with decimals in the prose.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// As the reader sees it.
    shown: String,
    /// As Rust writes it.
    value: String,
}

/// The numbers with decimals in prose, captions and titles, with their lines.
fn claims(blocks: &[Located], language: Language) -> Vec<(usize, Claim)> {
    let mut claims = Vec::new();
    for located in blocks {
        let Some(text) = located.block.words() else { continue };
        claims.extend(claims_of(text, language).into_iter().map(|(byte, claim)| {
            (located.line + markdown::line_of(text, byte) - 1, claim)
        }));
    }
    claims
}

/// The numbers with decimals in a text, with their bytes.
pub(crate) fn claims_of(text: &str, language: Language) -> Vec<(usize, Claim)> {
    let mut claims = Vec::new();
    let mut aside = 0; // depth in code blocks and bare addresses
    for (event, range) in markdown::events(text) {
        match event {
            Event::Start(
                Tag::CodeBlock(_) | Tag::Link { link_type: LinkType::Autolink, .. },
            ) => {
                aside += 1;
            }
            Event::Start(_) if aside > 0 => aside += 1,
            Event::End(_) if aside > 0 => aside -= 1,
            Event::Text(_) if aside == 0 => {
                for found in NUMERAL.find_iter(&text[range.clone()]) {
                    let (start, end) =
                        (range.start + found.start(), range.start + found.end());
                    let value = decimal(found.as_str(), language);
                    let value =
                        value.filter(|_| is_measurement(&text[..start], &text[end..]));
                    let shown = found.as_str().to_owned();
                    claims.extend(value.map(|value| (start, Claim { shown, value })));
                }
            }
            _ => {}
        }
    }
    claims
}

/// A numeral with at least two decimals, as Rust writes it; none for a whole number with
/// its thousands apart, a version, a date.
fn decimal(numeral: &str, language: Language) -> Option<String> {
    let (mark, apart) = match language {
        Language::Portuguese => (',', '.'),
        Language::English => ('.', ','),
    };
    let is_whole = |digits: &str| {
        let mut groups = digits.split(apart);
        let first = groups.next().unwrap_or_default();
        let grouped = groups.clone().count() > 0;
        !digits.contains(mark)
            && groups.all(|group| group.len() == 3)
            && (!grouped || first.len() <= 3 && !first.starts_with('0'))
    };
    if is_whole(numeral) {
        return None;
    }
    // Two numerals with the other language's mark are taken for what they look like.
    let (whole, decimals) =
        numeral.split_once(mark).or_else(|| numeral.split_once(apart))?;
    let plain = decimals.len() >= 2 && !decimals.contains(['.', ',']);
    (plain && is_whole(whole))
        .then(|| format!("{}.{decimals}", whole.replace(apart, "")))
}

/// What stands before an amount of money or the number of a version or figure, and after an
/// amount.
const BEFORE: [&str; 11] = [
    "R$", "US$", "$", "€", "£", "versão", "version", "figura", "Figura", "figure",
    "Figure",
];
const AFTER: [&str; 7] = ["€", "£", "reais", "euros", "dólares", "dollars", "pounds"];

/// Whether a number between two texts is one that a chapter could have measured.
fn is_measurement(before: &str, after: &str) -> bool {
    let blank = |c: char| c.is_whitespace();
    let in_word = before.ends_with(char::is_alphabetic); // v0.12
    let (before, after) =
        (before.trim_end_matches("&nbsp;"), after.trim_start_matches("&nbsp;"));
    let (before, after) =
        (before.trim_end_matches(blank), after.trim_start_matches(blank));
    let named = BEFORE.iter().any(|word| before.ends_with(word))
        || AFTER.iter().any(|word| after.starts_with(word));
    !in_word && !named
}

pub(super) fn rounds_to(source: f64, claim: &str) -> bool {
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
        let found = claims(
            &[block("pesa 0,28 e `0,99`\n1,5 e ``0,98 `` 12,345 <https://a.b/1.11>")],
            Language::Portuguese,
        );
        let found: Vec<(usize, &str)> =
            found.iter().map(|(line, claim)| (*line, claim.value.as_str())).collect();
        assert_eq!(found, [(1, "0.28"), (2, "12.345")]);
    }

    /// In each language its own marks; what only looks like a measurement is none.
    #[test]
    fn thousands_prices_versions_and_dates_are_no_measurements() {
        use Language::{English, Portuguese};
        for (language, text, values) in [
            (Portuguese, "um vocabulário de 30.522 peças", &[][..]),
            (Portuguese, "custa R$ 1.250,00 por mês", &[]),
            (Portuguese, "custa R\\$&nbsp;12,50, ou 9,90 euros", &[]),
            (Portuguese, "o candle 0.12.3 e a versão 0.12, ou v0.13", &[]),
            (Portuguese, "em 10.10.2025, em 2025-10-10, em 10/10/2025", &[]),
            (Portuguese, "1.234.567 parâmetros, [figura 5.12](#fig-a)", &[]),
            (Portuguese, "ao todo 30.522,75 ms", &["30522.75"]),
            (Portuguese, "pesa 0.28 e 0.284", &["0.28", "0.284"]),
            (Portuguese, "de 0,25–0,75, *0,123*", &["0.25", "0.75", "0.123"]),
            (English, "a vocabulary of 30,522 pieces", &[]),
            (English, "it costs R$ 1,250.00, or $12.50, or 9.90 dollars", &[]),
            (English, "mdBook 0.5.4, version 0.12, 10.10.2025, 127.0.0.1", &[]),
            (English, "in all 30,522.75 ms, 12.345", &["30522.75", "12.345"]),
            (English, "see [0.28](a.md#0.99), 0,29", &["0.28", "0.29"]),
            (English, "```text\n0.11\n```\n\n0.22", &["0.22"]),
        ] {
            let found = claims_of(text, language);
            let found: Vec<&str> =
                found.iter().map(|(_, c)| c.value.as_str()).collect();
            assert_eq!(found, values, "{text}");
        }
    }
}
