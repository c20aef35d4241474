//! What each head looks at, measured over many sentences.
//!
//! Nothing here knows of training: it asks an encoder for its attentions.

use hub::{Tokenizer, Truncate};
use ndarray::{Array1, Array2, ArrayRef1, s};
use self_attention::numpy::NumpyRandom;
use sentiment::{Batch, ForwardOptions, PackedEncoder, Pretrained, Result};
use serde::{Deserialize, Serialize};

use crate::attentions::{Attentions, AttentionsError, BATCH};
use crate::likeness::shuffle;

// ANCHOR: head_profile
/// How a head looks, the mean over all ordinary tokens that look. (`[CLS]`, `[SEP]` and
/// padding are looked at, but don't count as looking.)
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct HeadProfile {
    /// Share of attention to `[CLS]`.
    pub cls: f64,
    /// Share to all `[SEP]`.
    pub sep: f64,
    /// Share to the token itself.
    pub itself: f64,
    /// Share to the token before, which may be `[CLS]`.
    pub previous: f64,
    /// Share to the token after, which may be `[SEP]`.
    pub next: f64,
    /// In bits: 0 looks at one token only, log₂ n at all alike.
    pub entropy: f64,
    /// How many tokens away it looks.
    pub distance: f64,
}
// ANCHOR_END: head_profile

// ANCHOR: add_row
impl HeadProfile {
    /// Adds the row of weights of the token at `i`, `[n]`.
    fn add(
        &mut self,
        row: &ArrayRef1<f32>,
        i: usize,
        ids: &[u32],
        special: SpecialIds,
    ) {
        for (j, (&weight, &id)) in row.iter().zip(ids).enumerate() {
            let weight = f64::from(weight);
            let count = |sum: &mut f64, counts: bool| {
                if counts {
                    *sum += weight;
                }
            };
            count(&mut self.cls, id == special.cls);
            count(&mut self.sep, id == special.sep);
            count(&mut self.itself, j == i);
            count(&mut self.previous, j + 1 == i);
            count(&mut self.next, j == i + 1);
            if weight > 0.0 {
                self.entropy -= weight * weight.log2();
            }
            self.distance += weight * j.abs_diff(i) as f64;
        }
    }
}
// ANCHOR_END: add_row

impl HeadProfile {
    fn divide(&mut self, count: usize) {
        let Self { cls, sep, itself, previous, next, entropy, distance } = self;
        for sum in [cls, sep, itself, previous, next, entropy, distance] {
            *sum /= count.max(1) as f64;
        }
    }

    /// Share to the special tokens, `[CLS]` and all `[SEP]`.
    pub fn special(&self) -> f64 {
        self.cls + self.sep
    }
}

/// The numbers of the special tokens that sequences are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// `[CLS]`.
    pub cls: u32,
    /// `[SEP]`.
    pub sep: u32,
}

impl SpecialIds {
    /// Those of a tokenizer.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::NoToken`] if its vocabulary has no `[CLS]` or no `[SEP]`.
    pub fn of(tokenizer: &Tokenizer) -> Result<Self, AttentionsError> {
        let id = |token| {
            tokenizer.token_to_id(token).ok_or(AttentionsError::NoToken { token })
        };
        Ok(Self { cls: id("[CLS]")?, sep: id("[SEP]")? })
    }
}

/// A token that looks: the `i`-th of the batch's text `row`, which has these ids and this
/// mask, `[n]` each.
struct Looking<'a> {
    row: usize,
    i: usize,
    ids: &'a [u32],
    mask: &'a [u32],
}

/// The tokens of a batch that look: all but `[CLS]`, `[SEP]` and padding.
fn looking(batch: &Batch, special: SpecialIds) -> Vec<Looking<'_>> {
    let mut looking = Vec::new();
    for (row, (ids, mask)) in batch.texts().enumerate() {
        for (i, (id, &shown)) in ids.iter().zip(mask).enumerate() {
            if shown == 1 && ![special.cls, special.sep].contains(id) {
                looking.push(Looking { row, i, ids, mask });
            }
        }
    }
    looking
}

// ANCHOR: profile
/// The profile of each head of each layer over batches of sentences:
/// `profiles[layer][head]`.
pub fn profile(
    encoder: &PackedEncoder,
    batches: &[Batch],
    special: SpecialIds,
) -> Result<Vec<Vec<HeadProfile>>> {
    let mut profiles: Vec<Vec<HeadProfile>> = Vec::new();
    let mut count = 0;
    for batch in batches {
        let looking = looking(batch, special);
        count += looking.len();
        let layers =
            encoder.forward(batch, ForwardOptions::ATTENTIONS)?.attention_arrays()?;
        for (layer, weights) in layers.iter().enumerate() {
            let (_, heads, ..) = weights.dim(); // [batch, heads, n, n]
            if profiles.len() <= layer {
                profiles.push(vec![HeadProfile::default(); heads]);
            }
            for (head, profile) in profiles[layer].iter_mut().enumerate() {
                for &Looking { row, i, ids, .. } in &looking {
                    let weights = weights.slice(s![row, head, i, ..]); // [n]
                    profile.add(&weights, i, ids, special);
                }
            }
        }
    }
    profiles.iter_mut().flatten().for_each(|profile| profile.divide(count));
    Ok(profiles)
}
// ANCHOR_END: profile

/// The profile of a head that looks at all tokens alike, padding apart: what the others
/// are to be compared with.
pub fn uniform(batches: &[Batch], special: SpecialIds) -> HeadProfile {
    let (mut profile, mut count) = (HeadProfile::default(), 0);
    for batch in batches {
        for Looking { i, ids, mask, .. } in looking(batch, special) {
            let share = 1.0 / mask.iter().sum::<u32>() as f32;
            let weights: Array1<f32> = mask.iter().map(|&s| s as f32 * share).collect(); // [n]
            profile.add(&weights, i, ids, special);
            count += 1;
        }
    }
    profile.divide(count);
    profile
}

/// Sentences in batches of at most 16, in order, each padded to its longest.
///
/// # Errors
///
/// [`AttentionsError::Encoder`] if a sentence is empty or too long.
pub fn batches(
    tokenizer: &Tokenizer,
    sentences: &[&str],
) -> Result<Vec<Batch>, AttentionsError> {
    let batch = |rows: &[&str]| {
        let texts: Vec<_> = rows.iter().map(|&text| (text, None)).collect();
        let encoded = tokenizer.encode_batch(&texts, Truncate::Error)?;
        Ok(Batch::from_encoded(&encoded)?)
    };
    sentences.chunks(BATCH).map(batch).collect()
}

// ANCHOR: exchanged
/// Batches in which each word stands where another did, in any of the sentences.
fn exchanged(batches: &[Batch], special: SpecialIds) -> Result<Vec<Batch>> {
    let looks = batches.iter().flat_map(|batch| looking(batch, special));
    let mut words: Vec<u32> = looks.map(|at| at.ids[at.i]).collect();
    shuffle(&mut words, &mut NumpyRandom::seed(42));
    let mut words = words.into_iter();
    let exchange = |batch: &Batch| {
        let mut rows: Vec<Vec<u32>> =
            batch.texts().map(|(ids, _)| ids.to_vec()).collect();
        for (at, word) in looking(batch, special).into_iter().zip(&mut words) {
            rows[at.row][at.i] = word;
        }
        let masks: Vec<Vec<u32>> =
            batch.texts().map(|(_, mask)| mask.to_vec()).collect();
        Batch::new(&rows, None, Some(&masks))
    };
    batches.iter().map(exchange).collect()
}
// ANCHOR_END: exchanged

/// What the heads of a model look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profiles {
    /// The model's name.
    pub model: String,
    /// How many sentences were read.
    pub sentences: usize,
    /// How many tokens looked.
    pub tokens: usize,
    /// What a head that looks at all tokens alike would have.
    pub uniform: HeadProfile,
    /// `heads[layer][head]`.
    pub heads: Vec<Vec<HeadProfile>>,
}

/// One number of a profile.
pub type Measure = fn(&HeadProfile) -> f64;

/// The shares of a profile, with their names.
pub const SHARES: [(&str, Measure); 5] = [
    ("[CLS]", |profile| profile.cls),
    ("[SEP]", |profile| profile.sep),
    ("itself", |profile| profile.itself),
    ("previous", |profile| profile.previous),
    ("next", |profile| profile.next),
];

impl Profiles {
    /// What each head of a model looks at, over `sentences`.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if a sentence is empty or too long;
    /// [`AttentionsError::NoToken`] if the model has no `[CLS]` or `[SEP]`.
    pub fn of(model: &Pretrained, sentences: &[&str]) -> Result<Self, AttentionsError> {
        Self::of_batches(model, &batches(&model.tokenizer, sentences)?)
    }

    fn of_batches(
        model: &Pretrained,
        batches: &[Batch],
    ) -> Result<Self, AttentionsError> {
        let special = SpecialIds::of(&model.tokenizer)?;
        Ok(Self {
            model: model.name.clone(),
            sentences: batches.iter().map(Batch::rows).sum(),
            tokens: batches.iter().map(|batch| looking(batch, special).len()).sum(),
            uniform: uniform(batches, special),
            heads: profile(&model.encoder, batches, special)?,
        })
    }

    /// The control of a claim about places: what each head looks at once the words and
    /// signs of all sentences have been exchanged, at random, so that each stands where
    /// another did. The sentences keep their lengths, `[CLS]` and `[SEP]`.
    ///
    /// # Errors
    ///
    /// As [`Profiles::of`].
    pub fn of_shuffled(
        model: &Pretrained,
        sentences: &[&str],
    ) -> Result<Self, AttentionsError> {
        let special = SpecialIds::of(&model.tokenizer)?;
        let batches = batches(&model.tokenizer, sentences)?;
        Self::of_batches(model, &exchanged(&batches, special)?)
    }

    /// One number of every head, `[layers, heads]`.
    pub fn map(&self, measure: Measure) -> Array2<f64> {
        let shape = (self.heads.len(), self.heads.first().map_or(0, Vec::len));
        Array2::from_shape_fn(shape, |(l, h)| measure(&self.heads[l][h]))
    }

    /// How many heads have more than `threshold` of something.
    pub fn over(&self, measure: Measure, threshold: f64) -> usize {
        self.map(measure).iter().filter(|&&value| value > threshold).count()
    }
}

/// How much the words of sentences look at their first word and at their last one (the
/// period, as a rule), the mean of all heads of all layers.
///
/// # Errors
///
/// As [`Profiles::of`].
pub fn shares_of_ends(
    model: &Pretrained,
    sentences: &[&str],
) -> Result<[f64; 2], AttentionsError> {
    let (mut sums, mut looks) = ([0.0; 2], 0);
    for found in Attentions::of_all(model, sentences)? {
        let n = found.tokens.len();
        for weights in &found.attentions {
            for (sum, place) in sums.iter_mut().zip([1, n - 2]) {
                let column = weights.slice(s![0, .., 1..n - 1, place]); // [heads, n − 2]
                *sum += f64::from(column.sum());
            }
            looks += weights.dim().1 * (n - 2);
        }
    }
    Ok(sums.map(|sum| sum / looks as f64))
}

/// The greatest numbers of a map `[layers, heads]`, with their layer and head, the
/// greatest first.
pub fn top(map: &Array2<f64>, count: usize) -> Vec<((usize, usize), f64)> {
    let mut all: Vec<_> = map.indexed_iter().map(|(at, &value)| (at, value)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(count);
    all
}
