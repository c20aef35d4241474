//! Is what a model looks at what it decides by? A hidden word is guessed, with all other
//! words there and with each of them hidden in turn.

use candle_core::{DType, Device, IndexOp, Tensor};
use candle_nn::ops::softmax_last_dim;
use hub::{Encoded, ModelFolder, Truncate};
use kernels::{Epilogue, PackedLinear, in_pool};
use ndarray::{Array1, Array3, Axis, s};
use sentiment::packed::{side_by_side, values};
use sentiment::{Batch, ForwardOptions, Pretrained};
use serde::Serialize;

use crate::attentions::{Attentions, AttentionsError, Result};
use crate::task_heads::BertForMaskedLm;

/// A piece for a hidden place.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Guess {
    /// The piece.
    pub piece: String,
    /// Its probability among all pieces.
    pub probability: f64,
}

/// A model that guesses hidden words and shows its attentions.
#[derive(Debug)]
pub struct MaskedModel {
    /// The tokenizer and the encoder.
    pub model: Pretrained,
    /// From a token's last vector to a number for each piece.
    pub head: BertForMaskedLm,
    /// The head's last product, the largest, with its weights packed.
    decoder: PackedLinear,
}

impl MaskedModel {
    /// Reads the folder's tokenizer and weights: a BERT's, with its masked language
    /// model.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`] if they can't be read or don't fit together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let config = folder.config()?;
        let head =
            hub::load(folder, DType::F32, |vb| BertForMaskedLm::load(&vb, &config))?;
        let decoder = side_by_side(&[&head.decoder()])?;
        Ok(Self { model: Pretrained::with(folder, head.bert.clone())?, head, decoder })
    }

    /// What stands at `place` of each row, as probabilities of the vocabulary's pieces.
    /// `[batch, vocabulary]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](sentiment::EncoderError) if a number is beyond the model's
    /// vocabulary, or there is no such place.
    pub fn guess(
        &self,
        batch: &Batch,
        place: usize,
    ) -> sentiment::Result<Vec<Vec<f32>>> {
        let read = self.model.encoder.forward(batch, ForwardOptions::default())?;
        self.guess_from(&read.last_hidden_state, place)
    }

    /// The same from the tokens' last vectors, `[batch, n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError`](sentiment::EncoderError) if `x` has another width, or no such
    /// place.
    pub fn guess_from(
        &self,
        x: &Tensor,
        place: usize,
    ) -> sentiment::Result<Vec<Vec<f32>>> {
        let x = self.head.transform(&x.i((.., place))?.contiguous()?)?;
        let (batch, pieces) = (x.dim(0)?, self.decoder.outputs());
        let mut logits = vec![0.0; batch * pieces];
        let x = values(&x)?; // [batch, d_model]
        in_pool(|| self.decoder.forward(&x, batch, Epilogue::None, &mut logits))?;
        let logits = Tensor::from_vec(logits, (batch, pieces), &Device::Cpu)?;
        Ok(softmax_last_dim(&logits)?.to_vec2()?)
    }
}

// ANCHOR: influence
/// What a guess looked at, and what it depended on.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// The tokens that are there, without the hidden one: `[CLS]` first, `[SEP]` last.
    pub tokens: Vec<String>,
    /// The likeliest piece for the hidden place.
    pub guess: String,
    /// Its probability.
    pub probability: f64,
    /// How much the hidden place looks at each token, `[layers, heads, tokens]`.
    pub heads: Array3<f64>,
    /// The same by attention rollout, `[tokens]`.
    pub rollout: Array1<f64>,
    /// How much the guess changes when the token is hidden, too: half the sum of all
    /// differences of probability, from 0 to 1. `[tokens]`.
    pub change: Array1<f64>,
}

impl Influence {
    /// How much the hidden place looks at each token, the mean of all heads of all
    /// layers. `[tokens]`.
    pub fn attention(&self) -> Array1<f64> {
        let (layers, heads, _) = self.heads.dim();
        let sum = self.heads.sum_axis(Axis(0)).sum_axis(Axis(0)); // [tokens]
        sum / (layers * heads) as f64
    }
}

/// The numbers of the words alone, without the first and the last, which are special.
pub fn words(values: &Array1<f64>) -> Array1<f64> {
    values.slice(s![1..values.len() - 1]).to_owned()
}
// ANCHOR_END: influence

// ANCHOR: influence_of
impl MaskedModel {
    /// Hides the token at `place` of a text and asks for it; then hides each other
    /// token, too, and asks again.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Place`] if there is no such place or it is a special token's;
    /// [`AttentionsError::NoToken`] if there is no `[MASK]`.
    pub fn influence(&self, text: &str, place: usize) -> Result<Influence> {
        let encoded = self.model.tokenizer.encode(text, None, Truncate::Error)?;
        let encoded = self.hidden(encoded, place)?;
        let others: Vec<usize> = (0..encoded.len()).filter(|&i| i != place).collect();
        let mut rows = vec![encoded.clone()];
        for &other in &others {
            let mut without = encoded.clone();
            self.hide(&mut without, other)?;
            rows.push(without);
        }
        let batch = Batch::from_encoded(&rows)?;
        let read = self.model.encoder.forward(&batch, ForwardOptions::ATTENTIONS)?;
        let guesses = self.guess_from(&read.last_hidden_state, place)?;
        let (whole, without) = guesses.split_at(1);
        let likeliest = self.likeliest(&whole[0], 1).pop().unwrap_or_default();
        let layers = read.attention_arrays()?; // [batch, heads, n, n] each
        let first =
            layers.iter().map(|layer| layer.slice(s![..1, .., .., ..]).to_owned());
        let attentions = Attentions::new(&self.model.name, encoded, first.collect());
        Ok(Influence {
            tokens: others.iter().map(|&i| rows[0].tokens[i].clone()).collect(),
            guess: likeliest.piece,
            probability: likeliest.probability,
            heads: attention_rows(&attentions, place)?.select(Axis(2), &others),
            rollout: attentions.rollout()?.row(place).select(Axis(0), &others),
            change: without.iter().map(|row| total_variation(&whole[0], row)).collect(),
        })
    }
}
// ANCHOR_END: influence_of

impl MaskedModel {
    /// The first pieces of a guess, `[vocabulary]`, the likeliest first; of equals, the
    /// one with the smaller number.
    pub fn likeliest(&self, guess: &[f32], count: usize) -> Vec<Guess> {
        let mut order: Vec<(u32, f32)> = (0..).zip(guess.iter().copied()).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable
        let guess = |&(id, probability): &(u32, f32)| Guess {
            piece: self.model.tokenizer.id_to_token(id).unwrap_or_default(),
            probability: f64::from(probability),
        };
        order.iter().take(count).map(guess).collect()
    }

    /// The text with `[MASK]` at `place`.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Place`] if there is no such place or it is the first or the
    /// last, a special token's; [`AttentionsError::NoToken`] if there is no `[MASK]`.
    pub fn hidden(&self, mut text: Encoded, place: usize) -> Result<Encoded> {
        let n = text.len();
        if place == 0 || place + 1 >= n {
            return Err(AttentionsError::Place { place, n });
        }
        self.hide(&mut text, place)?;
        Ok(text)
    }

    fn hide(&self, encoded: &mut Encoded, place: usize) -> Result<()> {
        let mask = self.model.tokenizer.token_to_id("[MASK]");
        encoded.ids[place] =
            mask.ok_or(AttentionsError::NoToken { token: "[MASK]" })?;
        "[MASK]".clone_into(&mut encoded.tokens[place]);
        Ok(())
    }
}

/// How much the token at `place` looks at each token in every head,
/// `[layers, heads, n]`.
///
/// # Errors
///
/// [`AttentionsError::NoLayers`] if there are none.
pub fn attention_rows(attentions: &Attentions, place: usize) -> Result<Array3<f64>> {
    let shape = (attentions.layers(), attentions.heads()?, attentions.tokens.len());
    let mut found = Array3::zeros(shape);
    for layer in 0..shape.0 {
        for head in 0..shape.1 {
            let weights = attentions.head(layer, head)?; // [n, n]
            found.slice_mut(s![layer, head, ..]).assign(&weights.row(place));
        }
    }
    Ok(found)
}

/// Half the sum of the differences of two distributions: 0 if they are equal, 1 if what
/// one holds possible the other holds impossible.
pub fn total_variation(p: &[f32], q: &[f32]) -> f64 {
    p.iter().zip(q).map(|(&a, &b)| f64::from((a - b).abs())).sum::<f64>() / 2.0
}

/// The place of the greatest value; of equals, the first.
pub fn argmax(values: &Array1<f64>) -> usize {
    let mut best = 0;
    for (i, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = i;
        }
    }
    best
}
