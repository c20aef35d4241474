//! Exercises of chapter 5, solved.

use std::ops::Range;

use ndarray::{Array2, Array4, ArrayView1, Axis, s};

// ANCHOR: sharpest_head
fn entropy(row: &ArrayView1<f64>) -> f64 {
    row.iter().filter(|&&w| w > 0.0).map(|w| -w * w.log2()).sum()
}

pub fn sharpest_head(attentions: &Array4<f64>) -> (usize, usize) {
    let (layers, heads, ..) = attentions.dim();
    let mut best = ((0, 0), f64::INFINITY);
    for layer in 0..layers {
        for head in 0..heads {
            let weights = attentions.slice(s![layer, head, .., ..]); // [n, n]
            // All heads have as many rows: the least sum is the least mean.
            let bits: f64 = weights.rows().into_iter().map(|row| entropy(&row)).sum();
            if bits < best.1 {
                best = ((layer, head), bits);
            }
        }
    }
    best.0
}
// ANCHOR_END: sharpest_head

// ANCHOR: top_key_across
pub fn top_key_across(weights: &Array2<f64>, sentence_b_start: usize) -> Vec<usize> {
    let n = weights.ncols();
    let choice = |i: usize| {
        let mut best = sentence_b_start;
        for j in sentence_b_start..n - 1 {
            if weights[[i, j]] > weights[[i, best]] {
                best = j;
            }
        }
        best
    };
    (1..sentence_b_start - 1).map(choice).collect() // row 0 is [CLS]'s
}
// ANCHOR_END: top_key_across

// ANCHOR: without_special
pub fn without_special(weights: &Array2<f64>, special: &[bool]) -> Array2<f64> {
    let ordinary: Vec<usize> = (0..special.len()).filter(|&i| !special[i]).collect();
    let rows = weights.select(Axis(0), &ordinary); // [m, n]
    let mut kept = rows.select(Axis(1), &ordinary); // [m, m]
    for mut row in kept.rows_mut() {
        let sum = row.sum();
        if sum > 0.0 {
            row /= sum;
        }
    }
    kept
}
// ANCHOR_END: without_special

// ANCHOR: reads_gender
pub fn reads_gender(
    head: &dyn Fn(&[&str]) -> Array2<f64>,
    words: &[&str],
    pronoun: usize,
    masculine: usize,
    feminine: usize,
) -> bool {
    let mut swapped = words.to_vec();
    swapped.swap(masculine, feminine);
    swapped.swap(masculine - 1, feminine - 1); // the articles
    let orders =
        [(words.to_vec(), masculine, feminine), (swapped, feminine, masculine)];
    orders.into_iter().all(|(mut words, masculine, feminine)| {
        [("ela", feminine, masculine), ("ele", masculine, feminine)].into_iter().all(
            |(word, right, wrong)| {
                words[pronoun] = word;
                let weights = head(&words); // [n, n]
                weights[[pronoun, right]] > weights[[pronoun, wrong]]
            },
        )
    })
}
// ANCHOR_END: reads_gender

// ANCHOR: held_out
pub fn held_out(hits: &Array2<bool>, control: &Array2<bool>) -> (usize, f64) {
    let (cases, heads) = hits.dim();
    let half = cases / 2;
    let lead = |head: usize, cases: Range<usize>| {
        let count = |of: &Array2<bool>| {
            cases.clone().filter(|&case| of[[case, head]]).count() as f64
        };
        (count(hits) - count(control)) / half as f64
    };
    let mut best = 0;
    for head in 1..heads {
        if lead(head, 0..half) > lead(best, 0..half) {
            best = head;
        }
    }
    (best, lead(best, half..cases))
}
// ANCHOR_END: held_out

// ANCHOR: find_flaw
pub fn find_flaw(weights: &Array2<f64>, hidden: &[bool], causal: bool) -> &'static str {
    let some = |wrong: &dyn Fn((usize, usize), f64) -> bool| {
        weights.indexed_iter().any(|(at, &weight)| wrong(at, weight))
    };
    let all_one =
        |axis| weights.sum_axis(axis).iter().all(|sum| (sum - 1.0).abs() < 1e-9);
    if some(&|_, weight| !weight.is_finite() || weight < 0.0) {
        "no weights"
    } else if !all_one(Axis(1)) {
        if all_one(Axis(0)) { "columns" } else { "rows" }
    } else if some(&|(_, j), weight| hidden[j] && weight > 1e-9) {
        "padding"
    } else if causal && some(&|(i, j), weight| j > i && weight > 1e-9) {
        "future"
    } else {
        "none"
    }
}
// ANCHOR_END: find_flaw
