//! From a checkpoint to a model, every tensor accounted for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Error, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

use crate::checkpoint::Checkpoint;
use crate::config::{Architecture, Config};
use crate::error::{Mismatch, ModelError, Result, WrongShape};
use crate::folder::ModelFolder;

/// Builds a model from a folder's weights, on the CPU.
///
/// `build` asks the [`VarBuilder`] for tensors by their names in `transformers`
/// (`bert.embeddings.word_embeddings.weight`, `distilbert.…`, `cls.predictions.…`,
/// `pre_classifier.weight`, `classifier.weight`, …), whatever the file calls them: with the
/// prefix or bare, `gamma/beta` for LayerNorm's `weight/bias`, tied decoder weights absent,
/// and with what wrappers put before all names (`module.`, `_orig_mod.`, `model.`).
/// A tensor that is missing or of another shape comes as zeros that take no memory, and the
/// error lists all of them once `build` is done; from the first of them on, nothing more is
/// read from the disk.
///
/// # Errors
///
/// All tensors missing or of another shape; tensors of the encoder that `build` didn't ask
/// for (the pooler, heads and buffers may be left out); and whatever `build` returns.
pub fn load<M>(
    folder: &ModelFolder,
    dtype: DType,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<M> {
    load_checkpoint(&folder.checkpoint()?, &folder.config()?, dtype, build)
}

/// As [`load`], from a checkpoint and a configuration at hand.
pub fn load_checkpoint<M>(
    checkpoint: &Checkpoint,
    config: &Config,
    dtype: DType,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<M> {
    let source = Source::new(checkpoint, config)?;
    let backend = Box::new(Backend(&source));
    let built = build(VarBuilder::from_backend(backend, dtype, Device::Cpu));
    source.judge(built)
}

/// A checkpoint under the names of `transformers`, and what was asked of it.
struct Source<'a> {
    checkpoint: &'a Checkpoint,
    architecture: Architecture,
    tied: bool,
    /// From each name in `transformers` to the name in the file.
    stored: BTreeMap<String, String>,
    requests: Mutex<Requests>,
}

/// What `build` asked for.
#[derive(Default)]
struct Requests {
    asked: BTreeSet<String>,
    missing: Vec<(String, Vec<usize>)>,
    wrong: Vec<WrongShape>,
    /// What may be asked for twice, under two names.
    shared: HashMap<String, Tensor>,
    /// Why reading failed, in our words instead of candle's.
    failed: Option<ModelError>,
}

/// Pairs of names for one tensor: a checkpoint may hold either or both. The first pairs are
/// one only if `tie_word_embeddings` says so.
const TIED_WEIGHTS: [[&str; 2]; 2] = [
    ["bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"],
    ["distilbert.embeddings.word_embeddings.weight", "vocab_projector.weight"],
];
const ONE_BIAS: [&str; 2] = ["cls.predictions.bias", "cls.predictions.decoder.bias"];

const CLASSIFIER: &str = "a sequence-classification head, which a fine-tuned BertForSequenceClassification or \
     DistilBertForSequenceClassification has, such as \
     distilbert-base-uncased-finetuned-sst-2-english";

/// The heads of the two architectures: the beginning of their tensors' names, what they are
/// and who has one.
const HEADS: [(&str, &str); 7] = [
    ("classifier.", CLASSIFIER),
    ("pre_classifier.", CLASSIFIER),
    (
        "cls.predictions.",
        "a masked-LM head, which a BertForMaskedLM or BertForPreTraining has, such as \
         bert-base-uncased",
    ),
    ("cls.seq_relationship.", "a next-sentence head, which a BertForPreTraining has"),
    (
        "vocab_",
        "a masked-LM head, which a DistilBertForMaskedLM has, such as distilbert-base-uncased",
    ),
    (
        "qa_outputs.",
        "a question-answering head, which a model …ForQuestionAnswering has",
    ),
    (
        "bert.pooler.",
        "a pooler, which every BERT but one trained for masked LM alone has",
    ),
];

impl<'a> Source<'a> {
    fn new(checkpoint: &'a Checkpoint, config: &Config) -> Result<Self> {
        let mut stored = BTreeMap::new();
        for name in checkpoint.names() {
            let canonical = canonical(name, config.architecture);
            if let Some(other) = stored.insert(canonical.clone(), name.to_string()) {
                return Err(ModelError::Format {
                    path: checkpoint.path().to_path_buf(),
                    format: "a checkpoint",
                    reason: format!("{other} and {name} are both {canonical}"),
                });
            }
        }
        Ok(Self {
            checkpoint,
            architecture: config.architecture,
            tied: config.tie_word_embeddings,
            stored,
            requests: Mutex::default(),
        })
    }

    /// The name in the file of what is asked for, itself or what it is tied to.
    fn stored(&self, name: &str) -> Option<&String> {
        let ties = if self.tied { TIED_WEIGHTS.as_slice() } else { &[] };
        let other = ties.iter().chain([&ONE_BIAS]).find_map(|&[a, b]| match name {
            _ if name == a => Some(b),
            _ if name == b => Some(a),
            _ => None,
        });
        self.stored.get(name).or_else(|| self.stored.get(other?))
    }

    /// The tensor if all is well so far, else zeros.
    fn get(
        &self,
        name: &str,
        shape: Option<&Shape>,
        dtype: DType,
    ) -> candle_core::Result<Tensor> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stored) = self.stored(name) else {
            let dims = shape.map_or(Vec::new(), |shape| shape.dims().to_vec());
            requests.missing.push((name.to_string(), dims));
            return self.zeros(shape, dtype);
        };
        requests.asked.insert(stored.clone());
        let found = self.checkpoint.info(stored).map_or(&[][..], |info| &info.shape);
        if let Some(shape) = shape.filter(|shape| shape.dims() != found) {
            requests.wrong.push(WrongShape {
                name: name.to_string(),
                expected: shape.dims().to_vec(),
                found: found.to_vec(),
            });
            return self.zeros(Some(shape), dtype);
        }
        if !requests.missing.is_empty() || !requests.wrong.is_empty() {
            return self.zeros(Some(&Shape::from(found)), dtype);
        }
        if let Some(tensor) = requests.shared.get(stored) {
            return tensor.to_dtype(dtype);
        }
        match self.checkpoint.tensor(stored, dtype) {
            Ok(tensor) => {
                if TIED_WEIGHTS.iter().flatten().any(|tied| *tied == name) {
                    requests.shared.insert(stored.clone(), tensor.clone());
                }
                Ok(tensor)
            }
            Err(error) => {
                let message = error.to_string();
                requests.failed = Some(error);
                Err(Error::Msg(message))
            }
        }
    }

    /// Zeros that all are the same one, so that a wrong shape takes no memory. If `build`
    /// copied one larger than the whole file, it would: it is stopped instead.
    fn zeros(
        &self,
        shape: Option<&Shape>,
        dtype: DType,
    ) -> candle_core::Result<Tensor> {
        let shape = shape.cloned().unwrap_or_else(|| Shape::from(()));
        let elements = shape
            .dims()
            .iter()
            .try_fold(1_usize, |elements, &size| elements.checked_mul(size));
        if elements.is_none_or(|elements| elements > self.checkpoint.elements()) {
            return Err(Error::Msg(format!("{shape:?} is larger than the checkpoint")));
        }
        Tensor::zeros((), dtype, &Device::Cpu)?.broadcast_as(shape)
    }

    /// The model, or all that is wrong with the checkpoint.
    fn judge<M>(self, built: candle_core::Result<M>) -> Result<M> {
        let requests = std::mem::take(
            &mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner),
        );
        if let Some(error) = requests.failed {
            return Err(error);
        }
        let mut mismatch = Mismatch {
            path: self.checkpoint.path().to_path_buf(),
            missing: requests.missing,
            wrong: requests.wrong,
            ..Mismatch::default()
        };
        let prefix = self.architecture.prefix();
        if mismatch.missing.is_empty() && mismatch.wrong.is_empty() {
            let model = built?;
            mismatch.unused = unused(&self.stored, &requests.asked, prefix);
            if mismatch.unused.is_empty() {
                self.refuse_two_decoders(&requests.asked)?;
                return Ok(model);
            }
            mismatch.hint = Some("its encoder is larger than config.json says".into());
        } else {
            mismatch.hint = hint(&mismatch.missing, &self.stored, prefix);
        }
        Err(ModelError::Mismatch(Box::new(mismatch)))
    }
}

impl Source<'_> {
    /// Refuses a masked-LM head of which it isn't clear what it decodes with: of two tables that
    /// differ, although they should be one, only the first was asked for.
    fn refuse_two_decoders(&self, asked: &BTreeSet<String>) -> Result<()> {
        let of_head = |name: &str| {
            ["cls.predictions.", "vocab_"].iter().any(|head| name.starts_with(head))
        };
        let head = self
            .stored
            .iter()
            .any(|(name, stored)| of_head(name) && asked.contains(stored));
        for [words, decoder] in TIED_WEIGHTS {
            let both = (self.stored.get(words), self.stored.get(decoder));
            let (true, true, (Some(words), Some(decoder))) = (head, self.tied, both)
            else {
                continue;
            };
            if asked.contains(decoder) {
                continue;
            }
            let read = |name: &str| -> Result<Vec<f32>> {
                Ok(self
                    .checkpoint
                    .tensor(name, DType::F32)?
                    .flatten_all()?
                    .to_vec1()?)
            };
            if read(words)? != read(decoder)? {
                let reason = format!(
                    "{words} and {decoder} differ, although tie_word_embeddings is true: \
                     transformers 4 takes one for both, transformers 5 keeps both; say false \
                     in config.json, or take out the one that is not meant"
                );
                let path = self.checkpoint.path().to_path_buf();
                return Err(ModelError::Format {
                    path,
                    format: "a checkpoint",
                    reason,
                });
            }
        }
        Ok(())
    }
}

/// The encoder's tensors that were not asked for; the pooler and buffers may be left out.
fn unused(
    stored: &BTreeMap<String, String>,
    asked: &BTreeSet<String>,
    prefix: &str,
) -> Vec<String> {
    let optional = |name: &str| {
        name.starts_with("bert.pooler.")
            || name.ends_with(".position_ids")
            || name.ends_with(".token_type_ids")
    };
    let of_encoder = |name: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
    };
    let unused = stored.iter().filter(|(name, stored)| {
        of_encoder(name) && !optional(name) && !asked.contains(*stored)
    });
    unused.map(|(name, _)| name.clone()).collect()
}

/// What the missing tensors have in common.
fn hint(
    missing: &[(String, Vec<usize>)],
    stored: &BTreeMap<String, String>,
    prefix: &str,
) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let of_head = |name: &str| HEADS.iter().find(|(head, _)| name.starts_with(head));
    if let Some(heads) =
        missing.iter().map(|(name, _)| of_head(name)).collect::<Option<Vec<_>>>()
    {
        let mut heads: Vec<_> = heads.into_iter().map(|(_, head)| *head).collect();
        heads.dedup();
        return Some(format!("it lacks {}", heads.join("; and ")));
    }
    if stored.keys().any(|name| name.starts_with(prefix)) {
        return None;
    }
    let first = stored.values().next().map_or("nothing", String::as_str);
    Some(format!(
        "it has no tensor `{prefix}.…`, but {first}: it is of another architecture"
    ))
}

/// What stands before every name in a checkpoint that was saved from a model in its wrapper:
/// DataParallel's, `torch.compile`'s, Lightning's.
const WRAPPERS: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// The name in `transformers` of a tensor: without wrappers, with the encoder's prefix, and
/// LayerNorm's parameters as PyTorch names them.
fn canonical(mut name: &str, architecture: Architecture) -> String {
    while let Some(inner) = WRAPPERS.iter().find_map(|outer| name.strip_prefix(outer)) {
        name = inner;
    }
    let bare = match architecture {
        Architecture::Bert => ["embeddings.", "encoder.", "pooler."],
        Architecture::DistilBert => ["embeddings.", "transformer.", "\0"],
    };
    let name = match name.rsplit_once('.') {
        Some((layer, "gamma")) => format!("{layer}.weight"),
        Some((layer, "beta")) => format!("{layer}.bias"),
        _ => name.to_string(),
    };
    if bare.iter().any(|part| name.starts_with(part)) {
        return format!("{}.{name}", architecture.prefix());
    }
    name
}

/// A [`Source`] as candle asks it.
struct Backend<'a>(&'a Source<'a>);

impl SimpleBackend for Backend<'_> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        self.0.get(name, Some(&shape), dtype)?.to_device(device)
    }

    fn get_unchecked(
        &self,
        name: &str,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        self.0.get(name, None, dtype)?.to_device(device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.stored(name).is_some()
    }
}
