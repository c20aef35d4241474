//! Exercises of chapter 9, solved.

use std::f64::consts::LN_2;

use ndarray::{Array2, Axis};
use self_attention::{scaled_scores, softmax};
use whole_transformer::{mask, scaled_dot_product};

// ANCHOR: visible
pub fn visible(past: usize, n: usize, padding: usize) -> Array2<bool> {
    // Query i is that of token past + i.
    let seen = |(i, key)| padding <= key && key <= past + i;
    Array2::from_shape_fn((n, past + n), seen)
}
// ANCHOR_END: visible

// ANCHOR: attend_new
pub fn attend_new(
    keys: &mut Array2<f64>,
    values: &mut Array2<f64>,
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
) -> Array2<f64> {
    let visible = visible(keys.nrows(), q.nrows(), 0); // [n, past + n]
    keys.append(Axis(0), k.view()).expect("as wide as the others"); // [past + n, d_k]
    values.append(Axis(0), v.view()).expect("as wide as the others"); // [past + n, d_v]
    // [n, d_k] · [d_k, past + n] -> [n, past + n]
    let mut scores = scaled_scores(q, keys).expect("queries as wide as keys");
    for (score, visible) in scores.iter_mut().zip(visible) {
        if !visible {
            *score = f64::NEG_INFINITY;
        }
    }
    softmax(&scores).dot(values) // [n, past + n] · [past + n, d_v] -> [n, d_v]
}
// ANCHOR_END: attend_new

// ANCHOR: top_p
pub fn top_p(probabilities: &[f64], p: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    // The least likely first. A stable sort: of equals, the first goes out first.
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut below = 0.0; // the probability of a token and of those less likely
    let goes_out = |token: &&usize| {
        below += probabilities[**token];
        below <= 1.0 - p // what remains still has p
    };
    let out = order.iter().take_while(goes_out).count();
    let mut kept = order.split_off(out.min(order.len() - 1)); // one always stays
    kept.sort_unstable();
    kept
}
// ANCHOR_END: top_p

// ANCHOR: tempered
pub fn tempered(logits: &[f64], temperature: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponential = |logit: &f64| {
        let gap = logit - largest; // before dividing: nothing grows beyond 0
        // Below 0, divided by 0 it is −∞, whose exponential is 0.
        if gap < 0.0 { (gap / temperature).exp() } else { 1.0 }
    };
    let exponentials: Vec<f64> = logits.iter().map(exponential).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|x| x / sum).collect()
}
// ANCHOR_END: tempered

// ANCHOR: perplexity
pub fn perplexity(logits: &Array2<f64>, tokens: &[usize], text: &str) -> (f64, f64) {
    let guessed = &tokens[1..];
    // Row i guesses token i + 1, and the last row none.
    let surprises = logits.rows().into_iter().zip(guessed).map(|(row, &next)| {
        let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = row.iter().map(|logit| (logit - largest).exp()).sum();
        sum.ln() - (row[next] - largest) // −ln of the softmax
    });
    let nats: f64 = surprises.sum();
    ((nats / guessed.len() as f64).exp(), nats / LN_2 / text.len() as f64)
}
// ANCHOR_END: perplexity

// ANCHOR: best_text
pub fn best_text(
    table: &Array2<f64>,
    (start, end): (usize, usize),
    limit: usize,
    b: usize,
) -> (Vec<usize>, f64) {
    let mut beam = vec![(Vec::new(), 0.0)]; // tokens added, and the sum
    let mut finished = Vec::new();
    for step in 1..=limit {
        let mut candidates = Vec::new();
        for (tokens, sum) in &beam {
            let last = tokens.last().copied().unwrap_or(start);
            for (next, logarithm) in table.row(last).iter().enumerate() {
                candidates.push(([tokens, &[next][..]].concat(), sum + logarithm));
            }
        }
        candidates.sort_by(|(_, a), (_, b)| b.total_cmp(a)); // the largest first
        candidates.truncate(b);
        beam.clear();
        for (tokens, sum) in candidates {
            if tokens.last() == Some(&end) || step == limit {
                finished.push((tokens, sum / step as f64));
            } else {
                beam.push((tokens, sum));
            }
        }
    }
    let best = finished.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.expect("a limit and a beam of 1 or more")
}
// ANCHOR_END: best_text

// ANCHOR: induction_score
pub fn induction_score(weights: &Array2<f64>, tokens: &[usize]) -> Option<f64> {
    let weight = |(i, token): (usize, &usize)| {
        let earlier = tokens[..i].iter().rposition(|before| before == token)?;
        Some(weights[[i, earlier + 1]])
    };
    let found: Vec<f64> = tokens.iter().enumerate().filter_map(weight).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}
// ANCHOR_END: induction_score

// ANCHOR: induction_circuit
pub fn induction_circuit(tokens: &[usize], vocabulary: usize) -> [Array2<f64>; 3] {
    let n = tokens.len();
    let places = Array2::eye(n); // [n, n]: row i has its 1 in column i
    let mut before = Array2::zeros((n, n)); // row i has it in column i − 1, row 0 none
    let mut words = Array2::zeros((n, vocabulary)); // in the column of its token
    for (i, &token) in tokens.iter().enumerate() {
        words[[i, token]] = 1.0;
        if i > 0 {
            before[[i, i - 1]] = 1.0;
        }
    }
    let attend = |q: &Array2<f64>, k: &Array2<f64>| {
        let long = q * 1e6; // a match scores 10⁶ / √d_k, all else 0
        scaled_dot_product(&long, k, &words, Some(&mask::causal(n)))
            .expect("shapes fit")
    };
    let previous = attend(&before, &places);
    let induction = attend(&words, &previous.output); // what is found is the key
    [previous.weights, induction.weights, induction.output]
}
// ANCHOR_END: induction_circuit
