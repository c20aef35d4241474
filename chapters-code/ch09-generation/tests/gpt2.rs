//! GPT-2 against Python's transformers: `tests/reference/gpt2_transformers.py`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, IndexOp, Tensor};
use generation::packed::PackedCache;
use generation::{
    BeamOptions, Cache, Decoder, Filters, GenerateOptions, GenerationError, PackedGpt,
    Pretrained, Stop, beam_search, generate,
};
use hub::ModelFolder;
use sentiment::Batch;
use serde::Deserialize;

const FIXTURES: [&str; 2] = ["gpt2-tied", "gpt2-untied"];
const ATTENTIONS: f32 = 2e-6;
const LOGITS: f32 = 1e-5;

#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Continuation {
    prompt: Vec<u32>,
    greedy: Vec<u32>,
    penalized: Vec<u32>,
    beams_2: Vec<Vec<u32>>,
    scores_2: Vec<f64>,
    beams_4: Vec<Vec<u32>>,
    scores_4: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    continuations: Vec<Continuation>,
    texts: Vec<Text>,
}

struct Fixture {
    gpt: Pretrained,
    expected: Expected,
    tensors: HashMap<String, Tensor>,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

impl Fixture {
    fn open(name: &str) -> Self {
        let path = path(name);
        let text = std::fs::read_to_string(path.join("expected.json")).unwrap();
        let tensors = path.join("expected.safetensors");
        let tensors = candle_core::safetensors::load(tensors, &Device::Cpu).unwrap();
        let folder = ModelFolder::open(&path).unwrap();
        Self {
            gpt: Pretrained::load(&folder).unwrap(),
            expected: serde_json::from_str(&text).unwrap(),
            tensors,
        }
    }

    fn rows(&self, name: &str) -> Vec<Vec<u32>> {
        self.tensors[name].to_vec2().unwrap()
    }

    fn padded(&self) -> Batch {
        let mask = self.rows("padded.attention_mask");
        Batch::new(&self.rows("padded.ids"), None, Some(&mask)).unwrap()
    }
}

/// The largest difference in the rows of tokens that aren't padding; `axis` is that of the tokens.
fn difference(found: &Tensor, expected: &Tensor, batch: &Batch, axis: usize) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    let mut most = 0.0_f32;
    for (row, (_, shown)) in batch.texts().enumerate() {
        for (token, _) in shown.iter().enumerate().filter(|(_, shown)| **shown == 1) {
            let part = |tensor: &Tensor| {
                let row = tensor.i(row).unwrap();
                row.narrow(axis - 1, token, 1).unwrap().flatten_all().unwrap()
            };
            let difference = (part(found) - part(expected)).unwrap().abs().unwrap();
            most = most.max(difference.max(0).unwrap().to_scalar().unwrap());
        }
    }
    most
}

#[test]
fn logits_and_attentions_of_a_left_padded_batch() {
    for name in FIXTURES {
        let fixture = Fixture::open(name);
        let batch = fixture.padded();
        let found = fixture.gpt.model.forward(&batch, &mut Cache::new()).unwrap();
        for (i, layer) in found.attentions.iter().enumerate() {
            let expected = &fixture.tensors[&format!("padded.attentions.{i}")];
            let found = difference(layer, expected, &batch, 2);
            assert!(found <= ATTENTIONS, "{name}, layer {i}: {found}");
        }
        let logits = fixture.gpt.model.predict(&found.last_hidden_state).unwrap();
        let found = difference(&logits, &fixture.tensors["padded.logits"], &batch, 1);
        assert!(found <= LOGITS, "{name}: {found}");
    }
}

#[test]
fn a_padded_text_is_read_as_it_is_alone() {
    let fixture = Fixture::open("gpt2-tied");
    let batch = fixture.padded();
    let together = fixture.gpt.model.forward(&batch, &mut Cache::new()).unwrap();
    for (row, (ids, shown)) in batch.texts().enumerate() {
        let first = shown.iter().position(|&shown| shown == 1).unwrap();
        let alone = Batch::new(&[ids[first..].to_vec()], None, None).unwrap();
        let alone = fixture.gpt.model.forward(&alone, &mut Cache::new()).unwrap();
        let together = together.last_hidden_state.i((row, first..)).unwrap();
        let found = most(&together, &alone.last_hidden_state.i(0).unwrap());
        assert!(found < 1e-5, "{row}: {found}");
    }
}

/// The largest difference between two tensors of one shape.
fn most(found: &Tensor, expected: &Tensor) -> f32 {
    let difference = (found - expected).unwrap().abs().unwrap();
    difference.max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn a_text_read_in_two_parts_is_read_as_in_one() {
    for name in FIXTURES {
        let fixture = Fixture::open(name);
        let batch = fixture.padded();
        let (ids, _) = batch.texts().next().unwrap(); // the longest, without padding
        let read = |ids: &[u32], cache: &mut Cache| {
            let batch = Batch::new(&[ids.to_vec()], None, None).unwrap();
            fixture.gpt.model.forward(&batch, cache).unwrap()
        };
        let whole = read(ids, &mut Cache::new());
        for cut in [1, 5, 11] {
            let mut cache = Cache::new();
            read(&ids[..cut], &mut cache);
            assert_eq!(cache.len(), cut);
            let rest = read(&ids[cut..], &mut cache);
            let expected = whole.last_hidden_state.i((.., cut..)).unwrap();
            let found = most(&rest.last_hidden_state, &expected);
            assert!(found < 1e-5, "{name}, {cut}: {found}");
            assert_eq!(rest.attentions[0].dims()[2..], [12 - cut, 12]);
        }
    }
}

/// One more token behind each padded text, as behind the text alone.
#[test]
fn a_cache_keeps_what_is_padding() {
    let fixture = Fixture::open("gpt2-tied");
    let model = &fixture.gpt.model;
    let batch = fixture.padded();
    let mut cache = Cache::new();
    model.forward(&batch, &mut cache).unwrap();
    let next = Batch::new(&[vec![5], vec![6], vec![7]], None, None).unwrap();
    let together = model.forward(&next, &mut cache).unwrap().last_hidden_state;
    for (row, (ids, shown)) in batch.texts().enumerate() {
        let first = shown.iter().position(|&shown| shown == 1).unwrap();
        let alone = [&ids[first..], &[[5, 6, 7][row]]].concat();
        let alone = Batch::new(&[alone], None, None).unwrap();
        let alone = model.forward(&alone, &mut Cache::new()).unwrap().last_hidden_state;
        let expected = alone.i((0, 12 - first)).unwrap();
        let found = most(&together.i((row, 0)).unwrap(), &expected);
        assert!(found < 1e-5, "{row}: {found}");
    }
    assert!(cache.select(&[3]).is_err());
}

fn greedy(repetition_penalty: f32, use_cache: bool) -> GenerateOptions {
    GenerateOptions {
        max_new_tokens: 64,
        filters: Filters { repetition_penalty, ..Filters::default() },
        ends: vec![0],
        use_cache,
        ..GenerateOptions::default()
    }
}

#[test]
fn greedy_decoding_is_transformers_token_for_token() {
    for name in FIXTURES {
        let fixture = Fixture::open(name);
        let packed = PackedGpt::pack(&fixture.gpt.model).unwrap();
        for (i, row) in fixture.expected.continuations.iter().enumerate() {
            for (expected, penalty) in [(&row.greedy, 1.0), (&row.penalized, 1.3)] {
                // Without a cache it takes long: the first prompt tells.
                for use_cache in
                    [true, false].into_iter().take(if i == 0 { 2 } else { 1 })
                {
                    let options = greedy(penalty, use_cache);
                    let model = &fixture.gpt.model;
                    let taught =
                        generate(model, &row.prompt, &options, |_, _| {}).unwrap();
                    let fast =
                        generate(&packed, &row.prompt, &options, |_, _| {}).unwrap();
                    for found in [taught, fast] {
                        assert_eq!(found.ids, *expected, "{name}, {:?}", row.prompt);
                        let stop =
                            if expected.contains(&0) { Stop::End } else { Stop::Count };
                        assert_eq!(found.stop, stop);
                    }
                }
            }
        }
    }
}

/// Each text without its padding, read at once and in parts.
#[test]
fn packed_weights_give_transformers_logits() {
    for name in FIXTURES {
        let fixture = Fixture::open(name);
        let packed = PackedGpt::pack(&fixture.gpt.model).unwrap();
        let batch = fixture.padded();
        for (row, (ids, shown)) in batch.texts().enumerate() {
            let first = shown.iter().position(|&shown| shown == 1).unwrap();
            let expected = fixture.tensors["padded.logits"].i((row, 11)).unwrap();
            let expected: Vec<f32> = expected.to_vec1().unwrap();
            for cuts in [vec![], vec![first + 1], (first + 1..12).collect()] {
                let (mut cache, mut read, mut found) =
                    (PackedCache::default(), first, vec![]);
                for end in cuts.into_iter().filter(|&end| end < 12).chain([12]) {
                    found = packed.next_logits(&ids[read..end], &mut cache).unwrap();
                    read = end;
                }
                let differences =
                    found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                let most = differences.fold(0.0, f32::max);
                assert_eq!(found.len(), expected.len());
                assert!(most <= LOGITS, "{name}, {row}: {most}");
            }
        }
    }
}

#[test]
fn what_the_packed_model_can_not_read_is_refused() {
    let fixture = Fixture::open("gpt2-tied");
    let packed = PackedGpt::pack(&fixture.gpt.model).unwrap();
    assert_eq!(packed.limit(), 96);
    let mut cache = PackedCache::default();
    let mut read = |new: &[u32]| packed.next_logits(new, &mut cache).unwrap_err();
    assert!(matches!(read(&[]), GenerationError::EmptyPrompt));
    let unknown = read(&[1, 300]);
    assert!(matches!(unknown, GenerationError::Token { id: 300, limit: 300 }));
    let long = read(&[1; 97]);
    assert!(matches!(long, GenerationError::TooLong { found: 97, limit: 96 }));
    // What was refused is not in the cache.
    packed.next_logits(&[1; 96], &mut cache).unwrap();
    let papagaio = ModelFolder::open(path("../../weights/papagaio")).unwrap();
    let papagaio = Pretrained::load(&papagaio).unwrap().model;
    let other = PackedGpt::pack(&papagaio).unwrap().next_logits(&[1], &mut cache);
    let other = other.unwrap_err().to_string();
    assert!(other.contains("cache is of another model, with 3 layers"), "{other}");
}

#[test]
fn beam_search_is_transformers_token_for_token() {
    for name in FIXTURES {
        let fixture = Fixture::open(name);
        for row in &fixture.expected.continuations {
            let expected =
                [(2, &row.beams_2, &row.scores_2), (4, &row.beams_4, &row.scores_4)];
            for (beams, texts, scores) in expected {
                let options = BeamOptions {
                    beams,
                    max_new_tokens: 64,
                    ends: vec![0],
                    ..BeamOptions::default()
                };
                let found =
                    beam_search(&fixture.gpt.model, &row.prompt, &options).unwrap();
                assert_eq!(found.len(), beams);
                for ((found, text), score) in found.iter().zip(texts).zip(scores) {
                    let end = text
                        .iter()
                        .position(|&id| id == 0)
                        .map_or(text.len(), |i| i + 1);
                    assert_eq!(
                        found.ids,
                        text[..end],
                        "{name}, {beams}, {:?}",
                        row.prompt
                    );
                    assert!((found.score - score).abs() < 1e-5 * score.abs(), "{name}");
                }
            }
        }
    }
}

/// The logits of the tokens that stay, the largest first.
fn kept(logits: &[f32], stays: &[u8]) -> Vec<f32> {
    let stays = logits.iter().zip(stays).filter(|(_, stays)| **stays == 1);
    let mut kept: Vec<f32> = stays.map(|(logit, _)| *logit).collect();
    kept.sort_by(|a, b| b.total_cmp(a));
    kept
}

#[test]
fn filters_leave_the_tokens_that_transformers_leaves() {
    let fixture = Fixture::open("gpt2-tied");
    let none = Filters::default();
    let filters = [
        ("temperature", Filters { temperature: 0.7, ..none }),
        ("top_k", Filters { top_k: Some(5), ..none }),
        ("top_p", Filters { top_p: Some(0.8), ..none }),
        ("min_p", Filters { min_p: Some(0.2), ..none }),
        (
            "all",
            Filters {
                temperature: 1.5,
                top_k: Some(20),
                top_p: Some(0.9),
                min_p: Some(0.05),
                ..none
            },
        ),
    ];
    let logits: Vec<Vec<f32>> = fixture.tensors["filter.logits"].to_vec2().unwrap();
    for (name, filters) in filters {
        filters.validate().unwrap();
        let expected: Vec<Vec<u8>> =
            fixture.tensors[&format!("filter.{name}")].to_vec2().unwrap();
        let mut left = 0;
        for (row, (logits, expected)) in logits.iter().zip(&expected).enumerate() {
            let mut filtered = logits.clone();
            filters.apply(&mut filtered, &[]);
            let found: Vec<u8> =
                filtered.iter().map(|x| u8::from(x.is_finite())).collect();
            if row == 1 {
                // Ties: which of equal ones stays is up to torch's sort, which isn't stable.
                assert_eq!(
                    kept(logits, &found),
                    kept(logits, expected),
                    "{name}, ties"
                );
            } else {
                assert_eq!(found, *expected, "{name}, row {row}");
            }
            left += expected.iter().map(|&left| usize::from(left)).sum::<usize>();
        }
        assert!((8..=400).contains(&left), "{name}: {left}");
        assert_eq!(left == 400, name == "temperature", "{name}: {left}");
    }
}

#[test]
fn the_tokenizer_is_transformers() {
    for name in FIXTURES {
        let fixture = Fixture::open(name);
        for Text { text, ids } in &fixture.expected.texts {
            assert_eq!(
                fixture.gpt.tokenizer.encode(text).unwrap(),
                *ids,
                "{name}, {text}"
            );
            assert_eq!(fixture.gpt.tokenizer.decode(ids).unwrap(), *text, "{name}");
        }
    }
}
