//! Pictures as files beside a page, which come when they are scrolled to.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use regex::Regex;

use crate::figure::{Fit, attribute};
use crate::markdown::splice;
use crate::polish::save_picture;

/// The folder that holds them.
const FOLDER: &str = "img";

/// A page of `folder` whose pictures are no longer in it.
///
/// # Errors
///
/// If a picture can't be read, or a file can't be written.
pub fn beside(html: &str, folder: &Path) -> Result<String> {
    static PICTURE: LazyLock<Regex> = LazyLock::new(|| {
        let pattern =
            r#"<img src="data:image/svg\+xml;base64,([^"]*)" alt="([^"]*)"[^>]*>"#;
        Regex::new(pattern).expect("a valid pattern")
    });
    let folder = folder.join(FOLDER);
    let mut pictures = Vec::new();
    for found in PICTURE.captures_iter(html) {
        let range = found.get(0).expect("all of it").range();
        let svg =
            BASE64_STANDARD.decode(&found[1]).context("no base64 in a picture")?;
        let svg = String::from_utf8(svg).context("no text in a picture")?;
        pictures.push((range, picture(&folder, &svg, &found[2])?));
    }
    Ok(splice(html, pictures))
}

/// Saves an SVG; the picture that shows it.
fn picture(folder: &Path, svg: &str, alt: &str) -> Result<String> {
    let name = save_picture(folder, svg)?;
    let size = ["width", "height"].map(|side| {
        let length = attribute(svg, side);
        length.map(|length| format!(" {side}=\"{length}\"")).unwrap_or_default()
    });
    let fit = Fit::of(svg);
    let style = fit.as_ref().map(|fit| format!(" style=\"{}\"", fit.style));
    let image = format!(
        "<img src=\"{FOLDER}/{name}.svg\" alt=\"{alt}\"{}{} loading=\"lazy\">",
        size.concat(),
        style.unwrap_or_default()
    );
    Ok(match fit {
        Some(fit) if fit.scrolls => {
            format!("<span class=\"wide\" role=\"group\" tabindex=\"0\">{image}</span>")
        }
        _ => image,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_picture_becomes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let image = |width: u32| {
            let svg = format!(
                "<svg width=\"{width}\" height=\"4\" viewBox=\"0 0 {width} 4\" style=\"a:b\">\
                 <text font-size=\"12\">é</text></svg>"
            );
            let data = BASE64_STANDARD.encode(svg);
            format!("<img src=\"data:image/svg+xml;base64,{data}\" alt=\"A &lt; B\" />")
        };
        let html = format!("<p>{}</p><p>{}</p>", image(300), image(900));
        let page = beside(&html, folder.path()).unwrap();
        let begin = "<p><img src=\"img/";
        let rest = page.strip_prefix(begin).unwrap();
        let (name, rest) = rest.split_once('"').unwrap();
        let shown = " alt=\"A &lt; B\" width=\"300\" height=\"4\" \
                     style=\"width:390px;min-width:200px;\" loading=\"lazy\"></p>\
                     <p><span class=\"wide\" role=\"group\" tabindex=\"0\"><img src=";
        assert!(rest.starts_with(shown) && rest.ends_with("></span></p>"), "{page}");
        let file = fs::read_to_string(folder.path().join("img").join(name)).unwrap();
        assert!(file.starts_with("<svg width=\"300\" "), "{file}");
        assert!(file.contains("style=\"a:b\"><style>@media"), "{file}");
        assert!(file.ends_with(">é</text></svg>"), "{file}");
        assert!(roxmltree::Document::parse(&file).is_ok(), "{file}");
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let html = "<img src=\"data:image/svg+xml;base64,a\" alt=\"b\" />";
        assert!(beside(html, folder.path()).is_err());
        let other = "<img src=\"a.png\" alt=\"b\" />";
        assert_eq!(beside(other, folder.path()).unwrap(), other);
    }
}
