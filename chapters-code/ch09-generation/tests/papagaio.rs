//! From the text to the shipped folder, at toy size, on the command line.

#[path = "../../../tests/support/cli.rs"]
mod cli;

use std::fs;
use std::path::Path;

use bertinho::{Corpus, sample_folder};
use candle_core::{DType, Tensor};
use cli::Program;
use generation::pretrain::{Recipe, trained};
use generation::texts::{ENGLISH, PORTUGUESE};
use generation::{Cache, Gpt, Pretrained, left_padded};
use hub::ModelFolder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokenizers::Tokenizer;

const PROGRAM: Program = Program(env!("CARGO_BIN_EXE_papagaio"));

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// A folder with a trained toy, `trained`, and what is exported of it, `model`.
fn toy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        vocab_size: 300,
        width: 16,
        layers: 2,
        heads: 2,
        positions: 64,
        batch: 4,
        steps: 30,
        warmup: 3,
        ..Recipe::default()
    };
    let [trained, model, file] =
        ["trained", "model", "recipe.json"].map(|name| path(&folder, name));
    fs::write(&file, serde_json::to_string(&recipe).unwrap()).unwrap();
    let corpora = sample_folder().display().to_string();
    let train = ["train", "--corpora", &corpora, "--out", &trained, "--recipe", &file];
    PROGRAM.text(&train);
    PROGRAM.assert_refused(&train, 1, &["exists", "--resume"]);
    PROGRAM.text(&["export", "--trained", &trained, "--out", &model]);
    folder
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn logits(model: &Gpt, ids: &[u32]) -> Vec<f32> {
    let batch = left_padded(&[ids.to_vec()], 0).unwrap();
    let output = model.forward(&batch, &mut Cache::new()).unwrap();
    values(&model.predict(&output.last_hidden_state).unwrap())
}

#[test]
fn what_is_shipped_is_what_was_trained_in_two_bytes_a_weight() {
    let folder = toy();
    let shipped =
        Pretrained::load(&ModelFolder::open(folder.path().join("model")).unwrap())
            .unwrap();
    let (state, weights) = trained(&folder.path().join("trained")).unwrap();
    assert_eq!(state.steps, 30);
    assert_eq!(weights.len(), 2 + 2 * 12 + 2, "the optimizer's state stays behind");
    assert_eq!(shipped.config, state.recipe.config());
    let stored = |tensor: &Tensor| {
        tensor.to_dtype(DType::F16).and_then(|half| half.to_dtype(DType::F32)).unwrap()
    };
    let rounded =
        weights.iter().map(|(name, tensor)| (name.clone(), stored(tensor))).collect();
    let expected =
        training::parameters::model(&rounded, |vb| Gpt::load(&vb, &shipped.config))
            .unwrap();
    let ids = shipped.tokenizer.encode("<|en|>The cat<|pt|>").unwrap();
    assert_eq!(ids[0], 0, "the tokenizer puts the end of a text before it");
    assert_eq!(logits(&shipped.model, &ids), logits(&expected, &ids));

    let read = |file: &str| -> Value {
        let text = fs::read_to_string(folder.path().join("model").join(file)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(read("config.json")["dtype"], "float16");
    assert_eq!(read("generation_config.json")["eos_token_id"], 0);
    assert_eq!(read("generation_config.json")["max_new_tokens"], 32);
    assert_eq!(read("tokenizer_config.json")["model_max_length"], 64);
    let bytes = fs::metadata(folder.path().join("model/model.safetensors")).unwrap();
    let count: usize = weights.values().map(Tensor::elem_count).sum();
    assert!(bytes.len() < 2 * count as u64 + 10_000, "the table is stored twice");
}

#[test]
fn texts_are_those_of_the_split() {
    let folder = tempfile::tempdir().unwrap();
    let corpora = sample_folder();
    let out = path(&folder, "texts");
    PROGRAM.text(&[
        "texts",
        "--corpora",
        &corpora.display().to_string(),
        "--out",
        &out,
    ]);
    let corpus = Corpus::read(&corpora).unwrap();
    let written = |name: &str| lines(&folder.path().join("texts").join(name));
    assert_eq!(written("en.train.txt"), corpus.english.train);
    assert_eq!(written("pt.train.txt"), corpus.portuguese.train);
    assert_eq!(written("en.held-out.txt"), corpus.english.held_out);
    assert_eq!(written("pt.held-out.txt"), corpus.portuguese.held_out);
    for (part, pairs) in
        [("train", &corpus.pairs.train), ("held-out", &corpus.pairs.held_out)]
    {
        let english: Vec<_> = pairs.iter().map(|pair| pair.english.clone()).collect();
        let portuguese: Vec<_> =
            pairs.iter().map(|pair| pair.portuguese.clone()).collect();
        assert_eq!(written(&format!("pairs.en.{part}.txt")), english);
        assert_eq!(written(&format!("pairs.pt.{part}.txt")), portuguese);
    }
}

#[test]
fn a_trained_model_is_measured_and_its_card_written() {
    let folder = toy();
    let corpora = sample_folder().display().to_string();
    let corpus = Corpus::read(&sample_folder()).unwrap();
    let [model, trained, measures, out] =
        ["model", "trained", "measures", "out"].map(|name| path(&folder, name));
    fs::create_dir(&measures).unwrap();
    let keep = |file: &str, text: &str| {
        fs::write(Path::new(&measures).join(file), text).unwrap();
    };
    let of_model = ["--corpora", &corpora, "--model", &model];

    let evaluated = PROGRAM.text(&[&["evaluate"], &of_model[..]].concat());
    let found: Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(found["english"]["sentences"], corpus.english.held_out.len());
    assert!(found["portuguese"]["bits_per_byte"].as_f64().unwrap() < 8.0);
    keep("evaluate.json", &evaluated);

    PROGRAM.text(&[&["translate", "--out", &out], &of_model[..]].concat());
    let translated = lines(&folder.path().join("out/pt-en.txt"));
    assert_eq!(translated.len(), corpus.pairs.held_out.len());
    assert!(translated.iter().all(|text| !text.contains("<|")));

    // What was read itself, beside what it writes: all of it is found.
    let read = path(&folder, "read.txt");
    fs::write(&read, corpus.english.train.join("\n")).unwrap();
    let recite = ["recite", "--count", "5", "--out", &out, "--also", &read];
    let recited = PROGRAM.text(&[&recite, &of_model[..]].concat());
    let found: Value = serde_json::from_str(&recited).unwrap();
    assert_eq!(found["also"][&read]["whole"], 1.0);
    assert_eq!(found["portuguese"]["held_out"]["whole"], 0.0);
    assert_eq!(lines(&folder.path().join("out/pt.txt")).len(), 5);
    assert_eq!(recited, PROGRAM.text(&[&recite, &of_model[..]].concat()), "seeded");
    keep("recite.json", &recited);

    let card = ["card", "--corpora", &corpora, "--trained", &trained];
    let card = [&card[..], &["--measures", &measures, "--out", &model]].concat();
    PROGRAM.assert_refused(&card, 1, &["kneser-ney.json"]);
    let language = json!({"bits_per_byte": 2.5});
    let baseline = json!({"english": language, "portuguese": language});
    keep("kneser-ney.json", &baseline.to_string());
    let direction = json!({
        "sentences": 3, "papagaio": 40.25, "word_by_word": 20.0,
        "difference_low": 15.5, "difference_high": 25.0,
    });
    keep("translation.json", &json!({"en-pt": direction}).to_string());
    PROGRAM.assert_refused(&card, 1, &["no number pt-en.sentences"]);
    let both = json!({"en-pt": direction, "pt-en": direction});
    keep("translation.json", &both.to_string());
    PROGRAM.text(&card);
    let text = fs::read_to_string(folder.path().join("model/README.md")).unwrap();
    assert!(text.contains("| 2.500 |") && text.contains("| 15.5 to 25.0 |"), "{text}");
    assert!(!text.contains("{{"));
}

#[test]
fn bad_input_is_refused_by_name() {
    let folder = toy();
    let corpora = sample_folder().display().to_string();
    let [model, nowhere] = ["model", "nowhere"].map(|name| path(&folder, name));
    let refused = |arguments: &[&str], parts: &[&str]| {
        PROGRAM.assert_refused(arguments, 1, parts);
    };
    refused(&["export", "--trained", &nowhere, "--out", &nowhere], &["nowhere"]);
    let of = ["--corpora", &corpora, "--model", &model];
    refused(&[&["recite", "--top-p", "0"], &of[..]].concat(), &["top_p is 0"]);
    let beams = ["translate", "--beams", "0", "--out", &nowhere];
    refused(&[&beams, &of[..]].concat(), &["beams is 0"]);
    refused(
        &["evaluate", "--corpora", &nowhere, "--model", &model],
        &["nowhere", "en.txt"],
    );
    // A model of the same architecture that knows no marks.
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let fixture = fixture.join("gpt2-tied").display().to_string();
    let without = format!("tokenizer is without {ENGLISH}");
    refused(&["evaluate", "--corpora", &corpora, "--model", &fixture], &[&without]);
}

#[test]
fn a_translation_ends_where_the_next_sentence_begins() {
    let folder = toy();
    let folder = folder.path().join("model");
    let gpt = Pretrained::load(&ModelFolder::open(&folder).unwrap()).unwrap();
    let tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
    let translate = |model: &Gpt, beams| {
        let marks = [ENGLISH, PORTUGUESE];
        generation::translate::translate(model, &tokenizer, "The cat", marks, beams)
            .unwrap()
    };
    assert!(!translate(&gpt.model, 1).is_empty());
    // A model whose every guess is the next mark says nothing.
    let mark = tokenizer.token_to_id(ENGLISH).unwrap();
    let mut silent = gpt.model.clone();
    let aimed = Tensor::zeros_like(&silent.norm.weight).unwrap();
    silent.norm.weight = aimed;
    silent.norm.bias = Tensor::ones_like(&silent.norm.bias).unwrap();
    let row = |id: u32| if id == mark { 1.0_f32 } else { 0.0 };
    let width = gpt.config.n_embd;
    let rows: Vec<f32> =
        (0..300).flat_map(|id| std::iter::repeat_n(row(id), width)).collect();
    silent.decoder =
        Tensor::from_vec(rows, (300, width), &candle_core::Device::Cpu).unwrap();
    assert_eq!([translate(&silent, 1), translate(&silent, 2)], ["", ""]);
}
