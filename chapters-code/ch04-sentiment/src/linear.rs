//! How linear layers and tables of embeddings are loaded, or started.

use candle_core::{Result, Tensor};
use candle_nn::{Init, Linear, VarBuilder};

/// New weights, as BERT starts them: `initializer_range` 0.02.
const INIT: Init = Init::Randn { mean: 0.0, stdev: 0.02 };

/// The linear layer whose `weight`, `[outputs, inputs]`, and `bias`, `[outputs]`, are at
/// `vb`: PyTorch's `nn.Linear`, `y = x Wᵀ + b`.
///
/// # Errors
///
/// If they are missing or of another shape.
pub fn linear(vb: &VarBuilder, inputs: usize, outputs: usize) -> Result<Linear> {
    let weight = vb.get_with_hints((outputs, inputs), "weight", INIT)?;
    let bias = vb.get_with_hints(outputs, "bias", Init::Const(0.0))?;
    Ok(Linear::new(weight, Some(bias)))
}

/// The table of vectors whose `weight`, `[rows, d_model]`, is at `vb`: PyTorch's
/// `nn.Embedding`.
///
/// # Errors
///
/// If it is missing or of another shape.
pub fn table(vb: &VarBuilder, rows: usize, d_model: usize) -> Result<Tensor> {
    vb.get_with_hints((rows, d_model), "weight", INIT)
}
