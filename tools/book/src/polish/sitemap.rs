//! The list of the site's pages for search engines.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::write;
use crate::address::Address;
use crate::figure::escape;
use crate::workspace::Language;

/// Writes `sitemap.xml`: every page in both languages, each with the other beside it.
///
/// # Errors
///
/// If it can't be written.
pub fn save(site: &Path, address: &Address, pages: &[PathBuf]) -> Result<()> {
    write(&site.join("sitemap.xml"), &sitemap(address, pages))
}

fn sitemap(address: &Address, pages: &[PathBuf]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                   <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
                   xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">\n"
        .to_owned();
    for (i, page) in pages.iter().enumerate() {
        let at = |language| escape(&address.page(language, page, i == 0));
        let alternates: String = Language::ALL
            .map(|language| {
                let (tag, there) = (language.tag(), at(language));
                format!("<xhtml:link rel=\"alternate\" hreflang=\"{tag}\" href=\"{there}\"/>")
            })
            .concat();
        for language in Language::ALL {
            // A String takes all that is written to it.
            let _ = writeln!(xml, "<url><loc>{}</loc>{alternates}</url>", at(language));
        }
    }
    xml + "</urlset>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_listed_in_both_languages() {
        let address = Address::of("https://github.com/ana/book").unwrap();
        let xml = sitemap(&address, &["a.html", "b.html"].map(PathBuf::from));
        let base = "https://ana.github.io/book/";
        for place in ["", "en/", "b.html", "en/b.html"] {
            assert!(xml.contains(&format!("<loc>{base}{place}</loc>")), "{xml}");
        }
        assert_eq!(xml.matches("<url>").count(), 4);
        let other = format!("hreflang=\"en\" href=\"{base}en/b.html\"/>");
        assert_eq!(xml.matches(&other).count(), 2);
    }
}
