//! A chapter's notebook as a page of the site: what its link opens, with the file to download.
//!
//! The page shows the cells as they are in the file. It needs no script, and wears the styles of
//! the book's own pages, whose readers have them already.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use nbformat::v4::Notebook;
use scraper::{Html, Selector};

use crate::address::Address;
use crate::edition::Edition;
use crate::figure::escape;
use crate::notebook;
use crate::polish::styles::LETTERS;
use crate::polish::{self, access};
use crate::preprocess::{built_page, language_link, launchers, link, up_to_site};
use crate::search::sections::sections;
use crate::workspace::{Chapter, Language, Workspace};

mod cells;
mod pictures;

/// What the page has beyond the book's styles.
const STYLE: &str = include_str!("viewer/page.css");

/// Wears the theme that was chosen on the book's pages. Without it, the page wears the system's.
const THEME: &str = include_str!("viewer/theme.js");

/// The words that the page itself says.
struct Words {
    bar: &'static str,
    chapter: &'static str,
    download: &'static str,
    at_home: &'static str,
    description: &'static str,
    /// Under the picture of what moves.
    still: &'static str,
}

impl Words {
    fn of(language: Language) -> Self {
        match language {
            Language::Portuguese => Self {
                bar: "Este notebook em outras formas",
                chapter: "A página do capítulo",
                download: "Baixar o notebook",
                at_home: "Para executá-lo em casa, com todos os outros, na pasta do livro:",
                description: "O notebook executado do capítulo, célula por célula",
                still: "Figura parada: a vista responde na página do capítulo e no Jupyter.",
            },
            Language::English => Self {
                bar: "This notebook in other forms",
                chapter: "The chapter’s page",
                download: "Download the notebook",
                at_home: "To run it at home, with all the others, in the book’s folder:",
                description: "The chapter’s notebook, executed, cell by cell",
                still: "A still picture: the view answers on the chapter’s page and in Jupyter.",
            },
        }
    }
}

/// Writes the page of a chapter's notebook beside the notebook, which is in the site already, as
/// the chapter's page is.
///
/// # Errors
///
/// If the notebook is none, or a file can't be read or written.
pub fn save(
    workspace: &Workspace,
    site: &Path,
    edition: &Edition,
    chapter: &Chapter,
) -> Result<()> {
    let language = edition.language;
    let file = site.join(chapter.notebook(language));
    let page = Page { workspace, chapter, edition };
    let notebook = notebook::read(&file)?;
    let bytes = fs::metadata(&file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .len();
    let html = page
        .html(&notebook, bytes, &page.styles(site)?)
        .with_context(|| format!("no page of {}", file.display()))?;
    let folder = file.parent().unwrap_or(site);
    let html = pictures::beside(&html, folder)?;
    polish::write(&file.with_extension("html"), &html)
}

/// The page of a notebook.
struct Page<'a> {
    workspace: &'a Workspace,
    chapter: &'a Chapter,
    edition: &'a Edition,
}

impl Page<'_> {
    fn language(&self) -> Language {
        self.edition.language
    }

    fn html(&self, notebook: &Notebook, bytes: u64, styles: &str) -> Result<String> {
        let cells = access::of_any_page(&cells::html(notebook, self.language())?);
        let (title, cells) = cells.split_once("</h1>").context("it has no title")?;
        let (title, cells) = (format!("{title}</h1>"), cells.trim_start());
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n{}{styles}{LETTERS}\
             <style>\n{STYLE}</style>\n<script>\n{THEME}</script>\n</head>\n\
             <body>\n<div class=\"content notebook\">\n<main>\n{title}\n{}{cells}\
             </main>\n</div>\n</body>\n</html>\n",
            self.language().tag(),
            self.head(&title),
            self.bar(bytes),
        ))
    }

    /// What the page says of itself. A search is to find the chapter's own page.
    fn head(&self, title: &str) -> String {
        let sections = sections(&format!("<main>{title}</main>"));
        let title = sections.first().map_or("", |section| &section.title);
        let description = Words::of(self.language()).description;
        let address = self.workspace.repository.as_deref().and_then(Address::of);
        let canonical = address.map(|address| {
            let page = address.page(self.language(), &self.chapter_page(), false);
            format!("<link rel=\"canonical\" href=\"{}\">\n", escape(&page))
        });
        format!(
            "<meta charset=\"utf-8\">\n<title>{0} (notebook) - {1}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"description\" content=\"{description}: {0}\">\n{2}",
            escape(title),
            escape(&self.edition.title.title),
            canonical.unwrap_or_default(),
        )
    }

    /// The bar below the title, and how to run the notebook.
    fn bar(&self, bytes: u64) -> String {
        let (language, words) = (self.language(), Words::of(self.language()));
        let notebook = self.chapter.notebook(language);
        let file = format!("{}.ipynb", self.chapter.name);
        let download =
            format!("{} (.ipynb, {} kB)", words.download, bytes.div_ceil(1000));
        let chapter = cells::on_site(language, &self.chapter_page());
        let mut items = vec![
            link(&chapter, words.chapter, ""),
            link(&file, &download, " download"),
        ];
        items.extend(launchers(self.workspace.repository.as_deref(), &notebook));
        let page = format!("{}.html", self.chapter.name);
        items.push(language_link(
            &up_to_site(Path::new(&page), language),
            &page,
            language,
        ));
        format!(
            "<nav class=\"lives\" aria-label=\"{}\">{}</nav>\n\
             <p class=\"at-home\">{} <code>cargo book lab</code></p>\n",
            words.bar,
            items.join(" "),
            words.at_home,
        )
    }

    /// The chapter's page, a path in its edition.
    fn chapter_page(&self) -> PathBuf {
        let page = self.chapter.page();
        built_page(page.strip_prefix("src").unwrap_or(page))
    }

    /// The styles of the chapter's page, and its icon. What both editions have is at the site's root,
    /// where the Portuguese page has it from.
    fn styles(&self, site: &Path) -> Result<String> {
        static STYLES: LazyLock<Selector> = LazyLock::new(|| {
            Selector::parse("link[rel=icon], link[rel=stylesheet]")
                .expect("a valid selector")
        });
        let page = polish::read(&site.join(self.chapter_page()))?;
        let head = page.split("</head>").next().unwrap_or_default();
        let head = Html::parse_document(head);
        let up = self.language().notebooks_to_root();
        let styles = head.select(&STYLES).filter_map(|style| {
            let [rel, href] = ["rel", "href"].map(|name| style.attr(name));
            let href = escape(href?.trim_start_matches("../"));
            Some(format!("<link rel=\"{}\" href=\"{up}/{href}\">\n", rel?))
        });
        Ok(styles.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::edition::Title;

    /// The page of a notebook in a site of one chapter.
    fn page(repository: Option<&str>, language: Language) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut workspace = Workspace::at(&root).unwrap();
        workspace.repository = repository.map(str::to_owned);
        let chapter = Chapter::of(Path::new("src/part/ch01-a.md"));
        let site = tempfile::tempdir().unwrap();
        let write = |path: &Path, text: &str| {
            let path = site.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let head = "<head><link rel=\"stylesheet\" href=\"../styles-1.css\"></head>";
        write(Path::new("part/ch01-a.html"), head);
        let notebook = json!({
            "cells": [{
                "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A < `b`\n\nc",
            }],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
        });
        write(&chapter.notebook(language), &notebook.to_string());
        let edition = Edition {
            folder: site.path().join(language.folder()),
            language,
            title: Title { title: "The \"book\"".into(), ..Title::default() },
            pages: vec!["part/ch01-a.html".into()],
        };
        save(&workspace, site.path(), &edition, &chapter).unwrap();
        let page = chapter.notebook(language).with_extension("html");
        fs::read_to_string(site.path().join(page)).unwrap()
    }

    #[test]
    fn a_notebook_has_a_page_beside_it() {
        let html = page(None, Language::English);
        for part in [
            "<html lang=\"en\">",
            "<title>A &lt; b (notebook) - The &quot;book&quot;</title>",
            "<link rel=\"stylesheet\" href=\"../../styles-1.css\">",
            "<code translate=\"no\">b</code></h1>\n<nav class=\"lives\" aria-label=\"This",
            "<a href=\"../../en/part/ch01-a.html\">The chapter’s page</a>",
            "<a href=\"ch01-a.ipynb\" download>Download the notebook (.ipynb, 1 kB)</a>",
            "href=\"../ch01-a.html\">Português</a></nav>",
            "<code>cargo book lab</code></p>\n<p>c</p>\n</main>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        for absent in ["canonical", "colab"] {
            assert!(!html.contains(absent), "{absent} is in {html}");
        }
        let html = page(None, Language::Portuguese);
        for part in [
            "href=\"../styles-1.css\"",
            "<a href=\"../part/ch01-a.html\">A página do capítulo</a>",
            "href=\"en/ch01-a.html\">English</a></nav>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }

    #[test]
    fn a_published_notebook_opens_elsewhere_too_and_is_found_by_its_chapter() {
        let html = page(Some("https://github.com/ana/book"), Language::English);
        for part in [
            "<link rel=\"canonical\" href=\"https://ana.github.io/book/en/part/ch01-a.html\">",
            "colab.research.google.com/github/ana/book/blob/main/notebooks/en/ch01-a.ipynb",
            "mybinder.org/v2/gh/ana/book/main?labpath=notebooks/en/ch01-a.ipynb",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
