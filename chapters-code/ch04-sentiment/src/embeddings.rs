//! From numbers of pieces to vectors.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use hub::Config;
use training::linear::table;
use training::{Dropout, DropoutRng, LayerNorm, WeightInit};

use crate::batch::Batch;
use crate::error::{EncoderError, Result};

// ANCHOR: embeddings
/// A vector for each token: its piece's, plus its position's, plus (in BERT) its
/// sentence's, then a norm. transformers' `BertEmbeddings`, and `Embeddings` of
/// DistilBERT.
#[derive(Debug, Clone)]
pub struct Embeddings {
    /// A row for each piece, `[vocabulary, d_model]`.
    pub words: Tensor,
    /// A row for each position, learned, `[positions, d_model]`.
    pub positions: Tensor,
    /// A row for sentence A and one for B, `[types, d_model]`; DistilBERT has none.
    pub token_types: Option<Tensor>,
    /// After the sum.
    pub norm: LayerNorm,
    /// After the norm, while training.
    pub dropout: Dropout,
}

impl Embeddings {
    /// The vectors of a batch's tokens, `[batch, n, d_model]`.
    ///
    /// # Errors
    ///
    /// [`EncoderError::TooLong`] if there are more tokens than positions,
    /// [`EncoderError::Id`] if a table has no row for a number.
    pub fn forward(&self, batch: &Batch, rng: Option<&DropoutRng>) -> Result<Tensor> {
        let n = self.check(batch)?;
        let mut x = lookup(&self.words, batch, batch.ids())?; // [batch, n, d_model]
        x = x.broadcast_add(&self.positions.narrow(0, 0, n)?)?; // + [n, d_model]
        if let Some(token_types) = &self.token_types {
            x = (x + lookup(token_types, batch, batch.token_type_ids())?)?;
        }
        Ok(self.dropout.forward(&self.norm.forward(&x)?, rng)?)
    }
}

/// The table's row for each of the batch's numbers, `[batch, n, d_model]`.
fn lookup(table: &Tensor, batch: &Batch, numbers: &[u32]) -> Result<Tensor> {
    let numbers = Tensor::new(numbers, table.device())?; // [batch · n]
    let rows = table.index_select(&numbers, 0)?; // [batch · n, d_model]
    Ok(rows.reshape((batch.rows(), batch.n(), table.dim(1)?))?)
}
// ANCHOR_END: embeddings

impl Embeddings {
    /// The embeddings at `vb`.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or has another shape.
    pub fn load(vb: &VarBuilder, config: &Config) -> candle_core::Result<Self> {
        let (d_model, types) = (config.hidden_size, config.type_vocab_size);
        let table = |name, rows| table(&vb.pp(name), rows, d_model, WeightInit::BERT);
        let token_types = (types > 0).then(|| table("token_type_embeddings", types));
        let norm = vb.pp("LayerNorm");
        Ok(Self {
            words: table("word_embeddings", config.vocab_size)?,
            positions: table("position_embeddings", config.max_position_embeddings)?,
            token_types: token_types.transpose()?,
            norm: LayerNorm::load(&norm, d_model, config.layer_norm_eps)?,
            dropout: Dropout::new(config.hidden_dropout)?,
        })
    }

    /// Checks that each number has its row, and returns how many tokens there are.
    pub(crate) fn check(&self, batch: &Batch) -> Result<usize> {
        let (found, limit) = (batch.n(), self.positions.dim(0)?);
        if found > limit {
            return Err(EncoderError::TooLong { found, limit });
        }
        check_rows("ids", batch.ids(), &self.words, batch.n())?;
        if let Some(token_types) = &self.token_types {
            let numbers = batch.token_type_ids();
            check_rows("token_type_ids", numbers, token_types, batch.n())?;
        }
        Ok(found)
    }
}

fn check_rows(
    name: &'static str,
    numbers: &[u32],
    table: &Tensor,
    n: usize,
) -> Result<()> {
    let limit = table.dim(0)?;
    let missing = |&id: &u32| usize::try_from(id).is_ok_and(|id| id >= limit);
    let Some(at) = numbers.iter().position(missing) else { return Ok(()) };
    let (row, position, id) = (at / n, at % n, numbers[at]);
    Err(EncoderError::Id { name, row, position, id, limit })
}
