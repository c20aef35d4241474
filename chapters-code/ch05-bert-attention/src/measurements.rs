//! What was measured of a model too large to come with the book.

use sentiment::Pretrained;
use serde::{Deserialize, Serialize};

use crate::attentions::Result;
use crate::clauses::Clauses;
use crate::profile::Profiles;
use crate::sentences::{english, english_clauses, english_subjects};
use crate::verbs::Verbs;

/// What this chapter measures of a model, over its English sentences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// What the heads look at.
    pub profiles: Profiles,
    /// The same, with the words of all sentences exchanged.
    pub shuffled: Profiles,
    /// How often they look from subjects to verbs.
    pub verbs: Verbs,
    /// The same in sentences of two clauses, one half of them and the other.
    pub clauses: [Clauses; 2],
}

impl Measurements {
    /// Measures a model.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::NoToken`](crate::AttentionsError::NoToken) if it has no `[CLS]`
    /// or `[SEP]`.
    pub fn of(model: &Pretrained) -> Result<Self> {
        Ok(Self {
            profiles: Profiles::of(model, &english())?,
            shuffled: Profiles::of_shuffled(model, &english())?,
            verbs: Verbs::of(model, &english_subjects())?,
            clauses: Clauses::halves(model, &english_clauses())?,
        })
    }

    /// That of sentence-transformers/all-MiniLM-L6-v2, measured for the book's page by
    /// `cargo run -p ch05-bert-attention --example profile`.
    pub fn of_minilm() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../data/minilm-profile.json"))
    }
}
