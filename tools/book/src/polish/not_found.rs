//! The page for a wrong address. mdBook writes one in English, or one page for both editions.

use anyhow::{Context, Result};

use super::replaced;
use crate::edition::Edition;
use crate::figure::escape;
use crate::preprocess::up_to_site;
use crate::workspace::{Language, forward};

/// What the page says in a language: its title, its sentence, the name of the link to the first
/// page.
fn words(language: Language) -> [&'static str; 3] {
    match language {
        Language::Portuguese => [
            "Página não encontrada",
            "Nada do livro está neste endereço. O sumário e a busca levam às suas páginas.",
            "Ir para o começo",
        ],
        Language::English => [
            "Page not found",
            "Nothing of the book is at this address. The table of contents and the search lead to \
             its pages.",
            "Go to the beginning",
        ],
    }
}

/// The page in the edition's language, and below in the other: a host may have one such page for
/// both editions.
///
/// # Errors
///
/// If mdBook's page is not as it was.
pub fn page(html: &str, edition: &Edition) -> Result<String> {
    let language = edition.language;
    let others = Language::ALL.into_iter().filter(|other| *other != language);
    let parts: Vec<String> = [language]
        .into_iter()
        .chain(others)
        .map(|other| part(edition, other))
        .collect();
    let (begin, rest) =
        html.split_once("<main>").context("mdBook no longer writes <main>")?;
    let (_, end) = rest.split_once("</main>").context("<main> without an end")?;
    let html = format!("{begin}<main>{}</main>{end}", parts.join("<hr>"));
    let title = format!(
        "<title>{} - {}</title>",
        words(language)[0],
        escape(&edition.title.title)
    );
    let old =
        format!("<title>Page not found - {}</title>", escape(&edition.title.title));
    replaced(&html, &old, &title)
}

fn part(edition: &Edition, language: Language) -> String {
    let [title, sentence, link] = words(language);
    let first = edition.pages.first().map(|page| forward(page)).unwrap_or_default();
    let tag = language.tag();
    if language == edition.language {
        return format!(
            "<h1>{title}</h1><p>{sentence}</p><p><a href=\"{first}\">{link}</a></p>"
        );
    }
    let up = up_to_site(std::path::Path::new(&first), edition.language);
    let folder = language.folder();
    let slash = if folder.is_empty() { "" } else { "/" };
    format!(
        "<div lang=\"{tag}\"><h2>{title}</h2><p>{sentence}</p>\
         <p><a href=\"{up}{folder}{slash}{first}\">{link}</a></p></div>"
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::edition::Title;

    #[test]
    fn each_edition_s_page_speaks_its_language_first() {
        let html =
            "<title>Page not found - T &amp; U</title><main>\n<h1>old</h1></main>.";
        for (language, title, own, other) in [
            (
                Language::Portuguese,
                "Página não encontrada",
                "\"a.html\"",
                "\"en/a.html\"",
            ),
            (Language::English, "Page not found", "\"a.html\"", "\"../a.html\""),
        ] {
            let edition = Edition {
                folder: PathBuf::from("site"),
                language,
                title: Title { title: "T & U".into(), ..Title::default() },
                pages: vec![PathBuf::from("a.html")],
            };
            let page = page(html, &edition).unwrap();
            assert!(
                page.starts_with(&format!("<title>{title} - T &amp; U</title>")),
                "{page}"
            );
            assert!(page.contains(&format!("<main><h1>{title}</h1>")), "{page}");
            assert!(!page.contains("old") && page.ends_with("</main>."), "{page}");
            assert!(page.contains(&format!("<a href={own}>")), "{page}");
            assert!(page.contains(&format!("<a href={other}>")), "{page}");
        }
    }
}
