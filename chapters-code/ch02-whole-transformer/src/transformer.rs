//! The whole Transformer: tokens in, tokens out.

use ndarray::{Array1, Array2, Axis};
use self_attention::check_finite;
use self_attention::numpy::NumpyRandom;

use crate::decoder::{Decoder, DecoderLayer, DecoderMasks};
use crate::encoder::{Encoder, EncoderLayer, StackOutput};
use crate::error::{Result, TransformerError};
use crate::linear::Linear;
use crate::mask;
use crate::norm::{LayerNorm, NormOrder};
use crate::options::Options;
use crate::position::Positions;
use crate::record::AttentionRecord;

// ANCHOR: embedding
/// One vector per token: PyTorch's `nn.Embedding`, with the Transformer's scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// One row per token, `[vocabulary, d_model]`.
    pub weight: Array2<f64>,
}

impl Embedding {
    /// The tokens' rows times √d_model (Vaswani et al. 2017, section 3.4): `n` tokens
    /// `-> [n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`TransformerError::Token`] if a token is not in the vocabulary.
    pub fn forward(&self, tokens: &[usize]) -> Result<Array2<f64>> {
        let (vocabulary, d_model) = self.weight.dim();
        let unknown = tokens.iter().position(|&token| token >= vocabulary);
        if let Some(position) = unknown {
            let token = tokens[position];
            return Err(TransformerError::Token { token, position, vocabulary });
        }
        let rows = self.weight.select(Axis(0), tokens); // [n, d_model]
        Ok(rows * (d_model as f64).sqrt())
    }
}
// ANCHOR_END: embedding

// ANCHOR: transformer
/// The encoder-decoder Transformer of "Attention Is All You Need".
#[derive(Debug, Clone, PartialEq)]
pub struct Transformer {
    /// Vectors of the source tokens.
    pub source_embedding: Embedding,
    /// Vectors of the target tokens.
    pub target_embedding: Embedding,
    /// Added to both.
    pub positions: Positions,
    /// Reads the source.
    pub encoder: Encoder,
    /// Writes the target.
    pub decoder: Decoder,
    /// From a vector to a score (a logit) for each target token, `d_model ->
    /// vocabulary`.
    pub projection: Linear,
    /// The source token that nobody may look at.
    pub padding: Option<usize>,
}

/// What [`Transformer::forward`] computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// For each target position, a score for each token that could come next,
    /// `[n, vocabulary]`.
    pub logits: Array2<f64>,
    /// Every attention: the encoder's, then the decoder's (self and cross by turns).
    pub attentions: Vec<AttentionRecord>,
}
// ANCHOR_END: transformer

// ANCHOR: encode
impl Transformer {
    /// Reads `m` source tokens and, for each of `n` target tokens, predicts the next.
    ///
    /// # Errors
    ///
    /// [`TransformerError`] if a sequence is empty or has a token that the vocabulary
    /// doesn't, if there are more tokens than learned positions, or if weights are not
    /// finite or don't fit.
    pub fn forward(&self, source: &[usize], target: &[usize]) -> Result<Prediction> {
        let memory = self.encode(source)?; // [m, d_model]
        let step = self.decode(source, &memory.output, target)?;
        let attentions = [memory.attentions, step.attentions].concat();
        Ok(Prediction { logits: step.logits, attentions })
    }

    /// The encoder's half: `m` tokens `-> [m, d_model]`.
    pub fn encode(&self, source: &[usize]) -> Result<StackOutput> {
        let embedded = embed("source", source, &self.source_embedding)?;
        let x = self.positions.add_to(&embedded)?; // [m, d_model]
        self.encoder.forward(&x, Some(&self.source_mask(source.len(), source)))
    }

    /// Hides the source's padding from `n` queries, `[n, m]`.
    fn source_mask(&self, n: usize, source: &[usize]) -> Array2<f64> {
        let is_padding = |&token: &usize| Some(token) == self.padding;
        let padding: Vec<bool> = source.iter().map(is_padding).collect();
        mask::key_padding(n, &padding)
    }
}

fn embed(
    sequence: &'static str,
    tokens: &[usize],
    embedding: &Embedding,
) -> Result<Array2<f64>> {
    if tokens.is_empty() {
        return Err(TransformerError::NoTokens { sequence });
    }
    embedding.forward(tokens)
}
// ANCHOR_END: encode

// ANCHOR: decode
impl Transformer {
    /// The decoder's half, from the encoder's output, `[m, d_model]`: `n` tokens `->
    /// [n, vocabulary]`.
    pub fn decode(
        &self,
        source: &[usize],
        memory: &Array2<f64>,
        target: &[usize],
    ) -> Result<Prediction> {
        let embedded = embed("target", target, &self.target_embedding)?;
        let x = self.positions.add_to(&embedded)?; // [n, d_model]
        let causal = mask::causal(target.len()); // [n, n]
        let hidden = self.source_mask(target.len(), source); // [n, m]
        let masks = DecoderMasks { target: Some(&causal), memory: Some(&hidden) };
        let decoded = self.decoder.forward(&x, memory, masks)?; // [n, d_model]
        // [n, d_model] -> [n, vocabulary]
        let decoder_output = ("decoder output", &decoded.output);
        let logits = self.projection.forward(decoder_output, "W_vocabularyᵀ")?;
        check_finite("logits", &logits)?;
        Ok(Prediction { logits, attentions: decoded.attentions })
    }
}
// ANCHOR_END: decode

// ANCHOR: greedy
/// What [`Transformer::greedy`] writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The target tokens, from `start`; the last one is `end`, if it was reached.
    pub tokens: Vec<usize>,
    /// Every attention of the last step, which has all steps' rows: the mask lets no
    /// row see what came after it.
    pub attentions: Vec<AttentionRecord>,
}

impl Transformer {
    /// Writes a target sentence, always choosing the likeliest next token (of equals,
    /// the first), until it chooses `end` or has chosen `limit` tokens.
    ///
    /// The source is encoded once; each step decodes all tokens so far.
    pub fn greedy(
        &self,
        source: &[usize],
        (start, end): (usize, usize),
        limit: usize,
    ) -> Result<Decoded> {
        let memory = self.encode(source)?; // [m, d_model]
        let mut tokens = vec![start];
        let mut attentions = Vec::new();
        for _ in 0..limit {
            let step = self.decode(source, &memory.output, &tokens)?;
            attentions = step.attentions;
            let last = step.logits.row(step.logits.nrows() - 1).to_owned();
            tokens.push(likeliest(&last)); // [vocabulary] -> one token
            if tokens.last() == Some(&end) {
                break;
            }
        }
        let attentions = [memory.attentions, attentions].concat();
        Ok(Decoded { tokens, attentions })
    }
}
// ANCHOR_END: greedy

/// Where the largest score is; of equals, the first. `[vocabulary] -> one token`.
pub fn likeliest(logits: &Array1<f64>) -> usize {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best
}

impl Transformer {
    /// A Transformer with random weights, which is to say one that writes nonsense,
    /// with sinusoidal positions. A final norm is there if the layers are pre-norm.
    ///
    /// # Errors
    ///
    /// [`TransformerError::Heads`] if the heads don't divide `d_model`.
    pub fn random(random: &mut NumpyRandom, options: &Options) -> Result<Self> {
        let Options { layers, layer, .. } = *options;
        let d_model = layer.d_model;
        let norm = (layer.order == NormOrder::Pre).then(|| LayerNorm::new(d_model));
        let mut embedding = |vocabulary| Embedding {
            weight: Linear::random(random, d_model, vocabulary).weight,
        };
        let source_embedding = embedding(options.source_vocabulary);
        let target_embedding = embedding(options.target_vocabulary);
        let encoder_layers: Result<_> =
            (0..layers).map(|_| EncoderLayer::random(random, layer)).collect();
        let decoder_layers: Result<_> =
            (0..layers).map(|_| DecoderLayer::random(random, layer)).collect();
        Ok(Self {
            source_embedding,
            target_embedding,
            positions: Positions::Sinusoidal,
            encoder: Encoder { layers: encoder_layers?, norm: norm.clone() },
            decoder: Decoder { layers: decoder_layers?, norm },
            projection: Linear::random(random, d_model, options.target_vocabulary),
            padding: options.padding,
        })
    }
}
