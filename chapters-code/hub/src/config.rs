//! `config.json` of BERT and DistilBERT, in one form.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{ModelError, Result};
use crate::file;

/// Which of the two encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// BERT (Devlin et al. 2018): token types and a pooler.
    Bert,
    /// DistilBERT (Sanh et al. 2019): neither.
    DistilBert,
}

/// The activation between the two linear layers of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `gelu`: exact, with `erf`.
    Gelu,
    /// `gelu_new` or `gelu_pytorch_tanh`: the approximation with `tanh`.
    GeluTanh,
    /// `relu`.
    Relu,
}

/// What a classifier's numbers are: `problem_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// `regression`: the numbers themselves are the answer.
    Regression,
    /// `single_label_classification`: one label of several is right.
    SingleLabel,
    /// `multi_label_classification`: each label is right or not, on its own.
    MultiLabel,
}

/// A model's configuration under BERT's names, whichever architecture it is of.
/// Every value is in range: see [`Config::validate`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which encoder.
    pub architecture: Architecture,
    /// The classes in `architectures`, such as `BertForMaskedLM`; may be empty.
    pub classes: Vec<String>,
    /// Rows of the word embeddings.
    pub vocab_size: usize,
    /// Width of a token's vector (DistilBERT: `dim`).
    pub hidden_size: usize,
    /// Blocks (DistilBERT: `n_layers`).
    pub num_hidden_layers: usize,
    /// Heads per block (DistilBERT: `n_heads`); divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width between a block's two linear layers (DistilBERT: `hidden_dim`).
    pub intermediate_size: usize,
    /// Between them (BERT: `hidden_act`; DistilBERT: `activation`).
    pub activation: Activation,
    /// The longest input, in tokens.
    pub max_position_embeddings: usize,
    /// Rows of the token type embeddings; 0 for DistilBERT, which has none.
    pub type_vocab_size: usize,
    /// Added to the variance in LayerNorm.
    pub layer_norm_eps: f64,
    /// The token that fills a batch up.
    pub pad_token_id: u32,
    /// Dropout of hidden states (DistilBERT: `dropout`).
    pub hidden_dropout: f64,
    /// Dropout of attention weights.
    pub attention_dropout: f64,
    /// Dropout before the classifier (DistilBERT: `seq_classif_dropout`).
    pub classifier_dropout: f64,
    /// The classes' names in order of their ids.
    pub id2label: Vec<String>,
    /// What the labels' numbers are; `None`: what follows from how many there are.
    pub problem_type: Option<ProblemType>,
    /// Whether the masked-LM decoder is the word embeddings.
    pub tie_word_embeddings: bool,
    /// The tokenizer's class, for a `tokenizer_config.json` that names none.
    pub tokenizer_class: Option<String>,
}

impl Config {
    /// BERT-base's configuration (`transformers.BertConfig()`), to change fields of.
    pub fn bert() -> Self {
        Self {
            architecture: Architecture::Bert,
            classes: Vec::new(),
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            activation: Activation::Gelu,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            pad_token_id: 0,
            hidden_dropout: 0.1,
            attention_dropout: 0.1,
            classifier_dropout: 0.1,
            id2label: vec!["LABEL_0".into(), "LABEL_1".into()],
            problem_type: None,
            tie_word_embeddings: true,
            tokenizer_class: None,
        }
    }

    /// DistilBERT's configuration (`transformers.DistilBertConfig()`), to change fields of.
    pub fn distilbert() -> Self {
        Self {
            architecture: Architecture::DistilBert,
            num_hidden_layers: 6,
            type_vocab_size: 0,
            classifier_dropout: 0.2,
            ..Self::bert()
        }
    }

    /// Reads a `config.json`.
    ///
    /// # Errors
    ///
    /// If it can't be read, isn't JSON, or a field is missing, out of range or of a
    /// variant that the book's models don't have.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = file::read_text(path)?;
        Self::from_json(&text, path)
    }

    /// Reads the text of a `config.json`; `path` is for the messages.
    pub fn from_json(text: &str, path: &Path) -> Result<Self> {
        let values: Map<String, Value> = serde_json::from_str(text)
            .map_err(|source| ModelError::Json { path: path.to_path_buf(), source })?;
        let fields = Fields { values, path };
        fields.refuse_variants()?;
        let config = fields.config(fields.architecture()?)?;
        config.validate(path)?;
        Ok(config)
    }

    /// The `config.json` that `transformers` reads back.
    pub fn to_json(&self) -> Value {
        let ids = 0..self.id2label.len();
        let id2label = ids.clone().map(|id| id.to_string()).zip(&self.id2label);
        let id2label: Map<_, _> =
            id2label.map(|(id, label)| (id, label.as_str().into())).collect();
        let label2id: Map<_, _> =
            self.id2label.iter().cloned().zip(ids.map(Value::from)).collect();
        let mut json = json!({
            "architectures": self.classes,
            "id2label": id2label,
            "label2id": label2id,
            "max_position_embeddings": self.max_position_embeddings,
            "model_type": self.architecture.prefix(),
            "pad_token_id": self.pad_token_id,
            "tie_word_embeddings": self.tie_word_embeddings,
            "vocab_size": self.vocab_size,
        });
        for (name, value) in [
            ("attention_probs_dropout_prob", json!(self.attention_dropout)),
            ("classifier_dropout", json!(self.classifier_dropout)),
            ("hidden_act", json!(self.activation.name())),
            ("hidden_dropout_prob", json!(self.hidden_dropout)),
            ("hidden_size", json!(self.hidden_size)),
            ("intermediate_size", json!(self.intermediate_size)),
            ("num_attention_heads", json!(self.num_attention_heads)),
            ("num_hidden_layers", json!(self.num_hidden_layers)),
        ] {
            json[self.architecture.calls(name)] = value;
        }
        if let Some(problem) = self.problem_type {
            json["problem_type"] = problem.name().into();
        }
        if let Some(class) = &self.tokenizer_class {
            json["tokenizer_class"] = class.as_str().into();
        }
        if self.architecture == Architecture::Bert {
            json["layer_norm_eps"] = json!(self.layer_norm_eps);
            json["type_vocab_size"] = json!(self.type_vocab_size);
        }
        json
    }

    /// Checks every field's range; `path` is for the messages.
    ///
    /// # Errors
    ///
    /// Names the first field out of range, as the architecture's `config.json` calls it.
    pub fn validate(&self, path: &Path) -> Result<()> {
        let field = |field: &'static str, found: String, expected: String| {
            let (path, field) = (path.to_path_buf(), self.architecture.calls(field));
            Err(ModelError::Field { path, field: field.to_string(), found, expected })
        };
        let sizes = [
            ("vocab_size", self.vocab_size, 1, MAX_ROWS),
            ("hidden_size", self.hidden_size, 1, MAX_WIDTH),
            ("num_hidden_layers", self.num_hidden_layers, 1, MAX_LAYERS),
            ("num_attention_heads", self.num_attention_heads, 1, self.hidden_size),
            ("intermediate_size", self.intermediate_size, 1, MAX_WIDTH),
            ("max_position_embeddings", self.max_position_embeddings, 1, MAX_ROWS),
            ("number of id2label", self.id2label.len(), 1, MAX_LABELS),
        ];
        for (name, size, least, most) in sizes {
            if !(least..=most).contains(&size) {
                return field(name, size.to_string(), format!("{least} to {most}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let heads = self.architecture.calls("num_attention_heads");
            let expected =
                format!("a multiple of {heads} = {}", self.num_attention_heads);
            return field("hidden_size", self.hidden_size.to_string(), expected);
        }
        let type_vocab_sizes = match self.architecture {
            Architecture::Bert => 1..=MAX_WIDTH,
            Architecture::DistilBert => 0..=0,
        };
        if !type_vocab_sizes.contains(&self.type_vocab_size) {
            let (least, most) = type_vocab_sizes.into_inner();
            let expected = format!("{least} to {most}");
            return field(
                "type_vocab_size",
                self.type_vocab_size.to_string(),
                expected,
            );
        }
        if self.problem_type == Some(ProblemType::SingleLabel) && self.num_labels() == 1
        {
            let expected = "regression, or a model with several labels: one label alone \
                            leaves nothing to choose";
            let found = ProblemType::SingleLabel.name().into();
            return field("problem_type", found, expected.into());
        }
        if self.pad_token_id as usize >= self.vocab_size {
            let expected = format!("less than vocab_size = {}", self.vocab_size);
            return field("pad_token_id", self.pad_token_id.to_string(), expected);
        }
        // Not `<= 0.0 || >= 1.0`: NaN is refused, too.
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            let expected = "between 0 and 1, both excluded".into();
            return field("layer_norm_eps", self.layer_norm_eps.to_string(), expected);
        }
        for (name, probability) in [
            ("hidden_dropout_prob", self.hidden_dropout),
            ("attention_probs_dropout_prob", self.attention_dropout),
            ("classifier_dropout", self.classifier_dropout),
        ] {
            if !(0.0..=1.0).contains(&probability) {
                return field(name, probability.to_string(), "0 to 1".into());
            }
        }
        if self.parameters().is_none_or(|count| count > MAX_PARAMETERS) {
            let Self { vocab_size, hidden_size, num_hidden_layers: layers, .. } = self;
            let name = self.architecture.calls("num_hidden_layers");
            let found = format!("{vocab_size} × {hidden_size} with {layers} {name}");
            let expected = format!("a model of at most {MAX_PARAMETERS} parameters");
            return field("the product of the sizes", found, expected);
        }
        Ok(())
    }

    /// The encoder's parameters, to the leading terms; `None` if they overflow.
    fn parameters(&self) -> Option<usize> {
        let rows = self.vocab_size.checked_add(self.max_position_embeddings)?;
        let embeddings = rows.checked_mul(self.hidden_size)?;
        let attention = self.hidden_size.checked_mul(4)?;
        let feed_forward = self.intermediate_size.checked_mul(2)?;
        let layer =
            attention.checked_add(feed_forward)?.checked_mul(self.hidden_size)?;
        layer.checked_mul(self.num_hidden_layers)?.checked_add(embeddings)
    }

    /// The number of classes.
    pub fn num_labels(&self) -> usize {
        self.id2label.len()
    }
}

// Far beyond any BERT, and small enough that no product of two of them overflows.
const MAX_ROWS: usize = 1 << 24;
const MAX_WIDTH: usize = 1 << 16;
const MAX_LAYERS: usize = 1 << 10;
const MAX_LABELS: usize = 10_000;
/// f32 weights of 128 GiB.
const MAX_PARAMETERS: usize =
    isize::MAX as usize >> if usize::BITS == 64 { 28 } else { 2 };

impl Architecture {
    /// What stands before the names of the encoder's tensors: `bert` or `distilbert`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
        }
    }

    /// What its `config.json` calls the field that BERT's calls `name`.
    fn calls(self, name: &'static str) -> &'static str {
        match (self, name) {
            (Self::DistilBert, "hidden_size") => "dim",
            (Self::DistilBert, "num_hidden_layers") => "n_layers",
            (Self::DistilBert, "num_attention_heads") => "n_heads",
            (Self::DistilBert, "intermediate_size") => "hidden_dim",
            (Self::DistilBert, "hidden_act") => "activation",
            (Self::DistilBert, "hidden_dropout_prob") => "dropout",
            (Self::DistilBert, "attention_probs_dropout_prob") => "attention_dropout",
            (Self::DistilBert, "classifier_dropout") => "seq_classif_dropout",
            _ => name,
        }
    }
}

impl ProblemType {
    const ALL: [Self; 3] = [Self::Regression, Self::SingleLabel, Self::MultiLabel];

    fn name(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::SingleLabel => "single_label_classification",
            Self::MultiLabel => "multi_label_classification",
        }
    }
}

impl Activation {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "gelu" | "gelu_python" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_new",
            Self::Relu => "relu",
        }
    }
}

/// A field, which of its values are accepted, and why no others.
type Check<'a> = (&'static str, &'a dyn Fn(&Value) -> bool, &'static str);

/// The fields of a `config.json`.
struct Fields<'a> {
    values: Map<String, Value>,
    path: &'a Path,
}

impl Fields<'_> {
    fn architecture(&self) -> Result<Architecture> {
        let supported = "the book's models are `bert` and `distilbert`";
        let unsupported = |field, found: String| {
            let path = self.path.to_path_buf();
            Err(ModelError::Unsupported { path, field, found, supported })
        };
        match self.get("model_type") {
            Some(Value::String(name)) if name == "bert" => Ok(Architecture::Bert),
            Some(Value::String(name)) if name == "distilbert" => {
                Ok(Architecture::DistilBert)
            }
            Some(other) => unsupported("model_type", other.to_string()),
            // Checkpoints of 2018 and 2019 have no `model_type`, and some no `architectures`.
            None => match self.classes()?.first() {
                Some(name) if name.starts_with("Bert") => Ok(Architecture::Bert),
                Some(name) if name.starts_with("DistilBert") => {
                    Ok(Architecture::DistilBert)
                }
                Some(name) => unsupported("architectures", format!("[{name:?}]")),
                None => {
                    Err(self.wrong("model_type", "missing", "`bert` or `distilbert`"))
                }
            },
        }
    }

    /// The sizes have no default: a wrong number of heads would fit the checkpoint and
    /// silently give other attentions.
    fn config(&self, architecture: Architecture) -> Result<Config> {
        let size = |name| self.size(self.called(architecture, name), None);
        let number = |name, default| self.number(architecture.calls(name), default);
        let default = match architecture {
            Architecture::Bert => Config::bert(),
            Architecture::DistilBert => Config::distilbert(),
        };
        let is_bert = architecture == Architecture::Bert;
        let hidden_dropout = number("hidden_dropout_prob", default.hidden_dropout)?;
        let classifier =
            if is_bert { hidden_dropout } else { default.classifier_dropout };
        Ok(Config {
            classes: self.classes()?,
            vocab_size: size("vocab_size")?,
            hidden_size: size("hidden_size")?,
            num_hidden_layers: size("num_hidden_layers")?,
            num_attention_heads: size("num_attention_heads")?,
            intermediate_size: size("intermediate_size")?,
            activation: self.activation(architecture.calls("hidden_act"))?,
            max_position_embeddings: size("max_position_embeddings")?,
            // DistilBERT has no token types, and its epsilon is not configurable.
            type_vocab_size: if is_bert {
                self.size("type_vocab_size", Some(2))?
            } else {
                0
            },
            layer_norm_eps: if is_bert {
                self.number("layer_norm_eps", default.layer_norm_eps)?
            } else {
                default.layer_norm_eps
            },
            pad_token_id: u32::try_from(self.size("pad_token_id", Some(0))?)
                .map_err(|_| self.wrong("pad_token_id", "too large", "a token's id"))?,
            hidden_dropout,
            attention_dropout: number(
                "attention_probs_dropout_prob",
                default.attention_dropout,
            )?,
            classifier_dropout: number("classifier_dropout", classifier)?,
            id2label: self.labels()?,
            problem_type: self.problem_type()?,
            tie_word_embeddings: self.flag("tie_word_embeddings", true)?,
            tokenizer_class: self.text("tokenizer_class")?,
            architecture,
        })
    }

    /// What this file calls the size that BERT's calls `name`: of DistilBERT's sizes, three
    /// may go by BERT's names, which `transformers` reads last.
    fn called(&self, architecture: Architecture, name: &'static str) -> &'static str {
        let own = architecture.calls(name);
        let may_alias = name != "intermediate_size" && self.get(name).is_some();
        if may_alias { name } else { own }
    }

    /// A field; `null` is as good as absent.
    fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    fn size(&self, name: &'static str, default: Option<usize>) -> Result<usize> {
        match (self.get(name), default) {
            (Some(value), _) => value
                .as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .ok_or_else(|| self.wrong(name, value, "a whole number, not negative")),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(self.wrong(name, "missing", "a whole number")),
        }
    }

    fn number(&self, name: &'static str, default: f64) -> Result<f64> {
        self.get(name).map_or(Ok(default), |value| {
            value.as_f64().ok_or_else(|| self.wrong(name, value, "a number"))
        })
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool> {
        self.get(name).map_or(Ok(default), |value| {
            value.as_bool().ok_or_else(|| self.wrong(name, value, "true or false"))
        })
    }

    fn text(&self, name: &'static str) -> Result<Option<String>> {
        let text = |value: &Value| {
            let text = value.as_str().map(str::to_string);
            text.ok_or_else(|| self.wrong(name, value, "a name"))
        };
        self.get(name).map(text).transpose()
    }

    fn problem_type(&self) -> Result<Option<ProblemType>> {
        let Some(name) = self.text("problem_type")? else { return Ok(None) };
        let named = |problem: &ProblemType| problem.name() == name;
        let found = ProblemType::ALL.into_iter().find(named);
        found.map(Some).ok_or_else(|| {
            let names = ProblemType::ALL.map(ProblemType::name).join(", ");
            self.wrong("problem_type", &name, &format!("one of {names}"))
        })
    }

    fn activation(&self, name: &'static str) -> Result<Activation> {
        let Some(value) = self.get(name) else { return Ok(Activation::Gelu) };
        value.as_str().and_then(Activation::from_name).ok_or_else(|| {
            ModelError::Unsupported {
                path: self.path.to_path_buf(),
                field: name,
                found: value.to_string(),
                supported: "the activations are gelu, gelu_new, gelu_pytorch_tanh and relu",
            }
        })
    }

    fn classes(&self) -> Result<Vec<String>> {
        let Some(value) = self.get("architectures") else { return Ok(Vec::new()) };
        let names = value.as_array().and_then(|values| {
            values.iter().map(|name| Some(name.as_str()?.to_string())).collect()
        });
        names.ok_or_else(|| self.wrong("architectures", value, "a list of names"))
    }

    /// `id2label` in the order of its ids, else `num_labels` made-up names, else two.
    fn labels(&self) -> Result<Vec<String>> {
        let Some(value) = self.get("id2label") else {
            let count = self.size("num_labels", Some(2))?;
            if !(1..=MAX_LABELS).contains(&count) {
                let expected = format!("1 to {MAX_LABELS}");
                return Err(self.wrong("num_labels", &count, &expected));
            }
            return Ok((0..count).map(|id| format!("LABEL_{id}")).collect());
        };
        let wrong = || {
            self.wrong(
                "id2label",
                value,
                "a name for each id from \"0\" up, without gaps",
            )
        };
        let labels = value.as_object().ok_or_else(wrong)?;
        let count = self.size("num_labels", Some(labels.len()))?;
        if count != labels.len() {
            // transformers 4 believes the names, 5 the number.
            let expected = format!("{}, as many as id2label has", labels.len());
            return Err(self.wrong("num_labels", &count, &expected));
        }
        (0..labels.len())
            .map(|id| {
                let label = labels.get(&id.to_string()).and_then(Value::as_str);
                label.map(str::to_string).ok_or_else(wrong)
            })
            .collect()
    }

    /// Refuses what would load and compute something else.
    fn refuse_variants(&self) -> Result<()> {
        let absolute = |value: &Value| value == "absolute";
        let off = |value: &Value| value == false;
        let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        let never = |_: &Value| false;
        let single = |value: &Value| value == "model.safetensors";
        let other_task = |value: &Value| value.get("text-classification").is_none();
        let checks: [Check; 8] = [
            ("position_embedding_type", &absolute, "only absolute positions are"),
            ("is_decoder", &off, "only encoders are"),
            ("add_cross_attention", &off, "only encoders are"),
            ("pruned_heads", &empty, "only models with all their heads are"),
            ("quantization_config", &never, "only f32, f16 and bf16 weights are"),
            ("per_layer_config", &empty, "only layers that are alike are"),
            ("transformers_weights", &single, "the weights are in model.safetensors"),
            ("task_specific_params", &other_task, "set it outside of the task's"),
        ];
        for (field, accepted, supported) in checks {
            if let Some(value) = self.get(field).filter(|value| !accepted(value)) {
                return Err(ModelError::Unsupported {
                    path: self.path.to_path_buf(),
                    field,
                    found: value.to_string(),
                    supported,
                });
            }
        }
        Ok(())
    }

    fn wrong(
        &self,
        field: &str,
        found: &(impl ToString + ?Sized),
        expected: &str,
    ) -> ModelError {
        ModelError::Field {
            path: self.path.to_path_buf(),
            field: field.to_string(),
            found: shortened(found.to_string()),
            expected: expected.to_string(),
        }
    }
}

/// A value for a message: a line of it.
fn shortened(text: String) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
