//! Exercises of chapter 7, solved.

use ndarray::{Array1, Array2, Array3, Axis};

// ANCHOR: pair_parts
pub fn pair_parts(weights: &Array2<f64>, sentence_b_start: usize) -> [Array2<f64>; 4] {
    let (rows_a, rows_b) = weights.view().split_at(Axis(0), sentence_b_start);
    let (aa, ab) = rows_a.split_at(Axis(1), sentence_b_start); // [a, a], [a, b]
    let (ba, bb) = rows_b.split_at(Axis(1), sentence_b_start); // [b, a], [b, b]
    [aa, bb, ab, ba].map(|part| part.to_owned())
}
// ANCHOR_END: pair_parts

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

// ANCHOR: inside
pub fn inside(
    query: &Array1<f64>,
    keys: &Array2<f64>,
) -> (Array2<f64>, Array1<f64>, Array1<f64>) {
    let products = keys * query; // [n, d_k] · [d_k], row by row
    let scores = products.sum_axis(Axis(1)) / (query.len() as f64).sqrt(); // [n]
    let largest = scores.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let exponents = (&scores - largest).exp();
    let weights = &exponents / exponents.sum();
    (products, scores, weights)
}
// ANCHOR_END: inside

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
