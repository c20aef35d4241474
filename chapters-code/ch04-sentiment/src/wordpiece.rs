//! WordPiece: a word as the longest pieces that the vocabulary has.
//!
//! Wu et al. 2016, as BERT reads it: transformers' `WordpieceTokenizer`, and
//! `tokenizers::models::wordpiece::WordPiece`.

#![allow(clippy::implicit_hasher)] // a reader's own vocabulary is a plain set

use std::collections::HashSet;

use hub::Tokenizer;

// ANCHOR: candidates
/// All beginnings of `rest`, the longest first, as the vocabulary writes them: with
/// `##` before them unless the word begins here.
pub fn candidates(rest: &str, word_begins: bool) -> Vec<String> {
    let mark = if word_begins { "" } else { "##" };
    let ends = rest.char_indices().map(|(start, letter)| start + letter.len_utf8());
    ends.rev().map(|end| format!("{mark}{}", &rest[..end])).collect()
}
// ANCHOR_END: candidates

// ANCHOR: wordpiece
/// The pieces of a word: always the longest that the vocabulary has, from the left.
/// `[UNK]` alone if somewhere there is none, or the word has over 100 characters.
pub fn wordpiece(word: &str, vocabulary: &HashSet<String>) -> Vec<String> {
    let unknown = vec!["[UNK]".to_owned()];
    if word.chars().count() > 100 {
        return unknown;
    }
    let (mut pieces, mut rest) = (Vec::new(), word);
    while !rest.is_empty() {
        let mut tries = candidates(rest, pieces.is_empty()).into_iter();
        let Some(longest) = tries.find(|piece| vocabulary.contains(piece)) else {
            return unknown;
        };
        let letters = longest.len() - if pieces.is_empty() { 0 } else { 2 }; // ##
        rest = &rest[letters..];
        pieces.push(longest);
    }
    pieces
}
// ANCHOR_END: wordpiece

/// All pieces that a tokenizer knows.
pub fn all_pieces(tokenizer: &Tokenizer) -> HashSet<String> {
    let mut pieces = HashSet::new();
    let mut id = 0;
    while pieces.len() < tokenizer.vocab_size() && id < u32::MAX {
        pieces.extend(tokenizer.id_to_token(id));
        id += 1;
    }
    pieces
}
