//! The glossary's words on the pages: the first use of a term on a page is a link to the
//! section that teaches it, with the glossary's explanation (shown by `theme/terms.js`, read out
//! by screen readers).
//!
//! Only what an earlier page teaches is marked, so that the page that teaches a term, and those
//! before it, are as they were. A word that two entries have (`score`, `pesos`) says nothing by
//! itself, and isn't marked. The forms of a term are those of `check::terms`; in English they are
//! its translated name, the plural of that, and what `<!-- forms-en: … -->` lists, or what
//! `<!-- only-en: … -->` lists alone. In the phrases of `<!-- except: … -->` and `<!-- except-en:
//! … -->` a form is an everyday word ("in your head").

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use mdbook_markdown::pulldown_cmark::{Event, TagEnd};
use regex::Regex;

use crate::check::glossary::{entries, listed, pattern};
use crate::figure::escape;
use crate::page::{Block, Located};
use crate::render::Words;
use crate::workspace::Language;
use crate::{markdown, math};

/// The glossary of an edition.
#[derive(Debug, Clone, Default)]
pub struct Glossary {
    entries: Vec<Entry>,
    /// How each term is written, by its first letter, the longest first, with its entry: none
    /// for a form that two entries have.
    forms: BTreeMap<char, Vec<(String, Option<usize>)>>,
}

/// A term, taught somewhere.
#[derive(Debug, Clone)]
struct Entry {
    /// Its place among the book's pages.
    page: usize,
    /// The section that teaches it, as a link has it.
    target: String,
    /// The glossary's line about it, as HTML.
    explanation: String,
}

static ENTRY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^- \*\*\[(.+?)\]\(([^)#]+\.md)((?:#[^)]+)?)\)\*\*"));
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s*<!--.*?-->"));

impl Glossary {
    /// Reads the glossary's page, in the language of its edition; `pages` are the book's, as
    /// they are in `src/`, in order.
    ///
    /// # Errors
    ///
    /// If an explanation is no line of text, or `KaTeX` refuses a formula of it.
    pub fn new(text: &str, language: Language, pages: &[String]) -> Result<Self> {
        let mut glossary = Self::default();
        for (_, item) in entries(text) {
            // What is no entry, the check of terms reports.
            let Some(parts) = ENTRY.captures(&item) else { continue };
            let Some(page) = pages.iter().position(|page| *page == parts[2]) else {
                continue;
            };
            let (name, rest) = (&parts[1], &item[parts[0].len()..]);
            let line = format!("**{name}**{}", COMMENT.replace_all(rest, ""));
            let [forms, phrases] = forms(name, &item, language);
            for form in forms {
                glossary.add(form, Some(glossary.entries.len()));
            }
            for phrase in phrases {
                glossary.add(phrase, None);
            }
            glossary.entries.push(Entry {
                page,
                target: format!("{}{}", &parts[2], &parts[3]),
                explanation: math::inline_to_html(line.trim())?,
            });
        }
        for forms in glossary.forms.values_mut() {
            forms.sort_by_key(|(form, _)| Reverse(form.len()));
        }
        Ok(glossary)
    }

    /// Adds a form of an entry, or a phrase that is none of any.
    fn add(&mut self, form: String, entry: Option<usize>) {
        let Some(first) = first_letter(&form) else { return };
        let forms = self.forms.entry(first).or_default();
        match forms.iter_mut().find(|(other, _)| *other == form) {
            Some((_, other)) if *other != entry => *other = None,
            Some(_) => {}
            None => forms.push((form, entry)),
        }
    }

    /// The form that begins a text, if it ends with a word there: its length in the text, and
    /// its entry.
    fn at(&self, text: &str) -> Option<(usize, Option<usize>)> {
        let forms = self.forms.get(&first_letter(text)?)?;
        forms.iter().find_map(|(form, entry)| {
            let length = begins(text, form)?;
            let after = text[length..].chars().next();
            (!after.is_some_and(in_word)).then_some((length, *entry))
        })
    }
}

/// A text's first letter, in lower case.
fn first_letter(text: &str) -> Option<char> {
    text.chars().next()?.to_lowercase().next()
}

/// How an entry's term is written in prose, and the phrases in which it is another word.
fn forms(name: &str, item: &str, language: Language) -> [Vec<String>; 2] {
    let (only, more, except) = match language {
        Language::Portuguese => ("only", "forms", "except"),
        Language::English => ("only-en", "forms-en", "except-en"),
    };
    let mut forms = listed(item, only);
    if forms.is_empty() {
        forms.push(name.to_owned());
        if language == Language::English {
            forms.push(plural(name));
        }
    }
    forms.extend(listed(item, more));
    forms.retain(|form| !form.contains('`'));
    [forms, listed(item, except)]
}

/// The regular plural of an English noun.
fn plural(noun: &str) -> String {
    let consonant = |c: char| !"aeiou".contains(c);
    match noun.strip_suffix('y') {
        Some(stem) if stem.ends_with(consonant) => format!("{stem}ies"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// How many bytes of a text a form takes, if the text begins with it. A form with a capital is
/// meant as it is written.
fn begins(text: &str, form: &str) -> Option<usize> {
    if form.chars().any(char::is_uppercase) {
        return text.starts_with(form).then_some(form.len());
    }
    let mut left = text.chars();
    for wanted in form.chars() {
        let found = left.next()?;
        let space = found.is_whitespace() && wanted == ' ';
        if !space && !found.to_lowercase().eq([wanted]) {
            return None;
        }
    }
    Some(text.len() - left.as_str().len())
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Marks the terms in a page's blocks. What comes back stands at the page's end: the
/// explanations that the links name, out of sight; empty if there are none.
#[must_use]
pub fn mark(
    glossary: &Glossary,
    language: Language,
    page: (usize, &Path),
    blocks: &mut [Located],
) -> String {
    let (number, source) = page;
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let mut marked = BTreeSet::new();
    for located in blocks {
        let Block::Markdown(text) = &mut located.block else { continue };
        let mut links = Vec::new();
        for (range, entry) in uses(glossary, text) {
            let Entry { page, target, .. } = &glossary.entries[entry];
            if *page < number && marked.insert(entry) {
                let link = format!(
                    "<a class=\"term\" href=\"{}\" aria-describedby=\"term-{stem}-{entry}\">{}</a>",
                    escape(target),
                    &text[range.clone()],
                );
                links.push((range, link));
            }
        }
        *text = markdown::splice(text, links);
    }
    explanations(glossary, language, &stem, &marked)
}

fn explanations(
    glossary: &Glossary,
    language: Language,
    stem: &str,
    marked: &BTreeSet<usize>,
) -> String {
    if marked.is_empty() {
        return String::new();
    }
    let taught = Words::of(language).taught;
    let mut html = format!("<div class=\"terms\" data-taught=\"{taught}\" hidden>\n");
    for entry in marked {
        let Entry { explanation, .. } = &glossary.entries[*entry];
        let _ = writeln!(html, "<p id=\"term-{stem}-{entry}\">{explanation}</p>");
    }
    html + "</div>"
}

/// Where prose uses terms: no headings, links, pictures, code or formulas.
fn uses(glossary: &Glossary, text: &str) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut aside = 0; // depth in what is no prose
    let mut line: Option<Range<usize>> = None; // texts that follow one another
    for (event, range) in markdown::events(text) {
        match event {
            Event::Text(_) | Event::SoftBreak if aside == 0 => {
                let start = line.as_ref().map_or(range.start, |line| line.start);
                line = Some(start..range.end);
                continue;
            }
            Event::Start(tag) => {
                aside += usize::from(is_aside(tag.to_end()) || aside > 0);
            }
            Event::End(_) => aside = aside.saturating_sub(1),
            _ => {}
        }
        found.extend(
            line.take().into_iter().flat_map(|line| in_line(glossary, text, line)),
        );
    }
    found
}

fn is_aside(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Heading(_)
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::Strong
    )
}

/// The uses of terms in a part of a text.
fn in_line(
    glossary: &Glossary,
    text: &str,
    line: Range<usize>,
) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut at = line.start;
    let mut before = text[..at].chars().next_back();
    while let Some(c) = text[at..line.end].chars().next() {
        let starts = in_word(c) && !before.is_some_and(in_word);
        let form = starts.then(|| glossary.at(&text[at..line.end])).flatten();
        let length = form.map_or(c.len_utf8(), |(length, _)| length);
        if let Some((length, Some(entry))) = form {
            found.push((at..at + length, entry));
        }
        at += length;
        before = text[..at].chars().next_back();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOSSARY: &str = "\
- **[entropia cruzada](ch01-a.md#a)** (*cross-entropy*): $`-\\ln p`$, com
  *mais*.

- **[entropia](ch01-a.md#b)**: a.
  <!-- forms: entropias -->
  <!-- except: pura entropia -->

- **[score](ch01-a.md)** (da atenção): b.

- **[score](ch01-a.md#c)** (do rótulo): c.

- **[BERT](ch01-a.md#d)**: d.

- **[passo](ch01-a.md#e)**: e.
  <!-- only: passo de treino -->
  <!-- only-en: training step -->

- **[`Dense`](ch01-a.md#f)**: f.

- **[tile](ch03-c.md)**: g.
";

    fn glossary(language: Language) -> Glossary {
        let pages = ["ch01-a.md", "ch02-b.md", "ch03-c.md"].map(str::to_owned);
        Glossary::new(GLOSSARY, language, &pages).unwrap()
    }

    /// What is marked on the second page.
    fn marked(text: &str) -> Vec<String> {
        let block = Block::Markdown(text.to_owned());
        let mut blocks = [Located { line: 1, block }];
        let page = (1, Path::new("ch02-b.md"));
        let _ = mark(
            &glossary(Language::Portuguese),
            Language::Portuguese,
            page,
            &mut blocks,
        );
        let Block::Markdown(text) = &blocks[0].block else { unreachable!() };
        let links = text.split("<a class=\"term\" href=\"").skip(1);
        links
            .map(|link| {
                let (target, rest) = link.split_once('"').unwrap();
                let words =
                    rest.split_once('>').unwrap().1.split_once("</a>").unwrap().0;
                format!("{words} {target}")
            })
            .collect()
    }

    #[test]
    fn the_first_use_of_a_term_is_a_link_to_its_section() {
        for (text, expected) in [
            ("A Entropia. A entropia.", &["Entropia ch01-a.md#b"][..]),
            (
                "A entropia\ncruzada e as *entropias*",
                &["entropia\ncruzada ch01-a.md#a", "entropias ch01-a.md#b"],
            ),
            ("Um passo; um passo de treino", &["passo de treino ch01-a.md#e"]),
            ("O BERT, o bert, o DistilBERT, o BERT-base", &["BERT ch01-a.md#d"]),
            ("Um score, um tile, a `entropia`, `Dense`", &[]),
            ("# Entropia\n\n[entropia](a.md) ![entropia](a.png) **entropia**", &[]),
            ("```text\nentropia\n```\n\n<!-- entropia -->\n\n$`entropia`$", &[]),
            ("É pura\nentropia; entropia", &["entropia ch01-a.md#b"]),
            ("entropiazinha, anentropia, entropia_x", &[]),
            ("| entropia | b |\n|---|---|\n| c | d |", &["entropia ch01-a.md#b"]),
        ] {
            assert_eq!(marked(text), expected, "{text}");
        }
    }

    #[test]
    fn a_page_has_the_explanations_of_its_marks() {
        let prose =
            |text: &str| Located { line: 1, block: Block::Markdown(text.into()) };
        let mut blocks =
            [prose("a entropia"), prose("outra entropia cruzada, entropia")];
        let glossary = glossary(Language::Portuguese);
        let page = (2, Path::new("ch03-c.md"));
        let end = mark(&glossary, Language::Portuguese, page, &mut blocks);
        assert_eq!(end.matches("<p id=").count(), 2, "{end}");
        let start = "<div class=\"terms\" data-taught=\"Onde se explica\" hidden>\n\
                     <p id=\"term-ch03-c-0\"><strong>entropia cruzada</strong> \
                     (<em>cross-entropy</em>): <span class=\"katex\">";
        assert!(end.starts_with(start), "{end}");
        let last = "<p id=\"term-ch03-c-1\"><strong>entropia</strong>: a.</p>\n</div>";
        assert!(end.ends_with(last), "{end}");
        let Block::Markdown(first) = &blocks[0].block else { unreachable!() };
        assert!(first.contains("aria-describedby=\"term-ch03-c-1\""), "{first}");
        let first_page = (0, Path::new("ch01-a.md"));
        assert_eq!(mark(&glossary, Language::Portuguese, first_page, &mut blocks), "");
    }

    #[test]
    fn a_form_begins_over_the_end_of_a_line_and_not_over_a_hyphen() {
        for (text, bytes) in [
            ("camada\noculta, e", Some(13)),
            ("Camada oculta", Some(13)),
            ("camada-oculta", None),
            ("camada", None),
        ] {
            assert_eq!(begins(text, "camada oculta"), bytes, "{text}");
        }
    }

    #[test]
    fn english_words_have_their_plurals() {
        let glossary = glossary(Language::English);
        let forms: Vec<&str> =
            glossary.forms.values().flatten().map(|(form, _)| form.as_str()).collect();
        assert!(forms.contains(&"training step") && forms.contains(&"tiles"));
        assert!(!forms.contains(&"passo") && !forms.contains(&"passo de treino"));
        for (noun, nouns) in [
            ("query", "queries"),
            ("key", "keys"),
            ("loss", "losses"),
            ("batch", "batches"),
            ("head", "heads"),
        ] {
            assert_eq!(plural(noun), nouns);
        }
    }
}
