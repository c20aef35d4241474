//! Chapter 7's views, brought when they are scrolled to.
//!
//! In a notebook a view's fragment holds everything. On a page its data and code would be most of
//! what a reader waits for: here they become scripts of their own, which `theme/views.js` loads (a
//! page opened from a disk may load scripts, and no other data), and the picture becomes a file.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};
use regex::{Captures, Regex};
use serde::Serialize;

use super::{digest, write};
use crate::figure::attribute;

/// How a view begins.
pub const HOST: &str = "<div class=\"attention-view\"";

/// The folder of an edition that holds its views.
const FOLDER: &str = "views";

/// A view as its crate writes it and mdBook leaves it.
static VIEW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?s)<div class="attention-view" data-attention-view="(?<id>[0-9a-f]+)">"#,
        r#"\s*<img (?<alt>[^>]*?) ?src="data:image/svg\+xml;base64,(?<svg>[^"]*)">(?<note>.*?)"#,
        r#"<script type="application/json">(?<data>.*?)</script>\s*"#,
        r#"<script type="text/css">(?<style>.*?)</script>\s*"#,
        r#"(?:<script type="module">(?<code>.*?)</script>\s*)?</div>"#,
    ))
    .expect("a valid pattern")
});

/// A page whose views are files beside it.
///
/// # Errors
///
/// If a view is not as chapter 7 writes it, or a file can't be written.
pub fn on_demand(html: &str, edition: &Path) -> Result<String> {
    let count = html.matches(HOST).count();
    if count == 0 {
        return Ok(html.to_owned());
    }
    let folder = edition.join(FOLDER);
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let mut page = String::new();
    let (mut end, mut found, mut code) = (0, 0, None);
    for view in VIEW.captures_iter(html) {
        let whole = view.get(0).expect("all of it");
        if let Some(script) = view.name("code") {
            code = Some(save_code(&folder, &view["style"], script.as_str())?);
        }
        let Some(code) = &code else { bail!("the first view brings no script") };
        page.push_str(&html[end..whole.start()]);
        page.push_str(&on_page(&folder, &view, code)?);
        (end, found) = (whole.end(), found + 1);
    }
    if found != count {
        bail!("{found} of {count} views are as chapter 7 writes them");
    }
    Ok(page + &html[end..])
}

/// What stays of a view on its page: the picture, and where the rest is.
fn on_page(folder: &Path, view: &Captures<'_>, code: &str) -> Result<String> {
    let (id, alt, note) = (&view["id"], &view["alt"], &view["note"]);
    let svg = BASE64_STANDARD.decode(&view["svg"]).context("no base64 in a picture")?;
    let svg = String::from_utf8(svg).context("no text in a picture")?;
    let size = ["width", "height"].map(|side| attribute(&svg, side));
    let [Some(width), Some(height)] = size else {
        bail!("the picture of view {id} has no size")
    };
    write(&folder.join(format!("{id}.svg")), &svg)?;
    save(folder, id, &view["data"])?;
    Ok(format!(
        "<div class=\"attention-view\" data-attention-view=\"{id}\" \
         data-view-data=\"{FOLDER}/{id}.js\" data-view-code=\"{FOLDER}/{code}.js\">\n\
         <img {alt} src=\"{FOLDER}/{id}.svg\" width=\"{width}\" height=\"{height}\" \
         loading=\"lazy\">{note}</div>"
    ))
}

/// Saves the style and the script that views share; the name of the piece, which changes with
/// them.
fn save_code(folder: &Path, style: &str, script: &str) -> Result<String> {
    let name = format!("code-{}", digest(&format!("{style}{script}")));
    save(folder, &name, &[style, script])?;
    Ok(name)
}

/// Saves a script that hands its data to the one that asked for it.
///
/// # Errors
///
/// If the file can't be written.
pub(super) fn save(
    folder: &Path,
    name: &str,
    data: &(impl Serialize + ?Sized),
) -> Result<()> {
    let data = serde_json::to_string(data)?;
    let script = format!("bookView({name:?}, {data});\n");
    write(&folder.join(format!("{name}.js")), &script)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(id: &str, code: &str) -> String {
        let svg =
            BASE64_STANDARD.encode("<svg xmlns=\"x\" width=\"3\" height=\"4\"></svg>");
        format!(
            "<figure><div class=\"attention-view\" data-attention-view=\"{id}\">\n\
             <img alt=\"Lines\" src=\"data:image/svg+xml;base64,{svg}\">\n\
             <p><small>Still.</small></p>\n\
             <script type=\"application/json\">{{\"a\":\"\\u003c\"}}</script>\n\
             <script type=\"text/css\">\nb {{}}</script>\n{code}</div></figure>"
        )
    }

    #[test]
    fn a_view_leaves_its_picture_on_the_page() {
        let folder = tempfile::tempdir().unwrap();
        let script = "<script type=\"module\">\nlet a = '</b>';\n</script>\n";
        let page = fragment("0a", script) + &fragment("0b", "");
        let page = on_demand(&page, folder.path()).unwrap();
        assert!(
            !page.contains("application/json") && !page.contains("base64"),
            "{page}"
        );
        let [first, second] =
            ["0a", "0b"].map(|id| format!("<img alt=\"Lines\" src=\"views/{id}.svg\" width=\"3\" height=\"4\" loading=\"lazy\">\n<p><small>Still.</small></p>"));
        assert!(page.contains(&first) && page.contains(&second), "{page}");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            read("views/0b.js"),
            "bookView(\"0b\", \"{\\\"a\\\":\\\"\\\\u003c\\\"}\");\n"
        );
        let code = page.split("data-view-code=\"").nth(2).unwrap().split('"').next();
        let code = read(code.unwrap());
        assert!(
            code.ends_with("[\"\\nb {}\",\"\\nlet a = '</b>';\\n\"]);\n"),
            "{code}"
        );
    }

    #[test]
    fn another_view_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let other = fragment("0a", "").replace("text/css", "text/plain");
        let error = on_demand(&other, folder.path()).unwrap_err().to_string();
        assert_eq!(error, "0 of 1 views are as chapter 7 writes them");
    }
}
