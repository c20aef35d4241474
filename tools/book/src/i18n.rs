//! The English edition: messages of the Portuguese source, translated in `po/en.po`.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use mdbook_i18n_helpers::gettext::add_stripped_summary_translations;
use mdbook_i18n_helpers::{
    extract_events, extract_messages, reconstruct_markdown, translate_events,
};
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_summary::SummaryItem;
use polib::catalog::Catalog;
use polib::message::{Message, MessageMutView, MessageView};
use polib::metadata::CatalogMetadata;
use polib::po_file;
use tempfile::NamedTempFile;

use crate::markdown::Fault;
use crate::page::{self, Located};
use crate::workspace::{Chapter, Language, Workspace, forward, summary_items};
use crate::{figure, math, po};

/// The header fields that `polib` can't do without.
const HEADER: [&str; 9] = [
    "Project-Id-Version",
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Language-Team",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Language",
    "Plural-Forms",
];

/// How alike an old message must be to a new one for its translation to be offered (0
/// to 1).
const ALIKE: f64 = 0.6;

/// A text to translate and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `src/page.md:line`.
    pub source: String,
    /// The text.
    pub text: String,
}

/// The catalog's path, relative to the root.
#[must_use]
pub fn catalog_path(language: Language) -> PathBuf {
    Path::new("po").join(format!("{}.po", language.tag()))
}

/// The catalog of a language.
///
/// # Errors
///
/// If it can't be read.
pub fn catalog(workspace: &Workspace, language: Language) -> Result<Catalog> {
    let path = catalog_path(language);
    check_entries(workspace, &path)?;
    po_file::parse(&workspace.root.join(&path))
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| format!("cannot read {}", path.display()))
}

/// `polib` panics on what these entries can't hold, and on a header that lacks a field.
fn check_entries(workspace: &Workspace, path: &Path) -> Result<()> {
    let entries = po::entries(&workspace.read(path)?).map_err(|fault| {
        anyhow!("{}:{}: {}", path.display(), fault.line, fault.problem)
    })?;
    let header = entries.first().filter(|entry| entry.id.is_empty());
    for field in HEADER {
        let has =
            |line: &str| line.split_once(':').is_some_and(|(key, _)| key == field);
        ensure!(
            header.is_some_and(|header| header.text.lines().any(has)),
            "{}: its header lacks {field:?}: restore the file from git",
            path.display()
        );
    }
    Ok(())
}

/// Says where in the catalog a translated page's error comes from, if a message has it
/// by itself: the page's own lines are those of the source.
#[must_use]
pub fn blame(
    workspace: &Workspace,
    page: &Path,
    error: anyhow::Error,
) -> anyhow::Error {
    let path = catalog_path(Language::English);
    let entries = workspace.read(&path).map(|text| po::entries(&text));
    for entry in entries.into_iter().flatten().flatten() {
        let Err(fault) = alone(workspace, page, &entry.text) else { continue };
        if fault.error.root_cause().to_string() == error.root_cause().to_string() {
            let at = format!("{}:{}", path.display(), entry.line_of(fault.byte));
            return fault.error.context(at);
        }
    }
    error.context(format!(
        "the English edition of {}, whose lines are not those of the page",
        page.display()
    ))
}

/// Where an author finds what `find` finds in an edition (its byte in a text): in the
/// catalog, or at this line of the page.
#[must_use]
pub fn place(
    workspace: &Workspace,
    page: &Path,
    line: usize,
    language: Language,
    find: &dyn Fn(&str) -> Option<usize>,
) -> String {
    let translated =
        (language == Language::English).then(|| line_where(workspace, find)).flatten();
    match translated {
        Some(line) => format!("{}:{line}", catalog_path(language).display()),
        None => format!("{}:{line} ({})", page.display(), language.tag()),
    }
}

/// The line of the catalog where `find` finds something in a translation: its byte.
fn line_where(
    workspace: &Workspace,
    find: &dyn Fn(&str) -> Option<usize>,
) -> Option<usize> {
    let text = workspace.read(&catalog_path(Language::English)).ok()?;
    let entries = po::entries(&text).ok()?;
    entries.iter().find_map(|entry| Some(entry.line_of(find(&entry.text)?)))
}

/// What is wrong with a page's translation by itself.
fn alone(workspace: &Workspace, page: &Path, text: &str) -> Result<(), Fault> {
    page::cut(workspace, page, text)?;
    for image in figure::images(text) {
        let drawing = figure::drawing(workspace, page, &image, None, Language::English);
        drawing.map_err(|error| Fault { byte: image.range.start, error })?;
    }
    math::check(text)
}

/// A chapter's page in a language, cut into blocks (the source itself in Portuguese).
///
/// # Errors
///
/// If the page or the catalog can't be read, a translation breaks the Markdown, or
/// the page can't be cut.
pub fn blocks(
    workspace: &Workspace,
    chapter: &Chapter,
    language: Language,
) -> Result<Vec<Located>> {
    let page = chapter.page();
    let source = workspace.read(page)?;
    if language == Language::Portuguese {
        return page::parse(workspace, page, &source);
    }
    let text = translate(&source, &catalog(workspace, language)?)
        .with_context(|| format!("cannot translate {}", page.display()))?;
    page::parse(workspace, page, &text).map_err(|error| blame(workspace, page, error))
}

/// Translates Markdown.
///
/// # Errors
///
/// If a translation does not fit the Markdown around it.
pub fn translate(markdown: &str, catalog: &Catalog) -> Result<String> {
    let events = extract_events(markdown, None);
    let translated = translate_events(&events, catalog)?;
    Ok(reconstruct_markdown(&translated, None)?.0)
}

/// Translates mdBook's book: its pages, their names and the titles of its parts.
///
/// # Errors
///
/// If a translation does not fit the Markdown around it; the message names the page.
pub fn translate_book(mut catalog: Catalog, book: &mut Book) -> Result<()> {
    add_stripped_summary_translations(&mut catalog);
    let mut result = Ok(());
    book.for_each_mut(|item| {
        if result.is_ok() {
            result = translate_item(&catalog, item);
        }
    });
    result
}

fn translate_item(catalog: &Catalog, item: &mut BookItem) -> Result<()> {
    match item {
        BookItem::Chapter(chapter) => {
            let name = chapter.name.clone();
            chapter.content = translate(&chapter.content, catalog)
                .with_context(|| format!("cannot translate {name:?}"))?;
            chapter.name = translate(&chapter.name, catalog)?;
        }
        BookItem::PartTitle(title) => *title = translate(title, catalog)?,
        BookItem::Separator => {}
    }
    Ok(())
}

/// Every message of the book, in reading order, each once.
///
/// # Errors
///
/// If a page can't be read.
pub fn messages(workspace: &Workspace) -> Result<Vec<Entry>> {
    let mut entries = book_texts(workspace)?;
    entries.extend(summary_texts(workspace)?);
    for page in workspace.pages()? {
        for (line, found) in extract_messages(&workspace.read(&page)?)? {
            entries.push(Entry {
                source: format!("{}:{line}", forward(&page)),
                text: found.message,
            });
        }
    }
    let mut seen = HashSet::new();
    let is_mark = |text: &str| text.starts_with("{{#") && !text.contains(' ');
    // In a fence of Python, an include is a comment to gettext.
    let is_include = |text: &str| text.starts_with("#include ");
    entries.retain(|Entry { text, .. }| {
        !is_mark(text) && !is_include(text) && seen.insert(text.clone())
    });
    Ok(entries)
}

/// The summary's title and the names of its parts and chapters, drafts too, as mdBook
/// gives them to be translated.
fn summary_texts(workspace: &Workspace) -> Result<Vec<Entry>> {
    let path = Path::new("src/SUMMARY.md");
    let text = workspace.read(path)?;
    let summary = workspace.summary()?;
    let items = summary_items(&summary).into_iter().filter_map(|item| match item {
        SummaryItem::Link(link) => Some(&link.name),
        SummaryItem::PartTitle(title) => Some(title),
        _ => None,
    });
    let mut entries = Vec::new();
    let mut above = 0; // the line of the name before
    for name in summary.title.iter().chain(items) {
        let mut below = text.lines().skip(above);
        above += below.position(|line| line.contains(name.as_str())).unwrap_or(0);
        for (_, found) in extract_messages(name)? {
            let source = format!("{}:{}", path.display(), above + 1);
            entries.push(Entry { source, text: found.message });
        }
    }
    Ok(entries)
}

/// The title and description in `book.toml`.
fn book_texts(workspace: &Workspace) -> Result<Vec<Entry>> {
    let manifest: toml::Table = workspace.read(Path::new("book.toml"))?.parse()?;
    let text = |key: &str| {
        let text = manifest.get("book")?.get(key)?.as_str()?.to_owned();
        let source = "book.toml:1".to_owned();
        Some(Entry { source, text })
    };
    Ok(["title", "description"].into_iter().filter_map(text).collect())
}

/// What a catalog lacks: one message for each text without a translation, with a
/// doubtful one (fuzzy), or no longer in the book; if there is none, whether the file is as
/// [`update`] writes it, so that a change of one message is seen as one.
///
/// # Errors
///
/// If a page or the catalog can't be read.
pub fn findings(workspace: &Workspace, language: Language) -> Result<Vec<String>> {
    let catalog = catalog(workspace, language)?;
    let path = catalog_path(language);
    let entries = messages(workspace)?;
    let mut findings = Vec::new();
    for entry in &entries {
        let found = catalog.find_message(None, &entry.text, None);
        let problem = match found {
            None => "missing from",
            Some(message) if message.flags().is_fuzzy() => "marked fuzzy in",
            Some(message) if !message.is_translated() => "not translated in",
            Some(_) => continue,
        };
        let start: String = entry.text.chars().take(60).collect();
        let path = path.display();
        findings.push(format!("{}: {problem} {path}: {start:?}", entry.source));
    }
    let known: HashSet<&str> =
        entries.iter().map(|entry| entry.text.as_str()).collect();
    for message in catalog.messages().filter(|m| !known.contains(m.msgid())) {
        let start: String = message.msgid().chars().take(60).collect();
        findings.push(format!("{}: no longer in the book: {start:?}", path.display()));
    }
    if findings.is_empty() {
        let written = NamedTempFile::new().context("no temporary file")?;
        save(&updated(&entries, language, &catalog).0, written.path())?;
        if fs::read_to_string(written.path())? != workspace.read(&path)? {
            let path = path.display();
            findings.push(format!("{path}: not as `cargo book messages` writes it"));
        }
    }
    Ok(findings)
}

/// Brings a catalog up to date with the pages: new texts come in empty, or with the
/// translation of the text most like them marked fuzzy; texts no longer in the book go.
///
/// Returns how many await a translator.
///
/// # Errors
///
/// If a page or the catalog can't be read, or the catalog can't be written.
pub fn update(workspace: &Workspace, language: Language) -> Result<usize> {
    let path = workspace.root.join(catalog_path(language));
    let old = if path.exists() {
        catalog(workspace, language)?
    } else {
        Catalog::new(metadata(language))
    };
    let (new, waiting) = updated(&messages(workspace)?, language, &old);
    save(&new, &path)?;
    Ok(waiting)
}

/// A catalog of the pages as they are, and how many of its messages await a translator.
fn updated(entries: &[Entry], language: Language, old: &Catalog) -> (Catalog, usize) {
    let known: HashSet<&str> =
        entries.iter().map(|entry| entry.text.as_str()).collect();
    let gone: Vec<(String, String)> = old
        .messages()
        .filter(|message| !known.contains(message.msgid()))
        .filter_map(|m| Some((m.msgid().to_owned(), m.msgstr().ok()?.to_owned())))
        .collect();
    let mut new = Catalog::new(metadata(language));
    let mut waiting = 0;
    for entry in entries {
        let mut message =
            translated(old, entry).unwrap_or_else(|| suggested(&gone, entry));
        message.source_mut().clone_from(&entry.source);
        waiting += usize::from(message.flags().is_fuzzy() || !message.is_translated());
        new.append_or_update(message);
    }
    (new, waiting)
}

fn save(catalog: &Catalog, path: &Path) -> Result<()> {
    po_file::write(catalog, path)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn translated(old: &Catalog, entry: &Entry) -> Option<Message> {
    let message = old.find_message(None, &entry.text, None)?;
    let mut builder = Message::build_singular();
    builder
        .with_msgid(entry.text.clone())
        .with_msgstr(message.msgstr().ok()?.to_owned())
        .with_flags(message.flags().clone());
    Some(builder.done())
}

/// A new text with the translation of the most similar old one, to be looked at.
fn suggested(gone: &[(String, String)], entry: &Entry) -> Message {
    let mut builder = Message::build_singular();
    builder.with_msgid(entry.text.clone());
    let length = entry.text.chars().count() as f64;
    let of_its_length = |id: &str| {
        let other = id.chars().count() as f64;
        length.min(other) >= ALIKE * length.max(other)
    };
    let best = gone
        .iter()
        .filter(|(id, translation)| !translation.is_empty() && of_its_length(id))
        .map(|(id, translation)| {
            (strsim::normalized_levenshtein(id, &entry.text), translation)
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, translation)) = best {
        builder.with_msgstr(translation.clone());
    }
    let mut message = builder.done();
    if best.is_some() {
        message.flags_mut().add_flag("fuzzy");
    }
    message
}

fn metadata(language: Language) -> CatalogMetadata {
    let mut metadata = CatalogMetadata::new();
    metadata.language = language.tag().into();
    metadata.mime_version = "1.0".into();
    metadata.content_type = "text/plain; charset=UTF-8".into();
    metadata.content_transfer_encoding = "8bit".into();
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_formulas_and_directives_survive_translation() {
        let source = "# Um\n\nTexto com $`d_k`$ e `x_y`.\n\n```rust,cell\n{{#include a.rs:b}}\n```\n\n\
                      {{#caption Um mapa de $`Q`$}}\n\n{{#details Dica}}\n\n- item\n\n{{#enddetails}}\n\n\
                      {{#question Um?}}\n\n{{#choice Um}}\n\nUm\n\n{{#right Um}}\n\n{{#endquestion}}\n\n\
                      ```math\n\\frac{a}{b} \\\\ c\n```";
        let mut catalog = Catalog::new(metadata(Language::English));
        for (id, text) in [
            ("Um", "One"),
            ("Texto com $`d_k`$ e `x_y`.", "Text with $`d_k`$ and `x_y`."),
            ("{{#caption Um mapa de $`Q`$}}", "{{#caption A map of $`Q`$}}"),
            ("{{#details Dica}}", "{{#details Hint}}"),
            ("{{#question Um?}}", "{{#question One?}}"),
            ("{{#choice Um}}", "{{#choice Won}}"),
            ("{{#right Um}}", "{{#right One}}"),
        ] {
            let mut builder = Message::build_singular();
            builder.with_msgid(id.into()).with_msgstr(text.into());
            catalog.append_or_update(builder.done());
        }
        let text = translate(source, &catalog).unwrap();
        for kept in [
            "# One",
            "Text with $`d_k`$ and `x_y`.",
            "```rust,cell\n{{#include a.rs:b}}\n```",
            "{{#caption A map of $`Q`$}}",
            "{{#details Hint}}",
            "{{#enddetails}}",
            "{{#question One?}}\n\n{{#choice Won}}\n\nOne\n\n{{#right One}}\n\n{{#endquestion}}",
            "```math\n\\frac{a}{b} \\\\ c\n```",
        ] {
            assert!(text.contains(kept), "{kept:?} is not in {text}");
        }
    }

    /// A book of one chapter whose only paragraph is translated by `translation`.
    fn book_of(
        source: &str,
        translation: &str,
    ) -> (tempfile::TempDir, Workspace, Chapter) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let value = |field| match field {
            "Plural-Forms" => "nplurals=1; plural=0;",
            _ => "",
        };
        let fields = HEADER.map(|field| format!("\"{field}: {}\\n\"\n", value(field)));
        let header = format!("msgid \"\"\nmsgstr \"\"\n{}", fields.concat());
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let (id, text) = (quoted(source), quoted(translation));
        let entry = format!("\nmsgid \"{id}\"\nmsgstr \"\"\n\"\"\n\"{text}\"\n");
        write("po/en.po", &(header + &entry));
        write("Cargo.toml", "");
        write("book.toml", "[book]\ntitle = \"T\"\n");
        write("src/SUMMARY.md", "[T](ch01-a.md)\n");
        write("src/ch01-a.md", &format!("# T\n\n{source}\n"));
        write("chapters-code/ch01-a/Cargo.toml", "");
        write("chapters-code/ch01-a/src/lib.rs", "");
        let workspace = Workspace::at(folder.path()).unwrap();
        let chapter = workspace.chapter(Path::new("src/ch01-a.md")).unwrap();
        (folder, workspace, chapter)
    }

    /// The catalog's line, not one of the page, which has no such text.
    #[test]
    fn what_a_translation_breaks_is_reported_in_the_catalog() {
        for (source, translation, error) in [
            ("De $`a`$ a $`b`$.", "From $`a`$ to $`\\frac{`$.", "KaTeX refuses"),
            ("{{#details Um}}", "{{#details One", "this directive has no }}"),
            ("{{#tip}} não é", "{{#tipp}}", "no such directive: {{#tipp}}"),
            ("![Um mapa](img/a.svg)", "![](img/a.svg)", "img/a.svg has no alt text"),
        ] {
            let (_folder, workspace, chapter) = book_of(source, translation);
            let error = format!("po/en.po:16: {error}");
            let found = match blocks(&workspace, &chapter, Language::English) {
                Err(found) => found,
                Ok(blocks) => {
                    let none = crate::notebook::Outputs::new();
                    let page = chapter.page();
                    let name = page.display().to_string();
                    let language = Language::English;
                    let page_error = crate::render::page(
                        &workspace, language, &name, &blocks, &none,
                    )
                    .unwrap_err();
                    blame(&workspace, page, page_error)
                }
            };
            assert!(format!("{found:#}").starts_with(&error), "{found:#}");
        }
    }

    #[test]
    fn what_no_message_has_by_itself_is_said_to_be_of_the_edition() {
        let (_folder, workspace, chapter) = book_of("{{#details Um}}", "{{#tip}}");
        let found = blocks(&workspace, &chapter, Language::English).unwrap_err();
        let expected = "the English edition of src/ch01-a.md, whose lines are not those of the \
                        page: src/ch01-a.md:3: {{#endtip}} is missing";
        assert_eq!(format!("{found:#}"), expected);
    }

    #[test]
    fn a_bad_formula_stops_the_notebook_at_its_place_too() {
        let (_folder, workspace, chapter) = book_of("De $`a`$.", "From $`\\frac{`$.");
        let outputs = crate::notebook::Outputs::new();
        let error =
            crate::notebook::editions(&workspace, &chapter, &outputs).unwrap_err();
        assert!(format!("{error:#}").starts_with("po/en.po:16: KaTeX"), "{error:#}");
        let (_folder, workspace, chapter) = book_of("De $`\\frac{`$.", "b");
        let error =
            crate::notebook::editions(&workspace, &chapter, &outputs).unwrap_err();
        assert!(
            format!("{error:#}").starts_with("src/ch01-a.md:3: KaTeX"),
            "{error:#}"
        );
    }

    /// The translator is shown what the text was: not that of one that is still there.
    #[test]
    fn a_changed_text_comes_with_what_it_was_called_before() {
        let (old, new) = ("O gato dormiu no tapete.", "O gato dormia no tapete.");
        for (translation, page, suggested) in [
            ("The cat slept.", new.to_owned(), true),
            ("The cat slept.", format!("{old}\n\n{new}"), false),
            ("", new.to_owned(), false),
        ] {
            let (_folder, workspace, _) = book_of(old, translation);
            let page = format!("# T\n\n{page}\n");
            std::fs::write(workspace.root.join("src/ch01-a.md"), page).unwrap();
            update(&workspace, Language::English).unwrap();
            let catalog = catalog(&workspace, Language::English).unwrap();
            let message = catalog.find_message(None, new, None).unwrap();
            let expected = if suggested { translation } else { "" };
            assert_eq!(message.msgstr().unwrap(), expected);
            assert_eq!(message.flags().is_fuzzy(), suggested);
            assert_eq!(
                catalog.find_message(None, old, None).is_some(),
                !translation.is_empty() && !suggested
            );
        }
    }

    #[test]
    fn a_number_of_a_translation_is_reported_in_the_catalog() {
        let (_folder, workspace, _) = book_of("São 0,28.", "It is 0.29.");
        let found = crate::check::numbers::unsourced(&workspace).unwrap();
        let expected = [
            "src/ch01-a.md:3 (pt-BR): no output of ch01-a gives the number 0,28",
            "po/en.po:16: no output of ch01-a gives the number 0.29",
        ];
        assert_eq!(found, expected);
    }
}
