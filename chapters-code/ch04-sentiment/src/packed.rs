//! The same encoder on packed weights: for answers, not for training.
//!
//! It is what the command lines and pipelines run. It computes what [`BaseModel`]
//! computes, to rounding (the tests hold its attentions to 2e-6), several times as fast:
//! the `kernels` crate says how. The padding behind a text is left out: its vectors, and
//! its rows of the attentions, are 0.

use std::ops::Range;

use candle_core::{Device, Shape, Tensor};
use candle_nn::Linear;
use kernels::{
    Buffer, Buffers, Epilogue, Heads, KernelError, PackedLinear, attention, in_pool,
};
use ndarray::Array4;
use training::attention::head_width;
use training::{Activation, EncoderLayer, LayerNorm};

use crate::base::BaseModel;
use crate::batch::Batch;
use crate::embeddings::Embeddings;
use crate::encoder::{EncoderOutput, ForwardOptions, Head};
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

/// The texts of a batch without the padding behind them: what a pass computes are their
/// tokens alone, one text's after another's.
struct Texts<'a> {
    /// How many tokens a text has with its padding.
    n: usize,
    /// How many each has without.
    lengths: Vec<usize>,
    /// Added to the scores of each token, `[tokens]`, if any is hidden.
    mask: Option<Vec<f32>>,
    /// The heads that find nothing, of each text; of none if it is empty.
    removed: &'a [Vec<Head>],
}

/// What the layers of a pass write to, one after another. The buffers stay with the
/// encoder for its next pass: memory fresh from the system is slow.
struct Scratch {
    /// `[tokens, 3 · d_model]`
    qkv: Buffer,
    /// `[tokens, d_model]`
    context: Buffer,
    /// `[tokens, d_model]`
    attended: Buffer,
    /// `[tokens, d_ff]`
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

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// How wide a token's vector is.
    fn d_model(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.qkv.inputs())
    }

    /// How many heads a layer has.
    pub fn heads(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.heads)
    }

    /// As [`BaseModel::forward`]: the last vectors of a batch's tokens, and what `options`
    /// ask for; 0 for the padding behind a text.
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
        in_pool(|| {
            let x = self.embed(batch)?; // [batch, n, d_model]
            self.run(0..self.layers.len(), &x, batch, &[], options)
        })
    }

    /// What the first layer reads, `[batch, n, d_model]`.
    ///
    /// # Errors
    ///
    /// Those of [`Embeddings::forward`].
    pub fn embed(&self, batch: &Batch) -> Result<Tensor> {
        self.embeddings.forward(batch, None)
    }

    /// The attentions of one layer, `[batch, heads, n, n]`, for which no layer above it
    /// is computed; `None` if there is no such layer.
    ///
    /// # Errors
    ///
    /// Those of [`Embeddings::forward`].
    pub fn attentions_of(
        &self,
        batch: &Batch,
        layer: usize,
    ) -> Result<Option<Array4<f32>>> {
        if layer >= self.layers.len() {
            return Ok(None);
        }
        let outputs = in_pool(|| {
            let x = self.embed(batch)?; // [batch, n, d_model]
            self.run(0..layer + 1, &x, batch, &[], ForwardOptions::ATTENTIONS)
        })?;
        Ok(outputs.attention_arrays()?.pop())
    }

    /// A pass that begins in the middle and leaves heads out: the layers from `layer` on,
    /// with `x`, `[batch, n, d_model]`, for their input, which may be the hidden states
    /// of another pass; `removed[i]` are the heads that find nothing in text `i`.
    ///
    /// What a removed head hands over to the attention's output layer is 0 (Michel et al.
    /// 2019, section 2.3).
    ///
    /// # Errors
    ///
    /// [`EncoderError::NoHead`] if the model has no such head or `layer`;
    /// [`EncoderError::Rows`] if there isn't one list of heads a text;
    /// [`EncoderError::Tensor`] if `x` doesn't fit the batch.
    pub fn forward_from(
        &self,
        layer: usize,
        x: &Tensor,
        batch: &Batch,
        removed: &[Vec<Head>],
    ) -> Result<EncoderOutput> {
        let (layers, heads) = (self.layers(), self.heads());
        let begin = Head { layer, head: 0 };
        for head in removed.iter().flatten().chain([&begin]) {
            if head.layer >= layers || head.head >= heads {
                return Err(EncoderError::NoHead { head: *head, layers, heads });
            }
        }
        if removed.len() != batch.rows() {
            let (found, expected) = (removed.len(), batch.rows());
            return Err(EncoderError::Rows { name: "removed", found, expected });
        }
        let expected = Shape::from((batch.rows(), batch.n(), self.d_model()));
        if *x.shape() != expected {
            let (msg, got) = ("what a layer reads".to_owned(), x.shape().clone());
            let error = candle_core::Error::UnexpectedShape { msg, expected, got };
            return Err(error.into());
        }
        let options = ForwardOptions::default();
        in_pool(|| self.run(layer..layers, x, batch, removed, options))
    }

    /// Layers in order, on `x`, `[batch, n, d_model]`; of each text those heads find
    /// nothing that are removed.
    fn run(
        &self,
        layers: Range<usize>,
        x: &Tensor,
        batch: &Batch,
        removed: &[Vec<Head>],
        options: ForwardOptions,
    ) -> Result<EncoderOutput> {
        let mask = batch.additive_mask(x.dtype(), x.device())?; // [batch, 1, 1, n]
        let (rows, n, d_model) = x.dims3()?;
        let mut texts = Texts { n, lengths: batch.lengths(), mask: None, removed };
        let mask = mask.map(|mask| values(&mask)).transpose()?;
        texts.mask = mask.map(|mask| texts.cut(mask, 1)); // [tokens]
        let mut x = texts.cut(values(x)?, d_model); // [tokens, d_model]
        let vectors = |x: &[f32]| tensor(texts.fill(x, d_model), (rows, n, d_model));

        let mut hidden_states = options.output_hidden_states.then(Vec::new);
        let mut attentions = options.output_attentions.then(Vec::new);
        let mut scratch =
            Scratch::new(&self.buffers, texts.tokens(), &self.layers[layers.clone()]);
        for (i, layer) in layers.clone().zip(&self.layers[layers]) {
            if let Some(states) = &mut hidden_states {
                states.push(vectors(&x)?);
            }
            let heads = layer.heads;
            let mut weights =
                attentions.is_some().then(|| vec![0.0; rows * heads * n * n]);
            layer.forward(i, &mut x, &texts, weights.as_deref_mut(), &mut scratch)?;
            if let (Some(attentions), Some(weights)) = (&mut attentions, weights) {
                attentions.push(tensor(weights, (rows, heads, n, n))?);
            }
        }
        let last_hidden_state = vectors(&x)?;
        if let Some(states) = &mut hidden_states {
            states.push(last_hidden_state.clone());
        }
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

    /// The layer, the `i`-th: `x`, `[tokens, d_model]`, becomes the tokens' new vectors;
    /// the attentions go to `weights`, `[batch, heads, n, n]`.
    fn forward(
        &self,
        i: usize,
        x: &mut [f32],
        texts: &Texts,
        weights: Option<&mut [f32]>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let rows = texts.tokens();
        let Scratch { qkv, context, attended, hidden } = scratch;
        self.qkv.forward(x, rows, Epilogue::None, qkv)?;
        texts.attention(qkv, self.heads, context, weights)?;
        texts.remove(i, self.heads, context);
        self.attention_output.forward(context, rows, Epilogue::Add(x), attended)?;
        self.attention_norm.forward(attended)?;
        self.linear1.forward(attended, rows, epilogue(self.activation), hidden)?;
        self.linear2.forward(hidden, rows, Epilogue::Add(attended), x)?;
        Ok(self.feed_forward_norm.forward(x)?)
    }
}

impl Texts<'_> {
    /// The tokens of all texts.
    fn tokens(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Leaves the padding out: from `[batch, n, width]` to `[tokens, width]`.
    fn cut(&self, rows: Vec<f32>, width: usize) -> Vec<f32> {
        if rows.len() == self.tokens() * width {
            return rows;
        }
        let texts = rows.chunks_exact(self.n * width).zip(&self.lengths);
        texts.flat_map(|(text, &length)| &text[..length * width]).copied().collect()
    }

    /// Puts zeros where padding was: from `[tokens, width]` to `[batch, n, width]`.
    fn fill(&self, tokens: &[f32], width: usize) -> Vec<f32> {
        let mut rows = Vec::with_capacity(self.lengths.len() * self.n * width);
        let mut rest = tokens;
        for (text, &length) in (1..).zip(&self.lengths) {
            let (tokens, others) = rest.split_at(length * width);
            rows.extend_from_slice(tokens);
            rows.resize(text * self.n * width, 0.0);
            rest = others;
        }
        rows
    }

    /// [`kernels::attention`] of texts of any lengths, those of one length that follow
    /// each other at once: `qkv` is `[tokens, 3 · d_model]`, `context`
    /// `[tokens, d_model]`, `weights` `[batch, heads, n, n]`.
    fn attention(
        &self,
        mut qkv: &[f32],
        heads: usize,
        mut context: &mut [f32],
        mut weights: Option<&mut [f32]>,
    ) -> Result<()> {
        let d_model = context.len() / self.tokens();
        let mut mask = self.mask.as_deref();
        for run in self.lengths.chunk_by(|a, b| a == b) {
            let (batch, tokens) = (run.len(), run[0]);
            let shape = Heads { batch, tokens, heads, d_k: d_model / heads };
            let rows = batch * tokens;
            let of_run = qkv.split_off(..rows * 3 * d_model).unwrap_or_default();
            let mask = mask.as_mut().and_then(|mask| mask.split_off(..rows));
            let context = context.split_off_mut(..rows * d_model).unwrap_or_default();
            let weights = weights.as_mut().and_then(|weights| {
                weights.split_off_mut(..batch * heads * self.n * self.n)
            });
            match weights {
                Some(weights) if tokens < self.n => {
                    let mut small = vec![0.0; batch * heads * tokens * tokens];
                    attention(of_run, shape, mask, context, Some(&mut small))?;
                    widen(&small, tokens, weights, self.n);
                }
                weights => attention(of_run, shape, mask, context, weights)?,
            }
        }
        Ok(())
    }
}

// ANCHOR: remove
impl Texts<'_> {
    /// What the removed heads of a layer found becomes 0; `context` is
    /// `[tokens, d_model]`.
    fn remove(&self, layer: usize, heads: usize, mut context: &mut [f32]) {
        let d_model = context.len() / self.tokens();
        let d_k = d_model / heads;
        for (removed, length) in self.removed.iter().zip(&self.lengths) {
            let text = context.split_off_mut(..length * d_model).unwrap_or_default();
            for head in removed.iter().filter(|head| head.layer == layer) {
                let columns = head.head * d_k..(head.head + 1) * d_k;
                let tokens = text.chunks_exact_mut(d_model);
                tokens.for_each(|token| token[columns.clone()].fill(0.0));
            }
        }
    }
}
// ANCHOR_END: remove

/// Copies matrices of `small` rows and columns into the corners of those of `large`.
fn widen(from: &[f32], small: usize, to: &mut [f32], large: usize) {
    let matrices = from.chunks_exact(small * small);
    for (from, to) in matrices.zip(to.chunks_exact_mut(large * large)) {
        let rows = from.chunks_exact(small).zip(to.chunks_exact_mut(large));
        rows.for_each(|(from, to)| to[..small].copy_from_slice(from));
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
