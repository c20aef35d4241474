//! What a page's head says of it to search engines and to those who share its address.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::{INDEX, card, replaced};
use crate::address::Address;
use crate::edition::Edition;
use crate::figure::escape;
use crate::search::sections::{Section, sections};
use crate::workspace::Language;

/// How many characters of a page's first sentences describe it.
const LONGEST: usize = 160;

/// A page with its own description, its card, and its addresses and the card's picture, which it
/// draws, if the site has one.
///
/// # Errors
///
/// If the page has no heading, mdBook no longer describes it, or the picture can't be drawn.
pub fn with_card(
    html: &str,
    edition: &Edition,
    address: Option<&Address>,
    page: &Path,
) -> Result<String> {
    let sections = sections(html);
    let first = sections.first().context("no heading to name the page")?;
    let description = escape(&description(&sections));
    let title = escape(&first.title);
    let site = escape(&edition.title.title);
    let locale = edition.language.tag().replace('-', "_");
    let picture = match address {
        Some(address) => card::tags(edition, address, page, &first.title)?,
        None => None,
    };
    let card = if picture.is_some() { "summary_large_image" } else { "summary" };
    let mut head = format!(
        "<meta name=\"description\" content=\"{description}\">\n\
         <meta property=\"og:type\" content=\"article\">\n\
         <meta property=\"og:site_name\" content=\"{site}\">\n\
         <meta property=\"og:title\" content=\"{title}\">\n\
         <meta property=\"og:description\" content=\"{description}\">\n\
         <meta property=\"og:locale\" content=\"{locale}\">\n\
         <meta name=\"twitter:card\" content=\"{card}\">"
    );
    if let Some(address) = address {
        head += &addresses(edition, address, page);
        head += &picture.unwrap_or_default();
    }
    replaced(html, &old_description(html)?, &head)
}

/// The description that mdBook gives to every page.
fn old_description(html: &str) -> Result<String> {
    let begin = "<meta name=\"description\" content=\"";
    let (_, rest) =
        html.split_once(begin).context("mdBook no longer describes a page")?;
    let (words, _) = rest.split_once("\">").context("a description without an end")?;
    Ok(format!("{begin}{words}\">"))
}

/// The first sentences of a page, as far as they are short.
fn description(sections: &[Section]) -> String {
    let mut prose = sections.iter().map(|section| section.prose.as_str());
    let prose = prose.find(|prose| !prose.is_empty()).unwrap_or_default();
    if prose.chars().count() <= LONGEST {
        return prose.to_owned();
    }
    let start: String = prose.chars().take(LONGEST).collect();
    match start.rfind(". ") {
        Some(end) => start[..=end].to_owned(),
        None => format!(
            "{}…",
            start.rsplit_once(' ').map_or(start.as_str(), |(words, _)| words)
        ),
    }
}

/// Where the page is, in both languages.
fn addresses(edition: &Edition, address: &Address, page: &Path) -> String {
    let first = is_first(&edition.pages, page);
    let here = escape(&address.page(edition.language, page, first));
    let mut links = format!(
        "\n<link rel=\"canonical\" href=\"{here}\">\n<meta property=\"og:url\" content=\"{here}\">"
    );
    let [source, _] = Language::ALL;
    let tags = Language::ALL.map(|language| (language.tag(), language));
    for (tag, language) in tags.into_iter().chain([("x-default", source)]) {
        let there = escape(&address.page(language, page, first));
        // A String takes all that is written to it.
        let _ = write!(
            links,
            "\n<link rel=\"alternate\" hreflang=\"{tag}\" href=\"{there}\">"
        );
    }
    links
}

/// Whether a page is the edition's first, which stands at its `index.html`, too.
pub fn is_first(pages: &[std::path::PathBuf], page: &Path) -> bool {
    page == Path::new(INDEX) || pages.first().is_some_and(|first| first == page)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::edition::Title;

    const PAGE: &str = "<head><meta name=\"description\" content=\"All of it\">\
                        <title>T</title></head><main><h1 id=\"t\">A &lt; B</h1><p>";

    fn head_of(prose: &str, page: &str, address: Option<&Address>) -> String {
        let edition = Edition {
            folder: PathBuf::from("site"),
            language: Language::English,
            title: Title { title: "The \"book\"".into(), ..Title::default() },
            pages: ["a.html", "b.html"].map(PathBuf::from).to_vec(),
        };
        let html = format!("{PAGE}{prose}</p></main>");
        with_card(&html, &edition, address, Path::new(page)).unwrap()
    }

    #[test]
    fn a_page_has_a_card_of_its_own() {
        let html = head_of("One. Two.", "b.html", None);
        for part in [
            "<meta name=\"description\" content=\"One. Two.\">",
            "<meta property=\"og:title\" content=\"A &lt; B\">",
            "<meta property=\"og:site_name\" content=\"The &quot;book&quot;\">",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        for absent in ["All of it", "canonical", "hreflang", "og:url"] {
            assert!(!html.contains(absent), "{absent} in {html}");
        }
        let long = head_of(&format!("One. {}", "word ".repeat(60)), "b.html", None);
        assert!(long.contains("content=\"One.\""), "{long}");
        let endless = head_of(&"word ".repeat(60), "b.html", None);
        assert!(endless.contains("word word…\""), "{endless}");
    }

    #[test]
    fn a_public_page_says_where_it_is_in_both_languages() {
        let address = Address::of("https://github.com/ana/book");
        let html = head_of("One.", "b.html", address.as_ref());
        for part in [
            "<link rel=\"canonical\" href=\"https://ana.github.io/book/en/b.html\">",
            "hreflang=\"pt-BR\" href=\"https://ana.github.io/book/b.html\">",
            "hreflang=\"en\" href=\"https://ana.github.io/book/en/b.html\">",
            "hreflang=\"x-default\" href=\"https://ana.github.io/book/b.html\">",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        for first in ["a.html", "index.html"] {
            let html = head_of("One.", first, address.as_ref());
            let canonical =
                "<link rel=\"canonical\" href=\"https://ana.github.io/book/en/\">";
            assert!(html.contains(canonical), "{html}");
        }
    }
}
