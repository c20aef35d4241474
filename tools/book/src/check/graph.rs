//! The drawing of what needs what: a chapter whose crate stands on another chapter's is reached
//! from there.
//!
//! Its arrows are `<path data-from="ch01" data-to="ch02" …>`. A chapter without a box is none of
//! its business: until it is drawn, nothing is said of it.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;

use super::glossary::pattern;
use crate::workspace::Workspace;

/// The drawing, relative to the root.
const DRAWING: &str = "src/img/chapters.svg";

static ARROW: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"data-from="(\w+)" data-to="(\w+)""#));

/// Chapters that the drawing lets one read before what their crates stand on.
///
/// # Errors
///
/// If the drawing, the summary or a manifest can't be read.
pub fn unfaithful(workspace: &Workspace) -> Result<Vec<String>> {
    let chapters = workspace.chapters()?;
    let mut needs = Vec::new();
    for chapter in &chapters {
        let manifest = chapter.crate_folder().join("Cargo.toml");
        let manifest: toml::Table = workspace.read(&manifest)?.parse()?;
        let named = manifest.get("dependencies").and_then(toml::Value::as_table);
        let below = chapters
            .iter()
            .filter(|other| named.is_some_and(|named| named.contains_key(&other.name)));
        needs.extend(below.map(|other| (other.short(), chapter.short())));
    }
    Ok(faults(&workspace.read(Path::new(DRAWING))?, &needs))
}

fn faults(drawing: &str, needs: &[(&str, &str)]) -> Vec<String> {
    let arrows: Vec<(&str, &str)> = ARROW
        .captures_iter(drawing)
        .map(|found| found.extract::<2>().1.into())
        .collect();
    let drawn =
        |chapter| arrows.iter().any(|(from, to)| [*from, *to].contains(&chapter));
    let missing =
        needs.iter().filter(|(from, to)| drawn(to) && !leads(&arrows, from, to));
    missing
        .map(|(from, to)| {
            format!(
                "{DRAWING}: no way leads from {from} to {to}, whose crate stands on it"
            )
        })
        .collect()
}

/// Whether arrows lead from one chapter to another.
fn leads(arrows: &[(&str, &str)], from: &str, to: &str) -> bool {
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(&here) = reached.get(next) {
        let beyond = arrows.iter().filter(|arrow| arrow.0 == here).map(|arrow| arrow.1);
        let new: Vec<&str> =
            beyond.filter(|chapter| !reached.contains(chapter)).collect();
        reached.extend(new);
        next += 1;
    }
    reached.contains(&to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crate_stands_on_leads_to_its_chapter() {
        let arrow =
            |from, to| format!("<path data-from=\"{from}\" data-to=\"{to}\" d=\"\"/>");
        let drawing =
            [arrow("ch01", "ch02"), arrow("ch02", "ch03"), arrow("ch02", "a1")];
        let needs = [("ch01", "ch03"), ("ch02", "a1"), ("ch03", "ch09")];
        assert_eq!(faults(&drawing.concat(), &needs), [""; 0]);
        let found = faults(&drawing.concat(), &[("ch03", "a1")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("from ch03 to a1"), "{found:?}");
    }
}
