//! Wrong answers to chapter 5's exercises.

use ndarray::{Array1, Array2, Array4, Axis};

use super::assert_caught;
use super::checks::ch05 as check;

#[test]
fn ch05_1_wrong_share_to_previous() {
    let mean = |step: isize, by: usize| {
        move |attention: &ndarray::Array3<f64>| {
            let (heads, n, _) = attention.dim();
            Array1::from_shape_fn(heads, |h| {
                let at = |i: usize| {
                    let j = i.checked_add_signed(step).filter(|&j| j < n);
                    j.map_or(0.0, |j| attention[[h, i, j]])
                };
                (0..n).map(at).sum::<f64>() / (n - by) as f64
            })
        }
    };
    check::share_to_previous(mean(-1, 1));
    assert_caught("divide by n − 1", || check::share_to_previous(mean(-1, 0)));
    assert_caught("[i, i − 1]", || check::share_to_previous(mean(1, 1)));
    assert_caught("below the diagonal", || check::share_to_previous(mean(0, 0)));
    // The sum, not the mean.
    assert_caught("its share is 1", || {
        check::share_to_previous(|attention| {
            mean(-1, 1)(attention) * (attention.dim().1 - 1) as f64
        });
    });
    // How often the one before is the first choice.
    assert_caught("the weights themselves", || {
        check::share_to_previous(|attention| {
            let (heads, n, _) = attention.dim();
            Array1::from_shape_fn(heads, |h| {
                let first = |i: usize| {
                    let row = attention.slice(ndarray::s![h, i, ..]);
                    row.iter().all(|&w| w <= row[i - 1])
                };
                (1..n).filter(|&i| first(i)).count() as f64 / (n - 1) as f64
            })
        });
    });
    // One number for all heads.
    assert_caught("each of the 3 heads", || {
        check::share_to_previous(|attention| {
            Array1::from_elem(1, mean(-1, 1)(attention).mean().unwrap())
        });
    });
}

#[test]
fn ch05_2_wrong_entropy() {
    let by_row = |term: fn(f64) -> f64| {
        move |weights: &Array2<f64>| {
            weights.map_axis(Axis(1), |row| row.iter().map(|&w| term(w)).sum::<f64>())
        }
    };
    check::entropy(by_row(|w| if w == 0.0 { 0.0 } else { -w * w.log2() }));
    assert_caught("leave the weights of 0 out", || {
        check::entropy(by_row(|w| -w * w.log2()));
    });
    assert_caught("log₂, not ln", || {
        check::entropy(by_row(|w| if w == 0.0 { 0.0 } else { -w * w.ln() }));
    });
    assert_caught("1 bit", || {
        check::entropy(by_row(|w| if w == 0.0 { 0.0 } else { w * w.log2() }));
    });
    assert_caught("1 bit", || {
        check::entropy(by_row(|w| if w == 0.0 { 0.0 } else { -w.log2() }));
    });
    // A small number added to each weight, so that log 0 never comes.
    assert_caught("without anything added to it", || {
        check::entropy(by_row(|w| -w * (w + 1e-14).log2()));
    });
    assert_caught("nothing added to the weights", || {
        check::entropy(by_row(|w| -w * (w + 1e-9).log2()));
    });
    assert_caught("one number a row", || {
        check::entropy(|weights| {
            let by_column = by_row(|w| if w == 0.0 { 0.0 } else { -w * w.log2() });
            by_column(&weights.t().to_owned())
        });
    });
    // The mean, not the sum.
    assert_caught("1 bit", || {
        check::entropy(|weights| {
            let term = by_row(|w| if w == 0.0 { 0.0 } else { -w * w.log2() });
            term(weights) / weights.ncols() as f64
        });
    });
}

/// The place of the head with the least of something; of equals the first, or the last.
fn least(
    attentions: &Array4<f64>,
    of: impl Fn(&Array2<f64>) -> f64,
    last: bool,
) -> (usize, usize) {
    let (layers, heads, ..) = attentions.dim();
    let mut best = ((0, 0), f64::INFINITY);
    for layer in 0..layers {
        for head in 0..heads {
            let weights = attentions.slice(ndarray::s![layer, head, .., ..]).to_owned();
            let found = of(&weights);
            if found < best.1 || (last && found <= best.1) {
                best = ((layer, head), found);
            }
        }
    }
    best.0
}

fn bits(weights: &Array2<f64>) -> Array1<f64> {
    let term = |&w: &f64| if w > 0.0 { -w * w.log2() } else { 0.0 };
    weights.map_axis(Axis(1), |row| row.iter().map(term).sum())
}

#[test]
fn ch05_3_wrong_sharpest_head() {
    check::sharpest_head(|a| least(a, |w| bits(w).sum(), false));
    assert_caught("the least there is", || {
        check::sharpest_head(|a| least(a, |w| -bits(w).sum(), false));
    });
    assert_caught("of equals, the first", || {
        check::sharpest_head(|a| least(a, |w| bits(w).sum(), true));
    });
    // The sharpest single row.
    assert_caught("not single rows", || {
        check::sharpest_head(|a| {
            least(a, |w| bits(w).fold(f64::INFINITY, |x, &y| x.min(y)), false)
        });
    });
    assert_caught("the layer and then the head", || {
        check::sharpest_head(|a| {
            let (layer, head) = least(a, |w| bits(w).sum(), false);
            (head, layer)
        });
    });
    // The head within its layer only: the layer is forgotten.
    assert_caught("(layer, head): expected", || {
        check::sharpest_head(|a| (0, least(a, |w| bits(w).sum(), false).1));
    });
    // The largest weight says something else.
    assert_caught("compare the means over the rows", || {
        check::sharpest_head(|a| {
            least(a, |w| -w.fold(0.0_f64, |x, &y| x.max(y)), false)
        });
    });
}

/// The right answer, if the ranges are right.
fn across(
    weights: &Array2<f64>,
    looking: std::ops::Range<usize>,
    seen: std::ops::Range<usize>,
) -> Vec<usize> {
    let largest = |i: usize| {
        let first = |a: usize, b: usize| {
            if weights[[i, b]] > weights[[i, a]] { b } else { a }
        };
        seen.clone().reduce(first).unwrap()
    };
    looking.map(largest).collect()
}

#[test]
fn ch05_4_wrong_top_key() {
    check::top_key_across(|w, b| across(w, 1..b - 1, b..w.ncols() - 1));
    assert_caught("sentence A has 2 words", || {
        check::top_key_across(|w, b| across(w, 0..b, b..w.ncols() - 1));
    });
    assert_caught("sentence A has 2 words", || {
        check::top_key_across(|w, b| across(w, 1..b, b..w.ncols() - 1));
    });
    assert_caught("nor the last [SEP]", || {
        check::top_key_across(|w, b| across(w, 1..b - 1, b..w.ncols()));
    });
    assert_caught("neither its own sentence", || {
        check::top_key_across(|w, b| across(w, 1..b - 1, 0..w.ncols()));
    });
    assert_caught("counted from the beginning of the pair", || {
        check::top_key_across(|w, b| {
            let found = across(w, 1..b - 1, b..w.ncols() - 1);
            found.into_iter().map(|place| place - b).collect()
        });
    });
    // From B to A.
    assert_caught("places", || {
        check::top_key_across(|w, b| {
            let w = w.t().to_owned();
            across(&w, 1..b - 1, b..w.ncols() - 1)
        });
    });
    assert_caught("of equals, the first", || {
        check::top_key_across(|w, b| {
            let choice = |i: usize| {
                let words = b..w.ncols() - 1;
                words.max_by(|&x, &y| w[[i, x]].total_cmp(&w[[i, y]])).unwrap()
            };
            (1..b - 1).map(choice).collect()
        });
    });
    // Only what weighs more than a hundredth counts.
    assert_caught("the least weight above 0", || {
        check::top_key_across(|w, b| {
            let w = w.mapv(|weight| if weight > 0.001 { weight } else { 0.0 });
            across(&w, 1..b - 1, b..w.ncols() - 1)
        });
    });
}

/// Rows and columns selected, and nothing else.
fn selected(weights: &Array2<f64>, special: &[bool]) -> Array2<f64> {
    let ordinary: Vec<usize> = (0..special.len()).filter(|&i| !special[i]).collect();
    weights.select(Axis(0), &ordinary).select(Axis(1), &ordinary)
}

#[test]
fn ch05_5_wrong_without_special() {
    assert_caught("divided by its own sum", || check::without_special(selected));
    assert_caught("not 0 / 0", || {
        check::without_special(|weights, special| {
            let kept = selected(weights, special);
            &kept / &kept.sum_axis(Axis(1)).insert_axis(Axis(1))
        });
    });
    assert_caught("divided by its own sum", || {
        check::without_special(|weights, special| {
            let kept = selected(weights, special);
            &kept / &kept.sum_axis(Axis(0)).insert_axis(Axis(0))
        });
    });
    assert_caught("divided by its own sum", || {
        check::without_special(|weights, special| {
            let kept = selected(weights, special);
            let n = kept.nrows() as f64;
            &kept * (n / kept.sum())
        });
    });
    // Softmax once more makes rows that add up to 1, too.
    assert_caught("divided by its own sum", || {
        check::without_special(|weights, special| {
            self_attention::softmax(&selected(weights, special))
        });
    });
    // Filled with zeros, but still there.
    assert_caught("[2, 2]", || {
        check::without_special(|weights, special| {
            Array2::from_shape_fn(weights.dim(), |(i, j)| {
                if special[i] || special[j] { 0.0 } else { weights[[i, j]] }
            })
        });
    });
    // The special ones kept, the others left out.
    assert_caught("divided by its own sum", || {
        check::without_special(|weights, special| {
            let others: Vec<bool> = special.iter().map(|special| !special).collect();
            let kept = selected(weights, &others);
            &kept / &kept.sum_axis(Axis(1)).insert_axis(Axis(1))
        });
    });
    // Columns alone.
    assert_caught("rows and columns stay", || {
        check::without_special(|weights, special| {
            let ordinary: Vec<usize> =
                (0..special.len()).filter(|&i| !special[i]).collect();
            weights.select(Axis(1), &ordinary)
        });
    });
    // The first and the last are taken to be the special ones.
    assert_caught("may stand anywhere", || {
        check::without_special(|weights, special| {
            let n = special.len();
            let mut kept = weights.slice(ndarray::s![1..n - 1, 1..n - 1]).to_owned();
            for mut row in kept.rows_mut() {
                let sum = row.sum();
                row /= if sum > 0.0 { sum } else { 1.0 };
            }
            kept
        });
    });
}

/// The right answer, but for `mix`, made of a layer's mean, and the order.
fn rolled(
    attentions: &Array4<f64>,
    mix: impl Fn(Array2<f64>) -> Array2<f64>,
    later_on_the_left: bool,
) -> Array2<f64> {
    let mut through = Array2::<f64>::eye(attentions.dim().2);
    for layer in attentions.outer_iter() {
        let mixed = mix(layer.mean_axis(Axis(0)).unwrap());
        through =
            if later_on_the_left { mixed.dot(&through) } else { through.dot(&mixed) };
    }
    through
}

#[test]
fn ch05_6_wrong_rollout() {
    let half = |mean: Array2<f64>| (&mean + &Array2::<f64>::eye(mean.nrows())) / 2.0;
    check::rollout(|attentions| rolled(attentions, half, true));
    assert_caught("in this order", || {
        check::rollout(|attentions| rolled(attentions, half, false));
    });
    assert_caught("half the identity", || {
        check::rollout(|attentions| rolled(attentions, |mean| mean, true));
    });
    assert_caught("half the identity", || {
        check::rollout(|attentions| {
            rolled(attentions, |mean| &mean + &Array2::<f64>::eye(mean.nrows()), true)
        });
    });
    // The sum of the heads.
    assert_caught("the mean", || {
        check::rollout(|attentions| {
            let heads = attentions.dim().1 as f64;
            rolled(attentions, |mean| half(mean * heads), true)
        });
    });
    // The first head alone.
    assert_caught("the mean", || {
        check::rollout(|attentions| {
            let first = attentions.slice(ndarray::s![.., ..1, .., ..]).to_owned();
            rolled(&first, half, true)
        });
    });
    // The mean over the layers, not their product.
    assert_caught("times layer 0's", || {
        check::rollout(|attentions| {
            let mean = attentions.mean_axis(Axis(0)).unwrap();
            half(mean.mean_axis(Axis(0)).unwrap())
        });
    });
    // The residual once for all layers.
    assert_caught("in this order", || {
        check::rollout(|attentions| half(rolled(attentions, |mean| mean, true)));
    });
    // The last two layers alone.
    assert_caught("three layers", || {
        check::rollout(|attentions| {
            let from = attentions.dim().0.saturating_sub(2);
            let last = attentions.slice(ndarray::s![from.., .., .., ..]).to_owned();
            rolled(&last, half, true)
        });
    });
    // The heads' maps transposed.
    assert_caught("half of the head's weights", || {
        check::rollout(|attentions| {
            rolled(attentions, |mean| half(mean.t().to_owned()), true)
        });
    });
}
