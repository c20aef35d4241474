//! `CITATION.cff` says what `Cargo.toml` says: the version, and the repository's address once it is
//! set.

use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// How the book is cited, for GitHub, Zenodo and reference managers.
const FILE: &str = "CITATION.cff";

/// What `CITATION.cff` says otherwise than `Cargo.toml`.
///
/// # Errors
///
/// If one of them can't be read, or `Cargo.toml` has no version.
pub fn miscited(workspace: &Workspace) -> Result<Vec<String>> {
    let manifest: toml::Table = workspace.read(Path::new("Cargo.toml"))?.parse()?;
    let version = manifest
        .get("workspace")
        .and_then(|table| table.get("package")?.get("version")?.as_str())
        .context("Cargo.toml: [workspace.package] has no version")?;
    let citation = workspace.read(Path::new(FILE))?;
    Ok(faults(&citation, version, workspace.repository.as_deref()))
}

fn faults(citation: &str, version: &str, repository: Option<&str>) -> Vec<String> {
    let expected = [("version", Some(version)), ("repository-code", repository)];
    let wrong =
        expected.into_iter().filter(|(key, value)| field(citation, key) != *value);
    wrong
        .map(|(key, value)| match value {
            Some(value) => format!("{FILE}: write {key}: {value}, as in Cargo.toml"),
            None => format!("{FILE}: {key} without a repository in Cargo.toml"),
        })
        .collect()
}

/// A field at the file's margin.
fn field<'a>(citation: &'a str, key: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(key)?.strip_prefix(':');
    citation.lines().find_map(value).map(|value| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_citation_follows_the_manifest() {
        let cff = "cff-version: 1.2.0\nversion: 0.1.0\n";
        let address = "https://github.com/someone/book";
        let with = format!("{cff}repository-code: \"{address}\"\n");
        assert_eq!(faults(cff, "0.1.0", None), [""; 0]);
        assert_eq!(faults(&with, "0.1.0", Some(address)), [""; 0]);
        assert_eq!(faults(cff, "0.2.0", Some(address)).len(), 2);
        assert_eq!(faults(&with, "0.1.0", None).len(), 1);
    }
}
