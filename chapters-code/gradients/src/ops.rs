//! Operations for candle with a backward pass worked out by hand.
//!
//! In what follows L is the loss, and dX stands for ∂L/∂X, a matrix of X's shape: how much
//! the loss grows with each number. A backward pass is given dY and finds dX, by the chain
//! rule: dXᵢ = Σⱼ dYⱼ ∂Yⱼ/∂Xᵢ.
//!
//! Each operation takes contiguous f32 tensors on the CPU, and computes with the AVX-512
//! kernels of the `kernels` crate. For tensors elsewhere or of other types it falls back
//! to [`crate::plain`], which candle differentiates: the same model trains on both.
//!
//! The results don't depend on the number of threads, to the bit: no sum is split among
//! threads other than into parts that are always the same.

use std::sync::{Mutex, PoisonError};

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, D, Device, Layout, Result, Shape,
    Tensor, bail,
};
use kernels::{Epilogue, in_pool};

use crate::by_hand::attention::{Operands, Shape as AttentionShape};
use crate::by_hand::product::sum_rows;
use crate::by_hand::{
    cross_entropy as loss, dropout as mask, each, layer_norm as norm,
};
use crate::by_hand::{linear as by_hand, rows};
use crate::deferred::{Deferred, defer};
use crate::plain;
use crate::storage::{Values, is_fast, result, slice, tensor, wrap};

/// Y = X Wᵀ + b; `torch.nn.functional.linear`. `x` is `[…, inputs]`, `w`
/// `[outputs, inputs]`, `b` `[outputs]`; the result `[…, outputs]`.
///
/// Yᵢₒ = Σⱼ Xᵢⱼ Wₒⱼ + bₒ, so
///
/// - dXᵢⱼ = Σₒ dYᵢₒ Wₒⱼ: dX = dY W
/// - dWₒⱼ = Σᵢ dYᵢₒ Xᵢⱼ: dW = dYᵀ X
/// - dbₒ = Σᵢ dYᵢₒ
///
/// # Errors
///
/// If the shapes don't fit.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    linear_with(x, w, b, false)
}

/// max(X Wᵀ + b, 0), in one pass. The gradient of max(u, 0) is dy where u > 0, which is
/// where y > 0, and 0 elsewhere; the rest is [`linear`]'s.
///
/// # Errors
///
/// As [`linear`].
pub fn linear_relu(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    linear_with(x, w, b, true)
}

fn linear_with(x: &Tensor, w: &Tensor, b: &Tensor, relu: bool) -> Result<Tensor> {
    let (outputs, inputs) = w.dims2()?;
    if x.dim(D::Minus1)? != inputs || b.dims() != [outputs] {
        bail!(
            "linear: x {:?} and bias {:?} don't fit a weight {:?}",
            x.dims(),
            b.dims(),
            w.dims()
        )
    }
    if !is_fast(x) || x.elem_count() == 0 || outputs == 0 {
        let y = plain::linear(x, w, b)?;
        return if relu { y.relu() } else { Ok(y) };
    }
    x.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, Linear { relu })
}

struct Linear {
    relu: bool,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, w, b) = (slice(x, x_layout)?, slice(w, w_layout)?, slice(b, b_layout)?);
        let mut shape = x_layout.dims().to_vec();
        let rows = x.len() / shape.pop().unwrap_or(1);
        shape.push(b.len());
        let mut out = vec![0.0; rows * b.len()];
        let epilogue = if self.relu { Epilogue::Relu } else { Epilogue::None };
        in_pool(|| by_hand::forward(x, w, b, rows, epilogue, &mut out))?;
        Ok(result(out, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dy = if self.relu { where_positive(y, dy)? } else { dy.contiguous()? };
        let rows = x.elem_count() / w.dim(1)?;
        let mut dx = vec![0.0; x.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        {
            let (w, dy) = (Values::of(w)?, Values::of(&dy)?);
            let (w, dy) = (&*w, &*dy);
            in_pool(|| {
                sum_rows(dy, &mut db);
                by_hand::input_gradient(dy, w, rows, Epilogue::None, &mut dx)
            })?;
        }
        let (dx, db) = (tensor(dx, x.shape())?, tensor(db, b.shape())?);
        let dw = defer(y, w, Deferred::Product { dy, x: x.detach() });
        let dw = dw.map(|dw| dw.into_tensor(w)).transpose()?;
        Ok((Some(dx), dw, Some(db)))
    }
}

/// `dy` where `y` is above 0, and 0 elsewhere.
fn where_positive(y: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let dy = dy.contiguous()?;
    let du = {
        let (y, dy) = (Values::of(y)?, Values::of(&dy)?);
        y.iter().zip(&*dy).map(|(&y, &dy)| if y > 0.0 { dy } else { 0.0 }).collect()
    };
    tensor(du, y.shape())
}

/// GELU(x) = x Φ(x), with the normal distribution's Φ, exact;
/// `torch.nn.functional.gelu`. Shape unchanged.
///
/// By the product rule, with Φ′ = φ(x) = e^(−x²/2) / √(2π):
/// dx = dy · (Φ(x) + x φ(x)).
///
/// # Errors
///
/// None that a well-formed tensor can cause.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if is_fast(x) { x.contiguous()?.apply_op1(Gelu) } else { x.gelu_erf() }
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let mut y = vec![0.0; x.len()];
        in_pool(|| each::gelu(x, &mut y));
        Ok(result(y, layout.dims()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = Values::of(&dy.contiguous()?)?.to_vec();
        let values = Values::of(x)?;
        let values = &*values;
        in_pool(|| each::gelu_backward(values, &mut dx, None));
        Ok(Some(tensor(dx, x.shape())?))
    }
}

/// Y = (X − mean) / √(variance + ε) ∘ γ + β, row by row over the last axis;
/// `torch.nn.functional.layer_norm`. Shape unchanged; `gamma` and `beta` are `[width]`.
///
/// With x̂ = (x − μ) r, r = 1/√(σ² + ε), and g = dy ∘ γ, for a row of n values:
///
/// - dγ = Σ dy ∘ x̂ and dβ = Σ dy, over the rows;
/// - x̂ moves with xᵢ in three ways: directly, by r; through μ, with ∂μ/∂xᵢ = 1/n; and
///   through σ², with ∂σ²/∂xᵢ = 2(xᵢ − μ)/n, so ∂r/∂xᵢ = −r³ (xᵢ − μ)/n = −r² x̂ᵢ/n.
///   Summed over the row: dxᵢ = r (gᵢ − mean(g) − x̂ᵢ mean(g ∘ x̂)).
///
/// Mean and r are computed again in the backward pass rather than kept.
///
/// # Errors
///
/// If the shapes don't fit.
pub fn layer_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    let width = x.dim(D::Minus1)?;
    if gamma.dims() != [width] || beta.dims() != [width] {
        bail!(
            "layer_norm: gamma {:?} and beta {:?} don't fit rows of {width}",
            gamma.dims(),
            beta.dims()
        )
    }
    if !is_fast(x) || x.elem_count() == 0 {
        return plain::layer_norm(x, gamma, beta, epsilon);
    }
    #[expect(clippy::cast_possible_truncation, reason = "1e-12 is an f32 as well")]
    let op = LayerNorm { epsilon: epsilon as f32 };
    x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)
}

/// LayerNorm(x + residual): the gradient of a sum goes to both of its terms unchanged.
///
/// # Errors
///
/// As [`layer_norm`].
pub fn add_layer_norm(
    x: &Tensor,
    residual: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
) -> Result<Tensor> {
    layer_norm(&dropout_add(x, residual, None)?, gamma, beta, epsilon)
}

struct LayerNorm {
    epsilon: f32,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut y = slice(x, x_layout)?.to_vec();
        let (gamma, beta) = (slice(gamma, gamma_layout)?, slice(beta, beta_layout)?);
        let norm = kernels::LayerNorm { gamma, beta, epsilon: self.epsilon };
        in_pool(|| norm.apply(&mut y, None)).map_err(wrap)?;
        Ok(result(y, x_layout.dims()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dx = Values::of(&dy.contiguous()?)?.to_vec();
        let mut dgamma = vec![0.0; gamma.elem_count()];
        let mut dbeta = vec![0.0; beta.elem_count()];
        {
            let (x, gamma, e) = (Values::of(x)?, Values::of(gamma)?, self.epsilon);
            let (x, gamma) = (&*x, &*gamma);
            let (dgamma, dbeta) = (&mut dgamma, &mut dbeta);
            in_pool(|| norm::layer_norm_backward(x, gamma, e, &mut dx, dgamma, dbeta));
        }
        let (dx, dgamma) = (tensor(dx, x.shape())?, tensor(dgamma, gamma.shape())?);
        Ok((Some(dx), Some(dgamma), Some(tensor(dbeta, beta.shape())?)))
    }
}

/// Which values dropout loses, given by a seed; 1 / (1 − p) times as much of the others.
///
/// A value's fate is a hash of the seed and its place, so the backward pass finds the
/// same mask with nothing stored, and so does any number of threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutMask(pub(crate) mask::Mask);

impl DropoutMask {
    /// Loses values with this probability; `None` if it is 0.
    ///
    /// # Errors
    ///
    /// If it isn't at least 0 and below 1.
    pub fn new(probability: f64, seed: u64) -> Result<Option<Self>> {
        if !(0.0..1.0).contains(&probability) {
            bail!(
                "a dropout probability of {probability}: it must be at least 0 and \
                 below 1"
            )
        }
        Ok(mask::Mask::new(probability, seed).map(Self))
    }

    /// What each value of a tensor is multiplied by, 0 or 1 / (1 − p): made on the CPU, for
    /// any device.
    ///
    /// # Errors
    ///
    /// None but of the device.
    pub fn factors(self, shape: &Shape, device: &Device) -> Result<Tensor> {
        let mut factors = vec![1.0_f32; shape.elem_count()];
        in_pool(|| each::dropout_add(&mut factors, None, Some(self.0)));
        Tensor::from_vec(factors, shape, device)
    }
}

/// The seed of one of several dropouts in a step: their masks have nothing in common.
pub fn derive_seed(seed: u64, place: u64) -> u64 {
    mask::derive(seed, place)
}

/// Y = X ∘ M, with M 0 or 1 / (1 − p): dX = dY ∘ M. Shape unchanged.
///
/// # Errors
///
/// None that a well-formed tensor can cause.
pub fn dropout(x: &Tensor, mask: Option<DropoutMask>) -> Result<Tensor> {
    match mask {
        None => Ok(x.clone()),
        Some(mask) if is_fast(x) => x.contiguous()?.apply_op1(Dropout(mask)),
        mask => plain::dropout(x, mask),
    }
}

/// dropout(x) + residual, in one pass.
///
/// # Errors
///
/// If their shapes differ.
pub fn dropout_add(
    x: &Tensor,
    residual: &Tensor,
    mask: Option<DropoutMask>,
) -> Result<Tensor> {
    if x.dims() != residual.dims() {
        bail!("dropout_add: {:?} and a residual {:?}", x.dims(), residual.dims())
    }
    if is_fast(x) {
        return x.contiguous()?.apply_op2(&residual.contiguous()?, DropoutAdd(mask));
    }
    plain::dropout(x, mask)? + residual
}

struct Dropout(DropoutMask);

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut y = slice(x, layout)?.to_vec();
        in_pool(|| each::dropout_add(&mut y, None, Some(self.0.0)));
        Ok(result(y, layout.dims()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        dropout(dy, Some(self.0)).map(Some)
    }
}

struct DropoutAdd(Option<DropoutMask>);

impl CustomOp2 for DropoutAdd {
    fn name(&self) -> &'static str {
        "dropout_add"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut y = slice(x, x_layout)?.to_vec();
        let residual = slice(residual, residual_layout)?;
        let mask = self.0.map(|mask| mask.0);
        in_pool(|| each::dropout_add(&mut y, Some(residual), mask));
        Ok(result(y, x_layout.dims()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(dropout(dy, self.0)?), Some(dy.clone())))
    }
}

/// How [`attention`] is to be computed.
#[derive(Clone, Debug)]
pub struct Attention {
    /// How many heads share the columns.
    pub heads: usize,
    /// Added to the scores of each key, `[batch, keys]`: 0 to see it, −∞ or `f32::MIN`
    /// to hide it. A query that sees no key gets 0.
    pub mask: Option<Tensor>,
    /// Query i sees the keys up to i only, as in a decoder.
    pub causal: bool,
    /// Of the weights.
    pub dropout: Option<DropoutMask>,
}

/// Multi-head attention of projected queries `[batch, n, d_model]` on keys and values
/// `[batch, m, d_model]`, as one operation: the heads are read and written where they lie,
/// with no transposition. The result is `[batch, n, d_model]`.
///
/// For a head, S = Q Kᵀ / √d_k, P = softmax(S) by rows, O = (P ∘ M) V with dropout's M:
///
/// - dV = (P ∘ M)ᵀ dO, and dP = (dO Vᵀ) ∘ M, as for a linear layer;
/// - ∂Pᵢⱼ/∂Sᵢₖ = Pᵢⱼ (δⱼₖ − Pᵢₖ), so dSᵢₖ = Pᵢₖ (dPᵢₖ − Σⱼ Pᵢⱼ dPᵢⱼ);
/// - dQ = dS K / √d_k and dK = dSᵀ Q / √d_k.
///
/// The backward pass computes P again from Q and K (Dao et al. 2022 do it for long
/// sequences, where P is what fills the memory).
///
/// # Errors
///
/// If the shapes don't fit.
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    options: &Attention,
) -> Result<Tensor> {
    let ((batch, queries, d_model), heads) = (q.dims3()?, options.heads);
    let keys = k.dim(1)?;
    if k.dims() != [batch, keys, d_model] || v.dims() != k.dims() {
        bail!(
            "attention: queries {:?}, keys {:?}, values {:?}",
            q.dims(),
            k.dims(),
            v.dims()
        )
    }
    if heads == 0 || d_model == 0 || !d_model.is_multiple_of(heads) {
        bail!("attention: {heads} heads can't share {d_model} columns")
    }
    if let Some(mask) = &options.mask
        && mask.dims() != [batch, keys]
    {
        bail!("attention: a mask {:?} for {batch} × {keys} keys", mask.dims())
    }
    if !is_fast(q) || q.elem_count() == 0 || keys == 0 {
        return plain::attention(q, k, v, options);
    }
    let width = d_model / heads;
    let op = AttentionOp {
        shape: AttentionShape { batch, queries, keys, heads, width },
        mask: options.mask.as_ref().map(|m| m.flatten_all()?.to_vec1()).transpose()?,
        causal: options.causal,
        dropout: options.dropout.map(|mask| mask.0),
    };
    q.contiguous()?.apply_op3(&k.contiguous()?, &v.contiguous()?, op)
}

struct AttentionOp {
    shape: AttentionShape,
    mask: Option<Vec<f32>>,
    causal: bool,
    dropout: Option<mask::Mask>,
}

impl AttentionOp {
    fn operands<'a>(
        &'a self,
        q: &'a [f32],
        k: &'a [f32],
        v: &'a [f32],
    ) -> Operands<'a> {
        let stride = self.shape.heads * self.shape.width;
        let (mask, causal, dropout) = (self.mask.as_deref(), self.causal, self.dropout);
        Operands { shape: self.shape, q, k, v, stride, mask, causal, dropout }
    }
}

impl CustomOp3 for AttentionOp {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (q, k, v) = (slice(q, q_layout)?, slice(k, k_layout)?, slice(v, v_layout)?);
        let mut context = vec![0.0; q.len()];
        in_pool(|| self.operands(q, k, v).forward(&mut context));
        Ok(result(context, q_layout.dims()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _: &Tensor,
        dcontext: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dcontext = dcontext.contiguous()?;
        let places = Operands::separate_places(self.shape);
        let mut all = vec![0.0; self.shape.batch * places.len];
        {
            let (q, k, v) = (Values::of(q)?, Values::of(k)?, Values::of(v)?);
            let (operands, dcontext) =
                (self.operands(&q, &k, &v), Values::of(&dcontext)?);
            let dcontext = &*dcontext;
            in_pool(|| operands.backward(dcontext, &mut all, places));
        }
        // A sequence's gradients stand one after another: q's, k's, v's.
        let part = |i: usize, of: &Tensor| {
            let len = of.elem_count() / self.shape.batch;
            let parts = all.chunks(places.len);
            let part = parts.flat_map(|s| &s[places.offsets[i]..][..len]);
            tensor(part.copied().collect(), of.shape()).map(Some)
        };
        Ok((part(0, q)?, part(1, k)?, part(2, v)?))
    }
}

/// The rows of a table that `numbers` say: `[rows, width] -> [numbers, width]`;
/// `torch.nn.functional.embedding`.
///
/// `Yᵢ = T[numberᵢ]`: each dYᵢ is added to the row of dT that it came from, and the other
/// rows of dT are 0.
///
/// # Errors
///
/// If the table isn't a matrix or has no row for a number.
pub fn embedding(table: &Tensor, numbers: &[u32]) -> Result<Tensor> {
    embed(&[(table, numbers)])
}

/// The sum of the rows of up to three tables, all with as many numbers: BERT's words,
/// positions and sentences. A sum's gradient goes to each of its terms.
///
/// # Errors
///
/// As [`embedding`]; if there are no tables or more than three, or their widths or
/// numbers of numbers differ.
pub fn embed(tables: &[(&Tensor, &[u32])]) -> Result<Tensor> {
    let Some((first, numbers)) = tables.first() else { bail!("embed: no tables") };
    let width = first.dims2()?.1;
    for (table, row_numbers) in tables {
        let rows = table.dim(0)?;
        if table.dims() != [rows, width] || row_numbers.len() != numbers.len() {
            bail!(
                "embed: {} numbers of {:?} beside {} of {:?}",
                row_numbers.len(),
                table.dims(),
                numbers.len(),
                first.dims()
            )
        }
        if let Some(i) = row_numbers.iter().find(|&&i| i as usize >= rows) {
            bail!("embed: there is no row {i} in a table of {rows}")
        }
    }
    if !is_fast(first) || width == 0 || numbers.is_empty() {
        return plain::embed(tables);
    }
    let op = Embed(tables.iter().map(|(_, numbers)| numbers.to_vec()).collect());
    match tables {
        [(a, _)] => a.contiguous()?.apply_op1(op),
        [(a, _), (b, _)] => a.contiguous()?.apply_op2(&b.contiguous()?, op),
        [(a, _), (b, _), (c, _)] => {
            a.contiguous()?.apply_op3(&b.contiguous()?, &c.contiguous()?, op)
        }
        more => bail!("embed: {} tables; at most three", more.len()),
    }
}

/// The numbers of each table.
struct Embed(Vec<Vec<u32>>);

impl Embed {
    fn forward(
        &self,
        tables: &[&[f32]],
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (width, n) =
            (layout.shape().dims2()?.1, self.0.first().map_or(0, Vec::len));
        let mut out = vec![0.0; n * width];
        in_pool(|| {
            for (table, numbers) in tables.iter().zip(&self.0) {
                rows::add_rows(table, numbers, width, &mut out);
            }
        });
        Ok(result(out, (n, width)))
    }

    fn backward(
        &self,
        i: usize,
        table: &Tensor,
        dy: &Tensor,
    ) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        let (width, values) = (table.dim(1)?, Values::of(&dy)?);
        let mut dtable = vec![0.0; table.elem_count()];
        let values = &*values;
        in_pool(|| rows::scatter_rows(values, &self.0[i], width, &mut dtable));
        Ok(Some(tensor(dtable, table.shape())?))
    }
}

impl CustomOp1 for Embed {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, a: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[slice(a, layout)?], layout)
    }

    fn bwd(&self, a: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        self.backward(0, a, dy)
    }
}

impl CustomOp2 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[slice(a, a_layout)?, slice(b, b_layout)?], a_layout)
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((self.backward(0, a, dy)?, self.backward(1, b, dy)?))
    }
}

impl CustomOp3 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let tables = [slice(a, a_layout)?, slice(b, b_layout)?, slice(c, c_layout)?];
        self.forward(&tables, a_layout)
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let back = |i, table| self.backward(i, table, dy);
        Ok((back(0, a)?, back(1, b)?, back(2, c)?))
    }
}

/// The mean over rows of `−ln softmax(row)[target]`, a scalar;
/// `torch.nn.functional.cross_entropy`. `logits` are `[rows, classes]`, with as many
/// targets.
///
/// Lᵢ = ln Σⱼ e^(xᵢⱼ) − xᵢₜ, and ∂ ln Σ e^x / ∂xⱼ = softmax(x)ⱼ, so
/// dxᵢⱼ = (softmax(xᵢ)ⱼ − \[j = t\]) / rows · dL: known at once in the forward pass.
///
/// # Errors
///
/// If there are no rows, or not as many targets, or a target isn't a class.
pub fn cross_entropy(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    check_targets(rows, classes, targets)?;
    if !is_fast(logits) {
        return plain::cross_entropy(logits, targets);
    }
    let op = CrossEntropy { targets: targets.to_vec(), gradient: Mutex::default() };
    logits.contiguous()?.apply_op1(op)
}

fn check_targets(rows: usize, classes: usize, targets: &[u32]) -> Result<()> {
    if rows == 0 || targets.len() != rows {
        bail!("cross_entropy: {rows} rows and {} targets; give one each", targets.len())
    }
    if let Some(target) = targets.iter().find(|&&target| target as usize >= classes) {
        bail!("cross_entropy: target {target} isn't one of {classes} classes")
    }
    Ok(())
}

struct CrossEntropy {
    targets: Vec<u32>,
    /// Of the logits; made in the forward pass, taken in the backward.
    gradient: Mutex<Option<Vec<f32>>>,
}

#[expect(clippy::cast_possible_truncation, reason = "a loss in f32, as all tensors")]
impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut logits = slice(logits, layout)?.to_vec();
        let classes = layout.shape().dims2()?.1;
        let loss = in_pool(|| loss::cross_entropy(&mut logits, &self.targets, classes));
        keep(&self.gradient, logits);
        Ok(result(vec![loss as f32], ()))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        _: &Tensor,
        dloss: &Tensor,
    ) -> Result<Option<Tensor>> {
        let gradient = take(&self.gradient, self.name())?;
        let gradient = tensor(gradient, logits.shape())?;
        Ok(Some(gradient.affine(f64::from(dloss.to_scalar::<f32>()?), 0.0)?))
    }
}

/// [`cross_entropy`] of logits H Wᵀ + b: with the table of word embeddings as W, `[classes,
/// width]`, it is the masked-LM decoder and its loss; `h` is `[rows, width]`, of the
/// masked positions only.
///
/// As one operation, neither the logits (rows × vocabulary, the largest tensor of the
/// model) nor their gradient are copied on the way.
///
/// # Errors
///
/// As [`cross_entropy`] and [`linear`].
pub fn linear_cross_entropy(
    h: &Tensor,
    w: &Tensor,
    b: &Tensor,
    targets: &[u32],
) -> Result<Tensor> {
    let ((rows, width), classes) = (h.dims2()?, w.dim(0)?);
    if w.dims() != [classes, width] || b.dims() != [classes] {
        bail!("linear_cross_entropy: h {:?} and a weight {:?}", h.dims(), w.dims())
    }
    check_targets(rows, classes, targets)?;
    if !is_fast(h) || width == 0 {
        return plain::cross_entropy(&plain::linear(h, w, b)?, targets);
    }
    let op =
        LinearCrossEntropy { targets: targets.to_vec(), gradient: Mutex::default() };
    h.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, op)
}

struct LinearCrossEntropy {
    targets: Vec<u32>,
    /// Of the logits; made in the forward pass, taken in the backward.
    gradient: Mutex<Option<Vec<f32>>>,
}

#[expect(clippy::cast_possible_truncation, reason = "a loss in f32, as all tensors")]
impl CustomOp3 for LinearCrossEntropy {
    fn name(&self) -> &'static str {
        "linear_cross_entropy"
    }

    fn cpu_fwd(
        &self,
        h: &CpuStorage,
        h_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (h, w, b) = (slice(h, h_layout)?, slice(w, w_layout)?, slice(b, b_layout)?);
        let rows = self.targets.len();
        let mut logits = vec![0.0; rows * b.len()];
        let loss = in_pool(|| -> Result<f64> {
            by_hand::forward(h, w, b, rows, Epilogue::None, &mut logits)?;
            Ok(loss::cross_entropy(&mut logits, &self.targets, b.len()))
        })?;
        keep(&self.gradient, logits);
        Ok(result(vec![loss as f32], ()))
    }

    fn bwd(
        &self,
        h: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dloss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dlogits = take(&self.gradient, self.name())?;
        let scale = dloss.to_scalar::<f32>()?;
        if scale.to_bits() != 1.0_f32.to_bits() {
            for x in &mut dlogits {
                *x *= scale;
            }
        }
        let rows = self.targets.len();
        let mut dh = vec![0.0; h.elem_count()];
        let mut dw = vec![0.0; w.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        {
            let (h, w) = (Values::of(h)?, Values::of(w)?);
            let (h, w) = (&*h, &*w);
            in_pool(|| {
                by_hand::parameter_gradients(&dlogits, h, rows, &mut dw, &mut db);
                by_hand::input_gradient(&dlogits, w, rows, Epilogue::None, &mut dh)
            })?;
        }
        let (dh, dw) = (tensor(dh, h.shape())?, tensor(dw, w.shape())?);
        Ok((Some(dh), Some(dw), Some(tensor(db, b.shape())?)))
    }
}

/// Keeps what the backward pass will need.
pub(crate) fn keep<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

/// Takes what the forward pass kept.
pub(crate) fn take<T>(place: &Mutex<Option<T>>, name: &str) -> Result<T> {
    let kept = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(kept) = kept else {
        bail!("{name}: a second backward pass; run the forward pass again first")
    };
    Ok(kept)
}
