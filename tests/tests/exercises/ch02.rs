//! Wrong answers to chapter 2's exercises.

use ndarray::{
    Array, Array1, Array2, Array3, ArrayView1, Axis, Dimension, concatenate, s,
};
use self_attention::softmax;
use whole_transformer::{mask, scaled_dot_product, split_heads};

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

/// What `heads` heads find, `[n, heads · d_k]`: head `h` with group `group(h)` of the keys
/// and `values(h)` of the values.
fn heads_of(
    [q, k, v]: [&Array2<f64>; 3],
    (heads, groups): (usize, usize),
    group: impl Fn(usize) -> usize,
    values: impl Fn(usize) -> usize,
) -> Array2<f64> {
    let queries = split_heads(q, heads).unwrap();
    let [k, v] = [k, v].map(|x| split_heads(x, groups).unwrap());
    let found = (0..heads).map(|head| {
        let [q, k, v] = [(&queries, head), (&k, group(head)), (&v, values(head))]
            .map(|(x, index)| x.index_axis(Axis(0), index).to_owned());
        scaled_dot_product(&q, &k, &v, None).unwrap().output
    });
    let found: Vec<Array2<f64>> = found.collect();
    let views: Vec<_> = found.iter().map(|output| output.view()).collect();
    concatenate(Axis(1), &views).unwrap()
}

#[test]
fn ch02_2_wrong_grouped_query() {
    let shared = |head: usize, (heads, groups): (usize, usize)| head * groups / heads;
    check::grouped_query(|q, k, v, shape| {
        let group = |head| shared(head, shape);
        heads_of([q, k, v], shape, group, group)
    });
    // Every other head shares.
    assert_caught("neighbors, not every other", || {
        check::grouped_query(|q, k, v, shape| {
            let group = |head| head % shape.1;
            heads_of([q, k, v], shape, group, group)
        });
    });
    // The keys are shared, the values are all of group 0; or the other way round.
    assert_caught("neighbors", || {
        check::grouped_query(|q, k, v, shape| {
            heads_of([q, k, v], shape, |head| shared(head, shape), |_| 0)
        });
    });
    assert_caught("neighbors", || {
        check::grouped_query(|q, k, v, shape| {
            heads_of([q, k, v], shape, |_| 0, |head| shared(head, shape))
        });
    });
    // Every head has the first head's queries.
    assert_caught("its own queries", || {
        check::grouped_query(|q, k, v, (heads, groups)| {
            let first = q.slice(s![.., ..q.ncols() / heads]);
            let q = concatenate(Axis(1), &vec![first; heads]).unwrap();
            let group = |head| shared(head, (heads, groups));
            heads_of([&q, k, v], (heads, groups), group, group)
        });
    });
    // As many heads as groups.
    assert_caught("[n, heads · d_k]", || {
        check::grouped_query(|q, k, v, (heads, groups)| {
            let q = q.slice(s![.., ..groups * q.ncols() / heads]).to_owned();
            heads_of([&q, k, v], (groups, groups), |head| head, |head| head)
        });
    });
    // Only multi-query, or two heads to a group whatever the shape.
    assert_caught("share group 0", || {
        check::grouped_query(|q, k, v, shape| heads_of([q, k, v], shape, |_| 0, |_| 0));
    });
    assert_caught("the first three heads", || {
        check::grouped_query(|q, k, v, shape| {
            let group = |head: usize| (head / 2).min(shape.1 - 1);
            heads_of([q, k, v], shape, group, group)
        });
    });
    // The scores are divided by the root of all columns, not of a head's.
    assert_caught("4 heads, 1 groups, head 0", || {
        check::grouped_query(|q, k, v, (heads, groups)| {
            let group = |head| shared(head, (heads, groups));
            let q = q / (heads as f64).sqrt();
            heads_of([&q, k, v], (heads, groups), group, group)
        });
    });
}

/// A step that keeps `k` and `v`, and finds what `find` makes of the query and of all keys
/// and values kept.
fn step(
    (keys, values): (&mut Array2<f64>, &mut Array2<f64>),
    (k, v): (&Array1<f64>, &Array1<f64>),
    find: impl Fn(&Array2<f64>, &Array2<f64>) -> Array1<f64>,
) -> Array1<f64> {
    keys.push_row(k.view()).unwrap();
    values.push_row(v.view()).unwrap();
    find(keys, values)
}

/// What the query finds among keys and values, `[d_v]`.
fn found(q: &Array1<f64>, keys: &Array2<f64>, values: &Array2<f64>) -> Array1<f64> {
    let q = q.clone().insert_axis(Axis(0));
    scaled_dot_product(&q, keys, values, None).unwrap().output.row(0).to_owned()
}

#[test]
fn ch02_3_wrong_attend_next() {
    check::attend_next(|keys, values, q, k, v| {
        step((keys, values), (k, v), |keys, values| found(q, keys, values))
    });
    // Nothing is kept: the word sees itself alone.
    assert_caught("are those of words 0 to 0", || {
        check::attend_next(|_, _, _, _, v| v.clone());
    });
    assert_caught("the keys kept", || {
        check::attend_next(|keys, values, q, k, v| {
            *keys = k.clone().insert_axis(Axis(0));
            *values = v.clone().insert_axis(Axis(0));
            found(q, keys, values)
        });
    });
    assert_caught("the values kept", || {
        check::attend_next(|keys, values, q, k, v| {
            keys.push_row(k.view()).unwrap();
            let mut all = values.clone();
            all.push_row(v.view()).unwrap();
            while all.nrows() < keys.nrows() {
                all.push_row(v.view()).unwrap();
            }
            found(q, keys, &all)
        });
    });
    // The new word above the others.
    assert_caught("in order", || {
        check::attend_next(|keys, values, q, k, v| {
            let above = |row: &Array1<f64>, others: &Array2<f64>| {
                let row = row.view().insert_axis(Axis(0));
                concatenate(Axis(0), &[row, others.view()]).unwrap()
            };
            *keys = above(k, keys);
            *values = above(v, values);
            found(q, keys, values)
        });
    });
    // The word is kept only after it has looked: it doesn't see itself.
    assert_caught("looks at itself", || {
        check::attend_next(|keys, values, q, k, v| {
            let before = (keys.clone(), values.clone());
            step((keys, values), (k, v), |keys, values| {
                if before.0.nrows() == 0 {
                    found(q, keys, values)
                } else {
                    found(q, &before.0, &before.1)
                }
            })
        });
    });
    // The query is compared with itself; the mean of the values; √d_k forgotten.
    assert_caught("the softmax of q · k", || {
        check::attend_next(|keys, values, _, k, v| {
            step((keys, values), (k, v), |keys, values| found(k, keys, values))
        });
    });
    assert_caught("the softmax of q · k", || {
        check::attend_next(|keys, values, _, k, v| {
            step((keys, values), (k, v), |_, values| values.mean_axis(Axis(0)).unwrap())
        });
    });
    assert_caught("/ √d_k", || {
        check::attend_next(|keys, values, q, k, v| {
            step((keys, values), (k, v), |keys, values| {
                found(&(q * (q.len() as f64).sqrt()), keys, values)
            })
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

/// Pairs of columns, each turned by `turn` and the angle of pair `i`.
fn turned(
    x: &Array1<f64>,
    angle: impl Fn(usize) -> f64,
    turn: impl Fn([f64; 2], f64) -> [f64; 2],
) -> Array1<f64> {
    let pairs = x.len() / 2;
    let turned = (0..pairs).flat_map(|i| turn([x[2 * i], x[2 * i + 1]], angle(i)));
    turned.collect()
}

/// A turn from the first coordinate toward the second.
fn turn([a, b]: [f64; 2], angle: f64) -> [f64; 2] {
    let (sine, cosine) = angle.sin_cos();
    [a * cosine - b * sine, a * sine + b * cosine]
}

#[test]
fn ch02_6_wrong_rotate() {
    let angle = |x: &Array1<f64>, position: usize| {
        let d_k = x.len() as f64;
        move |i: usize| position as f64 / 1e4_f64.powf(2.0 * i as f64 / d_k)
    };
    check::rotate(|x, position| turned(x, angle(x, position), turn));
    // Positions are added, as the sinusoids are.
    assert_caught("turns nothing", || {
        check::rotate(|x, position| {
            x + &whole_transformer::sinusoidal(position + 1, x.len()).row(position)
        });
    });
    assert_caught("turns nothing", || {
        check::rotate(|x, position| turned(x, angle(x, position + 1), turn));
    });
    assert_caught("toward the second", || {
        check::rotate(|x, position| {
            turned(x, angle(x, position), |pair, angle| turn(pair, -angle))
        });
    });
    assert_caught("toward the second", || {
        check::rotate(|x, position| {
            let angle = angle(x, position);
            turned(x, |i| angle(i).to_radians(), turn)
        });
    });
    // The second coordinate is made of the new first one.
    assert_caught("from the old ones", || {
        check::rotate(|x, position| {
            turned(x, angle(x, position), |[a, b], angle| {
                let (sine, cosine) = angle.sin_cos();
                let a = a * cosine - b * sine;
                [a, a * sine + b * cosine]
            })
        });
    });
    assert_caught("a hundredth of the position", || {
        check::rotate(|x, position| turned(x, |_| position as f64, turn));
    });
    assert_caught("a hundredth of the position", || {
        check::rotate(|x, position| {
            let angle = |i| position as f64 / 1e4_f64.powf(i as f64 / x.len() as f64);
            turned(x, angle, turn)
        });
    });
    assert_caught("a hundredth of the position", || {
        check::rotate(|x, position| {
            turned(
                x,
                |i| position as f64 / 1e4_f64.powf((2 * i / x.len()) as f64),
                turn,
            )
        });
    });
    // Halves, not neighbors, make the pairs.
    assert_caught("Neighbors make a pair", || {
        check::rotate(|x, position| {
            let half = x.len() / 2;
            let angle = angle(x, position);
            let mut found = x.clone();
            for i in 0..half {
                [found[i], found[i + half]] = turn([x[i], x[i + half]], angle(i));
            }
            found
        });
    });
}

/// Each row minus its mean, divided by what `deviation` makes of it.
fn normalized(
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
    check::layer_norm(|x, e| normalized(x, |row| (row.var(0.0) + e).sqrt()));
    assert_caught("not by d_model − 1", || {
        check::layer_norm(|x, e| normalized(x, |row| (row.var(1.0) + e).sqrt()));
    });
    assert_caught("not of the column", || {
        check::layer_norm(|x, e| {
            normalized(&x.t().to_owned(), |row| (row.var(0.0) + e).sqrt())
                .reversed_axes()
        });
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, e| normalized(x, |row| row.std(0.0) + e));
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, e| normalized(x, |row| (row.var(0.0) + e * e).sqrt()));
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, e| normalized(x, |row| row.std(0.0).max(e)));
    });
    assert_caught("not 0 / 0", || {
        check::layer_norm(|x, _| normalized(x, |row| row.std(0.0)));
    });
    assert_caught("inside the root", || {
        check::layer_norm(|x, _| {
            normalized(x, |row| if row.std(0.0) > 0.0 { row.std(0.0) } else { 1.0 })
        });
    });
    assert_caught("the root of the variance", || {
        check::layer_norm(|x, e| normalized(x, |row| row.var(0.0) + e));
    });
    assert_caught("epsilon is 0 here", || {
        check::layer_norm(|x, _| normalized(x, |row| (row.var(0.0) + 1e-5).sqrt()));
    });
    assert_caught("row by row", || {
        check::layer_norm(|x, e| normalized(x, |_| (x.var(0.0) + e).sqrt()));
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
            normalized(x, |row| {
                let mean_square = row.pow2().mean().unwrap();
                (mean_square - row.mean().unwrap().powi(2) + e).sqrt()
            })
        });
    });
}

type NextLogits = fn(&[usize]) -> Array1<f64>;

/// What a wrong beam may do otherwise than the right one.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy)]
struct Beam {
    width: usize,
    /// What a token adds, of its logits and its probability.
    gain: fn(logit: f64, probability: f64) -> f64,
    /// Only one continuation of each sentence is kept.
    one_of_each: bool,
    /// A sentence that has ended is dropped.
    drops_ended: bool,
    /// Stops as soon as one of the sentences kept has ended.
    stops_early: bool,
    /// Even `start` ends a sentence if it equals `end`.
    start_ends: bool,
}

const RIGHT: Beam = Beam {
    width: 2,
    gain: |_, probability| probability.ln(),
    one_of_each: false,
    drops_ended: false,
    stops_early: false,
    start_ends: false,
};

impl Beam {
    fn write(
        self,
        next_logits: NextLogits,
        (start, end): (usize, usize),
        limit: usize,
    ) -> Vec<usize> {
        let ended = |tokens: &[usize]| {
            tokens.last() == Some(&end) && (self.start_ends || tokens.len() > 1)
        };
        let mut kept: Vec<(Vec<usize>, f64)> = vec![(vec![start], 0.0)];
        for _ in 0..limit {
            let mut candidates: Vec<(Vec<usize>, f64)> = Vec::new();
            for (tokens, score) in &kept {
                if ended(tokens) {
                    if !self.drops_ended {
                        candidates.push((tokens.clone(), *score));
                    }
                    continue;
                }
                let mut next = self.continuations(tokens, *score, next_logits);
                next.sort_by(|(_, a), (_, b)| b.total_cmp(a));
                next.truncate(if self.one_of_each && tokens.len() > 1 { 1 } else { 9 });
                candidates.extend(next);
            }
            if candidates.is_empty() {
                break;
            }
            candidates.sort_by(|(_, a), (_, b)| b.total_cmp(a));
            candidates.truncate(self.width);
            kept = candidates;
            if self.stops_early && kept.iter().any(|(tokens, _)| ended(tokens)) {
                break;
            }
        }
        kept.swap_remove(0).0
    }

    fn continuations(
        self,
        tokens: &[usize],
        score: f64,
        next_logits: NextLogits,
    ) -> Vec<(Vec<usize>, f64)> {
        let logits = next_logits(tokens);
        let probabilities = softmax(&logits.clone().insert_axis(Axis(0)));
        let gains = logits.iter().zip(&probabilities);
        let gains = gains.map(|(&logit, &probability)| (self.gain)(logit, probability));
        let longer = |token| [tokens, &[token]].concat();
        gains.enumerate().map(|(token, gain)| (longer(token), score + gain)).collect()
    }
}

#[test]
fn ch02_8_wrong_beam() {
    let caught = |hint: &str, wrong: Beam| {
        assert_caught(hint, || {
            check::beam(|next_logits, ends, limit| {
                wrong.write(next_logits, ends, limit)
            });
        });
    };
    check::beam(|next_logits, ends, limit| RIGHT.write(next_logits, ends, limit));
    caught("is not the likeliest sentence", Beam { width: 1, ..RIGHT });
    caught("has forgotten the third", Beam { width: 3, ..RIGHT });
    caught("not of logits", Beam { gain: |logit, _| logit, ..RIGHT });
    caught("Compare products", Beam { gain: |_, probability| probability, ..RIGHT });
    caught("the likeliest token", Beam { gain: |_, p| -p.ln(), ..RIGHT });
    caught("of all candidates", Beam { one_of_each: true, ..RIGHT });
    caught("is not the likeliest sentence", Beam { drops_ended: true, ..RIGHT });
    caught("only when both have ended", Beam { stops_early: true, ..RIGHT });
    caught("doesn't end the sentence", Beam { start_ends: true, ..RIGHT });
    assert_caught("has ended is kept as it is", || {
        // What has ended goes on.
        check::beam(|next_logits, (start, _), limit| {
            RIGHT.write(next_logits, (start, usize::MAX), limit)
        });
    });
    assert_caught("without `start`", || {
        check::beam(|next_logits, ends, limit| {
            RIGHT.write(next_logits, ends, limit.max(1))
        });
    });
    assert_caught("the likelier of the two sentences kept", || {
        check::beam(|next_logits, ends, limit| {
            RIGHT.write(next_logits, ends, limit)[1..].to_vec()
        });
    });
}

/// The softmax of the scores, `[vocabulary]`, that overflows for none.
fn softmax_of(scores: &Array1<f64>) -> Array1<f64> {
    softmax(&scores.clone().insert_axis(Axis(0))).row(0).to_owned()
}

/// The tokens from the largest logit to the smallest; of equals, the first comes first.
fn by_logit(logits: &Array1<f64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    order
}

/// `scores` with `value` for all tokens of `order` but the first `k`.
fn cut(scores: Array1<f64>, order: &[usize], k: usize, value: f64) -> Array1<f64> {
    let mut scores = scores;
    for &token in order.iter().skip(k) {
        scores[token] = value;
    }
    scores
}

#[test]
fn ch02_9_wrong_top_k() {
    let hidden = f64::NEG_INFINITY;
    check::top_k(|logits, k, t| {
        softmax_of(&cut(logits / t, &by_logit(logits), k, hidden))
    });
    assert_caught("they share all", || {
        check::top_k(|logits, _, t| softmax_of(&(logits / t)));
    });
    // Cut after the softmax, and not shared out again.
    assert_caught("they share all", || {
        check::top_k(|logits, k, t| {
            cut(softmax_of(&(logits / t)), &by_logit(logits), k, 0.0)
        });
    });
    // A logit of 0 is not nothing: here it is the largest.
    assert_caught("the others get 0", || {
        check::top_k(|logits, k, t| {
            softmax_of(&cut(logits / t, &by_logit(logits), k, 0.0))
        });
    });
    assert_caught("the others get 0", || {
        check::top_k(|logits, k, t| {
            let order: Vec<usize> = by_logit(logits).into_iter().rev().collect();
            softmax_of(&cut(logits / t, &order, k, hidden))
        });
    });
    assert_caught("count as half", || {
        check::top_k(|logits, k, _| {
            softmax_of(&cut(logits.clone(), &by_logit(logits), k, hidden))
        });
    });
    assert_caught("count as half", || {
        check::top_k(|logits, k, t| {
            softmax_of(&cut(logits * t, &by_logit(logits), k, hidden))
        });
    });
    // All that equal the k-th are kept; of equals, the last.
    assert_caught("exactly k tokens", || {
        check::top_k(|logits, k, t| {
            let order = by_logit(logits);
            let least = logits[order[k.min(logits.len()) - 1]];
            softmax_of(
                &logits.mapv(|logit| if logit < least { hidden } else { logit / t }),
            )
        });
    });
    assert_caught("of equal logits, the first", || {
        check::top_k(|logits, k, t| {
            let mut order: Vec<usize> = (0..logits.len()).rev().collect();
            order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            softmax_of(&cut(logits / t, &order, k, hidden))
        });
    });
    assert_caught("must not overflow", || {
        check::top_k(|logits, k, t| {
            let exponentials = cut(logits / t, &by_logit(logits), k, hidden).exp();
            let sum = exponentials.sum();
            exponentials / sum
        });
    });
}
