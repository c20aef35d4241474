//! An edition as mdBook has built it: what is made of it afterwards begins here.

use std::path::PathBuf;

use crate::workspace::Language;

/// What an edition is called.
#[derive(Debug, Clone, Default)]
pub struct Title {
    /// The book's title.
    pub title: String,
    /// What it is, in a sentence.
    pub description: String,
    /// Who wrote it.
    pub authors: Vec<String>,
}

/// An edition that mdBook has built.
#[derive(Debug, Clone)]
pub struct Edition {
    /// Where it is.
    pub folder: PathBuf,
    /// Its language.
    pub language: Language,
    /// What it is called.
    pub title: Title,
    /// The files of its pages, in the order of reading, as paths in its folder.
    pub pages: Vec<PathBuf>,
}
