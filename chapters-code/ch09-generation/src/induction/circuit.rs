//! What is lost when heads are taken out.

use candle_core::Tensor;
use sentiment::Head;

use crate::error::Result;
use crate::induction::model::{AttentionOnly, Change, Instead, Trace};
use crate::induction::sequences::Repeated;
use crate::induction::train::{Losses, losses, tokens};

/// What a head finds that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ablation {
    /// It finds nothing.
    Zero,
    /// At each place what it finds there in the mean over the sequences: what tells one from the
    /// other is gone, what they have in common stays.
    Mean,
}

// ANCHOR: ablate
/// What a model does with some sequences, before heads are taken out of it.
#[derive(Debug, Clone)]
pub struct Circuit {
    model: AttentionOnly,
    sequences: Vec<Repeated>,
    /// What each layer's heads find, `[batch, heads, n, d_k]`.
    found: Vec<Tensor>,
    /// The losses of the whole model.
    pub whole: Losses,
}

impl Circuit {
    /// The losses without these heads.
    ///
    /// # Errors
    ///
    /// If there is no such head.
    pub fn without(&self, heads: &[Head], ablation: Ablation) -> Result<Losses> {
        self.model.check_heads(heads.iter().copied())?;
        let change = |&head: &Head| {
            let found = self.found[head.layer].narrow(1, head.head, 1)?.squeeze(1)?;
            let mean = found.mean_keepdim(0)?; // [batch, n, d_k] -> [1, n, d_k]
            let instead = match ablation {
                Ablation::Zero => mean.zeros_like()?,
                Ablation::Mean => mean,
            };
            Ok(Change { head, instead: Instead::Find(instead) })
        };
        let changes: Vec<Change> = heads.iter().map(change).collect::<Result<_>>()?;
        let trace = self.model.forward(&tokens(&self.sequences), &changes)?;
        losses(&trace.logits, &self.sequences)
    }

    /// The share of the gain that is lost without them: the gain is how far the whole
    /// model's loss is below chance where the text repeats itself.
    ///
    /// # Errors
    ///
    /// If there is no such head.
    pub fn lost(&self, heads: &[Head], ablation: Ablation) -> Result<f64> {
        let (whole, without) = (self.whole, self.without(heads, ablation)?);
        let chance = (self.model.words.dim(0)? as f64).ln(); // of the vocabulary's size
        Ok((without.repeated - whole.repeated) / (chance - whole.repeated))
    }
}
// ANCHOR_END: ablate

impl Circuit {
    /// A model, and sequences that it reads.
    ///
    /// # Errors
    ///
    /// If the model can't read them.
    pub fn of(model: &AttentionOnly, sequences: &[Repeated]) -> Result<Self> {
        let Trace { logits, found, .. } = model.forward(&tokens(sequences), &[])?;
        let whole = losses(&logits, sequences)?;
        Ok(Self { model: model.clone(), sequences: sequences.to_vec(), found, whole })
    }

    /// Each head, with the share of the gain that is lost without it.
    ///
    /// # Errors
    ///
    /// As [`Circuit::lost`].
    pub fn singles(&self, ablation: Ablation) -> Result<Vec<(Head, f64)>> {
        let lost = |head| Ok((head, self.lost(&[head], ablation)?));
        self.model.heads().into_iter().map(lost).collect()
    }

    /// Each two heads, with the share of the gain that is lost without them.
    ///
    /// # Errors
    ///
    /// As [`Circuit::lost`].
    pub fn pairs(&self, ablation: Ablation) -> Result<Vec<([Head; 2], f64)>> {
        let heads = self.model.heads();
        let mut pairs = Vec::new();
        for (i, &first) in heads.iter().enumerate() {
            for &second in &heads[i + 1..] {
                let pair = [first, second];
                pairs.push((pair, self.lost(&pair, ablation)?));
            }
        }
        Ok(pairs)
    }
}
