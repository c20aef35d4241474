//! What mdBook's pages lack for screen readers, keyboards and translators.

use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::Regex;

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
    Ok(of_any_page(&page))
}

/// What a page of the site needs, whoever wrote it: links with names, and code that no translator
/// touches.
#[must_use]
pub fn of_any_page(html: &str) -> String {
    let mut page = with_named_links(html);
    for kept in ["<code", "<pre class=\"cell-output\"", "<span class=\"katex\""] {
        page = untranslated(&page, kept);
    }
    page
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

/// A link around a formula alone is called by the formula's source: what the formula says is in
/// MathML, which not every reader takes for a link's name.
fn with_named_links(html: &str) -> String {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = concat!(
            r#"(?s)<a href="([^"]*)">(<span class="katex"><span class="katex-mathml">"#,
            r#".*?<annotation[^>]*>([^<]*)</annotation>)"#
        );
        Regex::new(pattern).expect("a valid pattern")
    });
    LINK.replace_all(html, r#"<a href="$1" aria-label="$3">$2"#).into_owned()
}

/// Code, what it prints, and formulas are in no language.
fn untranslated(html: &str, tag: &str) -> String {
    html.replace(tag, &format!("{tag} translate=\"no\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<nav><noscript><iframe class=\"sidebar-iframe-outer\" src=\"toc.html\">\
        </iframe></noscript></nav><div id=\"mdbook-menu-bar\" class=\"menu-bar\">\
        <label id=\"mdbook-sidebar-toggle\" class=\"icon-button\" \
        for=\"mdbook-sidebar-toggle-anchor\" title=\"Toggle\"><svg></svg></label></div><main>\
        <code>a</code><a href=\"b.html\"><span class=\"katex\"><span class=\"katex-mathml\"><math>\
        <annotation encoding=\"x\">d_k</annotation></math></span></span></a></main>";

    #[test]
    fn a_page_can_be_worked_with_by_all() {
        let page = improved(PAGE, Language::English).unwrap();
        for part in [
            "<button id=\"mdbook-sidebar-toggle\" class=\"icon-button\" type=\"button\" title=\"Toggle\">\
             <svg></svg></button>",
            "<noscript><label class=\"icon-button\" for=\"mdbook-sidebar-toggle-anchor\">",
            "<iframe class=\"sidebar-iframe-outer\" title=\"Table of contents\" src",
            "role=\"banner\"",
            "<code translate=\"no\">a</code>",
            "<a href=\"b.html\" aria-label=\"d_k\"><span class=\"katex\" translate=\"no\">",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let other = PAGE.replace("<label", "<button");
        assert!(improved(&other, Language::English).is_err());
    }
}
