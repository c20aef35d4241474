//! What was measured of a model too large to come with the book.

use sentiment::Pretrained;
use serde::{Deserialize, Serialize};

use crate::attentions::Result;
use crate::profile::Profiles;
use crate::query_key::Verbs;
use crate::sentences::{english, english_subjects};

/// What this chapter measures of a model, over its English sentences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// What the heads look at.
    pub profiles: Profiles,
    /// How often they look from subjects to verbs.
    pub verbs: Verbs,
}

impl Measurements {
    /// Measures a model.
    pub fn of(model: &Pretrained) -> Result<Self> {
        Ok(Self {
            profiles: Profiles::of(model, &english())?,
            verbs: Verbs::of(model, &english_subjects())?,
        })
    }

    /// That of sentence-transformers/all-MiniLM-L6-v2, measured for the book's page by
    /// `cargo run -p ch05-bert-attention --example profile`.
    pub fn of_minilm() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../data/minilm-profile.json"))
    }
}
