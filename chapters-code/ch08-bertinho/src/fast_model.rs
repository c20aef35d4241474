//! Chapters 4's and 5's models, run through the operations of `gradients` to be trained.
//!
//! The models are those that answer: their tensors are the parameters, under the names
//! that `transformers` knows. Only the way through them differs: the encoder layer is one
//! operation, and the vocabulary is guessed at masked positions alone.

use bert_attention::BertForMaskedLm;
use candle_core::{Error, Result, Tensor};
use gradients::{
    DropoutMask, LayerWeights, LinearWeights, NormWeights, cross_entropy, derive_seed,
    embed, embedding, encoder_layer, gelu, layer_norm, linear_cross_entropy,
};
use sentiment::{Batch, DistilBertForSequenceClassification, Embeddings, Encoder};
use training::{Activation, Dropout, DropoutRng, EncoderLayer, LayerNorm};

/// The words that a masked-LM loss is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masked {
    /// Where they are: `row · n + token` in the batch.
    pub positions: Vec<u32>,
    /// The pieces that belong there.
    pub targets: Vec<u32>,
}

/// The mean loss of the masked words: ln of the vocabulary at first, 0 when every word is
/// guessed with certainty. Transformers' `BertForMaskedLM(…).loss`, with `labels` at the
/// masked positions and −100 elsewhere.
///
/// With a `seed` for this step, it has dropout; without, none.
///
/// # Errors
///
/// If the batch has a piece or more tokens than the model knows, or a masked position or
/// target that doesn't exist, or nothing is masked.
pub fn masked_lm_loss(
    model: &BertForMaskedLm,
    batch: &Batch,
    masked: &Masked,
    seed: Option<u64>,
) -> Result<Tensor> {
    let (hidden, words) = (masked_hidden(model, batch, masked, seed)?, &model.bert);
    let words = &words.embeddings.words;
    linear_cross_entropy(&hidden, words, &model.bias, &masked.targets)
}

/// The masked words' vectors, through the head's transform: `[masked, d_model]`. Times the
/// table of words, plus the head's bias, they are the logits.
pub fn masked_hidden(
    model: &BertForMaskedLm,
    batch: &Batch,
    masked: &Masked,
    seed: Option<u64>,
) -> Result<Tensor> {
    let x = embeddings(&model.bert.embeddings, batch, seed)?;
    let x = encoder(&model.bert.encoder, x, batch, seed)?;
    let d_model = x.dim(2)?;
    // [batch, n, d_model] -> [batch · n, d_model]
    let x = x.reshape((batch.rows() * batch.n(), d_model))?;
    let x = embedding(&x, &masked.positions)?; // [masked, d_model]
    let x = linear(&x, &model.transform)?;
    norm(&activate(model.activation, &x)?, &model.norm)
}

/// The mean loss of a classifier's labels, one for each text of the batch: transformers'
/// `DistilBertForSequenceClassification(…, labels=…).loss`.
///
/// # Errors
///
/// As [`masked_lm_loss`]; if there isn't a label for each text.
pub fn classifier_loss(
    model: &DistilBertForSequenceClassification,
    batch: &Batch,
    labels: &[u32],
    seed: Option<u64>,
) -> Result<Tensor> {
    cross_entropy(&classifier_logits(model, batch, seed)?, labels)
}

/// A number for each label, for each text: `[batch, labels]`.
pub fn classifier_logits(
    model: &DistilBertForSequenceClassification,
    batch: &Batch,
    seed: Option<u64>,
) -> Result<Tensor> {
    let x = embeddings(&model.distilbert.embeddings, batch, seed)?;
    let x = encoder(&model.distilbert.encoder, x, batch, seed)?;
    let d_model = x.dim(2)?;
    // [batch, n, d_model] -> [batch · n, d_model]
    let x = x.reshape((batch.rows() * batch.n(), d_model))?;
    let n = u32::try_from(batch.n()).map_err(Error::wrap)?;
    let rows = u32::try_from(batch.rows()).map_err(Error::wrap)?;
    let first: Vec<u32> = (0..rows).map(|row| row * n).collect();
    let cls = embedding(&x, &first)?; // [batch, d_model]
    let hidden = linear(&cls, &model.head.pre_classifier)?.relu()?;
    let hidden = dropout(&hidden, model.head.dropout, seed, CLASSIFIER)?;
    linear(&hidden, &model.head.classifier)
}

/// Places of dropout in a step, beside the layers' numbers from 0.
const EMBEDDINGS: u64 = u64::MAX;
const CLASSIFIER: u64 = u64::MAX - 1;

/// The tokens' first vectors, `[batch, n, d_model]`.
fn embeddings(model: &Embeddings, batch: &Batch, seed: Option<u64>) -> Result<Tensor> {
    let (rows, n) = (batch.rows(), batch.n());
    let d_model = model.words.dim(1)?;
    let n_u32 = u32::try_from(n).map_err(Error::wrap)?;
    let places: Vec<u32> = (0..rows).flat_map(|_| 0..n_u32).collect();
    let mut tables = vec![(&model.words, batch.ids()), (&model.positions, &places[..])];
    if let Some(types) = &model.token_types {
        tables.push((types, batch.token_type_ids()));
    }
    let x = embed(&tables)?; // [batch · n, d_model]
    let x = dropout(&norm(&x, &model.norm)?, model.dropout, seed, EMBEDDINGS)?;
    x.reshape((rows, n, d_model)) // from [batch · n, d_model]
}

fn encoder(
    model: &Encoder,
    mut x: Tensor,
    batch: &Batch,
    seed: Option<u64>,
) -> Result<Tensor> {
    let mask = batch.additive_mask(x.dtype(), x.device()).map_err(Error::from)?;
    for (i, layer) in (0..).zip(&model.layers) {
        let seed = seed.map(|seed| derive_seed(seed, i));
        x = encoder_layer_of(layer, &x, mask.as_ref(), seed)?;
    }
    Ok(x)
}

/// A layer as one operation, if it is BERT's; step by step, if it isn't. `x` is
/// `[batch, n, d_model]`, the mask `[batch, 1, 1, n]`.
fn encoder_layer_of(
    layer: &EncoderLayer,
    x: &Tensor,
    mask: Option<&Tensor>,
    seed: Option<u64>,
) -> Result<Tensor> {
    if let Some(weights) = weights(layer) {
        let (batch, n, _) = x.dims3()?;
        // [batch, 1, 1, n] -> [batch, n]
        let mask = mask.map(|mask| mask.reshape((batch, n))).transpose()?;
        return encoder_layer(x, mask.as_ref(), &weights, seed);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a seed's lower half is one")]
    let rng = seed.map(|seed| DropoutRng::seed(seed as u32));
    Ok(layer.forward(x, mask, rng.as_ref()).map_err(Error::from)?.output)
}

/// The layer as [`encoder_layer`] takes it: with biases and exact GELU, or not at all.
fn weights(layer: &EncoderLayer) -> Option<LayerWeights<'_>> {
    let EncoderLayer { attention, feed_forward, .. } = layer;
    if feed_forward.activation != Activation::Gelu {
        return None;
    }
    Some(LayerWeights {
        heads: attention.heads,
        query: linear_weights(&attention.query)?,
        key: linear_weights(&attention.key)?,
        value: linear_weights(&attention.value)?,
        output: linear_weights(&attention.output)?,
        attention_norm: norm_weights(&layer.attention_norm),
        linear1: linear_weights(&feed_forward.linear1)?,
        linear2: linear_weights(&feed_forward.linear2)?,
        feed_forward_norm: norm_weights(&layer.feed_forward_norm),
        dropouts: [
            attention.dropout.probability(),
            layer.attention_dropout.probability(),
            layer.feed_forward_dropout.probability(),
        ],
    })
}

fn linear_weights(layer: &candle_nn::Linear) -> Option<LinearWeights<'_>> {
    Some(LinearWeights { weight: layer.weight(), bias: layer.bias()? })
}

fn norm_weights(norm: &LayerNorm) -> NormWeights<'_> {
    NormWeights { gamma: &norm.weight, beta: &norm.bias, epsilon: norm.epsilon }
}

fn dropout(
    x: &Tensor,
    dropout: Dropout,
    seed: Option<u64>,
    place: u64,
) -> Result<Tensor> {
    let Some(seed) = seed else { return Ok(x.clone()) };
    gradients::dropout(
        x,
        DropoutMask::new(dropout.probability(), derive_seed(seed, place))?,
    )
}

fn linear(x: &Tensor, layer: &candle_nn::Linear) -> Result<Tensor> {
    match layer.bias() {
        Some(bias) => gradients::linear(x, layer.weight(), bias),
        None => candle_nn::Module::forward(layer, x),
    }
}

fn norm(x: &Tensor, norm: &LayerNorm) -> Result<Tensor> {
    layer_norm(x, &norm.weight, &norm.bias, norm.epsilon)
}

fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::Gelu => gelu(x),
        other => training::activate(other, x).map_err(Error::from),
    }
}
