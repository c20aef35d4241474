//! Chapter 4: the reader's sentence, piece by piece, and what each word does.

use hub::{Encoded, Tokenizer, Truncate};
use sentiment::Batch;
use sentiment::attribution::{Word, attention_to_words, last_attention};
use sentiment::attribution::{leave_one_out, mean_of_heads, words_of};
use sentiment::wordpiece::candidates;
use serde::{Deserialize, Serialize};

use crate::{model, said};

#[derive(Deserialize)]
pub struct Text {
    text: String,
}

#[derive(Serialize)]
pub struct Found {
    label: String,
    score: f32,
    tokens: Vec<String>,
    /// Each word, and what the search for its pieces tried.
    words: Vec<Cut>,
    /// What the answer becomes without each word; empty for a single word.
    left_out: Vec<Without>,
    /// How much `[CLS]` looks at each word in the last layer, in the mean of the heads.
    attention: Vec<f32>,
}

#[derive(Serialize)]
pub struct Cut {
    word: String,
    /// For each piece found, the beginnings that were tried, the last of which is the piece; of an
    /// unknown word, last, those of which none is.
    tries: Vec<Vec<String>>,
}

#[derive(Serialize)]
pub struct Without {
    word: String,
    score: f32,
    change: f32,
}

pub fn sentiment(Text { text }: &Text) -> Result<(Found, Vec<f32>), String> {
    model::sentiment(|pipeline| {
        let mut answers = pipeline.classify(&[text], Truncate::Error).map_err(said)?;
        let answer = answers.pop().ok_or("no answer")?;
        let tokenizer = &pipeline.model.tokenizer;
        let encoded = tokenizer.encode(text, None, Truncate::Error).map_err(said)?;
        let words = words_of(&encoded);
        let left_out = if words.len() > 1 {
            leave_one_out(pipeline, text).map_err(said)?
        } else {
            Vec::new()
        };
        let batch =
            Batch::from_encoded(std::slice::from_ref(&encoded)).map_err(said)?;
        let weights = last_attention(pipeline, &batch).map_err(said)?; // [1, heads, n, n]
        let attention =
            mean_of_heads(&attention_to_words(&weights, &words).map_err(said)?);
        let cut = |word: &Word| {
            let word = written(word, &encoded, text);
            Cut { word: word.to_owned(), tries: tries(word, tokenizer) }
        };
        let found = Found {
            label: answer.label,
            score: answer.score,
            tokens: answer.tokens,
            words: words.iter().map(cut).collect(),
            left_out: left_out
                .into_iter()
                .map(|left| Without {
                    word: left.word,
                    score: left.score,
                    change: left.change,
                })
                .collect(),
            attention,
        };
        Ok((found, Vec::new()))
    })
}

/// A word's letters; of one that is `[UNK]`, those of the text.
fn written<'a>(word: &'a Word, encoded: &Encoded, text: &'a str) -> &'a str {
    let (start, end) = encoded.offsets[word.tokens.start];
    match text.get(start..end) {
        Some(letters) if word.text == "[UNK]" => letters,
        _ => &word.text,
    }
}

/// What WordPiece tries on its way through a word: chapter 4's `wordpiece`, with its failures.
fn tries(word: &str, tokenizer: &Tokenizer) -> Vec<Vec<String>> {
    if word.chars().count() > 100 {
        return Vec::new(); // not even tried
    }
    let (mut pieces, mut rest) = (Vec::new(), word);
    while !rest.is_empty() {
        let all = candidates(rest, pieces.is_empty());
        let known = |piece: &String| tokenizer.token_to_id(piece).is_some();
        let Some(place) = all.iter().position(known) else {
            pieces.push(all);
            break;
        };
        let letters = all[place].len() - if pieces.is_empty() { 0 } else { 2 }; // ##
        rest = &rest[letters..];
        pieces.push(all[..=place].to_vec());
    }
    pieces
}
