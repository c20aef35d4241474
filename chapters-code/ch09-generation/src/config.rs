//! `config.json` of GPT-2, under its own names.

use std::path::Path;

use hub::disk;
use serde::Deserialize;
use serde_json::{Value, json};
use training::Activation;

use crate::error::{GenerationError, Result};

/// What a GPT-2 is made of. Every value is in range: see [`GptConfig::validate`].
#[derive(Clone, Debug, PartialEq)]
pub struct GptConfig {
    /// Rows of the table of tokens.
    pub vocab_size: usize,
    /// The longest text, in tokens.
    pub n_positions: usize,
    /// Width of a token's vector, `d_model`.
    pub n_embd: usize,
    /// How many layers there are.
    pub n_layer: usize,
    /// Heads in each layer; divides `n_embd`.
    pub n_head: usize,
    /// Width inside the feed-forward networks; 4 · `n_embd` where the file doesn't say.
    pub n_inner: usize,
    /// Between their two linear layers (`activation_function`).
    pub activation: Activation,
    /// The norms' ε.
    pub layer_norm_epsilon: f64,
    /// Dropout of the first vectors, while training.
    pub embd_pdrop: f64,
    /// Dropout of the attention weights.
    pub attn_pdrop: f64,
    /// Dropout of what attention and feed-forward network add.
    pub resid_pdrop: f64,
    /// Whether scores are divided by √d_k.
    pub scale_attn_weights: bool,
    /// Whether they are divided by the layer's number, from 1, besides.
    pub scale_attn_by_inverse_layer_idx: bool,
    /// Whether the guesses are made with the table of tokens.
    pub tie_word_embeddings: bool,
    /// The token that begins a text.
    pub bos_token_id: Option<u32>,
    /// The tokens that end one.
    pub eos_token_ids: Vec<u32>,
}

impl Default for GptConfig {
    /// The smallest GPT-2's (`transformers.GPT2Config()`).
    fn default() -> Self {
        Self {
            vocab_size: 50_257,
            n_positions: 1024,
            n_embd: 768,
            n_layer: 12,
            n_head: 12,
            n_inner: 4 * 768,
            activation: Activation::GeluTanh,
            layer_norm_epsilon: 1e-5,
            embd_pdrop: 0.1,
            attn_pdrop: 0.1,
            resid_pdrop: 0.1,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            tie_word_embeddings: true,
            bos_token_id: Some(50_256),
            eos_token_ids: vec![50_256],
        }
    }
}

/// The file; what it doesn't say is as in `transformers.GPT2Config()`. That attention is
/// reordered and computed in f32 (`reorder_and_upcast_attn`) changes nothing here, where all is
/// f32.
#[derive(Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the file has them")]
struct ConfigJson {
    model_type: String,
    vocab_size: usize,
    #[serde(alias = "max_position_embeddings")]
    n_positions: usize,
    #[serde(alias = "hidden_size")]
    n_embd: usize,
    #[serde(alias = "num_hidden_layers")]
    n_layer: usize,
    #[serde(alias = "num_attention_heads")]
    n_head: usize,
    n_inner: Option<usize>,
    activation_function: String,
    layer_norm_epsilon: f64,
    embd_pdrop: f64,
    attn_pdrop: f64,
    resid_pdrop: f64,
    scale_attn_weights: bool,
    scale_attn_by_inverse_layer_idx: bool,
    add_cross_attention: bool,
    tie_word_embeddings: bool,
    bos_token_id: Option<u32>,
    eos_token_id: Option<Ends>,
}

impl Default for ConfigJson {
    fn default() -> Self {
        let config = GptConfig::default();
        Self {
            model_type: String::new(),
            vocab_size: config.vocab_size,
            n_positions: config.n_positions,
            n_embd: config.n_embd,
            n_layer: config.n_layer,
            n_head: config.n_head,
            n_inner: None,
            activation_function: "gelu_new".to_owned(),
            layer_norm_epsilon: config.layer_norm_epsilon,
            embd_pdrop: config.embd_pdrop,
            attn_pdrop: config.attn_pdrop,
            resid_pdrop: config.resid_pdrop,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            add_cross_attention: false,
            tie_word_embeddings: true,
            bos_token_id: config.bos_token_id,
            eos_token_id: Some(Ends::List(config.eos_token_ids)),
        }
    }
}

/// One token that ends a text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ends {
    One(u32),
    List(Vec<u32>),
}

impl Ends {
    fn list(ends: Option<Self>) -> Vec<u32> {
        match ends {
            None => Vec::new(),
            Some(Self::One(id)) => vec![id],
            Some(Self::List(ids)) => ids,
        }
    }
}

/// What `generation_config.json` says that counts here: it goes before `config.json`, as in
/// `transformers`' `generate`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GenerationJson {
    eos_token_id: Option<Ends>,
}

impl GptConfig {
    /// Reads a folder's `config.json`, and `generation_config.json` if there is one.
    ///
    /// # Errors
    ///
    /// If a file can't be read or isn't JSON; if the model is of another architecture, or a field
    /// is out of its range.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let mut config = Self::from_json(&read(&path)?, &path)?;
        let path = folder.join("generation_config.json");
        if path.is_file() {
            let generation: GenerationJson = parse(&read(&path)?, &path)?;
            if generation.eos_token_id.is_some() {
                config.eos_token_ids = Ends::list(generation.eos_token_id);
                config.validate()?;
            }
        }
        Ok(config)
    }

    /// Reads the text of a `config.json`; `path` is for the messages.
    ///
    /// # Errors
    ///
    /// As [`GptConfig::from_folder`].
    pub fn from_json(text: &str, path: &Path) -> Result<Self> {
        let json: ConfigJson = parse(text, path)?;
        if json.model_type != "gpt2" {
            let path = path.to_path_buf();
            return Err(GenerationError::Architecture { path, found: json.model_type });
        }
        if json.add_cross_attention {
            let expected = "false: this chapter's model has no second text to look at";
            return Err(GenerationError::setting(
                "add_cross_attention",
                true,
                expected,
            ));
        }
        let config = Self {
            vocab_size: json.vocab_size,
            n_positions: json.n_positions,
            n_embd: json.n_embd,
            n_layer: json.n_layer,
            n_head: json.n_head,
            n_inner: json.n_inner.unwrap_or(json.n_embd.saturating_mul(4)),
            activation: activation(&json.activation_function)?,
            layer_norm_epsilon: json.layer_norm_epsilon,
            embd_pdrop: json.embd_pdrop,
            attn_pdrop: json.attn_pdrop,
            resid_pdrop: json.resid_pdrop,
            scale_attn_weights: json.scale_attn_weights,
            scale_attn_by_inverse_layer_idx: json.scale_attn_by_inverse_layer_idx,
            tie_word_embeddings: json.tie_word_embeddings,
            bos_token_id: json.bos_token_id,
            eos_token_ids: Ends::list(json.eos_token_id),
        };
        config.validate()?;
        Ok(config)
    }

    /// The `config.json` that `transformers` reads back as a `GPT2LMHeadModel`'s.
    pub fn to_json(&self) -> Value {
        let eos = match &self.eos_token_ids[..] {
            [] => Value::Null,
            [id] => json!(id),
            ids => json!(ids),
        };
        json!({
            "activation_function": activation_name(self.activation),
            "architectures": ["GPT2LMHeadModel"],
            "attn_pdrop": self.attn_pdrop,
            "bos_token_id": self.bos_token_id,
            "embd_pdrop": self.embd_pdrop,
            "eos_token_id": eos,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "model_type": "gpt2",
            "n_embd": self.n_embd,
            "n_head": self.n_head,
            "n_inner": self.n_inner,
            "n_layer": self.n_layer,
            "n_positions": self.n_positions,
            "resid_pdrop": self.resid_pdrop,
            "scale_attn_by_inverse_layer_idx": self.scale_attn_by_inverse_layer_idx,
            "scale_attn_weights": self.scale_attn_weights,
            "tie_word_embeddings": self.tie_word_embeddings,
            "vocab_size": self.vocab_size,
        })
    }

    /// Checks every field's range.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) for the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        for (name, size, most) in [
            ("vocab_size", self.vocab_size, MAX_ROWS),
            ("n_positions", self.n_positions, MAX_ROWS),
            ("n_embd", self.n_embd, MAX_WIDTH),
            ("n_layer", self.n_layer, MAX_LAYERS),
            ("n_head", self.n_head, self.n_embd),
            ("n_inner", self.n_inner, 16 * MAX_WIDTH),
        ] {
            if !(1..=most).contains(&size) {
                return Err(GenerationError::setting(
                    name,
                    size,
                    format!("1 to {most}"),
                ));
            }
        }
        training::attention::head_width(self.n_embd, self.n_head)?;
        for (name, probability) in [
            ("embd_pdrop", self.embd_pdrop),
            ("attn_pdrop", self.attn_pdrop),
            ("resid_pdrop", self.resid_pdrop),
        ] {
            if !(0.0..=1.0).contains(&probability) {
                return Err(GenerationError::setting(name, probability, "0 to 1"));
            }
        }
        // Not `<= 0.0 || >= 1.0`: NaN is refused, too.
        if !(self.layer_norm_epsilon > 0.0 && self.layer_norm_epsilon < 1.0) {
            let (name, expected) =
                ("layer_norm_epsilon", "between 0 and 1, both excluded");
            return Err(GenerationError::setting(
                name,
                self.layer_norm_epsilon,
                expected,
            ));
        }
        let ends = self.eos_token_ids.iter().map(|id| ("eos_token_id", id));
        let begins = self.bos_token_id.iter().map(|id| ("bos_token_id", id));
        for (name, &id) in ends.chain(begins) {
            if id as usize >= self.vocab_size {
                let expected = format!("less than vocab_size = {}", self.vocab_size);
                return Err(GenerationError::setting(name, id, expected));
            }
        }
        Ok(())
    }
}

// Far beyond any GPT-2, and small enough that no product of two of them overflows.
const MAX_ROWS: usize = 1 << 24;
const MAX_WIDTH: usize = 1 << 16;
const MAX_LAYERS: usize = 1 << 10;

fn activation(name: &str) -> Result<Activation> {
    match name {
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        "relu" => Ok(Activation::Relu),
        other => {
            let expected = "gelu_new, gelu or relu";
            Err(GenerationError::setting("activation_function", other, expected))
        }
    }
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::GeluTanh => "gelu_new",
        Activation::Gelu => "gelu",
        Activation::Relu => "relu",
    }
}

fn read(path: &Path) -> Result<String> {
    let read = training::TrainingError::io("read", path);
    Ok(disk::read_to_string(path).map_err(read)?)
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str, path: &Path) -> Result<T> {
    serde_json::from_str(text).map_err(|error| GenerationError::Format {
        path: path.to_path_buf(),
        what: "a configuration",
        reason: error.to_string(),
    })
}
