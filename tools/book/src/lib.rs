//! `cargo book`: one source, four lives.
//!
//! A page of `src/` is Markdown whose code is included from the crates by anchors. This
//! tool makes of it a web page (through mdBook), a notebook that the evcxr kernel
//! executes, and the checks that keep page, crate, notebook and translation in step.

use anyhow::Context as _;

pub mod address;
pub mod build;
pub mod cells;
pub mod check;
pub mod compare;
pub mod edition;
pub mod exercises;
pub mod figure;
#[cfg(test)]
mod fuzz;
pub mod i18n;
pub mod include;
pub mod jupyter;
pub mod kernel;
pub mod live;
pub mod markdown;
pub mod math;
pub mod new;
pub mod notebook;
pub mod page;
pub mod po;
pub mod polish;
pub mod preprocess;
pub mod programs;
pub mod published;
pub mod reading;
pub mod references;
pub mod render;
pub mod run;
pub mod search;
pub mod serve;
pub mod terms;
pub mod times;
pub mod viewer;
pub mod volume;
pub mod walkthrough;
pub mod workspace;

/// Writes a line to standard output. A reader that has left (`| head`) is no error.
///
/// # Errors
///
/// If the line can't be written.
pub fn say(line: &str) -> anyhow::Result<()> {
    cli::print(&format!("{line}\n")).context("cannot write to standard output")
}
