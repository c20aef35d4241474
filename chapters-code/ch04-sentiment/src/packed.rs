//! The same encoder on packed weights: for answers, not for training.
//!
//! It is what the command lines and pipelines options. It computes what [`BaseModel`] computes,
//! to rounding (the tests hold its attentions to 2e-6), several times as fast: the
//! `kernels` crate says how.

use candle_core::{Device, Shape, Tensor};
use candle_nn::Linear;
use kernels::{
    Buffer, Buffers, Epilogue, Heads, KernelError, PackedLinear, attention, in_pool,
};
use training::attention::head_width;
use training::{Activation, EncoderLayer, LayerNorm};

use crate::base::BaseModel;
use crate::batch::Batch;
use crate::embeddings::Embeddings;
use crate::encoder::{EncoderOutput, ForwardOptions};
use crate::error::{EncoderError, Result};

/// Embeddings and a stack of layers whose weights are packed once, in the order in which
/// the processor reads them.
#[derive(Debug)]
pub struct PackedEncoder {
    embeddings: Embeddings,
    layers: Vec<PackedLayer>,
    buffers: Buffers,
}

#[derive(Debug)]
struct PackedLayer {
    heads: usize,
    /// Query, key and value side by side, `d_model -> 3 · d_model`.
    qkv: PackedLinear,
    attention_output: PackedLinear,
    attention_norm: PackedNorm,
    linear1: PackedLinear,
    activation: Activation,
    linear2: PackedLinear,
    feed_forward_norm: PackedNorm,
}

/// A LayerNorm in f32, whatever its weights were.
#[derive(Debug)]
pub struct PackedNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f64,
}

/// What the layers of a pass write to, one after another. The buffers stay with the
/// encoder for its next pass: memory fresh from the system is slow.
struct Scratch {
    /// `[batch · n, 3 · d_model]`
    qkv: Buffer,
    /// `[batch · n, d_model]`
    context: Buffer,
    /// `[batch · n, d_model]`
    attended: Buffer,
    /// `[batch · n, d_ff]`
    hidden: Buffer,
}

impl PackedEncoder {
    /// Packs a model's weights, and lets each layer go once it is packed: the weights
    /// are in memory once, not twice.
    ///
    /// # Errors
    ///
    /// [`EncoderError`] if the heads don't divide `d_model`, or the weights aren't f32.
    pub fn pack(base: BaseModel) -> Result<Self> {
        let BaseModel { embeddings, encoder } = base;
        let layers = encoder.layers.into_iter().map(|layer| PackedLayer::pack(&layer));
        let (layers, buffers) = (layers.collect::<Result<_>>()?, Buffers::default());
        Ok(Self { embeddings, layers, buffers })
    }

    /// As [`BaseModel::forward`]: the last vectors of a batch's tokens, and what `options`
    /// ask for.
    ///
    /// # Errors
    ///
    /// Those of [`Embeddings::forward`]; [`EncoderError::Training`] if `options` have
    /// dropout.
    pub fn forward(
        &self,
        batch: &Batch,
        options: ForwardOptions,
    ) -> Result<EncoderOutput> {
        if options.dropout.is_some() {
            return Err(EncoderError::Training);
        }
        let x = self.embeddings.forward(batch, None)?; // [batch, n, d_model]
        let mask = batch.additive_mask(x.dtype(), x.device())?; // [batch, 1, 1, n]
        let mask = mask.map(|mask| values(&mask)).transpose()?;
        in_pool(|| self.layers(&x, mask.as_deref(), options))
    }

    /// All layers in order: `x` is `[batch, n, d_model]`, the mask `[batch · n]`.
    fn layers(
        &self,
        x: &Tensor,
        mask: Option<&[f32]>,
        options: ForwardOptions,
    ) -> Result<EncoderOutput> {
        let (batch, n, d_model) = x.dims3()?;
        let mut hidden_states = options.output_hidden_states.then(|| vec![x.clone()]);
        let mut attentions = options.output_attentions.then(Vec::new);
        let mut scratch = Scratch::new(&self.buffers, batch * n, &self.layers);
        let mut x = values(x)?; // [batch · n, d_model]
        for layer in &self.layers {
            let (heads, d_k) = (layer.heads, d_model / layer.heads);
            let shape = Heads { batch, tokens: n, heads, d_k };
            let mut weights =
                options.output_attentions.then(|| vec![0.0; batch * heads * n * n]);
            layer.forward(&mut x, shape, mask, weights.as_deref_mut(), &mut scratch)?;
            if let (Some(attentions), Some(weights)) = (&mut attentions, weights) {
                attentions.push(tensor(weights, (batch, heads, n, n))?);
            }
            if let Some(states) = &mut hidden_states {
                states.push(tensor(x.clone(), (batch, n, d_model))?);
            }
        }
        let last_hidden_state = tensor(x, (batch, n, d_model))?;
        Ok(EncoderOutput { last_hidden_state, hidden_states, attentions })
    }
}

impl PackedLayer {
    fn pack(layer: &EncoderLayer) -> Result<Self> {
        let EncoderLayer { attention, feed_forward, .. } = layer;
        let qkv = [&attention.query, &attention.key, &attention.value];
        head_width(attention.query.weight().dim(0)?, attention.heads)?;
        Ok(Self {
            heads: attention.heads,
            qkv: side_by_side(&qkv)?,
            attention_output: side_by_side(&[&attention.output])?,
            attention_norm: PackedNorm::pack(&layer.attention_norm)?,
            linear1: side_by_side(&[&feed_forward.linear1])?,
            activation: feed_forward.activation,
            linear2: side_by_side(&[&feed_forward.linear2])?,
            feed_forward_norm: PackedNorm::pack(&layer.feed_forward_norm)?,
        })
    }

    /// One layer: `x`, `[batch · n, d_model]`, becomes the tokens' new vectors; the
    /// attentions go to `weights`, `[batch, heads, n, n]`.
    fn forward(
        &self,
        x: &mut [f32],
        shape: Heads,
        mask: Option<&[f32]>,
        weights: Option<&mut [f32]>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let rows = shape.batch * shape.tokens;
        let Scratch { qkv, context, attended, hidden } = scratch;
        self.qkv.forward(x, rows, Epilogue::None, qkv)?;
        attention(qkv, shape, mask, context, weights)?;
        self.attention_output.forward(context, rows, Epilogue::Add(x), attended)?;
        self.attention_norm.forward(attended)?;
        self.linear1.forward(attended, rows, epilogue(self.activation), hidden)?;
        self.linear2.forward(hidden, rows, Epilogue::Add(attended), x)?;
        Ok(self.feed_forward_norm.forward(x)?)
    }
}

impl Scratch {
    fn new(buffers: &Buffers, rows: usize, layers: &[PackedLayer]) -> Self {
        let widest = |width: fn(&PackedLayer) -> usize| {
            buffers.take(rows * layers.iter().map(width).max().unwrap_or(0))
        };
        Self {
            qkv: widest(|layer| layer.qkv.outputs()),
            context: widest(|layer| layer.attention_output.inputs()),
            attended: widest(|layer| layer.attention_output.outputs()),
            hidden: widest(|layer| layer.linear1.outputs()),
        }
    }
}

impl PackedNorm {
    /// Takes the weights out of their tensors.
    ///
    /// # Errors
    ///
    /// If they aren't f32.
    pub fn pack(norm: &LayerNorm) -> Result<Self> {
        let (weight, bias) = (values(&norm.weight)?, values(&norm.bias)?);
        Ok(Self { weight, bias, epsilon: norm.epsilon })
    }

    /// Each row of `x`, `[rows, d_model]`, becomes its norm.
    ///
    /// # Errors
    ///
    /// If `x` isn't made of whole rows.
    pub fn forward(&self, x: &mut [f32]) -> Result<(), KernelError> {
        #[expect(clippy::cast_possible_truncation, reason = "1e-12 is an f32 as well")]
        let epsilon = self.epsilon as f32;
        let norm =
            kernels::LayerNorm { gamma: &self.weight, beta: &self.bias, epsilon };
        norm.forward(x, None)
    }
}

/// What a product does to its sums where a layer's activation follows it.
pub fn epilogue(activation: Activation) -> Epilogue<'static> {
    match activation {
        Activation::Gelu => Epilogue::Gelu,
        Activation::GeluTanh => Epilogue::GeluTanh,
        Activation::Relu => Epilogue::Relu,
    }
}

/// Packs layers that read the same input, as one whose outputs stand side by side.
///
/// # Errors
///
/// If there is none, their inputs differ, or the weights aren't f32.
pub fn side_by_side(layers: &[&Linear]) -> Result<PackedLinear> {
    let parts = layers.iter().map(|layer| {
        let bias = layer.bias().map(values).transpose()?;
        Ok((values(layer.weight())?, bias))
    });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let slices: Vec<_> =
        parts.iter().map(|(weight, bias)| (&weight[..], bias.as_deref())).collect();
    let inputs = layers.first().map_or(Ok(0), |layer| layer.weight().dim(1))?;
    Ok(PackedLinear::side_by_side(&slices, inputs)?)
}

/// A tensor's numbers, row after row.
///
/// # Errors
///
/// If they aren't f32.
pub fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, shape.into(), &Device::Cpu)?)
}
