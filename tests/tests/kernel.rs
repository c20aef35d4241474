//! The real evcxr kernel: what it prints, and which cell it blames.

use book::kernel::{Kernel, find_evcxr};
use book::workspace::{Language, Workspace};
use book::{cells, evcxr_cache, notebook};
use lab::{Folders, warm};
use nbformat::v4::Output;

#[tokio::test]
async fn each_cell_gets_its_own_output_and_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut kernel = Kernel::start(folder.path()).await.unwrap();

    let kept = kernel.run("let kept: i32 = 20 + 1;").await.unwrap();
    assert!(kept.error.is_none() && kept.outputs.is_empty(), "{kept:?}");

    let printed = kernel.run("println!(\"{kept}\"); println!(\"{kept}\");").await;
    let printed = printed.unwrap();
    match printed.outputs.as_slice() {
        [Output::Stream { name, text }] => {
            assert_eq!((name.as_str(), text.0.as_str()), ("stdout", "21\n21\n"));
        }
        other => panic!("{other:?}"),
    }

    let failed = kernel.run("let x: i32 = \"no number\".parse::<i32>()?;").await;
    let failed = failed.unwrap();
    let after = kernel.run("println!(\"after\");").await.unwrap();
    let wrong = kernel.run("let y: i32 = \"text\";").await.unwrap();
    let error = wrong.error.expect("a compile error");
    assert!(error.contains("mismatched types"), "{error}");

    kernel.settle().await.unwrap();
    let said = kernel.stderr_of(&failed.id).expect("what the `?` said");
    assert!(said.contains("invalid digit"), "{said}");
    for quiet in [&kept.id, &printed.id, &after.id] {
        assert_eq!(kernel.stderr_of(quiet), None);
    }
}

/// Why cells are written, checked and closed as they are: evcxr shows the `()` of a loop, and
/// keeps a line that was begun for a later cell.
#[tokio::test]
async fn the_end_of_a_cell_decides_what_its_reader_sees() {
    let folder = tempfile::tempdir().unwrap();
    let mut kernel = Kernel::start(folder.path()).await.unwrap();
    let code = "for i in 0..2 {\n    println!(\"{i}\");\n}";
    let bare = kernel.run(code).await.unwrap();
    assert!(bare.outputs.iter().any(notebook::is_unit), "{bare:?}");
    let closed = kernel.run(&cells::as_run(code)).await.unwrap();
    assert!(matches!(closed.outputs.as_slice(), [Output::Stream { .. }]), "{closed:?}");

    let begun = kernel.run("print!(\"a\");").await.unwrap();
    assert!(begun.outputs.is_empty(), "{begun:?}");
    let ended = kernel.run("println!(\"b\");").await.unwrap();
    match ended.outputs.as_slice() {
        [Output::Stream { text, .. }] => assert_eq!(text.0, "ab\n"),
        other => panic!("{other:?}"),
    }
}

/// `cargo book lab` runs each notebook's first cells once, and again when what they are
/// compiled from has changed. A notebook that fails stays cold.
#[tokio::test]
async fn a_notebook_is_warmed_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace]\n");
    write("src/SUMMARY.md", "- [Good](ch01-good.md)\n- [Bad](ch02-bad.md)\n");
    for (name, code) in
        [("ch01-good", "let n: i32 = good::one();"), ("ch02-bad", "1 +")]
    {
        write(&format!("src/{name}.md"), "# Page\n");
        let lib = name.split_once('-').unwrap().1;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n[lib]\nname = \"{lib}\"\n\
             [dependencies]\nfnv = \"1\"\nthiserror = \"2\"\n[workspace]\n"
        );
        write(&format!("chapters-code/{name}/Cargo.toml"), &manifest);
        write(
            &format!("chapters-code/{name}/src/lib.rs"),
            "pub fn one() -> i32 { 1 }\n",
        );
        let setup = format!(
            ":cache 4000\n:dep {name} = {{ path = \"../chapters-code/{name}\" }}"
        );
        let cell = |id: &str, code: &str| {
            serde_json::json!({ "cell_type": "code", "id": id, "metadata": {}, "outputs": [],
                "execution_count": null, "source": [code] })
        };
        let cells = [cell("setup", &setup), cell("first", code)];
        let notebook = serde_json::json!({ "cells": cells, "metadata": {}, "nbformat": 4,
            "nbformat_minor": 5 });
        write(&format!("notebooks/{name}.ipynb"), &notebook.to_string());
    }
    let workspace = Workspace::at(root).unwrap();
    let folders = Folders::of(&workspace);
    let cold = || async {
        let workspace = Workspace::at(root).unwrap();
        let cold =
            warm::cold(&workspace, &folders, Language::Portuguese).await.unwrap();
        cold.iter().map(|cold| cold.chapter.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(cold().await, ["ch01-good", "ch02-bad"]);
    let all = warm::cold(&workspace, &folders, Language::Portuguese).await.unwrap();
    let kernel = find_evcxr().unwrap();
    warm::warm(&workspace, &folders, Language::Portuguese, &kernel, all).await.unwrap();
    assert_eq!(cold().await, ["ch02-bad"]);
    assert_eq!(evcxr_cache::mend().unwrap(), 0, "warmed, and not mended");
    write("Cargo.toml", "[workspace]\n[workspace.dependencies]\nfnv = \"1\"\n");
    assert_eq!(cold().await, ["ch01-good", "ch02-bad"]);

    // Another kernel takes `thiserror` from the cache once, not for every cell.
    let mut kernel = Kernel::start(&root.join("notebooks")).await.unwrap();
    let dep = ":cache 4000\n:dep ch01-good = { path = \"../chapters-code/ch01-good\" }";
    let mut hits = Vec::new();
    for code in [dep, "let a = good::one();", "let b = good::one();"] {
        let answer = kernel.run(code).await.unwrap();
        assert!(answer.error.is_none(), "{answer:?}");
        hits.push(hits_of("thiserror"));
    }
    assert!(hits[0] > 0, "{hits:?}");
    assert_eq!(hits, [hits[0]; 3]);
}

/// How often evcxr has taken a crate from its cache, by its own account.
fn hits_of(name: &str) -> u32 {
    let mut sum = 0;
    for entry in std::fs::read_dir(evcxr_cache::folder().unwrap()).unwrap() {
        let entry = entry.unwrap().path();
        let is_it = std::fs::read_dir(&entry).unwrap().any(|file| {
            let file = file.unwrap().file_name().into_string().unwrap();
            file.starts_with(&format!("{name}-")) // its list: name-hash.d
        });
        if is_it {
            sum += std::fs::read_to_string(entry.join("hits"))
                .unwrap()
                .parse::<u32>()
                .unwrap();
        }
    }
    sum
}
