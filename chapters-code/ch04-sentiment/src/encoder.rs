//! The encoder: every token looks at every token, layer after layer.

use std::fmt;

use candle_core::Tensor;
use candle_nn::VarBuilder;
use ndarray::Array4;
use serde::{Deserialize, Serialize};
use training::{
    DropoutRng, EncoderLayer, EncoderLayerOutput, LayerNames, LayerOptions,
};

use crate::error::Result;
use crate::vectors::array4;

/// Which head of a model.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Head {
    /// Its layer, from 0.
    pub layer: usize,
    /// Which of the layer's, from 0.
    pub head: usize,
}

/// As in the literature: `0.1` is head 1 of layer 0.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.layer, self.head))
    }
}

/// How to run a model: what to keep on the way, and whether it is being trained.
///
/// `ForwardOptions::default()` keeps nothing but the last vectors.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForwardOptions<'a> {
    /// Keep the attentions of every layer.
    pub output_attentions: bool,
    /// Keep the vectors before the first layer and after each.
    pub output_hidden_states: bool,
    /// Training's dropout; `None` is inference, without any.
    pub dropout: Option<&'a DropoutRng>,
}

impl ForwardOptions<'_> {
    /// Keeps the attentions, as transformers' `output_attentions=True`.
    pub const ATTENTIONS: ForwardOptions<'static> = ForwardOptions {
        output_attentions: true,
        output_hidden_states: false,
        dropout: None,
    };
}

/// What an encoder computes, with transformers' names.
#[derive(Debug, Clone)]
pub struct EncoderOutput {
    /// The tokens' last vectors, `[batch, n, d_model]`.
    pub last_hidden_state: Tensor,
    /// If asked for: the vectors before the first layer and after each, `layers + 1` of
    /// `[batch, n, d_model]`.
    pub hidden_states: Option<Vec<Tensor>>,
    /// If asked for: how much each token looked at each token, one
    /// `[batch, heads, n, n]` a layer.
    pub attentions: Option<Vec<Tensor>>,
}

impl EncoderOutput {
    /// The attentions as arrays, one `[batch, heads, n, n]` a layer; no array if they
    /// weren't asked for.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if they aren't f32.
    pub fn attention_arrays(self) -> Result<Vec<Array4<f32>>> {
        self.attentions.into_iter().flatten().map(|layer| array4(&layer)).collect()
    }
}

// ANCHOR: encoder
/// A stack of layers: transformers' `BertEncoder`, and `Transformer` of DistilBERT.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// From the first to the last.
    pub layers: Vec<EncoderLayer>,
}

impl Encoder {
    /// All layers in order: `x` is `[batch, n, d_model]`, the additive mask
    /// `[batch, 1, 1, n]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](crate::EncoderError) if a shape doesn't fit.
    pub fn forward(
        &self,
        x: Tensor,
        mask: Option<&Tensor>,
        options: ForwardOptions,
    ) -> Result<EncoderOutput> {
        let mut attentions = options.output_attentions.then(Vec::new);
        let mut hidden_states = options.output_hidden_states.then(|| vec![x.clone()]);
        let mut x = x; // [batch, n, d_model]
        for layer in &self.layers {
            let EncoderLayerOutput { output, weights } =
                layer.forward(&x, mask, options.dropout)?;
            if let Some(kept) = &mut attentions {
                kept.push(weights);
            }
            if let Some(kept) = &mut hidden_states {
                kept.push(output.clone());
            }
            x = output;
        }
        Ok(EncoderOutput { last_hidden_state: x, hidden_states, attentions })
    }
}
// ANCHOR_END: encoder

impl Encoder {
    /// `layers` layers, at `vb` with the names `0`, `1`, and so on.
    pub fn load(
        vb: &VarBuilder,
        layers: usize,
        names: &LayerNames,
        options: &LayerOptions,
    ) -> candle_core::Result<Self> {
        let layer = |i| EncoderLayer::load(&vb.pp(i), names, options);
        let layers: candle_core::Result<_> = (0..layers).map(layer).collect();
        Ok(Self { layers: layers? })
    }
}
