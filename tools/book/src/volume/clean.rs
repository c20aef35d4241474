//! A page without what only a website has: bars, scripts, links out of the book's pages.

use std::path::Path;
use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::percent_decode_str;
use regex::Regex;

use super::file_name;
use super::tree::{self, Element, Node};
use crate::check::site::{is_elsewhere, is_state};

/// A formula as `KaTeX` has written it.
pub struct Formula<'a> {
    /// Its LaTeX.
    pub tex: String,
    /// Its MathML.
    pub math: &'a Element,
    /// Its HTML, for the eyes.
    pub html: &'a Element,
}

/// The formula that an element is, if it is one.
#[must_use]
pub fn formula(element: &Element) -> Option<Formula<'_>> {
    if !element.has_class("katex") {
        return None;
    }
    let math = element.find(&|part| part.name == "math")?;
    let tex = math.find(&|part| part.name == "annotation")?;
    let html = element.find(&|part| part.has_class("katex-html"))?;
    Some(Formula { tex: tree::text(&tex.children), math, html })
}

/// What of a page belongs in a volume. Links to its `pages` are those of the volume, `page` its
/// own name.
#[must_use]
pub fn clean(body: Vec<Node>, page: &str, pages: &[String]) -> Vec<Node> {
    tree::rewrite(body, &mut |mut element| {
        let gone = matches!(element.name.as_str(), "script" | "style" | "button")
            || ["live", "lives", "progress", "stale", "terms"]
                .iter()
                .any(|class| element.has_class(class));
        if gone {
            return Vec::new();
        }
        if element.has_class("attention-view") {
            return view(element);
        }
        element.attributes.retain(|(name, _)| name != "tabindex");
        if let Some(style) = element.attr("style").map(resolved) {
            element.set("style", &style);
        }
        if element.name == "a" {
            return link(element, page, pages);
        }
        vec![element.into()]
    })
}

/// A view is its still picture. The note under it says how to make it move.
fn view(element: Element) -> Vec<Node> {
    let parts = element.children.into_iter();
    parts.filter(|part| part.element().is_some_and(|part| part.name == "img")).collect()
}

/// A link, as the volume has it; its words alone, if it leads to what is in no volume.
fn link(mut element: Element, page: &str, pages: &[String]) -> Vec<Node> {
    let Some(href) = element.attr("href") else { return vec![element.into()] };
    if is_elsewhere(href) {
        return vec![element.into()];
    }
    // A heading's link to itself, and a term's to the section that explains it: on paper, words.
    let words = element.has_class("header") || element.has_class("term");
    match target(href, page, pages).filter(|_| !words) {
        Some(target) => {
            element.set("href", &target);
            vec![element.into()]
        }
        None => element.children,
    }
}

/// Where a link from a page leads in the volume, if it does.
fn target(href: &str, page: &str, pages: &[String]) -> Option<String> {
    let (file, id) = href.split_once('#').unwrap_or((href, ""));
    let id = percent_decode_str(id).decode_utf8().ok()?;
    if is_state(&id) {
        return None;
    }
    let name = match file {
        "" => page.to_owned(),
        _ => Path::new(file).with_extension("").to_string_lossy().replace('/', "-"),
    };
    let known = pages.contains(&name)
        && (file.is_empty()
            || Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "html"));
    let mark = if id.is_empty() { "" } else { "#" };
    known.then(|| format!("{}{mark}{id}", file_name(&name)))
}

/// A style whose colors are those of the light theme: not every e-reader knows variables, and a
/// figure has its own background.
fn resolved(style: &str) -> String {
    static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"var\(--[a-z0-9-]+,\s*([^()]*)\)").expect("a valid pattern")
    });
    let mut style = style.to_owned();
    while VARIABLE.is_match(&style) {
        style = VARIABLE.replace_all(&style, "$1").into_owned();
    }
    style
}

/// The SVG that a picture's address holds, if it holds one.
#[must_use]
pub fn embedded_svg(address: &str) -> Option<String> {
    let data = address.strip_prefix("data:image/svg+xml;base64,")?;
    let svg = String::from_utf8(BASE64_STANDARD.decode(data).ok()?).ok()?;
    Some(resolved(&svg))
}

#[cfg(test)]
mod tests {
    use scraper::Html;

    use super::*;

    fn cleaned(html: &str) -> String {
        let body = tree::read(Html::parse_fragment(html).root_element());
        let pages = ["a", "b"].map(str::to_owned);
        tree::write(&clean(body, "a", &pages))
    }

    #[test]
    fn links_lead_into_the_volume_or_out_of_the_book() {
        for (link, href) in [
            ("#c", Some("a.xhtml#c")),
            ("b.html", Some("b.xhtml")),
            ("b.html#%C3%A9", Some("b.xhtml#é")),
            ("https://example.org/b.html", Some("https://example.org/b.html")),
            ("#av-12ab=layer:1", None),
            ("#live-ablation=removed:1.7%2C1.11", None),
            ("../en/a.html", None),
            ("notebooks/a.ipynb", None),
        ] {
            let html = cleaned(&format!("<a href=\"{link}\">x</a>"));
            let expected = href.map(|href| format!("<a href=\"{href}\">x</a>"));
            assert_eq!(html, expected.unwrap_or("x".to_owned()), "{link}");
        }
    }

    #[test]
    fn what_only_a_website_has_is_gone() {
        let html = "<h1 id=\"t\"><a class=\"header\" href=\"#t\">T</a></h1><nav class=\"lives\">n</nav><div class=\"live\" data-live=\"x\"></div>\
                    <div class=\"attention-view\"><img src=\"data:,\"><p>move</p><script>s</script></div>\
                    <p style=\"color:var(--fg,var(--jp, #123))\" tabindex=\"0\">p</p>";
        let clean =
            "<h1 id=\"t\">T</h1><img src=\"data:,\"/><p style=\"color:#123\">p</p>";
        assert_eq!(cleaned(html), clean);
    }
}
