//! What `fit` and `evaluate` give: Keras' metrics, and their course.

use serde::{Deserialize, Serialize};

/// The mean loss, and how many labels were the likeliest class (from 0 to 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// −ln of the label's probability.
    pub loss: f64,
    /// From 0 to 1.
    pub accuracy: f64,
}

/// What [`Model::fit`](crate::Model::fit) saw, an entry an epoch: `history.history`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Means over the epoch's steps, while the weights change.
    pub train: Vec<Metrics>,
    /// After the epoch; empty without `validation_data`.
    pub validation: Vec<Metrics>,
}

impl History {
    /// The losses in training and in validation, epoch by epoch from 1: two curves.
    pub fn losses(&self) -> [Vec<(f64, f64)>; 2] {
        [&self.train, &self.validation]
            .map(|part| (1..).map(f64::from).zip(part.iter().map(|m| m.loss)).collect())
    }
}
