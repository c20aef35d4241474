//! An edition as mdBook has built it: what is made of it afterwards begins here.

use std::panic;
use std::path::PathBuf;
use std::thread;

use anyhow::Result;

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

/// Does the same for several things, each in a thread of its own: what came of them, in their order.
///
/// # Errors
///
/// The first one's, in that order.
pub fn side_by_side<T: Send, R: Send>(
    things: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let work = &work;
    thread::scope(|scope| {
        let threads = things.into_iter().map(|it| scope.spawn(move || work(it)));
        let threads: Vec<_> = threads.collect();
        let results = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
        });
        results.collect()
    })
}
