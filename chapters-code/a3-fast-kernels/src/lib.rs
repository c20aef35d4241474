//! Appendix 3: how a product is made fast.
//!
//! A linear layer is one product, y = x Wᵀ, and nearly all that BERT computes. [`product`]
//! has it as the formula says it and, step by step, as the [`kernels`] crate computes it:
//! packed, by tiles whose sums stay in registers. [`sums`] is about the order of additions,
//! [`measure`] about what a machine can do at most and what the product gets of it.
//!
//! ```
//! use fast_kernels::product::{Packed, Weight};
//!
//! let weight = Weight::new(vec![0.5; 3 * 64], 64)?; // [outputs, k]
//! let x = vec![1.0; 2 * 64]; // [rows, k]
//! let y = Packed::new(&weight)?.forward::<6>(&x)?; // [rows, outputs]
//! assert_eq!(y, weight.one_by_one(&x)?);
//! # Ok::<(), fast_kernels::FastError>(())
//! ```

#![expect(
    clippy::inline_always,
    reason = "a function compiled for AVX2 is one inlined where AVX2 is on"
)]

mod error;
pub mod measure;
pub mod product;
pub mod sums;

pub use error::{FastError, Result};
pub use measure::Measured;
pub use product::{Packed, Weight};
