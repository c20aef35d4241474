//! The book's crates, `notebook::self_attention` and the others.

#[cfg(notebook_cell)]
extern crate book_prelude; // what the build script has compiled

pub use book_prelude::*;
