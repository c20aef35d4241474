//! The words of the chapter's examples.

// ANCHOR: words
/// The sentence under study, and all the source vocabulary but its padding.
pub const WORDS: [&str; 5] = ["o", "gato", "sentou", "no", "tapete"];

/// The source vocabulary: token 0 fills short sentences.
pub const PORTUGUESE: [&str; 6] = ["[PAD]", "o", "gato", "sentou", "no", "tapete"];

/// The target vocabulary: token 0 starts a sentence, token 1 ends it.
pub const ENGLISH: [&str; 7] = ["[START]", "[END]", "the", "cat", "sat", "on", "mat"];
// ANCHOR_END: words

/// The words of `tokens`, in order; a token that is not in the vocabulary is `?`.
pub fn spell(vocabulary: &[&'static str], tokens: &[usize]) -> Vec<&'static str> {
    tokens.iter().map(|&token| vocabulary.get(token).copied().unwrap_or("?")).collect()
}
