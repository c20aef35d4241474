//! Induction heads: a pair of heads that finds what came next the last time, seen as it is born.
//!
//! "… A B … A": what comes next? B, if the text repeats itself. A Transformer of attention alone
//! learns to say so with two heads of two layers (Elhage et al. 2021, Olsson et al. 2022): one
//! writes on each token which token stands before it, the other looks for the token that has the
//! present one written on it, and copies it. With one layer it can't.
//!
//! [`sequences`] are what is read, [`model`] is what reads, [`train`](mod@train) teaches it and
//! keeps a [`Point`] of its history every few steps. [`mod@scores`] say what a head looks at,
//! [`circuit`] what is lost without it, [`mod@composition`] through what one head depends on another.
//! [`in_gpt`] asks the same of any GPT, and [`record`] of several seeds.

pub mod circuit;
pub mod composition;
pub mod in_gpt;
pub mod model;
pub mod record;
pub mod scores;
pub mod sequences;
pub mod train;

pub use circuit::{Ablation, Circuit};
pub use composition::{Composition, composition, looking_back};
pub use in_gpt::{gpt_attentions, gpt_attentions_without_first};
pub use model::{AttentionLayer, AttentionOnly, Change, Instead, Trace};
pub use record::{Record, SeedRecord};
pub use scores::{HeadScores, copying, scores, uniform_scores};
pub use sentiment::Head;
pub use sequences::{Repeated, Task};
pub use train::{Losses, Point, Recipe, Run, losses, train};
