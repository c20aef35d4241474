//! From chapter 2's Transformer to a view.

use ndarray::Array3;
use whole_transformer::{AttentionKind, AttentionRecord};

use crate::error::Result;
use crate::panes::EncoderDecoder;

impl EncoderDecoder {
    /// The attentions that chapter 2's Transformer keeps, a record for each layer and
    /// kind: those of `Transformer::forward` or `greedy`. `greedy` writes one token more
    /// than its decoder read: leave out the last.
    ///
    /// ```
    /// use attention_views::{EncoderDecoder, HeadView, Result};
    /// use whole_transformer::transformer::Prediction;
    ///
    /// /// A model that read "o gato sentou" and "<s> the".
    /// fn view(prediction: &Prediction) -> Result<HeadView> {
    ///     let (read, written) = (["o", "gato", "sentou"], ["<s>", "the"]);
    ///     let records = &prediction.attentions;
    ///     let attentions = EncoderDecoder::from_records(read, written, records)?;
    ///     Ok(HeadView::encoder_decoder(attentions))
    /// }
    /// ```
    pub fn from_records<E: AsRef<str>, D: AsRef<str>>(
        encoder_tokens: impl IntoIterator<Item = E>,
        decoder_tokens: impl IntoIterator<Item = D>,
        records: &[AttentionRecord],
    ) -> Result<Self> {
        let of = |kind| -> Vec<Array3<f64>> {
            let layers = records.iter().filter(|record| record.kind == kind);
            layers.map(|record| record.weights.clone()).collect() // [heads, n, m]
        };
        let mut two = Self::new(encoder_tokens, decoder_tokens);
        for (kind, add) in [
            (AttentionKind::EncoderSelf, Self::encoder as fn(Self, &_) -> Result<Self>),
            (AttentionKind::DecoderSelf, Self::decoder),
            (AttentionKind::Cross, Self::cross),
        ] {
            let layers = of(kind);
            if !layers.is_empty() {
                two = add(two, &layers)?;
            }
        }
        Ok(two)
    }
}
