//! `{{#include path:anchor}}`: the only way that code enters a page.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use crate::workspace::Workspace;

/// One include directive: a file, relative to the page's folder, and an anchor in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The file, as written.
    pub path: PathBuf,
    /// The anchor; without one, the whole file.
    pub anchor: Option<String>,
}

impl Include {
    /// Reads a line that holds one directive and nothing else.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let inner = line.trim().strip_prefix("{{#include ")?;
        let target = inner.strip_suffix("}}")?.trim();
        let (path, anchor) = match target.split_once(':') {
            Some((path, anchor)) => (path, Some(anchor.to_owned())),
            None => (target, None),
        };
        Some(Self { path: path.into(), anchor })
    }

    /// The file, relative to the root, that a page means.
    #[must_use]
    pub fn file(&self, page: &Path) -> PathBuf {
        normalize(&page.with_file_name(&self.path))
    }

    /// The text that the directive stands for on a page, dedented, without anchor comments, and, in
    /// Rust, without the `# Errors` sections of the docs: a page's prose says what it
    /// teaches of them.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or lacks the anchor (the message lists those it has).
    pub fn expand(&self, workspace: &Workspace, page: &Path) -> Result<String> {
        let path = self.file(page);
        let text = workspace.read(&path)?;
        let part = match &self.anchor {
            None => without_anchors(&text),
            Some(lines) if lines.chars().all(|c| c.is_ascii_digit() || c == ':') => {
                let file = self.path.display();
                bail!(
                    "lines {lines} of {file}: lines move when a file changes; include an anchor, \
                     {file}:name, and put // ANCHOR: name … // ANCHOR_END: name around them"
                )
            }
            Some(anchor) => match slice(&text, anchor) {
                Some(slice) => dedent(&without_anchors(&slice)),
                None => bail!(missing_anchor(&text, anchor, &path)),
            },
        };
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        Ok(if is_rust { without_errors(&part) } else { part })
    }
}

fn missing_anchor(text: &str, anchor: &str, path: &Path) -> anyhow::Error {
    let known: Vec<&str> = anchors(text).map(|(_, name)| name).collect();
    let known = if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", known.join(", "))
    };
    anyhow!(
        "{} has no complete anchor {anchor:?} (ANCHOR: {anchor} … ANCHOR_END: {anchor}): {known}",
        path.display()
    )
}

/// The anchors that a text opens, with their 1-based lines.
pub fn anchors(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate();
    numbered.filter_map(|(i, line)| Some((i + 1, marker(line, "ANCHOR:")?)))
}

/// The name after `ANCHOR:` or `ANCHOR_END:` in a comment.
fn marker<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let comment = line.trim().strip_prefix("//").or(line.trim().strip_prefix('#'))?;
    comment.trim().strip_prefix(keyword).map(str::trim)
}

fn slice(text: &str, anchor: &str) -> Option<String> {
    let lines: Vec<&str> = text[slice_range(text, anchor)?].lines().collect();
    Some(lines.join("\n"))
}

/// The bytes between the two lines of an anchor, if both are there.
pub(crate) fn slice_range(text: &str, anchor: &str) -> Option<Range<usize>> {
    let (mut start, mut byte) = (None, 0);
    for line in text.split_inclusive('\n') {
        match start {
            None if marker(line, "ANCHOR:") == Some(anchor) => {
                start = Some(byte + line.len());
            }
            Some(start) if marker(line, "ANCHOR_END:") == Some(anchor) => {
                return Some(start..byte);
            }
            _ => {}
        }
        byte += line.len();
    }
    None
}

fn without_anchors(text: &str) -> String {
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| {
            marker(line, "ANCHOR:").is_none() && marker(line, "ANCHOR_END:").is_none()
        })
        .collect();
    kept.join("\n").trim_matches('\n').to_owned()
}

/// Rust without the `# Errors` sections of its docs.
#[must_use]
pub fn without_errors(code: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in code.lines() {
        let doc = line.trim_start().strip_prefix("///").map(str::trim);
        let ends = inside && doc.is_none(); // with the doc: its blank line goes, too
        inside = match doc {
            Some("# Errors") => true,
            Some(doc) => inside && !doc.starts_with("# "),
            None => false,
        };
        while ends && kept.last().is_some_and(|line| line.trim() == "///") {
            kept.pop();
        }
        if !inside {
            kept.push(line);
        }
    }
    kept.join("\n")
}

/// Removes the indentation that all lines share.
fn dedent(text: &str) -> String {
    let indent = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> =
        text.lines().map(|l| l.get(indent..).unwrap_or("")).collect();
    lines.join("\n")
}

/// Resolves `..` without asking the disk.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                parts.pop();
            }
            std::path::Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
fn main() {
    // ANCHOR: outer
    let a = 1;
    // ANCHOR: inner
    if a > 0 {

        println!(\"{a}\");
    }
    // ANCHOR_END: inner
    // ANCHOR_END: outer
}
";

    #[test]
    fn an_anchor_is_cut_out_and_dedented() {
        let text = dedent(&without_anchors(&slice(SOURCE, "inner").unwrap()));
        assert_eq!(text, "if a > 0 {\n\n    println!(\"{a}\");\n}");
    }

    #[test]
    fn nested_anchor_comments_disappear() {
        let text = dedent(&without_anchors(&slice(SOURCE, "outer").unwrap()));
        assert!(text.starts_with("let a = 1;\nif a > 0 {"), "{text}");
    }

    #[test]
    fn what_a_function_may_fail_with_is_left_out() {
        let code = "\
/// Halves it.
///
/// # Errors
///
/// `Odd` if it is odd.
///
/// # Examples
///
/// None.
fn half() {}

impl Half {
    /// As [`half`].
    ///
    /// # Errors
    ///
    /// Those of [`half`].
    fn half(&self) {
        // # Errors
    }
}";
        let page = "\
/// Halves it.
///
/// # Examples
///
/// None.
fn half() {}

impl Half {
    /// As [`half`].
    fn half(&self) {
        // # Errors
    }
}";
        assert_eq!(without_errors(code), page);
    }

    #[test]
    fn an_anchor_without_an_end_is_missing() {
        assert_eq!(slice("// ANCHOR: a\nlet x = 1;", "a"), None);
        let error = missing_anchor(SOURCE, "nope", Path::new("lib.rs")).to_string();
        assert!(error.contains("it has outer, inner"), "{error}");
    }

    #[test]
    fn a_directive_names_file_and_anchor() {
        let include = Include::parse("{{#include ../a/lib.rs:softmax}}").unwrap();
        assert_eq!(include.path, Path::new("../a/lib.rs"));
        assert_eq!(include.anchor.as_deref(), Some("softmax"));
        assert_eq!(Include::parse("see {{#include x}}"), None);
    }

    #[test]
    fn parent_folders_are_resolved() {
        assert_eq!(normalize(Path::new("src/../a/./b")), Path::new("a/b"));
    }
}
