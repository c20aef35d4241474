//! The sentence of chapter 1, "O robô pegou a bola porque ela era pesada": do heads look
//! from a pronoun to the noun that it stands for?

use sentiment::Pretrained;

use crate::attentions::Result;
use crate::choices::{Choices, Tally};
use crate::sentences::PronounSentence;

// ANCHOR: pronouns
/// What each head chooses from a pronoun, of which one noun has the gender.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pronouns {
    /// The noun of the pronoun's gender.
    pub right: Tally,
    /// The noun of the other gender, in the same sentence.
    pub wrong: Tally,
    /// The adjective, last of the words.
    pub adjective: Tally,
    /// The control: the right noun, chosen by the words on both sides of the pronoun.
    pub beside: Tally,
}

impl Pronouns {
    /// What a model's heads choose in these sentences. One of which the model cuts a
    /// noun, the pronoun or the adjective in pieces is left out.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if a sentence is
    /// empty or too long.
    pub fn of(model: &Pretrained, sentences: &[PronounSentence]) -> Result<Self> {
        let mut found = Self::default();
        let texts: Vec<&str> = sentences.iter().map(|one| &*one.text).collect();
        for (one, choices) in sentences.iter().zip(Choices::of_all(model, &texts)?) {
            let words = [one.pronoun, one.right, one.wrong, one.adjective];
            let [Some(pronoun), Some(right), Some(wrong), Some(adjective)] =
                words.map(|word| choices.find(word))
            else {
                continue;
            };
            found.right.add(&choices.hits(pronoun, right));
            found.wrong.add(&choices.hits(pronoun, wrong));
            found.adjective.add(&choices.hits(pronoun, adjective));
            for beside in [pronoun - 1, pronoun + 1] {
                found.beside.add(&choices.hits(beside, right));
            }
        }
        Ok(found)
    }
}
// ANCHOR_END: pronouns

impl Pronouns {
    /// The looks of both together; `other` has to be of the same model.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            right: self.right.with(&other.right),
            wrong: self.wrong.with(&other.wrong),
            adjective: self.adjective.with(&other.adjective),
            beside: self.beside.with(&other.beside),
        }
    }
}
