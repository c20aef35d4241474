//! The repository as the tool sees it: its root, its address, its chapters, its
//! languages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use mdbook_summary::{Summary, SummaryItem, parse_summary};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::include::normalize;

/// One language of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Brazilian Portuguese, the source.
    Portuguese,
    /// English, translated through `po/en.po`.
    English,
}

impl Language {
    /// Both editions, the source first.
    pub const ALL: [Self; 2] = [Self::Portuguese, Self::English];

    /// The BCP 47 tag, as in `book.toml` and `<html lang>`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Portuguese => "pt-BR",
            Self::English => "en",
        }
    }

    /// The language of a BCP 47 tag, if the book has it.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The edition's folder below the site's root and below `notebooks/` (empty for the
    /// source).
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Portuguese => "",
            Self::English => "en",
        }
    }

    /// From the edition's notebooks to the root.
    pub fn notebooks_to_root(self) -> &'static str {
        match self {
            Self::Portuguese => "..",
            Self::English => "../..",
        }
    }
}

/// A chapter: a page with a crate of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// The name that its page, crate and notebook share: `ch01-self-attention`.
    pub name: String,
    page: PathBuf,
}

impl Chapter {
    /// The chapter that this page belongs to, a path relative to the root.
    #[must_use]
    pub fn of(page: &Path) -> Self {
        let name = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, page: page.to_owned() }
    }

    /// `ch01`: what its exercises are called.
    #[must_use]
    pub fn short(&self) -> &str {
        self.name.split('-').next().unwrap_or(&self.name)
    }

    /// Its page, relative to the root.
    #[must_use]
    pub fn page(&self) -> &Path {
        &self.page
    }

    /// Its crate's folder, relative to the root.
    #[must_use]
    pub fn crate_folder(&self) -> PathBuf {
        Path::new("chapters-code").join(&self.name)
    }

    /// Its notebook in a language, relative to the root.
    #[must_use]
    pub fn notebook(&self, language: Language) -> PathBuf {
        Path::new("notebooks")
            .join(language.folder())
            .join(format!("{}.ipynb", self.name))
    }
}

/// The repository.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder that holds `book.toml`.
    pub root: PathBuf,
    /// The public address without a trailing slash, once it is set in the root
    /// `Cargo.toml`.
    pub repository: Option<String>,
    manifest: toml::Table,
}

impl Workspace {
    /// The workspace around the current folder, or the one that this tool was built in.
    ///
    /// # Errors
    ///
    /// If neither has a `book.toml` and a readable `Cargo.toml`.
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = here
            .ancestors()
            .chain([built_in.as_path()])
            .find(|folder| folder.join("book.toml").is_file() && folder.join("po").is_dir())
            .context("no book.toml in this folder or above it: run this inside the repository")?;
        Self::at(root)
    }

    /// The workspace whose root is `root`.
    ///
    /// # Errors
    ///
    /// If its `Cargo.toml` can't be read.
    pub fn at(root: &Path) -> Result<Self> {
        let root = root
            .canonicalize()
            .with_context(|| format!("cannot open {}", root.display()))?;
        let manifest = read_manifest(&root)?;
        let repository = manifest
            .get("workspace")
            .and_then(|table| table.get("package")?.get("repository")?.as_str())
            .map(|address| address.trim_end_matches('/').to_owned())
            .filter(|address| !address.is_empty());
        Ok(Self { root, repository, manifest })
    }

    /// Reads a file of the repository; its lines end in `\n`, also where git has checked them
    /// out with `\r\n`.
    ///
    /// # Errors
    ///
    /// If it can't be read; the message names it.
    pub fn read(&self, path: &Path) -> Result<String> {
        let text = fs::read_to_string(self.root.join(path));
        text.map(|text| text.replace("\r\n", "\n"))
            .with_context(|| format!("cannot read {}", path.display()))
    }

    /// `SUMMARY.md`, read as mdBook reads it.
    ///
    /// # Errors
    ///
    /// If it can't be read or mdBook refuses it.
    pub fn summary(&self) -> Result<Summary> {
        let path = Path::new("src/SUMMARY.md");
        parse_summary(&self.read(path)?)
            .with_context(|| format!("{} is not as mdBook wants it", path.display()))
    }

    /// The pages that the summary names, in its order, relative to the root. A draft has
    /// none.
    ///
    /// # Errors
    ///
    /// Those of [`Workspace::summary`].
    pub fn pages(&self) -> Result<Vec<PathBuf>> {
        let summary = self.summary()?;
        let links = summary_items(&summary).into_iter().filter_map(|item| match item {
            SummaryItem::Link(link) => link.location.as_ref(),
            _ => None,
        });
        Ok(links.map(|page| normalize(&Path::new("src").join(page))).collect())
    }

    /// The pages in `src/` that the summary does not name, in the order of their names.
    ///
    /// # Errors
    ///
    /// If `src/` or the summary can't be read.
    pub fn unlisted_pages(&self) -> Result<Vec<PathBuf>> {
        let listed = self.pages()?;
        let mut pages = Vec::new();
        for entry in WalkDir::new(self.root.join("src")).sort_by_file_name() {
            let path = entry.context("cannot list src/")?.into_path();
            let page = path.strip_prefix(&self.root)?.to_owned();
            let is_page = page.extension().is_some_and(|extension| extension == "md")
                && page != Path::new("src/SUMMARY.md");
            if is_page && !listed.contains(&page) {
                pages.push(page);
            }
        }
        Ok(pages)
    }

    /// The chapters, in the summary's order: every page of `src/` that has a crate of its
    /// name. Those that the summary doesn't name come last.
    ///
    /// # Errors
    ///
    /// If `src/` or the summary can't be read, or two pages have one name.
    pub fn chapters(&self) -> Result<Vec<Chapter>> {
        let pages = [self.pages()?, self.unlisted_pages()?].concat();
        let mut chapters: Vec<Chapter> = Vec::new();
        for chapter in pages.iter().filter_map(|page| self.chapter(page)) {
            if let Some(other) =
                chapters.iter().find(|other| other.name == chapter.name)
            {
                let (page, other) = (chapter.page.display(), other.page.display());
                bail!(
                    "{page} and {other} would share a crate and a notebook: rename one"
                );
            }
            chapters.push(chapter);
        }
        Ok(chapters)
    }

    /// The chapter of a page, its path relative to the root, if a crate has its name.
    #[must_use]
    pub fn chapter(&self, page: &Path) -> Option<Chapter> {
        let is_page = page.extension().is_some_and(|extension| extension == "md");
        let chapter = Chapter::of(page);
        let manifest = self.root.join(chapter.crate_folder()).join("Cargo.toml");
        (is_page && manifest.is_file()).then_some(chapter)
    }

    /// The chapters that `selection` names by their beginnings (`ch01`); all of them if
    /// empty.
    ///
    /// # Errors
    ///
    /// If a name matches no chapter.
    pub fn select(&self, selection: &[String]) -> Result<Vec<Chapter>> {
        let chapters = self.chapters()?;
        for name in selection {
            if !chapters.iter().any(|c| c.name.starts_with(name.as_str())) {
                let known: Vec<_> = chapters.iter().map(|c| c.name.as_str()).collect();
                bail!("no chapter {name:?}: there is {}", known.join(", "));
            }
        }
        let wanted = |chapter: &Chapter| {
            let mut names = selection.iter();
            selection.is_empty()
                || names.any(|name| chapter.name.starts_with(name.as_str()))
        };
        Ok(chapters.into_iter().filter(wanted).collect())
    }

    /// The crates that a chapter's cells name, by their names in Rust: its own, and those that
    /// its `[package.metadata.book] notebook-dependencies` lists.
    ///
    /// # Errors
    ///
    /// If a manifest can't be read, or names a crate that the workspace lacks.
    pub fn notebook_crates(&self, chapter: &Chapter) -> Result<Vec<String>> {
        let table = self.book_table(chapter)?;
        let extra = table.get("notebook-dependencies").and_then(toml::Value::as_array);
        let extra = extra.into_iter().flatten().filter_map(toml::Value::as_str);
        let mut crates = vec![self.library(&chapter.crate_folder(), &chapter.name)?];
        for name in extra {
            ensure!(
                self.shared_dependency(name).is_some(),
                "{}: notebook-dependencies names {name}, which is not in \
                 [workspace.dependencies]",
                chapter.name
            );
            crates.push(match self.shared_path(name) {
                Some(folder) => self.library(&folder, name)?,
                None => name.replace('-', "_"),
            });
        }
        Ok(crates)
    }

    /// What a package in a folder of this workspace is called in Rust.
    fn library(&self, folder: &Path, package: &str) -> Result<String> {
        let manifest = read_manifest(&self.root.join(folder))?;
        let named = manifest.get("lib").and_then(|lib| lib.get("name")?.as_str());
        Ok(named.map_or_else(|| package.replace('-', "_"), str::to_owned))
    }

    /// Whether a chapter stands on candle, whose compilation takes minutes.
    ///
    /// # Errors
    ///
    /// If a manifest can't be read.
    pub fn needs_candle(&self, chapter: &Chapter) -> Result<bool> {
        for folder in self.crates_of(&chapter.crate_folder())? {
            let manifest = read_manifest(&self.root.join(folder))?;
            let dependencies =
                manifest.get("dependencies").and_then(|it| it.as_table());
            if dependencies.is_some_and(|table| table.contains_key("candle-core")) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a chapter computes in, if not in f64, and so how its outputs are compared: the
    /// key `arithmetic` of `[package.metadata.book]`.
    ///
    /// # Errors
    ///
    /// If the crate's manifest can't be read, or names what `compare` does not know.
    pub fn notebook_arithmetic(&self, chapter: &Chapter) -> Result<Option<String>> {
        let table = self.book_table(chapter)?;
        match table.get("arithmetic").map(|value| (value, value.as_str())) {
            None => Ok(None),
            Some((_, Some("f32"))) => Ok(Some("f32".to_owned())),
            Some((value, _)) => bail!(
                "{}: its arithmetic is {value}: leave the key out (f64) or give \"f32\"",
                chapter.crate_folder().display()
            ),
        }
    }

    /// `[package.metadata.book]` of a chapter's crate.
    fn book_table(&self, chapter: &Chapter) -> Result<toml::Table> {
        let manifest = read_manifest(&self.root.join(chapter.crate_folder()))?;
        let table = manifest
            .get("package")
            .and_then(|package| package.get("metadata")?.get("book")?.as_table());
        Ok(table.cloned().unwrap_or_default())
    }

    fn shared_dependency(&self, name: &str) -> Option<&toml::Value> {
        self.manifest.get("workspace")?.get("dependencies")?.get(name)
    }

    /// The folder of a crate of this workspace, relative to the root.
    fn shared_path(&self, name: &str) -> Option<PathBuf> {
        Some(self.shared_dependency(name)?.get("path")?.as_str()?.into())
    }

    /// SHA-256 of the sources that a chapter's notebook runs on: its crate's and those
    /// of the workspace's crates below it, and what these embed (file names and contents,
    /// in order). A `main.rs` is left out: no cell can see it.
    ///
    /// # Errors
    ///
    /// If a source or manifest can't be read.
    pub fn sources_hash(&self, chapter: &Chapter) -> Result<String> {
        self.hash_of(&self.crates_of(&chapter.crate_folder())?)
    }

    /// As [`Workspace::sources_hash`], of one of the workspace's crates by its name.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or a source or manifest can't be read.
    pub fn sources_hash_of(&self, name: &str) -> Result<String> {
        let folder = self.shared_path(name);
        let folder = folder.with_context(|| format!("no crate {name} is shared"))?;
        self.hash_of(&self.crates_of(&folder)?)
    }

    fn hash_of(&self, folders: &BTreeSet<PathBuf>) -> Result<String> {
        let mut hasher = Sha256::new();
        for folder in folders {
            let sources =
                WalkDir::new(self.root.join(folder).join("src")).sort_by_file_name();
            for entry in sources {
                let entry = entry
                    .with_context(|| format!("cannot list {}", folder.display()))?;
                let kind = entry.path().extension().and_then(|kind| kind.to_str());
                let is_source = kind
                    .is_some_and(|kind| ["rs", "js", "css", "json"].contains(&kind));
                if is_source && entry.file_name() != "main.rs" {
                    let name = entry.path().strip_prefix(&self.root)?;
                    hasher.update(format!("{}\0{}\0", forward(name), self.read(name)?));
                }
            }
        }
        Ok(format!("{:x}", hasher.finalize()))
    }

    /// The folders of a crate and of those of the workspace below it.
    fn crates_of(&self, folder: &Path) -> Result<BTreeSet<PathBuf>> {
        let mut folders = BTreeSet::new();
        self.collect_crates(folder, &mut folders)?;
        Ok(folders)
    }

    /// The folder of a crate and of every workspace crate that it depends on.
    fn collect_crates(
        &self,
        folder: &Path,
        found: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        if !found.insert(folder.to_owned()) {
            return Ok(());
        }
        let manifest = read_manifest(&self.root.join(folder))?;
        let dependencies = manifest.get("dependencies").and_then(|d| d.as_table());
        for name in dependencies.into_iter().flat_map(|table| table.keys()) {
            if let Some(path) = self.shared_path(name) {
                self.collect_crates(&path, found)?;
            }
        }
        Ok(())
    }
}

/// A path with `/` on every system, as links and hashes want it.
pub(crate) fn forward(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Everything that a summary has, nested chapters too, in reading order.
pub fn summary_items(summary: &Summary) -> Vec<&SummaryItem> {
    let Summary { prefix_chapters, numbered_chapters, suffix_chapters, .. } = summary;
    let mut waiting: Vec<&SummaryItem> =
        [prefix_chapters, numbered_chapters, suffix_chapters]
            .into_iter()
            .flatten()
            .rev()
            .collect();
    let mut items = Vec::new();
    while let Some(item) = waiting.pop() {
        items.push(item);
        if let SummaryItem::Link(link) = item {
            waiting.extend(link.nested_items.iter().rev());
        }
    }
    items
}

fn read_manifest(folder: &Path) -> Result<toml::Table> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("{} is not valid TOML", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_are_the_pages_with_a_crate_in_the_summary_s_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let summary = "[P](preface.md)\n\n- [B](ch01-b.md)\n- [A](ch02-a.md)\n\n---\n\n[C](a1-c.md)\n";
        write("src/SUMMARY.md".into(), summary);
        write("Cargo.toml".into(), "");
        write("src/preface.md".into(), "");
        for name in ["a1-c", "ch00-unlisted", "ch01-b", "ch02-a"] {
            write(format!("src/{name}.md"), "");
            write(format!("chapters-code/{name}/Cargo.toml"), "");
        }
        write("chapters-code/cli/Cargo.toml".into(), "");
        let workspace = Workspace::at(folder.path()).unwrap();
        let names = |selection: &[&str]| -> Vec<String> {
            let selection: Vec<String> = selection.iter().map(|&s| s.into()).collect();
            let chapters = workspace.select(&selection).unwrap();
            chapters.into_iter().map(|chapter| chapter.name).collect()
        };
        assert_eq!(names(&[]), ["ch01-b", "ch02-a", "a1-c", "ch00-unlisted"]);
        assert_eq!(names(&["a1", "ch02"]), ["ch02-a", "a1-c"]);
        assert!(workspace.chapter(Path::new("src/preface.md")).is_none());
    }
}
