//! What mdBook's pages lack for screen readers, keyboards and translators.

use anyhow::{Context, Result};

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
    let mut page = with_contents_button(html)?;
    for (old, new) in [
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

/// The table of contents is opened by a label, which no keyboard reaches and which can have no name:
/// it becomes a button (`theme/interface.js`), and stays where no script runs.
fn with_contents_button(html: &str) -> Result<String> {
    const LABEL: &str = "<label id=\"mdbook-sidebar-toggle\" class=\"icon-button\" \
                         for=\"mdbook-sidebar-toggle-anchor\" ";
    const END: &str = "</label>";
    let changed = || "mdBook no longer opens its contents by a label";
    let (before, rest) = html.split_once(LABEL).with_context(changed)?;
    let (label, after) = rest.split_once(END).with_context(changed)?;
    let (attributes, icon) = label.split_once('>').with_context(changed)?;
    Ok(format!(
        "{before}<noscript><label class=\"icon-button\" for=\"mdbook-sidebar-toggle-anchor\">{icon}\
         </label></noscript>\
         <button id=\"mdbook-sidebar-toggle\" class=\"icon-button\" type=\"button\" {attributes}>\
         {icon}</button>{after}"
    ))
}

/// Code, what it prints, and formulas are in no language.
fn untranslated(html: &str, tag: &str) -> String {
    html.replace(tag, &format!("{tag} translate=\"no\""))
}
