//! The static site: both editions, their notebooks and the sources that pages link to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use mdbook_driver::config::Config;

use crate::address::{Address, base_path};
use crate::edition::{Edition, Title, side_by_side};
use crate::i18n;
use crate::live;
use crate::polish;
use crate::preprocess::{BookPreprocessor, Options, built_page, linked_sources};
use crate::search;
use crate::viewer;
use crate::volume::{self, Offers};
use crate::workspace::{Language, Workspace};

/// Path of the live-reload socket on the server.
pub const LIVE_RELOAD: &str = "__livereload";

/// The key in `book.toml` of the scripts that every page runs.
const SCRIPTS: &str = "output.html.additional-js";

/// The scripts of our editions alone, since plain mdBook makes nothing for them to load: the
/// search's, and that of chapter 7's views.
const OWN_SCRIPTS: [&str; 2] = ["theme/search.js", "theme/views.js"];

/// How to build.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuildOptions {
    /// For `cargo book serve`: pages reload themselves.
    pub live: bool,
    /// Build although outputs are older than the code.
    pub allow_stale: bool,
    /// The volumes to make beside the pages, which offer them.
    pub offers: Offers,
}

/// The site's folder, relative to the root.
#[must_use]
pub fn site_folder(options: BuildOptions) -> PathBuf {
    // What the server shows reloads itself, and may be older than its code: not to publish.
    Path::new("target").join(if options.live { "book-live" } else { "book" })
}

/// Builds the whole site in its folder: Portuguese at its root, English in `en/`. A
/// site that was there stays whole until the new one is ready.
///
/// # Errors
///
/// With file and line where a page is at fault.
pub fn site(workspace: &Workspace, options: BuildOptions) -> Result<PathBuf> {
    let site = workspace.root.join(site_folder(options));
    let parent = workspace.root.join("target");
    fs::create_dir_all(&parent)
        .with_context(|| format!("cannot make {}", parent.display()))?;
    let staging = tempfile::Builder::new()
        .prefix("book-")
        .tempdir_in(&parent)
        .context("cannot make a folder to build in")?;
    let made = staging.path().join("site");
    site_in(workspace, &made, options)?;
    if site.exists() {
        fs::rename(&site, staging.path().join("old"))
            .with_context(|| format!("cannot replace {}", site.display()))?;
    }
    fs::rename(&made, &site)
        .with_context(|| format!("cannot make {}", site.display()))?;
    Ok(site)
}

/// Builds the whole site in a folder.
///
/// # Errors
///
/// With file and line where a page is at fault.
pub fn site_in(
    workspace: &Workspace,
    site: &Path,
    options: BuildOptions,
) -> Result<()> {
    let mut editions = side_by_side(Language::ALL, |language| {
        let folder = site.join(language.tag()); // which mdBook empties
        edition(workspace, language, folder, options)
            .with_context(|| format!("the {} edition does not build", language.tag()))
    })?;
    for edition in &mut editions {
        let place = site.join(edition.language.folder());
        move_into(&edition.folder, &place)?;
        edition.folder = place;
    }
    if options.offers != Offers::default() {
        volume::write(&editions, options.offers)?; // of pages as mdBook made them
    }
    let address = workspace.repository.as_deref().and_then(Address::of);
    side_by_side(&editions, |edition| polish::edition(edition, address.as_ref()))?;
    polish::shared::with_root(site, Language::English.folder())?;
    if let (Some(address), Some(edition)) = (&address, editions.first()) {
        polish::sitemap::save(site, address, &edition.pages)?;
    }
    live::copy(workspace, site, options.allow_stale)?;
    copy_linked(workspace, site, &editions)
}

/// Moves what is in a folder into another one.
fn move_into(from: &Path, to: &Path) -> Result<()> {
    if from == to {
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        fs::rename(entry.path(), &there)
            .with_context(|| format!("cannot make {}", there.display()))?;
    }
    Ok(fs::remove_dir(from)?)
}

/// Builds an edition; its pages, in order.
fn edition(
    workspace: &Workspace,
    language: Language,
    folder: PathBuf,
    options: BuildOptions,
) -> Result<Edition> {
    let config = config(workspace, language, &folder, options)?;
    let mut book = MDBook::load_with_config(&workspace.root, config)?;
    let preprocessor = BookPreprocessor::new(
        workspace.clone(),
        Options {
            whole_site: true,
            allow_stale: options.allow_stale,
            offers: options.offers,
        },
    );
    book.with_preprocessor(preprocessor); // in place of the command in book.toml: same name
    book.build()?;
    let pages = pages(&book);
    search::write(&folder, language, &pages)?;
    let book = book.config.book;
    let title = Title {
        title: book.title.unwrap_or_default(),
        description: book.description.unwrap_or_default(),
        authors: book.authors,
    };
    Ok(Edition { folder, language, title, pages })
}

/// The pages of a built book, in order, as paths in its folder.
fn pages(book: &MDBook) -> Vec<PathBuf> {
    let items = book.iter().filter_map(|item| match item {
        BookItem::Chapter(chapter) => chapter.path.as_ref(),
        _ => None,
    });
    items.map(|path| built_page(path)).collect()
}

/// `book.toml`, in one language, with what follows from the repository's address.
fn config(
    workspace: &Workspace,
    language: Language,
    folder: &Path,
    options: BuildOptions,
) -> Result<Config> {
    let mut config = Config::from_disk(workspace.root.join("book.toml"))?;
    config.book.language = Some(language.tag().to_owned());
    folder.clone_into(&mut config.build.build_dir);
    let scripts: Option<Vec<String>> = config.get(SCRIPTS)?;
    let own = OWN_SCRIPTS.map(str::to_owned);
    let scripts: Vec<_> = scripts.into_iter().flatten().chain(own).collect();
    config.set(SCRIPTS, scripts)?;
    if language != Language::Portuguese {
        let catalog = i18n::catalog(workspace, language)?;
        for text in [&mut config.book.title, &mut config.book.description] {
            let found = text.as_ref().and_then(|t| catalog.find_message(None, t, None));
            if let Some(translation) = found.and_then(|message| message.msgstr().ok()) {
                *text = Some(translation.to_owned());
            }
        }
    }
    if options.live {
        config.set("output.html.live-reload-endpoint", LIVE_RELOAD)?;
    }
    if let Some(address) = &workspace.repository {
        config.set("output.html.git-repository-url", address)?;
        let source = match language {
            Language::Portuguese => "{path}",
            Language::English => "po/en.po",
        };
        let edit = format!("{address}/edit/main/{source}");
        config.set("output.html.edit-url-template", edit)?;
    }
    let base = base_path(workspace.repository.as_deref(), language);
    config.set("output.html.site-url", base)?;
    Ok(config)
}

/// Copies what the pages link to: notebooks as they are, each with a page that shows it, sources
/// as `.txt` so that any static host shows them.
fn copy_linked(workspace: &Workspace, site: &Path, editions: &[Edition]) -> Result<()> {
    let copy = |from: &Path, to: &Path| -> Result<()> {
        let (from, to) = (workspace.root.join(from), site.join(to));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&from, &to)
            .with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(())
    };
    let chapters = workspace.chapters()?;
    side_by_side(editions, |edition| {
        for chapter in &chapters {
            let notebook = chapter.notebook(edition.language);
            if workspace.root.join(&notebook).exists() {
                copy(&notebook, &notebook)?;
                viewer::save(workspace, site, edition, chapter)?;
            }
        }
        Ok(())
    })?;
    for source in linked_sources(workspace)? {
        copy(&source, Path::new(&format!("{}.txt", source.display())))?;
    }
    Ok(())
}
