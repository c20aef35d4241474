//! What `tests/reference/bert_transformers.py` left in `tests/fixtures/bert-*`, for the
//! tests of chapters 4 and 5.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor, safetensors};
use candle_nn::{VarBuilder, VarMap};
use hub::{Config, ModelFolder, Tokenizer, Truncate};
use sentiment::vectors::array4;
use sentiment::{BaseModel, Batch, EncoderOutput, ForwardOptions, PackedEncoder};
use serde::Deserialize;

/// How far attentions may be off, absolute.
pub const ATTENTIONS: f32 = 2e-6;
/// How far logits and vectors may be off, absolute.
pub const LOGITS: f32 = 1e-5;
/// How far gradients may be off, relative to the largest of a parameter.
pub const GRADIENTS: f32 = 1e-5;

/// The three batches of each model.
pub const RUNS: [&str; 3] = ["single", "pair", "padded"];

/// Attentions and hidden states.
pub const EVERYTHING: ForwardOptions = ForwardOptions {
    output_attentions: true,
    output_hidden_states: true,
    dropout: None,
};

/// A small random model and what transformers computes with it.
pub struct Fixture {
    pub folder: ModelFolder,
    pub config: Config,
    tensors: HashMap<String, Tensor>,
    texts: HashMap<String, Texts>,
}

#[derive(Deserialize)]
struct Texts {
    texts: Vec<(String, Option<String>)>,
    tokens: Vec<Vec<String>>,
}

/// The folder of a fixture.
pub fn path(name: &str) -> PathBuf {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    PathBuf::from(fixtures).join(name)
}

impl Fixture {
    pub fn open(name: &str) -> Self {
        let path = path(name);
        let folder = ModelFolder::open(&path).unwrap();
        let config = folder.config().unwrap();
        let file = path.join("expected.safetensors");
        let tensors = safetensors::load(file, &Device::Cpu).unwrap();
        let text = fs::read_to_string(path.join("expected.json")).unwrap();
        let texts = serde_json::from_str(&text).unwrap();
        Self { folder, config, tensors, texts }
    }

    /// The model, loaded from the folder.
    pub fn load<M>(
        &self,
        build: impl FnOnce(&VarBuilder, &Config) -> candle_core::Result<M>,
    ) -> M {
        hub::load(&self.folder, DType::F32, |vb| build(&vb, &self.config)).unwrap()
    }

    /// The model with parameters that gradients can be asked for.
    pub fn load_for_training<M>(
        &self,
        build: impl FnOnce(&VarBuilder, &Config) -> candle_core::Result<M>,
    ) -> (M, VarMap) {
        let mut parameters = VarMap::new();
        let vb = VarBuilder::from_varmap(&parameters, DType::F32, &Device::Cpu);
        let model = build(&vb, &self.config).unwrap();
        parameters.load(self.folder.path.join("model.safetensors")).unwrap();
        (model, parameters)
    }

    /// The numbers that transformers gave its model.
    pub fn batch(&self, run: &str) -> Batch {
        let rows = |name: &str| {
            let tensor = self.tensors.get(&format!("{run}.{name}"))?;
            Some(tensor.to_vec2::<u32>().unwrap())
        };
        let types = rows("token_type_ids");
        let mask = rows("attention_mask");
        let ids = rows("input_ids").expect("the run's ids");
        Batch::new(&ids, types.as_deref(), mask.as_deref()).unwrap()
    }

    /// The same, made by our tokenizer from the texts.
    pub fn tokenized(&self, run: &str, tokenizer: &Tokenizer) -> Batch {
        let Texts { texts, tokens } = &self.texts[run];
        let pairs: Vec<_> = texts.iter().map(|(a, b)| (&**a, b.as_deref())).collect();
        let encoded = tokenizer.encode_batch(&pairs, Truncate::Error).unwrap();
        for (found, expected) in encoded.iter().zip(tokens) {
            assert_eq!(&found.tokens, expected, "{run}: tokens");
        }
        assert_eq!(encoded.len(), tokens.len());
        Batch::from_encoded(&encoded).unwrap()
    }

    pub fn expected(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("no {name} in the fixture"))
    }

    /// Asserts that a tensor is the fixture's.
    #[track_caller]
    pub fn assert_close(&self, name: &str, found: &Tensor, tolerance: f32) {
        assert_close(name, found, self.expected(name), tolerance);
    }

    /// Asserts that last vectors, hidden states and attentions are all there and are the
    /// fixture's.
    #[track_caller]
    pub fn assert_encoder(&self, run: &str, found: &EncoderOutput) {
        self.assert_encoder_with(run, found, Tensor::clone);
    }

    /// The same, where the packed encoder leaves padding out: its rows are 0.
    #[track_caller]
    pub fn assert_packed_encoder(&self, run: &str, found: &EncoderOutput) {
        let shown = shown(&self.batch(run));
        self.assert_encoder_with(run, found, |x| clear(x, &shown));
    }

    #[track_caller]
    fn assert_encoder_with(
        &self,
        run: &str,
        found: &EncoderOutput,
        expected: impl Fn(&Tensor) -> Tensor,
    ) {
        let assert = |name: String, found: &Tensor, tolerance: f32| {
            assert_close(&name, found, &expected(self.expected(&name)), tolerance);
        };
        let layers = self.config.num_hidden_layers;
        let attentions = found.attentions.as_ref().expect("attentions asked for");
        assert_eq!(attentions.len(), layers);
        for (i, found) in attentions.iter().enumerate() {
            assert(format!("{run}.attentions.{i}"), found, ATTENTIONS);
        }
        let states = found.hidden_states.as_ref().expect("hidden states asked for");
        assert_eq!(states.len(), layers + 1);
        for (i, found) in states.iter().enumerate() {
            assert(format!("{run}.hidden_states.{i}"), found, LOGITS);
        }
        let last = format!("{run}.hidden_states.{layers}");
        assert(last, &found.last_hidden_state, LOGITS);
    }

    /// Asserts that every parameter gets PyTorch's gradient of the weighted logits.
    #[track_caller]
    pub fn assert_gradients(&self, logits: &Tensor, parameters: &VarMap) {
        let weights = self.expected("gradient_of_logits");
        let sum = (logits * weights).unwrap().sum_all().unwrap();
        let gradients = sum.backward().unwrap();
        let parameters = parameters.data().lock().unwrap();
        let prefix = "gradient.";
        let ours: BTreeSet<String> =
            parameters.keys().map(|name| format!("{prefix}{name}")).collect();
        let theirs = self.tensors.keys().filter(|name| name.starts_with(prefix));
        assert_eq!(ours, theirs.cloned().collect(), "the parameters' names");
        for (name, parameter) in &*parameters {
            let found = gradients.get(parameter).unwrap_or_else(|| panic!("no {name}"));
            let expected = self.expected(&format!("{prefix}{name}"));
            let largest = magnitude(expected);
            // A key's bias adds the same to all scores of a query: softmax takes it out,
            // and what is left is rounding.
            if name.ends_with("key.bias") || name.ends_with("k_lin.bias") {
                assert!(magnitude(found).max(largest) < 1e-3, "{name}: not rounding");
            } else {
                assert!(largest.min(magnitude(found)) > 1e-2, "{name}: no gradient");
                assert_close(name, found, expected, GRADIENTS * largest);
            }
        }
    }
}

#[track_caller]
fn assert_same_encoder(fixture: &Fixture, packed: &PackedEncoder, model: &BaseModel) {
    for name in RUNS {
        let batch = fixture.batch(name);
        let found = packed.forward(&batch, EVERYTHING).unwrap();
        fixture.assert_packed_encoder(name, &found);
        let expected = model.forward(&batch, EVERYTHING).unwrap();
        let shown = shown(&batch);
        let both = found.attentions.iter().flatten();
        for (i, (found, expected)) in
            both.zip(expected.attentions.iter().flatten()).enumerate()
        {
            assert_close(name, found, &clear(expected, &shown), ATTENTIONS);
            let alone = packed.attentions_of(&batch, i).unwrap().unwrap();
            assert_eq!(alone, array4(found).unwrap(), "{name}, layer {i} alone");
        }
        assert_eq!(packed.layers(), fixture.config.num_hidden_layers);
        assert!(packed.attentions_of(&batch, packed.layers()).unwrap().is_none());
        let quiet = packed.forward(&batch, ForwardOptions::default()).unwrap();
        assert!(quiet.attentions.is_none() && quiet.hidden_states.is_none());
        let expected = clear(&expected.last_hidden_state, &shown);
        assert_close(name, &quiet.last_hidden_state, &expected, LOGITS);
    }
}

/// Asserts that our tokenizer makes of the texts what transformers' made.
pub fn assert_tokenized(names: &[&str]) {
    for name in names {
        let fixture = Fixture::open(name);
        let tokenizer = fixture.folder.tokenizer().unwrap();
        for run in RUNS {
            let found = fixture.tokenized(run, &tokenizer);
            let expected = fixture.batch(run);
            assert_eq!(found.ids(), expected.ids(), "{name}, {run}");
            assert_eq!(found.attention_mask(), expected.attention_mask(), "{name}");
            // DistilBERT has no types.
            assert!(fixture.config.type_vocab_size == 0 || found == expected, "{name}");
        }
    }
}

/// Asserts that packed weights give the fixtures' results, and the teaching model's.
pub fn assert_packed(names: &[&str], prefix: &str) {
    for name in names {
        let fixture = Fixture::open(name);
        let model = fixture.load(|vb, config| BaseModel::load(&vb.pp(prefix), config));
        let packed = PackedEncoder::pack(model.clone()).unwrap();
        assert_same_encoder(&fixture, &packed, &model);
    }
}

/// 1 for a token, 0 for the padding behind a text, `[batch, n]`.
fn shown(batch: &Batch) -> Tensor {
    let mut mask = vec![0.0_f32; batch.rows() * batch.n()];
    for (row, length) in mask.chunks_exact_mut(batch.n()).zip(batch.lengths()) {
        row[..length].fill(1.0);
    }
    Tensor::from_vec(mask, (batch.rows(), batch.n()), &Device::Cpu).unwrap()
}

/// Zeros where padding is asked: the rows of `[batch, n, d_model]`, and the queries of
/// `[batch, heads, n, n]`.
fn clear(x: &Tensor, shown: &Tensor) -> Tensor {
    let (batch, n) = shown.dims2().unwrap();
    let shape = if x.rank() == 3 { vec![batch, n, 1] } else { vec![batch, 1, n, 1] };
    x.broadcast_mul(&shown.reshape(shape).unwrap()).unwrap()
}

/// The largest absolute value.
pub fn magnitude(tensor: &Tensor) -> f32 {
    tensor.abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

/// Asserts that two tensors agree to an absolute tolerance.
#[track_caller]
pub fn assert_close(name: &str, found: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(found.dims(), expected.dims(), "{name}: shapes differ");
    let difference = magnitude(&(found - expected).unwrap());
    assert!(difference <= tolerance, "{name} is off by {difference:e}");
}
