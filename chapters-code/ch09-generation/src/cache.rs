//! The keys and values of the tokens that have been read.

use candle_core::Tensor;

use crate::error::Result;

/// What a decoder need not compute again: of all tokens so far, each layer's keys and values, and
/// which tokens are padding. With an empty one, a model reads a text from its beginning.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    /// For each layer, keys and values, `[batch, heads, m, d_k]`.
    layers: Vec<[Tensor; 2]>,
    /// For each sequence, 1 for a token to see and 0 for padding, `[batch][m]`.
    shown: Vec<Vec<u32>>,
}

impl Cache {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many tokens of each sequence it holds, padding included.
    pub fn len(&self) -> usize {
        self.shown.first().map_or(0, Vec::len)
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // ANCHOR: append
    /// Adds the new tokens' keys and values, `[batch, heads, n, d_k]`, behind those of
    /// `layer`; returns all, `[batch, heads, m, d_k]`.
    pub(crate) fn append(
        &mut self,
        layer: usize,
        new: [Tensor; 2],
    ) -> Result<[Tensor; 2]> {
        let Some(old) = self.layers.get_mut(layer) else {
            self.layers.push(new.clone());
            return Ok(new);
        };
        let [keys, values] = new;
        *old =
            [Tensor::cat(&[&old[0], &keys], 2)?, Tensor::cat(&[&old[1], &values], 2)?];
        Ok(old.clone())
    }
    // ANCHOR_END: append

    /// Adds what is seen of the new tokens, a row a sequence.
    pub(crate) fn show<'a>(&mut self, new: impl Iterator<Item = &'a [u32]>) {
        for (row, new) in new.enumerate() {
            match self.shown.get_mut(row) {
                Some(shown) => shown.extend(new),
                None => self.shown.push(new.to_vec()),
            }
        }
    }

    /// 1 for a token to see and 0 for padding, a row a sequence.
    pub(crate) fn shown(&self) -> &[Vec<u32>] {
        &self.shown
    }

    /// The sequences of these rows, in this order; one may be asked for twice.
    ///
    /// # Errors
    ///
    /// If there is no such row.
    pub fn select(&self, rows: &[u32]) -> Result<Self> {
        let index = Tensor::new(rows, &candle_core::Device::Cpu)?;
        let layers = self.layers.iter().map(|[keys, values]| {
            Ok([keys.index_select(&index, 0)?, values.index_select(&index, 0)?])
        });
        let shown =
            rows.iter().filter_map(|&row| self.shown.get(row as usize).cloned());
        Ok(Self { layers: layers.collect::<Result<_>>()?, shown: shown.collect() })
    }
}
