//! The index of a built edition: which of its sections hold which words, and the sections' texts.
//!
//! `theme/search.js` reads what stands here. Words are found by their stems in the edition's
//! language; each word of the book is in the index with its stem, so the script needs no stemmer,
//! and finds unaccented words by taking the accents off these. The index comes in pieces: one for
//! all words, which the first search loads, and one with the texts of each page, which a result
//! of that page loads. They are scripts, which a page opened from a disk may load, too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::workspace::Language;

mod index;
pub(crate) mod sections;
mod stems;

use index::Index;
use sections::{Section, sections};

/// The folder of an edition that holds its index.
const FOLDER: &str = "search";

/// Indexes the pages of an edition, given as paths in its folder.
///
/// # Errors
///
/// If a page can't be read or has no section, or a piece can't be written.
pub fn write(edition: &Path, language: Language, pages: &[PathBuf]) -> Result<()> {
    let folder = edition.join(FOLDER);
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let mut index = Index::new(language);
    for page in pages {
        let path = edition.join(page);
        let html = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let sections = sections(&html);
        ensure!(!sections.is_empty(), "{}: no heading to find", path.display());
        let texts: Vec<_> = sections.iter().map(Section::texts).collect();
        let (name, script) = texts_piece(page, &texts)?;
        save(&folder, &name, &script)?;
        index.add(page, &name, &sections);
    }
    save(&folder, "index", &piece("index", &index)?)
}

/// The piece with a page's texts. Its name changes with them: a browser's cache can't give the
/// texts of an older edition to a newer index.
fn texts_piece(page: &Path, texts: &[[&str; 2]]) -> Result<(String, String)> {
    let stem = page.file_stem().unwrap_or_default().to_string_lossy();
    let digest = format!("{:x}", Sha256::digest(serde_json::to_vec(texts)?));
    let name = format!("{stem}-{}", &digest[..8]);
    let script = piece(&name, texts)?;
    Ok((name, script))
}

/// A script that hands its data to the one that asked for it.
fn piece(name: &str, data: &(impl Serialize + ?Sized)) -> Result<String> {
    let [name, data] = [serde_json::to_string(name), serde_json::to_string(data)];
    Ok(format!("bookSearch({}, {});\n", name?, data?))
}

fn save(folder: &Path, name: &str, script: &str) -> Result<()> {
    let path = folder.join(format!("{name}.js"));
    fs::write(&path, script).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An edition with one page, indexed.
    fn indexed(page: &str) -> (tempfile::TempDir, Result<()>) {
        let edition = tempfile::tempdir().unwrap();
        fs::write(edition.path().join("a.html"), page).unwrap();
        let written = write(edition.path(), Language::English, &["a.html".into()]);
        (edition, written)
    }

    #[test]
    fn the_index_names_the_piece_with_a_page_s_texts() {
        let (edition, written) =
            indexed("<main><h1 id=\"t\">Layers</h1><p>\u{2028}A \"layer\".</p></main>");
        written.unwrap();
        let read = |name: &str| {
            let path = edition.path().join("search").join(format!("{name}.js"));
            let script = fs::read_to_string(path).unwrap();
            let begin = format!("bookSearch({name:?}, ");
            let data = script.strip_prefix(&begin).unwrap().strip_suffix(");\n");
            serde_json::from_str::<serde_json::Value>(data.unwrap()).unwrap()
        };
        let index = read("index");
        assert_eq!(index["pages"][0]["url"], "a.html");
        let texts = read(index["pages"][0]["texts"].as_str().unwrap());
        assert_eq!(texts, serde_json::json!([["A \"layer\".", ""]]));
        assert_eq!(index["words"]["layer"], index["words"]["layers"]);
    }

    #[test]
    fn a_page_that_cannot_be_found_is_named() {
        let (_, written) = indexed("<main><p>No heading.</p></main>");
        let error = written.unwrap_err().to_string();
        assert!(error.ends_with("a.html: no heading to find"), "{error}");
    }
}
