//! The model: decoder layers without a memory, the norm before each part.

use candle_core::{D, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use sentiment::Batch;
use training::linear::{linear, table};
use training::{
    Activation, LayerNorm, MultiHeadOutput, WeightInit, activate, merge_heads, softmax,
    split_heads,
};

use crate::cache::Cache;
use crate::config::GptConfig;
use crate::error::{GenerationError, Result};

/// Self-attention whose queries, keys and values come of one linear layer: transformers'
/// `GPT2Attention`.
#[derive(Debug, Clone)]
pub struct CausalAttention {
    /// How many heads share `d_model`.
    pub heads: usize,
    /// `d_model -> 3 · d_model`: queries, keys and values side by side.
    pub c_attn: Linear,
    /// Mixes what the heads found.
    pub c_proj: Linear,
}

impl CausalAttention {
    // ANCHOR: attention
    /// The new tokens, `x` `[batch, n, d_model]`, look at those of the cache and at each
    /// other, as far as `mask`, `[batch, 1, n, m]`, lets them; their keys and values enter
    /// the cache as those of `layer`.
    ///
    /// # Errors
    ///
    /// [`GenerationError`] if a shape doesn't fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        cache: &mut Cache,
        layer: usize,
    ) -> Result<MultiHeadOutput> {
        let qkv = self.c_attn.forward(x)?; // [batch, n, 3 · d_model]
        let parts = qkv.chunk(3, D::Minus1)?; // three of [batch, n, d_model]
        let q = split_heads(&parts[0], self.heads)?; // [batch, heads, n, d_k]
        let k = split_heads(&parts[1], self.heads)?;
        let v = split_heads(&parts[2], self.heads)?;
        let [k, v] = cache.append(layer, [k, v])?; // [batch, heads, m, d_k]
        let d_k = q.dim(D::Minus1)? as f64;
        // [batch, heads, n, d_k] · [batch, heads, d_k, m] -> [batch, heads, n, m]
        let mut scores = (q.matmul(&k.t()?)? / d_k.sqrt())?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?;
        }
        let weights = softmax(&scores)?;
        let heads = weights.matmul(&v)?; // [batch, heads, n, d_k]
        let output = self.c_proj.forward(&merge_heads(&heads)?)?;
        Ok(MultiHeadOutput { output, weights })
    }
    // ANCHOR_END: attention
}

/// One layer, with the norm before each part and the residual past it, `x + f(norm(x))`:
/// transformers' `GPT2Block`.
#[derive(Debug, Clone)]
pub struct GptLayer {
    /// Before attention.
    pub norm_1: LayerNorm,
    /// Every token looks at itself and those before it.
    pub attention: CausalAttention,
    /// Before the feed-forward network.
    pub norm_2: LayerNorm,
    /// The feed-forward network's first layer, `d_model -> d_ff`.
    pub c_fc: Linear,
    /// Between its two.
    pub activation: Activation,
    /// Its second, `d_ff -> d_model`.
    pub c_proj: Linear,
}

impl GptLayer {
    // ANCHOR: layer
    /// The new tokens' next vectors and attention weights: as [`CausalAttention::forward`].
    ///
    /// # Errors
    ///
    /// [`GenerationError`] if a shape doesn't fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        cache: &mut Cache,
        layer: usize,
    ) -> Result<MultiHeadOutput> {
        let attended =
            self.attention.forward(&self.norm_1.forward(x)?, mask, cache, layer)?;
        let x = (x + attended.output)?;
        let hidden = self.c_fc.forward(&self.norm_2.forward(&x)?)?; // [batch, n, d_ff]
        let hidden = activate(self.activation, &hidden)?;
        let output = (x + self.c_proj.forward(&hidden)?)?; // [batch, n, d_model]
        Ok(MultiHeadOutput { output, weights: attended.weights })
    }
    // ANCHOR_END: layer
}

/// A decoder-only Transformer that guesses each next token (Radford et al. 2019): transformers'
/// `GPT2LMHeadModel`.
#[derive(Debug, Clone)]
pub struct Gpt {
    /// The tokens' first vectors, `[vocabulary, d_model]`.
    pub words: Tensor,
    /// What each position adds, `[positions, d_model]`.
    pub positions: Tensor,
    /// From the first to the last.
    pub layers: Vec<GptLayer>,
    /// After the last layer.
    pub norm: LayerNorm,
    /// What last vectors are compared with, `[vocabulary, d_model]`: the table of tokens, unless
    /// the weights aren't tied.
    pub decoder: Tensor,
}

/// What [`Gpt::forward`] computes.
#[derive(Debug, Clone)]
pub struct GptOutput {
    /// The new tokens' last vectors, `[batch, n, d_model]`.
    pub last_hidden_state: Tensor,
    /// How much each new token looked at each token so far, one `[batch, heads, n, m]` a layer.
    pub attentions: Vec<Tensor>,
}

impl Gpt {
    /// Reads the new tokens of `batch` behind those of the cache, which then holds them, too.
    ///
    /// # Errors
    ///
    /// [`GenerationError::Token`] or [`GenerationError::TooLong`] if the model has no vector for a
    /// token or its position; if the cache is of another batch.
    pub fn forward(&self, batch: &Batch, cache: &mut Cache) -> Result<GptOutput> {
        let past = cache.len();
        self.check(batch, cache)?;
        cache.show(batch.texts().map(|(_, shown)| shown));
        let mut x = self.embed(batch, cache, past)?; // [batch, n, d_model]
        let mask = causal_mask(cache.shown(), past)?; // [batch, 1, n, m]
        let mut attentions = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let next = layer.forward(&x, mask.as_ref(), cache, i)?;
            attentions.push(next.weights);
            x = next.output;
        }
        let last_hidden_state = self.norm.forward(&x)?;
        Ok(GptOutput { last_hidden_state, attentions })
    }

    /// From last vectors to a number for each token that may come next:
    /// `[…, d_model] -> […, vocabulary]`.
    ///
    /// # Errors
    ///
    /// [`GenerationError`] if `x` has another width.
    pub fn predict(&self, x: &Tensor) -> Result<Tensor> {
        Ok(Linear::new(self.decoder.clone(), None).forward(x)?)
    }

    /// How many tokens there are.
    pub fn vocabulary(&self) -> usize {
        self.words.dims().first().copied().unwrap_or(0)
    }

    /// The longest text, in tokens.
    pub fn limit(&self) -> usize {
        self.positions.dims().first().copied().unwrap_or(0)
    }

    /// How many numbers were learned.
    pub fn weights(&self) -> usize {
        let size = |tensor: &Tensor| tensor.elem_count();
        let linear =
            |layer: &Linear| size(layer.weight()) + layer.bias().map_or(0, size);
        let norm = |norm: &LayerNorm| size(&norm.weight) + size(&norm.bias);
        let layer = |layer: &GptLayer| {
            let linears = [
                &layer.attention.c_attn,
                &layer.attention.c_proj,
                &layer.c_fc,
                &layer.c_proj,
            ];
            let norms = [&layer.norm_1, &layer.norm_2];
            linears.map(linear).iter().sum::<usize>()
                + norms.map(norm).iter().sum::<usize>()
        };
        let tied = self.decoder.id() == self.words.id();
        size(&self.words)
            + size(&self.positions)
            + self.layers.iter().map(layer).sum::<usize>()
            + norm(&self.norm)
            + if tied { 0 } else { size(&self.decoder) }
    }

    /// That there is a vector for each token and its position, and that the cache is of this batch.
    pub(crate) fn check(&self, batch: &Batch, cache: &Cache) -> Result<()> {
        let (limit, tokens) = (self.limit(), cache.len() + batch.n());
        if tokens > limit {
            return Err(GenerationError::TooLong { found: tokens, limit });
        }
        let vocabulary = self.vocabulary();
        if let Some(&id) = batch.ids().iter().find(|&&id| id as usize >= vocabulary) {
            return Err(GenerationError::Token { id, limit: vocabulary });
        }
        let rows = cache.shown().len();
        if rows > 0 && rows != batch.rows() {
            let expected = format!("the cache's {rows}");
            return Err(GenerationError::setting("sequences", batch.rows(), expected));
        }
        Ok(())
    }

    /// The new tokens' first vectors, `[batch, n, d_model]`: of the token and of its position,
    /// counted without padding.
    fn embed(&self, batch: &Batch, cache: &Cache, past: usize) -> Result<Tensor> {
        let mut places = Vec::new();
        for shown in cache.shown() {
            let before = shown[..past].iter().sum();
            places.extend(shown[past..].iter().scan(
                before,
                |seen: &mut u32, &shown| {
                    *seen += shown;
                    Some(seen.saturating_sub(1))
                },
            ));
        }
        let rows = |table: &Tensor, numbers: &[u32]| {
            table.index_select(&Tensor::new(numbers, &Device::Cpu)?, 0)
        };
        // [batch · n, d_model]
        let x = (rows(&self.words, batch.ids())? + rows(&self.positions, &places)?)?;
        // [batch · n, d_model] -> [batch, n, d_model]
        Ok(x.reshape((batch.rows(), batch.n(), ()))?)
    }
}

// ANCHOR: mask
/// What is added to the scores, `[batch, 1, n, m]`: the lowest number for a key that
/// stands after its query or is padding, 0 for the others. `None` if all may be seen:
/// one new token, no padding.
fn causal_mask(shown: &[Vec<u32>], past: usize) -> Result<Option<Tensor>> {
    let (batch, m) = (shown.len(), shown.first().map_or(0, Vec::len));
    let n = m - past;
    if n == 1 && shown.iter().flatten().all(|&shown| shown == 1) {
        return Ok(None);
    }
    let mut mask = Vec::with_capacity(batch * n * m);
    for shown in shown {
        for query in past..m {
            let seen = |key: usize| key <= query && shown[key] == 1;
            mask.extend((0..m).map(|key| if seen(key) { 0.0 } else { f32::MIN }));
        }
    }
    Ok(Some(Tensor::from_vec(mask, (batch, 1, n, m), &Device::Cpu)?))
}
// ANCHOR_END: mask

/// Texts of any lengths as one batch, the shorter ones filled up with `pad` before their
/// beginnings, so that what comes next stands in one column.
///
/// # Errors
///
/// [`GenerationError::Batch`] if there is no text, or one has no token.
pub fn left_padded(texts: &[Vec<u32>], pad: u32) -> Result<Batch> {
    let n = texts.iter().map(Vec::len).max().unwrap_or(0);
    let fill =
        |row: &[u32], with: u32| [vec![with; n - row.len()], row.to_vec()].concat();
    let ids: Vec<_> = texts.iter().map(|text| fill(text, pad)).collect();
    let shown: Vec<_> =
        texts.iter().map(|text| fill(&vec![1; text.len()], 0)).collect();
    Ok(Batch::new(&ids, None, Some(&shown))?)
}

impl Gpt {
    /// The model at `vb`, under GPT-2's names, linear layers as PyTorch has them: see
    /// [`weights`](crate::weights).
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`; if a tensor is missing or of another shape.
    pub fn load(vb: &VarBuilder, config: &GptConfig) -> candle_core::Result<Self> {
        let d = config.n_embd;
        let init = WeightInit::Normal(0.02);
        let words = table(&vb.pp("wte"), config.vocab_size, d, init)?;
        let layer = |i: usize| GptLayer::load(&vb.pp(format!("h.{i}")), config);
        let decoder = if config.tie_word_embeddings {
            words.clone()
        } else {
            table(&vb.pp("lm_head"), config.vocab_size, d, init)?
        };
        Ok(Self {
            words,
            positions: table(&vb.pp("wpe"), config.n_positions, d, init)?,
            layers: (0..config.n_layer)
                .map(layer)
                .collect::<candle_core::Result<_>>()?,
            norm: LayerNorm::load(&vb.pp("ln_f"), d, config.layer_norm_epsilon)?,
            decoder,
        })
    }
}

impl GptLayer {
    fn load(vb: &VarBuilder, config: &GptConfig) -> candle_core::Result<Self> {
        let (d, inner) = (config.n_embd, config.n_inner);
        training::attention::head_width(d, config.n_head)?;
        let norm = |name| LayerNorm::load(&vb.pp(name), d, config.layer_norm_epsilon);
        // What is added to the residual starts smaller, the more layers add to it.
        let added = 0.02 / (2.0 * config.n_layer as f64).sqrt();
        let [first, last] = [0.02, added].map(WeightInit::Normal);
        Ok(Self {
            norm_1: norm("ln_1")?,
            attention: CausalAttention {
                heads: config.n_head,
                c_attn: linear(&vb.pp("attn.c_attn"), d, 3 * d, first)?,
                c_proj: linear(&vb.pp("attn.c_proj"), d, d, last)?,
            },
            norm_2: norm("ln_2")?,
            c_fc: linear(&vb.pp("mlp.c_fc"), d, inner, first)?,
            activation: config.activation,
            c_proj: linear(&vb.pp("mlp.c_proj"), inner, d, last)?,
        })
    }
}
