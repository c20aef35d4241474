//! The SVG: plotters' document, made to scale, to follow the page's colours and to
//! describe itself.
//!
//! plotters knows only fixed colours. So it draws with colours that nothing else has
//! (the sentinels), and [`element`] puts what they stand for in their place.

use std::fmt::Write as _;
use std::slice::Iter;

use base64::prelude::{BASE64_STANDARD, Engine};
use plotters::prelude::SVGBackend;

use crate::scene::{Mark, Palette, Pixels, Scene};
use crate::{FigureError, bitmap, fonts};

/// The sentinels.
const SENTINELS: Palette = Palette {
    text: [0x01, 0x00, 0x02],
    page: [0x02, 0x00, 0x01],
    pixels: Some([0x03, 0x00, 0x01]),
};
const TEXT: &str = "#010002";
const PAGE: &str = "#020001";
const PIXELS: &str = "#030001";

/// mdBook, then `JupyterLab`, then a page that says nothing.
const TEXT_STYLE: &str = "color:var(--fg, var(--jp-content-font-color1, #1f2328))";
const PAGE_STYLE: &str = "fill:var(--bg, var(--jp-layout-color0, #ffffff))";

/// `scene` as an SVG document with a title and a description.
pub(crate) fn document(
    scene: &Scene,
    title: &str,
    description: &str,
) -> Result<String, FigureError> {
    let body = body(&plotted(scene)?, &images(scene)?);
    let (title, description) = (escape(title), escape(description));
    let id = format!("figure-{:016x}", hash([&title, &description, &body]));
    let Scene { width, height, .. } = scene;
    let (view_width, view_height) = scene.units();
    let family = fonts::FAMILY;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {view_width} {view_height}\" \
         style=\"max-width:100%;height:auto;{TEXT_STYLE}\" font-family=\"{family}\">\n\
         <title id=\"{id}-title\">{title}</title>\n\
         <desc id=\"{id}-desc\">{description}</desc>\n\
         {body}</svg>\n"
    ))
}

/// What plotters writes for `scene`, in the sentinels' colours.
fn plotted(scene: &Scene) -> Result<String, FigureError> {
    let mut raw = String::new();
    scene.paint(SVGBackend::with_string(&mut raw, scene.units()), &SENTINELS)?;
    Ok(raw)
}

/// The pixels of each [`Mark::Pixels`] of the scene, in order, as an address that holds
/// them.
fn images(scene: &Scene) -> Result<Vec<String>, FigureError> {
    let pixels = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Pixels(_, pixels) => Some(pixels),
        _ => None,
    });
    let address = |pixels: &Pixels| {
        let png = bitmap::encode_viridis(&pixels.indices, pixels.columns)?;
        Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png)))
    };
    pixels.map(address).collect()
}

/// The elements of plotters' document `raw` (without its root), one a line.
fn body(raw: &str, images: &[String]) -> String {
    let mut images = images.iter();
    let mut body = String::with_capacity(raw.len());
    let mut lines = raw.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("<text ") {
            let text = lines.next().unwrap_or_default();
            body.push_str(&element(line, &mut images));
            body.push_str(text);
            body.push_str("</text>\n");
        } else if line.starts_with('<') && line.ends_with("/>") {
            body.push_str(&element(line, &mut images));
            body.push('\n');
        }
    }
    body
}

/// One of plotters' tags with our colours and without what says nothing. A tag that
/// stands for pixels takes the next of `images`.
fn element(tag: &str, images: &mut Iter<String>) -> String {
    let (name, attributes) = parts(tag);
    if attributes.contains(&("fill", PIXELS)) {
        return picture(&attributes, images.next().map_or("", String::as_str));
    }
    let mut written = format!("<{name}");
    for (key, value) in attributes {
        write_attribute(&mut written, name, key, value);
    }
    written.push_str(if tag.ends_with("/>") { "/>" } else { ">" });
    written
}

fn write_attribute(written: &mut String, name: &str, key: &str, value: &str) {
    let value = value.trim_end();
    let _ = match (key, value) {
        // what the root, or SVG itself, says already
        ("opacity" | "stroke-width", "1")
        | ("stroke", "none")
        | ("text-anchor", "start")
        | ("font-family", _) => Ok(()),
        ("stroke-width", _) if name == "circle" => Ok(()),
        ("fill" | "stroke", TEXT) => write!(written, " {key}=\"currentColor\""),
        ("fill", PAGE) => write!(written, " style=\"{PAGE_STYLE}\""),
        ("fill" | "stroke", _) => {
            write!(written, " {key}=\"{}\"", value.to_lowercase())
        }
        ("points", _) if name == "polyline" => {
            write!(written, " stroke-linejoin=\"round\" {key}=\"{value}\"")
        }
        ("dy", _) => write!(written, " {key}=\"{}em\"", fonts::BASELINE),
        ("font-size", _) => write!(written, " {key}=\"{}\"", rounded(value)),
        ("transform", _) => write!(written, " {key}=\"{}\"", slanted(value)),
        _ => write!(written, " {key}=\"{value}\""),
    };
}

/// The image that a rectangle of [`PIXELS`] stands for.
fn picture(attributes: &[(&str, &str)], image: &str) -> String {
    let mut written = String::from("<image");
    for (key, value) in attributes {
        if matches!(*key, "x" | "y" | "width" | "height") {
            let _ = write!(written, " {key}=\"{value}\"");
        }
    }
    written
        + " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\""
        + image
        + "\"/>"
}

/// A tag's name, and its attributes in order. plotters escapes every quote within a
/// value.
fn parts(tag: &str) -> (&str, Vec<(&str, &str)>) {
    let inside = tag.trim_start_matches('<').trim_end_matches(['/', '>']);
    let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let pieces: Vec<&str> = rest.split('"').collect();
    let attributes = pieces
        .chunks_exact(2)
        .map(|pair| (pair[0].trim().trim_end_matches('='), pair[1]))
        .collect();
    (name, attributes)
}

/// A quarter turn clockwise stands for a slant (see `scene::Label`).
fn slanted(transform: &str) -> String {
    transform.replace("rotate(90,", "rotate(-45,").replace("rotate(270,", "rotate(-90,")
}

/// A number with two decimals at most.
fn rounded(number: &str) -> String {
    match number.parse::<f64>() {
        Ok(value) => ((value * 100.0).round() / 100.0).to_string(),
        Err(_) => number.to_owned(),
    }
}

/// `text` as XML's character data, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `text` with a space for every character that would break the line or that XML has no
/// place for.
pub(crate) fn printable(text: &str) -> String {
    let breaks = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
    };
    text.replace(breaks, " ")
}

/// FNV-1a over all the parts: the same content always has the same name.
fn hash(parts: [&str; 3]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_are_the_colours_they_stand_for() {
        let hex = |[r, g, b]: [u8; 3]| format!("#{r:02X}{g:02X}{b:02X}");
        assert_eq!(hex(SENTINELS.text), TEXT);
        assert_eq!(hex(SENTINELS.page), PAGE);
        assert_eq!(SENTINELS.pixels.map(hex).as_deref(), Some(PIXELS));
        for sentinel in [SENTINELS.text, SENTINELS.page, [3, 0, 1]] {
            assert!(!crate::viridis::VIRIDIS.contains(&sentinel));
        }
    }

    #[test]
    fn tags_are_rewritten() {
        let cases = [
            (
                r##"<rect x="0" y="1" width="2" height="3" opacity="1" fill="#020001" stroke="none"/>"##,
                r#"<rect x="0" y="1" width="2" height="3" style="fill:var(--bg, var(--jp-layout-color0, #ffffff))"/>"#,
            ),
            (
                r##"<rect x="0" y="1" width="2" height="3" opacity="1" fill="#FDE725" stroke="none"/>"##,
                r##"<rect x="0" y="1" width="2" height="3" fill="#fde725"/>"##,
            ),
            (
                r##"<polyline fill="none" opacity="0.2" stroke="#010002" stroke-width="4" points="0,0 1,1 "/>"##,
                r#"<polyline fill="none" opacity="0.2" stroke="currentColor" stroke-width="4" stroke-linejoin="round" points="0,0 1,1"/>"#,
            ),
            (
                r##"<text x="5" y="6" dy="0.5ex" text-anchor="end" font-family="DejaVu Sans" font-size="51.99999" opacity="1" fill="#010002" transform="rotate(90, 5, 6)">"##,
                r#"<text x="5" y="6" dy="0.36em" text-anchor="end" font-size="52" fill="currentColor" transform="rotate(-45, 5, 6)">"#,
            ),
            (
                r##"<rect x="0" y="1" width="2" height="3" opacity="1" fill="#030001" stroke="none"/>"##,
                r#"<image x="0" y="1" width="2" height="3" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:x"/>"#,
            ),
        ];
        for (raw, expected) in cases {
            assert_eq!(element(raw, &mut ["data:x".to_owned()].iter()), expected);
        }
    }

    #[test]
    fn text_that_looks_like_a_sentinel_stays() {
        let raw = "<svg>\n<text x=\"1\" y=\"1\" fill=\"#010002\">\n#010002 fill=&quot;#020001&quot;\n</text>\n</svg>\n";
        let expected = "<text x=\"1\" y=\"1\" fill=\"currentColor\">#010002 fill=&quot;#020001&quot;</text>\n";
        assert_eq!(body(raw, &[]), expected);
    }

    #[test]
    fn escapes() {
        assert_eq!(escape("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; \"c\" 'd'");
        assert_eq!(escape("a\nb\u{0}c\u{1b}d\u{ffff}"), "a b c d ");
    }
}
