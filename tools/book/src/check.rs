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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells;
    use crate::new::{self, tests::copy, tests::named};
    use std::fmt::Write;
    use std::path::Path;

    type Check<'a> = &'a dyn Fn(&Workspace) -> Result<Vec<String>>;

    /// A book with a chapter that has each fault a check looks for: a check that finds nothing would
    /// pass a book unread.
    #[test]
    fn every_check_finds_its_fault() {
        let (_folder, workspace) = copy();
        new::chapter(&workspace, &named("ch98-new-words")).unwrap();
        let workspace = Workspace::at(&workspace.root).unwrap();
        let change = |path: &str, change: &dyn Fn(String) -> String| {
            let file = workspace.root.join(path);
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            std::fs::write(file, change(text)).unwrap();
        };
        // Four pages are read sooner than all.
        change("src/SUMMARY.md", &|text| {
            let kept = ["ch01-", "ch03-", "ch98-", "glossary"];
            let keep = |line: &&str| kept.iter().any(|name| line.contains(name));
            text.lines().filter(keep).collect::<Vec<_>>().join("\n")
        });
        let (page, library) =
            ("src/ch98-new-words.md", "chapters-code/ch98-new-words/src/lib.rs");
        let include = |anchor: &str| {
            format!("\n```rust\n{{{{#include ../{library}:{anchor}}}}}\n```\n")
        };
        let faults = "\n## Faltas\n\nEm duas linhas,\ncomo diz [Ninguém, 2001](references.md#none2001), \
                      na [figura 99.1](#fig-none), com a perda.\n\nUm des*a*fio.\n";
        change(page, &|text| {
            let cell = text.replacen(
                "```rust,cell\n{{#include",
                "```rust,cell,drawing\n{{#include",
                2,
            );
            let (before, question) = cell.rsplit_once("{{#question").unwrap();
            let (_, after) = question.split_once("{{#endquestion}}").unwrap();
            [before, after, faults, &include("long"), &include("wide")].concat()
        });
        change(library, &|mut text| {
            text.push_str("\n/// Of nothing.\npub const COLOUR: u8 = 1;\n");
            text.push_str("\n// ANCHOR: nobody\n// ANCHOR_END: nobody\n");
            let wide = format!(
                "\n// ANCHOR: wide\n// {}\n// ANCHOR_END: wide\n",
                "a".repeat(90)
            );
            text.push_str(&wide);
            text.push_str("\n// ANCHOR: long\n");
            (0..46).for_each(|i| writeln!(text, "// {i}").unwrap());
            text + "// ANCHOR_END: long\n"
        });
        let program = "chapters-code/ch98-new-words/examples/walkthrough.rs";
        change(program, &|text| text.replace("println!", "print!"));
        change("src/ch01-self-attention.md", &|text| text + "\nA loss vem aqui.\n");
        change("src/nobody.md", &|_| "# N\n".into());
        change("po/en.po", &|text| {
            text + "\nmsgid \"Faltas\"\nmsgstr \"The colour of faults\"\n"
        });
        change("CITATION.cff", &|_| "version: 9.9.9\n".into());
        change("chapters-code/ch01-self-attention/Cargo.toml", &|text| {
            text.replace(
                "[dependencies]",
                "[dependencies]\nch03-training.workspace = true",
            )
        });
        let text = workspace.read(Path::new(page)).unwrap();
        let line =
            text.lines().position(|line| line.starts_with("como diz")).unwrap() + 1;
        let (cited, called) = (
            format!(
                "{page}:{line} (pt-BR): src/references.bib has no work \"none2001\""
            ),
            format!("{page}:{line} (pt-BR): \"figura 99.1\" links to no figure"),
        );
        let untranslated =
            |workspace: &Workspace| i18n::findings(workspace, Language::English);
        let checks: [(Check, &str); 18] = [
            (&cells::unfaithful, "ch98"),
            (&citations::unsound, &cited),
            (&docs::riddles, "Of nothing."),
            (&english::faults, "colour"),
            (&english::in_code, "COLOUR"),
            (&figures::misnumbered, &called),
            (&graph::unfaithful, "from ch03 to ch01"),
            (&listings::long, "a listing of 46 lines"),
            (&listings::wide, "over 88 columns"),
            (&listings::drawings, "marked as drawing"),
            (&listings::unused_anchors, "\"nobody\""),
            (&questions::weak, "1 questions"),
            (&release::miscited, "version: 0.1.0"),
            (&rivals::used, "perda"),
            (&roundtrip::altered, "fio"),
            (&terms::early, "\"loss\" is used before"),
            (&untranslated, "missing from po/en.po"),
            (&unlisted_pages, "src/nobody.md"),
        ];
        for (check, expected) in checks {
            let findings = check(&workspace).unwrap();
            let found = findings.iter().any(|finding| finding.contains(expected));
            assert!(found, "{expected}: {findings:#?}");
        }
    }
}
