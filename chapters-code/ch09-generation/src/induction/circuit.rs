//! What is lost when heads are taken out.

use sentiment::Head;

use crate::error::Result;
use crate::induction::model::{AttentionOnly, Change, Instead};
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
/// The losses without these heads.
///
/// # Errors
///
/// If there is no such head, or the model can't read the sequences.
pub fn ablate(
    model: &AttentionOnly,
    sequences: &[Repeated],
    heads: &[Head],
    ablation: Ablation,
) -> Result<Losses> {
    model.check_heads(heads.iter().copied())?;
    let tokens = tokens(sequences);
    let whole = model.forward(&tokens, &[])?;
    let change = |&head: &Head| {
        let found = whole.found[head.layer].narrow(1, head.head, 1)?.squeeze(1)?;
        let mean = found.mean_keepdim(0)?; // [batch, n, d_k] -> [1, n, d_k]
        let instead = match ablation {
            Ablation::Zero => mean.zeros_like()?,
            Ablation::Mean => mean,
        };
        Ok(Change { head, instead: Instead::Find(instead) })
    };
    let changes: Vec<Change> = heads.iter().map(change).collect::<Result<_>>()?;
    losses(&model.forward(&tokens, &changes)?.logits, sequences)
}

/// The share of the gain that is lost: the gain is how far the loss of the `whole`
/// model is below `chance` where the text repeats itself.
pub fn removed(chance: f64, whole: Losses, without: Losses) -> f64 {
    (without.repeated - whole.repeated) / (chance - whole.repeated)
}
// ANCHOR_END: ablate

/// The losses of the whole model.
///
/// # Errors
///
/// If the model can't read the sequences.
pub fn whole(model: &AttentionOnly, sequences: &[Repeated]) -> Result<Losses> {
    losses(&model.forward(&tokens(sequences), &[])?.logits, sequences)
}

/// The share of the gain that each head's absence removes.
///
/// # Errors
///
/// As [`ablate`].
pub fn singles_removed(
    model: &AttentionOnly,
    sequences: &[Repeated],
    ablation: Ablation,
) -> Result<Vec<(Head, f64)>> {
    let (chance, whole) = (chance(model)?, whole(model, sequences)?);
    let removed = |head| {
        let without = ablate(model, sequences, &[head], ablation)?;
        Ok((head, removed(chance, whole, without)))
    };
    model.heads().into_iter().map(removed).collect()
}

/// The share of the gain that the absence of each two heads removes.
///
/// # Errors
///
/// As [`ablate`].
pub fn pairs_removed(
    model: &AttentionOnly,
    sequences: &[Repeated],
    ablation: Ablation,
) -> Result<Vec<([Head; 2], f64)>> {
    let (chance, whole) = (chance(model)?, whole(model, sequences)?);
    let heads = model.heads();
    let mut pairs = Vec::new();
    for (i, &first) in heads.iter().enumerate() {
        for &second in &heads[i + 1..] {
            let pair = [first, second];
            let without = ablate(model, sequences, &pair, ablation)?;
            pairs.push((pair, removed(chance, whole, without)));
        }
    }
    Ok(pairs)
}

/// The loss of a guess that knows nothing, ln(vocabulary).
///
/// # Errors
///
/// If the table of tokens has no rows.
pub fn chance(model: &AttentionOnly) -> Result<f64> {
    Ok((model.words.dim(0)? as f64).ln())
}
