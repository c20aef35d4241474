//! What papagaio learns from: sentences, and pairs written as one text, so that to translate is to
//! go on.

use bertinho::corpus::{Corpus, Pair};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer, TokenizerImpl};

use crate::error::{GenerationError, Result};

/// Begins every text, and so ends the one before.
pub const END: &str = "<|endoftext|>";
/// Before English.
pub const ENGLISH: &str = "<|en|>";
/// Before Portuguese.
pub const PORTUGUESE: &str = "<|pt|>";
/// [`END`]'s number.
pub const END_ID: u32 = 0;

/// A sentence behind its language's mark.
pub fn alone(mark: &str, sentence: &str) -> String {
    format!("{mark}{sentence}")
}

// ANCHOR: both_orders
/// A pair in both orders: what comes second is the translation of what comes first.
pub fn both_orders(pair: &Pair) -> [String; 2] {
    let english = alone(ENGLISH, &pair.english);
    let portuguese = alone(PORTUGUESE, &pair.portuguese);
    [format!("{english}{portuguese}"), format!("{portuguese}{english}")]
}
// ANCHOR_END: both_orders

/// All texts of an epoch: each sentence alone once, each pair once in either order.
pub fn training_texts(corpus: &Corpus) -> Vec<String> {
    let english = corpus.english.train.iter().map(|text| alone(ENGLISH, text));
    let portuguese = corpus.portuguese.train.iter().map(|text| alone(PORTUGUESE, text));
    let pairs = corpus.pairs.train.iter().flat_map(both_orders);
    english.chain(portuguese).chain(pairs).collect()
}

/// Learns a byte-level vocabulary of `size` tokens from the corpus: [`END`] and the marks first,
/// then the 256 bytes, then again and again the two neighbors that stand together most often
/// become one. A text is given [`END`] before its first token.
///
/// # Errors
///
/// If the size has no room for bytes and marks.
pub fn train_vocabulary(corpus: &Corpus, size: usize) -> Result<Tokenizer> {
    let marks = [END, ENGLISH, PORTUGUESE];
    let least = marks.len() + 256;
    if size < least {
        let expected = format!("at least {least}, for bytes and marks");
        return Err(GenerationError::setting("vocab_size", size, expected));
    }
    let bytes = ByteLevel::new(false, true, true);
    let mut learning: TokenizerImpl<
        BPE,
        tokenizers::NormalizerWrapper,
        ByteLevel,
        TemplateProcessing,
        ByteLevel,
    > = TokenizerImpl::new(BPE::default());
    learning.with_pre_tokenizer(Some(bytes));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size)
        .min_frequency(2)
        .special_tokens(marks.map(|mark| AddedToken::from(mark, true)).to_vec())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .show_progress(false)
        .build();
    learning
        .train(&mut trainer, corpus.training_texts())
        .map_err(candle_core::Error::wrap)?;
    let mut tokenizer = Tokenizer::new(learning.get_model().clone());
    tokenizer.with_pre_tokenizer(Some(bytes));
    tokenizer.with_decoder(Some(bytes));
    let before = TemplateProcessing::builder()
        .try_single(format!("{END} $A"))
        .and_then(|builder| builder.try_pair(format!("{END} $A $B:1")))
        .map_err(candle_core::Error::msg)?
        .special_tokens(vec![(END, END_ID)])
        .build()
        .map_err(candle_core::Error::wrap)?;
    tokenizer.with_post_processor(Some(before));
    let marks = marks.map(|mark| AddedToken::from(mark, true));
    tokenizer.add_special_tokens(marks).map_err(candle_core::Error::wrap)?;
    Ok(tokenizer)
}

/// The tokens that end a sentence: [`END`], and the marks that another one begins with.
///
/// # Errors
///
/// [`TrainingError::Setting`](training::TrainingError::Setting) if the tokenizer lacks one of them.
pub fn ends(tokenizer: &Tokenizer) -> Result<Vec<u32>> {
    let id = |mark| {
        let missing = || {
            let expected = "papagaio's own, or one with the same marks";
            GenerationError::setting("tokenizer", format!("without {mark}"), expected)
        };
        tokenizer.token_to_id(mark).ok_or_else(missing)
    };
    [END, ENGLISH, PORTUGUESE].into_iter().map(id).collect()
}

/// The tokens of each text, [`END`] before them.
///
/// # Errors
///
/// If the tokenizer fails.
pub fn encode(tokenizer: &Tokenizer, texts: &[String]) -> Result<Vec<Vec<u32>>> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found =
        tokenizer.encode_batch_fast(texts, true).map_err(candle_core::Error::wrap)?;
    Ok(found.iter().map(|encoding| encoding.get_ids().to_vec()).collect())
}
