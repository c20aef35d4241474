//! What is shown of a model's guesses, and the record of papagaio's measures.

use std::path::Path;

use generation::filter::probabilities;
use generation::measures::{Chrf, Measures, Training};
use generation::{BeamOptions, Filters, GenerateOptions, Pretrained};
use hub::ModelFolder;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn small() -> Pretrained {
    let folder = ModelFolder::open(root().join("tests/fixtures/gpt2-tied")).unwrap();
    Pretrained::load(&folder).unwrap()
}

const TEXT: &str = "O gato sentou no tapete.";

#[test]
fn guesses_are_the_softmax_of_the_last_row_the_likeliest_first() {
    let model = small();
    let ids = model.tokenizer.encode(TEXT).unwrap();
    let last = model.logits(&ids).unwrap().pop().unwrap();
    let mut expected = probabilities(&last);
    expected.sort_by(|a, b| b.total_cmp(a));
    let found = model.guesses(TEXT, &Filters::default(), usize::MAX).unwrap();
    let found: Vec<f64> = found.iter().map(|guess| guess.probability).collect();
    assert_eq!(found, expected);
    assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);

    let few = Filters { top_k: Some(3), ..Filters::default() };
    let left = model.guesses(TEXT, &few, usize::MAX).unwrap();
    assert_eq!(left.len(), 3, "what a filter leaves has no probability left over");
    let sum: f64 = left.iter().map(|guess| guess.probability).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    assert_eq!(model.guesses(TEXT, &few, 2).unwrap(), left[..2]);
    let none = Filters { top_p: Some(0.0), ..Filters::default() };
    assert!(model.guesses(TEXT, &none, 1).is_err());
    assert!(model.guesses("", &few, 1).is_err());
}

#[test]
fn places_cost_what_a_text_costs() {
    let model = small();
    let ids = model.tokenizer.encode(TEXT).unwrap();
    let places = model.places(TEXT).unwrap();
    assert_eq!(places.len(), ids.len());
    assert!(places.last().unwrap().came.is_none(), "nothing came after the last");
    let came = places.iter().filter_map(|place| place.came.as_ref());
    let cost: f64 = came.map(|came| came.probability.ln()).sum();
    let whole = model.log_probability(&ids[..1], &ids[1..]).unwrap();
    assert!((cost - whole).abs() < 1e-9, "{cost} {whole}");
    for (place, next) in places.iter().zip(&places[1..]) {
        let came = place.came.as_ref().unwrap();
        assert_eq!(came.token, next.token, "what came is what is read next");
        assert!(came.probability <= place.likeliest.probability);
    }
}

#[test]
fn attentions_are_causal_and_sum_to_one() {
    let model = small();
    let ids = model.tokenizer.encode(TEXT).unwrap();
    let weights = model.attentions(&ids).unwrap();
    let (layers, heads, n) = (model.config.n_layer, model.config.n_head, ids.len());
    assert_eq!(weights.dim(), (layers, heads, n, n));
    for ((_, _, query, key), &weight) in weights.indexed_iter() {
        assert!(key <= query || weight == 0.0, "{query} looks ahead to {key}");
    }
    let sums = weights.sum_axis(ndarray::Axis(3));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{sums}");
}

#[test]
fn a_beam_of_one_goes_on_as_greedy_decoding_does() {
    let model = small();
    let greedy = GenerateOptions { max_new_tokens: 12, ..GenerateOptions::default() };
    let beam = BeamOptions { beams: 1, max_new_tokens: 12, ..BeamOptions::default() };
    let text = model.go_on(TEXT, &greedy).unwrap();
    assert!(!text.is_empty());
    assert_eq!(model.search(TEXT, &beam).unwrap(), text);
}

#[test]
fn the_record_is_of_the_shipped_model() {
    let measures = Measures::of_the_book().unwrap();
    let Chrf {
        papagaio, word_by_word, difference_low: low, difference_high: high, ..
    } = measures.translations.to_portuguese;
    let difference = papagaio - word_by_word;
    assert!(low < difference && difference < high, "{low} {difference} {high}");
    let folder = ModelFolder::open(root().join("weights/papagaio")).unwrap();
    let config = Pretrained::load(&folder).unwrap().config;
    assert_eq!(config, measures.training.recipe.config());
    let card = std::fs::read_to_string(folder.path.join("README.md")).unwrap();
    for (guesses, baseline) in [
        (measures.guesses.english, measures.five_grams.english),
        (measures.guesses.portuguese, measures.five_grams.portuguese),
    ] {
        let (found, other) = (guesses.bits_per_byte, baseline.bits_per_byte);
        let row = format!("| {found:.3} | {other:.3} |");
        assert!(card.contains(&row), "the card has no {row}");
    }
    let row = format!("| {papagaio:.1} | {word_by_word:.1} |");
    assert!(card.contains(&row), "the card has no {row}");
}

#[test]
fn a_history_is_read_from_metrics_or_refused() {
    let recipe =
        serde_json::to_string(&Measures::of_the_book().unwrap().training.recipe);
    let begun =
        format!("{{\"step\":0,\"recipe\":{},\"tokens_in_epoch\":9}}", recipe.unwrap());
    let step = |step| format!("{{\"step\":{step},\"loss\":{step}.5,\"epoch\":0}}");
    let guesses = r#"{"sentences":1,"bytes":9,"tokens":3,"bits_per_byte":2.5}"#;
    let exam = format!("{{\"step\":2,\"english\":{guesses},\"portuguese\":{guesses}}}");
    let metrics = [begun.clone(), step(1), step(2), exam, step(3)].join("\n");
    let found = Training::from_metrics(&metrics).unwrap();
    assert_eq!(found.loss, [(1.0, 1.5), (2.0, 2.5), (3.0, 3.5)]);
    assert_eq!((found.steps, found.tokens_in_epoch), (3, 9));
    assert_eq!(found.bits.english, [(2.0, 2.5)]);
    assert!(Training::from_metrics(&step(1)).is_err(), "it has no recipe");
    assert!(Training::from_metrics(&[begun.as_str(), "no JSON"].join("\n")).is_err());
}
