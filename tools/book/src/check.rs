//! Everything that must be true of the book before it is published.

use anyhow::Result;

use crate::i18n;
use crate::live;
use crate::notebook;
use crate::workspace::{Chapter, Language, Workspace};

pub mod citations;
pub mod docs;
pub mod english;
pub mod figures;
pub(crate) mod glossary;
pub mod graph;
pub mod listings;
pub mod numbers;
pub mod outputs;
pub mod questions;
pub mod release;
pub mod rivals;
pub mod roundtrip;
pub mod site;
pub mod terms;

/// Notebooks that lag behind their pages or crates, and modules for the browser that lag behind
/// theirs.
///
/// # Errors
///
/// If a page, notebook or source can't be read.
pub fn freshness(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        let blocks = i18n::blocks(workspace, &chapter, Language::Portuguese)?;
        let stale = notebook::stale(workspace, &chapter, &blocks)?;
        if stale.is_empty() {
            findings.extend(notebooks_as_built(workspace, &chapter)?);
        }
        findings.extend(stale);
    }
    findings.extend(live::findings(workspace)?);
    Ok(findings)
}

/// Pages in `src/` that `SUMMARY.md` does not name: nobody would see them.
///
/// # Errors
///
/// If `src/` can't be read.
pub fn unlisted_pages(workspace: &Workspace) -> Result<Vec<String>> {
    let pages = workspace.unlisted_pages()?;
    Ok(pages
        .iter()
        .map(|page| format!("{}: not in src/SUMMARY.md", page.display()))
        .collect())
}

/// Notebook files that a rebuild with the same outputs would change: prose or a
/// translation moved.
fn notebooks_as_built(workspace: &Workspace, chapter: &Chapter) -> Result<Vec<String>> {
    let outputs = notebook::recorded_outputs(workspace, chapter)?;
    let mut findings = Vec::new();
    for (path, built) in notebook::editions(workspace, chapter, &outputs)? {
        let committed = workspace.read(&path).unwrap_or_default();
        if committed != notebook::to_text(&built)? {
            findings.push(format!(
                "{} is not what its page gives: run `cargo book notebooks --text {}`",
                path.display(),
                chapter.short()
            ));
        }
    }
    Ok(findings)
}
