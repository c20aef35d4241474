//! Several heads, with masks and a norm; and the vectors of the positions.

use ndarray::{Array2, Array3, Axis};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use serde::{Deserialize, Serialize};
use whole_transformer::{
    LayerNorm, MultiHeadAttention, MultiHeadOutput, Result, head_width, mask,
    merge_heads, scaled_dot_product, sinusoidal, split_heads,
};

use crate::{Rows, rows};

/// How many numbers a word has, as on the page.
const D_MODEL: usize = 16;

/// What the page's layer is asked.
#[derive(Deserialize)]
pub struct HeadsRequest {
    seed: u32,
    heads: usize,
    /// Hides what comes later from every word.
    causal: bool,
    /// Whether each of the `n` words is padding.
    padding: Vec<bool>,
    /// Which more is hidden: `[query, key]`.
    hidden: Vec<[usize; 2]>,
    /// Shares the columns out by [`reshape_alone`].
    wrong: bool,
}

/// A layer's attention, and what a norm makes of what comes out.
#[derive(Debug, PartialEq, Serialize)]
pub struct HeadsAnswer {
    /// Who looks at whom, `[heads, n, n]`, under the name that
    /// `ch02-whole-transformer --json` gives it.
    weights: Vec<Rows>,
    /// What comes out, `[n, d_model]`, under its name there.
    output: Rows,
    /// What was added to the scores, `[n, n]`; JSON's null is −∞.
    mask: Rows,
    /// The word that each row of each head is a piece of, `[heads, n]`.
    piece_words: Rows,
    /// The column of that word with which the piece begins, `[heads, n]`.
    piece_columns: Rows,
    /// The output, normalized, `[n, d_model]`.
    normalized: Rows,
    /// The moments of each row of the output, `[n]`.
    before: Vec<Moments>,
    /// The moments of each row of the normalized output, `[n]`.
    after: Vec<Moments>,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct Moments {
    mean: f64,
    /// Divided by `d_model`, as a norm's.
    variance: f64,
}

/// Draws words `[n, d_model]` and a layer as the page does, and looks at who looks at
/// whom.
pub fn multi_head(request: &HeadsRequest) -> Result<HeadsAnswer> {
    let n = request.padding.len();
    let mut random = NumpyRandom::seed(request.seed);
    let x = unit_variance(&mut random, n, D_MODEL); // [n, d_model]
    let layer = MultiHeadAttention::random(&mut random, D_MODEL, request.heads)?;
    let mask = whole_mask(request)?; // [n, n]
    let split = if request.wrong { reshape_alone } else { split_heads };
    let MultiHeadOutput { weights, output } = if request.wrong {
        forward_reshaped(&layer, &x, &mask)?
    } else {
        layer.forward(&x, &x, &x, Some(&mask))?
    };
    let places = |place: fn((usize, usize)) -> f64| {
        let table = Array2::from_shape_fn((n, D_MODEL), place);
        // [n, d_model] -> [heads, n, d_k] -> the first of each piece, [heads, n]
        split(&table, request.heads).map(|x| rows(&x.index_axis(Axis(2), 0).to_owned()))
    };
    let normalized = LayerNorm::new(D_MODEL).forward(&output)?; // [n, d_model]
    Ok(HeadsAnswer {
        weights: weights.outer_iter().map(|head| rows(&head.to_owned())).collect(),
        mask: rows(&mask),
        piece_words: places(|(word, _)| word as f64)?,
        piece_columns: places(|(_, column)| column as f64)?,
        before: moments(&output),
        after: moments(&normalized),
        normalized: rows(&normalized),
        output: rows(&output),
    })
}

/// What the causal mask, the padding or the reader hides, `[n, n]`.
fn whole_mask(request: &HeadsRequest) -> Result<Array2<f64>> {
    let n = request.padding.len();
    let mut own = Array2::zeros((n, n));
    for &place in &request.hidden {
        if let Some(value) = own.get_mut(place) {
            *value = f64::NEG_INFINITY;
        }
    }
    let hidden = mask::combine(&mask::key_padding(n, &request.padding), &own)?;
    if request.causal { mask::combine(&mask::causal(n), &hidden) } else { Ok(hidden) }
}

/// WRONG on purpose, to be seen beside [`split_heads`]: straight to `[heads, n, d_k]`,
/// without the transposition. The shape is right; each head's rows are pieces of a few
/// words, one after another.
fn reshape_alone(x: &Array2<f64>, heads: usize) -> Result<Array3<f64>> {
    let (n, d_model) = x.dim();
    let d_k = head_width(d_model, heads)?;
    Ok(x.to_shape((heads, n, d_k))?.into_owned())
}

/// WRONG on purpose: [`MultiHeadAttention::forward`] of the words with themselves,
/// `[n, d_model]`, as it would be if [`split_heads`] were [`reshape_alone`]. All else
/// is the page's; no shape betrays it.
fn forward_reshaped(
    layer: &MultiHeadAttention,
    x: &Array2<f64>,
    mask: &Array2<f64>,
) -> Result<MultiHeadOutput> {
    let split = |x: Array2<f64>| reshape_alone(&x, layer.heads);
    let q = split(layer.query.forward(("query", x), "W_queryᵀ")?)?; // [heads, n, d_k]
    let k = split(layer.key.forward(("key", x), "W_keyᵀ")?)?; // [heads, n, d_k]
    let v = split(layer.value.forward(("value", x), "W_valueᵀ")?)?; // [heads, n, d_k]
    let (heads, n, _) = q.dim();
    let mut outputs = Array3::zeros(v.dim());
    let mut weights = Array3::zeros((heads, n, n));
    for head in 0..heads {
        let [q, k, v] = [&q, &k, &v].map(|x| x.index_axis(Axis(0), head).to_owned());
        let found = scaled_dot_product(&q, &k, &v, Some(mask))?; // [n, d_k], [n, n]
        outputs.index_axis_mut(Axis(0), head).assign(&found.output);
        weights.index_axis_mut(Axis(0), head).assign(&found.weights);
    }
    let merged = merge_heads(&outputs)?; // [heads, n, d_k] -> [n, d_model]
    let output = layer.output.forward(("heads", &merged), "W_outputᵀ")?;
    Ok(MultiHeadOutput { output, weights })
}

/// The mean and the variance of each row, `[n, d_model] -> [n]`.
fn moments(x: &Array2<f64>) -> Vec<Moments> {
    let of = |row: ndarray::ArrayView1<f64>| {
        let mean = row.sum() / row.len() as f64;
        Moments { mean, variance: row.var(0.0) }
    };
    x.rows().into_iter().map(of).collect()
}

/// Which positions' vectors are asked for.
#[derive(Deserialize)]
pub struct PositionsRequest {
    n: usize,
    d_model: usize,
}

/// The vectors of positions, and how alike they are.
#[derive(Debug, PartialEq, Serialize)]
pub struct PositionsAnswer {
    /// The sines and cosines, `[n, d_model]`.
    table: Rows,
    /// The dot product of every position with every other, `[n, n]`.
    products: Rows,
    /// The products divided by the two lengths, `[n, n]`.
    cosines: Rows,
}

/// The most positions, and the widest, that are worth sending to a page.
const MOST: usize = 256;

/// Sinusoidal positions `[n, d_model]`, and their dot products.
pub fn positions(request: &PositionsRequest) -> Result<PositionsAnswer, String> {
    let &PositionsRequest { n, d_model } = request;
    if !(1..=MOST).contains(&n) || !(2..=MOST).contains(&d_model) {
        return Err(format!(
            "choose 1 to {MOST} positions and a d_model of 2 to {MOST}, not {n} and {d_model}"
        ));
    }
    let table = sinusoidal(n, d_model); // [n, d_model]
    let products = table.dot(&table.t()); // [n, d_model] · [d_model, n] -> [n, n]
    let lengths = products.diag().sqrt(); // [n]
    // [n, n] / [n, 1] / [n] -> [n, n]
    let cosines = &products / &lengths.view().insert_axis(Axis(1)) / &lengths;
    Ok(PositionsAnswer {
        table: rows(&table),
        products: rows(&products),
        cosines: rows(&cosines),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> HeadsRequest {
        HeadsRequest {
            seed: 42,
            heads: 4,
            causal: false,
            padding: vec![false; 5],
            hidden: Vec::new(),
            wrong: false,
        }
    }

    /// The cell's words and layer.
    fn drawn() -> (Array2<f64>, MultiHeadAttention) {
        let mut random = NumpyRandom::seed(42);
        let x = unit_variance(&mut random, 5, 16);
        let layer = MultiHeadAttention::random(&mut random, 16, 4).unwrap();
        (x, layer)
    }

    fn of_heads(x: &Array3<f64>) -> Vec<Rows> {
        x.outer_iter().map(|head| rows(&head.to_owned())).collect()
    }

    #[test]
    fn the_pages_values_give_the_pages_numbers() {
        let found = multi_head(&page()).unwrap();
        let (x, layer) = drawn();
        let expected = layer.forward(&x, &x, &x, None).unwrap();
        assert_eq!(found.weights, of_heads(&expected.weights));
        assert_eq!(found.output, rows(&expected.output));
        // What the page prints of “sentou”.
        let printed = [(2, "0.2563"), (4, "0.4437"), (3, "0.6131"), (1, "0.3261")];
        for (map, (most, weight)) in found.weights.iter().zip(printed) {
            assert_eq!(format!("{:.4}", map[2][most]), weight);
        }
    }

    #[test]
    fn the_masks_add_up() {
        let request = HeadsRequest {
            causal: true,
            padding: vec![false, true, false, false, false],
            hidden: vec![[4, 0], [9, 9]],
            ..page()
        };
        let found = multi_head(&request).unwrap();
        let (x, layer) = drawn();
        let mut mask = mask::causal(5);
        mask.column_mut(1).fill(f64::NEG_INFINITY);
        mask[[4, 0]] = f64::NEG_INFINITY;
        let expected = layer.forward(&x, &x, &x, Some(&mask)).unwrap();
        assert_eq!(found.mask, rows(&mask));
        assert_eq!(found.weights, of_heads(&expected.weights));
        assert_eq!(found.output, rows(&expected.output));
        assert!(serde_json::to_string(&found).unwrap().contains("[0.0,null,"));
    }

    #[test]
    fn a_word_that_sees_nobody_gives_zeros() {
        let request = HeadsRequest { padding: vec![true; 5], ..page() };
        let found = multi_head(&request).unwrap();
        assert_eq!(found.output, [[0.0; 16]; 5]);
        assert_eq!(found.normalized, [[0.0; 16]; 5]);
    }

    #[test]
    fn the_norm_is_the_chapters() {
        let found = multi_head(&page()).unwrap();
        let (x, layer) = drawn();
        let output = layer.forward(&x, &x, &x, None).unwrap().output;
        let expected = LayerNorm::new(16).forward(&output).unwrap();
        assert_eq!(found.normalized, rows(&expected));
        for Moments { mean, variance } in found.after {
            assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-3);
        }
        assert!(found.before.iter().all(|row| (row.variance - 1.0).abs() > 0.1));
    }

    #[test]
    fn a_reshape_alone_gives_each_head_other_words() {
        let right = multi_head(&page()).unwrap();
        let wrong = multi_head(&HeadsRequest { wrong: true, ..page() }).unwrap();
        assert_eq!(right.piece_words, [[0.0, 1.0, 2.0, 3.0, 4.0]; 4]);
        assert_eq!(right.piece_columns[3], [12.0; 5]);
        assert_eq!(wrong.piece_words[0], [0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(wrong.piece_columns[0], [0.0, 4.0, 8.0, 12.0, 0.0]);
        let (x, layer) = drawn();
        let straight = |linear: &whole_transformer::Linear| {
            let made = linear.forward(("X", &x), "W").unwrap();
            let reshaped = made.to_shape((4, 5, 4)).unwrap().into_owned();
            reshaped.index_axis(Axis(0), 1).to_owned() // head 1, [n, d_k]
        };
        let (q, k, v) =
            (straight(&layer.query), straight(&layer.key), straight(&layer.value));
        let expected = scaled_dot_product(&q, &k, &v, None).unwrap();
        assert_eq!(wrong.weights[1], rows(&expected.weights));
        assert_ne!(wrong.weights, right.weights);
    }

    #[test]
    fn one_head_has_nothing_to_share() {
        let one = HeadsRequest { heads: 1, ..page() };
        let wrong = HeadsRequest { heads: 1, wrong: true, ..page() };
        assert_eq!(multi_head(&one).unwrap(), multi_head(&wrong).unwrap());
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        for (heads, padding) in [(3, vec![false; 5]), (0, vec![false; 5]), (4, vec![])]
        {
            assert!(multi_head(&HeadsRequest { heads, padding, ..page() }).is_err());
        }
    }

    #[test]
    fn positions_are_the_chapters() {
        let found = positions(&PositionsRequest { n: 64, d_model: 64 }).unwrap();
        let expected = sinusoidal(64, 64);
        assert_eq!(found.table, rows(&expected));
        assert_eq!(found.products, rows(&expected.dot(&expected.t())));
        // What the page prints of distances 0, 1, 5 and 20.
        let printed = ["32.0000", "30.9168", "23.5040", "18.8791"];
        for start in [0, 20, 40] {
            for (distance, product) in [0, 1, 5, 20].into_iter().zip(printed) {
                let found = found.products[start][start + distance];
                assert_eq!(format!("{found:.4}"), product);
            }
        }
        assert!((found.cosines[20][25] - found.products[0][5] / 32.0).abs() < 1e-12);
    }

    #[test]
    fn too_many_positions_are_refused() {
        for (n, d_model) in [(0, 4), (4, 0), (4, 1), (1000, 4), (4, 1000)] {
            assert!(positions(&PositionsRequest { n, d_model }).is_err());
        }
    }
}
