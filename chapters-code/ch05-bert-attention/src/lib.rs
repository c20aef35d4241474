//! Chapter 5: BERT, and what its heads look at.
//!
//! Chapter 4's encoder layer, twelve times, with a vector for each sentence of a pair;
//! equal to Python's `transformers`, and with the attentions of every layer given out:
//! `[batch, heads, n, n]`, what `output_attentions=True` asks for there.
//!
//! ```no_run
//! use bert_attention::{Attentions, Pretrained};
//! use hub::{HubOptions, Truncate};
//!
//! let folder = hub::resolve("bertinho", &HubOptions::from_env())?;
//! let model = Pretrained::load(&folder)?;
//! let text = "O gato sentou no tapete e o cachorro correu.";
//! let found = Attentions::of(&model, text, None, Truncate::Error)?;
//! let head = found.head(0, 0)?; // [n, n]: layer 0, head 0
//! println!("{:?} {head:.2}", found.tokens);
//! # Ok::<(), bert_attention::AttentionsError>(())
//! ```

pub mod ablation;
pub mod attentions;
pub mod choices;
pub mod clauses;
pub mod explanation;
pub mod likeness;
pub mod measurements;
pub mod nouns;
pub mod profile;
pub mod pronouns;
pub mod rollout;
pub mod sentences;
pub mod task_heads;
pub mod translation;
pub mod verbs;

pub use ablation::Ablation;
pub use attentions::{Attentions, AttentionsError};
pub use choices::{Choices, Tally};
pub use clauses::Clauses;
pub use explanation::{Guess, Influence, MaskedModel, total_variation};
pub use likeness::Likeness;
pub use measurements::Measurements;
pub use profile::{HeadProfile, Profiles, SpecialIds};
pub use pronouns::Pronouns;
pub use rollout::rollout;
pub use sentiment::statistics::{self, rank_correlation};
pub use sentiment::{Batch, Head, Pretrained};
pub use task_heads::{
    BertForMaskedLm, BertForSequenceClassification, MaskedLmOutput, Pooler,
};
pub use verbs::{VerbChoices, Verbs};
