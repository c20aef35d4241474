//! A book whose summary has all that mdBook's may have: drafts, parts, pages in folders, chapters
//! before and after the numbered ones.

use std::fs;
use std::path::{Path, PathBuf};

use book::build::{self, BuildOptions};
use book::workspace::{Chapter, Language, Workspace};
use book::{check, i18n, notebook};
use nbformat::v4::Notebook;
use tempfile::TempDir;

const SUMMARY: &str = "\
# Sumário

[Prefácio](preface.md)

# Parte *um*

- [Começo](README.md)
    - [Por dentro](um/README.md)
        - [Mais fundo](um/fundo/fundo.md)
    - [Rascunho de `dentro`]()
- [Só um rascunho]()

---

# Parte dois

* [O cap\u{ed}tulo](./dois/ch01-a.md)

[Posfácio](três%20fim.md)
[Rascunho do fim]()
";

const PAGES: [(&str, &str); 6] = [
    (
        "preface.md",
        "# Prefácio\n\n[o capítulo](dois/ch01-a.md#parte), [dentro](um/index.md)",
    ),
    ("README.md", "# Começo\n\nO primeiro texto."),
    ("um/README.md", "# Por dentro\n\n[acima](../preface.md)"),
    ("um/fundo/fundo.md", "# Mais fundo\n\nO terceiro texto."),
    (
        "dois/ch01-a.md",
        "# O capítulo\n\n![Um ponto](img/a.svg)\n\n\
         ```rust\n{{#include ../../chapters-code/ch01-a/src/lib.rs:one}}\n```\n\n\
         ## Parte\n\n[ao lado](../um/fundo/fundo.md).",
    ),
    ("três fim.md", "# Posfácio\n\nO último texto."),
];

/// The book in a folder of its own, with one chapter, `ch01-a`.
fn book(summary: &str) -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let settings = "[book]\ntitle = \"Livro\"\nlanguage = \"pt-BR\"\n\n[build]\n\
                    create-missing = false\nuse-default-preprocessors = false\n\n\
                    [preprocessor.index]\n\n[preprocessor.book]\n\n\
                    [output.html]\nsmart-punctuation = false\n";
    write("book.toml", settings);
    write("Cargo.toml", "[workspace]\n");
    let head = ["theme/head.hbs", "src/assets/katex/katex.min.css"];
    for file in head.into_iter().chain(["theme/search.js", "theme/views.js"]) {
        write(file, &fs::read_to_string(book_tests::root().join(file)).unwrap());
    }
    write("src/SUMMARY.md", summary);
    for (path, text) in PAGES {
        write(&format!("src/{path}"), text);
    }
    write("chapters-code/ch01-a/Cargo.toml", "[package]\nname = \"ch01-a\"\n");
    let code = "// ANCHOR: one\npub fn one() {}\n// ANCHOR_END: one\n";
    write("chapters-code/ch01-a/src/lib.rs", code);
    write("src/dois/img/a.svg", "<svg viewBox=\"0 0 1 1\"><circle r=\"1\"/></svg>");
    write("chapters-code/exercises/src/ch01.rs", "//! Empty.\n");
    fs::create_dir(folder.path().join("po")).unwrap();
    let workspace = Workspace::at(folder.path()).unwrap();
    i18n::update(&workspace, Language::English).unwrap();
    for chapter in workspace.chapters().unwrap() {
        for (path, notebook) in editions(&workspace, &chapter) {
            notebook::write(&notebook, &workspace.root.join(path)).unwrap();
        }
    }
    (folder, workspace)
}

fn editions(workspace: &Workspace, chapter: &Chapter) -> Vec<(PathBuf, Notebook)> {
    notebook::editions(workspace, chapter, &notebook::Outputs::new()).unwrap()
}

fn texts(workspace: &Workspace) -> Vec<String> {
    let messages = i18n::messages(workspace).unwrap();
    messages
        .into_iter()
        .map(|entry| format!("{} {}", entry.source, entry.text))
        .collect()
}

/// Drafts have a name and no page, parts a name alone.
#[test]
fn every_name_in_the_summary_is_translated_and_every_page_is_read() {
    let (_folder, workspace) = book(SUMMARY);
    assert_eq!(
        texts(&workspace)[1..11],
        [
            "src/SUMMARY.md:1 Sumário",
            "src/SUMMARY.md:3 Prefácio",
            "src/SUMMARY.md:3 Parte um", // without its markup it is in no line
            "src/SUMMARY.md:7 Começo",
            "src/SUMMARY.md:8 Por dentro",
            "src/SUMMARY.md:9 Mais fundo",
            "src/SUMMARY.md:9 Rascunho de dentro",
            "src/SUMMARY.md:11 Só um rascunho",
            "src/SUMMARY.md:15 Parte dois",
            "src/SUMMARY.md:17 O capítulo",
        ]
    );
    let all = texts(&workspace).join("\n");
    for (path, text) in PAGES {
        let text = text.lines().last().unwrap().trim_end_matches('.');
        assert!(all.contains(&format!("src/{path}:")), "{path}: {all}");
        assert!(all.contains(text), "{text}: {all}");
    }
    assert!(check::unlisted_pages(&workspace).unwrap().is_empty());
    fs::write(workspace.root.join("src/um/outra.md"), "").unwrap();
    let found = check::unlisted_pages(&workspace).unwrap();
    assert_eq!(found, ["src/um/outra.md: not in src/SUMMARY.md"]);
}

#[test]
fn both_editions_of_such_a_book_link_to_each_other() {
    let (_folder, workspace) = book(SUMMARY);
    let path = workspace.root.join("po/en.po");
    let catalog = fs::read_to_string(&path).unwrap();
    let mut english = catalog.clone();
    for (text, translation) in [
        ("Parte um", "Part one"),
        ("Rascunho de dentro", "A draft"),
        ("Posfácio", "The end"),
    ] {
        let empty = format!("msgid \"{text}\"\nmsgstr \"\"");
        assert!(english.contains(&empty), "{text} in {english}");
        let full = format!("msgid \"{text}\"\nmsgstr \"{translation}\"");
        english = english.replace(&empty, &full);
    }
    fs::write(&path, english).unwrap();
    let site = tempfile::tempdir().unwrap();
    let options = BuildOptions { allow_stale: true, ..BuildOptions::default() };
    build::site_in(&workspace, site.path(), options).unwrap();
    let findings = check::site::findings(site.path()).unwrap();
    assert!(findings.is_empty(), "{findings:#?}");
    let page = |name: &str| fs::read_to_string(site.path().join(name)).unwrap();
    for (name, other) in [
        ("preface.html", "en/preface.html"),
        ("um/index.html", "../en/um/index.html"),
        ("um/fundo/fundo.html", "../../en/um/fundo/fundo.html"),
        ("dois/ch01-a.html", "../en/dois/ch01-a.html"),
        ("en/index.html", "../index.html"),
        ("en/um/fundo/fundo.html", "../../../um/fundo/fundo.html"),
        ("en/dois/ch01-a.html", "../../dois/ch01-a.html"),
    ] {
        let link = format!("href=\"{other}\"");
        assert!(page(name).contains(&link), "{name} has no {link}");
        assert!(
            site.path().join(name).parent().unwrap().join(other).is_file(),
            "{other}"
        );
    }
    assert!(
        page("en/dois/ch01-a.html")
            .contains("href=\"../../chapters-code/ch01-a/src/lib.rs")
    );
    // What a page in a folder includes and shows stands where the page says.
    for name in ["dois/ch01-a.html", "en/dois/ch01-a.html"] {
        for part in ["pub fn one() {}", "<circle r=\"1\""] {
            assert!(page(name).contains(part), "{name} has no {part}");
        }
    }
    let menu = page("en/toc.html");
    for name in ["Part one", "A draft", "The end"] {
        assert!(menu.contains(name), "{name} in {menu}");
    }
}

#[test]
fn a_page_in_a_folder_is_a_chapter_if_a_crate_has_its_name() {
    let (_folder, workspace) = book(SUMMARY);
    let chapter = Chapter::of(Path::new("src/dois/ch01-a.md"));
    assert_eq!(workspace.chapters().unwrap(), std::slice::from_ref(&chapter));
    for ((path, notebook), (expected, link)) in
        editions(&workspace, &chapter).iter().zip([
            ("notebooks/ch01-a.ipynb", "](../src/um/fundo/fundo.md)"),
            ("notebooks/en/ch01-a.ipynb", "](../../src/um/fundo/fundo.md)"),
        ])
    {
        assert_eq!(path, Path::new(expected));
        let text = notebook::to_text(notebook).unwrap();
        assert!(text.contains(link), "{link} in {text}");
    }
    fs::write(workspace.root.join("src/ch01-a.md"), "").unwrap();
    let error = workspace.chapters().unwrap_err().to_string();
    assert!(
        error.contains("src/ch01-a.md and src/dois/ch01-a.md would share"),
        "{error}"
    );
}

/// What mdBook refuses is refused in its words, with the file.
#[test]
fn a_summary_that_mdbook_refuses_is_named() {
    let (_folder, workspace) = book(SUMMARY);
    for (summary, problem) in [
        (
            "- [A](a.md)\n\n[B](b.md)\n\n- [C](c.md)\n",
            "Suffix chapters cannot be followed by",
        ),
        ("- [A](a.md)\n- [B](a.md)\n", "Duplicate file"),
        ("- A\n", "must only contain a hyperlink"),
    ] {
        fs::write(workspace.root.join("src/SUMMARY.md"), summary).unwrap();
        for error in [
            i18n::messages(&workspace).unwrap_err(),
            workspace.chapters().unwrap_err(),
            check::unlisted_pages(&workspace).unwrap_err(),
        ] {
            let error = format!("{error:#}");
            assert!(
                error.starts_with("src/SUMMARY.md is not as mdBook wants it"),
                "{error}"
            );
            assert!(error.contains(problem), "{error}");
        }
    }
}
