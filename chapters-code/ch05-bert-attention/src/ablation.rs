//! What a model guesses without some of its heads.

use candle_core::Tensor;
use hub::Encoded;
use ndarray::{Array1, Array2, Array3, Axis};
use sentiment::{Batch, ForwardOptions, Head};

use crate::attentions::{Attentions, AttentionsError, Result};
use crate::explanation::{MaskedModel, attention_rows, total_variation};

// ANCHOR: ablation
/// A text with a hidden token, as the whole model reads it. Later questions go to the
/// same model.
#[derive(Debug, Clone)]
pub struct Ablation {
    /// The text, with `[MASK]` at `place`.
    pub text: Encoded,
    /// Where the hidden token stood.
    pub place: usize,
    /// What each layer reads, `[1, n, d_model]`.
    inputs: Vec<Tensor>,
    /// How much the hidden place looks at each token, `[layers, heads, n]`.
    pub looks: Array3<f64>,
    /// The probability of each piece there, `[vocabulary]`.
    pub whole: Vec<f32>,
}

impl Ablation {
    /// Hides the token at `place` of a text, or of a pair of them, and asks for it.
    ///
    /// # Errors
    ///
    /// Those of [`MaskedModel::hidden`].
    pub fn of(model: &MaskedModel, text: Encoded, place: usize) -> Result<Self> {
        let text = model.hidden(text, place)?;
        let batch = Batch::from_encoded(std::slice::from_ref(&text))?; // 1 row
        let options =
            ForwardOptions { output_hidden_states: true, ..ForwardOptions::ATTENTIONS };
        let mut read = model.model.encoder.forward(&batch, options)?;
        let whole = model.guess_from(&read.last_hidden_state, place)?.concat();
        let inputs = read.hidden_states.take().unwrap_or_default();
        let layers = read.attention_arrays()?; // [1, heads, n, n] each
        let attentions = Attentions::new(&model.model.name, text.clone(), layers);
        let looks = attention_rows(&attentions, place)?;
        Ok(Self { text, place, inputs, looks, whole })
    }
}
// ANCHOR_END: ablation

// ANCHOR: without
impl Ablation {
    /// The model's guess without these heads, `[vocabulary]`: what each of them found
    /// becomes 0 before the output layer mixes it with the others'.
    ///
    /// # Errors
    ///
    /// [`EncoderError::NoHead`](sentiment::EncoderError::NoHead) if the model lacks one of them.
    pub fn without(&self, model: &MaskedModel, heads: &[Head]) -> Result<Vec<f32>> {
        // Below the first of them nothing changes.
        match heads.iter().map(|head| head.layer).min() {
            Some(layer) => Ok(self.guess(model, layer, &[heads.to_vec()])?.concat()),
            None => Ok(self.whole.clone()),
        }
    }

    /// A guess without each of some sets of heads, none of them below `layer`.
    fn guess(
        &self,
        model: &MaskedModel,
        layer: usize,
        removed: &[Vec<Head>],
    ) -> Result<Vec<Vec<f32>>> {
        let batch = Batch::from_encoded(&vec![self.text.clone(); removed.len()])?;
        // Of a layer that the model lacks, the encoder says so.
        let input = self.inputs.get(layer).or(self.inputs.last());
        let x = input.ok_or(AttentionsError::NoLayers)?; // [1, n, d_model]
        let x = x.repeat((removed.len(), 1, 1))?; // [batch, n, d_model]
        let read = model.model.encoder.forward_from(layer, &x, &batch, removed)?;
        Ok(model.guess_from(&read.last_hidden_state, self.place)?)
    }
}
// ANCHOR_END: without

impl Ablation {
    /// How much the guess changes without each head in turn: the total variation, from 0
    /// to 1. `[layers, heads]`.
    ///
    /// # Errors
    ///
    /// As [`Ablation::without_each`].
    pub fn changes(&self, model: &MaskedModel) -> Result<Array2<f64>> {
        let guesses = self.without_each(model)?;
        Ok(guesses
            .map_axis(Axis(2), |guess| total_variation(&self.whole, &guess.to_vec())))
    }

    /// The guess without each head in turn, `[layers, heads, vocabulary]`.
    ///
    /// # Errors
    ///
    /// [`AttentionsError`] if candle refuses a tensor.
    pub fn without_each(&self, model: &MaskedModel) -> Result<Array3<f32>> {
        let (layers, heads, _) = self.looks.dim();
        let mut found = Array3::zeros((layers, heads, self.whole.len()));
        for (layer, mut of_layer) in found.outer_iter_mut().enumerate() {
            // The text as often as the layer has heads, each time without one of them.
            let one = |head| vec![Head { layer, head }];
            let guesses =
                self.guess(model, layer, &(0..heads).map(one).collect::<Vec<_>>())?;
            for (mut row, guess) in of_layer.outer_iter_mut().zip(guesses) {
                row.assign(&Array1::from(guess)); // [vocabulary]
            }
        }
        Ok(found)
    }
}
