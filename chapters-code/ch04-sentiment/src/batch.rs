//! What a model reads: numbers of pieces, a row for each text.

use candle_core::{DType, Device, Tensor};
use hub::Encoded;

use crate::error::{EncoderError, Result};

/// Texts of equal length, the shorter ones padded: `batch` texts of `n` tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    rows: usize,
    n: usize,
    ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    attention_mask: Vec<u32>,
}

impl Batch {
    /// From the pieces' numbers, a row for each text; each token's type (0 in sentence
    /// A, 1 in B; all 0 if `None`); and the attention mask (1 to see a token, 0 to hide
    /// padding; all 1 if `None`).
    ///
    /// # Errors
    ///
    /// [`EncoderError::NoTokens`] if there is no text or no token;
    /// [`EncoderError::Rows`] and [`EncoderError::Ragged`] if the rows aren't as many
    /// and as long as those of the ids; [`EncoderError::Mask`] if the mask has other
    /// numbers than 0 and 1 or hides a whole text.
    pub fn new(
        ids: &[Vec<u32>],
        token_type_ids: Option<&[Vec<u32>]>,
        attention_mask: Option<&[Vec<u32>]>,
    ) -> Result<Self> {
        let (rows, n) = (ids.len(), ids.first().map_or(0, Vec::len));
        if rows == 0 || n == 0 {
            return Err(EncoderError::NoTokens);
        }
        let flat = |name, matrix: Option<&[Vec<u32>]>, otherwise| match matrix {
            Some(matrix) => flatten(name, matrix, [rows, n]),
            None => Ok(vec![otherwise; rows * n]),
        };
        let ids = flatten("ids", ids, [rows, n])?;
        let token_type_ids = flat("token_type_ids", token_type_ids, 0)?;
        let attention_mask = flat("attention_mask", attention_mask, 1)?;
        for (row, mask) in attention_mask.chunks_exact(n).enumerate() {
            if mask.iter().any(|&shown| shown > 1) || !mask.contains(&1) {
                return Err(EncoderError::Mask { row });
            }
        }
        Ok(Self { rows, n, ids, token_type_ids, attention_mask })
    }

    /// From a tokenizer's texts. The shorter ones are filled up with 0 at their ends,
    /// which the mask hides.
    pub fn from_encoded(texts: &[Encoded]) -> Result<Self> {
        let n = texts.iter().map(Encoded::len).max().unwrap_or(0);
        let rows = |part: fn(&Encoded) -> &Vec<u32>| -> Vec<Vec<u32>> {
            texts.iter().map(|text| filled(part(text), n, 0)).collect()
        };
        let types = rows(|text| &text.token_type_ids);
        let mask = rows(|text| &text.attention_mask);
        Self::new(&rows(|text| &text.ids), Some(&types), Some(&mask))
    }

    /// How many texts there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many tokens each text has, padding included.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The pieces' numbers, row after row, `batch · n` of them.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Each token's type, row after row, `batch · n` of them.
    pub fn token_type_ids(&self) -> &[u32] {
        &self.token_type_ids
    }

    /// 1 for each token to see, 0 for each to hide, row after row, `batch · n` of them.
    pub fn attention_mask(&self) -> &[u32] {
        &self.attention_mask
    }

    /// The pieces' numbers and the mask of each text, `[n]` each.
    pub fn texts(&self) -> impl Iterator<Item = (&[u32], &[u32])> {
        self.ids.chunks_exact(self.n).zip(self.attention_mask.chunks_exact(self.n))
    }

    /// How many tokens each text has without the padding behind it, `[batch]`; padding
    /// before it counts.
    pub fn lengths(&self) -> Vec<usize> {
        let shown = |mask: &[u32]| mask.iter().rposition(|&shown| shown == 1);
        let texts = self.attention_mask.chunks_exact(self.n);
        texts.map(|mask| shown(mask).map_or(0, |last| last + 1)).collect()
    }

    /// Whether the mask hides anything.
    pub fn is_padded(&self) -> bool {
        self.attention_mask.contains(&0)
    }
}

// ANCHOR: additive_mask
impl Batch {
    /// What is added to the scores: 0 where a token may be seen, the lowest finite
    /// number where it is hidden, so that its weight becomes 0. Shape
    /// `[batch, 1, 1, n]`: the same for every head and every query. `None` if nothing
    /// is hidden.
    pub fn additive_mask(
        &self,
        dtype: DType,
        device: &Device,
    ) -> Result<Option<Tensor>> {
        if !self.is_padded() {
            return Ok(None);
        }
        let add = |&shown: &u32| if shown == 1 { 0.0 } else { f32::MIN };
        let values = self.attention_mask.iter().map(add);
        let mask = Tensor::from_iter(values, device)?; // [batch · n]
        Ok(Some(mask.reshape((self.rows, 1, 1, self.n))?.to_dtype(dtype)?))
    }
}
// ANCHOR_END: additive_mask

// ANCHOR: padded
impl Batch {
    /// From texts of any lengths: the shorter ones are filled up with `pad` at their
    /// ends, and the mask hides what was filled in.
    ///
    /// # Errors
    ///
    /// [`EncoderError::NoTokens`] if there is no text, [`EncoderError::Mask`] if one
    /// has no token.
    pub fn padded(texts: &[Vec<u32>], pad: u32) -> Result<Self> {
        let n = texts.iter().map(Vec::len).max().unwrap_or(0);
        let ids: Vec<_> = texts.iter().map(|text| filled(text, n, pad)).collect();
        let shown = texts.iter().map(|text| filled(&vec![1; text.len()], n, 0));
        Self::new(&ids, None, Some(&shown.collect::<Vec<_>>()))
    }
}

/// The row with `pad` behind its end, `n` numbers in all.
fn filled(row: &[u32], n: usize, pad: u32) -> Vec<u32> {
    let mut row = row.to_vec();
    row.resize(n, pad);
    row
}
// ANCHOR_END: padded

/// The rows one after another, checked to be `rows` of `n`.
fn flatten(
    name: &'static str,
    matrix: &[Vec<u32>],
    [rows, n]: [usize; 2],
) -> Result<Vec<u32>> {
    if matrix.len() != rows {
        return Err(EncoderError::Rows { name, found: matrix.len(), expected: rows });
    }
    if let Some(row) = matrix.iter().position(|values| values.len() != n) {
        let found = matrix[row].len();
        return Err(EncoderError::Ragged { name, row, found, expected: n });
    }
    Ok(matrix.concat())
}
