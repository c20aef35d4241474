//! The model run through the operations of `gradients`, to be trained.
//!
//! It is the model that answers: its tensors are the parameters. Only the way through it differs:
//! all blocks at once, no cache, each operation with its own backward pass.

use candle_core::{D, DType, Device, Result, Tensor, bail};
use candle_nn::Linear;
use gradients::{
    Attention, DropoutMask, attention, derive_seed, embed, gelu, layer_norm, linear,
    linear_cross_entropy,
};
use training::{Activation, LayerNorm, activate};

use crate::config::GptConfig;
use crate::gpt::{Gpt, GptLayer};

/// The mean loss of each token's guess of the next, in nats, over blocks of one length
/// (`n + 1` tokens for `n` guesses): transformers' `GPT2LMHeadModel(…, labels=…).loss`.
///
/// With a `seed` for this step it has the configuration's dropout; without, none.
///
/// # Errors
///
/// If there is no block, or a token or a position that the model doesn't have.
pub fn loss(
    model: &Gpt,
    config: &GptConfig,
    blocks: &[Vec<u32>],
    seed: Option<u64>,
) -> Result<Tensor> {
    let n = blocks.first().map_or(0, |block| block.len().saturating_sub(1));
    if n == 0 || blocks.iter().any(|block| block.len() != n + 1) {
        bail!("loss: blocks of at least two tokens, all of one length")
    }
    let ids: Vec<u32> = blocks.iter().flat_map(|block| block[..n].to_vec()).collect();
    let targets: Vec<u32> =
        blocks.iter().flat_map(|block| block[1..].to_vec()).collect();
    let places: Vec<u32> = blocks.iter().flat_map(|_| (0..).take(n)).collect();
    // [batch · n, d_model]
    let x = embed(&[(&model.words, &ids), (&model.positions, &places)])?;
    let mut x = dropout(&x, config.embd_pdrop, seed, EMBEDDINGS)?;
    for (i, layer) in (0..).zip(&model.layers) {
        let seed = seed.map(|seed| derive_seed(seed, i));
        x = forward(layer, &x, blocks.len(), config, seed)?;
    }
    let x = norm(&x, &model.norm)?; // [batch · n, d_model]
    let none = Tensor::zeros(model.vocabulary(), DType::F32, &Device::Cpu)?;
    linear_cross_entropy(&x, &model.decoder, &none, &targets)
}

/// Places of dropout in a step, beside the layers' numbers from 0, and in a layer.
const EMBEDDINGS: u64 = u64::MAX;
const WEIGHTS: u64 = 0;
const ATTENDED: u64 = 1;
const NETWORK: u64 = 2;

/// One layer; `x` is `[batch · n, d_model]`.
fn forward(
    layer: &GptLayer,
    x: &Tensor,
    batch: usize,
    config: &GptConfig,
    seed: Option<u64>,
) -> Result<Tensor> {
    let d_model = x.dim(D::Minus1)?;
    let qkv = dense(&norm(x, &layer.norm_1)?, &layer.attention.c_attn)?; // [batch · n, 3 · d_model]
    // [batch · n, 3 · d_model] -> three of [batch, n, d_model]
    let parts = qkv.chunk(3, 1)?;
    let part = |i: usize| parts[i].contiguous()?.reshape((batch, (), d_model));
    let options = Attention {
        heads: layer.attention.heads,
        mask: None,
        causal: true,
        dropout: mask(config.attn_pdrop, seed, WEIGHTS)?,
    };
    let context = attention(&part(0)?, &part(1)?, &part(2)?, &options)?;
    let context = context.reshape(((), d_model))?; // [batch · n, d_model]
    let attended = dense(&context, &layer.attention.c_proj)?;
    let x = (x + dropout(&attended, config.resid_pdrop, seed, ATTENDED)?)?;
    let hidden = dense(&norm(&x, &layer.norm_2)?, &layer.c_fc)?; // [batch · n, d_ff]
    let hidden = match layer.activation {
        Activation::Gelu => gelu(&hidden)?,
        other => activate(other, &hidden)?,
    };
    let added = dense(&hidden, &layer.c_proj)?; // [batch · n, d_model]
    x + dropout(&added, config.resid_pdrop, seed, NETWORK)?
}

fn dense(x: &Tensor, layer: &Linear) -> Result<Tensor> {
    match layer.bias() {
        Some(bias) => linear(x, layer.weight(), bias),
        None => candle_nn::Module::forward(layer, x),
    }
}

fn norm(x: &Tensor, norm: &LayerNorm) -> Result<Tensor> {
    layer_norm(x, &norm.weight, &norm.bias, norm.epsilon)
}

fn mask(
    probability: f64,
    seed: Option<u64>,
    place: u64,
) -> Result<Option<DropoutMask>> {
    let Some(seed) = seed else { return Ok(None) };
    DropoutMask::new(probability, derive_seed(seed, place))
}

fn dropout(
    x: &Tensor,
    probability: f64,
    seed: Option<u64>,
    place: u64,
) -> Result<Tensor> {
    gradients::dropout(x, mask(probability, seed, place)?)
}
