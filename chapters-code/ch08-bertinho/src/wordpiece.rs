//! A vocabulary of pieces, learned from the text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::json;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, NFC, Sequence};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential,
    OffsetType, PreTokenizedString, PreTokenizer, Tokenizer, TokenizerImpl,
};

use crate::corpus::Corpus;
use crate::error::{PretrainingError, Result};

/// BERT's special tokens, in the order in which they begin the vocabulary: 0 to 4.
/// (In Google's checkpoints `[PAD]` is 0 and the others stand from 100, after unused
/// rows; here there are no unused rows.)
pub const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/// Fills a batch up.
pub const PAD: u32 = 0;
/// A word with a character that the vocabulary doesn't have.
pub const UNK: u32 = 1;
/// Begins every sequence.
pub const CLS: u32 = 2;
/// Ends every sentence.
pub const SEP: u32 = 3;
/// Stands for a hidden piece.
pub const MASK: u32 = 4;
/// The first piece that is not special.
pub const FIRST_PIECE: u32 = 5;

/// How a vocabulary is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordPieceOptions {
    /// Pieces, special ones included.
    pub vocab_size: usize,
    /// A piece must be seen this often.
    pub min_frequency: u64,
    /// A character must be seen this often to be in the alphabet.
    pub min_character: u64,
}

impl Default for WordPieceOptions {
    fn default() -> Self {
        Self { vocab_size: 10_240, min_frequency: 2, min_character: 20 }
    }
}

/// Learns a WordPiece vocabulary: letters first, then again and again the two
/// neighboring pieces that stand together most often become one. Cased, accents kept.
/// The letters are those of `all` texts, the pieces those of `texts`, which may be a
/// part.
///
/// The pieces are learned as by `tokenizers`' `WordPieceTrainer`, which is its BPE
/// trainer, but the alphabet is given in order: that trainer numbers the letters
/// inside words (`##a`) as a hash map happens to give them, and ties between pairs are
/// decided by number, so that two runs on one text learn two vocabularies.
///
/// # Errors
///
/// [`TrainingError::Setting`](training::TrainingError::Setting) if the vocabulary has no room for the alphabet.
pub fn train_wordpiece<'a>(
    all: impl Iterator<Item = &'a str>,
    texts: impl Iterator<Item = &'a str> + Send,
    options: WordPieceOptions,
) -> Result<Tokenizer> {
    let normalizer = normalizer();
    let alphabet = alphabet(all, &normalizer, options.min_character)?;
    let given = SPECIAL_TOKENS.map(str::to_owned).into_iter().chain(alphabet);
    let given: Vec<_> = given.map(|token| AddedToken::from(token, true)).collect();
    if given.len() > options.vocab_size {
        let expected = format!("at least {}, for the alphabet", given.len());
        return Err(PretrainingError::setting(
            "vocab_size",
            options.vocab_size,
            expected,
        ));
    }
    let mut trainer = BpeTrainer::builder()
        .vocab_size(options.vocab_size)
        .min_frequency(options.min_frequency)
        .special_tokens(given)
        .limit_alphabet(0) // no letter but the given ones
        .continuing_subword_prefix("##".to_owned())
        .show_progress(false)
        .build();
    let mut learning = Learning::new(BPE::default());
    learning.with_normalizer(Some(normalizer.clone()))?;
    learning.with_pre_tokenizer(Some(BertPreTokenizer));
    learning.train(&mut trainer, texts)?;
    tokenizer(learning.get_model(), normalizer)
}

/// The vocabulary of a corpus: the letters of all of it, the pieces of the everyday
/// pairs.
///
/// Words of the sentences that the book looks at ("tapete", "rug") are rare even there,
/// and ten times rarer beside the news; a word's vector is what heads are read by, so
/// the pairs decide, and a news word comes in more pieces.
pub fn everyday_vocabulary(
    corpus: &Corpus,
    options: WordPieceOptions,
) -> Result<Tokenizer> {
    let pairs = corpus.pairs.train.iter();
    let sides = pairs.flat_map(|pair| [pair.english.as_str(), &pair.portuguese]);
    train_wordpiece(corpus.training_texts(), sides, options)
}

/// What pieces are learned with: words are split as BERT splits them.
type Learning = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    BertPreTokenizer,
    BertProcessing,
    tokenizers::decoders::wordpiece::WordPiece,
>;

/// Composed accents (é is one character), control characters away, case and accents
/// kept.
fn normalizer() -> NormalizerWrapper {
    let clean = BertNormalizer::new(true, true, Some(false), false);
    Sequence::new(vec![NFC.into(), clean.into()]).into()
}

/// The characters that are seen often enough, in order: first as they begin a word,
/// then those that also stand inside one, as `##a`. (Punctuation is always a word
/// alone.)
fn alphabet<'a>(
    texts: impl Iterator<Item = &'a str>,
    normalizer: &NormalizerWrapper,
    least: u64,
) -> Result<Vec<String>> {
    let mut counts: BTreeMap<char, (u64, bool)> = BTreeMap::new();
    for text in texts {
        let mut text = NormalizedString::from(text);
        normalizer.normalize(&mut text)?;
        let mut words = PreTokenizedString::from(text);
        BertPreTokenizer.pre_tokenize(&mut words)?;
        let splits = words.get_splits(OffsetReferential::Original, OffsetType::Byte);
        for (word, ..) in splits {
            for (i, letter) in word.chars().enumerate() {
                let (count, inside) = counts.entry(letter).or_default();
                *count += 1;
                *inside |= i > 0;
            }
        }
    }
    counts.retain(|_, (count, _)| *count >= least);
    let first = counts.keys().map(char::to_string);
    let inside = counts.iter().filter(|(_, (_, inside))| *inside);
    Ok(first.chain(inside.map(|(letter, _)| format!("##{letter}"))).collect())
}

/// The learned pieces as a WordPiece tokenizer, with BERT's template for pairs.
fn tokenizer(learned: &BPE, normalizer: NormalizerWrapper) -> Result<Tokenizer> {
    let vocabulary: ahash::AHashMap<String, u32> =
        learned.get_vocab().into_iter().collect();
    let model =
        WordPiece::builder().vocab(vocabulary).unk_token("[UNK]".to_owned()).build()?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(normalizer))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    let ends = (("[SEP]".to_owned(), SEP), ("[CLS]".to_owned(), CLS));
    tokenizer.with_post_processor(Some(BertProcessing::new(ends.0, ends.1)));
    let decoder = tokenizers::decoders::wordpiece::WordPiece::default();
    tokenizer.with_decoder(Some(decoder));
    let special = SPECIAL_TOKENS.map(|token| AddedToken::from(token, true));
    tokenizer.add_special_tokens(special)?;
    Ok(tokenizer)
}

/// Reads a `tokenizer.json` that [`save_tokenizer`] wrote.
///
/// # Errors
///
/// [`PretrainingError::Tokenizer`] if it isn't one, or its special tokens aren't 0 to 4.
pub fn read_tokenizer(path: &Path) -> Result<Tokenizer> {
    let named =
        |error| PretrainingError::Tokenizer(format!("{}: {error}", path.display()));
    let bytes = fs::read(path).map_err(PretrainingError::io("read", path))?;
    let tokenizer =
        Tokenizer::from_bytes(bytes).map_err(|error| named(error.to_string()))?;
    for (id, token) in (0..).zip(SPECIAL_TOKENS) {
        if tokenizer.token_to_id(token) != Some(id) {
            return Err(named(format!("{token} should be token {id}")));
        }
    }
    Ok(tokenizer)
}

/// Writes `tokenizer.json`, `vocab.txt`, `tokenizer_config.json` and
/// `special_tokens_map.json`, for `hub::Tokenizer` and for Python's `AutoTokenizer`.
///
/// `inputs` are what the model takes: BERT takes `token_type_ids`, DistilBERT doesn't.
///
/// # Errors
///
/// [`TrainingError::Io`](training::TrainingError::Io) if the folder can't be written.
pub fn save_tokenizer(
    tokenizer: &Tokenizer,
    folder: &Path,
    max_length: usize,
    inputs: &[&str],
) -> Result<()> {
    fs::create_dir_all(folder).map_err(PretrainingError::io("create", folder))?;
    let write = |file: &str, text: String| {
        let path = folder.join(file);
        fs::write(&path, text).map_err(PretrainingError::io("write", path))
    };
    let vocabulary: BTreeMap<u32, String> =
        tokenizer.get_vocab(true).into_iter().map(|(token, id)| (id, token)).collect();
    let lines = vocabulary.values().flat_map(|token| [token, "\n"]).collect();
    let [pad, unk, cls, sep, mask] = SPECIAL_TOKENS;
    let special = json!({
        "pad_token": pad,
        "unk_token": unk,
        "cls_token": cls,
        "sep_token": sep,
        "mask_token": mask,
    });
    let mut config = json!({
        // Not BertTokenizer: transformers 5 rebuilds that one from the vocabulary and
        // forgets the NFC of tokenizer.json.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": inputs,
        "clean_up_tokenization_spaces": false,
        "do_lower_case": false,
        "strip_accents": false,
    });
    if let (Some(config), Some(special)) = (config.as_object_mut(), special.as_object())
    {
        config.extend(special.clone());
    }
    // A map's order is a hash's; the file's is by name.
    let sorted: serde_json::Value = serde_json::from_str(&tokenizer.to_string(false)?)
        .map_err(|error| PretrainingError::Tokenizer(error.to_string()))?;
    write("tokenizer.json", format!("{sorted:#}\n"))?;
    write("vocab.txt", lines)?;
    write("tokenizer_config.json", format!("{config:#}\n"))?;
    write("special_tokens_map.json", format!("{special:#}\n"))
}
