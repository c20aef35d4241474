//! What makes training fast on a CPU: gradients worked out by hand.
//!
//! candle differentiates whatever is composed of its operations, and that is how chapters
//! 3 and 4 compute their gradients. Trained so, a small BERT spends most of its time on
//! broadcasts, copies around transpositions, and tensors made to be added once. Here the
//! operations that a Transformer is made of have backward passes worked out by hand
//! ([`ops`]; the derivations stand with them), the encoder layer is one operation
//! ([`layer`]), and chapters 3's and 4's models run through them ([`model`]). The rest is
//! what a training needs: [`Parameters`], [`AdamW`], a [`Schedule`], and checkpoints from
//! which it goes on to the bit.
//!
//! ```no_run
//! use bert_attention::BertForMaskedLm;
//! use gradients::{AdamW, AdamWOptions, Parameters, clip_factor, gradient_norm, model};
//! # fn step(
//! #     config: &models::Config,
//! #     batch: &sentiment::Batch,
//! #     masked: &model::Masked,
//! # ) -> gradients::Result<()> {
//!
//! let device = candle_core::Device::Cpu;
//! let (bert, parameters) =
//!     Parameters::build(7, &device, |vb| BertForMaskedLm::load(&vb, config))?;
//! let mut optimizer = AdamW::new(&parameters, AdamWOptions::default())?;
//! let loss = model::masked_lm_loss(&bert, batch, masked, Some(1))?;
//! let gradients = gradients::backward(&loss)?;
//! let factor = clip_factor(gradient_norm(&parameters, &gradients)?, 1.0);
//! optimizer.step(&parameters, &gradients, 1e-3, factor)?;
//! # Ok(())
//! # }
//! ```

#![expect(
    clippy::inline_always,
    reason = "a function compiled for AVX-512 is one inlined where AVX-512 is on"
)]

pub mod adamw;
mod by_hand;
pub mod checkpoint;
mod deferred;
mod error;
mod file;
pub mod layer;
pub mod model;
pub mod ops;
mod parameters;
pub mod plain;
pub mod schedule;
mod storage;

pub use adamw::{AdamW, AdamWOptions, clip_factor, gradient_norm};
pub use checkpoint::{load_checkpoint, save_checkpoint};
pub use deferred::backward;
pub use error::{Result, TrainingError};
pub use file::write_atomically;
pub use parameters::Parameters;
pub use schedule::{Decay, Schedule};
