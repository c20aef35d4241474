//! The SVG: a scene written out, made to scale, to follow the page's colors and to
//! describe itself.

use std::hash::Hasher;

use base64::prelude::{BASE64_STANDARD, Engine};
use fnv::FnvHasher;
use pulldown_cmark_escape::escape_html_body_text;

use crate::error::FigureError;
use crate::scene::{
    Anchor, Area, Ink, Label, Mark, Pixels, Scene, Turn, UNITS, at, units,
};
use crate::text::{Language, Text};
use crate::{bitmap, fonts};

/// mdBook, then `JupyterLab`, then a page that says nothing.
const TEXT: &str = "var(--fg, var(--jp-content-font-color1, #1f2328))";
const PAGE: &str = "var(--bg, var(--jp-layout-color0, #ffffff))";

/// `scene` as an SVG document with a title and a description.
pub(crate) fn document(
    scene: &Scene,
    title: &Text,
    description: &Text,
) -> Result<String, FigureError> {
    let body: String = scene.marks.iter().map(element).collect::<Result<_, _>>()?;
    let about = [title, description].map(|text| text.map(escape));
    let id = format!("figure-{:016x}", hash(&about, &body));
    let (title, description) =
        (said("title", &about[0], &id), said("desc", &about[1], &id));
    let Scene { width, height, .. } = scene;
    let (view_width, view_height) = scene.units();
    let family = fonts::FAMILY;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {view_width} {view_height}\" \
         style=\"max-width:100%;height:auto;color:{TEXT}\" font-family=\"{family}\">\n\
         {title}\n{description}\n{body}</svg>\n"
    ))
}

/// What the picture is (escaped): in Portuguese, and in English in an attribute.
fn said(element: &str, text: &Text, id: &str) -> String {
    let [portuguese, english] = Language::ALL.map(|it| text.in_language(it));
    let english = match text.common() {
        Some(_) => String::new(),
        None => format!(" data-en=\"{english}\""),
    };
    format!("<{element} id=\"{id}-{element}\"{english}>{portuguese}</{element}>")
}

/// A mark as an element, on a line of its own.
fn element(mark: &Mark) -> Result<String, FigureError> {
    let element = match mark {
        Mark::Rect(area, ink) => {
            format!("<rect{}{}/>", place(*area), paint("fill", *ink))
        }
        Mark::Path(points, width, ink) => format!(
            "<polyline fill=\"none\"{} stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>",
            paint("stroke", *ink),
            units(*width),
            corners(points)
        ),
        Mark::Polygon(points, ink) => {
            format!("<polygon{}{}/>", paint("fill", *ink), corners(points))
        }
        Mark::Circle(center, radius, ink) => {
            let ((x, y), r) = (at(*center), units(*radius));
            let paint = paint("fill", *ink);
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{paint}/>")
        }
        Mark::Label(label) => text(label),
        Mark::Pixels(area, pixels) => image(*area, pixels)?,
    };
    Ok(element + "\n")
}

/// The attributes that give `part` of an element (its fill or its stroke) a color.
fn paint(part: &str, ink: Ink) -> String {
    match ink {
        Ink::Text => format!(" {part}=\"currentColor\""),
        Ink::Faint(opacity) => {
            format!(" opacity=\"{opacity}\" {part}=\"currentColor\"")
        }
        Ink::Page => format!(" style=\"{part}:{PAGE}\""),
        Ink::Rgb([red, green, blue]) => {
            format!(" {part}=\"#{red:02x}{green:02x}{blue:02x}\"")
        }
    }
}

fn place(area: Area) -> String {
    let ((x, y), (right, bottom)) = area.corners();
    let (width, height) = (right - x, bottom - y);
    format!(" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

fn corners(points: &[(f64, f64)]) -> String {
    let corner = |point: &(f64, f64)| {
        let (x, y) = at(*point);
        format!("{x},{y}")
    };
    let corners: Vec<String> = points.iter().map(corner).collect();
    format!(" points=\"{}\"", corners.join(" "))
}

fn text(label: &Label) -> String {
    let (x, y) = at(label.at);
    let anchor = match label.anchor {
        Anchor::Start => "", // as SVG has it
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let size = (label.size * f64::from(UNITS) * 100.0).round() / 100.0;
    let weight = if label.bold { " font-weight=\"bold\"" } else { "" };
    let turn = match label.turn {
        Turn::None => String::new(),
        turn => format!(" transform=\"rotate(-{}, {x}, {y})\"", turn.degrees()),
    };
    let look = format!(
        "x=\"{x}\" y=\"{y}\" dy=\"{}em\"{anchor} font-size=\"{size}\"{}{weight}{turn}",
        fonts::BASELINE,
        paint("fill", label.ink),
    );
    let [portuguese, english] =
        Language::ALL.map(|it| escape(label.text.in_language(it)));
    let english = format!("<text {look}>{english}</text>");
    match label.text.common() {
        Some(_) => english,
        None => format!(
            "<switch><text systemLanguage=\"pt\" {look}>{portuguese}</text>{english}</switch>"
        ),
    }
}

/// The cells as one picture, each of its pixels stretched over its cell.
fn image(area: Area, pixels: &Pixels) -> Result<String, FigureError> {
    let png = bitmap::encode_indexed(pixels)?;
    Ok(format!(
        "<image{} preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
         href=\"data:image/png;base64,{}\"/>",
        place(area),
        BASE64_STANDARD.encode(png)
    ))
}

/// `text` as XML's character data or the value of an attribute, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a String does not fail.
    let _ = escape_html_body_text(&mut escaped, &printable(text));
    escaped.replace('"', "&quot;").replace('\'', "&apos;")
}

/// `text` with a space for every character that would break the line or that XML has no
/// place for.
pub(crate) fn printable(text: &str) -> String {
    let breaks = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
    };
    text.replace(breaks, " ")
}

/// FNV-1a over all the parts, each with an end that no text has: the same content always
/// has the same name.
fn hash(about: &[Text; 2], body: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    let words =
        about.iter().flat_map(|text| Language::ALL.map(|it| text.in_language(it)));
    for part in words.chain([body]) {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_elements() {
        let area = Area { x: 0.0, y: 0.25, width: 0.5, height: 0.75 };
        let line = || vec![(0.0, 0.0), (1.0, -0.6)];
        let label = Label::new("a", (5.0, 6.0), 12.999_999);
        let cases = [
            (
                Mark::Rect(area, Ink::Page),
                r#"<rect x="0" y="1" width="2" height="3" style="fill:var(--bg, var(--jp-layout-color0, #ffffff))"/>"#,
            ),
            (
                Mark::Rect(area, Ink::Rgb([0xfd, 0xe7, 0x05])),
                r##"<rect x="0" y="1" width="2" height="3" fill="#fde705"/>"##,
            ),
            (
                Mark::Path(line(), 1.0, Ink::Faint(0.2)),
                r#"<polyline fill="none" opacity="0.2" stroke="currentColor" stroke-width="4" stroke-linejoin="round" points="0,0 4,-2"/>"#,
            ),
            (
                Mark::Polygon(line(), Ink::Text),
                r#"<polygon fill="currentColor" points="0,0 4,-2"/>"#,
            ),
            (
                Mark::Circle((1.0, 2.0), 3.0, Ink::Rgb([0, 0x10, 0xff])),
                r##"<circle cx="4" cy="8" r="12" fill="#0010ff"/>"##,
            ),
            (
                Mark::Label(label.clone().bold()),
                r#"<text x="20" y="24" dy="0.36em" text-anchor="middle" font-size="52" fill="currentColor" font-weight="bold">a</text>"#,
            ),
            (
                Mark::Label(label.clone().anchor(Anchor::End).turn(Turn::Slant)),
                r#"<text x="20" y="24" dy="0.36em" text-anchor="end" font-size="52" fill="currentColor" transform="rotate(-45, 20, 24)">a</text>"#,
            ),
            (
                Mark::Label(label.anchor(Anchor::Start).turn(Turn::Up)),
                r#"<text x="20" y="24" dy="0.36em" font-size="52" fill="currentColor" transform="rotate(-90, 20, 24)">a</text>"#,
            ),
        ];
        for (mark, expected) in cases {
            assert_eq!(element(&mark).unwrap().trim_end(), expected);
        }
        let palette = crate::palette::Palette::Viridis;
        let pixels = Pixels { columns: 1, indices: vec![0], palette };
        let image = element(&Mark::Pixels(area, pixels)).unwrap();
        let start = r#"<image x="0" y="1" width="2" height="3" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,"#;
        assert!(image.starts_with(start) && image.ends_with("\"/>\n"), "{image}");
    }

    #[test]
    fn a_label_is_escaped_and_on_one_line() {
        let label = Label::new("<b>\n\"&'", (0.0, 0.0), 1.0);
        let text = text(&label);
        assert!(text.ends_with(">&lt;b&gt; &quot;&amp;&apos;</text>"), "{text}");
    }

    #[test]
    fn escapes() {
        assert_eq!(
            escape("a<b> & \"c\" 'd'"),
            "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;"
        );
        assert_eq!(escape("a\nb\u{0}c\u{1b}d\u{ffff}"), "a b c d ");
    }
}
