//! Attentions kept for viewing, each with what it is.

use ndarray::{Array2, Array3, ArrayView2, Axis};

use crate::attention::average_heads;

// ANCHOR: record
/// Who looks at whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttentionKind {
    /// Source words look at source words.
    EncoderSelf,
    /// Target words look at target words, the ones up to themselves.
    DecoderSelf,
    /// Target words look at source words.
    Cross,
}

/// The attention of one layer, with what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionRecord {
    /// Who looks at whom.
    pub kind: AttentionKind,
    /// Which layer of its stack, from 0.
    pub layer: usize,
    /// How much each query looks at each key, `[heads, n, m]`.
    pub weights: Array3<f64>,
}
// ANCHOR_END: record

impl AttentionRecord {
    /// How many heads there are.
    pub fn heads(&self) -> usize {
        self.weights.len_of(Axis(0))
    }

    /// One head's weights, `[n, m]`, if there is such a head (from 0).
    pub fn head(&self, head: usize) -> Option<ArrayView2<'_, f64>> {
        (head < self.heads()).then(|| self.weights.index_axis(Axis(0), head))
    }

    /// The mean of the heads, `[heads, n, m] -> [n, m]`.
    pub fn averaged(&self) -> Array2<f64> {
        average_heads(&self.weights)
    }
}
