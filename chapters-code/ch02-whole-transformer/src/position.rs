//! Positions: attention alone can't tell the order of the words.

use ndarray::{Array2, s};

use crate::error::{Result, TransformerError};

// ANCHOR: sinusoidal
/// Sines and cosines of the position (Vaswani et al. 2017, section 3.5). Shape
/// `[n, d_model]`.
///
/// ```text
/// PE[position, 2i]     = sin(position / 10000^(2i / d_model))
/// PE[position, 2i + 1] = cos(position / 10000^(2i / d_model))
/// ```
///
/// If `d_model` is odd, the last column is a sine without its cosine.
pub fn sinusoidal(n: usize, d_model: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d_model), |(position, column)| {
        let pair = column / 2; // i
        let exponent = 2.0 * pair as f64 / d_model as f64;
        let angle = position as f64 / 10_000_f64.powf(exponent);
        if column % 2 == 0 { angle.sin() } else { angle.cos() }
    })
}
// ANCHOR_END: sinusoidal

// ANCHOR: positions
/// Where the vectors of the positions come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// None: the words are a set.
    None,
    /// [`sinusoidal`]: for any number of tokens.
    Sinusoidal,
    /// A learned vector for each position, `[limit, d_model]`: as BERT and GPT have
    /// them, PyTorch's `nn.Embedding(limit, d_model)`.
    Learned(Array2<f64>),
}

impl Positions {
    /// Adds to each word the vector of its position. Shape unchanged, `[n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`TransformerError::TooLong`] if there are fewer learned positions than words,
    /// [`TransformerError::PositionWidth`] if they have another width.
    pub fn add_to(&self, x: &Array2<f64>) -> Result<Array2<f64>> {
        let (n, d_model) = x.dim();
        match self {
            Self::None => Ok(x.clone()),
            Self::Sinusoidal => Ok(x + &sinusoidal(n, d_model)),
            Self::Learned(table) => Ok(x + &learned(table, n, d_model)?),
        }
    }
}

/// The first `n` rows of a table of learned positions: `[limit, d_model] -> [n,
/// d_model]`.
fn learned(table: &Array2<f64>, n: usize, d_model: usize) -> Result<Array2<f64>> {
    let (limit, width) = table.dim();
    if n > limit {
        return Err(TransformerError::TooLong { found: n, limit });
    }
    if width != d_model {
        return Err(TransformerError::PositionWidth { found: width, d_model });
    }
    Ok(table.slice(s![..n, ..]).to_owned())
}
// ANCHOR_END: positions
