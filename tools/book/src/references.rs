//! The works that the book cites: `src/references.bib`, read by `biblatex`, and the list that a
//! page makes of it with `{{#references}}`.
//!
//! A page cites a work with a link to its key, `[Vig, 2019](references.md#vig2019)`. In a
//! notebook, which has no list, the link leads to the work itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use biblatex::{Bibliography, Chunk, ChunksExt, Entry, Spanned};
use mdbook_markdown::pulldown_cmark::{Event, Tag};

use crate::figure::escape;
use crate::markdown;
use crate::page;
use crate::render::Words;
use crate::workspace::{Language, Workspace, forward};

/// The list's page in `src/`.
pub const PAGE: &str = "references.md";

/// The file that holds the works, relative to the root.
pub const SOURCE: &str = "src/references.bib";

/// A work that the book cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What links call it: `vaswani2017`.
    pub key: String,
    /// Its authors, the family name first: `Vig, Jesse`.
    pub authors: Vec<String>,
    /// Whether it has more authors than these.
    pub others: bool,
    /// Its title.
    pub title: String,
    /// The journal or the proceedings that it is in.
    pub venue: Option<String>,
    /// The year that citations give.
    pub year: String,
    /// Where it is read.
    pub address: String,
    /// What that address is called: `arXiv:1706.03762`, `doi:10.1145/1498765.1498785`.
    pub label: String,
}

/// All works, in the order of the list.
///
/// # Errors
///
/// If the file can't be read, is no BibLaTeX, or an entry lacks what a citation needs.
pub fn works(workspace: &Workspace) -> Result<Vec<Work>> {
    let path = Path::new(SOURCE);
    parse(&workspace.read(path)?).with_context(|| path.display().to_string())
}

fn parse(source: &str) -> Result<Vec<Work>> {
    let entries = Bibliography::parse(source).map_err(|error| {
        let line = markdown::line_of(source, error.span.start.min(source.len()));
        anyhow!("line {line}: {}", error.kind)
    })?;
    let works = entries.iter().map(|entry| {
        Work::new(entry).with_context(|| format!("the entry {:?}", entry.key))
    });
    let mut works: Vec<Work> = works.collect::<Result<_>>()?;
    works.sort_by(|a, b| (&a.authors, &a.year).cmp(&(&b.authors, &b.year)));
    Ok(works)
}

impl Work {
    fn new(entry: &Entry) -> Result<Self> {
        let field = |name: &str| entry.get(name).map(text);
        let named = |name: &str| field(name).with_context(|| format!("no {name}"));
        let mut authors: Vec<String> = entry
            .author()
            .map_err(|_| anyhow!("no author, which a citation names"))?
            .into_iter()
            .map(|person| match person.given_name.as_str() {
                "" => person.name,
                given => format!("{}, {given}", person.name),
            })
            .collect();
        let others = authors.last().is_some_and(|name| name == "others");
        authors.truncate(authors.len() - usize::from(others));
        ensure!(!authors.is_empty(), "no author, which a citation names");
        let (address, label) = address(entry, &field)?;
        Ok(Self {
            key: entry.key.clone(),
            authors,
            others,
            title: named("title")?,
            venue: field("journaltitle").or_else(|| field("booktitle")),
            year: named("year")?,
            address,
            label,
        })
    }

    /// The family name of the first author.
    #[must_use]
    pub fn family(&self) -> &str {
        let first = self.authors.first().map(String::as_str).unwrap_or_default();
        first.split(',').next().unwrap_or(first)
    }

    /// An item of the list; `chapters` are those that cite it.
    fn html(&self, words: &Words, chapters: &[Citing]) -> String {
        let mut authors = self.authors.join("; ");
        if self.others {
            authors = format!("{authors} {}", words.et_al);
        }
        let venue = self.venue.as_ref().map(|venue| format!("{}, ", escape(venue)));
        let cited: Vec<String> = chapters.iter().map(Citing::html).collect();
        let cited = if cited.is_empty() {
            String::new()
        } else {
            let (words, cited) = (words.cited, cited.join(", "));
            format!(" <span class=\"cited\">{words}: {cited}</span>")
        };
        format!(
            "<li id=\"{}\">{}. <cite lang=\"en\">{}</cite>. {}{}. \
             <a href=\"{}\">{}</a>.{cited}</li>",
            escape(&self.key),
            escape(authors.trim_end_matches('.')),
            escape(&self.title),
            venue.unwrap_or_default(),
            escape(&self.year),
            escape(&self.address),
            escape(&self.label),
        )
    }
}

/// Where a work is read, and what that is called.
fn address(
    entry: &Entry,
    field: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, String)> {
    if let Some(doi) = field("doi") {
        return Ok((format!("https://doi.org/{doi}"), format!("doi:{doi}")));
    }
    if let Some(id) = field("eprint") {
        let of = field("eprinttype").unwrap_or_default();
        ensure!(
            of.eq_ignore_ascii_case("arxiv"),
            "an eprint of {of:?}: the list knows arXiv, a doi and a url"
        );
        return Ok((format!("https://arxiv.org/abs/{id}"), format!("arXiv:{id}")));
    }
    let url = entry.url().map_err(|_| anyhow!("no doi, eprint or url"))?;
    let host = url.split('/').nth(2).unwrap_or(&url).to_owned();
    Ok((url, host))
}

/// The words of a field, without the braces that keep capitals.
fn text(chunks: &[Spanned<Chunk>]) -> String {
    chunks.format_verbatim().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A page that cites a work.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Citing {
    page: PathBuf,
    number: String,
}

impl Citing {
    fn html(&self) -> String {
        let page = forward(self.page.strip_prefix("src").unwrap_or(&self.page));
        format!("<a href=\"{}\">{}</a>", escape(&page), escape(&self.number))
    }
}

/// The list of all works, as HTML without a blank line, each with the chapters that cite it.
///
/// # Errors
///
/// If the works or a page can't be read.
pub fn list(workspace: &Workspace, language: Language) -> Result<String> {
    let words = Words::of(language);
    let citing = citing(workspace)?;
    let items: Vec<String> = works(workspace)?
        .iter()
        .map(|work| work.html(&words, citing.get(&work.key).map_or(&[], |c| c)))
        .collect();
    Ok(format!("<ul class=\"references\">\n{}\n</ul>", items.join("\n")))
}

/// The chapters that cite each work, by its key, in the book's order.
fn citing(workspace: &Workspace) -> Result<BTreeMap<String, Vec<Citing>>> {
    let mut found: BTreeMap<String, Vec<Citing>> = BTreeMap::new();
    for page in workspace.pages()? {
        let number = page::chapter_number(&page).trim_end_matches('.').to_owned();
        if number.is_empty() {
            continue;
        }
        for key in keys(&workspace.read(&page)?) {
            let citing = Citing { page: page.clone(), number: number.clone() };
            let pages = found.entry(key).or_default();
            if !pages.contains(&citing) {
                pages.push(citing);
            }
        }
    }
    Ok(found)
}

/// The keys that the links of a page name.
pub(crate) fn keys(text: &str) -> Vec<String> {
    let links = markdown::events(text).filter_map(|(event, _)| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    links.filter_map(|link| key(&link).map(str::to_owned)).collect()
}

/// The key that a link to the list names.
#[must_use]
pub fn key(link: &str) -> Option<&str> {
    link.strip_prefix(PAGE)?.strip_prefix('#')
}

/// Where a notebook's citation leads, if the path (relative to the root) is the list: to the
/// work.
///
/// # Errors
///
/// If the works can't be read or none has this key.
pub fn address_of(
    workspace: &Workspace,
    page: &Path,
    key: &str,
) -> Result<Option<String>> {
    if page != Path::new("src").join(PAGE) || key.is_empty() {
        return Ok(None);
    }
    let found = works(workspace)?.into_iter().find(|work| work.key == key);
    let work = found.with_context(|| format!("{SOURCE} has no work {key:?}"))?;
    Ok(Some(work.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIG: &str = "@misc{vig2019, author = {Vig, Jesse}, title = {A {BERT} & more}, \
                       year = {2019}, eprint = {1906.05714}, eprinttype = {arxiv}}\n";

    #[test]
    fn an_entry_becomes_an_item() {
        let more = "@article{b2009, author = {B, Ann and C, Dan and others}, title = {T}, \
                    journaltitle = {J}, year = {2009}, doi = {10.1/2}}\n\
                    @online{a2021, author = {A, E.}, title = {T}, year = {2021}, \
                    url = {https://example.org/a}}";
        let works = parse(&format!("{VIG}{more}")).unwrap();
        let keys: Vec<&str> = works.iter().map(|work| work.key.as_str()).collect();
        assert_eq!(keys, ["a2021", "b2009", "vig2019"]);
        assert_eq!(works[2].family(), "Vig");
        let citing = Citing { page: "src/ch07-a.md".into(), number: "7".into() };
        let words = Words::of(Language::Portuguese);
        assert_eq!(
            works[2].html(&words, &[citing]),
            "<li id=\"vig2019\">Vig, Jesse. <cite lang=\"en\">A BERT &amp; more</cite>. 2019. \
             <a href=\"https://arxiv.org/abs/1906.05714\">arXiv:1906.05714</a>. \
             <span class=\"cited\">Citado em: <a href=\"ch07-a.md\">7</a></span></li>"
        );
        assert_eq!(
            works[1].html(&Words::of(Language::English), &[]),
            "<li id=\"b2009\">B, Ann; C, Dan et al. <cite lang=\"en\">T</cite>. J, 2009. \
             <a href=\"https://doi.org/10.1/2\">doi:10.1/2</a>.</li>"
        );
        assert_eq!(works[0].label, "example.org");
    }

    #[test]
    fn an_entry_that_lacks_something_is_named() {
        for (from, to, problem) in [
            ("year = {2019}, ", "", "the entry \"vig2019\": no year"),
            ("author = {Vig, Jesse}, ", "", "the entry \"vig2019\": no author"),
            ("title = {A {BERT} & more}, ", "", "the entry \"vig2019\": no title"),
            ("eprint = {1906.05714}, ", "", "the entry \"vig2019\": no doi"),
            ("{arxiv}", "{hal}", "the entry \"vig2019\": an eprint of \"hal\""),
            ("{Vig, Jesse}", "{Vig", "line "),
        ] {
            let error = format!("{:#}", parse(&VIG.replace(from, to)).unwrap_err());
            assert!(error.starts_with(problem), "{error}");
        }
    }

    #[test]
    fn a_link_s_key_is_what_follows_the_page() {
        assert_eq!(
            keys("a ([V, 2019](references.md#vig2019), [b](c.md#d))"),
            ["vig2019"]
        );
        assert_eq!(key("references.md"), None);
    }
}
