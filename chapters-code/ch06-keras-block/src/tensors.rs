//! What a file of weights holds.

use std::collections::BTreeMap;

use candle_core::Tensor;

/// Tensors of a file, by Keras' paths.
pub(crate) type Tensors = BTreeMap<String, Tensor>;
