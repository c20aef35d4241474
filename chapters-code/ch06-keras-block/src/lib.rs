//! Chapter 6: the block of the Keras notes, in Rust.
//!
//! Layers with Keras' names, arguments and defaults are called on symbols; the graph that
//! comes of it is a [`Model`], with Keras' `summary`, `compile`, `fit`, `evaluate` and
//! `predict`. With the same weights it computes what Keras 3 computes, to 1e-5.
//!
//! ```
//! use keras_block::{Activation, Call, Dense, Input, LayerNormalization, Model};
//! use keras_block::TokenAndPositionEmbedding;
//!
//! let ids = Input::new([10]).symbol()?;
//! let x = TokenAndPositionEmbedding::new(20, 10, 8).on(&ids)?;
//! let h = Dense::new(32).activation(Activation::Relu).on(&x)?;
//! let output = LayerNormalization::new().on(&h)?;
//! let model = Model::new(&ids, &output, 42)?;
//! assert_eq!(model.count_params(), (20 + 10) * 8 + 8 * 32 + 32 + 2 * 32);
//!
//! // A mistake in the shapes is an error that names the layer and both shapes.
//! let error = keras_block::ops::matmul(&x, &h).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "the layer Matmul, called on (None, 10, 8) and (None, 10, 32), needs as many \
//!      columns in the first as rows in the second, and the other axes equal",
//! );
//! # Ok::<(), keras_block::KerasError>(())
//! ```

pub mod block;
mod error;
mod graph;
#[cfg(feature = "h5")]
mod h5;
mod history;
mod initializers;
mod layer;
mod layers;
pub mod lookup;
mod model;
mod model_layer;
pub mod ops;
mod optimizer;
mod packed;
mod plot;
mod progress;
mod shape;
mod summary;
mod training;
pub mod variants;
mod weights;

pub use block::{
    Block, BlockOptions, LookupNetwork, LookupOptions, block, lookup_network,
};
pub use error::{KerasError, LayerError, Result};
pub use history::{History, Metrics};
pub use initializers::Initializer;
pub use layer::{Call, KerasTensor, Layer, Named, Weight, only, pair};
pub use layers::{
    Activation, Dense, Input, LayerNormalization, Reshape, TokenAndPositionEmbedding,
};
pub use model::Model;
pub use model_layer::Variable;
pub use optimizer::Adam;
pub use progress::Verbose;
pub use shape::Shape;
pub use training::{Fit, SparseCategoricalCrossentropy};
