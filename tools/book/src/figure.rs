//! Pictures on a page: the drawings of `src/img/`, inlined so that they follow the
//! page's theme, what cells have drawn, in the page's language, and what every picture
//! needs, escaped text.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};
use pulldown_cmark_escape::escape_html;
use regex::Regex;

use crate::include::normalize;
use crate::markdown::events;
use crate::workspace::{Language, Workspace};

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
    language: Language,
) -> Result<String> {
    ensure!(
        !image.alt.trim().is_empty(),
        "{} has no alt text: write what it shows between the brackets",
        image.path
    );
    let svg = workspace.read(&normalize(&page.with_file_name(&image.path)))?;
    let svg = in_language(&svg, language);
    Ok(figure(&with_label(&svg, &image.alt), legend).replace('\n', " "))
}

/// What stands under a figure.
pub struct Legend {
    /// The figure's id on its page.
    pub id: String,
    /// The HTML of the caption.
    pub html: String,
}

/// What a cell has drawn (an SVG, or HTML), in one language. As it is drawn, a text in two
/// languages is a `<switch>`, which follows the reader's browser; here each text has one
/// language, and keeps the other as `data-en` or `data-pt`: nothing is lost, and what is in
/// one language can be turned to the other. (The drawings of `src/img/` are Portuguese, with
/// `data-en` where English differs.)
#[must_use]
pub fn in_language(drawn: &str, language: Language) -> String {
    static SWITCH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"<switch><text systemLanguage="pt" ([^>]*)>([^<]*)</text><text [^>]*>([^<]*)</text></switch>"#,
        )
        .expect("a valid pattern")
    });
    static EMBEDDED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(src="data:image/svg\+xml;base64,)([A-Za-z0-9+/=]+)""#)
            .expect("a valid pattern")
    });
    let chosen = SWITCH.replace_all(drawn, r#"<text $1 data-en="$3">$2</text>"#);
    let turned = turned(&chosen, language);
    let embedded = EMBEDDED.replace_all(&turned, |picture: &regex::Captures<'_>| {
        let svg = BASE64_STANDARD.decode(&picture[2]).ok();
        match svg.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(svg) => {
                let svg = BASE64_STANDARD.encode(in_language(&svg, language));
                format!("{}{svg}\"", &picture[1])
            }
            None => picture[0].to_owned(),
        }
    });
    embedded.into_owned()
}

/// Exchanges each text that is in the other language with its translation beside it.
fn turned(drawn: &str, language: Language) -> String {
    static TEXT: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        ["en", "pt"].map(|other| {
            Regex::new(&format!(
                r#"<(text|title|desc|small)( [^>]*?)? data-{other}="([^"]*)"([^>]*)>([^<]*)<"#
            ))
            .expect("a valid pattern")
        })
    });
    static ALT: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        ["en", "pt"].map(|other| {
            Regex::new(&format!(r#" alt="([^"]*)" data-{other}="([^"]*)""#))
                .expect("a valid pattern")
        })
    });
    let (wanted, other) = match language {
        Language::English => (0, "pt"),
        Language::Portuguese => (1, "en"),
    };
    let text = format!("<$1$2 data-{other}=\"$5\"$4>$3<");
    let alt = format!(" alt=\"$2\" data-{other}=\"$1\"");
    let drawn = TEXT[wanted].replace_all(drawn, text);
    ALT[wanted].replace_all(&drawn, alt).into_owned()
}

/// An SVG as large as its texts ask for.
fn fitted(content: &str) -> String {
    let Some(fit) = Fit::of(content) else { return content.to_owned() };
    let svg = content.replacen(" style=\"", &format!(" style=\"{}", fit.style), 1);
    if fit.scrolls {
        format!("<div class=\"wide\" role=\"group\" tabindex=\"0\">\n{svg}\n</div>")
    } else {
        svg
    }
}

/// How large a picture must be for its texts to be read: on a wide page the smallest has the size
/// of the page's own; on a telephone 400 pixels wide it isn't smaller than nine pixels, on
/// narrower ones than eight.
pub struct Fit {
    /// As CSS.
    pub style: String,
    /// Whether it is too wide for a telephone, and scrolls there sideways, by the keyboard, too.
    pub scrolls: bool,
}

impl Fit {
    /// That of an SVG, if it has a size, a style and texts.
    #[must_use]
    pub fn of(svg: &str) -> Option<Self> {
        const BODY: f64 = 15.6;
        const SMALLEST: f64 = 8.0;
        const TELEPHONE: f64 = 320.0;
        let (width, text) = size(svg)?;
        let (wide, least) = (width * (BODY / text).max(1.0), width * SMALLEST / text);
        let style = format!("width:{wide:.0}px;min-width:{least:.0}px;");
        Some(Self { style, scrolls: least.round() > TELEPHONE })
    }
}

/// How wide an SVG is, and how large its smallest text, in pixels, if it has a style and
/// texts.
fn size(svg: &str) -> Option<(f64, f64)> {
    static SIZE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#" font-size="([0-9.]+)""#).expect("a valid pattern")
    });
    let svg = svg.trim_start();
    if !svg.starts_with("<svg") {
        return None;
    }
    attribute(svg, "style")?;
    let width: f64 = attribute(svg, "width")?.parse().ok()?;
    let units: f64 =
        attribute(svg, "viewBox")?.split_whitespace().nth(2)?.parse().ok()?;
    let sizes = SIZE.captures_iter(svg).filter_map(|size| size[1].parse::<f64>().ok());
    let smallest = sizes.reduce(f64::min)?;
    Some((width, smallest * width / units))
}

/// An attribute of an SVG's root.
#[must_use]
pub fn attribute<'a>(svg: &'a str, name: &str) -> Option<&'a str> {
    let root = svg.split_once("<svg")?.1.split('>').next()?;
    root.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

/// What a cell has drawn, without the other language.
fn alone(drawn: &str) -> String {
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#" data-(?:en|pt)="[^"]*""#).expect("a valid pattern")
    });
    OTHER.replace_all(drawn, "").into_owned()
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
    let content = alone(&fitted(content));
    let lines = content.lines().filter(|line| !line.trim().is_empty());
    let content = lines.collect::<Vec<_>>().join("\n");
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
    fn a_figure_is_turned_from_language_to_language() {
        let drawn = "<svg><title id=\"a\" data-en=\"Loss &lt;\">Perda</title>\n\
             <switch><text systemLanguage=\"pt\" x=\"1\" fill=\"#000\">época</text>\
             <text x=\"1\" fill=\"#000\">epoch</text></switch><text x=\"2\">0.5</text></svg>";
        let portuguese = in_language(drawn, Language::Portuguese);
        assert_eq!(
            portuguese,
            "<svg><title id=\"a\" data-en=\"Loss &lt;\">Perda</title>\n\
             <text x=\"1\" fill=\"#000\" data-en=\"epoch\">época</text>\
             <text x=\"2\">0.5</text></svg>"
        );
        let english = in_language(drawn, Language::English);
        assert!(english.contains(" data-pt=\"Perda\">Loss &lt;</title>"), "{english}");
        assert!(english.contains(" data-pt=\"época\">epoch</text>"), "{english}");
        assert_eq!(in_language(&portuguese, Language::English), english);
        assert_eq!(in_language(&english, Language::Portuguese), portuguese);
        let note = "<small data-en=\"A still picture.\">Figura parada.</small>";
        let english_note = "<small data-pt=\"Figura parada.\">A still picture.</small>";
        assert_eq!(in_language(note, Language::English), english_note);
        assert_eq!(in_language(note, Language::Portuguese), note);
        for done in [&portuguese, &english] {
            let html = figure(done, None);
            assert!(!html.contains("data-"), "{html}");
        }
        let image = |svg: &str, alt: &str| {
            let data = BASE64_STANDARD.encode(svg);
            format!("<p><img alt={alt} src=\"data:image/svg+xml;base64,{data}\"></p>")
        };
        let html = image(drawn, "\"Perda\" data-en=\"Loss\"");
        for (language, svg, alt) in [
            (Language::Portuguese, &portuguese, "\"Perda\" data-en=\"Loss\""),
            (Language::English, &english, "\"Loss\" data-pt=\"Perda\""),
        ] {
            assert_eq!(in_language(&html, language), image(svg, alt));
        }
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
    fn a_picture_is_as_large_as_its_smallest_text_asks_for() {
        let svg = |width: u32, text: u32| {
            format!(
                "<svg width=\"{width}\" viewBox=\"0 0 {} 4\" style=\"height:auto\">\n\
                 <text font-size=\"{}\">a</text><text font-size=\"400\">b</text></svg>",
                4 * width,
                4 * text
            )
        };
        let has = |svg: &str, text: &str| {
            let html = figure(svg, None);
            assert!(html.contains(text), "{html}");
            html.contains("tabindex")
        };
        assert!(!has(
            &svg(480, 12),
            "style=\"width:624px;min-width:320px;height:auto\""
        ));
        assert!(!has(
            &svg(480, 16),
            "style=\"width:480px;min-width:240px;height:auto\""
        ));
        assert!(has(&svg(720, 12), "min-width:480px;"));
        assert!(!has(
            "<svg viewBox=\"0 0 1 1\"></svg>",
            "<svg viewBox=\"0 0 1 1\"></svg>"
        ));
        assert!(!has("<div><p>a</p></div>", "<div><p>a</p></div>"));
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
