//! Exercises of chapter 9, generation. Replace each `todo!()`, then `cargo test -p
//! exercises ch09`.

#![allow(unused_variables, clippy::missing_panics_doc)]

use std::f64::consts::LN_2;

use ndarray::{Array2, Axis};
use self_attention::{scaled_scores, softmax};
use whole_transformer::{mask, scaled_dot_product};

// ANCHOR: visible
/// Exercise 1. Which keys each of `n` new tokens may look at, with `past` tokens in the
/// cache: `[n, past + n]`, true where the query of the row may look at the key of the
/// column. The cache's keys come first, then the new tokens' own.
///
/// A token looks at itself and at those before it. The first `padding` of all `past +
/// n` tokens are padding: no query looks at them, and a query that is padding looks
/// nowhere.
pub fn visible(past: usize, n: usize, padding: usize) -> Array2<bool> {
    todo!("exercise 1: for each query and each key, whether it may look")
}
// ANCHOR_END: visible

// ANCHOR: attend_new
/// Exercise 2. What `n` new tokens find in one head, `[n, d_v]`. The keys and values of
/// the tokens before them are in a cache, `keys`, `[past, d_k]`, and `values`, `[past,
/// d_v]`; `q` and `k`, `[n, d_k]`, and `v`, `[n, d_v]`, are the new tokens'.
///
/// Puts `k` and `v` below what the cache has. Whether a text comes whole, token by
/// token or in other pieces, each token finds what it finds in causal attention of the
/// whole.
pub fn attend_new(
    keys: &mut Array2<f64>,
    values: &mut Array2<f64>,
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
) -> Array2<f64> {
    todo!("exercise 2: the new tokens' output, and a cache that has grown")
}
// ANCHOR_END: attend_new

// ANCHOR: top_p
/// Exercise 3. Top-p: the tokens among which the next one is drawn, in ascending order.
/// They are the fewest of the likeliest that together have at least probability `p`.
/// `probabilities`, `[vocabulary]`, add up to 1, and `p` is from 0 to 1.
///
/// Of equally likely tokens no more stay than are needed, and the last of them do. One
/// token always stays, even if `p` is 0.
pub fn top_p(probabilities: &[f64], p: f64) -> Vec<usize> {
    todo!("exercise 3: the tokens that remain")
}
// ANCHOR_END: top_p

// ANCHOR: tempered
/// Exercise 4. The tokens' probabilities at a temperature: the softmax of `logits /
/// temperature`, `[vocabulary]`. At 0 it is the limit: the largest logit takes all, and
/// several that are equally large share it alike.
///
/// The temperature is 0 or any finite number above, however small. A logit of −∞ is
/// that of a token taken out, which gets 0. At least one is finite, and none is +∞ or
/// NaN.
pub fn tempered(logits: &[f64], temperature: f64) -> Vec<f64> {
    todo!("exercise 4: the probabilities, from temperature 0 up")
}
// ANCHOR_END: tempered

// ANCHOR: perplexity
/// Exercise 5. How well a model guesses a text: `(perplexity, bits per byte)`.
///
/// Of `tokens`, two or more, the first is a mark that is given, and not guessed; the
/// others are `text`. Row `i` of `logits`, `[n, vocabulary]`, is what the model says
/// once it has read tokens 0 to `i`.
///
/// Perplexity is the exponential of the mean, over the tokens guessed, of −ln of the
/// probability that each was given. Bits per byte are the sum of −log₂ of the same
/// probabilities, divided by the bytes of `text` in UTF-8, at least one.
pub fn perplexity(logits: &Array2<f64>, tokens: &[usize], text: &str) -> (f64, f64) {
    todo!("exercise 5: the perplexity, and the bits per byte")
}
// ANCHOR_END: perplexity

// ANCHOR: best_text
/// Exercise 6. The best text that a beam of `b`, 1 or more, finds, and its score. This
/// model knows only the last token: `table[[last, next]]` is the logarithm of the
/// probability of `next` after `last`, `[vocabulary, vocabulary]`; −∞ never comes.
///
/// In each step every text in the beam, at first `start` alone, goes on with every
/// token, and the `b` texts with the largest sums of logarithms are kept. Of these, the
/// ones that have just got `end` are finished and leave the beam. After `limit` steps,
/// 1 or more, those still in it are finished, too.
///
/// The score is the sum divided by the number of tokens added. Returns the finished
/// text with the largest, without `start`. No two possible texts have the same sum or
/// score.
pub fn best_text(
    table: &Array2<f64>,
    (start, end): (usize, usize),
    limit: usize,
    b: usize,
) -> (Vec<usize>, f64) {
    todo!("exercise 6: the tokens added, and their score")
}
// ANCHOR_END: best_text

// ANCHOR: induction_score
/// Exercise 7. How much of an induction head a head is, from its `weights` on a text,
/// `[n, n]`, and the text's `n` tokens: the mean weight that a token gives to the one
/// that came after its last earlier occurrence. Only tokens that have occurred before
/// count; `None` if there are none.
pub fn induction_score(weights: &Array2<f64>, tokens: &[usize]) -> Option<f64> {
    todo!("exercise 7: the mean of the weights that an induction head makes large")
}
// ANCHOR_END: induction_score

// ANCHOR: induction_circuit
/// Exercise 8. The circuit by hand: two heads of causal attention that guess the next
/// token by looking up what followed the last time. All vectors have a single 1, but
/// for queries, so long that what doesn't match is left no weight.
///
/// - Head 1: a token looks at the one before it, found by its *place*, and takes its
///   token. The first finds none: the mask leaves it only itself.
/// - Head 2: a token looks for the places where head 1 took the same token as itself,
///   and takes the tokens that stand there. If several match, they share alike; if none
///   does, all that it may look at do.
///
/// `tokens`, one or more, are below `vocabulary`, and the first is a mark that occurs
/// nowhere else. Returns, to 1e-12, the weights of head 1 and of head 2, `[n, n]`, and
/// what head 2 takes, `[n, vocabulary]`: after each token, the guess of the next.
pub fn induction_circuit(tokens: &[usize], vocabulary: usize) -> [Array2<f64>; 3] {
    todo!("exercise 8: the weights of both heads, and the guesses")
}
// ANCHOR_END: induction_circuit
