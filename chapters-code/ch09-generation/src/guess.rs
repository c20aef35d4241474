//! What a model holds likely next, and what it makes of a text that is there.

use ndarray::Array4;
use sentiment::Batch;

use crate::Pretrained;
use crate::beam::{BeamOptions, beam_search};
use crate::cache::Cache;
use crate::error::Result;
use crate::filter::{Filters, log_probabilities, probabilities};
use crate::generate::{GenerateOptions, generate, likeliest};

/// A token that may come next.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The token's text.
    pub token: String,
    /// From 0 to 1.
    pub probability: f64,
}

/// A token of a text, what was guessed after it, and what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The token's text.
    pub token: String,
    /// The likeliest token after it.
    pub likeliest: Guess,
    /// The token that came, as it was guessed; `None` after the last one.
    pub came: Option<Guess>,
}

impl Pretrained {
    /// A number for each token that may come after each of `ids`, `[n][vocabulary]`.
    ///
    /// # Errors
    ///
    /// As [`Gpt::forward`](crate::Gpt::forward).
    pub fn logits(&self, ids: &[u32]) -> Result<Vec<Vec<f32>>> {
        let batch = Batch::new(&[ids.to_vec()], None, None)?; // [1, n]
        let output = self.model.forward(&batch, &mut Cache::new())?;
        let logits = self.model.predict(&output.last_hidden_state)?; // [1, n, vocabulary]
        Ok(logits.squeeze(0)?.to_vec2()?)
    }

    /// How much each token looked at each, `[layers, heads, n, n]`.
    ///
    /// # Errors
    ///
    /// As [`Gpt::forward`](crate::Gpt::forward).
    pub fn attentions(&self, ids: &[u32]) -> Result<Array4<f32>> {
        let batch = Batch::new(&[ids.to_vec()], None, None)?; // [1, n]
        let output = self.model.forward(&batch, &mut Cache::new())?;
        let (layers, heads, n) = (self.config.n_layer, self.config.n_head, ids.len());
        let mut weights = Vec::with_capacity(layers * heads * n * n);
        for layer in &output.attentions {
            weights.extend(layer.flatten_all()?.to_vec1::<f32>()?); // [1, heads, n, n]
        }
        let shape = (layers, heads, n, n);
        Array4::from_shape_vec(shape, weights)
            .map_err(|error| candle_core::Error::wrap(error).into())
    }

    /// The likeliest `count` tokens after `text`, the likeliest first, as `filters` leave them.
    ///
    /// # Errors
    ///
    /// As [`generate()`] and [`TextTokenizer::encode`](crate::TextTokenizer::encode).
    pub fn guesses(
        &self,
        text: &str,
        filters: &Filters,
        count: usize,
    ) -> Result<Vec<Guess>> {
        filters.validate()?;
        let ids = self.tokenizer.encode(text)?;
        let mut logits = self.logits(&ids)?.pop().unwrap_or_default();
        filters.apply(&mut logits, &ids);
        let mut order: Vec<(u32, f64)> = (0..).zip(probabilities(&logits)).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: of equals, the first
        order.retain(|(_, probability)| *probability > 0.0);
        order.truncate(count);
        order.iter().map(|&(id, probability)| self.guess(id, probability)).collect()
    }

    /// What was guessed after each token of `text`, and what came.
    ///
    /// # Errors
    ///
    /// As [`Pretrained::logits`] and [`TextTokenizer::encode`](crate::TextTokenizer::encode).
    pub fn places(&self, text: &str) -> Result<Vec<Place>> {
        let ids = self.tokenizer.encode(text)?;
        let tokens = self.tokenizer.tokens(&ids)?;
        let mut places = Vec::new();
        for (i, logits) in self.logits(&ids)?.iter().enumerate() {
            let probabilities = probabilities(logits);
            let guess = |id: u32| self.guess(id, probabilities[id as usize]);
            let came = ids.get(i + 1).map(|&next| guess(next)).transpose()?;
            let token = tokens[i].clone();
            places.push(Place { token, likeliest: guess(likeliest(logits))?, came });
        }
        Ok(places)
    }

    /// The logarithm of the probability of each of `ids` after `prompt` and those before it, in
    /// nats, `[ids]`.
    ///
    /// # Errors
    ///
    /// As [`Pretrained::logits`].
    pub fn log_probabilities(&self, prompt: &[u32], ids: &[u32]) -> Result<Vec<f64>> {
        let logits = self.logits(&[prompt, ids].concat())?;
        let guesses = logits[prompt.len().saturating_sub(1)..].iter().zip(ids);
        Ok(guesses
            .map(|(logits, &id)| log_probabilities(logits)[id as usize])
            .collect())
    }

    /// The logarithm of the probability of `ids` after `prompt`, in nats.
    ///
    /// # Errors
    ///
    /// As [`Pretrained::logits`].
    pub fn log_probability(&self, prompt: &[u32], ids: &[u32]) -> Result<f64> {
        Ok(self.log_probabilities(prompt, ids)?.iter().sum())
    }

    /// What comes after `prompt`, one token at a time.
    ///
    /// # Errors
    ///
    /// As [`generate()`].
    pub fn go_on(&self, prompt: &str, options: &GenerateOptions) -> Result<String> {
        let ids = self.tokenizer.encode(prompt)?;
        let found = generate(&self.model, &ids, options, |_, _| ())?;
        self.tokenizer.decode(&found.ids)
    }

    /// What comes after `prompt`, the likeliest text that a beam search finds.
    ///
    /// # Errors
    ///
    /// As [`beam_search`].
    pub fn search(&self, prompt: &str, options: &BeamOptions) -> Result<String> {
        let ids = self.tokenizer.encode(prompt)?;
        let found = beam_search(&self.model, &ids, options)?;
        self.tokenizer.decode(found.first().map_or(&[], |best| &best.ids))
    }

    fn guess(&self, id: u32, probability: f64) -> Result<Guess> {
        let token = self.tokenizer.tokens(&[id])?.concat();
        Ok(Guess { token, probability })
    }
}
