//! What is measured of attentions: against NumPy (`tests/reference/ch05_numpy.py`), and by
//! hand on small models.

#[path = "../../ch04-sentiment/tests/common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::fs;

use bert_attention::explanation::{argmax, words};
use bert_attention::nouns::NOUNS;
use bert_attention::profile::{SHARES, profile, top, uniform};
use bert_attention::translation::{find_nouns, translation_heads};
use bert_attention::{
    Attentions, BertForMaskedLm, Choices, HeadProfile, MaskedModel, Measurements,
    Pretrained, Profiles, SpecialIds, rank_correlation, rollout, sentences,
};
use candle_core::{DType, Device, IndexOp, Tensor, safetensors};
use candle_nn::VarBuilder;
use common::{Fixture, RUNS};
use hub::Truncate;
use ndarray::{Array1, Array2};
use sentiment::{BaseModel, Batch, ForwardOptions, PackedEncoder};
use serde::Deserialize;

const SPECIAL: SpecialIds = SpecialIds { cls: 2, sep: 3 };

#[derive(Deserialize)]
struct Reference {
    runs: HashMap<String, Measured>,
    correlations: Vec<Correlation>,
}

#[derive(Deserialize)]
struct Measured {
    heads: Vec<Vec<HeadProfile>>,
    uniform: HeadProfile,
    rollout: Option<Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Correlation {
    a: Vec<f64>,
    b: Vec<f64>,
    rho: f64,
}

fn reference() -> Reference {
    let text = fs::read_to_string(common::path("ch05-numpy.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn assert_profile(name: &str, found: &HeadProfile, expected: &HeadProfile) {
    let numbers = |p: &HeadProfile| {
        [p.cls, p.sep, p.itself, p.previous, p.next, p.entropy, p.distance]
    };
    for (i, (a, b)) in numbers(found).iter().zip(numbers(expected)).enumerate() {
        assert!((a - b).abs() < 1e-5, "{name}, number {i}: {a}, not {b}");
    }
}

fn model(name: &str) -> Pretrained {
    Pretrained::load(&Fixture::open(name).folder).unwrap()
}

#[test]
fn profiles_are_numpys() {
    let (fixture, model, reference) =
        (Fixture::open("bert-base"), model("bert-base"), reference());
    for run in RUNS {
        let (batches, expected) = ([fixture.batch(run)], &reference.runs[run]);
        let found = profile(&model.encoder, &batches, SPECIAL).unwrap();
        assert_eq!((found.len(), found[0].len()), (2, 12));
        for (layer, heads) in found.iter().enumerate() {
            for (head, found) in heads.iter().enumerate() {
                let name = format!("{run}, layer {layer}, head {head}");
                assert_profile(&name, found, &expected.heads[layer][head]);
            }
        }
        let name = format!("{run}, uniform");
        assert_profile(&name, &uniform(&batches, SPECIAL), &expected.uniform);
    }
}

#[test]
fn sentences_together_are_the_mean_of_their_tokens() {
    let model = model("bert-base");
    let texts = ["o gato sentou no tapete.", "the cat sat"];
    let both = Profiles::of(&model, &texts).unwrap();
    assert_eq!((both.sentences, both.tokens), (2, 9));
    let [one, two] = texts.map(|text| Profiles::of(&model, &[text]).unwrap());
    for (_, measure) in SHARES {
        let expected = (one.map(measure) * 6.0 + two.map(measure) * 3.0) / 9.0;
        let differences = both.map(measure) - expected;
        assert!(differences.iter().all(|d| d.abs() < 1e-6), "{differences}");
    }
    let best = top(&both.map(|p| p.next), 3);
    let ((layer, head), greatest) = best[0];
    assert!((both.heads[layer][head].next - greatest).abs() < 1e-12);
    assert!(greatest >= best[2].1);
    assert_eq!(best.len(), 3);
    assert!(both.map(|p| p.next).iter().all(|&share| share <= greatest));
    assert_eq!(both.over(|p| p.next, greatest), 0);
    assert!(both.over(|p| p.next, greatest - 1e-9) >= 1);
}

#[test]
fn rollout_is_numpys() {
    let (model, reference) = (model("bert-base"), reference());
    let texts = [
        ("single", "O gato sentou no tapete.", None),
        ("pair", "the cat sat on the mat", Some("o gato sentou")),
    ];
    for (run, text, pair) in texts {
        let found = Attentions::of(&model, text, pair, Truncate::Error).unwrap();
        let found = found.rollout().unwrap();
        let expected = reference.runs[run].rollout.as_ref().unwrap();
        assert_eq!(found.nrows(), expected.len());
        for ((i, j), weight) in found.indexed_iter() {
            assert!((weight - expected[i][j]).abs() < 1e-6, "{run} [{i}, {j}]");
        }
    }
}

#[test]
fn rank_correlations_are_numpys() {
    let correlations = reference().correlations;
    assert!(correlations.len() > 3);
    for Correlation { a, b, rho } in correlations {
        let found = rank_correlation(&a, &b);
        assert!((found - rho).abs() < 1e-12, "{found}, not {rho}");
    }
}

#[test]
fn special_tokens_are_found_in_the_vocabulary() {
    let tokenizer = Fixture::open("bert-base").folder.tokenizer().unwrap();
    assert_eq!(SpecialIds::of(&tokenizer).unwrap(), SPECIAL);
}

#[test]
fn choices_are_what_the_attentions_say() {
    let model = model("bert-base");
    let text = "o gato sentou no tapete.";
    let found = Choices::of(&model, text).unwrap();
    let (query, key) = (found.find("gato").unwrap(), found.find("sentou").unwrap());
    assert_eq!((query, key, found.find("cat")), (2, 3, None));
    assert!((found.blind() - 0.2).abs() < 1e-12);
    assert_eq!(Choices::of(&model, "gato gato").unwrap().find("gato"), None);
    let seen = Attentions::of(&model, text, None, Truncate::Error).unwrap();
    for ((layer, head), &found) in found.hits(query, key).indexed_iter() {
        let weights = seen.head(layer, head).unwrap(); // [n, n]
        let others = (1..7).filter(|&j| j != query && j != key);
        let expected =
            others.map(|j| weights[[query, j]]).all(|w| w < weights[[query, key]]);
        assert_eq!(found, expected, "{layer} {head}");
    }
    let counts = found.counts(query);
    assert_eq!(counts.iter().sum::<usize>(), found.hits(query, key).len());
    assert!(counts[key] > 0, "the test tells nothing apart");
}

#[test]
fn nouns_are_found_in_both_orders() {
    let model = model("bert-base");
    let pairs = [
        ("the cat sat on the mat.", "o gato sentou no tapete."),
        ("the cat sat, cat.", "o gato sentou, gato."), // twice: which is it?
        ("the cat sat.", "sentou."),
    ];
    let found = find_nouns(&model.tokenizer, &pairs, &NOUNS).unwrap();
    assert_eq!(found.len(), 4); // two nouns, two orders
    for pair in &found {
        let piece = |i: usize| model.tokenizer.id_to_token(pair.text.ids[i]);
        let (en, pt) = NOUNS[pair.noun];
        assert_eq!(piece(pair.english).as_deref(), Some(en));
        assert_eq!(piece(pair.portuguese).as_deref(), Some(pt));
        assert_eq!(pair.text.token_type_ids[pair.second], 1);
        assert_eq!(pair.text.token_type_ids[pair.second - 1], 0);
    }
    let heads = translation_heads(&model.encoder, &found).unwrap();
    assert_eq!(heads.len(), 24);
    for head in &heads {
        for choice in [head.to_portuguese, head.to_english] {
            assert!(choice.across >= choice.overall, "{head:?}");
            assert!((0.0..=1.0).contains(&choice.weight));
        }
    }
    assert!(heads[0].best() >= heads[23].best());
    // Nouns of one pair of sentences are read together, and counted alone all the same.
    let alone = |pair| translation_heads(&model.encoder, &[pair]).unwrap();
    let weights = found.iter().map(|pair| {
        let heads = alone(pair.clone());
        let same = heads.iter().find(|h| (h.layer, h.head) == (1, 5)).unwrap();
        same.to_english.weight
    });
    let expected = weights.sum::<f64>() / 4.0;
    let together = heads.iter().find(|h| (h.layer, h.head) == (1, 5)).unwrap();
    assert!((together.to_english.weight - expected).abs() < 1e-9);
}

#[test]
fn a_head_that_translates_is_found() {
    // Keys and queries that are the piece alone, where a noun and its translation share
    // their vector: the head must put the translation first.
    let fixture = Fixture::open("bert-base");
    let tokenizer = fixture.folder.tokenizer().unwrap();
    let mut config = fixture.config.clone();
    config.num_attention_heads = 1; // so that a score is the product of whole vectors
    config.num_hidden_layers = 1;
    let file = fixture.folder.path.join("model.safetensors");
    let bare = safetensors::load(file, &Device::Cpu).unwrap();
    let bare = bare.into_iter();
    let mut weights: HashMap<String, Tensor> =
        bare.map(|(name, tensor)| (format!("bert.{name}"), tensor)).collect();
    let d = config.hidden_size;
    let zero = |weights: &mut HashMap<String, Tensor>, name: &str| {
        let tensor = weights[name].zeros_like().unwrap();
        weights.insert(name.to_owned(), tensor);
    };
    for table in ["position_embeddings", "token_type_embeddings"] {
        zero(&mut weights, &format!("bert.embeddings.{table}.weight"));
    }
    zero(&mut weights, "bert.embeddings.LayerNorm.bias");
    let ones = Tensor::ones(d, DType::F32, &Device::Cpu).unwrap();
    weights.insert("bert.embeddings.LayerNorm.weight".to_owned(), ones);
    let words = "bert.embeddings.word_embeddings.weight";
    let mut rows = weights[words].to_vec2::<f32>().unwrap();
    let [cat, gato] = ["cat", "gato"]
        .map(|word| usize::try_from(tokenizer.token_to_id(word).unwrap()).unwrap());
    rows[gato] = rows[cat].clone();
    let shape = (rows.len(), d);
    let table = Tensor::from_vec(rows.concat(), shape, &Device::Cpu).unwrap();
    weights.insert(words.to_owned(), table);
    let attention = "bert.encoder.layer.0.attention.self";
    for part in ["query", "key"] {
        zero(&mut weights, &format!("{attention}.{part}.bias"));
        let identity = Tensor::eye(d, DType::F32, &Device::Cpu).unwrap();
        weights.insert(format!("{attention}.{part}.weight"), identity);
    }
    let vb = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
    let bert = BaseModel::load(&vb.pp("bert"), &config).unwrap();
    let encoder = PackedEncoder::pack(bert).unwrap();
    // The noun itself scores the same: only the choice across is certain.
    let pairs = [("the cat sat on the mat.", "o gato sentou no tapete.")];
    let found = find_nouns(&tokenizer, &pairs, &[("cat", "gato")]).unwrap();
    assert_eq!(found.len(), 2);
    for head in translation_heads(&encoder, &found).unwrap() {
        assert!(head.to_portuguese.across > 0.99, "{head:?}");
        assert!(head.to_english.across > 0.99, "{head:?}");
    }
}

#[test]
fn influence_is_what_hiding_each_word_does() {
    let fixture = Fixture::open("bert-masked-lm");
    let masked = MaskedModel::load(&fixture.folder).unwrap();
    let teaching = fixture.load(BertForMaskedLm::load);
    let (text, place) = ("o gato sentou no tapete", 3);
    let found = masked.influence(text, place).unwrap();
    assert_eq!(found.tokens, ["[CLS]", "o", "gato", "no", "tapete", "[SEP]"]);
    assert_eq!(words(&Array1::from_iter([1.0, 2.0, 3.0])), Array1::from_elem(1, 2.0));

    let encoded = masked.model.tokenizer.encode(text, None, Truncate::Error).unwrap();
    let mask = masked.model.tokenizer.token_to_id("[MASK]").unwrap();
    let ask = |hidden: &[usize]| -> (Vec<f32>, Vec<Tensor>) {
        let mut ids = encoded.ids.clone();
        for &i in hidden {
            ids[i] = mask;
        }
        let batch = Batch::new(&[ids], None, None).unwrap();
        let output = teaching.forward(&batch, ForwardOptions::ATTENTIONS).unwrap();
        let logits = output.logits.i((0, place)).unwrap(); // [vocabulary]
        let exponentials = logits.exp().unwrap().to_vec1::<f32>().unwrap();
        let sum: f32 = exponentials.iter().sum();
        let shares = exponentials.iter().map(|e| e / sum).collect();
        (shares, output.encoder.attentions.unwrap())
    };
    let (whole, layers) = ask(&[place]);
    let greatest = argmax(&whole.iter().map(|&p| f64::from(p)).collect());
    assert!((found.probability - f64::from(whole[greatest])).abs() < 1e-5);
    let piece = masked.model.tokenizer.id_to_token(u32::try_from(greatest).unwrap());
    assert_eq!(Some(found.guess.clone()), piece);
    for (k, other) in [0, 1, 2, 4, 5, 6].into_iter().enumerate() {
        let (without, _) = ask(&[place, other]);
        let change: f32 = whole.iter().zip(&without).map(|(a, b)| (a - b).abs()).sum();
        assert!((found.change[k] - f64::from(change / 2.0)).abs() < 1e-5);
        let row = |layer: &Tensor| -> Vec<f32> {
            layer.i((0, .., place, other)).unwrap().to_vec1().unwrap() // [heads]
        };
        for (at, layer) in layers.iter().enumerate() {
            for (head, weight) in row(layer).into_iter().enumerate() {
                let found = found.heads[[at, head, k]];
                assert!((found - f64::from(weight)).abs() < 1e-5);
            }
        }
        let mean = |layer: &Tensor| {
            let row = row(layer);
            row.iter().sum::<f32>() / row.len() as f32
        };
        let attention = layers.iter().map(mean).sum::<f32>() / layers.len() as f32;
        assert!((found.attention()[k] - f64::from(attention)).abs() < 1e-5);
    }
    let means = |layer: &Tensor| -> Array2<f64> {
        let mean = layer.mean(1).unwrap().i(0).unwrap().to_vec2::<f32>().unwrap();
        let n = mean.len();
        Array2::from_shape_fn((n, n), |(i, j)| f64::from(mean[i][j]))
    };
    let through = rollout(&layers.iter().map(means).collect::<Vec<_>>()).unwrap();
    assert!((found.rollout[2] - through[[place, 2]]).abs() < 1e-5);

    for place in [0, 6, 7] {
        let error = masked.influence(text, place).unwrap_err().to_string();
        assert!(error.contains(&format!("place {place} can't be hidden")), "{error}");
    }
}

#[test]
fn the_measurements_of_minilm_are_whole() {
    let Measurements { profiles, shuffled, verbs, clauses } =
        Measurements::of_minilm().unwrap();
    assert_eq!(verbs.subjects, sentences::english_subjects().len());
    assert_eq!(verbs.near.subject.map().dim(), (6, 12));
    assert_eq!(verbs.far.others.map().dim(), (6, 12));
    assert_eq!(shuffled.tokens, profiles.tokens);
    let both = clauses[0].clone().with(&clauses[1]);
    assert_eq!(both.chances.len(), 2 * sentences::english_clauses().len());
    assert_eq!(both.lead().dim(), (6, 12));
    assert_eq!(profiles.model, "sentence-transformers/all-MiniLM-L6-v2");
    assert_eq!(profiles.sentences, sentences::english().len());
    assert_eq!(profiles.map(|p| p.cls).dim(), (6, 12));
    let shares = |p: &HeadProfile| SHARES.map(|(_, measure)| measure(p));
    for head in profiles.heads.iter().flatten() {
        assert!(shares(head).iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(head.entropy > 0.0 && head.distance > 0.0);
    }
}
