//! Appendix 2: the backward pass of each operation of a Transformer, derived by hand.
//!
//! One module per operation, with its forward and its backward function side by side, in
//! `f64`, as the formulas are written. L is the loss, and dX is ∂L/∂X, of X's shape. A
//! backward function is given dY and gives dX, by the chain rule: dXᵢ = Σⱼ dYⱼ ∂Yⱼ/∂Xᵢ.
//!
//! [`differences`](mod@differences) finds the same gradients without any derivation, number by
//! number, and slowly: what each backward function is held to. The crate `gradients` has
//! these operations in the form that trains models; this crate's tests compare the two.
//!
//! ```
//! use derivations::{gradient_error, softmax_backward};
//! use ndarray::array;
//! use self_attention::softmax;
//!
//! let x = array![[1.0, 2.0, 4.0]];
//! let dy = array![[0.5, -1.0, 2.0]];
//! let dx = softmax_backward(&dy, &softmax(&x))?;
//! let error = gradient_error(|x| Ok(softmax(x)), &x, &dy, &dx)?;
//! assert!(error < 1e-8);
//! # Ok::<(), derivations::DerivationError>(())
//! ```

pub mod attention;
pub mod cross_entropy;
pub mod differences;
pub mod dropout;
pub mod embedding;
mod error;
pub mod gelu;
pub mod layer_norm;
pub mod linear;
pub mod softmax;

pub use attention::{attention, attention_backward};
pub use cross_entropy::{check_targets, cross_entropy, cross_entropy_backward};
pub use differences::{
    finite_differences, gradient_error, relative_difference, verdict,
};
pub use dropout::{dropout, dropout_backward, dropout_mask};
pub use embedding::{check_rows, embedding, embedding_backward};
pub use error::{DerivationError, Result, check_shape};
pub use gelu::{gelu, gelu_backward, normal_cdf, normal_density};
pub use layer_norm::{
    layer_norm, layer_norm_backward, layer_norm_paths, normalize, row_means,
};
pub use linear::{linear, linear_backward};
pub use softmax::softmax_backward;
