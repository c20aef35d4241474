//! Questions before results: each chapter asks its reader to predict something.

use anyhow::Result;

use crate::i18n;
use crate::page::{Block, Located};
use crate::workspace::{Language, Workspace};

/// Questions that a chapter asks, at least. That each has its answers, [`crate::page::parse`]
/// sees to.
const LEAST: usize = 2;

/// Chapters (appendices apart) that let their reader predict too little.
///
/// # Errors
///
/// If a page can't be read.
pub fn few(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        let blocks = i18n::blocks(workspace, &chapter, Language::Portuguese)?;
        let asked = asked(&blocks);
        if chapter.name.starts_with("ch") && asked < LEAST {
            findings.push(format!(
                "{}: {asked} questions before results, and a chapter asks at least {LEAST}: write \
                 {{{{#question …}}}}",
                chapter.page().display()
            ));
        }
    }
    Ok(findings)
}

fn asked(blocks: &[Located]) -> usize {
    blocks.iter().filter(|located| matches!(located.block, Block::Question(_))).count()
}
