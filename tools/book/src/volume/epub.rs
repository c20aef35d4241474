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
    // KaTeX's `\bmod` is an operator made of identifiers; MathML's operators hold words alone.
    math.children = tree::rewrite(math.children, &mut |mut part| {
        if matches!(part.name.as_str(), "mi" | "mn" | "mo" | "mtext") {
            part.children = vec![Node::text(tree::text(&part.children))];
        }
        vec![part.into()]
    });
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
        let mut sections = String::new();
        for entry in entries {
            let _ = writeln!(sections, "<li>{entry}</li>"); // a String takes all
        }
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

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::io::Read as _;
    use std::path::Path;

    use roxmltree::Document;
    use zip::ZipArchive;

    use super::*;
    use crate::build::{self, BuildOptions};
    use crate::volume::Offers;
    use crate::workspace::Workspace;

    /// The files of an archive, by their paths, in their order.
    fn unpacked(epub: &Path) -> Vec<(String, String)> {
        let mut archive = ZipArchive::new(std::fs::File::open(epub).unwrap()).unwrap();
        let files = (0..archive.len()).map(|i| {
            let mut file = archive.by_index(i).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        });
        files.collect()
    }

    fn is_xml(path: &str) -> bool {
        let extension = Path::new(path).extension().unwrap_or_default();
        ["xhtml", "svg", "opf", "xml"].iter().any(|xml| extension == *xml)
    }

    fn parsed<'a>(path: &str, text: &'a str) -> Document<'a> {
        let options =
            roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        Document::parse_with_options(text, options)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// What is wrong with the links and pictures of an EPUB's files.
    fn lost(files: &HashMap<&str, Document<'_>>) -> Vec<String> {
        let mut known: HashSet<String> =
            files.keys().map(|path| (*path).to_owned()).collect();
        for (path, document) in files {
            let ids = document.descendants().filter_map(|node| node.attribute("id"));
            known.extend(ids.map(|id| format!("{path}#{id}")));
        }
        let mut lost = Vec::new();
        for (path, document) in files {
            for node in document.descendants() {
                let target = node.attribute("href").or(node.attribute("src"));
                let Some(target) = target.filter(|target| !target.contains(':')) else {
                    continue;
                };
                let inside = target == "style.css"
                    || known.contains(&format!("book/{target}"))
                    || known.contains(&format!("{path}{target}"));
                if !inside {
                    lost.push(format!("{path}: {target}"));
                }
            }
        }
        lost
    }

    /// The exercises that a page's headings of the third level name.
    fn exercises(document: &Document<'_>) -> Vec<String> {
        let headings =
            document.descendants().filter(|node| node.has_tag_name(XHTML_H3));
        let texts = headings.map(|heading| {
            let texts = heading.descendants().filter(roxmltree::Node::is_text);
            texts.filter_map(|node| node.text()).collect::<String>()
        });
        let numbered = |text: &String| {
            let number = text.split_once(". ").map(|(number, _)| number.to_owned());
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        texts.filter(numbered).collect()
    }

    const XHTML_H3: (&str, &str) = ("http://www.w3.org/1999/xhtml", "h3");

    #[test]
    fn an_operator_holds_words_alone() {
        let html = crate::math::html(r"a \bmod b", false).unwrap();
        let html = scraper::Html::parse_fragment(&html);
        let nodes = tree::read(html.root_element());
        let formula =
            tree::find(&nodes, &|element| element.has_class("katex")).unwrap();
        let math = math(&clean::formula(formula).unwrap());
        let text = tree::write(&[math.into()]);
        assert!(text.contains(">mod</mo>"), "{text}");
        assert!(text.contains(r#"alttext="a \bmod b""#), "{text}");
        assert!(!text.contains("annotation"), "{text}");
    }

    #[test]
    fn both_editions_are_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = Workspace::at(&root).unwrap();
        let site = tempfile::tempdir().unwrap();
        let offers = Offers { epub: true, pdf: false };
        let options = BuildOptions { live: false, allow_stale: true, offers };
        build::site_in(&workspace, site.path(), options).unwrap();
        for language in Language::ALL {
            let folder = site.path().join(language.folder());
            let files = offers.files(language);
            let [(file, _)] = files.as_slice() else { panic!("{files:?}") };
            let preface = std::fs::read_to_string(folder.join("index.html")).unwrap();
            assert!(preface.contains(&format!("href=\"{file}\" download")), "{file}");
            assert!(!preface.contains(".pdf\""), "an edition offers what it has not");
            check(&folder.join(file), &workspace);
        }
        let faults = crate::check::site::findings(site.path()).unwrap();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    fn check(epub: &Path, workspace: &Workspace) {
        let files = unpacked(epub);
        assert_eq!(
            files[0],
            ("mimetype".to_owned(), "application/epub+zip".to_owned())
        );
        let xml = files.iter().filter(|(path, _)| is_xml(path));
        let documents: HashMap<&str, Document<'_>> =
            xml.map(|(path, text)| (path.as_str(), parsed(path, text))).collect();
        assert_eq!(lost(&documents), Vec::<String>::new());
        let package = &documents["book/package.opf"];
        let listed = package.descendants().filter(|node| node.has_tag_name("item"));
        assert_eq!(
            listed.count(),
            files.len() - 3,
            "type, container and package aside"
        );
        let mut solved = Vec::new();
        for chapter in workspace.chapters().unwrap() {
            let page = &documents[format!("book/{}.xhtml", chapter.name).as_str()];
            let (asked, hinted) = asked_and_hinted(exercises(page));
            let source = workspace.read(chapter.page()).unwrap();
            let sections = source.split("\n### ");
            let solutions =
                sections.filter(|it| it.contains("/solutions/src/")).count();
            assert!(solutions > 0, "{}: no exercises", chapter.name);
            assert_eq!(hinted.len(), solutions, "{}: {hinted:?}", chapter.name);
            assert!(
                hinted.iter().all(|it| asked.contains(it)),
                "{hinted:?}, {asked:?}"
            );
            solved.extend(hinted);
        }
        assert_eq!(exercises(&documents["book/solutions.xhtml"]), solved);
    }

    /// A page's exercises, and those among its hints, which begin at 1 again.
    fn asked_and_hinted(mut exercises: Vec<String>) -> (Vec<String>, Vec<String>) {
        let first = exercises.iter().rposition(|exercise| exercise.starts_with("1. "));
        let hinted = exercises.split_off(first.unwrap_or(0));
        (exercises, hinted)
    }
}
