//! Citations: each is a link to the entry of a work, whose words say what the entry says, and
//! every entry is cited.
//!
//! A citation is `[Vig, 2019](references.md#vig2019)`. Its words give the first author, the year
//! or the title, and a year among them is the entry's. A link straight to a work (to arXiv, to a
//! DOI) and names with a year that are no link are findings: nothing would hold them to a work.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;

use super::figures::parts;
use super::glossary::pattern;
use crate::i18n;
use crate::markdown;
use crate::page;
use crate::references::{self, PAGE, SOURCE, Work};
use crate::workspace::{Language, Workspace};

/// What is wrong with the book's citations.
///
/// # Errors
///
/// If a page or the works can't be read.
pub fn unsound(workspace: &Workspace) -> Result<Vec<String>> {
    let works = references::works(workspace)?;
    let catalog = i18n::catalog(workspace, Language::English)?;
    let mut findings = Vec::new();
    let mut cited = BTreeSet::new();
    for page in workspace.pages()? {
        let source = workspace.read(&page)?;
        let translated = i18n::translate(&source, &catalog)?;
        let editions = [source, translated];
        for (language, text) in Language::ALL.into_iter().zip(editions) {
            let blocks = page::parse(workspace, &page, &text)?;
            for located in blocks {
                let text = located.block.words().unwrap_or_default();
                cited.extend(references::keys(text));
                for (byte, problem) in faults(text, &works) {
                    let line = located.line + markdown::line_of(text, byte) - 1;
                    let find = |text: &str| {
                        let mut found = faults(text, &works).into_iter();
                        found.find(|fault| fault.1 == problem).map(|(byte, _)| byte)
                    };
                    let at = i18n::place(workspace, &page, line, language, &find);
                    findings.push(format!("{at}: {problem}"));
                }
            }
        }
    }
    let idle = works.iter().filter(|work| !cited.contains(&work.key));
    findings.extend(idle.map(|work| {
        format!("{SOURCE}: no page cites {:?}: cite it or drop it", work.key)
    }));
    Ok(findings)
}

/// Where works are read.
const HOSTS: [&str; 8] = [
    "//arxiv.org/",
    "//doi.org/",
    "//dl.acm.org/",
    "//aclanthology.org/",
    "//jmlr.org/",
    "//openreview.net/",
    "//proceedings.mlr.press/",
    "//transformer-circuits.pub/",
];

static YEAR: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:19|20)\d\d\b"));
/// Names and a year, as a citation has them.
static TYPED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\p{Lu}\p{L}+ (?:e outros|et al\.|and others|(?:e|and) \p{Lu}\p{L}+),? \(?(?:19|20)\d\d\b",
    )
});

/// What is wrong with the citations of a text, with their bytes.
fn faults(text: &str, works: &[Work]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for part in parts(text) {
        let words = part.words.split_whitespace().collect::<Vec<_>>().join(" ");
        let problem = match part.target.as_deref() {
            None => TYPED.find(&words).map(|typed| {
                format!(
                    "{:?} is no link: write [{}]({PAGE}#KEY), with a key of {SOURCE}",
                    typed.as_str(),
                    typed.as_str().replace('(', "")
                )
            }),
            Some(target) => of_link(target, &words, works),
        };
        found.extend(problem.map(|problem| (part.source_of(0), problem)));
    }
    found
}

/// What is wrong with a link, if it is a citation or should be one.
fn of_link(target: &str, words: &str, works: &[Work]) -> Option<String> {
    let Some(key) = references::key(target) else {
        let work = works.iter().find(|work| work.address == target);
        let astray = work.is_some() || HOSTS.iter().any(|host| target.contains(host));
        let key = work.map_or("KEY", |work| work.key.as_str());
        return astray.then(|| {
            format!(
                "a link straight to {target}: cite the work, [{words}]({PAGE}#{key})"
            )
        });
    };
    let Some(work) = works.iter().find(|work| work.key == key) else {
        return Some(format!("{SOURCE} has no work {key:?}"));
    };
    let year = YEAR.find_iter(words).map(|year| year.as_str());
    if let Some(year) = year.into_iter().find(|year| *year != work.year) {
        return Some(format!("{key:?} is of {}, not of {year}", work.year));
    }
    let said = [work.family(), &work.title, &work.year];
    (!said.iter().any(|said| words.contains(*said))).then(|| {
        format!(
            "{words:?} names nothing of {key:?}: neither {}, nor {}, nor the title",
            work.family(),
            work.year
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn works() -> [Work; 1] {
        [Work {
            key: "jain2019".into(),
            authors: vec!["Jain, Sarthak".into(), "Wallace, Byron C.".into()],
            others: false,
            title: "Attention is not Explanation".into(),
            venue: None,
            year: "2019".into(),
            address: "https://arxiv.org/abs/1902.10186".into(),
            label: "arXiv:1902.10186".into(),
        }]
    }

    #[test]
    fn a_citation_is_a_link_that_says_what_its_entry_says() {
        let works = works();
        for text in [
            "[Jain e Wallace (2019)](references.md#jain2019) e [a\nlista](references.md)",
            "Jain e Wallace ([2019](references.md#jain2019)), como\nem 2019",
            "[*Attention is not\nExplanation*](references.md#jain2019)",
            "[a crate](https://docs.rs/pulp), `Jain e Wallace, 2019`",
        ] {
            assert_eq!(faults(text, &works), [], "{text}");
        }
        for (text, byte, problem) in [
            (
                "a [Jain, 2018](references.md#jain2019)",
                3,
                "\"jain2019\" is of 2019, not of 2018",
            ),
            (
                "[este](references.md#jain2019)",
                1,
                "\"este\" names nothing of \"jain2019\"",
            ),
            ("[Vig, 2019](references.md#vig2019)", 1, "src/references.bib has no work"),
            (
                "[este](https://arxiv.org/abs/1902.10186)",
                1,
                "a link straight to https://arxiv.org/abs/1902.10186: cite the work, \
                 [este](references.md#jain2019)",
            ),
            (
                "[x](https://doi.org/10.1/2)",
                1,
                "a link straight to https://doi.org/10.1/2",
            ),
            ("a\n\nDiz Vig e outros\n(2019).", 3, "\"Vig e outros (2019\" is no link"),
            ("(Jain and Wallace, 2019)", 0, "\"Jain and Wallace, 2019\" is no link"),
        ] {
            let found = faults(text, &works);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].0 == byte && found[0].1.starts_with(problem), "{found:?}");
        }
    }
}
