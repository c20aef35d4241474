//! Chapter 7: what a model guesses without some of its heads.

use bert_attention::{Ablation, Guess, Head, SpecialIds, total_variation};
use hub::Truncate;
use serde::{Deserialize, Serialize};

use crate::{model, said};

/// How many pieces are told.
const TOLD: usize = 5;

#[derive(Deserialize)]
pub struct Request {
    text: String,
    pair: Option<String>,
    /// The token to hide; of none and of a special one, the nearest other.
    place: usize,
    /// The heads to take out, together.
    removed: Vec<Head>,
    /// Whether to take out each head in turn, too.
    each: bool,
}

/// `ch05-bert-attention --hide --json`, but for the numbers of each head, which are apart.
#[derive(Serialize)]
pub struct Found {
    /// Without `[MASK]`.
    tokens: Vec<String>,
    place: usize,
    layers: usize,
    heads: usize,
    whole: Vec<Guess>,
    without: Vec<Guess>,
    change: f64,
}

/// The guesses, and how much the hidden place looks at each token, `[layers, heads, n]`; behind
/// it, if it was asked for, how much each head's absence changes the guess, `[layers, heads]`.
pub fn ablation(request: &Request) -> Result<(Found, Vec<f32>), String> {
    let Request { text, pair, place, removed, each } = request;
    model::masked(|model| {
        let tokenizer = &model.model.tokenizer;
        let encoded = tokenizer.encode(text, pair.as_deref(), Truncate::Error);
        let encoded = encoded.map_err(said)?;
        let tokens = encoded.tokens.clone();
        let SpecialIds { cls, sep } = SpecialIds::of(tokenizer).map_err(said)?;
        let ordinary =
            (0..encoded.len()).filter(|&i| ![cls, sep].contains(&encoded.ids[i]));
        let nearest = ordinary.min_by_key(|i| i.abs_diff(*place));
        let place = nearest.ok_or("the text has no tokens")?;
        let one = Ablation::of(model, encoded, place).map_err(said)?;
        let without = one.without(model, removed).map_err(said)?;
        let mut numbers: Vec<f64> = one.looks.iter().copied().collect();
        if *each {
            numbers.extend(one.changes(model).map_err(said)?);
        }
        let (layers, heads, _) = one.looks.dim();
        let found = Found {
            tokens,
            place,
            layers,
            heads,
            whole: model.likeliest(&one.whole, TOLD),
            without: model.likeliest(&without, TOLD),
            change: total_variation(&one.whole, &without),
        };
        #[expect(clippy::cast_possible_truncation, reason = "they are shown")]
        Ok((found, numbers.into_iter().map(|number| number as f32).collect()))
    })
}
