use thiserror::Error;

use crate::encoder::Head;

/// What can be wrong with what is given to a model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// What candle refuses: a tensor that the checkpoint doesn't have, or of another
    /// shape.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// What chapter 3's layers refuse.
    #[error(transparent)]
    Layer(#[from] training::TrainingError),
    /// A model that can't be found or read, or a text that its tokenizer refuses.
    #[error(transparent)]
    Models(#[from] hub::ModelError),
    /// Weights that don't fit together.
    #[error(transparent)]
    Kernel(#[from] kernels::KernelError),
    /// Dropout asked of a model that can't be trained.
    #[error(
        "packed weights can't be trained: they have no dropout and no gradients; train \
         the model that they were packed from"
    )]
    Training,
    /// A model of another architecture.
    #[error(
        "{model} is not a DistilBERT: give --model a DistilBERT that was fine-tuned to \
         classify, such as distilbert-base-uncased-finetuned-sst-2-english"
    )]
    NotDistilBert {
        /// The model's name or folder.
        model: String,
    },
    /// A batch without texts, or a text without tokens.
    #[error("there are no tokens: give at least one text, with at least one token")]
    NoTokens,
    /// A row of a batch that isn't as long as the others.
    #[error(
        "row {row} of {name} has {found} numbers where row 0 of the ids has \
         {expected}: pad the shorter rows and hide the padding with the attention mask"
    )]
    Ragged {
        /// Which rows: `ids`, `token_type_ids` or `attention_mask`.
        name: &'static str,
        /// The row.
        row: usize,
        /// Its length.
        found: usize,
        /// The length of the first row of the ids.
        expected: usize,
    },
    /// Not as many rows of one kind as of ids.
    #[error("{name} has {found} rows but there are {expected} rows of ids")]
    Rows {
        /// Which rows: `token_type_ids`, `attention_mask` or `removed` heads.
        name: &'static str,
        /// How many there are.
        found: usize,
        /// How many rows of ids there are.
        expected: usize,
    },
    /// A mask that is neither 0 nor 1, or that hides a whole text.
    #[error(
        "row {row} of the attention mask must have a 1 for each token to see and a 0 \
         for each to hide, with at least one 1"
    )]
    Mask {
        /// The row.
        row: usize,
    },
    /// A number that a table of embeddings has no row for.
    #[error(
        "{name}[{row}, {position}] is {id}, but the model knows {limit} of them, \
         from 0: use the tokenizer that came with the model"
    )]
    Id {
        /// `ids` or `token_type_ids`.
        name: &'static str,
        /// The row of the batch.
        row: usize,
        /// The position in the row.
        position: usize,
        /// The number.
        id: u32,
        /// How many rows the table has.
        limit: usize,
    },
    /// More tokens than learned positions.
    #[error(
        "{found} tokens, but the model has {limit} positions: shorten the text, or \
         truncate it"
    )]
    TooLong {
        /// How many tokens were given.
        found: usize,
        /// How many positions there are.
        limit: usize,
    },
    /// Two vectors of different lengths have no angle.
    #[error("a vector of {a} numbers can't be compared with one of {b}")]
    Lengths {
        /// The numbers of the first.
        a: usize,
        /// The numbers of the second.
        b: usize,
    },
    /// A head or a layer that the model doesn't have.
    #[error(
        "there is no head {head} (layer {}, head {}): the model has {layers} layers of \
         {heads} heads, both counted from 0",
        head.layer,
        head.head
    )]
    NoHead {
        /// What was asked for.
        head: Head,
        /// How many layers there are.
        layers: usize,
        /// How many heads each has.
        heads: usize,
    },
    /// A model without layers has no attention.
    #[error("the model has no layers: its config.json says n_layers = 0")]
    NoLayers,
    /// A text of which nothing would be left without its only word.
    #[error("{text:?} has a single word: without it, nothing would be left to read")]
    OneWord {
        /// The text.
        text: String,
    },
}

/// Loading speaks candle's errors.
impl From<EncoderError> for candle_core::Error {
    fn from(error: EncoderError) -> Self {
        match error {
            EncoderError::Tensor(error) => error,
            EncoderError::Layer(error) => error.into(),
            other => Self::wrap(other),
        }
    }
}

/// A result with this chapter's error.
pub type Result<T, E = EncoderError> = std::result::Result<T, E>;
