//! The encoder layer as one operation.
//!
//! Of small operations, a layer's gradients make many trips to memory: for each result
//! candle allocates zeros, adds the gradient to them into a third tensor, and does so on
//! one thread. As one operation the layer's forward pass keeps what its backward pass
//! needs, the gradients inside it never become tensors, and candle sees one node
//! (Karpathy's llm.c does the same for a whole model). The gradients of its parameters are
//! deferred until [`backward`](crate::backward) puts them where candle puts the others.

use std::sync::{LazyLock, Mutex};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use kernels::{Buffer, Buffers, Epilogue, LayerNorm, in_pool};
use models::Activation;
use sentiment::EncoderLayer;

use crate::by_hand::attention::{Operands, Shape as AttentionShape};
use crate::by_hand::dropout::Mask;
use crate::by_hand::{each, layer_norm::layer_norm_backward, linear};
use crate::deferred::{Deferred, defer};
use crate::ops::{self, Attention, DropoutMask, derive_seed, keep, take};
use crate::storage::{Values, is_fast, result, slice, tensor, wrap};

/// Chapter 3's [`EncoderLayer`], `x` `[batch, n, d_model]` and `mask` `[batch, n]` (added
/// to the scores of each key), trained with the dropouts of `seed` if there is one.
///
/// Ask for the gradients with [`backward`](crate::backward); `x` must depend on a parameter, as embeddings
/// do. Where y = x + f(x), dx is dy as it is, plus what comes back through f; so, from the
/// end to the start, with each step's own rule (see [`ops`]):
///
/// ```text
/// forward                            backward
/// q, k, v = x Wqkvᵀ + b              ds₂ = LN₂ᵇ(dy)
/// c = attention(q, k, v)             df = dropout(ds₂);  dg = df W₂
/// s₁ = x + dropout(c Woᵀ + b)        du = dg ∘ GELU′(u)
/// h = LN₁(s₁)                        dh = du W₁ + ds₂
/// u = h W₁ᵀ + b;  g = GELU(u)        ds₁ = LN₁ᵇ(dh)
/// s₂ = h + dropout(g W₂ᵀ + b)        dc = dropout(ds₁) Wo
/// y = LN₂(s₂)                        dx = dqkv Wqkv + ds₁
/// ```
///
/// # Errors
///
/// If the shapes don't fit.
pub fn encoder_layer(
    layer: &EncoderLayer,
    x: &Tensor,
    mask: Option<&Tensor>,
    seed: Option<u64>,
) -> Result<Tensor> {
    let (batch, tokens, d_model) = x.dims3()?;
    let (heads, d_ff) =
        (layer.attention.heads, layer.feed_forward.inner.weight().dim(0)?);
    let options = Options {
        d_ff,
        epsilons: [layer.attention_norm.epsilon, layer.feed_forward_norm.epsilon],
        dropouts: dropouts(layer, seed)?,
    };
    let parameters: Vec<Tensor> = parameters(layer).into_iter().cloned().collect();
    let exact = layer.feed_forward.activation == Activation::Gelu;
    let divisible = heads > 0 && d_model.is_multiple_of(heads);
    // What candle alone can find the gradient of.
    let composed = parameters.iter().any(|p| p.track_op() && !p.is_variable());
    if !is_fast(x) || x.elem_count() == 0 || !exact || !divisible || composed {
        return step_by_step(layer, x, mask, &options);
    }
    let expected = Sizes { d_model, d_ff }.all();
    let found: Vec<usize> = parameters.iter().map(Tensor::elem_count).collect();
    if found != expected {
        bail!("encoder_layer: parameters {found:?}; expected {expected:?}")
    }
    let width = d_model / heads;
    let shape = AttentionShape { batch, queries: tokens, keys: tokens, heads, width };
    let mask = mask.map(|m| m.flatten_all()?.to_vec1()).transpose()?;
    if mask.as_ref().is_some_and(|m: &Vec<f32>| m.len() != batch * tokens) {
        bail!("encoder_layer: a mask that isn't {batch} × {tokens}")
    }
    let op = Layer { shape, mask, options, parameters, saved: Mutex::default() };
    x.contiguous()?.apply_op1(op)
}

/// What a layer is told besides its parameters.
struct Options {
    d_ff: usize,
    /// Of the norm after attention, and of the last.
    epsilons: [f64; 2],
    /// Of the attention weights, of what attention adds, of what the network adds.
    dropouts: [Option<DropoutMask>; 3],
}

fn dropouts(
    layer: &EncoderLayer,
    seed: Option<u64>,
) -> Result<[Option<DropoutMask>; 3]> {
    let Some(seed) = seed else { return Ok([None; 3]) };
    let new = |place, dropout: sentiment::Dropout| {
        DropoutMask::new(dropout.probability(), derive_seed(seed, place))
    };
    Ok([
        new(0, layer.attention.dropout)?,
        new(1, layer.attention_dropout)?,
        new(2, layer.feed_forward_dropout)?,
    ])
}

/// The same of small operations: on other devices, and for other activations.
fn step_by_step(
    layer: &EncoderLayer,
    x: &Tensor,
    mask: Option<&Tensor>,
    options: &Options,
) -> Result<Tensor> {
    let EncoderLayer {
        attention, feed_forward, attention_norm, feed_forward_norm, ..
    } = layer;
    let linear = |x: &Tensor, layer: &candle_nn::Linear| match layer.bias() {
        Some(bias) => ops::linear(x, layer.weight(), bias),
        None => candle_nn::Module::forward(layer, x),
    };
    let norm = |x: &Tensor, norm: &sentiment::LayerNorm| {
        ops::layer_norm(x, &norm.weight, &norm.bias, norm.epsilon)
    };
    let [weights, attended, thought] = options.dropouts;
    let how = Attention {
        heads: attention.heads,
        mask: mask.cloned(),
        causal: false,
        dropout: weights,
    };
    let q = linear(x, &attention.query)?;
    let k = linear(x, &attention.key)?;
    let v = linear(x, &attention.value)?;
    let seen = linear(&ops::attention(&q, &k, &v, &how)?, &attention.output)?;
    let h = norm(&ops::dropout_add(&seen, x, attended)?, attention_norm)?;
    let u = linear(&h, &feed_forward.inner)?;
    let g = match feed_forward.activation {
        Activation::Gelu => ops::gelu(&u)?,
        other => sentiment::activate(other, &u).map_err(candle_core::Error::from)?,
    };
    let f = linear(&g, &feed_forward.outer)?;
    norm(&ops::dropout_add(&f, &h, thought)?, feed_forward_norm)
}

/// The layer's parameters in the order in which the operation has them.
fn parameters(layer: &EncoderLayer) -> Vec<&Tensor> {
    let EncoderLayer {
        attention, feed_forward, attention_norm, feed_forward_norm, ..
    } = layer;
    let qkv = [&attention.query, &attention.key, &attention.value];
    let mut all: Vec<&Tensor> = qkv.iter().map(|part| part.weight()).collect();
    all.extend(qkv.iter().filter_map(|part| part.bias()));
    let linears = [&attention.output, &feed_forward.inner, &feed_forward.outer];
    for (i, linear) in linears.into_iter().enumerate() {
        all.push(linear.weight());
        all.extend(linear.bias());
        if i == 0 {
            all.extend([&attention_norm.weight, &attention_norm.bias]);
        }
    }
    all.extend([&feed_forward_norm.weight, &feed_forward_norm.bias]);
    all
}

/// The widths that say how large each parameter is.
#[derive(Clone, Copy)]
struct Sizes {
    d_model: usize,
    d_ff: usize,
}

impl Sizes {
    /// Of Wq, Wk, Wv, bq, bk, bv, Wo, bo, γ₁, β₁, W₁, b₁, W₂, b₂, γ₂, β₂.
    fn all(self) -> Vec<usize> {
        let Self { d_model: d, d_ff } = self;
        let (square, wide) = (d * d, d * d_ff);
        vec![
            square, square, square, d, d, d, square, d, d, d, wide, d_ff, wide, d, d, d,
        ]
    }

    /// The same with query, key and value as one.
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
    /// In the order of [`Sizes::all`].
    parameters: Vec<Tensor>,
    saved: Mutex<Option<Saved>>,
}

impl CustomOp1 for Layer {
    fn name(&self) -> &'static str {
        "encoder_layer"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let mut parameters = BUFFERS.take(self.sizes().all().iter().sum());
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
        let d_model = self.shape.heads * self.shape.width;
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

    fn dropout(&self, place: usize) -> Option<Mask> {
        self.options.dropouts[place].map(|mask| mask.0)
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
        each::dropout_add(&mut s1, Some(x), self.dropout(1));
        let mut h = BUFFERS.take(rows * d_model);
        h.copy_from_slice(&s1);
        let norm = LayerNorm { gamma: gamma1, beta: beta1, epsilon: self.epsilon(0) };
        norm.apply(&mut h, None).map_err(wrap)?;

        let mut u = BUFFERS.take(rows * d_ff);
        linear::forward(&h, w1, b1, rows, Epilogue::None, &mut u)?;
        let mut g = BUFFERS.take(rows * d_ff);
        each::gelu(&u, &mut g);
        let mut s2 = BUFFERS.take(rows * d_model);
        linear::forward(&g, w2, b2, rows, Epilogue::None, &mut s2)?;
        each::dropout_add(&mut s2, Some(&h), self.dropout(2));
        y.extend_from_slice(&s2);
        let norm = LayerNorm { gamma: gamma2, beta: beta2, epsilon: self.epsilon(1) };
        norm.apply(y, None).map_err(wrap)?;
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
        layer_norm_backward(s2, gamma2, self.epsilon(1), &mut ds2, dgamma2, dbeta2);
        let mut df = copy(&ds2);
        each::dropout_add(&mut df, None, self.dropout(2));
        let mut du = BUFFERS.take(rows * d_ff);
        linear::input_gradient(&df, w2, rows, Epilogue::None, &mut du)?;
        let mut g = BUFFERS.take(rows * d_ff);
        each::gelu_backward(u, &mut du, Some(&mut g));
        linear::parameter_gradients(&df, &g, rows, dw2, db2);

        // u = h W₁ᵀ + b, h = LN₁(s₁)
        linear::parameter_gradients(&du, h, rows, dw1, db1);
        let mut ds1 = df;
        linear::input_gradient(&du, w1, rows, Epilogue::Add(&ds2), &mut ds1)?;
        layer_norm_backward(s1, gamma1, self.epsilon(0), &mut ds1, dgamma1, dbeta1);

        // s₁ = x + dropout(c Woᵀ + b), c = attention(x Wqkvᵀ + b)
        let mut da = copy(&ds1);
        each::dropout_add(&mut da, None, self.dropout(1));
        linear::parameter_gradients(&da, context, rows, dwo, dbo);
        let mut dcontext = ds2;
        linear::input_gradient(&da, wo, rows, Epilogue::None, &mut dcontext)?;
        let mut dqkv = BUFFERS.take(rows * 3 * d_model);
        let places = Operands::packed_places(self.shape);
        self.operands(qkv).backward(&dcontext, &mut dqkv, places);
        linear::parameter_gradients(&dqkv, x, rows, dwqkv, dbqkv);
        linear::input_gradient(&dqkv, wqkv, rows, Epilogue::Add(&ds1), dx)
    }
}
