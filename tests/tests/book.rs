//! The book in step with itself: pages, notebooks, crates, translation.

use book::workspace::{Language, Workspace};
use book::{check, i18n, notebook};

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
    assert_none(&check::unsourced_numbers(&workspace()).unwrap());
}

#[test]
fn no_line_of_code_is_cut_on_a_page() {
    assert_none(&check::wide_code(&workspace()).unwrap());
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
        let cells = notebook::compare(&portuguese, &english).unwrap();
        assert!(cells > 5, "{}: only {cells} cells", chapter.name);
        let code = |notebook| -> Vec<(String, String)> {
            notebook::code_cells(notebook)
                .filter(|(id, ..)| *id != notebook::SETUP)
                .map(|(id, code, _)| (id.to_owned(), code))
                .collect()
        };
        assert_eq!(code(&portuguese), code(&english), "{}", chapter.name);
    }
}

/// What a change to a crate does: the notebook's record no longer matches.
#[test]
fn a_changed_source_makes_the_notebook_stale() {
    let workspace = workspace();
    let chapter = workspace.select(&["ch01".into()]).unwrap().remove(0);
    let copy = tempfile::tempdir().unwrap();
    for folder in ["src", "po", "chapters-code", "notebooks"] {
        copy_folder(&workspace.root.join(folder), &copy.path().join(folder));
    }
    for file in ["Cargo.toml", "book.toml"] {
        std::fs::copy(workspace.root.join(file), copy.path().join(file)).unwrap();
    }
    let changed = Workspace::at(copy.path()).unwrap();
    assert_none(&check::freshness(&changed).unwrap());
    let library = copy.path().join(chapter.crate_folder()).join("src/lib.rs");
    let source = std::fs::read_to_string(&library).unwrap();
    let other = source.replacen("[1.0, 0.0, 1.0, 0.0]", "[1.0, 0.0, 1.0, 0.5]", 1);
    assert_ne!(source, other);
    std::fs::write(&library, other).unwrap();
    let findings = check::freshness(&changed).unwrap().join("\n");
    assert!(findings.contains("come from other sources"), "{findings}");
    assert!(
        findings.contains("cell \"embeddings\" differs"),
        "{findings}"
    );
    assert!(
        findings.contains("run `cargo book notebooks ch01`"),
        "{findings}"
    );
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
