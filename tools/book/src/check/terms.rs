//! The book's terms: the glossary says where each is explained, and no page uses it before.
//!
//! An entry of `src/glossary.md` is a list item that begins with the term, as a bold link to
//! the section that explains it (a page without `#…`: its opening, above the first section).
//! Entries stand in the order in which the book explains them:
//!
//! ```text
//! - **[query](ch01-self-attention.md#uma-pergunta)**: what a word looks for in others.
//!   <!-- forms: queries -->
//! ```
//!
//! `forms` adds other ways to write the term. `only` gives those that stand instead of it,
//! where it is an everyday word, too (`passo`). A form with a capital is looked for as it is
//! written, one with a backtick in code and formulas, any other in prose of either case.
//!
//! Before the section that explains it, a term may stand
//! - in a sentence that announces it: one that links to the explaining page, or says
//!   "capítulo 3", "próximo capítulo", "próxima seção" or "mais adiante" where that is so;
//! - in the title and the opening of the explaining page, which say what is to come;
//! - in pictures' texts, code, formulas and comments, which are not prose;
//! - inside a longer term ("entropia" in "entropia cruzada"), or if another entry, explained
//!   earlier, has the same form: a word with two meanings is only held to its first.

use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;

use super::glossary::{
    self, GLOSSARY, Page, Place, Sentence, Term, entries, pattern, sentences,
};
use crate::workspace::Workspace;

/// Terms used before they are explained, and entries of the glossary that don't say where
/// that is.
///
/// # Errors
///
/// If a page or the glossary can't be read.
pub fn early(workspace: &Workspace) -> Result<Vec<String>> {
    let (glossary, pages) = glossary::read(workspace)?;
    Ok(faults(&glossary, &pages))
}

fn faults(glossary: &str, pages: &[Page]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut terms: Vec<Term> = Vec::new();
    for (line, entry) in entries(glossary) {
        let found = Term::new(line, &entry, pages);
        let last = terms.last().map(|term| term.place);
        let problem = match found {
            Err(problem) => problem,
            Ok(term) if last > Some(term.place) => format!(
                "{:?} is explained before the entry above it: put it in the book's order",
                term.forms[0]
            ),
            Ok(term) => {
                terms.push(term);
                continue;
            }
        };
        findings.push(format!("src/{GLOSSARY}:{line}: {problem}"));
    }
    for term in &terms {
        findings.extend(term.faults(&terms, pages));
    }
    findings
}

static CHAPTERS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"capítulos? (\d+(?:(?:, | e )\d+)*)"));

impl Term {
    /// Whether the section that should explain the term has it not, and where it is used
    /// before.
    fn faults(&self, terms: &[Self], pages: &[Page]) -> Vec<String> {
        let mut findings = Vec::new();
        let home = &pages[self.place.0].sections[self.place.1].sentences;
        if !home.iter().any(|s| self.forms.iter().any(|form| s.has(form, &[]))) {
            findings.push(format!(
                "src/{GLOSSARY}:{}: {} does not speak of {:?}",
                self.line, self.target, self.forms[0]
            ));
        }
        let forms = self.forms.iter().filter(|form| !self.is_second(form, terms));
        let forms: Vec<(&String, Vec<&str>)> =
            forms.map(|form| (form, longer(form, terms))).collect();
        for (place, sentence) in sentences(pages).take_while(|(p, _)| *p < self.place) {
            let used = forms.iter().find(|(form, longer)| sentence.has(form, longer));
            let Some((form, _)) = used else { continue };
            let opening = place == (self.place.0, 0);
            if !opening && !self.announced(place, sentence, pages) {
                findings.push(format!(
                    "src/{}:{}: {form:?} is used before {} explains it: say it in other words, \
                     or name that chapter in the same sentence",
                    pages[place.0].file, sentence.line, self.target
                ));
            }
        }
        findings
    }

    /// Whether a form has another meaning, explained earlier.
    fn is_second(&self, form: &str, terms: &[Self]) -> bool {
        let has = |other: &Self| other.forms.iter().any(|other| other == form);
        terms.iter().any(|other| other.place < self.place && has(other))
    }

    /// Whether a sentence says where the term will be explained.
    fn announced(&self, place: Place, sentence: &Sentence, pages: &[Page]) -> bool {
        let raw = &sentence.raw;
        let file = &pages[self.place.0].file;
        let chapter = file.strip_prefix("ch").and_then(|rest| rest.split('-').next());
        let chapter: Option<usize> = chapter.and_then(|number| number.parse().ok());
        let named = CHAPTERS.captures_iter(raw).any(|found| {
            let mut numbers = found[1].split(|c: char| !c.is_ascii_digit());
            numbers.any(|number| chapter.is_some() && number.parse().ok() == chapter)
        });
        let says = |words: &[&str]| words.iter().any(|words| raw.contains(words));
        let here = place.0 == self.place.0;
        named
            || raw.contains(&format!("]({file}"))
            || place.0 + 1 == self.place.0 && says(&["próximo capítulo"])
            || here && says(&["próxima seção", "mais adiante"])
    }
}

/// The forms of terms that a form is a part of.
fn longer<'a>(form: &str, terms: &'a [Term]) -> Vec<&'a str> {
    let forms = terms.iter().flat_map(|term| &term.forms).map(String::as_str);
    forms.filter(|other| other.len() > form.len() && other.contains(form)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Block, Located};

    fn page(file: &str, text: &str) -> Page {
        let block = Block::Markdown(text.to_owned());
        Page::new(file, &[Located { line: 1, block }])
    }

    /// A book of three pages, in which the second explains "gradiente" in its section
    /// "Um passo".
    fn faults_of(first: &str, second: &str) -> Vec<String> {
        let second =
            format!("# Treino\n\n{second}\n\n## Um passo\n\nO gradiente é isto.\n");
        let pages = [
            page("ch01-a.md", first),
            page("ch02-b.md", &second),
            page("ch03-c.md", "# Depois\n\nOs gradientes outra vez.\n"),
        ];
        let entry = "- **[gradiente](ch02-b.md#um-passo)**: a\n  direção.\n  \
                     <!-- forms: gradientes -->\n";
        faults(entry, &pages)
    }

    #[test]
    fn a_term_used_before_its_section_is_found_with_its_line() {
        let found = faults_of("# Um\n\nA frase.\nOs\nGradientes somem. Fim.", "");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].starts_with(
                "src/ch01-a.md:4: \"gradientes\" is used before ch02-b.md#um-passo explains it"
            ),
            "{found:#?}"
        );
        let earlier = "Abre.\n\n## Antes\n\nUm gradiente.";
        let found = faults_of("", earlier);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("src/ch02-b.md:7: "), "{found:#?}");
        let other_sentence = "O capítulo 2 dirá. O gradiente some.";
        let other_chapter = "O gradiente some, como diz o capítulo 3 ou 12.";
        let in_table = "| o capítulo 2 | a |\n|---|---|\n| gradiente | b |";
        for text in [other_sentence, other_chapter, in_table, "## Gradiente\n\na"] {
            assert_eq!(faults_of(text, "").len(), 1, "{text}");
        }
    }

    #[test]
    fn a_term_may_be_announced_and_what_is_not_prose_does_not_count() {
        for text in [
            "O gradiente, que o capítulo 2 explica, some.",
            "O gradiente (capítulos 1, 2 e 4) some.",
            "O [gradiente](ch02-b.md#um-passo) some.",
            "O gradiente, no próximo\ncapítulo, some.",
            "`gradiente`, $`gradiente`$, [a](http://gradiente), ![O\n\ngradiente](b.svg)",
            "<!-- o gradiente -->",
            "gradientezinho",
        ] {
            assert_eq!(faults_of(text, ""), [""; 0], "{text}");
        }
        for text in
            ["O gradiente abre o capítulo.", "## A\n\nO gradiente, mais adiante."]
        {
            assert_eq!(faults_of("", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn an_entry_that_leads_nowhere_is_found() {
        let pages =
            [page("ch01-a.md", "# Um\n\nA key abre.\n\n## Uma query\n\nUma query.\n")];
        let found = |entry: &str| faults(entry, &pages);
        let good = "- **[key](ch01-a.md)**: a\n- **[query](ch01-a.md#uma-query)**: b";
        assert_eq!(found(good), [""; 0]);
        let swapped: Vec<&str> = good.lines().rev().collect();
        for (entry, problem) in [
            ("- **key**: sem link", "src/glossary.md:1: an entry is"),
            ("- [key](ch01-a.md): a", "src/glossary.md:1: an entry is"),
            ("- **[key](ch02-b.md)**: a", "src/glossary.md:1: no page"),
            ("\n- **[key](ch01-a.md#a)**: a", "src/glossary.md:2: no page"),
            (
                "- **[value](ch01-a.md#uma-query)**: a",
                "src/glossary.md:1: ch01-a.md#uma-query does not speak of \"value\"",
            ),
            (&swapped.join("\n"), "src/glossary.md:2: \"key\" is explained before"),
        ] {
            let found = found(entry);
            assert_eq!(found.len(), 1, "{entry}: {found:#?}");
            assert!(found[0].starts_with(problem), "{entry}: {found:#?}");
        }
    }

    #[test]
    fn a_word_may_have_more_uses_than_its_term() {
        let first =
            page("ch01-a.md", "# Um\n\nO passo é curto. A GELU. Um kernel, `[CLS]`.");
        let second = "# Dois\n\na\n\n## A\n\nUma entropia cruzada e um passo de treino.\n\n\
                      ## B\n\nA entropia. Outro kernel. A `gelu`, uma gelu, `[CLS]`, $`d_k`$.";
        let pages = [first, page("ch02-b.md", second)];
        let entry = |term: &str, link: &str, forms: &str| {
            format!("- **[{term}](ch0{link})**: a\n  {forms}\n")
        };
        let glossary = [
            entry("kernel", "1-a.md", ""),
            entry("entropia cruzada", "2-b.md#a", ""),
            entry("passo", "2-b.md#a", "<!-- only: passo de treino -->"),
            entry("entropia", "2-b.md#b", ""),
            entry("kernel", "2-b.md#b", ""),
            entry("$`d_k`$", "2-b.md#b", ""),
        ];
        assert_eq!(faults(&glossary.concat(), &pages), [""; 0]);
        for (entry, early) in [
            (entry("`[CLS]`", "2-b.md#b", ""), true),
            (entry("gelu", "2-b.md#b", ""), true),
            (entry("passo", "2-b.md#a", ""), true),
        ] {
            assert_eq!(faults(&entry, &pages).len(), usize::from(early), "{entry}");
        }
    }
}
