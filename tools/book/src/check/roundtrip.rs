//! Pages that the way through gettext would change without a translation in it.
//!
//! `mdbook-i18n-helpers` reads a page, exchanges messages and writes Markdown anew. What
//! it writes is not always what it read: an escaped `2024\.` comes back as a list.

use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use mdbook_markdown::pulldown_cmark::{Event, html};
use polib::catalog::Catalog;
use polib::metadata::CatalogMetadata;

use super::listings::files;
use crate::workspace::Workspace;
use crate::{i18n, markdown};

/// Parts of pages that the English edition could not have as they are.
///
/// # Errors
///
/// If a page can't be read.
pub fn altered(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for page in files(workspace, "src", &["md"])? {
        findings.extend(alteration(&page, &workspace.read(&page)?)?);
    }
    Ok(findings)
}

/// The first part of a page whose HTML its untranslated round trip changes.
///
/// # Errors
///
/// If the page can't be written anew.
pub fn alteration(page: &Path, text: &str) -> Result<Option<String>> {
    let back = i18n::translate(text, &Catalog::new(CatalogMetadata::new()))?;
    let (before, after) = (parts(text), parts(&(back + "\n"))); // which it leaves out
    for (i, (range, html)) in before.iter().enumerate() {
        let other = after.get(i).map_or("", |(_, html)| html);
        if html != other {
            let line = markdown::line_of(text, range.start);
            return Ok(Some(format!(
                "{}:{line}: on its way to a translator this part changes, from {html:?} to \
                 {other:?}: write it in another way",
                page.display()
            )));
        }
    }
    Ok(after.get(before.len()).map(|(_, html)| {
        format!("{}: a translation would add {html:?} at its end", page.display())
    }))
}

/// The HTML of each outermost part, lines of a paragraph joined.
fn parts(text: &str) -> Vec<(Range<usize>, String)> {
    let mut parts = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut depth = 0;
    for (event, range) in markdown::events(text) {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        events.push(match event {
            Event::SoftBreak => Event::Text(" ".into()),
            event => event,
        });
        if depth == 0 {
            let mut html = String::new();
            html::push_html(&mut html, events.drain(..));
            parts.push((range, html));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> Option<String> {
        alteration(Path::new("src/page.md"), text).unwrap()
    }

    #[test]
    fn what_gettext_would_change_is_found_with_its_line() {
        for (text, line) in [
            ("# T\n\n2024\\. Um ano.\n", 3),
            ("a\n\num des*a*fio\n", 3),
            ("Termo\n: o que é\n", 1),
            ("> [!NOTE]\n> Um aviso.\n", 1),
            ("a\n\n1\\) b", 3),
            ("- a\n- \\+ b", 1),
            ("Escreva &amp;lt; para <.", 1),
            ("\\~a\\~", 1),
            ("* a\n* b\n\n+ c", 1),
        ] {
            let found = changed(text).unwrap_or_default();
            assert!(
                found.starts_with(&format!("src/page.md:{line}: ")),
                "{text}: {found}"
            );
        }
    }

    #[test]
    fn what_comes_back_as_it_was_is_in_order() {
        for text in [
            "# T\n\nUm *a* e\n**b**, `c`, $`d_k`$.\n\n- e\n- f\n  g\n\n1. h\n",
            "| a | `b\\|c` |\n|---|:-:|\n| *d* | [e](f.md) |\n",
            "{{#details x}}\n\n```text\na\n\n```\n\n> b\n> c\n\n{{#enddetails}}\n",
            "    a\n",
            "<!-- forms: a -->\n\n![alt](img/a.svg)\n\na  \nb\n",
        ] {
            assert_eq!(changed(text), None, "{text}");
        }
    }
}
