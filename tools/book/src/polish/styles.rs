//! One sheet of styles in the place of the ten that mdBook's pages ask for: a browser shows nothing
//! of a page before it has them all.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use regex::{Captures, Regex};

use super::shared::resolved;
use super::{INDEX, digest, read, remove, replaced, write};
use crate::workspace::forward;

/// mdBook's frame with the table of contents, for those without scripts.
const CONTENTS: &str = "toc.html";

/// Shows a page once the fonts are there that its sheet holds (theme/subset_fonts.py): they come a moment
/// after the sheet does, and text in other letters would move when they do.
pub const LETTERS: &str =
    concat!("<script>\n", include_str!("letters.js"), "</script>\n");

/// Where our own styles are; comments of others may name those who wrote them.
const OURS: &str = "theme/";

/// The colors of listings in some of mdBook's themes.
pub struct Listings {
    /// The id of the link to the style.
    id: &'static str,
    themes: &'static str,
    /// What a browser prefers that shows these colors without scripts.
    browser: Option<&'static str>,
}

/// All colors of listings; mdBook's script turns on one and turns off the others.
pub const LISTINGS: [Listings; 3] = [
    Listings {
        id: "mdbook-highlight-css",
        themes: ".light, .rust",
        browser: Some("light"),
    },
    Listings {
        id: "mdbook-tomorrow-night-css",
        themes: ".coal, .navy",
        browser: Some("dark"),
    },
    Listings { id: "mdbook-ayu-highlight-css", themes: ".ayu", browser: None },
];

impl Listings {
    /// Where mdBook's script looks for the style.
    #[must_use]
    pub fn query(&self) -> String {
        format!("document.querySelector('#{}')", self.id)
    }

    /// The style's rules, in its themes only, and no weightier there than they were (`:where`): a
    /// page without scripts has none of the themes.
    fn placed(&self, rules: &str) -> String {
        let placed = format!(":where(html.js:is({})) {{\n{rules}}}\n", self.themes);
        let Some(color) = self.browser else { return placed };
        let without = format!(":where(html:not(.js)) {{\n{rules}}}\n");
        format!("{placed}@media (prefers-color-scheme: {color}) {{\n{without}}}\n")
    }
}

/// A link to a style sheet, as mdBook writes it.
static LINK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"[ \t]*<link rel="stylesheet"(?: id="([^"]+)")? href="([^"]+)"(?: media="([^"]+)")?>\n?"#,
    )
    .expect("a valid pattern")
});

/// The sheet of an edition.
pub struct Sheet {
    name: String,
}

impl Sheet {
    /// Joins the styles of an edition's first page in their order, in a file of the edition's folder,
    /// and leads the contents' frame to it.
    ///
    /// # Errors
    ///
    /// If a file can't be read, written or removed, or mdBook no longer links what is joined.
    pub fn of(edition: &Path) -> Result<Self> {
        let page = read(&edition.join(INDEX))?;
        let mut sheet = String::new();
        for link in LINK.captures_iter(head(&page)?) {
            let path = edition.join(&link[2]);
            let text = read(&path)?.replace("\r\n", "\n");
            remove(&path)?;
            let mut rules = led_from_root(&text, &link[2]);
            if link[2].starts_with(OURS) {
                rules = without_comments(&rules);
            }
            sheet += &placed(rules, &link)?;
        }
        ensure!(!sheet.is_empty(), "mdBook no longer links its styles");
        let name = format!("styles-{}.css", digest(&sheet));
        write(&edition.join(&name), &sheet)?;
        let made = Self { name };
        let frame = edition.join(CONTENTS);
        write(&frame, &made.on(&read(&frame)?, "")?)?;
        Ok(made)
    }

    /// A page that asks for the sheet alone; `up` leads from the page to the edition's folder.
    ///
    /// # Errors
    ///
    /// If the page asks for no style.
    pub fn on(&self, html: &str, up: &str) -> Result<String> {
        let old = head(html)?;
        let first = LINK.find(old).context("mdBook no longer links its styles")?;
        let link =
            format!("<link rel=\"stylesheet\" href=\"{up}{}\">\n{LETTERS}", self.name);
        let (before, after) = old.split_at(first.start());
        let new = format!("{before}{link}{}", LINK.replace_all(after, ""));
        replaced(html, old, &new)
    }
}

fn head(html: &str) -> Result<&str> {
    let (head, _) = html.split_once("</head>").context("a page without a head")?;
    Ok(head)
}

fn without_comments(style: &str) -> String {
    static COMMENT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)/\*.*?\*/\s*").expect("a valid pattern"));
    COMMENT.replace_all(style, "").into_owned()
}

/// Rules whose addresses start where the sheet is, not where they were written.
fn led_from_root(rules: &str, file: &str) -> String {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"url\((['"]?)([^'":)]+)['"]?\)"#).expect("a valid pattern")
    });
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let led = ADDRESS.replace_all(rules, |address: &Captures<'_>| {
        let file = resolved(folder, &address[2]);
        format!("url({0}{1}{0})", &address[1], forward(&file))
    });
    led.into_owned()
}

/// Rules for the medium that their link names, and those of listings for their themes.
fn placed(rules: String, link: &Captures<'_>) -> Result<String> {
    if let Some(media) = link.get(3) {
        return Ok(format!("@media {} {{\n{rules}}}\n", media.as_str()));
    }
    let Some(id) = link.get(1) else { return Ok(rules) };
    let listings = LISTINGS.iter().find(|listings| listings.id == id.as_str());
    let listings =
        listings.with_context(|| format!("mdBook has new styles: {}", id.as_str()))?;
    Ok(listings.placed(&rules))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PAGE: &str = "<head>\n<link rel=\"icon\" href=\"i.svg\">\n\
         <link rel=\"stylesheet\" href=\"theme/book-1.css\">\n\
         <link rel=\"stylesheet\" href=\"print-2.css\" media=\"print\">\n\
         <link rel=\"stylesheet\" id=\"mdbook-tomorrow-night-css\" href=\"night-3.css\">\n\
         </head><body>";

    /// The page and its sheet, joined of a file for all, one for paper and one for dark listings.
    fn joined(page: &str) -> Result<(String, String)> {
        let edition = tempfile::tempdir()?;
        let at = |name: &str| edition.path().join(name);
        fs::create_dir(at("theme"))?;
        for (name, text) in [
            (INDEX, page),
            (CONTENTS, page),
            (
                "theme/book-1.css",
                "/* a\n */\n@font-face { src: url('../fonts/a.woff2'), url(data:x) }\n",
            ),
            ("print-2.css", "/* b */ nav { display: none }\n"),
            ("night-3.css", ".hljs-a { color: #ccc }\n"),
        ] {
            fs::write(at(name), text)?;
        }
        let sheet = Sheet::of(edition.path())?;
        assert_eq!(read(&at(CONTENTS))?, sheet.on(page, "")?);
        assert!(!at("print-2.css").exists());
        Ok((sheet.on(page, "../")?, read(&at(&sheet.name))?))
    }

    #[test]
    fn a_page_asks_for_one_sheet() {
        let (page, sheet) = joined(PAGE).unwrap();
        let link = format!(
            "<link rel=\"icon\" href=\"i.svg\">\n\
             <link rel=\"stylesheet\" href=\"../styles-{}.css\">\n{LETTERS}</head><body>",
            digest(&sheet)
        );
        assert_eq!(page, format!("<head>\n{link}"));
        assert_eq!(
            sheet,
            "@font-face { src: url('fonts/a.woff2'), url(data:x) }\n\
             @media print {\n/* b */ nav { display: none }\n}\n\
             :where(html.js:is(.coal, .navy)) {\n.hljs-a { color: #ccc }\n}\n\
             @media (prefers-color-scheme: dark) {\n:where(html:not(.js)) {\n.hljs-a { color: #ccc }\n}\n}\n"
        );
    }

    #[test]
    fn other_styles_than_were_known_are_no_surprise_to_a_reader() {
        let unknown = PAGE.replace("mdbook-tomorrow-night-css", "mdbook-new-css");
        for (page, message) in [
            (unknown.as_str(), "mdBook has new styles: mdbook-new-css"),
            ("<head></head>", "mdBook no longer links its styles"),
        ] {
            assert_eq!(joined(page).unwrap_err().to_string(), message);
        }
    }
}
