//! The encoder layer as one operation.
//!
//! Of small operations, a layer's gradients make many trips to memory: for each result
//! candle allocates zeros, adds the gradient to them into a third tensor, and does so on
//! one thread. As one operation the layer's forward pass keeps what its backward pass
//! needs, the gradients inside it never become tensors, and candle sees one node
//! (Karpathy's llm.c does the same for a whole model). The gradients of its parameters are
//! deferred until [`backward`](crate::backward) puts them where candle puts the others.
//!
//! Where y = x + f(x), dx is dy as it is, plus what comes back through f; so, from the end
//! to the start, with each step's own rule:
//!
//! ```text
//! forward                            backward
//! q, k, v = x Wqkvᵀ + b              ds₂ = LN₂ᵇ(dy)
//! c = attention(q, k, v)             df = dropout(ds₂);  dg = df W₂
//! s₁ = x + dropout(c Woᵀ + b)        du = dg ∘ GELU′(u)
//! h = LN₁(s₁)                        dh = du W₁ + ds₂
//! u = h W₁ᵀ + b;  g = GELU(u)        ds₁ = LN₁ᵇ(dh)
//! s₂ = h + dropout(g W₂ᵀ + b)        dc = dropout(ds₁) Wo
//! y = LN₂(s₂)                        dx = dqkv Wqkv + ds₁
//! ```

use std::sync::{LazyLock, Mutex};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use kernels::{Buffer, Buffers, Epilogue, LayerNorm, in_pool};

use crate::attention::kernel::{AttentionShape, Operands};
use crate::deferred::{Deferred, defer};
use crate::dropout::{self, DropoutMask, derive_seed};
use crate::linear::{self, input_gradient, parameter_gradients};
use crate::storage::{Values, keep, result, slice, take, tensor, wrap};
use crate::{gelu, layer_norm};

/// A linear layer's tensors.
#[derive(Clone, Copy, Debug)]
pub struct LinearWeights<'a> {
    /// `[outputs, inputs]`
    pub weight: &'a Tensor,
    /// `[outputs]`
    pub bias: &'a Tensor,
}

/// A layer norm's tensors, and its ε.
#[derive(Clone, Copy, Debug)]
pub struct NormWeights<'a> {
    /// The scale γ, `[d_model]`.
    pub gamma: &'a Tensor,
    /// The shift β, `[d_model]`.
    pub beta: &'a Tensor,
    /// Added to the variance.
    pub epsilon: f64,
}

/// What an [`encoder_layer`] is made of: BERT's parts, with exact GELU.
#[derive(Clone, Copy, Debug)]
pub struct LayerWeights<'a> {
    /// How many heads share `d_model`.
    pub heads: usize,
    /// Makes the queries, `[d_model, d_model]`.
    pub query: LinearWeights<'a>,
    /// Makes the keys, `[d_model, d_model]`.
    pub key: LinearWeights<'a>,
    /// Makes the values, `[d_model, d_model]`.
    pub value: LinearWeights<'a>,
    /// Mixes what the heads found, `[d_model, d_model]`.
    pub output: LinearWeights<'a>,
    /// After the first residual.
    pub attention_norm: NormWeights<'a>,
    /// The first layer of the feed-forward network, `[d_ff, d_model]`.
    pub linear1: LinearWeights<'a>,
    /// Its second layer, `[d_model, d_ff]`.
    pub linear2: LinearWeights<'a>,
    /// After the second residual.
    pub feed_forward_norm: NormWeights<'a>,
    /// Dropout's probability for the attention weights, for what attention adds and for
    /// what the feed-forward network adds.
    pub dropouts: [f64; 3],
}

impl<'a> LayerWeights<'a> {
    /// All tensors, in the order in which the operation has them: Wq, Wk, Wv, bq, bk, bv,
    /// Wo, bo, γ₁, β₁, W₁, b₁, W₂, b₂, γ₂, β₂.
    fn tensors(&self) -> [&'a Tensor; 16] {
        let (q, k, v, o) = (self.query, self.key, self.value, self.output);
        let (l1, l2) = (self.linear1, self.linear2);
        let (n1, n2) = (self.attention_norm, self.feed_forward_norm);
        [
            q.weight, k.weight, v.weight, q.bias, k.bias, v.bias, o.weight, o.bias,
            n1.gamma, n1.beta, l1.weight, l1.bias, l2.weight, l2.bias, n2.gamma,
            n2.beta,
        ]
    }

    /// The masks of a step; without a seed, none.
    fn masks(&self, seed: Option<u64>) -> Result<[Option<DropoutMask>; 3]> {
        let Some(seed) = seed else { return Ok([None; 3]) };
        let [weights, attention, network] = self.dropouts;
        Ok([
            DropoutMask::new(weights, derive_seed(seed, 0))?,
            DropoutMask::new(attention, derive_seed(seed, 1))?,
            DropoutMask::new(network, derive_seed(seed, 2))?,
        ])
    }
}

/// BERT's encoder layer, `x` `[batch, n, d_model]` and `mask` `[batch, n]` (added to the
/// scores of each key), trained with the dropouts of `seed` if there is one. Shape
/// unchanged.
///
/// Ask for the gradients with [`backward`](crate::backward); `x` must depend on a
/// parameter, as embeddings do, and the weights be parameters themselves or constants.
///
/// # Errors
///
/// If the shapes don't fit or `x` is empty; if a weight is the result of operations, which
/// would get no gradient; if a tensor isn't f32 on the CPU.
pub fn encoder_layer(
    x: &Tensor,
    mask: Option<&Tensor>,
    weights: &LayerWeights,
    seed: Option<u64>,
) -> Result<Tensor> {
    let (batch, tokens, d_model) = x.dims3()?;
    let heads = weights.heads;
    if x.elem_count() == 0 || heads == 0 || !d_model.is_multiple_of(heads) {
        bail!("encoder_layer: {heads} heads can't share x, {:?}", x.dims())
    }
    let d_ff = weights.linear1.weight.dim(0)?;
    check_shapes(weights, Sizes { d_model, d_ff })?;
    let parameters = weights.tensors().map(Tensor::clone);
    if parameters.iter().any(|p| p.track_op() && !p.is_variable()) {
        bail!("encoder_layer: its weights must be parameters or constants, not results")
    }
    let d_k = d_model / heads;
    let shape = AttentionShape { batch, queries: tokens, keys: tokens, heads, d_k };
    let mask = mask.map(|m| m.flatten_all()?.to_vec1()).transpose()?;
    if mask.as_ref().is_some_and(|m: &Vec<f32>| m.len() != batch * tokens) {
        bail!("encoder_layer: a mask that isn't {batch} × {tokens}")
    }
    let options = Options {
        d_ff,
        epsilons: [weights.attention_norm.epsilon, weights.feed_forward_norm.epsilon],
        dropouts: weights.masks(seed)?,
    };
    let op = Layer { shape, mask, options, parameters, saved: Mutex::default() };
    x.contiguous()?.apply_op1(op)
}

/// That each tensor is as large as the widths say.
fn check_shapes(weights: &LayerWeights, sizes: Sizes) -> Result<()> {
    let found = weights.tensors().map(Tensor::dims);
    let expected = sizes.shapes();
    if found.iter().zip(&expected).any(|(found, expected)| *found != expected) {
        bail!("encoder_layer: parameters {found:?}; expected {expected:?}")
    }
    Ok(())
}

/// What a layer is told besides its parameters.
struct Options {
    d_ff: usize,
    /// The ε of the norm after attention, and of the last.
    epsilons: [f64; 2],
    /// On the attention weights, on what attention adds, on what the network adds.
    dropouts: [Option<DropoutMask>; 3],
}

/// The widths that say how large each parameter is.
#[derive(Clone, Copy)]
struct Sizes {
    d_model: usize,
    d_ff: usize,
}

impl Sizes {
    /// The shapes of [`LayerWeights::tensors`].
    fn shapes(self) -> [Vec<usize>; 16] {
        let Self { d_model: d, d_ff } = self;
        let (square, wide, narrow): (&[_], &[_], &[_]) =
            (&[d, d], &[d_ff, d], &[d, d_ff]);
        let (row, ff): (&[_], &[_]) = (&[d], &[d_ff]);
        let shapes = [
            square, square, square, row, row, row, square, row, row, row, wide, ff,
            narrow, row, row, row,
        ];
        shapes.map(<[usize]>::to_vec)
    }

    /// How many numbers each has, with query, key and value as one.
    fn joined(self) -> [usize; 12] {
        let Self { d_model: d, d_ff } = self;
        [3 * d * d, 3 * d, d * d, d, d, d, d * d_ff, d_ff, d * d_ff, d, d, d]
    }

    fn split(self, mut rest: &[f32]) -> [&[f32]; 12] {
        self.joined().map(|size| {
            let (part, after) = rest.split_at(size);
            rest = after;
            part
        })
    }

    fn split_mut(self, mut rest: &mut [f32]) -> [&mut [f32]; 12] {
        self.joined().map(|size| {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(size);
            rest = after;
            part
        })
    }
}

/// Memory for what the layers keep, used again at each step.
static BUFFERS: LazyLock<Buffers> = LazyLock::new(Buffers::default);

/// What the forward pass keeps for the backward, with `rows = batch · n`.
struct Saved {
    /// All parameters, one after another.
    parameters: Buffer,
    /// `[rows, 3 · d_model]`
    qkv: Buffer,
    /// Attention's result, `[rows, d_model]`
    context: Buffer,
    /// Before the first norm, `[rows, d_model]`
    s1: Buffer,
    /// After it, `[rows, d_model]`
    h: Buffer,
    /// Before GELU, `[rows, d_ff]`
    u: Buffer,
    /// Before the last norm, `[rows, d_model]`
    s2: Buffer,
}

struct Layer {
    shape: AttentionShape,
    mask: Option<Vec<f32>>,
    options: Options,
    /// In the order of [`LayerWeights::tensors`].
    parameters: [Tensor; 16],
    saved: Mutex<Option<Saved>>,
}

impl CustomOp1 for Layer {
    fn name(&self) -> &'static str {
        "encoder_layer"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let mut parameters = BUFFERS.take(self.sizes().joined().iter().sum());
        let mut rest = &mut *parameters;
        for parameter in &self.parameters {
            let (here, after) = rest.split_at_mut(parameter.elem_count());
            here.copy_from_slice(&Values::of(&parameter.contiguous()?)?);
            rest = after;
        }
        let mut y = Vec::new();
        let saved = in_pool(|| self.forward(x, parameters, &mut y))?;
        keep(&self.saved, saved);
        Ok(result(y, layout.dims()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let saved = take(&self.saved, self.name())?;
        let dy = dy.contiguous()?;
        let mut dx = vec![0.0; x.elem_count()];
        let mut gradients = BUFFERS.take(saved.parameters.len());
        {
            let (x, dy) = (Values::of(x)?, Values::of(&dy)?);
            let (x, dy) = (&*x, &*dy);
            let gradients = self.sizes().split_mut(&mut gradients);
            in_pool(|| self.backward(&saved, x, dy, gradients, &mut dx))?;
        }
        self.defer(y, &gradients)?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

impl Layer {
    fn sizes(&self) -> Sizes {
        let d_model = self.shape.heads * self.shape.d_k;
        Sizes { d_model, d_ff: self.options.d_ff }
    }

    /// Defers each trained parameter's part of the gradients; `y` is the layer's result.
    fn defer(&self, y: &Tensor, mut gradients: &[f32]) -> Result<()> {
        for parameter in &self.parameters {
            let (here, after) = gradients.split_at(parameter.elem_count());
            gradients = after;
            if !parameter.is_variable() {
                continue;
            }
            let gradient = Deferred::Whole(tensor(here.to_vec(), parameter.shape())?);
            if defer(y, parameter, gradient).is_some() {
                bail!("encoder_layer: call gradients::backward(&loss), not candle's")
            }
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.shape.batch * self.shape.queries
    }

    fn dropout(&self, place: usize) -> Option<DropoutMask> {
        self.options.dropouts[place]
    }

    #[expect(clippy::cast_possible_truncation, reason = "1e-12 is an f32 as well")]
    fn epsilon(&self, norm: usize) -> f32 {
        self.options.epsilons[norm] as f32
    }

    fn operands<'a>(&'a self, qkv: &'a [f32]) -> Operands<'a> {
        let (mask, dropout) = (self.mask.as_deref(), self.dropout(0));
        Operands { mask, dropout, ..Operands::packed(qkv, self.shape) }
    }

    fn forward(
        &self,
        x: &[f32],
        parameters: Buffer,
        y: &mut Vec<f32>,
    ) -> Result<Saved> {
        let p = self.sizes().split(&parameters);
        let [wqkv, bqkv, wo, bo, gamma1, beta1, w1, b1, w2, b2, gamma2, beta2] = p;
        let (rows, Sizes { d_model, d_ff }) = (self.rows(), self.sizes());
        let mut qkv = BUFFERS.take(rows * 3 * d_model);
        linear::forward(x, wqkv, bqkv, rows, Epilogue::None, &mut qkv)?;
        let mut context = BUFFERS.take(rows * d_model);
        self.operands(&qkv).forward(&mut context);

        let mut s1 = BUFFERS.take(rows * d_model);
        linear::forward(&context, wo, bo, rows, Epilogue::None, &mut s1)?;
        dropout::apply(&mut s1, Some(x), self.dropout(1));
        let mut h = BUFFERS.take(rows * d_model);
        h.copy_from_slice(&s1);
        let norm = LayerNorm { gamma: gamma1, beta: beta1, epsilon: self.epsilon(0) };
        norm.forward(&mut h, None).map_err(wrap)?;

        let mut u = BUFFERS.take(rows * d_ff);
        linear::forward(&h, w1, b1, rows, Epilogue::None, &mut u)?;
        let mut g = BUFFERS.take(rows * d_ff);
        gelu::forward(&u, &mut g);
        let mut s2 = BUFFERS.take(rows * d_model);
        linear::forward(&g, w2, b2, rows, Epilogue::None, &mut s2)?;
        dropout::apply(&mut s2, Some(&h), self.dropout(2));
        y.extend_from_slice(&s2);
        let norm = LayerNorm { gamma: gamma2, beta: beta2, epsilon: self.epsilon(1) };
        norm.forward(y, None).map_err(wrap)?;
        Ok(Saved { parameters, qkv, context, s1, h, u, s2 })
    }

    fn backward(
        &self,
        saved: &Saved,
        x: &[f32],
        dy: &[f32],
        gradients: [&mut [f32]; 12],
        dx: &mut [f32],
    ) -> Result<()> {
        let [wqkv, _, wo, _, gamma1, _, w1, _, w2, _, gamma2, _] =
            self.sizes().split(&saved.parameters);
        let [
            dwqkv,
            dbqkv,
            dwo,
            dbo,
            dgamma1,
            dbeta1,
            dw1,
            db1,
            dw2,
            db2,
            dgamma2,
            dbeta2,
        ] = gradients;
        let Saved { qkv, context, s1, h, u, s2, .. } = saved;
        let (rows, Sizes { d_model, d_ff }) = (self.rows(), self.sizes());
        let copy = |from: &[f32]| {
            let mut buffer = BUFFERS.take(from.len());
            buffer.copy_from_slice(from);
            buffer
        };

        // y = LN₂(s₂), s₂ = h + dropout(f), f = g W₂ᵀ + b, g = GELU(u)
        let mut ds2 = copy(dy);
        layer_norm::backward(s2, gamma2, self.epsilon(1), &mut ds2, dgamma2, dbeta2);
        let mut df = copy(&ds2);
        dropout::apply(&mut df, None, self.dropout(2));
        let mut du = BUFFERS.take(rows * d_ff);
        input_gradient(&df, w2, rows, Epilogue::None, &mut du)?;
        let mut g = BUFFERS.take(rows * d_ff);
        gelu::backward(u, &mut du, Some(&mut g));
        parameter_gradients(&df, &g, rows, dw2, db2)?;

        // u = h W₁ᵀ + b, h = LN₁(s₁)
        parameter_gradients(&du, h, rows, dw1, db1)?;
        let mut ds1 = df;
        input_gradient(&du, w1, rows, Epilogue::Add(&ds2), &mut ds1)?;
        layer_norm::backward(s1, gamma1, self.epsilon(0), &mut ds1, dgamma1, dbeta1);

        // s₁ = x + dropout(c Woᵀ + b), c = attention(x Wqkvᵀ + b)
        let mut da = copy(&ds1);
        dropout::apply(&mut da, None, self.dropout(1));
        parameter_gradients(&da, context, rows, dwo, dbo)?;
        let mut dcontext = ds2;
        input_gradient(&da, wo, rows, Epilogue::None, &mut dcontext)?;
        let mut dqkv = BUFFERS.take(rows * 3 * d_model);
        let places = Operands::packed_places(self.shape);
        self.operands(qkv).backward(&dcontext, &mut dqkv, places);
        parameter_gradients(&dqkv, x, rows, dwqkv, dbqkv)?;
        input_gradient(&dqkv, wqkv, rows, Epilogue::Add(&ds1), dx)
    }
}
