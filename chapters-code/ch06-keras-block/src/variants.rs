//! What the notes leave out, measured: `cargo run --release -p ch06-keras-block --example
//! variants` trains them and writes `variants.json`, which the page shows.

use serde::{Deserialize, Serialize};

use crate::block::{LookupOptions, lookup_network};
use crate::error::{KerasError, Result};
use crate::lookup::examples;
use crate::model::Model;
use crate::optimizer::Adam;
use crate::progress::Verbose;
use crate::training::{Fit, SparseCategoricalCrossentropy};

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

/// A network on a task.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// How many hops there are from the first token to the letter.
    pub hops: usize,
    /// What the network is made of.
    pub options: LookupOptions,
    /// The learning rate that Adam was given.
    pub learning_rate: f64,
}

/// A network, trained from several seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The network, and the task.
    pub setting: Setting,
    /// How many numbers are trained.
    pub parameters: usize,
    /// On 500 examples that it has not seen, from 0 to 1: a list for each seed, with a
    /// number for each epoch.
    pub accuracies: Vec<Vec<f64>>,
}

impl Variants {
    /// Those that the page shows.
    pub fn of_the_book() -> Result<Self> {
        let text = include_str!("../variants.json");
        serde_json::from_str(text).map_err(|error| KerasError::Weights {
            path: "variants.json".into(),
            problem: error.to_string(),
        })
    }

    /// The accuracy after the last epoch, in %: the mean over the seeds, and the least and
    /// the most.
    pub fn accuracies(&self) -> String {
        self.table(|variant| {
            let [mean, least, most] = variant.last().map(|accuracy| 100.0 * accuracy);
            format!("{mean:.0} ({least:.0}–{most:.0})")
        })
    }

    /// The first epoch in which the mean over the seeds is 99 % or more.
    pub fn epochs(&self) -> String {
        self.table(|variant| {
            let learned = variant.curve().into_iter().find(|(_, mean)| *mean >= 0.99);
            learned.map_or("—".to_owned(), |(epoch, _)| epoch.to_string())
        })
    }

    /// A line for each task, depth and learning rate; a column for what the notes have,
    /// for that with residuals, with 8 heads, and with both.
    fn table(&self, cell: impl Fn(&Variant) -> String) -> String {
        let mut text = format!(
            "hops  blocks    rate{:>15}{:>15}{:>15}{:>19}\n",
            "notes", "residual", "8 heads", "residual, 8 heads"
        );
        let mut lines: Vec<(usize, usize, f64)> = Vec::new();
        for Variant { setting: Setting { hops, options, learning_rate }, .. } in
            &self.variants
        {
            let line = (*hops, options.blocks, *learning_rate);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.sort_by(|(h, b, r), (g, c, s)| (h, b).cmp(&(g, c)).then(s.total_cmp(r)));
        for (hops, blocks, learning_rate) in lines {
            let columns =
                [(false, 1, 15), (true, 1, 15), (false, 8, 15), (true, 8, 19)];
            let cells = columns.map(|(residual, heads, width)| {
                let options =
                    LookupOptions { heads, residual, blocks, ..Default::default() };
                let variant = self.find(&Setting { hops, options, learning_rate });
                format!("{:>width$}", variant.map_or(String::new(), &cell))
            });
            let line = format!("{hops:4}  {blocks:6}  {learning_rate:6}");
            text += (line + &cells.concat()).trim_end();
            text.push('\n');
        }
        text
    }

    /// The network of this setting, if it was trained.
    pub fn find(&self, setting: &Setting) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.setting == *setting)
    }
}

impl Variant {
    /// Trains the network once for each seed from 0.
    pub fn train(setting: &Setting, seeds: u64, epochs: usize) -> Result<Self> {
        let network = lookup_network(&setting.options)?;
        let (x, y) = examples(4000, setting.hops, 1)?;
        let validation = examples(500, setting.hops, 2)?;
        let (mut parameters, mut accuracies) = (0, Vec::new());
        for seed in 0..seeds {
            let mut model = Model::new(&network.ids, &network.logits, seed)?;
            let adam = Adam::new(setting.learning_rate);
            model.compile(adam, SparseCategoricalCrossentropy)?;
            let (verbose, validation_data) = (Verbose::Bar, Some(validation.clone()));
            let fit = Fit { epochs, validation_data, seed, verbose, ..Fit::default() };
            let history = model.fit(&x, &y, &fit)?;
            parameters = model.count_params();
            accuracies.push(history.validation.iter().map(|m| m.accuracy).collect());
        }
        Ok(Self { setting: *setting, parameters, accuracies })
    }

    /// The mean over the seeds of the last epoch's accuracy, the least and the most.
    pub fn last(&self) -> [f64; 3] {
        let last: Vec<f64> = self
            .accuracies
            .iter()
            .filter_map(|epochs| epochs.last().copied())
            .collect();
        let mean = last.iter().sum::<f64>() / last.len().max(1) as f64;
        let least = last.iter().copied().fold(1.0, f64::min);
        [mean, least, last.iter().copied().fold(0.0, f64::max)]
    }

    /// The mean over the seeds, epoch by epoch from 1: a curve.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let epochs = self.accuracies.first().map_or(0, Vec::len);
        let mean = |epoch: usize| {
            let sum: f64 = self.accuracies.iter().map(|epochs| epochs[epoch]).sum();
            ((epoch + 1) as f64, sum / self.accuracies.len() as f64)
        };
        (0..epochs).map(mean).collect()
    }
}
