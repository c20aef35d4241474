//! A built site: links, requests to other machines, pictures without words.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use percent_encoding::percent_decode_str;
use scraper::{Html, Selector};
use walkdir::WalkDir;

/// What is wrong with a built site: links to nowhere, requests that would leave the
/// machine, pictures without words.
///
/// # Errors
///
/// If a page can't be read.
pub fn findings(folder: &Path) -> Result<Vec<String>> {
    let folder = &folder
        .canonicalize() // links are looked up by the files that they resolve to
        .with_context(|| format!("cannot open {}", folder.display()))?;
    let mut pages = HashMap::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let path = entry?.into_path();
        if path.extension().is_some_and(|extension| extension == "html") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            pages.insert(path, Html::parse_document(&text));
        }
    }
    let mut findings = BTreeSet::new();
    for (path, page) in &pages {
        let name = path.strip_prefix(folder).unwrap_or(path).display();
        let problems = links(folder, path, page, &pages)
            .chain(requests(page))
            .chain(pictures(page));
        findings.extend(problems.map(|problem| format!("{name}: {problem}")));
    }
    Ok(findings.into_iter().collect())
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a valid selector")
}

fn has_id(page: &Html, id: &str) -> bool {
    let mut elements = page.select(&ID);
    elements.any(|element| element.attr("id") == Some(id))
}

/// Whether a page has the views and live elements whose state an address gives:
/// `av-NAME=layer:1&live-NAME=…`.
fn has_shown(page: &Html, address: &str) -> bool {
    static SHOWN: LazyLock<Selector> =
        LazyLock::new(|| selector("[data-attention-view], [data-live]"));
    address.split('&').all(|part| {
        let Some((name, _)) = part.split_once('=') else { return false };
        page.select(&SHOWN).any(|shown| {
            let view = shown.attr("data-attention-view").map(|id| format!("av-{id}"));
            let live = shown.attr("data-live").map(|element| format!("live-{element}"));
            [view, live].iter().flatten().any(|known| known == name)
        })
    })
}

static ID: LazyLock<Selector> = LazyLock::new(|| selector("[id]"));

/// Links inside the site that lead nowhere.
fn links<'a>(
    folder: &'a Path,
    path: &'a Path,
    page: &'a Html,
    pages: &'a HashMap<PathBuf, Html>,
) -> impl Iterator<Item = String> + 'a {
    static LINK: LazyLock<Selector> =
        LazyLock::new(|| selector("a[href], link[href], [src]"));
    page.select(&LINK).filter_map(move |element| {
        let target = element.attr("href").or(element.attr("src"))?;
        if is_elsewhere(target) {
            return None;
        }
        let (file, id) = target.split_once('#').unwrap_or((target, ""));
        let id = percent_decode_str(id).decode_utf8_lossy();
        let mut file_path = match file.strip_prefix('/') {
            Some(rooted) => folder.join(rooted),
            None if file.is_empty() => path.to_owned(),
            None => path.parent()?.join(file),
        };
        if file_path.is_dir() {
            file_path = file_path.join("index.html");
        }
        let Ok(file_path) = file_path.canonicalize() else {
            return Some(format!("link to {target:?}: no such file in the site"));
        };
        match pages.get(&file_path) {
            Some(page)
                if !id.is_empty() && !has_id(page, &id) && !has_shown(page, &id) =>
            {
                Some(format!("link to {target:?}: that page has no such part"))
            }
            _ => None,
        }
    })
}

/// Addresses outside the site: followed by a click, not checked here.
pub(crate) fn is_elsewhere(target: &str) -> bool {
    ["http:", "https:", "data:", "mailto:", "javascript:", "//"]
        .iter()
        .any(|scheme| target.starts_with(scheme))
}

/// Whether what follows `#` is the state of a view or of a live element, which only a page of
/// the site can show.
pub(crate) fn is_state(id: &str) -> bool {
    ["av-", "live-"].iter().any(|kind| id.starts_with(kind)) && id.contains('=')
}

/// What a page would fetch from another machine by itself.
fn requests(page: &Html) -> impl Iterator<Item = String> {
    static FETCHED: LazyLock<Selector> = LazyLock::new(|| {
        selector(
            // `canonical` and `alternate` only say where a page is.
            "script[src], link[href]:not([rel=canonical]):not([rel=alternate]), img[src], iframe[src], source[src], image[href], object[data]",
        )
    });
    page.select(&FETCHED).filter_map(|element| {
        let element = element.value();
        let target =
            ["src", "href", "data"].iter().find_map(|name| element.attr(name))?;
        let outside = is_elsewhere(target) && !target.starts_with("data:");
        outside.then(|| {
            format!("<{}> fetches {target:?} from another machine", element.name())
        })
    })
}

/// Pictures that say nothing to those who can't see them.
fn pictures(page: &Html) -> impl Iterator<Item = String> {
    static IMAGE: LazyLock<Selector> = LazyLock::new(|| selector("img"));
    static DRAWING: LazyLock<Selector> =
        LazyLock::new(|| selector("figure svg[viewBox]"));
    let images = page.select(&IMAGE).filter_map(|image| {
        let silent = image.attr("alt").is_none_or(|alt| alt.trim().is_empty());
        silent.then(|| {
            format!("image {:?} has no alt text", image.attr("src").unwrap_or(""))
        })
    });
    let drawings = page.select(&DRAWING).filter_map(|drawing| {
        let silent =
            drawing.attr("aria-label").is_none_or(|label| label.trim().is_empty());
        silent.then(|| "a figure has no text for screen readers".to_owned())
    });
    images.chain(drawings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_s_faults_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let page = "<html><body><h1 id=\"a\">x</h1><a href=\"#a\">ok</a><a href=\"#b\">no</a>\
                    <h2 id=\"é\">x</h2><a href=\"#%C3%A9\">ok</a>\
                    <a href=\"gone.html\">no</a><a href=\"https://example.org\">click</a>\
                    <script src=\"https://cdn.example.org/x.js\"></script><img src=\"data:,\">\
                    <figure><svg viewBox=\"0 0 1 1\"></svg></figure>\
                    <div data-attention-view=\"12ab\"></div><a href=\"#av-12ab=layer:1\">ok</a>\
                    <div data-live=\"a-b\"></div><a href=\"#live-a-b=seed:1\">ok</a>\
                    <a href=\"#av-12ab=layer:1&amp;live-a-b=seed:1\">ok</a>\
                    <a href=\"#live-c=seed:1\">no</a><a href=\"#live-a-b\">no</a>\
                    <a href=\"#av-12ab=layer:1&amp;av-34cd=layer:2\">no</a></body></html>";
        fs::write(folder.path().join("index.html"), page).unwrap();
        let findings = super::findings(folder.path()).unwrap();
        let expected = [
            "\"#b\"",
            "live-c=",
            "\"#live-a-b\"",
            "av-34cd",
            "\"gone.html\"",
            "cdn.example.org",
            "no alt text",
            "screen readers",
        ];
        assert_eq!(findings.len(), expected.len(), "{findings:#?}");
        for part in expected {
            assert!(
                findings.iter().any(|f| f.contains(part)),
                "{part} in {findings:#?}"
            );
        }
    }
}
