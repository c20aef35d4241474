//! The command line: what it prints, and what it says to bad input.

#[path = "../../../tests/support/cli.rs"]
mod cli;

use std::fs;
use std::path::Path;

use cli::Program;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_ch01-self-attention"));

#[test]
fn json_has_every_step_and_nothing_else() {
    let report = PROGRAM.json(&[]);
    let fields: Vec<&String> = report.as_object().unwrap().keys().collect();
    let mut expected = [
        "words",
        "embeddings",
        "w_query",
        "w_key",
        "w_value",
        "q",
        "k",
        "v",
        "scores",
        "weights",
        "output",
    ];
    expected.sort_unstable();
    let mut found = fields.clone();
    found.sort();
    assert_eq!(found, expected);
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
    PROGRAM.json(&[
        "--embeddings",
        &file,
        "--svg",
        &svg,
        "--words",
        words[0],
        words[1],
    ]);
    let text = fs::read_to_string(&svg).unwrap();
    assert!(text.starts_with("<svg"), "{text}");
    assert!(!text.contains("<script>"), "{text}");
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{text}");
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

    PROGRAM.assert_refused(&["--words", "robô"], 1, &["robô", "--embeddings", "pense"]);
    PROGRAM.assert_refused(&["--words", "  "], 1, &["word 1", "empty"]);
    PROGRAM.assert_refused(
        &["--embeddings", &missing],
        1,
        &["missing.json", "No such file"],
    );
    PROGRAM.assert_refused(
        &["--embeddings", &ragged],
        1,
        &["row 2", "1 numbers", "has 2"],
    );
    PROGRAM.assert_refused(
        &["--embeddings", &nan],
        1,
        &["nan.json", "JSON list of rows"],
    );
    PROGRAM.assert_refused(&["--embeddings", &huge], 1, &["huge.json", "out of range"]);
    PROGRAM.assert_refused(
        &["--embeddings", &overflow],
        1,
        &["score [0, 0] is inf", "scale them down"],
    );
    PROGRAM.assert_refused(
        &["--embeddings", &object],
        1,
        &["object.json", "JSON list of rows"],
    );
    PROGRAM.assert_refused(
        &["--embeddings", &truncated],
        1,
        &["truncated.json", "EOF"],
    );
    PROGRAM.assert_refused(&["--embeddings", &none], 1, &["none.json", "no numbers"]);
    PROGRAM.assert_refused(
        &["--embeddings", &rowless],
        1,
        &["rowless.json", "no numbers"],
    );
    PROGRAM.assert_refused(
        &["--embeddings", &two, "--words", "a"],
        1,
        &["1 words", "2 rows"],
    );
    PROGRAM.assert_refused(&["--svg", "/nowhere/map.svg"], 1, &["/nowhere/map.svg"]);
    PROGRAM.assert_refused(&["--d-k", "4294967295"], 1, &["4294967295", "smaller d_k"]);
    PROGRAM.assert_refused(&["--d-k", "0"], 2, &["--d-k", "0"]);
    PROGRAM.assert_refused(&["--seed", "-1"], 2, &["-1"]);
    PROGRAM.assert_refused(&["--seed", "4294967296"], 2, &["4294967296"]);
    PROGRAM.assert_refused(&["--bogus"], 2, &["--bogus", "--help"]);
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
