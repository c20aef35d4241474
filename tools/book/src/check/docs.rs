//! Doc comments that say nothing: a riddle to who does not know the answer already.

use anyhow::Result;

use super::listings::files;
use crate::workspace::Workspace;

/// Docs of one word, if it isn't code, and docs that begin with the "Of" of a thing that
/// they don't name.
///
/// # Errors
///
/// If a source can't be read.
pub fn riddles(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for folder in ["chapters-code", "tools", "tests"] {
        for path in files(workspace, folder, &["rs"])? {
            let text = workspace.read(&path)?;
            let found = docs(&text).filter(|(_, doc)| is_riddle(doc));
            findings.extend(found.map(|(line, doc)| {
                format!(
                    "{}:{line}: the doc {doc:?} does not say what this is",
                    path.display()
                )
            }));
        }
    }
    Ok(findings)
}

/// The doc comments of items, each as one line of text, with its 1-based line.
fn docs(source: &str) -> impl Iterator<Item = (usize, String)> {
    let mut docs: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (i, line) in source.lines().enumerate() {
        let text = line.trim().strip_prefix("///");
        match (text, docs.last_mut()) {
            (Some(text), Some((_, doc))) if inside => {
                doc.push(' ');
                doc.push_str(text.trim());
            }
            (Some(text), _) => docs.push((i + 1, text.trim().to_owned())),
            (None, _) => {}
        }
        inside = text.is_some();
    }
    docs.into_iter()
}

fn is_riddle(doc: &str) -> bool {
    let one_word = doc.split_whitespace().count() < 2 && !doc.contains('`');
    doc.starts_with("Of ") || one_word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doc_that_says_nothing_is_a_riddle() {
        // Written with another mark, since this file is checked, too.
        let source = "\
# Of all chance.
seed: u64,
# AdamW's.
rate: f64,
# One row a word,
# one column a number.
# [n, m]
x: Array2<f64>,
    # Why.
    reason: String,
// Of no matter.
# The weights of
# Q.
q: Q,
# `d_model`.
width: usize,
"
        .replace("# ", "/// ");
        let riddles: Vec<(usize, String)> =
            docs(&source).filter(|(_, doc)| is_riddle(doc)).collect();
        let expected = [(1, "Of all chance."), (3, "AdamW's."), (9, "Why.")];
        assert_eq!(riddles, expected.map(|(line, doc)| (line, doc.to_owned())));
    }
}
