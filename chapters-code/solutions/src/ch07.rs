//! Exercises of chapter 7, solved.

use ndarray::{Array2, Array3, Axis, s};

// ANCHOR: look
pub fn look(weights: &Array2<f64>, sentence_b_start: usize) -> &'static str {
    let n = weights.nrows();
    let received = weights.sum_axis(Axis(0)) / n as f64; // [n], adds up to 1
    if received.iter().any(|&share| share >= 0.5) {
        return "fan";
    }
    // One of the n tokens has no neighbor on that side: n − 1 are asked.
    let previous: f64 = (1..n).map(|i| weights[[i, i - 1]]).sum();
    let next: f64 = (1..n).map(|i| weights[[i - 1, i]]).sum();
    let (rows_a, rows_b) = weights.view().split_at(Axis(0), sentence_b_start);
    let (_, ab) = rows_a.split_at(Axis(1), sentence_b_start);
    let (ba, _) = rows_b.split_at(Axis(1), sentence_b_start);
    let asked = (n - 1) as f64;
    if previous / asked >= 0.5 {
        "previous"
    } else if next / asked >= 0.5 {
        "next"
    } else if (ab.sum() + ba.sum()) / n as f64 >= 0.5 {
        "across"
    } else {
        "spread"
    }
}
// ANCHOR_END: look

// ANCHOR: hover
pub fn hover(attention: &Array3<f64>, on_the_left: bool, token: usize) -> Array2<f64> {
    let axis = if on_the_left { Axis(1) } else { Axis(2) };
    let weights = attention.index_axis(axis, token); // [heads, m] or [heads, n]
    weights.t().to_owned() // [m, heads] or [n, heads]
}
// ANCHOR_END: hover

// ANCHOR: prettify
pub fn prettify(tokens: &[&str]) -> Vec<String> {
    let pretty = |token: &&str| token.replace(['Ġ', '▁'], " ").replace("</w>", "");
    tokens.iter().map(pretty).collect()
}
// ANCHOR_END: prettify

// ANCHOR: json_in_script
pub fn json_in_script(token: &str) -> String {
    let written = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        '\0'..' ' | '<' | '>' | '&' => format!("\\u{:04x}", u32::from(character)),
        other => other.to_string(),
    };
    format!("\"{}\"", token.chars().map(written).collect::<String>())
}
// ANCHOR_END: json_in_script

// ANCHOR: moved
pub fn moved(weights: &Array2<f64>, values: &Array2<f64>) -> Array2<f64> {
    let lengths = values.mapv(|x| x * x).sum_axis(Axis(1)).sqrt(); // [m]
    let mut carried = weights * &lengths; // [n, m] · [m], row by row
    for mut row in carried.rows_mut() {
        let sum = row.sum();
        if sum > 0.0 {
            row /= sum;
        }
    }
    carried
}
// ANCHOR_END: moved

// ANCHOR: top_pairs
pub fn top_pairs(attention: &Array3<f64>, count: usize) -> Vec<(usize, usize, usize)> {
    let mut places: Vec<((usize, usize, usize), f64)> =
        attention.indexed_iter().map(|(place, &weight)| (place, weight)).collect();
    places.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: equals keep their order
    places.into_iter().take(count).map(|(place, _)| place).collect()
}
// ANCHOR_END: top_pairs

// ANCHOR: least_weight
pub fn least_weight(weights: &Array2<f64>, share: f64) -> f64 {
    let mut sorted: Vec<f64> = weights.iter().copied().collect();
    sorted.sort_by(|a, b| b.total_cmp(a)); // the largest first
    let (wanted, mut sum) = (share * sorted.iter().sum::<f64>(), 0.0);
    for &weight in &sorted {
        sum += weight;
        if sum >= wanted {
            return weight;
        }
    }
    0.0
}
// ANCHOR_END: least_weight

// ANCHOR: added
pub fn added(context: &Array2<f64>, output: &Array2<f64>, heads: usize) -> Array3<f64> {
    let (n, d_model) = context.dim();
    let d_k = d_model / heads;
    let mut added = Array3::zeros((heads, n, d_model));
    for (head, mut of_head) in added.outer_iter_mut().enumerate() {
        let columns = head * d_k..(head + 1) * d_k;
        let found = context.slice(s![.., columns.clone()]); // [n, d_k]
        of_head.assign(&found.dot(&output.slice(s![columns, ..]))); // [n, d_model]
    }
    added
}
// ANCHOR_END: added
