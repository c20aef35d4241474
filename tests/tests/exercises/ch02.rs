//! Wrong answers to chapter 2's exercises.

use ndarray::{
    Array, Array1, Array2, Array3, ArrayView1, Axis, Dimension, concatenate,
};
use whole_transformer::mask;

use super::assert_caught;
use super::checks::ch02 as check;

const HIDDEN: f64 = f64::NEG_INFINITY;

/// `x` with a number for each place, in another shape and with its axes in another order.
fn reshaped(
    x: &Array2<f64>,
    shape: (usize, usize, usize),
    axes: [usize; 3],
) -> Array3<f64> {
    x.to_shape(shape).unwrap().permuted_axes(axes).into_owned()
}

#[test]
fn ch02_1_wrong_split_heads() {
    let d_k = |x: &Array2<f64>, heads| x.ncols() / heads;
    assert_caught("Reshaped straight to [heads, n, d_k]", || {
        check::split_heads(|x, heads| {
            reshaped(x, (heads, x.nrows(), d_k(x, heads)), [0, 1, 2])
        });
    });
    assert_caught("not [d_k, heads]", || {
        check::split_heads(|x, heads| {
            reshaped(x, (x.nrows(), d_k(x, heads), heads), [2, 0, 1])
        });
    });
    assert_caught("[heads, n, d_k] = [2, 4, 3]", || {
        check::split_heads(|x, heads| {
            reshaped(x, (x.nrows(), heads, d_k(x, heads)), [0, 1, 2])
        });
    });
    assert_caught("[heads, n, d_k] = [2, 4, 3]", || {
        check::split_heads(|x, heads| {
            reshaped(x, (x.nrows(), d_k(x, heads), heads), [1, 0, 2])
        });
    });
    assert_caught("head h gets columns", || {
        check::split_heads(|x, heads| {
            let mut split = reshaped(x, (x.nrows(), heads, d_k(x, heads)), [1, 0, 2]);
            split.invert_axis(Axis(0));
            split
        });
    });
    // Every head gets the first head's columns.
    assert_caught("head h gets columns", || {
        check::split_heads(|x, heads| {
            Array3::from_shape_fn((heads, x.nrows(), d_k(x, heads)), |(_, i, c)| {
                x[[i, c]]
            })
        });
    });
    assert_caught("3 heads of 6 columns", || {
        check::split_heads(|x, _| reshaped(x, (x.nrows(), 2, 3), [1, 0, 2]));
    });
}

#[test]
fn ch02_2_wrong_merge_heads() {
    let joined = |heads: &Array3<f64>, axes| {
        let (count, n, d_k) = heads.dim();
        let permuted = heads.view().permuted_axes(axes);
        permuted.to_shape((n, count * d_k)).unwrap().into_owned()
    };
    assert_caught("Reshaped straight from [heads, n, d_k]", || {
        check::merge_heads(|heads| joined(heads, [0, 1, 2]));
    });
    assert_caught("interleave", || {
        check::merge_heads(|heads| joined(heads, [1, 2, 0]));
    });
    assert_caught("swap the axes first", || {
        check::merge_heads(|heads| joined(heads, [0, 2, 1]));
    });
    assert_caught("nor added up", || {
        check::merge_heads(|heads| heads.sum_axis(Axis(0)));
    });
    assert_caught("nor added up", || {
        check::merge_heads(|heads| heads.mean_axis(Axis(0)).unwrap());
    });
    assert_caught("one above the other", || {
        check::merge_heads(|heads| {
            let heads: Vec<_> = heads.outer_iter().collect();
            concatenate(Axis(0), &heads).unwrap()
        });
    });
    assert_caught("head 0's columns come first", || {
        check::merge_heads(|heads| {
            let heads: Vec<_> = heads.outer_iter().rev().collect();
            concatenate(Axis(1), &heads).unwrap()
        });
    });
    assert_caught("3 heads of 2 columns", || {
        check::merge_heads(|heads| {
            let heads = [heads.index_axis(Axis(0), 0), heads.index_axis(Axis(0), 1)];
            concatenate(Axis(1), &heads).unwrap()
        });
    });
}

/// A mask with one number where `j > i` and another elsewhere.
fn triangle(n: usize, later: f64, elsewhere: f64) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| if j > i { later } else { elsewhere })
}

#[test]
fn ch02_3_wrong_causal_mask() {
    assert_caught("every word sees itself", || {
        check::causal_mask(|n| {
            Array2::from_shape_fn((n, n), |(i, j)| if j >= i { HIDDEN } else { 0.0 })
        });
    });
    assert_caught("the other triangle", || {
        check::causal_mask(|n| triangle(n, HIDDEN, 0.0).t().to_owned());
    });
    assert_caught("added to the scores", || {
        check::causal_mask(|n| triangle(n, 0.0, 1.0));
    });
    assert_caught("added to the scores", || {
        check::causal_mask(|n| triangle(n, 1.0, 0.0));
    });
    for large in [-1e4, -1e9, -1e300, f64::MIN] {
        assert_caught("can be beaten", || {
            check::causal_mask(|n| triangle(n, large, 0.0));
        });
    }
    assert_caught("can be beaten", || {
        check::causal_mask(|n| triangle(n, f64::INFINITY, 0.0));
    });
    assert_caught("can be beaten", || check::causal_mask(|n| Array2::zeros((n, n))));
    // −∞ as a factor: 0 · −∞ is NaN.
    assert_caught("the diagonal is all 0", || {
        check::causal_mask(|n| triangle(n, 1.0, 0.0) * HIDDEN);
    });
    // Only the next word hidden, not the ones after it.
    assert_caught("what is hidden must get", || {
        check::causal_mask(|n| {
            let next = |(i, j)| if j == i + 1 { HIDDEN } else { 0.0 };
            Array2::from_shape_fn((n, n), next)
        });
    });
    // Only the previous word seen, not the ones before it.
    assert_caught("near or far", || {
        check::causal_mask(|n| {
            let near = |(i, j)| if j <= i && j + 1 >= i { 0.0 } else { HIDDEN };
            Array2::from_shape_fn((n, n), near)
        });
    });
    assert_caught("mask of [n, n]", || {
        check::causal_mask(|n| triangle(n + 1, HIDDEN, 0.0));
    });
    assert_caught("follows n", || check::causal_mask(|_| triangle(3, HIDDEN, 0.0)));
    assert_caught("0 where j ≤ i", || {
        check::causal_mask(|n| {
            let mut mask = triangle(n, HIDDEN, 0.0);
            mask[[1, 0]] = -1e-3;
            mask
        });
    });
}

/// The mask with −∞ wherever `hides` says so.
fn with_hidden(
    mask: &Array2<f64>,
    hides: impl Fn(usize, usize) -> bool,
) -> Array2<f64> {
    let value = |((i, j), &value)| if hides(i, j) { HIDDEN } else { value };
    let values = mask.indexed_iter().map(value).collect();
    Array2::from_shape_vec(mask.dim(), values).unwrap()
}

#[test]
fn ch02_4_wrong_padding() {
    assert_caught("a key is a column", || {
        check::hide_padding(|mask, padding| with_hidden(mask, |i, _| padding[i]));
    });
    assert_caught("a key is a column", || {
        check::hide_padding(|mask, padding| {
            with_hidden(mask, |i, j| padding[i] || padding[j])
        });
    });
    assert_caught("a key is a column", || {
        check::hide_padding(|mask, padding| {
            with_hidden(mask, |i, j| padding[i] && padding[j])
        });
    });
    assert_caught("`true` says that a key is", || {
        check::hide_padding(|mask, padding| with_hidden(mask, |_, j| !padding[j]));
    });
    assert_caught("stays hidden", || {
        check::hide_padding(|mask, padding| mask::key_padding(mask.nrows(), padding));
    });
    assert_caught("NaN", || {
        check::hide_padding(|mask, padding| {
            let padding = padding.iter().map(|&is| f64::from(u8::from(is)));
            mask + &(padding.collect::<Array1<_>>() * HIDDEN)
        });
    });
    assert_caught("by −∞", || {
        check::hide_padding(|mask, padding| {
            let padding = padding.iter().map(|&is| if is { -1e9 } else { 0.0 });
            mask + &padding.collect::<Array1<_>>()
        });
    });
    assert_caught("by −∞", || check::hide_padding(|mask, _| mask.clone()));
    // Padding sees itself.
    assert_caught("a key is a column", || {
        check::hide_padding(|mask, padding| {
            with_hidden(mask, |i, j| padding[j] && i != j)
        });
    });
    // A query is never left without a key.
    assert_caught("even if that leaves a query nothing", || {
        check::hide_padding(|mask, padding| {
            let mut hidden = with_hidden(mask, |_, j| padding[j]);
            for mut row in hidden.rows_mut() {
                if row.iter().all(|&value| value == HIDDEN) {
                    row.fill(0.0);
                }
            }
            hidden
        });
    });
    assert_caught("whatever number it is", || {
        check::hide_padding(|mask, padding| {
            let hidden = with_hidden(mask, |_, j| padding[j]);
            hidden.map(|&value| if value == HIDDEN { HIDDEN } else { 0.0 })
        });
    });
    // As many keys as queries.
    assert_caught("here 2 queries look at 4 keys", || {
        check::hide_padding(|mask, padding| {
            with_hidden(mask, |_, j| j < mask.nrows() && padding[j])
        });
    });
}

/// Whether two arrays differ by more than 1e-9 in some number.
fn differ<D: Dimension>(a: &Array<f64, D>, b: &Array<f64, D>) -> bool {
    (a - b).iter().any(|difference| difference.abs() > 1e-9)
}

#[test]
fn ch02_5_wrong_tells_order() {
    let shuffled = |x: &Array2<f64>, order: &[usize]| x.select(Axis(0), order);
    assert_caught("not with row i", || {
        check::tells_order(|attend, x, order| {
            differ(&attend(&shuffled(x, order)), &attend(x))
        });
    });
    assert_caught("that word's row", || {
        check::tells_order(|attend, x, order| {
            let twice = shuffled(&attend(&shuffled(x, order)), order);
            differ(&twice, &attend(x))
        });
    });
    assert_caught("compare number by number", || {
        check::tells_order(|attend, x, order| {
            let sums = |output: Array2<f64>| output.sum_axis(Axis(0));
            differ(&sums(attend(&shuffled(x, order))), &sums(attend(x)))
        });
    });
    assert_caught("rounding", || {
        check::tells_order(|attend, x, order| {
            attend(&shuffled(x, order)) != shuffled(&attend(x), order)
        });
    });
    assert_caught("above rounding", || {
        check::tells_order(|attend, x, order| {
            let found = attend(&shuffled(x, order)) - shuffled(&attend(x), order);
            found.iter().any(|difference| difference.abs() > 1e-3)
        });
    });
    assert_caught("expected true but found false", || {
        check::tells_order(|attend, x, order| {
            let found = attend(&shuffled(x, order)) - shuffled(&attend(x), order);
            found.iter().all(|difference| difference.abs() > 1e-9)
        });
    });
    for sign in [1.0, -1.0] {
        assert_caught("absolute value", || {
            check::tells_order(|attend, x, order| {
                let found = attend(&shuffled(x, order)) - shuffled(&attend(x), order);
                found.iter().any(|difference| sign * difference > 1e-9)
            });
        });
    }
    assert_caught("number by number", || {
        check::tells_order(|attend, x, order| {
            let found = attend(&shuffled(x, order)) - shuffled(&attend(x), order);
            found.sum().abs() > 1e-9
        });
    });
    for row in [0, 6] {
        assert_caught("number by number", || {
            check::tells_order(|attend, x, order| {
                let found = attend(&shuffled(x, order)) - shuffled(&attend(x), order);
                found.row(row.min(x.nrows() - 1)).iter().any(|d| d.abs() > 1e-9)
            });
        });
    }
    assert_caught("with order", || {
        check::tells_order(|attend, x, order| {
            !differ(&attend(&shuffled(x, order)), &shuffled(&attend(x), order))
        });
    });
    assert_caught("was `order` used?", || {
        check::tells_order(|attend, x, _| {
            let reverse: Vec<usize> = (0..x.nrows()).rev().collect();
            differ(&attend(&shuffled(x, &reverse)), &shuffled(&attend(x), &reverse))
        });
    });
    assert_caught("expected false", || check::tells_order(|_, _, _| true));
    assert_caught("expected true", || check::tells_order(|_, _, _| false));
}

/// One position's vector, from the angle and whether it is the sine, column by column.
fn waves(d_model: usize, wave: impl Fn(usize) -> (f64, bool)) -> Array1<f64> {
    Array1::from_shape_fn(d_model, |column| {
        let (angle, is_sine) = wave(column);
        if is_sine { angle.sin() } else { angle.cos() }
    })
}

#[test]
fn ch02_6_wrong_sinusoidal() {
    let angle = |position: usize, base: f64, numerator: usize, d_model: usize| {
        position as f64 / base.powf(numerator as f64 / d_model as f64)
    };
    let even = |column: usize| column.is_multiple_of(2);
    let pair = |column: usize| column / 2 * 2;
    let right = move |position, d_model| {
        waves(d_model, |c| (angle(position, 1e4, pair(c), d_model), even(c)))
    };
    check::sinusoidal(right); // what the wrong ones below differ from
    // The exponent from the column, from twice the column, and from the pair alone.
    assert_caught("the same angle", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| (angle(position, 1e4, c, d_model), even(c)))
        });
    });
    assert_caught("the same angle", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| (angle(position, 1e4, 2 * c, d_model), even(c)))
        });
    });
    assert_caught("a hundredth of the position", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| (angle(position, 1e4, c / 2, d_model), even(c)))
        });
    });
    assert_caught("sines, odd columns cosines", || {
        check::sinusoidal(|position, d_model| {
            let half = d_model.div_ceil(2);
            waves(d_model, |c| (angle(position, 1e4, c % half * 2, d_model), c < half))
        });
    });
    assert_caught("even columns are sines", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| (angle(position, 1e4, pair(c), d_model), !even(c)))
        });
    });
    for base in [1e3, 1e5, 1e4_f64.ln()] {
        assert_caught("a hundredth of the position", || {
            check::sinusoidal(|position, d_model| {
                waves(d_model, |c| (angle(position, base, pair(c), d_model), even(c)))
            });
        });
    }
    assert_caught("in radians", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| {
                (angle(position, 1e4, pair(c), d_model).to_radians(), even(c))
            })
        });
    });
    assert_caught("count from 0", || {
        check::sinusoidal(|position, d_model| right(position + 1, d_model));
    });
    // A division of whole numbers.
    assert_caught("in whole numbers", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| (angle(position, 1e4, pair(c) / d_model, 1), even(c)))
        });
    });
    // Multiplied, not divided.
    assert_caught("position / 10000^(2/4)", || {
        check::sinusoidal(|position, d_model| {
            waves(d_model, |c| (angle(position, 1e-4, pair(c), d_model), even(c)))
        });
    });
    // The last column left out, or 0, if d_model is odd; rounded to an even width.
    assert_caught("the last column is a sine", || {
        check::sinusoidal(|position, d_model| right(position, d_model / 2 * 2));
    });
    assert_caught("the last column is a sine", || {
        check::sinusoidal(|position, d_model| {
            let mut found = right(position, d_model);
            if !even(d_model) {
                found[d_model - 1] = 0.0;
            }
            found
        });
    });
    assert_caught("the angle of pair i", || {
        check::sinusoidal(|position, d_model| {
            let width = d_model / 2 * 2;
            waves(d_model, |c| (angle(position, 1e4, pair(c), width), even(c)))
        });
    });
}

/// Each row minus its mean, divided by what `deviation` makes of it.
fn normalised(
    x: &Array2<f64>,
    deviation: impl Fn(ArrayView1<f64>) -> f64,
) -> Array2<f64> {
    let mut normal = x.clone();
    for mut row in normal.rows_mut() {
        let divisor = deviation(row.view());
        row -= row.mean().unwrap();
        row /= divisor;
    }
    normal
}

#[test]
fn ch02_7_wrong_layer_norm() {
    check::layer_norm(|x, e| normalised(x, |row| (row.var(0.0) + e).sqrt()));
    assert_caught("not by d_model − 1", || {
        check::layer_norm(|x, e| normalised(x, |row| (row.var(1.0) + e).sqrt()));
    });
    assert_caught("not of the column", || {
        check::layer_norm(|x, e| {
            normalised(&x.t().to_owned(), |row| (row.var(0.0) + e).sqrt())
                .reversed_axes()
        });
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, e| normalised(x, |row| row.std(0.0) + e));
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, e| normalised(x, |row| (row.var(0.0) + e * e).sqrt()));
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, e| normalised(x, |row| row.std(0.0).max(e)));
    });
    assert_caught("not 0 / 0", || {
        check::layer_norm(|x, _| normalised(x, |row| row.std(0.0)));
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, _| {
            normalised(x, |row| if row.std(0.0) > 0.0 { row.std(0.0) } else { 1.0 })
        });
    });
    assert_caught("the root of the variance", || {
        check::layer_norm(|x, e| normalised(x, |row| row.var(0.0) + e));
    });
    assert_caught("epsilon is 0 here", || {
        check::layer_norm(|x, _| normalised(x, |row| (row.var(0.0) + 1e-5).sqrt()));
    });
    assert_caught("row by row", || {
        check::layer_norm(|x, e| normalised(x, |_| (x.var(0.0) + e).sqrt()));
    });
    assert_caught("not of the column or of everything", || {
        check::layer_norm(|x, e| (x - x.mean().unwrap()) / (x.var(0.0) + e).sqrt());
    });
    assert_caught("the mean of each row must become 0", || {
        check::layer_norm(|x, _| x.clone());
    });
    // RMSNorm: the mean isn't subtracted.
    assert_caught("the mean of each row must become 0", || {
        check::layer_norm(|x, e| {
            let mean_square = x.pow2().mean_axis(Axis(1)).unwrap().insert_axis(Axis(1));
            x / &(mean_square + e).sqrt()
        });
    });
    assert_caught("before squaring", || {
        check::layer_norm(|x, e| {
            normalised(x, |row| {
                let mean_square = row.pow2().mean().unwrap();
                (mean_square - row.mean().unwrap().powi(2) + e).sqrt()
            })
        });
    });
}

/// The place of the largest logit; of equals, the first.
fn largest(logits: &Array1<f64>) -> usize {
    let first = |best, token| if logits[token] > logits[best] { token } else { best };
    (0..logits.len()).fold(0, first)
}

/// The right decoding if `choose` is [`largest`].
fn decode(
    choose: impl Fn(&Array1<f64>) -> usize,
    next_logits: fn(&[usize]) -> Array1<f64>,
    (start, end): (usize, usize),
    limit: usize,
) -> Vec<usize> {
    let mut tokens = vec![start];
    for _ in 0..limit {
        let next = choose(&next_logits(&tokens));
        tokens.push(next);
        if next == end {
            break;
        }
    }
    tokens
}

#[test]
fn ch02_8_wrong_choices() {
    check::greedy(|next_logits, ends, limit| decode(largest, next_logits, ends, limit));
    let assert_caught = |hint, choose: fn(&Array1<f64>) -> usize| {
        assert_caught(hint, || {
            check::greedy(|next_logits, ends, limit| {
                decode(choose, next_logits, ends, limit)
            });
        });
    };
    let hint = "the one with the largest logit";
    assert_caught(hint, |logits| largest(&-logits));
    assert_caught(hint, |logits| largest(&logits.abs()));
    // The best so far starts at 0, which no logit beats.
    assert_caught(hint, |logits| largest(&logits.mapv(|logit| logit.max(0.0))));
    assert_caught("of equal logits, the first", |logits| {
        let logits = logits.iter().enumerate();
        logits.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0
    });
}

#[test]
fn ch02_8_wrong_ends() {
    let next = |next_logits: fn(&[usize]) -> Array1<f64>, tokens: &[usize]| {
        largest(&next_logits(tokens))
    };
    // Doesn't stop at `end`.
    assert_caught("stop as soon as `end` is chosen", || {
        check::greedy(|next_logits, (start, _), limit| {
            decode(largest, next_logits, (start, usize::MAX), limit)
        });
    });
    // Notices `end` one token too late.
    assert_caught("nothing comes after it", || {
        check::greedy(|next_logits, (start, end), limit| {
            let mut tokens = vec![start];
            for _ in 0..limit {
                let ended = tokens.len() > 1 && tokens.last() == Some(&end);
                tokens.push(next(next_logits, &tokens));
                if ended {
                    break;
                }
            }
            tokens
        });
    });
    assert_caught("keep it", || {
        check::greedy(|next_logits, (start, end), limit| {
            let mut tokens = decode(largest, next_logits, (start, end), limit);
            tokens.retain(|&token| token != end);
            tokens
        });
    });
    // One token too many, one too few, or no `start`.
    assert_caught("counts the tokens chosen", || {
        check::greedy(|next_logits, ends, limit| {
            decode(largest, next_logits, ends, limit + 1)
        });
    });
    assert_caught("counts the tokens chosen", || {
        check::greedy(|next_logits, ends, limit| {
            decode(largest, next_logits, ends, limit - 1)
        });
    });
    assert_caught("`start`, then one token", || {
        check::greedy(|next_logits, ends, limit| {
            decode(largest, next_logits, ends, limit)[1..].to_vec()
        });
    });
    // A loop that tests the limit after it has chosen.
    assert_caught("the limit is how many tokens", || {
        check::greedy(|next_logits, ends, limit| {
            decode(largest, next_logits, ends, limit.max(1))
        });
    });
    // No limit; neither limit nor end.
    assert_caught("counts the tokens chosen", || {
        check::greedy(|next_logits, ends, _| {
            decode(largest, next_logits, ends, usize::MAX)
        });
    });
    assert_caught("stop at `limit`", || {
        check::greedy(|next_logits, (start, _), _| {
            decode(largest, next_logits, (start, usize::MAX), usize::MAX)
        });
    });
    // The last token alone.
    assert_caught("all tokens so far", || {
        check::greedy(|next_logits, (start, end), limit| {
            let mut tokens = vec![start];
            while tokens.len() <= limit
                && (tokens.len() == 1 || tokens.last() != Some(&end))
            {
                let last = tokens.len() - 1;
                tokens.push(next(next_logits, &tokens[last..]));
            }
            tokens
        });
    });
    // The tokens chosen so far, without `start`.
    assert_caught("`start` first", || {
        check::greedy(|next_logits, (start, end), limit| {
            let mut tokens = vec![start];
            while tokens.len() <= limit && tokens.last() != Some(&end) {
                tokens.push(next(next_logits, &tokens[1..]));
            }
            tokens
        });
    });
    // Always from `start` alone.
    assert_caught("with a limit of 10", || {
        check::greedy(|next_logits, (start, _), limit| {
            let chosen = (0..limit).map(|_| next(next_logits, &[start]));
            std::iter::once(start).chain(chosen).collect()
        });
    });
    assert_caught("it doesn't end the sentence", || {
        check::greedy(|next_logits, (start, end), limit| {
            let mut tokens = vec![start];
            while tokens.len() <= limit && tokens.last() != Some(&end) {
                tokens.push(next(next_logits, &tokens));
            }
            tokens
        });
    });
}
