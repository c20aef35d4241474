//! What mdBook's pages lack for screen readers, keyboards and translators.

use anyhow::Result;

use super::replaced;
use crate::workspace::Language;

/// A page that a screen reader, a keyboard and a translator can work with.
///
/// # Errors
///
/// If mdBook no longer writes what is changed.
pub fn improved(html: &str, language: Language) -> Result<String> {
    let contents = match language {
        Language::Portuguese => "Sumário",
        Language::English => "Table of contents",
    };
    let mut page = html.to_owned();
    for (old, new) in [
        // A label has no role, and so no name: it works as a button, and is one.
        (
            "<label id=\"mdbook-sidebar-toggle\" ",
            "<label id=\"mdbook-sidebar-toggle\" role=\"button\" tabindex=\"0\" "
                .to_owned(),
        ),
        (
            "<div id=\"mdbook-menu-bar\" ",
            "<div id=\"mdbook-menu-bar\" role=\"banner\" ".to_owned(),
        ),
        (
            "<iframe class=\"sidebar-iframe-outer\" ",
            format!("<iframe class=\"sidebar-iframe-outer\" title=\"{contents}\" "),
        ),
    ] {
        page = replaced(&page, old, &new)?;
    }
    for kept in ["<code", "<pre class=\"cell-output\"", "<span class=\"katex\""] {
        page = untranslated(&page, kept);
    }
    Ok(page)
}

/// Code, what it prints, and formulas are in no language.
fn untranslated(html: &str, tag: &str) -> String {
    html.replace(tag, &format!("{tag} translate=\"no\""))
}
