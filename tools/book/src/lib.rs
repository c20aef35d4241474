//! `cargo book`: one source, four lives.
//!
//! A page of `src/` is Markdown whose code is included from the crates by anchors. This
//! tool makes of it a web page (through mdBook), a notebook that the evcxr kernel
//! executes, and the checks that keep page, crate, notebook and translation in step.

pub mod build;
pub mod check;
pub mod figure;
pub mod i18n;
pub mod include;
pub mod kernel;
pub mod math;
pub mod notebook;
pub mod page;
pub mod preprocess;
pub mod render;
pub mod run;
pub mod serve;
pub mod workspace;
