//! The code on the pages: short enough to read, narrow enough to see, folded where it
//! only draws; and no anchor that no page includes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_markdown::pulldown_cmark::Event;
use walkdir::{DirEntry, WalkDir};

use crate::include::{self, Include};
use crate::markdown;
use crate::page::{self, Block, Cell, Located};
use crate::workspace::Workspace;

/// Columns of code that a page shows without scrolling.
const WIDTH: usize = 88;

/// Lines of code that a reader holds together.
const LINES: usize = 45;

/// What begins a figure of the book's own crate.
const FIGURES: [&str; 4] = ["BarChart::", "Heatmap::", "HeatmapGrid::", "LineChart::"];

/// Code on a page.
struct Shown {
    /// `src/page.md:line`.
    at: String,
    code: String,
    /// For a cell, whether it is marked as one that only draws.
    draws: Option<bool>,
}

/// Listings of more lines than a reader holds together.
///
/// # Errors
///
/// If a page or a source can't be read.
pub fn long(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(too_long(&shown(workspace)?))
}

fn too_long(shown: &[Shown]) -> Vec<String> {
    let mut findings = Vec::new();
    for listing in shown {
        let lines = listing.code.lines().count();
        if lines > LINES {
            findings.push(format!(
                "{}: a listing of {lines} lines, over {LINES}: cut its anchor into parts, each \
                 with its sentence of prose",
                listing.at
            ));
        }
    }
    findings
}

/// Lines of code too wide for a page, which would be cut.
///
/// # Errors
///
/// If a page or a source can't be read.
pub fn wide(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for listing in shown(workspace)? {
        let wide = listing.code.lines().find(|line| line.chars().count() > WIDTH);
        findings.extend(
            wide.map(|line| format!("{}: over {WIDTH} columns: {line:?}", listing.at)),
        );
    }
    Ok(findings)
}

/// Cells marked as drawing only that do more, and cells that draw only, unmarked.
///
/// # Errors
///
/// If a page or a source can't be read.
pub fn drawings(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(misfolded(&shown(workspace)?))
}

fn misfolded(shown: &[Shown]) -> Vec<String> {
    let mut findings = Vec::new();
    for cell in shown {
        let problem = match cell.draws {
            Some(true) if !draws(&cell.code) => {
                "marked as drawing, but it prints, or shows no figure: a reader would miss \
                 what is folded"
            }
            Some(false) if only_a_chain(&cell.code) => {
                "code that only draws: mark it ```rust,cell,drawing, so that it is folded"
            }
            _ => continue,
        };
        findings.push(format!("{}: {problem}", cell.at));
    }
    findings
}

/// Whether code ends by showing a figure and prints nothing.
fn draws(code: &str) -> bool {
    code.trim_end().ends_with(".show()?;") && !code.contains("print")
}

/// Whether code is one statement: a figure of the book's crate, built and shown.
fn only_a_chain(code: &str) -> bool {
    draws(code)
        && FIGURES.iter().any(|figure| code.starts_with(figure))
        && code.lines().filter(|line| line.ends_with(';')).count() == 1
}

/// Anchors in the crates that no page includes.
///
/// # Errors
///
/// If a page or a source can't be read.
pub fn unused_anchors(workspace: &Workspace) -> Result<Vec<String>> {
    let mut used = BTreeSet::new();
    for page in pages(workspace)? {
        for (event, _) in markdown::events(&workspace.read(&page)?) {
            if let Event::Text(code) = event {
                let includes = code.lines().filter_map(Include::parse);
                used.extend(includes.filter_map(|i| Some((i.file(&page), i.anchor?))));
            }
        }
    }
    let mut findings = Vec::new();
    for path in files(workspace, "chapters-code", &["rs", "js", "css"])? {
        let text = workspace.read(&path)?;
        for (line, anchor) in include::anchors(&text) {
            if !used.contains(&(path.clone(), anchor.to_owned())) {
                findings.push(format!(
                    "{}:{line}: no page includes the anchor {anchor:?}",
                    path.display()
                ));
            }
        }
    }
    Ok(findings)
}

/// All code on the pages, in order.
fn shown(workspace: &Workspace) -> Result<Vec<Shown>> {
    let mut shown = Vec::new();
    for page in pages(workspace)? {
        let blocks = page::parse(workspace, &page, &workspace.read(&page)?)?;
        shown.extend(blocks.into_iter().filter_map(|block| on_page(&page, block)));
    }
    Ok(shown)
}

fn on_page(page: &Path, located: Located) -> Option<Shown> {
    let (code, draws) = match located.block {
        Block::Cell(Cell { code, draws, .. }) => (code, Some(draws)),
        Block::Code(listing) => (listing.code, None),
        _ => return None,
    };
    let at = format!("{}:{}", page.display(), located.line);
    Some(Shown { at, code, draws })
}

/// The pages, relative to the root.
fn pages(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    files(workspace, "src", &["md"])
}

/// The files of some kinds in a folder, relative to the root, in order.
pub(super) fn files(
    workspace: &Workspace,
    folder: &str,
    kinds: &[&str],
) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let ours = |entry: &DirEntry| entry.file_name() != "node_modules"; // what npm has brought
    let entries = WalkDir::new(workspace.root.join(folder)).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(ours) {
        let path = entry.with_context(|| format!("cannot list {folder}"))?.into_path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.is_file() && kind.is_some_and(|kind| kinds.contains(&kind)) {
            files.push(path.strip_prefix(&workspace.root)?.to_owned());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(code: &str, draws: Option<bool>) -> Shown {
        Shown { at: "src/ch01.md:7".into(), code: code.into(), draws }
    }

    #[test]
    fn a_listing_of_more_than_45_lines_is_found() {
        let shown = [45, 46].map(|lines| listing(&"x\n".repeat(lines), None));
        let found = too_long(&shown);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("src/ch01.md:7: a listing of 46 lines"));
    }

    #[test]
    fn what_only_draws_is_marked_and_nothing_else_is() {
        let chain = "Heatmap::new(&a)\n    .draw()?\n    .show()?;";
        let prepared = format!("let a = b;\n{chain}");
        let printing = format!("{chain}\nprintln!(\"a\");");
        for (code, marked, fits) in [
            (chain, true, true),
            (chain, false, false),
            (&prepared, true, true),
            (&prepared, false, true),
            (&printing, true, false),
            (&printing, false, true),
            ("HeadView::new(&a)?.show()?;", false, true),
            ("let a = b;", true, false),
        ] {
            let found = misfolded(&[listing(code, Some(marked))]);
            assert_eq!(found.is_empty(), fits, "{marked} {code} {found:?}");
        }
    }
}
