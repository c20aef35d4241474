//! From a checkpoint of GPT-2's to tensors as this chapter's model asks for them, and back.
//!
//! GPT-2's linear layers are TensorFlow's: their weights lie `[inputs, outputs]` (transformers'
//! `Conv1D`), transposed to PyTorch's and ours. Names stand with `transformer.` before them
//! (a `GPT2LMHeadModel`'s) or bare (a `GPT2Model`'s, and OpenAI's own).

use std::collections::BTreeMap;

use candle_core::{DType, Tensor};
use hub::{Checkpoint, Mismatch, ModelError, WrongShape};
use training::parameters::Tensors;

use crate::config::GptConfig;
use crate::error::{GenerationError, Result};

/// What stands before every name: of the class, and of the wrappers that it was saved in.
const PREFIXES: [&str; 4] = ["module.", "_orig_mod.", "model.", "transformer."];

/// The layers whose weights lie transposed in a checkpoint.
const TRANSPOSED: [&str; 3] = ["c_attn.weight", "c_proj.weight", "c_fc.weight"];

/// A checkpoint's tensors in f32, by GPT-2's names without a prefix, each linear layer's weight
/// `[outputs, inputs]`. Scores that a configuration scales otherwise than by 1/√d_k are made so
/// in the queries.
///
/// # Errors
///
/// [`ModelError::Mismatch`] with all tensors that are missing or of another shape, and layers
/// beyond the configuration's.
pub fn read(checkpoint: &Checkpoint, config: &GptConfig) -> Result<Tensors> {
    let stored = names(checkpoint)?;
    check(checkpoint, config, &stored)?;
    let mut tensors = Tensors::new();
    for (name, _) in shapes(config) {
        let Some(stored) = stored.get(&name) else { continue };
        let mut tensor = checkpoint.tensor(stored, DType::F32)?;
        if TRANSPOSED.iter().any(|end| name.ends_with(end)) {
            tensor = tensor.t()?.contiguous()?; // [inputs, outputs] -> [outputs, inputs]
        }
        tensors.insert(name, tensor);
    }
    scale_queries(&mut tensors, config)?;
    Ok(tensors)
}

/// Tensors as [`read`] gives them, under the names and in the shapes of a `GPT2LMHeadModel`'s
/// checkpoint.
///
/// # Errors
///
/// If a linear layer's weight isn't a matrix.
pub fn to_checkpoint(tensors: &Tensors) -> Result<Tensors> {
    let mut stored = Tensors::new();
    for (name, tensor) in tensors {
        let transposed = TRANSPOSED.iter().any(|end| name.ends_with(end));
        let tensor =
            if transposed { tensor.t()?.contiguous()? } else { tensor.clone() };
        let prefix = if name.starts_with("lm_head.") { "" } else { "transformer." };
        stored.insert(format!("{prefix}{name}"), tensor);
    }
    Ok(stored)
}

/// From each name without a prefix to the name in the file; the buffers that old versions saved,
/// masks and not weights, are left out.
fn names(checkpoint: &Checkpoint) -> Result<BTreeMap<String, String>> {
    let mut stored: BTreeMap<String, String> = BTreeMap::new();
    for full in checkpoint.names() {
        let mut name = full;
        while let Some(inner) =
            PREFIXES.iter().find_map(|outer| name.strip_prefix(outer))
        {
            name = inner;
        }
        if name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") {
            continue;
        }
        if let Some(other) = stored.insert(name.to_owned(), full.to_owned()) {
            return Err(GenerationError::Format {
                path: checkpoint.path().to_path_buf(),
                what: "a checkpoint of one model",
                reason: format!("{other} and {full} are both {name}"),
            });
        }
    }
    Ok(stored)
}

/// Every tensor of a model of this configuration, with its shape in a checkpoint.
fn shapes(config: &GptConfig) -> Vec<(String, Vec<usize>)> {
    let (d, inner) = (config.n_embd, config.n_inner);
    let mut shapes = vec![
        ("wte.weight".to_owned(), vec![config.vocab_size, d]),
        ("wpe.weight".to_owned(), vec![config.n_positions, d]),
    ];
    for layer in 0..config.n_layer {
        let parts = [
            ("ln_1.weight", vec![d]),
            ("ln_1.bias", vec![d]),
            ("attn.c_attn.weight", vec![d, 3 * d]),
            ("attn.c_attn.bias", vec![3 * d]),
            ("attn.c_proj.weight", vec![d, d]),
            ("attn.c_proj.bias", vec![d]),
            ("ln_2.weight", vec![d]),
            ("ln_2.bias", vec![d]),
            ("mlp.c_fc.weight", vec![d, inner]),
            ("mlp.c_fc.bias", vec![inner]),
            ("mlp.c_proj.weight", vec![inner, d]),
            ("mlp.c_proj.bias", vec![d]),
        ];
        shapes.extend(parts.map(|(part, shape)| (format!("h.{layer}.{part}"), shape)));
    }
    shapes.push(("ln_f.weight".to_owned(), vec![d]));
    shapes.push(("ln_f.bias".to_owned(), vec![d]));
    if !config.tie_word_embeddings {
        shapes.push(("lm_head.weight".to_owned(), vec![config.vocab_size, d]));
    }
    shapes
}

/// That all tensors are there, in their shapes, and no layer besides.
fn check(
    checkpoint: &Checkpoint,
    config: &GptConfig,
    stored: &BTreeMap<String, String>,
) -> Result<()> {
    let path = checkpoint.path().to_path_buf();
    let mut mismatch = Mismatch { path, ..Mismatch::default() };
    let expected = shapes(config);
    for (name, shape) in &expected {
        let info = stored.get(name).and_then(|stored| checkpoint.info(stored));
        match info {
            None => mismatch.missing.push((name.clone(), shape.clone())),
            Some(info) if info.shape != *shape => mismatch.wrong.push(WrongShape {
                name: name.clone(),
                expected: shape.clone(),
                found: info.shape.clone(),
            }),
            Some(_) => {}
        }
    }
    let known = |name: &&String| expected.iter().any(|(known, _)| known == *name);
    let layers = stored.keys().filter(|name| name.starts_with("h."));
    mismatch.unused = layers.filter(|name| !known(name)).cloned().collect();
    if !mismatch.unused.is_empty() {
        mismatch.hint = Some("it has more layers than config.json says".to_owned());
    }
    let whole = mismatch.missing.is_empty() && mismatch.wrong.is_empty();
    if whole && mismatch.unused.is_empty() {
        return Ok(());
    }
    Err(ModelError::Mismatch(Box::new(mismatch)).into())
}

/// Multiplies the rows of `c_attn` that make queries, so that 1/√d_k, which attention always
/// divides by, comes to what the configuration says.
fn scale_queries(tensors: &mut Tensors, config: &GptConfig) -> Result<()> {
    let d_k = (config.n_embd / config.n_head) as f64;
    let unscaled = if config.scale_attn_weights { 1.0 } else { d_k.sqrt() };
    for layer in 0..config.n_layer {
        let by_layer = config.scale_attn_by_inverse_layer_idx;
        let factor = if by_layer { unscaled / (layer + 1) as f64 } else { unscaled };
        if (factor - 1.0).abs() < f64::EPSILON {
            continue;
        }
        for part in ["weight", "bias"] {
            let name = format!("h.{layer}.attn.c_attn.{part}");
            let Some(tensor) = tensors.get(&name) else { continue };
            let d = config.n_embd; // [3 · d, …]: queries, keys, values
            let queries = (tensor.narrow(0, 0, d)? * factor)?;
            let others = tensor.narrow(0, d, 2 * d)?;
            tensors.insert(name, Tensor::cat(&[queries, others], 0)?);
        }
    }
    Ok(())
}
