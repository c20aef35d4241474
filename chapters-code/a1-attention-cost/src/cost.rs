//! What attention costs as sentences grow: figures measured by
//! `cargo bench -p a1-attention-cost`, and the power law that they follow.

use serde::{Deserialize, Serialize};

/// The tokens of each measurement: powers of two.
pub const TOKENS: [usize; 9] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/// Width of queries, keys and values in each measurement.
pub const D_K: usize = 64;

/// Queries and keys in a block of [`crate::blockwise_attention`].
pub const BLOCK: usize = 128;

/// What one attention took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Queries, and as many keys.
    pub tokens: usize,
    /// Median time, in seconds.
    pub seconds: f64,
    /// The most memory held at once besides the inputs, in bytes.
    pub bytes: usize,
}

/// What attention took on one machine, with a single thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The machine's processor, as it calls itself, and its vector instructions.
    pub machine: String,
    /// [`whole_transformer::scaled_dot_product`], which holds the matrix of weights.
    pub whole: Vec<Measurement>,
    /// [`crate::blockwise_attention`], which never does.
    pub blockwise: Vec<Measurement>,
}

impl Cost {
    /// What was measured for the book's page.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../cost.json"))
    }
}

/// Times by number of tokens, as a chart takes them.
pub fn seconds(measurements: &[Measurement]) -> Vec<(f64, f64)> {
    measurements.iter().map(|one| (one.tokens as f64, one.seconds)).collect()
}

/// Bytes by number of tokens, as a chart takes them.
pub fn bytes(measurements: &[Measurement]) -> Vec<(f64, f64)> {
    measurements.iter().map(|one| (one.tokens as f64, one.bytes as f64)).collect()
}

/// The `p` of the power law `y = c · xᵖ` nearest to the points: the slope of the least
/// squares line through `(ln x, ln y)`.
///
/// NaN with fewer than two different `x`, or with numbers that aren't above zero.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs = || points.iter().map(|&(x, y)| (x.ln(), y.ln()));
    let mean_x = logs().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = logs().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = logs().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}
