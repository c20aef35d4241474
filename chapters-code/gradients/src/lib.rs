//! What makes training fast on a CPU: gradients worked out by hand.
//!
//! candle differentiates whatever is composed of its operations, and that is how chapters
//! 4 and 5 compute their gradients. Trained so, a small BERT spends most of its time on
//! broadcasts, copies around transpositions, and tensors made to be added once. Here the
//! operations that a Transformer is made of have backward passes worked out by hand, one to
//! a module:
//!
//! | module | what |
//! |---|---|
//! | [`linear`](mod@linear) | products with weights |
//! | [`layer_norm`](mod@layer_norm), [`gelu`](mod@gelu), [`dropout`](mod@dropout) | what is done to each token |
//! | [`attention`](mod@attention) | tokens that look at tokens |
//! | [`embedding`](mod@embedding) | rows of tables |
//! | [`cross_entropy`](mod@cross_entropy) | the loss |
//! | [`layer`] | an encoder layer as one operation |
//!
//! Each module begins with its derivation. There L is the loss, and dX stands for ∂L/∂X, a
//! matrix of X's shape: how much the loss grows with each number. A backward pass is given
//! dY and finds dX, by the chain rule: dXᵢ = Σⱼ dYⱼ ∂Yⱼ/∂Xᵢ. Then comes `reference`, the
//! operation in candle's own, to which the tests hold the fast one, which computes f32 on
//! the CPU with the kernels of the `kernels` crate.
//!
//! The results don't depend on the number of threads, to the bit: no sum is split among
//! threads other than into parts that are always the same.
//!
//! The rest is what a training needs: [`Parameters`], [`AdamW`], a [`Schedule`], and
//! [`file`](mod@file) for checkpoints.
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use gradients::{AdamW, AdamWOptions, Parameters, clip_factor, gradient_norm};
//!
//! let w = Var::zeros((1, 2), DType::F32, &Device::Cpu)?; // [outputs, inputs]
//! let b = Var::zeros(1, DType::F32, &Device::Cpu)?;
//! let named = [("weight".to_owned(), w.clone()), ("bias".to_owned(), b.clone())];
//! let parameters: Parameters = named.into_iter().collect();
//! let mut optimizer = AdamW::new(&parameters, AdamWOptions::default())?;
//!
//! let x = Tensor::new(&[[1_f32, 2.0], [3.0, 4.0]], &Device::Cpu)?;
//! let y = Tensor::new(&[[1_f32], [2.0]], &Device::Cpu)?;
//! let loss = (gradients::linear(&x, &w, &b)? - y)?.sqr()?.mean_all()?;
//! let gradients = gradients::backward(&loss)?;
//! let factor = clip_factor(gradient_norm(&parameters, &gradients)?, 1.0);
//! optimizer.step(&parameters, &gradients, 1e-3, factor)?;
//! assert!(b.to_vec1::<f32>()?[0] > 0.0);
//! # Ok::<(), gradients::GradientError>(())
//! ```

#![expect(
    clippy::inline_always,
    reason = "a function compiled for AVX-512 is one inlined where AVX-512 is on"
)]

pub mod adamw;
pub mod attention;
pub mod cross_entropy;
mod deferred;
pub mod dropout;
pub mod embedding;
mod error;
pub mod file;
pub mod gelu;
pub mod layer;
pub mod layer_norm;
pub mod linear;
mod names;
mod parameters;
pub mod schedule;
mod storage;

pub use adamw::{AdamW, AdamWOptions, clip_factor, gradient_norm};
pub use attention::{Attention, attention, softmax};
pub use cross_entropy::{cross_entropy, linear_cross_entropy};
pub use deferred::backward;
pub use dropout::{DropoutMask, derive_seed, dropout};
pub use embedding::{embed, embedding};
pub use error::{GradientError, Result};
pub use gelu::gelu;
pub use layer::{LayerWeights, LinearWeights, NormWeights, encoder_layer};
pub use layer_norm::layer_norm;
pub use linear::{linear, linear_relu};
pub use names::name_hash;
pub use parameters::Parameters;
pub use schedule::{Decay, Schedule};
