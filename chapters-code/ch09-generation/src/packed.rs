//! The same model on packed weights: for answers, one text at a time.
//!
//! It computes what [`Gpt`] computes, to rounding, several times as fast: candle's operations, each
//! with a tensor of its own, cost a small model more than its arithmetic. The linear layers and norms
//! are those of the `kernels` crate; attention is written here, over a cache made for it. No
//! attentions come out, and no batch goes in: that is what [`Gpt`] is for.

#![expect(
    clippy::inline_always,
    reason = "a function compiled for AVX-512 is one inlined where AVX-512 is on"
)]

use candle_nn::Linear;
use kernels::{Epilogue, Isa, PackedLinear, in_pool, load, math, store};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use sentiment::packed::{PackedNorm, epilogue, side_by_side, values};
use training::Activation;

use crate::error::{GenerationError, Result};
use crate::generate::Decoder;
use crate::gpt::{Gpt, GptLayer};

/// Keys that are compared with a query at once.
const PANEL: usize = 16;

/// A [`Gpt`] whose weights are packed once, in the order in which the processor reads them.
#[derive(Debug)]
pub struct PackedGpt {
    /// `[vocabulary, d_model]`
    words: Vec<f32>,
    /// `[positions, d_model]`
    positions: Vec<f32>,
    layers: Vec<PackedLayer>,
    norm: PackedNorm,
    /// `d_model -> vocabulary`
    decoder: PackedLinear,
}

#[derive(Debug)]
struct PackedLayer {
    heads: usize,
    norm_1: PackedNorm,
    /// `d_model -> 3 · d_model`
    c_attn: PackedLinear,
    attention_c_proj: PackedLinear,
    norm_2: PackedNorm,
    c_fc: PackedLinear,
    activation: Activation,
    c_proj: PackedLinear,
}

/// The keys and values of one text's tokens, by layer and head.
#[derive(Debug, Clone, Default)]
pub struct PackedCache {
    tokens: usize,
    layers: Vec<Vec<CachedHead>>,
}

/// What a head knows of the tokens so far.
#[derive(Debug, Clone, Default)]
struct CachedHead {
    /// `[m / 16][d_k][16]`: a line has one number of each of sixteen keys.
    keys: Vec<[f32; PANEL]>,
    /// `[m, d_k]`
    values: Vec<f32>,
}

impl PackedGpt {
    /// Packs a model's weights.
    ///
    /// # Errors
    ///
    /// If the weights aren't f32.
    pub fn pack(model: &Gpt) -> Result<Self> {
        let decoder = Linear::new(model.decoder.clone(), None);
        let layers = model.layers.iter().map(PackedLayer::pack);
        Ok(Self {
            words: values(&model.words)?,
            positions: values(&model.positions)?,
            layers: layers.collect::<Result<_>>()?,
            norm: PackedNorm::pack(&model.norm)?,
            decoder: side_by_side(&[&decoder])?,
        })
    }

    /// That the cache is empty, or this model's own.
    fn check(&self, cache: &PackedCache) -> Result<()> {
        let layers = cache.layers.iter().zip(&self.layers);
        let mut known = layers.map(|(heads, layer)| {
            let values = heads.iter().map(|head| head.values.len()).sum::<usize>();
            heads.len() == layer.heads && values == cache.tokens * self.decoder.inputs()
        });
        let fits = cache.layers.len() == self.layers.len() && known.all(|known| known);
        if cache.tokens == 0 || fits {
            return Ok(());
        }
        let found = format!("of another model, with {} layers", cache.layers.len());
        Err(GenerationError::setting("cache", found, "an empty one, or this model's"))
    }

    /// The tokens' first vectors, `[n, d_model]`, with the positions from `past` on.
    fn embed(&self, new: &[u32], past: usize) -> Result<Vec<f32>> {
        if new.is_empty() {
            return Err(GenerationError::EmptyPrompt);
        }
        let (d_model, limit) = (self.decoder.inputs(), self.limit());
        let found = past + new.len();
        if found > limit {
            return Err(GenerationError::TooLong { found, limit });
        }
        let mut x = Vec::with_capacity(new.len() * d_model);
        let positions = self.positions.chunks_exact(d_model).skip(past);
        for (&id, position) in new.iter().zip(positions) {
            let Some(word) = self.words.chunks_exact(d_model).nth(id as usize) else {
                return Err(GenerationError::Token {
                    id,
                    limit: self.decoder.outputs(),
                });
            };
            x.extend(word.iter().zip(position).map(|(word, place)| word + place));
        }
        Ok(x)
    }
}

impl Decoder for PackedGpt {
    type Cache = PackedCache;

    fn limit(&self) -> usize {
        self.positions.len() / self.decoder.inputs()
    }

    fn next_logits(&self, new: &[u32], cache: &mut PackedCache) -> Result<Vec<f32>> {
        let d_model = self.decoder.inputs();
        self.check(cache)?;
        let mut x = self.embed(new, cache.tokens)?; // [n, d_model]
        cache.layers.resize_with(self.layers.len(), Vec::new);
        in_pool(|| {
            for (layer, heads) in self.layers.iter().zip(&mut cache.layers) {
                layer.forward(&mut x, new.len(), heads)?;
            }
            cache.tokens += new.len();
            let last = &mut x[(new.len() - 1) * d_model..]; // [d_model]
            self.norm.forward(last)?;
            let mut logits = vec![0.0; self.decoder.outputs()];
            self.decoder.forward(last, 1, Epilogue::None, &mut logits)?;
            Ok(logits)
        })
    }
}

impl PackedLayer {
    fn pack(layer: &GptLayer) -> Result<Self> {
        Ok(Self {
            heads: layer.attention.heads,
            norm_1: PackedNorm::pack(&layer.norm_1)?,
            c_attn: side_by_side(&[&layer.attention.c_attn])?,
            attention_c_proj: side_by_side(&[&layer.attention.c_proj])?,
            norm_2: PackedNorm::pack(&layer.norm_2)?,
            c_fc: side_by_side(&[&layer.c_fc])?,
            activation: layer.activation,
            c_proj: side_by_side(&[&layer.c_proj])?,
        })
    }

    /// One layer: `x`, `[n, d_model]`, becomes the new tokens' next vectors.
    fn forward(
        &self,
        x: &mut [f32],
        n: usize,
        heads: &mut Vec<CachedHead>,
    ) -> Result<()> {
        let mut normed = x.to_vec();
        self.norm_1.forward(&mut normed)?;
        let mut qkv = vec![0.0; n * self.c_attn.outputs()]; // [n, 3 · d_model]
        self.c_attn.forward(&normed, n, Epilogue::None, &mut qkv)?;
        let context = self.attend(&qkv, n, heads); // [n, d_model]
        let mut attended = vec![0.0; x.len()]; // [n, d_model]
        self.attention_c_proj.forward(&context, n, Epilogue::Add(x), &mut attended)?;

        normed.copy_from_slice(&attended);
        self.norm_2.forward(&mut normed)?;
        let mut hidden = vec![0.0; n * self.c_fc.outputs()]; // [n, d_ff]
        self.c_fc.forward(&normed, n, epilogue(self.activation), &mut hidden)?;
        Ok(self.c_proj.forward(&hidden, n, Epilogue::Add(&attended), x)?)
    }

    /// What the heads find for each of `n` new tokens, side by side: `[n, d_model]`. Their keys and
    /// values enter the cache; a token looks at those before it and itself, so no mask is needed.
    fn attend(&self, qkv: &[f32], n: usize, heads: &mut Vec<CachedHead>) -> Vec<f32> {
        let isa = Isa::current();
        let d_model = self.attention_c_proj.inputs();
        let d_k = d_model / self.heads;
        heads.resize_with(self.heads, CachedHead::default);
        for (h, head) in heads.iter_mut().enumerate() {
            for token in qkv.chunks_exact(3 * d_model) {
                let part = |which: usize| &token[which * d_model + h * d_k..][..d_k];
                head.append(part(1), part(2));
            }
        }
        let mut context = vec![0.0; n * d_model];
        let parts = context.par_chunks_exact_mut(d_k).enumerate();
        // One token's heads are too little work to share.
        parts.with_min_len(self.heads).for_each(|(i, context)| {
            let (token, h) = (i / self.heads, i % self.heads);
            let query = &qkv[token * 3 * d_model + h * d_k..][..d_k];
            let after = n - 1 - token;
            isa.run(Attend { query, head: &heads[h], after, context });
        });
        context
    }
}

impl CachedHead {
    /// How many tokens it knows.
    fn len(&self, d_k: usize) -> usize {
        self.values.len() / d_k
    }

    /// Adds a token's key and value, `[d_k]` each.
    fn append(&mut self, key: &[f32], value: &[f32]) {
        let d_k = key.len();
        let (panel, lane) = (self.len(d_k) / PANEL, self.len(d_k) % PANEL);
        self.keys.resize((panel + 1) * d_k, [0.0; PANEL]);
        for (line, key) in self.keys[panel * d_k..].iter_mut().zip(key) {
            line[lane] = *key;
        }
        self.values.extend(value);
    }
}

/// One query's attention in one head, compiled for the processor's vectors.
struct Attend<'a> {
    /// `[d_k]`
    query: &'a [f32],
    head: &'a CachedHead,
    /// How many of the last tokens the query doesn't see.
    after: usize,
    /// `[d_k]`, of zeros: what is found is added to it.
    context: &'a mut [f32],
}

impl WithSimd for Attend<'_> {
    type Output = ();

    // ANCHOR: attend
    /// softmax(q Kᵀ / √d_k) V for one query.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { query, head, after, context } = self;
        let d_k = query.len();
        let scale = 1.0 / (d_k as f32).sqrt();
        let seen = head.len(d_k) - after;
        // [m], and to the end of a panel
        let mut weights = vec![0.0; seen.next_multiple_of(PANEL)];
        for (scores, keys) in
            weights.chunks_exact_mut(PANEL).zip(head.keys.chunks_exact(d_k))
        {
            let mut sums = [0.0; PANEL]; // of sixteen keys, side by side
            for (q, line) in query.iter().zip(keys) {
                for (sum, key) in sums.iter_mut().zip(line) {
                    *sum += q * key;
                }
            }
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score = sum * scale;
            }
        }
        weights[seen..].fill(f32::NEG_INFINITY);
        let max = weights.iter().fold(f32::NEG_INFINITY, |max, &score| max.max(score));
        for weights in weights.chunks_exact_mut(S::F32_LANES) {
            let below = simd.sub_f32s(load(simd, weights), simd.splat_f32s(max));
            store(simd, weights, math::exp(simd, below));
        }
        let sum: f32 = weights.iter().sum();
        for (weight, value) in weights[..seen].iter().zip(head.values.chunks_exact(d_k))
        {
            let weight = weight / sum;
            for (context, value) in context.iter_mut().zip(value) {
                *context += weight * value;
            }
        }
    }
    // ANCHOR_END: attend
}
