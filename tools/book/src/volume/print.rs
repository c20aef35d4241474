//! The volume for paper: one HTML document that Chromium prints, its page numbers written in
//! where links lead.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use scraper::{Html, Selector};

use super::pdf::{self, Pages};
use super::tree::{self, Element, Node, escaped};
use super::{Heading, Volume, Words, clean, file_name, is_internal};

const STYLE: &str = include_str!("print.css");
const SCRIPT: &str = include_str!("print.js");

/// How often the page numbers may be written in before they have to stay as they are: a number
/// that takes a place more can move a line.
const PASSES: usize = 5;

/// Prints a volume, with what mdBook has left in its edition's folder: fonts, styles of
/// formulas and code.
///
/// # Errors
///
/// If there is no Chromium or it prints nothing, a line does not fit its page, a figure does not
/// fit one, or a heading is on no page.
pub fn print(volume: &Volume, folder: &Path, path: &Path) -> Result<()> {
    let chromium = pdf::chromium()?.context("there is no Chromium to print with")?;
    let assets = assets(&folder.join("index.html"))?;
    let names = Names::of(volume);
    let page = tempfile::Builder::new().suffix(".html").tempfile_in(folder)?;
    let mut pages = Pages::new();
    for pass in 0..PASSES {
        fs::write(page.path(), document(volume, &assets, &names, &pages))?;
        if pass == 0 {
            let faults = chromium.measure(page.path())?;
            ensure!(faults.is_empty(), "wider than a page:\n{}", faults.join("\n"));
        }
        chromium.print(page.path(), path, pass > 0)?;
        let pdf = fs::read(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let found = pdf::pages(&pdf)
            .with_context(|| format!("cannot read {}", path.display()))?;
        if found == pages {
            return check(volume, &names, &pages);
        }
        pages = found;
    }
    bail!("the page numbers do not settle in {PASSES} passes")
}

/// Every heading is on a page, in the order of reading; every figure on one page alone.
fn check(volume: &Volume, names: &Names, pages: &Pages) -> Result<()> {
    let page_of = |address: &str| {
        let page = pages.get(names.name(address)?);
        page.with_context(|| format!("{address} is on no page"))
    };
    let mut last = 0;
    for heading in volume.headings() {
        let page = *page_of(&address(&heading))?;
        ensure!(
            page >= last,
            "{:?} is on page {page}, before what stands before it",
            heading.text
        );
        last = page;
    }
    for (figure, end) in &names.figures {
        let pages = [figure, end].map(|name| pages.get(name));
        ensure!(
            pages[0].is_some() && pages[0] == pages[1],
            "a figure is cut by the end of page {:?}",
            pages[0]
        );
    }
    Ok(())
}

fn address(heading: &Heading) -> String {
    format!("{}#{}", file_name(&heading.page), heading.id)
}

/// What the parts of a volume are called in one document: short names, since each becomes one
/// in the PDF.
struct Names {
    /// The name of each address that a link may have.
    of: HashMap<String, String>,
    /// The names of each figure and of its end.
    figures: Vec<(String, String)>,
}

impl Names {
    fn of(volume: &Volume) -> Self {
        let mut names = Self { of: HashMap::new(), figures: Vec::new() };
        for page in &volume.pages {
            let file = file_name(&page.name);
            names.add(file.clone());
            tree::visit(&page.body, &mut |element| {
                let Some(id) = element.attr("id") else { return };
                let name = names.add(format!("{file}#{id}"));
                if element.name == "figure" {
                    names.figures.push((name.clone(), format!("{name}-end")));
                }
            });
        }
        names
    }

    fn add(&mut self, address: String) -> String {
        let name = format!("t{}", self.of.len() + 1);
        self.of.insert(address, name.clone());
        name
    }

    fn name(&self, address: &str) -> Result<&str> {
        let name = self.of.get(address).map(String::as_str);
        name.with_context(|| format!("{address} is no part of the book"))
    }
}

/// The style sheets and the script of an edition that its volume needs, too: addresses from its
/// folder.
struct Assets {
    styles: Vec<String>,
    highlighter: String,
}

fn assets(index: &Path) -> Result<Assets> {
    let text = fs::read_to_string(index)
        .with_context(|| format!("cannot read {}", index.display()))?;
    let page = Html::parse_document(&text);
    let addresses = |selector: &str, attribute: &str| -> Vec<String> {
        let selector = Selector::parse(selector).expect("a valid selector");
        let elements = page.select(&selector);
        elements.filter_map(|it| it.attr(attribute)).map(str::to_owned).collect()
    };
    let styles = addresses("link[rel=stylesheet]", "href").into_iter();
    // The colors of code on white; mdBook has two dark sets beside them.
    let wanted = ["fonts/", "assets/katex/", "highlight"];
    let styles = styles.filter(|href| wanted.iter().any(|name| href.starts_with(name)));
    let mut scripts = addresses("script[src*=highlight]", "src");
    let highlighter = scripts.pop().context("mdBook's page has no highlight.js")?;
    Ok(Assets { styles: styles.collect(), highlighter })
}

/// The whole volume as one page of HTML, with the numbers of the pages that are known.
fn document(volume: &Volume, assets: &Assets, names: &Names, pages: &Pages) -> String {
    let words = Words::of(volume.language);
    let printer = Printer { names, pages, words: &words };
    let (mut heads, mut body) = (String::new(), title_page(volume, &words));
    body += &printer.contents(volume);
    for (number, page) in volume.pages.iter().enumerate() {
        let head = match &page.label {
            Some(label) => format!("{label}: {}", page.title),
            None => page.title.clone(),
        };
        heads += &running_head(number, &volume.title.title, &head);
        let mut parts: Vec<Node> = Vec::new();
        if let Some(label) = &page.label {
            parts.push(Element::of_text("p", "label", label).into());
        }
        parts.extend(
            page.body
                .iter()
                .map(|node| printer.printed(node.clone(), &file_name(&page.name))),
        );
        let section = Element::new("section", &format!("page page{number}"), parts);
        let name = names.of.get(&file_name(&page.name)).map_or("", String::as_str);
        body += &tree::write(&[section.with("id", name).into()]);
    }
    let styles = assets
        .styles
        .iter()
        .map(|href| format!("<link rel=\"stylesheet\" href=\"{}\">\n", escaped(href)));
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>{}</title>\n{}<style>\n{STYLE}{heads}</style>\n</head>\n<body>\n{body}\n{}\
         <script src=\"{}\"></script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        volume.language.tag(),
        escaped(&volume.title.title),
        styles.collect::<String>(),
        every_name(names),
        escaped(&assets.highlighter),
    )
}

/// Links that are not printed: Chromium writes into the PDF where a part is that a link leads
/// to, and nothing of the others.
fn every_name(names: &Names) -> String {
    let ends = names.figures.iter().map(|(_, end)| end);
    let links = names.of.values().chain(ends);
    let links = links.map(|name| format!("<a href=\"#{name}\"></a>"));
    format!("<div hidden>{}</div>\n", links.collect::<String>())
}

/// The book's title over its left pages, the chapter's over its right ones.
fn running_head(number: usize, book: &str, page: &str) -> String {
    let [book, page] = [book, page].map(css_string);
    format!(
        ".page{number} {{ page: page{number}; }}\n\
         @page page{number}:left {{ @top-left {{ content: {book}; }} }}\n\
         @page page{number}:right {{ @top-right {{ content: {page}; }} }}\n"
    )
}

/// A text as CSS writes it, in a `<style>`.
fn css_string(text: &str) -> String {
    let mut string = "\"".to_owned();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | ',' | '.' | ':' | '?') {
            string.push(c);
        } else {
            let _ = write!(string, "\\{:x} ", u32::from(c)); // a String takes all
        }
    }
    string + "\""
}

fn title_page(volume: &Volume, words: &Words) -> String {
    let title = &volume.title;
    let lines = vec![
        Element::of_text("h1", "", &title.title).into(),
        Element::of_text("p", "description", &title.description).into(),
        Element::of_text("p", "license", words.license).into(),
    ];
    tree::write(&[Element::new("section", "title-page", lines).into()])
}

struct Printer<'a> {
    names: &'a Names,
    pages: &'a Pages,
    words: &'a Words,
}

impl Printer<'_> {
    /// The table of contents.
    fn contents(&self, volume: &Volume) -> String {
        let mut lines: Vec<Node> =
            vec![Element::of_text("h1", "", self.words.contents).into()];
        for heading in volume.headings() {
            let page = volume.pages.iter().find(|page| page.name == heading.page);
            let label = page.and_then(|page| page.label.as_deref());
            let mut parts = Vec::new();
            if let Some(label) = label.filter(|_| heading.level == 1) {
                let label = format!("{label}: ");
                parts.push(Element::of_text("span", "label", &label).into());
            }
            parts.push(Node::text(heading.text.as_str()));
            let name = self.name(&address(&heading));
            let parts = vec![
                Element::new("span", "entry", parts).into(),
                Element::new("span", "dots", Vec::new()).into(),
                Element::of_text("span", "number", &self.number(name)).into(),
            ];
            let line = Element::link(&format!("#{name}"), parts);
            let class = format!("level{}", heading.level);
            lines.push(Element::new("p", &class, vec![line.into()]).into());
        }
        tree::write(&[Element::new("nav", "contents", lines).into()])
    }

    fn name(&self, address: &str) -> &str {
        self.names.of.get(address).map_or("", String::as_str)
    }

    /// The number of the page where a part is.
    fn number(&self, name: &str) -> String {
        self.pages.get(name).map_or("000".to_owned(), usize::to_string)
    }

    /// A part of a page as it is printed.
    fn printed(&self, node: Node, file: &str) -> Node {
        let Node::Element(mut element) = node else { return node };
        if element.name == "svg" {
            return element.into();
        }
        if let Some(formula) = clean::formula(&element) {
            let seen = vec![Node::Element(formula.html.clone())];
            let class = element.attr("class").unwrap_or_default();
            let seen = Element::new("span", class, seen).with("role", "math");
            return seen.with("aria-label", &formula.tex).into();
        }
        let children = element.children.into_iter();
        element.children = children.map(|child| self.printed(child, file)).collect();
        if let Some(id) = element.attr("id") {
            let name = self.name(&format!("{file}#{id}")).to_owned();
            element.set("id", &name);
            if element.name == "figure" {
                let end = Element::new("span", "", Vec::new());
                let end = end.with("id", &format!("{name}-end"));
                element.children.push(end.into());
            }
        }
        match element.name.as_str() {
            "a" => self.link(element),
            "pre" => listing(element),
            _ => element.into(),
        }
    }

    /// A link with the number of the page that it leads to, or the address; a figure has a
    /// number of its own.
    fn link(&self, mut link: Element) -> Node {
        let href = link.attr("href").unwrap_or_default().to_owned();
        if !is_internal(&href) {
            if href != tree::text(&link.children) {
                link.set("class", "elsewhere");
            }
            return link.into();
        }
        let name = self.name(&href);
        link.set("href", &format!("#{name}"));
        if href.contains("#fig-") || href.contains("#eq-") {
            return link.into();
        }
        let number = format!("\u{a0}({}\u{a0}{})", self.words.page, self.number(name));
        link.children.push(Element::of_text("span", "at-page", &number).into());
        link.into()
    }
}

/// Code that may go on on another page, if it is long.
fn listing(mut listing: Element) -> Node {
    const LONG: usize = 16; // lines
    if tree::text(&listing.children).trim_end().lines().count() > LONG {
        let class = listing.attr("class").unwrap_or_default();
        listing.set("class", format!("{class} long").trim());
    }
    listing.into()
}
