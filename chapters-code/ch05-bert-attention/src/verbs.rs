//! Do heads look from a subject to its verb? And does it matter that it is the subject
//! that looks?

use sentiment::Pretrained;
use sentiment::statistics::hits_by_chance;
use serde::{Deserialize, Serialize};

use crate::attentions::Result;
use crate::choices::{Choices, Tally};
use crate::sentences::Subject;

// ANCHOR: verbs
/// How often each head's choice is the subject's verb, when the two stand side by side
/// and when they stand apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verbs {
    /// How many subjects there are.
    pub subjects: usize,
    /// In sentences where the verb stands beside them.
    pub near: VerbChoices,
    /// In sentences where the verb stands further away.
    pub far: VerbChoices,
}

/// How often the verb is chosen, and by which words.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VerbChoices {
    /// By its subject.
    pub subject: Tally,
    /// The control: by all other words and signs of the same sentence.
    pub others: Tally,
    /// By those of them that stand between the subject and the verb.
    pub between: Tally,
    /// How often a head that chooses blindly would be right.
    pub blind: f64,
    /// How often the luckiest of as many blind heads would be right.
    pub luckiest: f64,
}

impl VerbChoices {
    /// Counts a sentence whose subject and verb stand at these places.
    fn add(&mut self, choices: &Choices, subject: usize, verb: usize) {
        for word in choices.words().filter(|&word| word != verb) {
            let hits = choices.hits(word, verb); // [layers, heads]
            if word == subject {
                self.subject.add(&hits);
                continue;
            }
            self.others.add(&hits);
            if (subject..verb).contains(&word) {
                self.between.add(&hits);
            }
        }
    }
}
// ANCHOR_END: verbs

/// A sentence read, with the places of a subject and its verb.
type Found = (Choices, usize, usize);

impl VerbChoices {
    fn of(sentences: &[Found]) -> Self {
        let mut found = Self::default();
        let mut chances = Vec::new();
        for (choices, subject, verb) in sentences {
            found.add(choices, *subject, *verb);
            chances.push(choices.blind());
        }
        let heads = found.subject.map().len();
        found.blind = chances.iter().sum::<f64>() / chances.len() as f64;
        found.luckiest = best_by_chance(&chances, heads);
        found
    }
}

impl Verbs {
    /// Whether a model's heads look from subjects to their verbs. Subjects whose words
    /// the model cuts in pieces are left out.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if a sentence is
    /// empty or too long.
    pub fn of(model: &Pretrained, subjects: &[Subject]) -> Result<Self> {
        let (mut near, mut far) = (Vec::new(), Vec::new());
        let read = |sentence: fn(&Subject) -> &'static str| {
            let sentences: Vec<&str> = subjects.iter().map(sentence).collect();
            Choices::of_all(model, &sentences)
        };
        let both = read(|one| one.near)?.into_iter().zip(read(|one| one.far)?);
        for (one, (a, b)) in subjects.iter().zip(both) {
            let find = |choices: Choices| -> Option<Found> {
                let (subject, verb) =
                    (choices.find(one.noun)?, choices.find(one.verb)?);
                Some((choices, subject, verb))
            };
            if let (Some(a), Some(b)) = (find(a), find(b)) {
                near.push(a);
                far.push(b);
            }
        }
        let (near, far) = (VerbChoices::of(&near), VerbChoices::of(&far));
        Ok(Self { subjects: near.subject.looks, near, far })
    }
}

/// The share of hits that the best of so many blind heads reaches as often as not, if
/// each look has the chance given for it: with enough heads, one of them looks clever by
/// luck. NaN without looks.
pub fn best_by_chance(chances: &[f64], heads: usize) -> f64 {
    let right = hits_by_chance(chances); // [looks + 1]
    let (mut count, mut below) = (0, right[0]); // P(a head gets at most `count` right)
    while below.powf(heads as f64) < 0.5 && count + 1 < right.len() {
        count += 1;
        below += right[count];
    }
    count as f64 / chances.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_counted_for_each_word_that_looks() {
        // [CLS] the cat of ann sat . [SEP], one head: all but "of" and "." choose "sat".
        let places = ndarray::array![[[5, 5, 5, 4, 5, 4, 4, 5]]];
        let choices = Choices { tokens: vec![String::new(); 8], places };
        let found = VerbChoices::of(&[(choices, 2, 5)]);
        let counts = |tally: &Tally| (tally.hits[0][0], tally.looks);
        assert_eq!(counts(&found.subject), (1, 1));
        assert_eq!(counts(&found.others), (2, 4)); // the, of, ann, "."
        assert_eq!(counts(&found.between), (1, 2)); // of, ann
        assert!((found.blind - 0.2).abs() < 1e-12);
    }

    #[test]
    fn the_best_of_many_blind_heads_is_lucky() {
        // One look: a head is wrong more often than not; of four, one is right with
        // probability 1 − 0.8⁴ = 0.59.
        let best = |heads| best_by_chance(&[0.2], heads);
        assert_eq!([1, 3, 4].map(|heads| best(heads) > 0.5), [false, false, true]);
        assert!(best_by_chance(&[], 3).is_nan());
    }
}
