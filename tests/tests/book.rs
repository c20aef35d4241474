//! The book in step with itself: pages, notebooks, crates, translation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use book::build::{self, BuildOptions};
use book::workspace::{Language, Workspace};
use book::{cells, check, compare, i18n, notebook};
use nbformat::v4::Notebook;
use serde_json::{Value, json};

fn workspace() -> Workspace {
    Workspace::at(&book_tests::root()).unwrap()
}

#[track_caller]
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn notebooks_are_what_their_pages_and_crates_give() {
    assert_none(&check::freshness(&workspace()).unwrap());
}

#[test]
fn every_message_is_translated() {
    assert_none(&i18n::findings(&workspace(), Language::English).unwrap());
}

#[test]
fn every_number_in_the_prose_was_printed() {
    assert_none(&check::numbers::unsourced(&workspace()).unwrap());
}

#[test]
fn every_figure_is_called_by_its_number() {
    assert_none(&check::figures::misnumbered(&workspace()).unwrap());
}

#[test]
fn no_page_changes_on_its_way_through_gettext() {
    assert_none(&check::roundtrip::altered(&workspace()).unwrap());
}

#[test]
fn what_a_reader_runs_shows_what_the_page_shows() {
    assert_none(&cells::unfaithful(&workspace()).unwrap());
}

#[test]
fn no_term_is_used_before_it_is_explained() {
    assert_none(&check::terms::early(&workspace()).unwrap());
}

#[test]
fn a_thing_has_one_term() {
    assert_none(&check::rivals::used(&workspace()).unwrap());
}

#[test]
fn the_english_edition_is_american_and_typographic() {
    assert_none(&check::english::faults(&workspace()).unwrap());
    assert_none(&check::english::in_code(&workspace()).unwrap());
}

#[test]
fn every_chapter_asks_before_it_shows() {
    assert_none(&check::questions::weak(&workspace()).unwrap());
}

#[test]
fn no_line_of_code_is_cut_on_a_page() {
    assert_none(&check::listings::wide(&workspace()).unwrap());
}

#[test]
fn every_listing_fits_a_reader_s_page() {
    assert_none(&check::listings::long(&workspace()).unwrap());
}

#[test]
fn code_that_only_draws_is_folded() {
    assert_none(&check::listings::drawings(&workspace()).unwrap());
}

#[test]
fn every_anchor_is_on_a_page() {
    assert_none(&check::listings::unused_anchors(&workspace()).unwrap());
}

#[test]
fn every_doc_says_what_it_documents() {
    assert_none(&check::docs::riddles(&workspace()).unwrap());
}

/// A target that cargo does not test is linked once less. Nothing may hide in it: neither a
/// test in a file of its own, nor an example in its documentation.
#[test]
fn no_test_hides_where_cargo_does_not_look() {
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(book_tests::root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let targets = metadata["packages"].as_array().unwrap().iter();
    let targets = targets.flat_map(|package| package["targets"].as_array().unwrap());
    let mut findings = Vec::new();
    let mut untested = 0;
    for target in targets.filter(|target| target["kind"] != json!(["custom-build"])) {
        let root = Path::new(target["src_path"].as_str().unwrap());
        let library = target["kind"] == json!(["lib"]);
        let files =
            if library { sources(root.parent().unwrap()) } else { modules_of(root) };
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let tests = target["test"] == false && text.contains("#[test]");
            let examples = library && target["doctest"] == false && doc_code(&text);
            if tests || examples {
                findings.push(format!("{}: cargo does not look there", file.display()));
            }
        }
        untested += usize::from(target["test"] == false);
    }
    assert!(untested > 10, "{untested}");
    assert_none(&findings);
}

/// `cargo book` after `cargo test`, or before it, compiles nothing again: what it stands on has
/// the features that the workspace's other crates ask for, too (`tools/cargo-book`'s manifest).
#[test]
fn cargo_book_compiles_what_cargo_test_does() {
    let tree = |of: &[&str]| -> BTreeMap<String, BTreeSet<String>> {
        let output = std::process::Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--prefix", "none", "--format", "{p}|{f}"])
            .args(of)
            .current_dir(book_tests::root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines.lines().map(|line| line.trim_end_matches(" (*)"));
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, features) in lines.filter_map(|line| line.split_once('|')) {
            found.entry(name.to_owned()).or_default().insert(features.to_owned());
        }
        found
    };
    let all = tree(&["--edges", "normal,build,dev"]);
    let of_book = tree(&["--edges", "normal,build", "--package", "cargo-book"]);
    assert!(of_book.len() > 100, "{}", of_book.len());
    for (name, features) in &of_book {
        assert_eq!(
            Some(features),
            all.get(name),
            "{name}: `cargo book` and `cargo test`"
        );
    }
}

/// What rust-analyzer reads in place of the crates' manifests (`tools/notebook/view`): the same
/// crates, and of their dependencies the sources of those whose types a reader meets.
#[test]
fn the_notebooks_view_has_the_crates_that_cells_name() {
    let root = book_tests::root();
    let read = |path: PathBuf| -> toml::Table {
        std::fs::read_to_string(path).unwrap().parse().unwrap()
    };
    let workspace = read(root.join("Cargo.toml"));
    let shared = &workspace["workspace"]["dependencies"];
    let prelude = read(root.join("tools/prelude/Cargo.toml"));
    let named = prelude["dependencies"].as_table().unwrap();
    let path = |name: &str| shared[name].get("path").and_then(toml::Value::as_str);
    let mut folders = vec![("book-prelude", "tools/prelude")];
    folders.extend(named.keys().filter_map(|name| Some((name.as_str(), path(name)?))));
    for (name, folder) in &folders {
        let own = read(root.join(folder).join("Cargo.toml"));
        let library = own.get("lib").and_then(|lib| lib.get("name"));
        let library = library
            .map_or(name.replace('-', "_"), |name| name.as_str().unwrap().into());
        let mut expected = toml::toml! { [package] edition = "2024" };
        expected["package"]
            .as_table_mut()
            .unwrap()
            .insert("name".into(), (*name).into());
        let source = format!("../../../../{folder}/src/lib.rs");
        let library = toml::Table::from_iter([
            ("name".to_owned(), library.into()),
            ("path".to_owned(), source.into()),
        ]);
        expected.insert("lib".into(), library.into());
        let mut dependencies = toml::Table::new();
        for (dependency, asked) in own["dependencies"].as_table().unwrap() {
            if !named.contains_key(dependency) {
                continue;
            }
            let beside = format!("../{dependency}");
            let mut entry =
                toml::Table::from_iter([("path".to_owned(), beside.into())]);
            let optional = asked.get("optional").filter(|_| *name == "book-prelude");
            entry.extend(optional.map(|it| ("optional".to_owned(), it.clone())));
            dependencies.insert(dependency.clone(), entry.into());
        }
        expected.insert("dependencies".into(), dependencies.into());
        if *name == "book-prelude" {
            let features = own["features"].clone();
            expected.insert("features".into(), features);
        }
        let view = root.join("tools/notebook/view").join(name).join("Cargo.toml");
        assert_eq!(read(view), expected, "tools/notebook/view/{name}:\n{expected}");
    }
    let of_others: Vec<&String> =
        named.keys().filter(|name| path(name).is_none()).collect();
    for name in &of_others {
        let view = root.join("tools/notebook/view").join(name).join("Cargo.toml");
        let source = format!("../../../../target/notebook/sources/{name}/src/lib.rs");
        assert_eq!(read(view)["lib"]["path"].as_str(), Some(&*source));
    }
    let views = std::fs::read_dir(root.join("tools/notebook/view")).unwrap();
    assert_eq!(views.count(), folders.len() + of_others.len());
}

/// The Rust files in a folder and those below it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    files
        .into_iter()
        .filter(|file| file.extension() == Some("rs".as_ref()))
        .chain(below)
        .collect()
}

/// A program's file, and those of the modules that it names.
fn modules_of(root: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(root).unwrap();
    let named =
        text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let files = named.flat_map(|name| {
        let below = root.with_file_name(name);
        let inner = if below.is_dir() { sources(&below) } else { Vec::new() };
        let file = below.with_extension("rs");
        inner.into_iter().chain(file.is_file().then_some(file))
    });
    std::iter::once(root.to_path_buf()).chain(files).collect()
}

/// Whether a doc comment holds a fence that `cargo test --doc` would compile.
fn doc_code(source: &str) -> bool {
    let docs = source.lines().map(str::trim_start);
    docs.filter_map(|line| line.strip_prefix("/// ").or(line.strip_prefix("//! ")))
        .any(|line| line == "```" || line.starts_with("```no_run"))
}

/// The English notebook runs the same code and shows the same outputs; its setup cell alone knows
/// that it stands one folder lower.
#[test]
fn both_notebooks_share_code_and_outputs() {
    let workspace = workspace();
    for chapter in workspace.chapters().unwrap() {
        let [portuguese, english] = Language::ALL
            .map(|language| workspace.root.join(chapter.notebook(language)))
            .map(|path| notebook::read(&path).unwrap());
        let cells = compare::notebooks(&portuguese, &english).unwrap().cells;
        assert!(cells > 5, "{}: only {cells} cells", chapter.name);
        let code = |notebook| -> Vec<(String, String)> {
            notebook::code_cells(notebook)
                .filter(|(id, ..)| *id != notebook::SETUP)
                .map(|(id, code, _)| (id.to_owned(), code))
                .collect()
        };
        assert_eq!(code(&portuguese), code(&english), "{}", chapter.name);
        let outputs = |found| {
            let mut outputs = notebook::outputs(found);
            outputs.remove(notebook::SETUP);
            for list in outputs.values_mut() {
                *list = notebook::outputs_in(Some(list), Language::Portuguese);
            }
            serde_json::to_value(outputs).unwrap()
        };
        assert_eq!(outputs(&portuguese), outputs(&english), "{}", chapter.name);
    }
}

/// A training's figures are the processor's; its words and pictures are not.
#[test]
fn a_cell_that_varies_may_print_other_figures_and_no_other_words() {
    let of = |tags: Value, text: &str| -> Notebook {
        let output = json!({"output_type": "stream", "name": "stdout", "text": [text]});
        let cell = json!({
            "cell_type": "code", "id": "train", "metadata": {"tags": tags},
            "execution_count": 1, "source": [], "outputs": [output],
        });
        serde_json::from_value(json!({
            "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
        }))
        .unwrap()
    };
    let varies = json!(["varies"]);
    let same = |tags: &Value, a: &str, b: &str| {
        compare::notebooks(&of(tags.clone(), a), &of(tags.clone(), b)).is_ok()
    };
    assert!(same(&varies, "step  50: loss 3.25, 99.8 %", "step 50: loss 13.5, 9.0 %"));
    assert!(!same(&varies, "step 50: loss 3.25", "step 50: gain 3.25"));
    assert!(!same(&varies, "step 50: loss 3.25", "step 50: loss 3.25 1"));
    assert!(!same(&json!([]), "step 50: loss 3.25", "step 50: loss 3.26"));
}

/// What a change to a crate does: the records of the notebook and of the browser's modules no
/// longer match.
#[test]
fn a_changed_source_makes_the_notebook_and_the_modules_stale() {
    let workspace = workspace();
    let chapter = workspace.select(&["ch01".into()]).unwrap().remove(0);
    let copy = copy_of(&workspace, <[u8]>::to_vec);
    let changed = Workspace::at(copy.path()).unwrap();
    assert_none(&check::freshness(&changed).unwrap());
    let library = copy.path().join(chapter.crate_folder()).join("src/lib.rs");
    let source = std::fs::read_to_string(&library).unwrap();
    let other = source.replacen("[1.0, 0.0, 1.0, 0.0]", "[1.0, 0.0, 1.0, 0.5]", 1);
    assert_ne!(source, other);
    std::fs::write(&library, other).unwrap();
    let findings = check::freshness(&changed).unwrap().join("\n");
    assert!(findings.contains("come from other sources"), "{findings}");
    assert!(findings.contains("cell \"embeddings\" differs"), "{findings}");
    assert!(findings.contains("run `cargo book notebooks ch01`"), "{findings}");
    assert!(findings.contains("run `cargo book live live-ndarray`"), "{findings}");
}

/// A clone on Windows, where git may write `\r\n`: the same findings, the same pages.
#[test]
fn carriage_returns_at_the_ends_of_lines_change_nothing() {
    let workspace = workspace();
    let copy = copy_of(&workspace, |bytes| match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(['\0', '\r']) => text.replace('\n', "\r\n").into(),
        _ => bytes.to_vec(),
    });
    let found = |workspace: &Workspace| {
        [
            check::freshness(workspace).unwrap(),
            check::unlisted_pages(workspace).unwrap(),
            i18n::findings(workspace, Language::English).unwrap(),
            check::numbers::unsourced(workspace).unwrap(),
            check::terms::early(workspace).unwrap(),
            check::listings::wide(workspace).unwrap(),
            check::listings::long(workspace).unwrap(),
            check::listings::drawings(workspace).unwrap(),
            check::listings::unused_anchors(workspace).unwrap(),
        ]
    };
    let copied = Workspace::at(copy.path()).unwrap();
    assert_eq!(found(&copied), found(&workspace));
    let options = BuildOptions { allow_stale: true, ..BuildOptions::default() };
    let [pages, others] = [&workspace, &copied].map(|workspace| {
        let site = tempfile::tempdir().unwrap();
        build::site_in(workspace, site.path(), options).unwrap();
        pages(site.path())
    });
    assert!(pages.len() > 20, "{:?}", pages.keys());
    for (name, page) in &pages {
        assert!(others[name] == *page, "{name} differs");
    }
}

/// The pages of both editions, by name.
fn pages(site: &Path) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for folder in ["", "en"] {
        for entry in std::fs::read_dir(site.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "html") {
                let text = std::fs::read_to_string(&path).unwrap();
                pages.insert(
                    path.strip_prefix(site).unwrap().display().to_string(),
                    text,
                );
            }
        }
    }
    pages
}

/// The author of a translation is sent to the catalog, not to a line of the Portuguese
/// page.
#[test]
fn a_formula_that_a_translation_breaks_stops_the_build_at_its_line() {
    let copy = copy_of(&workspace(), <[u8]>::to_vec);
    let changed = Workspace::at(copy.path()).unwrap();
    let path = copy.path().join("po/en.po");
    let catalog = std::fs::read_to_string(&path).unwrap();
    let (translations, formula) = (catalog.find("\nmsgstr").unwrap(), "$`d_k`$");
    let found = catalog[translations..].lines();
    let mut translating = false;
    let line = found.enumerate().find_map(|(i, line)| {
        translating =
            line.starts_with("msgstr") || translating && line.starts_with('"');
        (translating && line.contains(formula)).then_some(i)
    });
    let line = catalog[..translations].matches('\n').count() + line.unwrap();
    let mut lines: Vec<String> = catalog.lines().map(str::to_owned).collect();
    lines[line] = lines[line].replacen(formula, "$`\\\\frac{`$", 1);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let site = tempfile::tempdir().unwrap();
    let options = BuildOptions { allow_stale: true, ..BuildOptions::default() };
    let error = build::site_in(&changed, site.path(), options).unwrap_err();
    let expected = format!("po/en.po:{}: KaTeX refuses", line + 1);
    assert!(format!("{error:#}").contains(&expected), "{expected}: {error:#}");
}

/// `mdbook build` works, too: it calls the preprocessor by the command in `book.toml`.
#[test]
fn plain_mdbook_builds_the_book() {
    let folder = tempfile::tempdir().unwrap();
    let root = workspace().root;
    let mut config =
        mdbook_driver::config::Config::from_disk(root.join("book.toml")).unwrap();
    config.build.build_dir = folder.path().to_owned();
    if cfg!(unix) {
        // What cargo has set for this test, cargo would pass on to the preprocessor's build,
        // and ring's build script, which asks for some of it, would compile ring anew.
        let key = "preprocessor.book.command";
        let command: String = config.get(key).unwrap().unwrap();
        let set = std::env::vars().map(|(name, _)| name);
        let unset: Vec<String> = set
            .filter(|name| name.starts_with("CARGO_") && name != "CARGO_TARGET_DIR")
            .flat_map(|name| ["-u".to_owned(), name])
            .collect();
        let command = format!("env {} {command}", unset.join(" "));
        config.set(key, command).unwrap();
    }
    // The commands are read here, not when it builds.
    let book = mdbook_driver::MDBook::load_with_config(root, config).unwrap();
    book.build().unwrap();
    let page = folder.path().join("ch01-self-attention.html");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("class=\"katex\""), "no formula");
    assert!(page.contains("class=\"cell-output\""), "no output");
    assert!(page.contains("<svg"), "no figure");
    assert!(page.contains(">numpy.rs</p>"), "a listing without the name of its file");
    assert!(page.contains("<summary>Como esta figura é feita</summary>"), "no fold");
    assert!(!page.contains("# Errors"), "what a function may fail with");
    assert!(!page.contains("hreflang"), "a link to an edition that is not there");
    assert!(!page.contains("theme/search"), "a search without its index");
    let findings = check::site::findings(folder.path()).unwrap();
    assert_none(&findings);
}

fn published() -> Workspace {
    let mut workspace = workspace();
    workspace.repository = Some("https://github.com/someone/some-book".into());
    workspace
}

/// While the address is unset, nothing points to it; once it is set, everything does.
#[test]
fn links_to_the_repository_follow_from_its_address() {
    let options = BuildOptions::default();
    let page =
        |site: &Path, name: &str| std::fs::read_to_string(site.join(name)).unwrap();
    let [unset, set] = [workspace(), published()].map(|workspace| {
        let folder = tempfile::tempdir().unwrap();
        build::site_in(&workspace, folder.path(), options).unwrap();
        assert_none(&check::site::findings(folder.path()).unwrap());
        let listed = folder.path().join("sitemap.xml").exists();
        assert_eq!(listed, workspace.repository.is_some(), "a list of the pages");
        let names = [
            "ch01-self-attention.html",
            "en/ch01-self-attention.html",
            "404.html",
            "en/404.html",
            "notebooks/ch01-self-attention.html",
            "notebooks/en/ch01-self-attention.html",
        ];
        names.map(|name| page(folder.path(), name))
    });
    for page in &unset {
        assert!(!page.contains("colab.research"), "a badge that leads nowhere");
        assert!(!page.contains("rel=\"edit\""), "an edit link that leads nowhere");
        for address in ["rel=\"canonical\"", "rel=\"alternate\"", "og:url"] {
            assert!(!page.contains(address), "{address} of a site that is nowhere");
        }
    }
    let site = "https://someone.github.io/some-book";
    for (page, folder) in [(&set[0], ""), (&set[1], "/en")] {
        let here = format!(
            "rel=\"canonical\" href=\"{site}{folder}/ch01-self-attention.html\""
        );
        assert!(page.contains(&here), "no {here}");
        let english =
            format!("hreflang=\"en\" href=\"{site}/en/ch01-self-attention.html\"");
        assert!(page.contains(&english), "no {english}");
    }
    let repository = "https://github.com/someone/some-book";
    for part in [
        "href=\"notebooks/ch01-self-attention.html\"".into(),
        format!("{repository}/tree/main/chapters-code/ch01-self-attention"),
        "href=\"ch01-self-attention.html#exercícios\"".into(),
        format!("{repository}/edit/main/src/ch01-self-attention.md"),
        "https://colab.research.google.com/github/someone/some-book/blob/main/notebooks/\
         ch01-self-attention.ipynb"
            .into(),
        "https://mybinder.org/v2/gh/someone/some-book/main?labpath=notebooks/\
         ch01-self-attention.ipynb"
            .into(),
    ] {
        assert!(set[0].contains(&part), "no link to {part}");
    }
    assert!(set[1].contains("notebooks/en/ch01-self-attention.ipynb"));
    for (notebook, folder) in [(&set[4], ""), (&set[5], "en/")] {
        for part in [
            format!(
                "rel=\"canonical\" href=\"{site}/{folder}ch01-self-attention.html\""
            ),
            format!("/some-book/blob/main/notebooks/{folder}ch01-self-attention.ipynb"),
            "https://mybinder.org/v2/gh/someone/some-book/".into(),
        ] {
            assert!(notebook.contains(&part), "no {part} in a notebook's page");
        }
    }
    assert!(set[1].contains(&format!("{repository}/edit/main/po/en.po")));
    for (page, base) in [
        (&set[2], "/some-book/"),
        (&set[3], "/some-book/en/"),
        (&unset[2], "/"),
        (&unset[3], "/en/"),
    ] {
        assert!(page.contains(&format!("<base href=\"{base}\">")), "no {base}");
    }
}

/// On Colab the first cell installs the kernel: Python runs it, Rust skips it.
#[test]
fn a_published_notebook_begins_by_installing_its_kernel() {
    let workspace = published();
    let chapter = workspace.select(&["ch01".into()]).unwrap().remove(0);
    let editions =
        notebook::editions(&workspace, &chapter, &notebook::Outputs::new()).unwrap();
    for (path, notebook) in editions {
        let (id, code, _) = notebook::code_cells(&notebook).next().unwrap();
        assert_eq!(id, "install", "{}", path.display());
        let lines: Vec<&str> = code.lines().collect();
        assert!(lines[0].starts_with("#[cfg(any())] const"), "{code}");
        assert!(lines[1].starts_with("!git clone"), "{code}");
        assert!(lines[1].contains("https://github.com/someone/some-book"), "{code}");
        assert_eq!(lines[2], "# \"#;");
    }
}

/// What the book is made of, each file's bytes passed through `change`; and its theme.
fn copy_of(workspace: &Workspace, change: fn(&[u8]) -> Vec<u8>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in [
        "src",
        "po",
        "chapters-code",
        "live",
        "weights",
        "notebooks",
        "tests/reference",
        "tests/tests",
        "Cargo.toml",
        "book.toml",
    ] {
        copy_all(&workspace.root.join(name), &copy.path().join(name), change);
    }
    let theme = |root: &Path| root.join("theme"); // goes out as it is
    copy_all(&theme(&workspace.root), &theme(copy.path()), <[u8]>::to_vec);
    copy
}

fn copy_all(from: &Path, to: &Path, change: fn(&[u8]) -> Vec<u8>) {
    if from.is_file() {
        return std::fs::write(to, change(&std::fs::read(from).unwrap())).unwrap();
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy_all(&from.join(&name), &to.join(&name), change);
    }
}
