//! Where the built site is public, as far as the repository's address tells.

use std::path::Path;

use crate::workspace::{Language, forward};

/// The site's address: where GitHub Pages serves a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Where the site of a repository is, if that is known.
    #[must_use]
    pub fn of(repository: &str) -> Option<Self> {
        let (owner, name) =
            repository.strip_prefix("https://github.com/")?.split_once('/')?;
        let host = format!("{}.github.io", owner.to_lowercase());
        let own_site = name.eq_ignore_ascii_case(&host); // served at the root
        let folder = if own_site { String::new() } else { format!("{name}/") };
        Some(Self(format!("https://{host}/{folder}")))
    }

    /// The address of an edition's page, a path in its folder: the first page is the edition's own.
    #[must_use]
    pub fn page(&self, language: Language, page: &Path, first: bool) -> String {
        let page = if first { String::new() } else { forward(page) };
        let folder = language.folder();
        let slash = if folder.is_empty() { "" } else { "/" };
        format!("{}{folder}{slash}{page}", self.0)
    }
}

/// The folder below a host that an edition is served at: `/book/en/`.
#[must_use]
pub fn base_path(repository: Option<&str>, language: Language) -> String {
    let name = repository.and_then(|address| address.rsplit('/').next());
    let project = name.filter(|name| !name.ends_with(".github.io")).unwrap_or_default();
    let folders = [project, language.folder()];
    let folders = folders.iter().filter(|folder| !folder.is_empty());
    folders.fold("/".to_owned(), |path, folder| path + folder + "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_from_the_repository() {
        for (repository, site) in [
            ("https://github.com/Ana/book", Some("https://ana.github.io/book/")),
            ("https://github.com/ana/ana.github.io", Some("https://ana.github.io/")),
            ("https://example.org/ana/book", None),
        ] {
            let address = Address::of(repository);
            assert_eq!(
                address,
                site.map(|site| Address(site.to_owned())),
                "{repository}"
            );
        }
        let address = Address("https://ana.github.io/book/".into());
        let page = |language, first| address.page(language, Path::new("a.html"), first);
        assert_eq!(
            page(Language::Portuguese, false),
            "https://ana.github.io/book/a.html"
        );
        assert_eq!(page(Language::Portuguese, true), "https://ana.github.io/book/");
        assert_eq!(
            page(Language::English, false),
            "https://ana.github.io/book/en/a.html"
        );
        assert_eq!(page(Language::English, true), "https://ana.github.io/book/en/");
    }

    #[test]
    fn an_edition_is_served_below_its_repository_s_name() {
        for (repository, portuguese, english) in [
            (None, "/", "/en/"),
            (Some("https://github.com/ana/book"), "/book/", "/book/en/"),
            (Some("https://github.com/ana/ana.github.io"), "/", "/en/"),
        ] {
            assert_eq!(base_path(repository, Language::Portuguese), portuguese);
            assert_eq!(base_path(repository, Language::English), english);
        }
    }
}
