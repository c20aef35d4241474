//! A page's larger drawings, brought when they are scrolled to.
//!
//! The shapes of a chapter's drawings may be a third of what its reader waits for. The page keeps a
//! drawing's frame, with its size and what it shows in words; the shapes become a script of their own,
//! by which `theme/views.js` fills the frame, so that they follow the page's theme. Where no script
//! runs, and on paper, a picture stands in the frame's place.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use regex::{Captures, Regex};
use scraper::Html;

use super::save_picture;
use super::views::save;
use crate::volume::tree;

/// The folder of an edition that holds its drawings.
const FOLDER: &str = "drawings";

/// How many bytes of shapes a page keeps: a smaller drawing isn't worth a request.
const SMALL: usize = 4_000;

/// A drawing as mdBook leaves it.
static DRAWING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?s)(?<before><figure class="drawing"[^>]*>\s*(?:<div class="wide"[^>]*>\s*)?)"#,
        r#"<svg (?<attributes>[^>]*)>(?<shapes>.*?)</svg>"#,
    ))
    .expect("a valid pattern")
});

/// A page whose larger drawings are files beside it.
///
/// # Errors
///
/// If a file can't be written.
pub fn on_demand(html: &str, edition: &Path) -> Result<String> {
    let folder = edition.join(FOLDER);
    let (mut page, mut end) = (String::new(), 0);
    for drawing in DRAWING.captures_iter(html) {
        if drawing["shapes"].len() > SMALL {
            let whole = drawing.get(0).expect("all of it");
            page.extend([&html[end..whole.start()], &frame(&folder, &drawing)?]);
            end = whole.end();
        }
    }
    Ok(page + &html[end..])
}

/// What stays of a drawing on its page.
fn frame(folder: &Path, drawing: &Captures<'_>) -> Result<String> {
    let [before, attributes, shapes] =
        ["before", "attributes", "shapes"].map(|part| &drawing[part]);
    let svg = format!("<svg {attributes}>{shapes}</svg>");
    let name = save_picture(folder, &xml(&svg))?;
    save(folder, &name, shapes)?;
    let still = attributes.replacen(" aria-label=", " alt=", 1);
    let still = OF_SVG.replace_all(&still, "");
    Ok(format!(
        "{before}<svg {attributes} data-drawing=\"{FOLDER}/{name}.js\"></svg>\
         <img class=\"still\" loading=\"lazy\" src=\"{FOLDER}/{name}.svg\" {still}>"
    ))
}

/// The attributes of an SVG that a picture has not.
static OF_SVG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:xmlns|viewbox|font-family|role)="[^"]*"\s*"#)
        .expect("a valid pattern")
});

/// An SVG of a page as a file of its own: in XML, a name is written as SVG writes it.
fn xml(svg: &str) -> String {
    tree::write(&tree::read(Html::parse_fragment(svg).root_element()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn figure(shapes: usize) -> String {
        let shape = "<rect x=\"1\" style=\"fill:var(--fg)\" />";
        format!(
            "<figure class=\"drawing\" id=\"fig-a\">\n<div class=\"wide\" role=\"group\" tabindex=\"0\">\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"3\" height=\"4\" viewbox=\"0 0 6 8\" \
             style=\"width:3px\" role=\"img\" aria-label=\"A &amp; B\"><title>é</title>{}</svg>\n</div>\n\
             <figcaption>C</figcaption></figure>",
            shape.repeat(shapes)
        )
    }

    /// A picture's dark colors are the book's.
    #[test]
    fn a_dark_picture_has_the_colors_of_a_dark_page() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let style = fs::read_to_string(root.join("theme/book.css")).unwrap();
        let color = Regex::new(r"(--book-\w+): (#\w+)").unwrap();
        let colors: Vec<_> = color.captures_iter(crate::polish::DARK).collect();
        assert_eq!(colors.len(), 5);
        for color in colors {
            let dark = format!(", {})", &color[2]);
            let line =
                style.lines().find(|line| line.contains(&format!("{}: ", &color[1])));
            assert!(line.unwrap().contains(&dark), "{line:?}: {dark}");
        }
    }

    #[test]
    fn a_large_drawing_leaves_its_frame_and_a_small_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (small, large) = (figure(2), figure(200));
        assert_eq!(on_demand(&small, folder.path()).unwrap(), small);
        let page = on_demand(&(small.clone() + &large + "."), folder.path()).unwrap();
        let rest = page.strip_prefix(&small).unwrap();
        let name = rest.split("drawings/").nth(1).unwrap().split('.').next().unwrap();
        let framed = format!(
            "aria-label=\"A &amp; B\" data-drawing=\"drawings/{name}.js\"></svg>\
             <img class=\"still\" loading=\"lazy\" src=\"drawings/{name}.svg\" \
             width=\"3\" height=\"4\" style=\"width:3px\" alt=\"A &amp; B\">\n</div>"
        );
        assert!(rest.contains(&framed) && rest.ends_with("</figure>."), "{rest}");

        let read = |extension: &str| {
            let path = format!("drawings/{name}.{extension}");
            fs::read_to_string(folder.path().join(path)).unwrap()
        };
        let script = read("js");
        assert!(
            script.starts_with(&format!(
                "bookView(\"{name}\", \"<title>é</title><rect x=\\\"1\\\""
            )),
            "{script}"
        );
        let svg = read("svg");
        let svg = roxmltree::Document::parse(&svg).unwrap();
        assert_eq!(svg.root_element().attribute("viewBox"), Some("0 0 6 8"));
        assert_eq!(svg.root_element().children().count(), 202); // and the style
    }
}
