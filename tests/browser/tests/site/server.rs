//! The book, served as a reader serves it, and its pages.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::ROOT;
use crate::leash::{self, Leashed};

/// Folder of the site that the server builds, relative to the root.
const SITE: &str = "target/book-live";

/// Files of mdBook that are no pages.
const NO_PAGES: [&str; 3] = ["print.html", "toc.html", "404.html"];

struct Server {
    process: Option<Leashed>,
    /// `http://host:port/`
    address: String,
    pages: Vec<Page>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let (process, address) = match env::var("BOOK_URL") {
        Ok(url) => (None, format!("{}/", url.trim_end_matches('/'))),
        Err(_) => serve(),
    };
    Server { process, pages: pages(&address), address }
});

/// Where the book is: `http://host:port/`. `BOOK_URL` names a copy of it served elsewhere.
pub fn address() -> &'static str {
    &SERVER.address
}

/// Whether the server is ours, and follows changes.
pub fn is_live() -> bool {
    SERVER.process.is_some()
}

fn serve() -> (Option<Leashed>, String) {
    let arguments = ["serve", "--port", "0"].map(str::to_owned);
    let ready = |line: &str| {
        let (_, rest) = line.split_once("the book is at ")?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let patience = Duration::from_mins(2);
    let (process, address) = leash::start(&tool(), &arguments, "", patience, ready);
    (Some(process), address)
}

/// The program behind `cargo book`, built. It is started without cargo between it and the test, so
/// that it can be ended.
fn tool() -> OsString {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build =
        ["build", "--quiet", "--package", "cargo-book", "--message-format", "json"];
    let mut command = Command::new(cargo);
    command.args(build).current_dir(ROOT);
    // What cargo says to a test of the test's own package would have ring compiled anew.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    let built = command.output().expect("cargo runs");
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "`cargo-book` does not build:\n{errors}");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "cargo-book")
        .find_map(|message| message["executable"].as_str().map(OsString::from))
        .expect("cargo names the program that it built")
}

/// A page of one edition.
#[derive(Clone, Debug)]
pub struct Page {
    /// The edition's language: `pt-BR` or `en`.
    pub language: &'static str,
    /// File name: `ch01-self-attention.html`.
    pub name: String,
    /// Full address.
    pub url: String,
}

impl Page {
    /// How failures name the page.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.language)
    }

    /// The Markdown that the page comes from (Portuguese, for both editions), if it is a page of
    /// its own: `index.html` repeats the first one.
    pub fn source(&self) -> Option<String> {
        let path = Path::new(ROOT).join("src").join(&self.name).with_extension("md");
        fs::read_to_string(path).ok()
    }
}

/// The address of a page's file.
pub fn on_disk(page: &Page) -> String {
    let site = Path::new(ROOT).join(SITE).canonicalize().expect("a built site");
    page.url.replacen(address(), &format!("file://{}/", site.display()), 1)
}

/// The file that an address of the site stands for.
pub fn file(url: &str) -> PathBuf {
    let name = url.strip_prefix(address()).expect("an address of the site");
    Path::new(ROOT).join(SITE).join(name.split(['?', '#']).next().unwrap_or(name))
}

/// Every page of both editions.
pub fn all_pages() -> &'static [Page] {
    &SERVER.pages
}

/// One page.
pub fn page(language: &str, name: &str) -> &'static Page {
    SERVER
        .pages
        .iter()
        .find(|page| page.language == language && page.name == name)
        .unwrap_or_else(|| panic!("no page {name} in the edition {language}"))
}

fn pages(address: &str) -> Vec<Page> {
    let mut pages = Vec::new();
    for (language, folder) in [("pt-BR", ""), ("en", "en/")] {
        let path = Path::new(ROOT).join(SITE).join(folder);
        let mut names: Vec<String> = html_files(&path);
        names.sort();
        assert!(!names.is_empty(), "no pages in {}", path.display());
        pages.extend(names.into_iter().map(|name| Page {
            language,
            url: format!("{address}{folder}{name}"),
            name,
        }));
    }
    pages
}

fn html_files(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| PathBuf::from(entry.unwrap().file_name()))
        .filter(|name| name.extension().is_some_and(|extension| extension == "html"))
        .map(|name| name.to_str().unwrap().to_owned())
        .filter(|name| !NO_PAGES.contains(&name.as_str()))
        .collect()
}
