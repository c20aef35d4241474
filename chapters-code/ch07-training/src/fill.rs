//! What a model puts in the place of `[MASK]`.

use bert_attention::BertForMaskedLm;
use candle_core::{DType, IndexOp};
use models::{ModelFolder, Tokenizer, Truncate};
use sentiment::{Batch, softmax};

use crate::evaluate::Guesser;
use crate::wordpiece::MASK;
use crate::{Result, TrainingError};

/// A trained model that fills in hidden words; transformers' `fill-mask` pipeline.
#[derive(Debug)]
pub struct MaskFiller {
    /// From text to numbers.
    pub tokenizer: Tokenizer,
    /// The model.
    pub guesser: Guesser,
}

/// A piece for a hidden place.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The piece.
    pub piece: String,
    /// Its probability among all pieces.
    pub probability: f64,
}

impl MaskFiller {
    /// The likeliest pieces for the first `[MASK]` of a text, which may have another
    /// one beside it, most likely first.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if there is no `[MASK]`; if a text is empty or too
    /// long.
    pub fn fill(
        &self,
        text: &str,
        beside: Option<&str>,
        count: usize,
    ) -> Result<Vec<Guess>> {
        let encoded = self.tokenizer.encode(text, beside, Truncate::Error)?;
        let masked = (0..).zip(&encoded.ids).find(|(_, id)| **id == MASK);
        let Some((place, _)) = masked else {
            return Err(TrainingError::setting("text", text, "one with a [MASK]"));
        };
        let batch = Batch::from_encoded(&[encoded])?;
        let logits = self.guesser.logits(&batch, &[place])?; // [1, vocabulary]
        let probabilities = softmax(&logits)?.i(0)?.to_vec1::<f32>()?;
        let mut best: Vec<(u32, f32)> = (0..).zip(probabilities).collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        let guess = |(id, probability)| Guess {
            piece: self.tokenizer.id_to_token(id).unwrap_or_default(),
            probability: f64::from(probability),
        };
        Ok(best.into_iter().take(count).map(guess).collect())
    }
}

impl MaskFiller {
    /// Reads a folder: a BERT's, with its masked language model.
    ///
    /// # Errors
    ///
    /// If the files can't be read or don't fit together.
    pub fn load(folder: &ModelFolder) -> Result<Self> {
        let (config, tokenizer) = (folder.config()?, folder.tokenizer()?);
        let model =
            models::load(folder, DType::F32, |vb| BertForMaskedLm::load(&vb, &config))?;
        Ok(Self { tokenizer, guesser: Guesser::new(model)? })
    }
}
