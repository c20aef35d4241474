//! What the notes leave out, measured: `cargo run --release -p ch05-keras-block --example
//! variants` trains them and writes `variants.json`, which the page shows.

use serde::{Deserialize, Serialize};

use crate::pointer::examples;
use crate::{
    Adam, Fit, KerasError, Model, PointerOptions, Result,
    SparseCategoricalCrossentropy, Verbose, pointer_network,
};

/// The trainings of `variants.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variants {
    /// Where they ran.
    pub machine: String,
    /// How many trainings there are of each.
    pub seeds: u64,
    /// How often each saw its 4,000 examples.
    pub epochs: usize,
    /// Each network.
    pub variants: Vec<Variant>,
}

/// A network, trained from several seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// What it is made of.
    pub options: PointerOptions,
    /// How many numbers are trained.
    pub parameters: usize,
    /// On 500 examples that it has not seen, a training each, from 0 to 1.
    pub accuracies: Vec<f64>,
}

impl Variants {
    /// Those that the page shows.
    ///
    /// # Errors
    ///
    /// [`KerasError::Weights`] if `variants.json` isn't what it should be.
    pub fn of_the_book() -> Result<Self> {
        let text = include_str!("../variants.json");
        serde_json::from_str(text).map_err(|error| KerasError::Weights {
            path: "variants.json".into(),
            problem: error.to_string(),
        })
    }
}

impl Variant {
    /// Trains the network once for each seed from 0.
    ///
    /// # Errors
    ///
    /// None for options that make a network.
    pub fn train(options: &PointerOptions, seeds: u64, epochs: usize) -> Result<Self> {
        let network = pointer_network(options)?;
        let (x, y) = examples(4000, 1)?;
        let (x_val, y_val) = examples(500, 2)?;
        let (mut parameters, mut accuracies) = (0, Vec::new());
        for seed in 0..seeds {
            let mut model = Model::new(&network.ids, &network.logits, seed)?;
            model.compile(Adam::new(2e-3), SparseCategoricalCrossentropy)?;
            let verbose = Verbose::Bar;
            model.fit(&x, &y, &Fit { epochs, seed, verbose, ..Fit::default() })?;
            parameters = model.count_params();
            accuracies.push(model.evaluate(&x_val, &y_val)?.accuracy);
        }
        Ok(Self { options: *options, parameters, accuracies })
    }
}
