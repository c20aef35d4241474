//! The CPU kernels behind the fast path of BERT.
//!
//! The chapters compute a Transformer with operations that read like the formulas.
//! These kernels compute the same numbers, as fast as a processor allows: matrix
//! products on packed weights ([`PackedLinear`]) or without ([`linear()`], [`matmul()`],
//! [`strided`]), [`attention()`], [`softmax_on()`] and [`LayerNorm`], all in f32 on plain
//! slices. They know nothing of models or tensors.
//!
//! What makes them fast, the most first:
//!
//! 1. weights are packed once, and each is read from memory once per forward pass;
//! 2. every loop is over vectors of 16 floats (AVX-512; 8 or 4 on other processors),
//!    and every kernel is shared among the threads of [`rayon`]'s pool;
//! 3. what follows a product (bias, GELU, residual, mask) is done to its sums before
//!    they leave the registers. Appendix 3 measures no clear gain from it on AVX2.
//!
//! All of it is safe Rust but for one instruction, a prefetch.
//!
//! Call a whole forward pass inside [`in_pool`], or each kernel pays for waking the
//! threads.

#![expect(
    clippy::inline_always,
    reason = "a function compiled for AVX-512 is one inlined where AVX-512 is on"
)]

mod aligned;
mod attention;
mod buffers;
mod error;
mod grid;
mod isa;
mod linear;
pub mod math;
mod matmul;
mod matrix;
mod norm;
mod softmax;
pub mod strided;
mod tile;
mod unpacked;

pub use attention::{Heads, attention, attention_on};
pub use buffers::{Buffer, Buffers};
pub use error::KernelError;
pub use isa::{ISA_VARIABLE, Isa, IsaError, load, store};
pub use linear::PackedLinear;
pub use matmul::matmul;
pub use matrix::Matrix;
pub use norm::{LayerNorm, row_statistics};
pub use softmax::softmax_on;
pub use tile::Epilogue;
pub use unpacked::linear;

/// Runs `work` on a thread of rayon's pool, where the kernels that it calls share their
/// work with the other threads without waking them first.
pub fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}
