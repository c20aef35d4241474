//! How linear layers and tables of embeddings are loaded, or started.

use candle_core::{Result, Tensor};
use candle_nn::{Init, Linear, VarBuilder};

/// How a new matrix of weights starts. One that is loaded doesn't care.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WeightInit {
    /// A normal distribution around 0 with this standard deviation; BERT's
    /// `initializer_range` is 0.02.
    Normal(f64),
    /// Uniform, as wide as the matrix's sides ask for (Glorot and Bengio 2010).
    Glorot,
}

impl WeightInit {
    /// BERT's, 0.02.
    pub const BERT: Self = Self::Normal(0.02);

    fn of(self, outputs: usize, inputs: usize) -> Init {
        match self {
            Self::Normal(stdev) => Init::Randn { mean: 0.0, stdev },
            Self::Glorot => {
                let bound = (6.0 / (inputs + outputs) as f64).sqrt();
                Init::Uniform { lo: -bound, up: bound }
            }
        }
    }
}

/// The linear layer whose `weight`, `[outputs, inputs]`, and `bias`, `[outputs]`, are at
/// `vb`: PyTorch's `nn.Linear`, `y = x Wᵀ + b`.
///
/// # Errors
///
/// If they are missing or of another shape.
pub fn linear(
    vb: &VarBuilder,
    inputs: usize,
    outputs: usize,
    init: WeightInit,
) -> Result<Linear> {
    let init = init.of(outputs, inputs);
    let weight = vb.get_with_hints((outputs, inputs), "weight", init)?;
    let bias = vb.get_with_hints(outputs, "bias", Init::Const(0.0))?;
    Ok(Linear::new(weight, Some(bias)))
}

/// The table of vectors whose `weight`, `[rows, d_model]`, is at `vb`: PyTorch's
/// `nn.Embedding`.
///
/// # Errors
///
/// If it is missing or of another shape.
pub fn table(
    vb: &VarBuilder,
    rows: usize,
    d_model: usize,
    init: WeightInit,
) -> Result<Tensor> {
    vb.get_with_hints((rows, d_model), "weight", init.of(rows, d_model))
}
