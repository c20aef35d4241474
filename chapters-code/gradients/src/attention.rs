//! Multi-head attention, and what comes back through it.
//!
//! For a head, S = Q Kᵀ / √d_k, P = softmax(S) by rows, O = (P ∘ M) V with dropout's M:
//!
//! - dV = (P ∘ M)ᵀ dO, and dP = (dO Vᵀ) ∘ M, as for a linear layer;
//! - ∂Pᵢⱼ/∂Sᵢₖ = Pᵢⱼ (δⱼₖ − Pᵢₖ), so dSᵢₖ = Pᵢₖ (dPᵢₖ − Σⱼ Pᵢⱼ dPᵢⱼ);
//! - dQ = dS K / √d_k and dK = dSᵀ Q / √d_k.
//!
//! The backward pass computes P again from Q and K (Dao et al. 2022 do it for long
//! sequences, where P is what fills the memory).

pub(crate) mod kernel;

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use kernels::in_pool;

use crate::dropout::{self, DropoutMask};
use crate::storage::{Values, result, slice, tensor};
use kernel::{AttentionShape, Operands};

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
    /// Which weights are left out, in a training.
    pub dropout: Option<DropoutMask>,
}

/// Multi-head attention of projected queries `[batch, n, d_model]` on keys and values
/// `[batch, m, d_model]`, as one operation: the heads are read and written where they lie,
/// with no transposition. The result is `[batch, n, d_model]`.
///
/// # Errors
///
/// If the shapes don't fit or one is empty; if a tensor isn't f32 on the CPU.
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
    if batch == 0 || queries == 0 || keys == 0 {
        bail!("attention: {batch} × {queries} queries and {keys} keys: none to look at")
    }
    let d_k = d_model / heads;
    let op = AttentionOp {
        shape: AttentionShape { batch, queries, keys, heads, d_k },
        mask: options.mask.as_ref().map(|m| m.flatten_all()?.to_vec1()).transpose()?,
        causal: options.causal,
        dropout: options.dropout,
    };
    q.contiguous()?.apply_op3(&k.contiguous()?, &v.contiguous()?, op)
}

/// [`attention`] in candle's operations, of any type of number: what the fast one is held
/// to.
pub fn reference(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    options: &Attention,
) -> Result<Tensor> {
    let (batch, queries, d_model) = q.dims3()?;
    let (keys, heads) = (k.dim(1)?, options.heads);
    let split = |x: &Tensor, n| {
        // [batch, n, d_model] -> [batch, heads, n, d_k]
        x.reshape((batch, n, heads, d_model / heads))?.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (split(q, queries)?, split(k, keys)?, split(v, keys)?);
    let scale = 1.0 / ((d_model / heads) as f64).sqrt();
    let mut scores = (q.matmul(&k.t()?.contiguous()?)? * scale)?;
    if let Some(mask) = &options.mask {
        // [batch, keys] -> [batch, 1, 1, keys]
        let mask = mask.reshape((batch, 1, 1, keys))?.to_dtype(q.dtype())?;
        scores = scores.broadcast_add(&mask)?;
    }
    if options.causal {
        let later = (0..queries)
            .flat_map(|i| (0..keys).map(move |j| if j > i { f32::MIN } else { 0.0 }));
        let later = Tensor::from_iter(later, q.device())?.to_dtype(q.dtype())?;
        // [queries · keys] -> [1, 1, queries, keys]
        scores = scores.broadcast_add(&later.reshape((1, 1, queries, keys))?)?;
    }
    let weights = dropout::reference(&softmax(&scores)?, options.dropout)?;
    let context = weights.matmul(&v)?.transpose(1, 2)?; // [batch, queries, heads, d_k]
    context.contiguous()?.reshape((batch, queries, d_model)) // the heads side by side
}

/// Rows to weights that add up to 1, over the last axis; `torch.softmax(x, dim=-1)`. Shape
/// unchanged. In candle's operations, of any type of number.
///
/// The maximum is subtracted, so that nothing overflows. It changes no result, so no
/// gradient flows through it.
///
/// # Errors
///
/// If `x` is empty.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let max = x.max_keepdim(D::Minus1)?.detach(); // […, 1]
    let exponentials = x.broadcast_sub(&max)?.exp()?;
    let sums = exponentials.sum_keepdim(D::Minus1)?; // […, 1]
    exponentials.broadcast_div(&sums)
}

struct AttentionOp {
    shape: AttentionShape,
    mask: Option<Vec<f32>>,
    causal: bool,
    dropout: Option<DropoutMask>,
}

impl AttentionOp {
    fn operands<'a>(
        &'a self,
        q: &'a [f32],
        k: &'a [f32],
        v: &'a [f32],
    ) -> Operands<'a> {
        let stride = self.shape.heads * self.shape.d_k;
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
