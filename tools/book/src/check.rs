//! Everything that must be true of the book before it is published.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use nbformat::v4::Output;
use regex::Regex;
use scraper::{Html, Selector};
use walkdir::WalkDir;

use crate::i18n;
use crate::notebook::{self, Outputs};
use crate::page::{Block, Located};
use crate::workspace::{Chapter, Language, Workspace};

/// Columns of code that a page shows without scrolling.
const WIDTH: usize = 88;

/// Notebooks that lag behind their pages or crates.
///
/// # Errors
///
/// If a page, notebook or source can't be read.
pub fn freshness(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        let blocks = i18n::blocks(workspace, &chapter, Language::Portuguese)?;
        let stale = notebook::stale(workspace, &chapter, &blocks)?;
        if stale.is_empty() {
            findings.extend(notebooks_as_built(workspace, &chapter)?);
        }
        findings.extend(stale);
    }
    Ok(findings)
}

/// Lines of code too wide for a page, which would be cut.
///
/// # Errors
///
/// If a page or a source can't be read.
pub fn wide_code(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        for located in i18n::blocks(workspace, &chapter, Language::Portuguese)? {
            let code = match &located.block {
                Block::Cell(cell) => &cell.code,
                Block::Code(_, code) => code,
                _ => continue,
            };
            let wide = code.lines().find(|line| line.chars().count() > WIDTH);
            findings.extend(wide.map(|line| {
                let page = chapter.page();
                let page = page.display();
                format!("{page}:{}: over {WIDTH} columns: {line:?}", located.line)
            }));
        }
    }
    Ok(findings)
}

/// Pages in `src/` that `SUMMARY.md` does not name: nobody would see them.
///
/// # Errors
///
/// If `src/` can't be read.
pub fn unlisted_pages(workspace: &Workspace) -> Result<Vec<String>> {
    let summary = workspace.read(Path::new("src/SUMMARY.md"))?;
    let mut findings = Vec::new();
    for entry in WalkDir::new(workspace.root.join("src")).sort_by_file_name() {
        let path = entry?.into_path();
        let name = path.strip_prefix(workspace.root.join("src"))?.display().to_string();
        let listed = ["SUMMARY.md", "404.md"].contains(&name.as_str())
            || summary.contains(&format!("({name})"));
        if path.extension().is_some_and(|extension| extension == "md") && !listed {
            findings.push(format!("src/{name}: not in src/SUMMARY.md"));
        }
    }
    Ok(findings)
}

/// Notebook files that a rebuild with the same outputs would change: prose or a
/// translation moved.
fn notebooks_as_built(workspace: &Workspace, chapter: &Chapter) -> Result<Vec<String>> {
    let outputs = notebook::recorded_outputs(workspace, chapter)?;
    let mut findings = Vec::new();
    for (path, built) in notebook::editions(workspace, chapter, &outputs)? {
        let committed =
            fs::read_to_string(workspace.root.join(&path)).unwrap_or_default();
        if committed != notebook::to_text(&built)? {
            findings.push(format!(
                "{} is not what its page gives: run `cargo book notebooks --text {}`",
                path.display(),
                chapter.short()
            ));
        }
    }
    Ok(findings)
}

/// Numbers in the prose of chapters that nothing on the page printed.
///
/// A number counts if it has at least two decimals (1,56 or 1.56; formulas and code
/// apart): some number among the outputs, in the page's code or in its formulas must
/// round to it.
///
/// # Errors
///
/// If a page or notebook can't be read.
pub fn unsourced_numbers(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        let outputs = notebook::recorded_outputs(workspace, &chapter)?;
        for language in Language::ALL {
            let blocks = i18n::blocks(workspace, &chapter, language)?;
            let sources = numbers_shown(&outputs, &blocks);
            for (line, number) in claims(&blocks) {
                if !sources.iter().any(|source| rounds_to(*source, &number)) {
                    findings.push(format!(
                        "{}:{line} ({}): no output of the chapter gives the number {number}",
                        chapter.page().display(),
                        language.tag()
                    ));
                }
            }
        }
    }
    Ok(findings)
}

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)?(?:e-?\d+)?").expect("a valid pattern"));
static CLAIM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+[.,]\d{2,}").expect("a valid pattern"));
static LITERAL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`[^`]*`|\]\([^)]*\)").expect("a valid pattern"));

fn numbers_shown(outputs: &Outputs, blocks: &[Located]) -> Vec<f64> {
    let mut texts: Vec<String> = Vec::new();
    for output in outputs.values().flatten() {
        match output {
            Output::Stream { text, .. } => texts.push(text.0.clone()),
            other => {
                let value = serde_json::to_value(other).unwrap_or_default();
                texts.push(value["data"]["text/plain"].to_string()); // drawings are no sources
            }
        }
    }
    for located in blocks {
        match &located.block {
            Block::Cell(cell) => texts.push(cell.code.clone()),
            Block::Code(_, text) | Block::Math(text) => texts.push(text.clone()),
            _ => {}
        }
    }
    let numbers = texts.iter().flat_map(|text| NUMBER.find_iter(text));
    numbers.filter_map(|number| number.as_str().parse().ok()).collect()
}

/// The numbers with decimals in prose, captions and titles, with their lines.
fn claims(blocks: &[Located]) -> Vec<(usize, String)> {
    let mut claims = Vec::new();
    for located in blocks {
        let (Block::Markdown(text) | Block::Caption(text) | Block::Details(text)) =
            &located.block
        else {
            continue;
        };
        for (i, line) in text.lines().enumerate() {
            let prose = LITERAL.replace_all(line, "");
            let found = CLAIM.find_iter(&prose);
            claims.extend(
                found.map(|n| (located.line + i, n.as_str().replace(',', "."))),
            );
        }
    }
    claims
}

fn rounds_to(source: f64, claim: &str) -> bool {
    let decimals = claim.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{source:.decimals$}") == claim
}

/// What is wrong with a built site: links to nowhere, requests that would leave the
/// machine, pictures without words.
///
/// # Errors
///
/// If a page can't be read.
pub fn site(folder: &Path) -> Result<Vec<String>> {
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

/// Whether a page has the views whose state an address gives: `av-NAME=layer:1&av-…`.
fn has_views(page: &Html, address: &str) -> bool {
    static VIEW: LazyLock<Selector> =
        LazyLock::new(|| selector("[data-attention-view]"));
    address.split('&').all(|part| {
        let name = part.split_once('=').and_then(|(name, _)| name.strip_prefix("av-"));
        let mut views = page.select(&VIEW);
        views.any(|view| name.is_some() && view.attr("data-attention-view") == name)
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
                if !id.is_empty() && !has_id(page, id) && !has_views(page, id) =>
            {
                Some(format!("link to {target:?}: that page has no such part"))
            }
            _ => None,
        }
    })
}

/// Addresses outside the site: followed by a click, not checked here.
fn is_elsewhere(target: &str) -> bool {
    ["http:", "https:", "data:", "mailto:", "javascript:", "//"]
        .iter()
        .any(|scheme| target.starts_with(scheme))
}

/// What a page would fetch from another machine by itself.
fn requests(page: &Html) -> impl Iterator<Item = String> {
    static FETCHED: LazyLock<Selector> = LazyLock::new(|| {
        selector(
            "script[src], link[href], img[src], iframe[src], source[src], image[href], object[data]",
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
                    <a href=\"gone.html\">no</a><a href=\"https://example.org\">click</a>\
                    <script src=\"https://cdn.example.org/x.js\"></script><img src=\"data:,\">\
                    <figure><svg viewBox=\"0 0 1 1\"></svg></figure>\
                    <div data-attention-view=\"12ab\"></div><a href=\"#av-12ab=layer:1\">ok</a>\
                    <a href=\"#av-12ab=layer:1&amp;av-34cd=layer:2\">no</a></body></html>";
        fs::write(folder.path().join("index.html"), page).unwrap();
        let findings = site(folder.path()).unwrap();
        let expected = [
            "\"#b\"",
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

    #[test]
    fn a_number_needs_an_output_that_rounds_to_it() {
        assert!(rounds_to(0.284_2, "0.28"));
        assert!(!rounds_to(0.286, "0.28"));
        let block =
            |text: &str| Located { line: 1, block: Block::Markdown(text.into()) };
        let found = claims(&[block("pesa 0,28 e `0.99`\n1.5 e 12.345")]);
        assert_eq!(found, [(1, "0.28".to_owned()), (2, "12.345".to_owned())]);
    }
}
