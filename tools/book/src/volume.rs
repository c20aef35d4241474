//! The book as a volume, for paper and for e-readers: an edition's pages in one piece, with
//! nothing folded. A fold's content goes where a reader without folds looks for it: answers,
//! hints and the code of figures to the end of their chapter, solutions to an appendix.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use scraper::{Html, Selector};

use crate::edition::{Edition, Title, side_by_side};
use crate::workspace::Language;

pub mod clean;
pub mod cover;
pub mod epub;
pub mod notes;
pub mod pdf;
pub mod print;
pub mod tree;

use tree::{Element, Node};

/// The volumes that a site offers beside its pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// For e-readers.
    pub epub: bool,
    /// For paper; made by Chromium.
    pub pdf: bool,
}

impl Offers {
    /// What an edition's volumes are called, below its folder: file names and the words of
    /// the links to them.
    #[must_use]
    pub fn files(self, language: Language) -> Vec<(String, &'static str)> {
        let words = Words::of(language);
        let kinds = [(self.pdf, "pdf", words.pdf), (self.epub, "epub", words.epub)];
        let offered = kinds.into_iter().filter(|(offered, ..)| *offered);
        offered
            .map(|(_, kind, text)| (format!("{}.{kind}", words.file), text))
            .collect()
    }
}

/// The words that a volume has and a page has not.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The files' name, without its extension.
    pub file: &'static str,
    /// Links to the volume for paper.
    pub pdf: &'static str,
    /// Links to the volume for e-readers.
    pub epub: &'static str,
    /// Titles the table of contents.
    pub contents: &'static str,
    /// Stands before a chapter's number.
    pub chapter: &'static str,
    /// Stands before an appendix's number.
    pub appendix: &'static str,
    /// Titles the answers to a chapter's questions.
    pub answers: &'static str,
    /// Links a question to its answer.
    pub answer: &'static str,
    /// Titles the hints for a chapter's exercises.
    pub hints: &'static str,
    /// Links an exercise to its hints.
    pub hint: &'static str,
    /// Titles the code that draws a chapter's figures.
    pub drawings: &'static str,
    /// Links a figure to its code.
    pub drawing: &'static str,
    /// Titles the appendix of solutions.
    pub solutions: &'static str,
    /// Links an exercise to its solution.
    pub solution: &'static str,
    /// Stands before the number of a page.
    pub page: &'static str,
    /// Says under which license the prose is.
    pub license: &'static str,
    /// Says, for those who choose a book by it, what its figures and formulas offer.
    pub accessibility: &'static str,
}

impl Words {
    /// The words of a language.
    #[must_use]
    pub fn of(language: Language) -> Self {
        match language {
            Language::Portuguese => Self {
                file: "atencao-em-rust",
                pdf: "Para imprimir (PDF)",
                epub: "Para leitores de e-books (EPUB)",
                contents: "Sumário",
                chapter: "Capítulo",
                appendix: "Apêndice",
                answers: "Respostas às perguntas",
                answer: "A resposta",
                hints: "Dicas para os exercícios",
                hint: "Dicas",
                drawings: "Como as figuras são feitas",
                drawing: "O código da figura",
                solutions: "Soluções dos exercícios",
                solution: "Solução",
                page: "p.",
                license: "Texto e desenhos: CC BY 4.0. Código: MIT ou Apache-2.0.",
                accessibility: "Toda figura tem uma descrição em palavras, as fórmulas são \
                                MathML, e o sumário leva a cada seção.",
            },
            Language::English => Self {
                file: "attention-in-rust",
                pdf: "To print (PDF)",
                epub: "For e-readers (EPUB)",
                contents: "Contents",
                chapter: "Chapter",
                appendix: "Appendix",
                answers: "Answers to the questions",
                answer: "The answer",
                hints: "Hints for the exercises",
                hint: "Hints",
                drawings: "How the figures are made",
                drawing: "The figure’s code",
                solutions: "Solutions to the exercises",
                solution: "Solution",
                page: "p.",
                license: "Text and drawings: CC BY 4.0. Code: MIT or Apache-2.0.",
                accessibility: "Every figure has a description in words, formulas are MathML, \
                                and the table of contents leads to every section.",
            },
        }
    }
}

/// An edition in one piece.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Its language.
    pub language: Language,
    /// What it is called.
    pub title: Title,
    /// Its pages, in the order of reading; the solutions are the last.
    pub pages: Vec<Page>,
}

/// A page of the book in a volume: a chapter, an appendix, the preface…
#[derive(Debug, Clone)]
pub struct Page {
    /// The stem of its file, which links call it by.
    pub name: String,
    /// `Capítulo 1`, where it has a number.
    pub label: Option<String>,
    /// Its title.
    pub title: String,
    /// What stands on it, its heading first.
    pub body: Vec<Node>,
}

/// A heading of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its page's name.
    pub page: String,
    /// 1 for a page's title, 2 for a section.
    pub level: u8,
    /// What links call it.
    pub id: String,
    /// Its words.
    pub text: String,
}

/// The name of the page with the solutions.
pub const SOLUTIONS: &str = "solutions";

impl Volume {
    /// An edition in one piece.
    ///
    /// # Errors
    ///
    /// If a page can't be read, or a link leads to a page or a part that is not there.
    pub fn read(edition: &Edition) -> Result<Self> {
        let Edition { folder, language, title, pages } = edition;
        let words = Words::of(*language);
        let names: Vec<String> = pages.iter().map(|page| name_of(page)).collect();
        let mut read = Vec::new();
        let mut solutions = Vec::new();
        for (file, name) in pages.iter().zip(&names) {
            let body = main_of(&folder.join(file))?;
            let body = clean::clean(body, name, &names);
            let title = title_of(&body).with_context(|| {
                format!("{}: a page begins with its title", file.display())
            })?;
            let label = label(name, &words);
            let taken = notes::take(name, body, &words);
            if !taken.solutions.is_empty() {
                let heading = match &label {
                    Some(label) => format!("{label}: {title}"),
                    None => title.clone(),
                };
                solutions.push((heading, taken.solutions));
            }
            read.push(Page { name: name.clone(), label, title, body: taken.body });
        }
        read.push(notes::appendix(solutions, &words));
        let volume = Self { language: *language, title: title.clone(), pages: read };
        volume.check_links()?;
        Ok(volume)
    }

    /// The headings of pages and of their sections, in the order of reading.
    #[must_use]
    pub fn headings(&self) -> Vec<Heading> {
        let mut headings = Vec::new();
        for page in &self.pages {
            tree::visit(&page.body, &mut |element| {
                let Some(level @ 1..=2) = element.heading() else { return };
                headings.push(Heading {
                    page: page.name.clone(),
                    level,
                    id: element.attr("id").unwrap_or_default().to_owned(),
                    text: tree::text(&spoken(&element.children)),
                });
            });
        }
        headings
    }

    /// Every link leads to a page and a part that are there, and no part is there twice.
    fn check_links(&self) -> Result<()> {
        let mut ids = std::collections::HashSet::new();
        for page in &self.pages {
            ids.insert(file_name(&page.name));
            let mut twice = None;
            tree::visit(&page.body, &mut |element| {
                let Some(id) = element.attr("id") else { return };
                if !ids.insert(format!("{}#{id}", file_name(&page.name))) {
                    twice = Some(id);
                }
            });
            ensure!(twice.is_none(), "{}: two parts are called {twice:?}", page.name);
        }
        for page in &self.pages {
            let mut lost = None;
            tree::visit(&page.body, &mut |element| {
                let href = element.attr("href").filter(|_| element.name == "a");
                if let Some(href) = href.filter(|href| is_internal(href))
                    && !ids.contains(href)
                {
                    lost = Some(href);
                }
            });
            ensure!(lost.is_none(), "{}: a link leads nowhere: {lost:?}", page.name);
        }
        Ok(())
    }
}

/// Makes the volumes of the editions beside their pages, all at the same time: most of it is
/// waiting for Chromium.
///
/// # Errors
///
/// If an edition makes no volume, or Chromium prints it other than it should.
pub fn write(editions: &[Edition], offers: Offers) -> Result<()> {
    side_by_side(editions, |edition| {
        let tag = edition.language.tag();
        write_one(edition, offers)
            .with_context(|| format!("the {tag} edition makes no volume"))
    })?;
    Ok(())
}

fn write_one(edition: &Edition, offers: Offers) -> Result<()> {
    let volume = Volume::read(edition)?;
    let path = edition.folder.join(Words::of(edition.language).file);
    if offers.epub {
        let (path, epub) = (path.with_extension("epub"), epub::epub(&volume)?);
        fs::write(&path, epub)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if offers.pdf {
        print::print(&volume, &edition.folder, &path.with_extension("pdf"))?;
    }
    Ok(())
}

/// What a page's file is called in a volume, and what links to it begin with.
#[must_use]
pub fn file_name(page: &str) -> String {
    format!("{page}.xhtml")
}

/// Whether a link leads to a part of the volume.
#[must_use]
pub fn is_internal(href: &str) -> bool {
    href.split('#').next().is_some_and(|file| {
        !file.contains(':')
            && Path::new(file).extension().is_some_and(|extension| extension == "xhtml")
    })
}

/// A page's name: the path of its file, without its extension.
pub(crate) fn name_of(page: &Path) -> String {
    let stem = page.with_extension("");
    let parts: Vec<_> = stem.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("-")
}

/// What stands on a built page, without what mdBook puts around it.
fn main_of(path: &Path) -> Result<Vec<Node>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let page = Html::parse_document(&text);
    let main = Selector::parse("main").expect("a valid selector");
    let main = page.select(&main).next();
    let main = main.with_context(|| format!("{} has no <main>", path.display()))?;
    Ok(tree::read(main))
}

fn title_of(body: &[Node]) -> Option<String> {
    let first = body.iter().find_map(Node::element)?;
    (first.heading() == Some(1)).then(|| tree::text(&spoken(&first.children)))
}

/// `Capítulo 1` for `ch01-…`, `Apêndice 1` for `a1-…`.
pub(crate) fn label(name: &str, words: &Words) -> Option<String> {
    let short = name.split('-').next()?;
    let letters = short.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u32 = short[letters.len()..].parse().ok()?;
    let kind = if letters == "ch" { words.chapter } else { words.appendix };
    Some(format!("{kind} {number}"))
}

/// Nodes with each formula as the words that say it once.
fn spoken(nodes: &[Node]) -> Vec<Node> {
    tree::rewrite(nodes.to_vec(), &mut |element| match clean::formula(&element) {
        Some(formula) => vec![Node::text(plain(&formula.tex))],
        None => vec![Element::into(element)],
    })
}

/// A formula where only letters can stand: `d_k` as it is, `\sqrt{d_k}` as `√d_k`.
fn plain(tex: &str) -> String {
    tex.replace("\\sqrt", "√").replace(['{', '}', '\\'], "")
}
