//! Pictures on a page: the drawings of `src/img/`, inlined so that they follow the
//! page's theme, and what every picture needs, escaped text.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Result, ensure};
use pulldown_cmark_escape::escape_html;
use regex::Regex;

use crate::workspace::Workspace;

static IMAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"!\[([^\]]*)\]\(([^)\s]+\.svg)\)").expect("a valid pattern")
});

/// An SVG drawing named in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The whole `![alt](path)`.
    pub markdown: String,
    /// What it shows, in words.
    pub alt: String,
    /// Where it is, relative to the page.
    pub path: String,
}

impl Image {
    /// The last part of its path.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = Path::new(&self.path).file_name();
        name.unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The SVG drawings in a piece of Markdown.
pub fn images(markdown: &str) -> Vec<Image> {
    IMAGE
        .captures_iter(markdown)
        .map(|found| Image {
            markdown: found[0].to_owned(),
            alt: found[1].to_owned(),
            path: found[2].to_owned(),
        })
        .collect()
}

/// Replaces `![alt](drawing.svg)` by the drawing itself.
///
/// # Errors
///
/// If a drawing can't be read, or has no text for those who can't see it.
pub fn inline_images(workspace: &Workspace, markdown: &str) -> Result<String> {
    let mut text = markdown.to_owned();
    for image in images(markdown) {
        ensure!(
            !image.alt.trim().is_empty(),
            "{} has no alt text: write what it shows between the brackets",
            image.path
        );
        let svg = workspace.read(&Path::new("src").join(&image.path))?;
        let html = figure(&with_label(&svg, &image.alt), None);
        text = text.replace(&image.markdown, &html);
    }
    Ok(text)
}

/// A figure on a page: one HTML block without blank lines, which would end it in
/// Markdown.
#[must_use]
pub fn figure(content: &str, caption: Option<&str>) -> String {
    let caption = caption
        .map_or(String::new(), |text| format!("<figcaption>{text}</figcaption>"));
    let content = content
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    format!("<figure class=\"drawing\">\n{content}\n{caption}</figure>")
}

/// Says what an SVG shows, in the page's language, to those who can't see it.
pub fn with_label(svg: &str, label: &str) -> String {
    static OPENING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"<svg\b[^>]*>").expect("a valid pattern"));
    static LABELS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\s(?:aria-label|aria-labelledby|role)="[^"]*""#)
            .expect("a valid pattern")
    });
    let start = svg.find("<svg").unwrap_or(0); // no XML declaration inside HTML
    OPENING
        .replace(&svg[start..], |opening: &regex::Captures<'_>| {
            let bare = LABELS.replace_all(&opening[0], "");
            let bare = bare.trim_end_matches('>');
            format!("{bare} role=\"img\" aria-label=\"{}\">", escape(label))
        })
        .into_owned()
}

/// Text that is safe inside HTML and inside a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a String does not fail.
    let _ = escape_html(&mut escaped, text);
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_replaces_the_drawing_s_own() {
        let svg = "<?xml version=\"1.0\"?>\n<svg role=\"img\" aria-labelledby=\"t\" width=\"3\"><title id=\"t\">x</title></svg>";
        assert_eq!(
            with_label(svg, "a < \"b\""),
            "<svg width=\"3\" role=\"img\" aria-label=\"a &lt; &quot;b&quot;\"><title id=\"t\">x</title></svg>"
        );
    }

    #[test]
    fn only_svg_images_are_drawings() {
        let found = images("![a b](img/x.svg) and ![c](y.png)");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].alt.as_str(), found[0].path.as_str()),
            ("a b", "img/x.svg")
        );
    }
}
