//! The mdBook preprocessor: translation first, then everything that a page is made of.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mdbook_markdown::pulldown_cmark::{Event, HeadingLevel, Tag};
use mdbook_preprocessor::book::{Book, BookItem, Chapter as BookChapter};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::check::glossary::GLOSSARY;
use crate::figure::escape;
use crate::i18n;
use crate::markdown;
use crate::notebook::{self, Outputs};
use crate::page::{self, Located};
use crate::published;
use crate::reading;
use crate::render::{self, Words};
use crate::terms::{self, Glossary};
use crate::volume::Offers;
use crate::workspace::{Chapter, Language, Workspace, forward};

/// What a build does that a plain `mdbook build` does not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Both editions, notebooks and sources are in the site: link to them.
    pub whole_site: bool,
    /// Warn about outputs older than the code instead of refusing to build.
    pub allow_stale: bool,
    /// The volumes beside the pages: the first page links to them.
    pub offers: Offers,
}

/// Turns the book's Markdown into mdBook's.
pub struct BookPreprocessor {
    workspace: Workspace,
    options: Options,
}

impl BookPreprocessor {
    /// A preprocessor for this repository.
    #[must_use]
    pub fn new(workspace: Workspace, options: Options) -> Self {
        Self { workspace, options }
    }

    /// Renders one chapter of mdBook's book.
    fn render(
        &self,
        chapter: &mut BookChapter,
        language: Language,
        glossary: &Glossary,
    ) -> Result<()> {
        let Some(source) = chapter.source_path.clone() else {
            return Ok(());
        };
        let name = Path::new("src").join(&source);
        let located = |error| match language {
            Language::Portuguese => error,
            Language::English => i18n::blame(&self.workspace, &name, error),
        };
        let blocks =
            page::parse(&self.workspace, &name, &chapter.content).map_err(located)?;
        let mut blocks =
            published::blocks(blocks, self.workspace.repository.as_deref());
        let minutes = reading::minutes(&blocks);
        let heading = format!("## {}", Words::of(language).exercises);
        let exercises = chapter.content.lines().any(|line| line == heading);
        let terms = self.mark_terms(&mut blocks, &source, language, glossary)?;
        let of_book = self.workspace.chapter(&name);
        let (outputs, stale) = match &of_book {
            Some(of_book) => self.outputs(of_book)?,
            None => Default::default(),
        };
        let shown = name.display().to_string();
        let body = render::page(&self.workspace, language, &shown, &blocks, &outputs)
            .map_err(located)?;
        let first = self.workspace.pages()?.first() == Some(&name);
        let volumes = if first { self.volumes(language) } else { Vec::new() };
        let stale = !stale.is_empty();
        let told = of_book.as_ref();
        let told = told.map(|chapter| Shown { chapter, minutes, exercises });
        let bar = self.bar(told, &source, language, volumes, stale);
        // mdBook numbers chapters; an appendix has a letter, too.
        let number = page::chapter_number(&name);
        if number.starts_with(char::is_alphabetic) {
            chapter.name = format!("{number} {}", chapter.name);
        }
        chapter.content = format!("{}\n{terms}", below_title(&body, &bar));
        Ok(())
    }

    /// Marks the glossary's terms on a page: what stands at its end. The glossary itself has
    /// no marks.
    fn mark_terms(
        &self,
        blocks: &mut [Located],
        source: &Path,
        language: Language,
        glossary: &Glossary,
    ) -> Result<String> {
        let number =
            files(&self.workspace)?.iter().position(|file| *file == forward(source));
        Ok(match number {
            Some(number) if source != Path::new(GLOSSARY) => {
                terms::mark(glossary, language, (number, source), blocks)
            }
            _ => String::new(),
        })
    }

    /// The glossary, as the edition has it; an empty one if the book has none.
    fn glossary(&self, book: &Book, language: Language) -> Result<Glossary> {
        let glossary = book.iter().find_map(|item| match item {
            BookItem::Chapter(chapter)
                if chapter.source_path.as_deref() == Some(Path::new(GLOSSARY)) =>
            {
                Some(chapter.content.as_str())
            }
            _ => None,
        });
        let text = glossary.unwrap_or_default();
        Glossary::new(text, language, &files(&self.workspace)?)
            .with_context(|| format!("src/{GLOSSARY}"))
    }

    /// The outputs of a chapter's notebook, and in what they lag behind the sources.
    fn outputs(&self, chapter: &Chapter) -> Result<(Outputs, Vec<String>)> {
        let blocks = i18n::blocks(&self.workspace, chapter, Language::Portuguese)?;
        let stale = notebook::stale(&self.workspace, chapter, &blocks)?;
        if !stale.is_empty() && !self.options.allow_stale {
            bail!("{}", stale.join("\n"));
        }
        Ok((notebook::recorded_outputs(&self.workspace, chapter)?, stale))
    }

    /// The bar under a page's title: how many minutes a chapter takes, its notebook, code and
    /// exercises, and the other language; below it, the place of a reader's progress.
    fn bar(
        &self,
        shown: Option<Shown>,
        source: &Path,
        language: Language,
        volumes: Vec<String>,
        stale: bool,
    ) -> String {
        let words = Words::of(language);
        let mut items = Vec::new();
        if let Some(shown) = &shown {
            let time = format!("≈ {} min {}", shown.minutes, words.reading);
            items.push(format!("<span class=\"reading-time\">{time}</span>"));
            items.extend(self.lives(shown, source, language, &words));
        }
        items.extend(volumes);
        if self.options.whole_site {
            let (up, page) = (up_to_site(source, language), built_page(source));
            items.push(language_link(&up, &forward(&page), language));
        }
        let mut parts = Vec::new();
        if !items.is_empty() {
            let (label, items) = (words.lives, items.join(" "));
            parts.push(format!(
                "<nav class=\"lives\" aria-label=\"{label}\">{items}</nav>"
            ));
        }
        if let Some(Shown { chapter, .. }) = shown {
            // What a reader has done: theme/progress.js fills it.
            let name = escape(&chapter.name);
            parts.push(format!(
                "<div class=\"progress\" data-page=\"{name}\" hidden></div>"
            ));
        }
        if let (true, Some(Shown { chapter, .. })) = (stale, shown) {
            let (text, short) = (words.stale, chapter.short());
            parts.push(format!(
                "<p class=\"stale\" role=\"status\">{text} \
                 <code>cargo book notebooks {short}</code></p>"
            ));
        }
        parts.join("\n\n")
    }

    /// Links to the whole edition, for paper and for e-readers.
    fn volumes(&self, language: Language) -> Vec<String> {
        let files = self.options.offers.files(language).into_iter();
        files.map(|(file, text)| link(&file, text, " download")).collect()
    }

    fn lives(
        &self,
        shown: &Shown,
        source: &Path,
        language: Language,
        words: &Words,
    ) -> Vec<String> {
        let chapter = shown.chapter;
        let (notebook, up) = (chapter.notebook(language), up_to_site(source, language));
        let code = forward(&chapter.crate_folder());
        let repository = self.workspace.repository.as_deref();
        let page = match repository {
            _ if self.options.whole_site => {
                format!("{up}{}", forward(&notebook.with_extension("html")))
            }
            Some(address) => format!("{address}/blob/main/{}", forward(&notebook)),
            None => return Vec::new(), // nowhere to link to
        };
        let code = match repository {
            Some(address) => format!("{address}/tree/main/{code}"),
            None => format!("{up}{code}/src/lib.rs.txt"),
        };
        let mut items =
            vec![link(&page, words.notebook, ""), link(&code, words.code, "")];
        if shown.exercises {
            // With the page's name: in `print.html` all chapters have such a part.
            let page = built_page(source);
            let page = page.file_name().unwrap_or_default().to_string_lossy();
            let part = format!("{page}#{}", words.exercises.to_lowercase());
            items.push(link(&part, words.exercises, ""));
        }
        items.extend(launchers(repository, &notebook));
        items
    }
}

/// What the bar under a title says of a chapter.
#[derive(Clone, Copy)]
struct Shown<'a> {
    chapter: &'a Chapter,
    /// To read it.
    minutes: usize,
    /// Whether the page has a part with exercises.
    exercises: bool,
}

/// A link in a bar, with more attributes.
pub(crate) fn link(href: &str, text: &str, more: &str) -> String {
    format!("<a href=\"{}\"{more}>{}</a>", escape(href), escape(text))
}

/// The book's pages as they are in `src/`, in order.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let src = Path::new("src");
    let pages = workspace.pages()?;
    Ok(pages
        .iter()
        .map(|page| forward(page.strip_prefix(src).unwrap_or(page)))
        .collect())
}

/// Links to where a notebook of a GitHub repository opens without an installation.
pub(crate) fn launchers(repository: Option<&str>, notebook: &Path) -> Vec<String> {
    let slug = repository.and_then(|it| it.strip_prefix("https://github.com/"));
    let Some(slug) = slug else { return Vec::new() };
    let notebook = forward(notebook);
    let places = [
        (
            "Colab",
            format!(
                "https://colab.research.google.com/github/{slug}/blob/main/{notebook}"
            ),
        ),
        (
            "Binder",
            format!("https://mybinder.org/v2/gh/{slug}/main?labpath={notebook}"),
        ),
    ];
    places.map(|(name, href)| link(&href, name, " class=\"badge\"")).into()
}

/// From a page to the site's root: out of its own folders, and out of its edition's.
pub(crate) fn up_to_site(source: &Path, language: Language) -> String {
    let folders = source.iter().count() - 1;
    let edition = usize::from(!language.folder().is_empty());
    "../".repeat(folders + edition)
}

/// The page that mdBook makes of a source: a folder's `index.html` of a `README.md`.
pub fn built_page(source: &Path) -> PathBuf {
    let stem = source.file_stem().unwrap_or_default();
    if stem.eq_ignore_ascii_case("readme") {
        source.with_file_name("index.html")
    } else {
        source.with_extension("html")
    }
}

/// A link to the same page in the other language: `up` leads out of the edition's folders.
pub(crate) fn language_link(up: &str, page: &str, language: Language) -> String {
    let (tag, name, folder) = match language {
        Language::Portuguese => ("en", "English", "en/"),
        Language::English => ("pt-BR", "Português", ""),
    };
    format!(
        "<a class=\"language\" lang=\"{tag}\" hreflang=\"{tag}\" \
         href=\"{up}{folder}{page}\">{name}</a>"
    )
}

/// Puts the bar under the page's first heading.
fn below_title(body: &str, bar: &str) -> String {
    let first = markdown::events(body).next();
    let end = match first {
        Some((Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }), range)) => {
            range.end
        }
        _ => 0,
    };
    let (title, rest) = body.split_at(end);
    format!("{}\n\n{bar}\n\n{}\n", title.trim_end(), rest.trim_start_matches('\n'))
}

impl Preprocessor for BookPreprocessor {
    fn name(&self) -> &'static str {
        "book"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let tag = context.config.book.language.as_deref().unwrap_or("pt-BR");
        let language = Language::from_tag(tag).with_context(|| {
            format!("book.toml: no edition in {tag:?}: use \"pt-BR\" or \"en\"")
        })?;
        // mdBook leaves the `\r` that git may have put at the lines' ends; messages have none.
        book.for_each_chapter_mut(|chapter| {
            chapter.content = chapter.content.replace("\r\n", "\n");
        });
        if language != Language::Portuguese {
            let catalog = i18n::catalog(&self.workspace, language)?;
            i18n::translate_book(catalog, &mut book)?;
        }
        let glossary = self.glossary(&book, language)?;
        let mut result = Ok(());
        book.for_each_chapter_mut(|chapter| {
            if result.is_ok() {
                result = self.render(chapter, language, &glossary);
            }
        });
        result.map(|()| book)
    }
}

/// The sources that pages link to, relative to the root.
///
/// # Errors
///
/// If the chapters can't be listed.
pub fn linked_sources(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let chapters = workspace.chapters()?;
    Ok(chapters
        .iter()
        .map(|chapter| chapter.crate_folder().join("src/lib.rs"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_stands_below_the_title_however_it_is_written() {
        for (body, whole) in [
            ("# T\n\na", "# T\n\nBAR\n\na\n"),
            ("T *b*\n===\n\na", "T *b*\n===\n\nBAR\n\na\n"),
            ("#a\n\nb", "\n\nBAR\n\n#a\n\nb\n"),
        ] {
            assert_eq!(below_title(body, "BAR"), whole);
        }
    }
}
