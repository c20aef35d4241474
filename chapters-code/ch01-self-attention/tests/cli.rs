//! The command line: what it prints, and what it says to bad input.

#[path = "../../../tests/support/cli.rs"]
mod cli;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cli::Program;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch01-self-attention"));

#[test]
fn json_has_every_step_and_nothing_else() {
    let report = PROGRAM.json(&[]);
    let found: BTreeSet<&str> =
        report.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "words embeddings w_query w_key w_value q k v scores weights output";
    assert_eq!(found, expected.split(' ').collect());
    assert_eq!(report["words"][2], "máquinas");
    assert_eq!(report["w_query"][0][0], 0.374_540_118_847_362_5);
}

#[test]
fn the_notes_numbers_come_out() {
    let output = &PROGRAM.json(&["--seed", "42", "--d-k", "3"])["output"][0];
    let expected =
        [1.562_632_534_579_082_4, 1.753_098_745_278_267, 0.783_103_686_097_012_2];
    for (i, expected) in expected.into_iter().enumerate() {
        let found = output[i].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-12, "{found}");
    }
}

#[test]
fn words_can_be_chosen_and_repeated() {
    let report = PROGRAM.json(&["--words", "máquinas", "pense", "máquinas"]);
    assert_eq!(report["embeddings"][0], report["embeddings"][2]);
    assert_eq!(report["output"][0], report["output"][2]);
}

#[test]
fn embeddings_of_any_width_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "e.json", "[[1, 2], [3, 4], [5, 6], [7, 8]]");
    let report = PROGRAM.json(&["--embeddings", &file, "--d-k", "5"]);
    assert_eq!(report["w_query"].as_array().unwrap().len(), 2);
    assert_eq!(report["output"][3].as_array().unwrap().len(), 5);
    assert_eq!(report["words"][3], "x4");
    let report =
        PROGRAM.json(&["--embeddings", &file, "--words", "a", "b", "<c>", "&d"]);
    assert_eq!(report["words"][2], "<c>");
}

#[test]
fn the_heatmap_is_saved_with_words_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "e.json", "[[1], [2]]");
    let svg = folder.path().join("map.svg").display().to_string();
    let words = ["<script>alert(1)</script>", "\"'&"];
    let files = ["--embeddings", &file, "--svg", &svg, "--words"];
    PROGRAM.json(&[&files[..], &words].concat());
    let text = fs::read_to_string(&svg).unwrap();
    assert!(text.starts_with("<svg"), "{text}");
    assert!(!text.contains("<script>"), "{text}");
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{text}");
    let png = folder.path().join("map.png").display().to_string();
    PROGRAM.json(&["--svg", &png]);
    assert!(fs::read(&png).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn bad_input_gets_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| write(folder.path(), name, text);
    let ragged = file("ragged.json", "[[1, 2], [3]]");
    let nan = file("nan.json", "[[1, NaN]]");
    let huge = file("huge.json", "[[1e999]]");
    let overflow = file("overflow.json", "[[1e200], [1e200]]");
    let object = file("object.json", "{\"a\": 1}");
    let none = file("none.json", "[]");
    let rowless = file("rowless.json", "[[], []]");
    let two = file("two.json", "[[1], [2]]");
    let truncated = file("truncated.json", "[[1, 2], [3");
    let missing = folder.path().join("missing.json").display().to_string();

    let refused: [(&[&str], &[&str]); 14] = [
        (&["--words", "robô"], &["robô", "--embeddings", "pense"]),
        (&["--words", "  "], &["word 1", "empty"]),
        (&["--embeddings", &missing], &["missing.json", "No such file"]),
        (&["--embeddings", &ragged], &["row 2", "1 numbers", "has 2"]),
        (&["--embeddings", &nan], &["nan.json", "JSON list of rows"]),
        (&["--embeddings", &huge], &["huge.json", "out of range"]),
        (&["--embeddings", &overflow], &["score [0, 0] is inf", "scale them down"]),
        (&["--embeddings", &object], &["object.json", "JSON list of rows"]),
        (&["--embeddings", &truncated], &["truncated.json", "EOF"]),
        (&["--embeddings", &none], &["none.json", "no numbers"]),
        (&["--embeddings", &rowless], &["rowless.json", "no numbers"]),
        (&["--embeddings", &two, "--words", "a"], &["1 words", "2 rows"]),
        (&["--svg", "/nowhere/map.svg"], &["/nowhere/map.svg"]),
        (&["--d-k", "4294967295"], &["4294967295", "smaller d_k"]),
    ];
    for (arguments, words) in refused {
        PROGRAM.assert_refused(arguments, 1, words);
    }
    let usage: [(&[&str], &[&str]); 7] = [
        (&["--d-k", "0"], &["--d-k", "0"]),
        (&["--d-k", "-3"], &["--d-k", "-3", "1.."]),
        (&["--seed", "-1"], &["--seed", "-1", "0..=4294967295"]),
        (&["--svg", "map.pdf"], &["--svg", "map.pdf", ".svg or .png"]),
        (&["--svg", "map"], &["--svg", "map", ".svg or .png"]),
        (&["--seed", "4294967296"], &["4294967296"]),
        (&["--bogus"], &["--bogus", "--help"]),
    ];
    for (arguments, words) in usage {
        PROGRAM.assert_refused(arguments, 2, words);
    }
}

#[test]
fn help_names_every_option() {
    let output = PROGRAM.run(&["--help"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for option in ["--seed", "--d-k", "--words", "--embeddings", "--svg", "--json"] {
        assert!(text.contains(option), "{option} is not in {text}");
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}
