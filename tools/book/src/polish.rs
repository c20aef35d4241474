//! What is done to a built edition: mdBook's pages made lighter, easier to hear and to find.
//!
//! mdBook's files are changed where they have been written, and each change says so if what it
//! changes is no longer there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::edition::Edition;
use crate::workspace::{Language, forward};

pub mod access;
mod card;
mod drawings;
mod head;
pub mod highlight;
mod not_found;
pub mod shared;
pub mod sitemap;
pub mod styles;
mod views;

use styles::Sheet;

/// The page that `index.html` repeats, all pages in one, and the page for a wrong address.
const INDEX: &str = "index.html";
const PRINT: &str = "print.html";
const NOT_FOUND: &str = "404.html";

/// The colors of the book's dark theme, for a picture on a dark page. A picture that is a file sees
/// nothing of the page but whether it is dark.
const DARK: &str = include_str!("polish/picture.css");

/// Does all of it to an edition; `address` is where the site is public, if it is.
///
/// # Errors
///
/// If a file can't be read or written, or is not as mdBook made it when this was written.
pub fn edition(edition: &Edition, address: Option<&Address>) -> Result<()> {
    let scripts = Scripts::of(&edition.folder)?;
    let sheet = Sheet::of(&edition.folder)?;
    let pages = edition.pages.iter().map(PathBuf::as_path);
    let others = [INDEX, PRINT, NOT_FOUND].map(Path::new);
    // A book's own README.md is its `index.html`, and then the first page isn't repeated.
    let others =
        others.into_iter().filter(|other| pages.clone().all(|page| page != *other));
    for page in pages.clone().chain(others) {
        let path = edition.folder.join(page);
        let html =
            polished((edition, address), (&scripts, &sheet), page, &read(&path)?)
                .with_context(|| format!("cannot finish {}", path.display()))?;
        write(&path, &html)?;
    }
    Ok(())
}

fn polished(
    (edition, address): (&Edition, Option<&Address>),
    (scripts, sheet): (&Scripts, &Sheet),
    page: &Path,
    html: &str,
) -> Result<String> {
    let up = "../".repeat(page.components().count().saturating_sub(1));
    let element = |name: &str| format!("<script src=\"{up}{name}\"></script>");
    let [book, new_book] =
        [&scripts.book[0], &scripts.book[1]].map(|name| element(name));
    let mut html = replaced(html, &element(&scripts.highlighter), "")?;
    html = replaced(&html, &book, &new_book)?;
    html = sheet.on(&html, &up)?;
    html = highlight::listings(&html)?;
    html = access::improved(&html, edition.language)?;
    html = match page.to_str() {
        Some(NOT_FOUND) => not_found::page(&html, edition)?,
        Some(PRINT) => html,
        _ => head::with_card(&html, edition, address, page)?,
    };
    // Scripts find what is live from the site's root.
    let root = format!(
        "{up}{}",
        if edition.language == Language::Portuguese { "" } else { "../" }
    );
    html = html.replace(
        "<div class=\"live\"",
        &format!("<div class=\"live\" data-root=\"{root}live/\""),
    );
    // Paper scrolls to nothing.
    if page != Path::new(PRINT) {
        html = views::on_demand(&html, &edition.folder)?;
        html = drawings::on_demand(&html, &edition.folder)?;
    }
    if ![" data-view-data=", " data-drawing="].iter().any(|later| html.contains(later))
    {
        html = replaced(&html, &element(&scripts.views), "")?;
    }
    Ok(html)
}

/// The files of scripts which not all pages need as they are.
struct Scripts {
    highlighter: String,
    /// mdBook's own script, as it was and as it is now.
    book: [String; 2],
    views: String,
}

impl Scripts {
    /// Takes mdBook's highlighter out of an edition: listings are in color already. A handler goes,
    /// too, that keeps browsers from going back to a page at once, and what turns styles on and off.
    fn of(edition: &Path) -> Result<Self> {
        const HANDLER: &str =
            "// Fix back button cache problem\nwindow.onunload = function() { };\n";
        const NOTHING: &str = "// Listings are in color already.\n\
                               const hljs = { configure() {}, highlightBlock() {} };\n";
        without_comments(&edition.join("theme"))?;
        let highlighter = hashed(edition, "highlight")?;
        remove(&edition.join(&highlighter))?;
        let book = hashed(edition, "book")?;
        let mut script = replaced(&read(&edition.join(&book))?, HANDLER, NOTHING)?;
        for listings in styles::LISTINGS {
            script = replaced(&script, &listings.query(), "{}")?;
        }
        remove(&edition.join(&book))?;
        let new = format!("book-{}.js", digest(&script));
        write(&edition.join(&new), &script)?;
        Ok(Self {
            highlighter,
            book: [book, new],
            views: hashed(edition, "theme/views")?,
        })
    }
}

/// Takes from our own scripts their comments, which are lines of their own.
fn without_comments(folder: &Path) -> Result<()> {
    let files = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?;
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let text = read(&path)?;
            let code = text.split_inclusive('\n');
            let code = code.filter(|line| !line.trim_start().starts_with("//"));
            write(&path, &code.collect::<String>())?;
        }
    }
    Ok(())
}

/// The script that mdBook has named after what it holds: `book` is `book-609e4cb8.js`.
fn hashed(edition: &Path, name: &str) -> Result<String> {
    let path = edition.join(name);
    let folder = path.parent().unwrap_or(edition);
    let start = format!("{}-", path.file_name().unwrap_or_default().to_string_lossy());
    let files = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?;
    for file in files {
        let file = file?.file_name().to_string_lossy().into_owned();
        let hash = file.strip_prefix(&start).and_then(|rest| rest.strip_suffix(".js"));
        if hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            let parent = Path::new(name).parent().unwrap_or(Path::new(""));
            return Ok(forward(&parent.join(file)));
        }
    }
    bail!("mdBook no longer writes {name}-….js in {}", folder.display())
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// What a file's name says of its text, so that a browser that has the file asks for no other.
fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))[..8].to_owned()
}

/// Saves an SVG in a folder as a picture, dark where its page is; its name, without the extension.
///
/// # Errors
///
/// If the file can't be written.
pub(crate) fn save_picture(folder: &Path, svg: &str) -> Result<String> {
    let (before, root) = svg.split_at(svg.find("<svg").unwrap_or(0));
    let root = root.replacen('>', &format!("><style>{DARK}</style>"), 1);
    let (text, name) = (format!("{before}{root}"), digest(svg));
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    write(&folder.join(format!("{name}.svg")), &text)?;
    Ok(name)
}

/// A text with another in the place of each `old`.
fn replaced(text: &str, old: &str, new: &str) -> Result<String> {
    ensure!(text.contains(old), "mdBook no longer writes {old:?}");
    Ok(text.replace(old, new))
}

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
