//! The volume for e-readers: EPUB 3, with formulas as MathML and figures as SVG files.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::tree::{self, Element, Node, escaped};
use super::{Heading, Page, SOLUTIONS, Volume, Words, clean, cover, file_name};
use crate::workspace::Language;

const STYLE: &str = include_str!("epub.css");

const CONTAINER: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"#;

/// A file of an EPUB.
struct File {
    /// Below `book/`.
    path: String,
    media_type: &'static str,
    /// What the package says of it: `nav`, `mathml`…
    properties: Vec<&'static str>,
    /// Whether it is part of what is read from beginning to end.
    read: bool,
    text: String,
}

impl File {
    fn page(name: &str, properties: Vec<&'static str>, text: String) -> Self {
        let path = file_name(name);
        Self { path, media_type: "application/xhtml+xml", properties, read: true, text }
    }

    fn svg(path: String, properties: Vec<&'static str>, text: String) -> Self {
        Self { path, media_type: "image/svg+xml", properties, read: false, text }
    }
}

/// The bytes of a volume's EPUB.
///
/// # Errors
///
/// If the archive can't be written.
pub fn epub(volume: &Volume) -> Result<Vec<u8>> {
    let words = Words::of(volume.language);
    let mut files = vec![
        File {
            path: "style.css".to_owned(),
            media_type: "text/css",
            properties: Vec::new(),
            read: false,
            text: STYLE.to_owned(),
        },
        File::svg(
            "images/cover.svg".to_owned(),
            vec!["cover-image"],
            cover::svg(&volume.title, volume.language),
        ),
        File::page("cover", Vec::new(), cover_page(volume)),
        File::page("contents", vec!["nav"], contents(volume, &words)),
    ];
    for page in &volume.pages {
        files.extend(page_files(volume, page));
    }
    archive(&package(volume, &words, &files), &files)
}

/// A page and the pictures on it.
fn page_files(volume: &Volume, page: &Page) -> Vec<File> {
    let mut pictures = Vec::new();
    let mut take = |svg: String| {
        let path = format!("images/{}-{}.svg", page.name, pictures.len() + 1);
        pictures.push(File::svg(path.clone(), Vec::new(), svg));
        path
    };
    let mut formulas = false;
    let body = tree::rewrite(page.body.clone(), &mut |mut element| {
        if let Some(formula) = clean::formula(&element) {
            formulas = true;
            return vec![math(&formula).into()];
        }
        if element.name == "svg" {
            let label = element.attr("aria-label").unwrap_or_default().to_owned();
            let path = take(tree::write(&[alone(element).into()]));
            return vec![picture(&path, &label).into()];
        }
        let svg = element.attr("src").and_then(clean::embedded_svg);
        if let Some(svg) = svg.filter(|_| element.name == "img") {
            element.set("src", &take(svg));
        }
        vec![element.into()]
    });
    let properties = if formulas { vec!["mathml"] } else { Vec::new() };
    let kind = match &page.label {
        Some(_) => "chapter",
        None if page.name == SOLUTIONS => "appendix",
        None => "",
    };
    let label = page
        .label
        .as_ref()
        .map(|label| tree::write(&[Element::of_text("p", "label", label).into()]));
    let role = if kind.is_empty() {
        String::new()
    } else {
        format!(" epub:type=\"{kind}\" role=\"doc-{kind}\"")
    };
    let body = format!(
        "<section{role}>{}{}</section>",
        label.unwrap_or_default(),
        tree::write(&body)
    );
    let page = File::page(
        &page.name,
        properties,
        document(volume.language, &page.title, &body),
    );
    std::iter::once(page).chain(pictures).collect()
}

/// A formula as MathML, with its LaTeX for readers that have none.
fn math(formula: &clean::Formula<'_>) -> Element {
    let semantics = formula.math.find(&|part| part.name == "semantics");
    let parts = semantics.map(|semantics| semantics.children.clone());
    let is_annotation =
        |node: &Node| node.element().is_some_and(|part| part.name == "annotation");
    let mut math = formula.math.clone();
    math.children = parts.unwrap_or_default();
    math.children.retain(|part| !is_annotation(part));
    math.with("alttext", &formula.tex)
}

/// A drawing as a file of its own: its size is that of its attributes.
fn alone(mut svg: Element) -> Element {
    let style = svg.attr("style").unwrap_or_default();
    let colors = style.split(';').filter(|part| part.trim().starts_with("color"));
    let colors: String = colors.collect();
    svg.set("style", &colors);
    svg.with("xmlns:xlink", "http://www.w3.org/1999/xlink")
}

fn picture(path: &str, alt: &str) -> Element {
    Element::new("img", "", Vec::new()).with("src", path).with("alt", alt)
}

fn document(language: Language, title: &str, body: &str) -> String {
    let tag = language.tag();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE html>\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" \
         xmlns:epub=\"http://www.idpf.org/2007/ops\" lang=\"{tag}\" xml:lang=\"{tag}\">\n\
         <head>\n<meta charset=\"utf-8\"/>\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"style.css\"/>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        escaped(title)
    )
}

fn cover_page(volume: &Volume) -> String {
    let title = &volume.title.title;
    let cover = Element::new(
        "section",
        "cover",
        vec![picture("images/cover.svg", title).into()],
    );
    let cover = cover.with("epub:type", "cover").with("role", "doc-cover");
    // `doc-cover` names a picture.
    let cover = tree::write(&[cover.into()]).replace(" role=\"doc-cover\"", "");
    document(volume.language, title, &cover)
}

/// The table of contents: pages, and below them their sections.
fn contents(volume: &Volume, words: &Words) -> String {
    let mut list = String::new();
    for page in volume.headings().chunk_by(|_, next| next.level > 1) {
        let mut entries = page.iter().map(|heading| entry(volume, heading));
        let title = entries.next().unwrap_or_default();
        let sections: String =
            entries.map(|entry| format!("<li>{entry}</li>\n")).collect();
        let sections = match sections.as_str() {
            "" => sections,
            _ => format!("\n<ol>\n{sections}</ol>\n"),
        };
        let _ = writeln!(list, "<li>{title}{sections}</li>"); // a String takes all
    }
    let first = volume.pages.first().map(|page| file_name(&page.name));
    let title = escaped(words.contents);
    let body = format!(
        "<nav epub:type=\"toc\" role=\"doc-toc\" id=\"toc\">\n<h1>{title}</h1>\n<ol>\n{list}</ol>\n</nav>\n\
         <nav epub:type=\"landmarks\" hidden=\"\">\n<ol>\n\
         <li><a epub:type=\"cover\" href=\"cover.xhtml\">{}</a></li>\n\
         <li><a epub:type=\"toc\" href=\"#toc\">{title}</a></li>\n\
         <li><a epub:type=\"bodymatter\" href=\"{}\">{}</a></li>\n</ol>\n</nav>",
        escaped(&volume.title.title),
        first.unwrap_or_default(),
        volume.pages.first().map(|page| escaped(&page.title)).unwrap_or_default(),
    );
    document(volume.language, words.contents, &body)
}

/// A heading in the table of contents, with its page's number if it has one.
fn entry(volume: &Volume, heading: &Heading) -> String {
    let file = file_name(&heading.page);
    let page = volume.pages.iter().find(|page| page.name == heading.page);
    let label = page.and_then(|page| page.label.as_ref());
    let text = match label.filter(|_| heading.level == 1) {
        Some(label) => format!("{label}: {}", heading.text),
        None => heading.text.clone(),
    };
    let link = Element::link(&format!("{file}#{}", heading.id), vec![Node::text(text)]);
    tree::write(&[link.into()])
}

/// What a book's identifier is: the same for all its versions, another for each edition.
fn identifier(language: Language) -> &'static str {
    match language {
        Language::Portuguese => "urn:uuid:5b0a9f0e-6c0c-4e57-9a4b-2f6d5f0f7a31",
        Language::English => "urn:uuid:c1f4b7d2-08f5-4b7e-8d0e-94a3b5c7e612",
    }
}

/// The package document: what the book is, what it is made of, in which order it is read.
fn package(volume: &Volume, words: &Words, files: &[File]) -> String {
    let (mut manifest, mut spine) = (String::new(), String::new());
    for (number, file) in files.iter().enumerate() {
        let properties = match file.properties.join(" ") {
            none if none.is_empty() => none,
            some => format!(" properties=\"{some}\""),
        };
        // A String takes all.
        let _ = writeln!(
            manifest,
            "<item id=\"f{number}\" href=\"{}\" media-type=\"{}\"{properties}/>",
            escaped(&file.path),
            file.media_type
        );
        if file.read {
            let _ = writeln!(spine, "<itemref idref=\"f{number}\"/>");
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\" \
         unique-identifier=\"id\" xml:lang=\"{tag}\">\n\
         <metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n{metadata}</metadata>\n\
         <manifest>\n{manifest}</manifest>\n<spine>\n{spine}</spine>\n</package>\n",
        tag = volume.language.tag(),
        metadata = metadata(volume, words),
    )
}

fn metadata(volume: &Volume, words: &Words) -> String {
    let title = &volume.title;
    let mut lines = format!(
        "<dc:identifier id=\"id\">{}</dc:identifier>\n",
        identifier(volume.language)
    );
    let authors = title.authors.iter().map(|author| ("dc:creator", author.as_str()));
    let elements = [
        ("dc:title", title.title.as_str()),
        ("dc:description", &title.description),
        ("dc:language", volume.language.tag()),
        ("dc:rights", words.license),
    ];
    for (name, text) in elements.into_iter().chain(authors) {
        let _ = writeln!(lines, "<{name}>{}</{name}>", escaped(text)); // a String takes all
    }
    let modified = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut properties = vec![
        ("dcterms:modified", modified.as_str()),
        ("schema:accessMode", "textual"),
        ("schema:accessMode", "visual"),
        ("schema:accessModeSufficient", "textual"),
        ("schema:accessibilityHazard", "none"),
        ("schema:accessibilitySummary", words.accessibility),
    ];
    for feature in [
        "alternativeText",
        "MathML",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
        "displayTransformability",
    ] {
        properties.push(("schema:accessibilityFeature", feature));
    }
    for (name, text) in properties {
        let _ = writeln!(lines, "<meta property=\"{name}\">{}</meta>", escaped(text));
    }
    lines
}

/// The files in a zip archive, its type first, as an EPUB has it.
fn archive(package: &str, files: &[File]) -> Result<Vec<u8>> {
    let stored =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let packed = stored.compression_method(CompressionMethod::Deflated);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |path: &str, text: &str, options| -> Result<()> {
        archive.start_file(path, options)?;
        archive.write_all(text.as_bytes())?;
        Ok(())
    };
    add("mimetype", "application/epub+zip", stored)?;
    add("META-INF/container.xml", CONTAINER, packed)?;
    add("book/package.opf", package, packed)?;
    for file in files {
        add(&format!("book/{}", file.path), &file.text, packed)
            .with_context(|| format!("cannot write {} in the EPUB", file.path))?;
    }
    Ok(archive.finish().context("cannot end the EPUB")?.into_inner())
}
