#![allow(missing_docs, dead_code)]

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;
use bertinho::Corpus;
use bertinho::wordpiece::{WordPieceOptions, everyday_vocabulary};

pub fn sample_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample")
}

pub fn sample() -> Corpus {
    Corpus::read(&sample_folder()).unwrap()
}

pub fn tokenizer(corpus: &Corpus) -> Tokenizer {
    let options =
        WordPieceOptions { vocab_size: 300, min_frequency: 2, min_character: 1 };
    everyday_vocabulary(corpus, options).unwrap()
}
