//! Appendix 1: what attention costs.
//!
//! Attention compares each of `n` queries with each of `m` keys, `n · m` scores. They
//! have to be computed, but not kept: with the softmax's maximum and sum kept running,
//! [`blockwise_attention`] gives what [`whole_transformer::scaled_dot_product`] gives
//! while it holds a small square of scores at a time. [`cost`] has what both took on one
//! machine, and [`parallel`] what attention gains from many hands.
//!
//! ```
//! use attention_cost::blockwise_attention;
//! use ndarray::Array2;
//! use self_attention::numpy::NumpyRandom;
//! use whole_transformer::scaled_dot_product;
//!
//! let mut random = NumpyRandom::seed(42);
//! let [q, k, v]: [Array2<f64>; 3] = [(); 3].map(|()| random.rand(9, 4)); // [n, d_k]
//! let blocks = blockwise_attention(&q, &k, &v, |_, _| 0.0, 2)?;
//! let whole = scaled_dot_product(&q, &k, &v, None)?.output; // [n, d_k]
//! assert!((blocks - whole).iter().all(|difference| difference.abs() < 1e-12));
//! # Ok::<(), attention_cost::CostError>(())
//! ```

pub mod blockwise;
pub mod cost;
mod error;
pub mod parallel;

pub use blockwise::{RunningSoftmax, blockwise_attention, online_softmax};
pub use error::{CostError, Result};
pub use parallel::{attention_in_threads, recurrence};
