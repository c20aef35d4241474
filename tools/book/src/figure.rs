//! Pictures on a page: the drawings of `src/img/`, inlined so that they follow the
//! page's theme, and what every picture needs, escaped text.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Result, ensure};
use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};
use pulldown_cmark_escape::escape_html;
use regex::Regex;

use crate::include::normalize;
use crate::markdown::events;
use crate::workspace::Workspace;

/// An SVG drawing named in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The bytes of the whole `![alt](path)`.
    pub range: Range<usize>,
    /// What it shows, in words, without their markup.
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

    /// Its file's name without the extension.
    #[must_use]
    pub fn file_stem(&self) -> String {
        let stem = Path::new(&self.path).file_stem();
        stem.unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The SVG drawings in a piece of Markdown.
#[must_use]
pub fn images(markdown: &str) -> Vec<Image> {
    let mut found = Vec::new();
    let mut open: Option<Image> = None;
    for (event, range) in events(markdown) {
        match (event, &mut open) {
            (Event::Start(Tag::Image { dest_url, .. }), None)
                if is_drawing(&dest_url) =>
            {
                let (alt, path) = (String::new(), dest_url.into_string());
                open = Some(Image { range, alt, path });
            }
            (Event::Text(text) | Event::Code(text), Some(image)) => {
                image.alt.push_str(&text);
            }
            (Event::SoftBreak | Event::HardBreak, Some(image)) => image.alt.push(' '),
            (Event::End(TagEnd::Image), _) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

/// The drawing that is alone in the last paragraph of a piece of Markdown.
#[must_use]
pub fn last_drawing(markdown: &str) -> Option<Image> {
    let text = markdown.trim_end();
    let last = images(text).pop()?;
    let before = &text[..last.range.start];
    let alone = before.is_empty() || before.ends_with("\n\n");
    (alone && last.range.end == text.len()).then_some(last)
}

/// Whether an address is that of a drawing of ours.
fn is_drawing(address: &str) -> bool {
    let extension = Path::new(address).extension();
    extension.is_some_and(|extension| extension == "svg") && !address.contains("://")
}

/// The drawing itself that a page means, with what stands under it, on one line, so that it
/// stays where it stands, in a list, too.
///
/// # Errors
///
/// If it can't be read, or has no text for those who can't see it.
pub fn drawing(
    workspace: &Workspace,
    page: &Path,
    image: &Image,
    legend: Option<&Legend>,
) -> Result<String> {
    ensure!(
        !image.alt.trim().is_empty(),
        "{} has no alt text: write what it shows between the brackets",
        image.path
    );
    let svg = workspace.read(&normalize(&page.with_file_name(&image.path)))?;
    Ok(figure(&with_label(&svg, &image.alt), legend).replace('\n', " "))
}

/// What stands under a figure.
pub struct Legend {
    /// The figure's id on its page.
    pub id: String,
    /// The HTML of the caption.
    pub html: String,
}

/// A figure on a page: one HTML block without blank lines, which would end it in
/// Markdown.
#[must_use]
pub fn figure(content: &str, legend: Option<&Legend>) -> String {
    let (id, caption) = match legend {
        None => Default::default(),
        Some(Legend { id, html }) => (
            format!(" id=\"{}\"", escape(id)),
            format!("<figcaption>{html}</figcaption>"),
        ),
    };
    let content = content
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    format!("<figure class=\"drawing\"{id}>\n{content}\n{caption}</figure>")
}

/// Says what a view's picture shows, in the page's language, to those who can't see it.
#[must_use]
pub fn with_alt(html: &str, alt: &str) -> String {
    static ALT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(<img\b[^>]*?\salt=)"[^"]*""#).expect("a valid pattern")
    });
    let new = |found: &regex::Captures<'_>| format!("{}\"{}\"", &found[1], escape(alt));
    ALT.replace(html, new).into_owned()
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
    fn a_view_s_picture_says_what_the_page_says() {
        let view = "<div><img src=\"data:,\" alt=\"Lines\"><img alt=\"b\"></div>";
        assert_eq!(
            with_alt(view, "a $1 \"b\""),
            "<div><img src=\"data:,\" alt=\"a $1 &quot;b&quot;\"><img alt=\"b\"></div>"
        );
    }

    #[test]
    fn a_drawing_that_is_a_paragraph_takes_a_caption() {
        for (markdown, stem) in [
            ("a\n\n![b](img/x.svg)\n", Some("x")),
            ("![b\nc](img/x.svg)", Some("x")),
            ("a ![b](img/x.svg)", None),
            ("![b](img/x.svg) a", None),
            ("![b](img/x.svg)\n\na", None),
            ("- a\n  ![b](img/x.svg)", None),
        ] {
            let found = last_drawing(markdown).map(|image| image.file_stem());
            assert_eq!(found.as_deref(), stem, "{markdown}");
        }
    }

    #[test]
    fn only_svg_images_are_drawings_and_none_in_code() {
        for (markdown, drawings) in [
            ("![a b](img/x.svg) and ![c](y.png)", &[("a b", "img/x.svg")][..]),
            ("![a *b* `c`\n[d]](<img/x y.svg> \"t\")", &[("a b c [d]", "img/x y.svg")]),
            ("![a][b]\n\n[b]: img/x.svg", &[("a", "img/x.svg")]),
            ("`![a](img/x.svg)`\n\n    ![a](img/x.svg)", &[]),
            ("![a](https://a.b/x.svg)", &[]),
        ] {
            let found = images(markdown);
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|image| (image.alt.as_str(), image.path.as_str()))
                .collect();
            assert_eq!(found, drawings, "{markdown}");
        }
    }
}
