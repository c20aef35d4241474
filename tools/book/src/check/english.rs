//! The English edition in one language: American spelling, typographic marks, the glossary's
//! terms. Code, which both editions show, is spelled alike.

use std::sync::LazyLock;

use anyhow::Result;
use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};
use regex::Regex;

use super::glossary::{self, pattern};
use super::listings::files;
use super::rivals::rivals;
use crate::workspace::{Language, Workspace};
use crate::{i18n, markdown, po};

/// Beginnings of verbs that end in `-ise` in Britain.
const ISE: &[&str] = &[
    "author",
    "categor",
    "character",
    "crystall",
    "custom",
    "digit",
    "emphas",
    "equal",
    "factor",
    "familiar",
    "final",
    "general",
    "harmon",
    "ideal",
    "initial",
    "item",
    "linear",
    "local",
    "maxim",
    "memor",
    "minim",
    "mobil",
    "neutral",
    "normal",
    "optim",
    "organ",
    "parallel",
    "penal",
    "prior",
    "quant",
    "random",
    "real",
    "recogn",
    "regular",
    "serial",
    "special",
    "stabil",
    "standard",
    "summar",
    "symbol",
    "synchron",
    "token",
    "util",
    "vector",
    "visual",
];

/// Other British spellings.
const OTHERS: &[&str] = &[
    r"\w*(?:behaviour|colour|favour|flavour|honour|labour|neighbour|rumour)\w*",
    r"(?:cancell|labell|levell|modell|signall|travell)(?:ed|ing)",
    r"analys(?:e[ds]?|ing)",
    "artefacts?",
    "catalogues?",
    "centre[ds]?",
    "defence",
    "fibres?",
    "fulfil",
    "full stops?",
    "grey",
    "judgement",
    "learnt",
    "licence",
    "maths",
    "metres?",
    "mould",
    "per cent",
    r"practis(?:e[ds]?|ing)",
    "programmes?",
    r"sceptic\w*",
    "spelt",
    "towards",
    "whilst",
];

static BRITISH: LazyLock<Regex> = LazyLock::new(|| {
    let (ise, others) = (ISE.join("|"), OTHERS.join("|"));
    pattern(&format!(r"(?i)\b(?:(?:{ise})is(?:ations?|e[ds]?|ers?|ing)|{others})\b"))
});
static SPACED: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]\s+%"));
static STRAIGHT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"['"]"#));

/// British names of other people's libraries, which code has to call as they are: tokio's.
const NAMES: &[&str] = &["is_cancelled"];

/// What stands for a term, and what is wrong with it.
type Rivals = Vec<(Regex, String)>;

/// Translations that spell as in Britain, have a typewriter's apostrophes or quotes, or use a
/// word for which the glossary has a term.
///
/// # Errors
///
/// If the catalog, the glossary or a page can't be read.
pub fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let (glossary, pages) = glossary::read(workspace)?;
    let rivals = rivals(&glossary, "not-en", &pages).into_iter().map(|rival| {
        let word = regex::escape(&rival.word);
        (pattern(&format!(r"(?i)\b{word}\b")), rival.problem())
    });
    let rivals: Rivals = rivals.collect();
    let path = i18n::catalog_path(Language::English);
    let mut findings = Vec::new();
    // What is no PO file, `i18n::findings` says.
    for entry in po::entries(&workspace.read(&path)?).unwrap_or_default() {
        if entry.text == entry.id {
            continue; // a string or a command out of a block of code
        }
        findings.extend(faults_of(&entry.text, &rivals).into_iter().map(
            |(byte, problem)| {
                format!("{}:{}: {problem}", path.display(), entry.line_of(byte))
            },
        ));
    }
    Ok(findings)
}

/// Code that spells as in Britain: names and comments, not what stands in strings, which may
/// be a model's input.
///
/// # Errors
///
/// If a source can't be read.
pub fn in_code(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for folder in ["chapters-code", "tools", "tests"] {
        for path in files(workspace, folder, &["rs", "js", "css", "py"])? {
            if path.ends_with("check/english.rs") {
                continue; // the British words themselves
            }
            let found = british_lines(&workspace.read(&path)?);
            findings.extend(found.into_iter().map(|(line, word)| {
                format!(
                    "{}:{line}: {word:?} is British: code is American",
                    path.display()
                )
            }));
        }
    }
    Ok(findings)
}

/// The British words of a source, each with its 1-based line.
fn british_lines(source: &str) -> Vec<(usize, String)> {
    static STRINGS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r##"(?s)r#".*?"#|"(?:[^"\\]|\\.)*"|'(?:"|\\")'"##));
    let blank = |text: &regex::Captures<'_>| "\n".repeat(text[0].matches('\n').count());
    let code = STRINGS.replace_all(source, blank).into_owned();
    let code = NAMES.iter().fold(code, |code, name| code.replace(name, ""));
    let code = code.replace('_', " ");
    let lines = (1..).zip(code.lines());
    let words = lines.flat_map(|(line, text)| {
        BRITISH.find_iter(text).map(move |word| (line, word.as_str().to_owned()))
    });
    words.collect()
}

/// What is wrong with a translation, with its bytes; code and formulas apart.
fn faults_of(text: &str, rivals: &Rivals) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut code = false;
    for (event, range) in markdown::events(text) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            _ => {}
        }
        if code || !matches!(event, Event::Text(_)) {
            continue;
        }
        let words = &text[range.clone()];
        let byte = |part: &regex::Match<'_>| range.start + part.start();
        found.extend(BRITISH.find_iter(words).map(|part| {
            (
                byte(&part),
                format!("{:?} is British: the edition is American", part.as_str()),
            )
        }));
        found.extend(SPACED.find_iter(words).map(|part| {
            (byte(&part), format!("{:?}: no space before %", part.as_str()))
        }));
        let straight =
            STRAIGHT.find_iter(words).filter(|part| !is_quoted(text, byte(part)));
        found.extend(straight.map(|part| {
            (byte(&part), format!("a straight {}: write ’ or “ ”", part.as_str()))
        }));
        for (pattern, problem) in rivals {
            found.extend(
                pattern.find_iter(words).map(|part| (byte(&part), problem.clone())),
            );
        }
    }
    found
}

/// Whether a byte stands in a quotation, which gives a model's input to the letter.
fn is_quoted(text: &str, byte: usize) -> bool {
    let count = |mark: char| text[..byte].matches(mark).count();
    count('“') > count('”')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_is_not_american_is_found_outside_of_strings() {
        let source = "/// The colour.\nfn grey_cells(name: &str) -> bool {\n    \
                      let \"favourite\n \\\"colour\\\"\" = r#\"\"grey\"\"#;\n    '\"' // centred\n    \
                      error.is_cancelled() // cancelled\n}\n";
        let found = [(1, "colour"), (2, "grey"), (5, "centred"), (6, "cancelled")];
        assert_eq!(
            british_lines(source),
            found.map(|(line, word)| (line, word.to_owned()))
        );
    }

    #[test]
    fn what_is_not_american_or_not_typographic_is_found() {
        let rivals = vec![(pattern(r"(?i)\bcost\b"), "say loss".to_owned())];
        for (text, found) in [
            ("The colour of neighbours", &["colour", "neighbours"][..]),
            (
                "Memorised, analysing, *towards* `colour`",
                &["Memorised", "analysing", "towards"],
            ),
            ("normalisation; {{#caption Grey `grey`}}", &["normalisation", "Grey"]),
            (
                "raise, promise, exercise, otherwise, optimism, analysis, backwards, greyhound",
                &[],
            ),
            (
                "the model's \"aim\", the model’s “aim”",
                &["straight '", "straight \"", "straight \""],
            ),
            ("“I love it, it's fantastic!” `it's` $`f'`$", &[]),
            ("```console\nls \"grey\"\n```\n", &[]),
            ("Cost, costs", &["say loss"]),
            ("63.5 % or 63.5%, `5 %`", &["5 %"]),
        ] {
            let faults = faults_of(text, &rivals);
            assert_eq!(faults.len(), found.len(), "{text}: {faults:?}");
            for ((_, problem), word) in faults.iter().zip(found) {
                assert!(problem.contains(word), "{text}: {problem}");
            }
        }
        assert_eq!(faults_of("a `b` grey", &rivals)[0].0, 6);
    }
}
