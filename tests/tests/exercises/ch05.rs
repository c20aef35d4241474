//! Wrong answers to chapter 5's exercises.

use ndarray::{Array1, Array2, Array4, Axis};

use super::assert_caught;
use super::checks::ch05 as check;

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
fn ch05_1_wrong_sharpest_head() {
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
fn ch05_2_wrong_top_key() {
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
fn ch05_3_wrong_without_special() {
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

/// The right answer, if all is true: which sentences are asked, and how `a` and `b`, the
/// right noun's weight and the wrong one's, are compared.
#[allow(clippy::type_complexity)] // of the answer under test
fn gender(
    orders: &'static [bool],
    pronouns: &'static [&'static str],
    right: fn(&Array2<f64>, usize, usize, usize) -> bool,
) -> impl Fn(&dyn Fn(&[&str]) -> Array2<f64>, &[&str], usize, usize, usize) -> bool {
    move |head, words, pronoun, masculine, feminine| {
        orders.iter().all(|&swap| {
            let (mut words, [m, f]) = (words.to_vec(), [masculine, feminine]);
            let [m, f] = if swap { [f, m] } else { [m, f] };
            if swap {
                words.swap(m, f);
                words.swap(m - 1, f - 1);
            }
            pronouns.iter().all(|&word| {
                if !word.is_empty() {
                    words[pronoun] = word;
                }
                let (a, b) = if words[pronoun] == "ela" { (f, m) } else { (m, f) };
                right(&head(&words), pronoun, a, b)
            })
        })
    }
}

#[test]
fn ch05_4_wrong_reads_gender() {
    let more = |w: &Array2<f64>, p: usize, a: usize, b: usize| w[[p, a]] > w[[p, b]];
    let (both, pronouns): (&[bool], &[&str]) = (&[false, true], &["ela", "ele"]);
    check::reads_gender(gender(both, pronouns, more));
    // Only the sentence's own pronoun.
    assert_caught("ask it with the other pronoun", || {
        check::reads_gender(gender(both, &[""], more));
    });
    // Only the sentence's own order.
    assert_caught("Let the nouns change places", || {
        check::reads_gender(gender(&[false], pronouns, more));
    });
    // Only one sentence.
    assert_caught("ask it with the other pronoun", || {
        check::reads_gender(gender(&[false], &[""], more));
    });
    assert_caught("*more* than the wrong one", || {
        check::reads_gender(gender(both, pronouns, |w, p, a, b| {
            w[[p, a]] >= w[[p, b]]
        }));
    });
    assert_caught("the row looks", || {
        check::reads_gender(gender(both, pronouns, |w, p, a, b| {
            w[[p, a]] > w[[p, b]] || w[[a, p]] > w[[b, p]]
        }));
    });
    // The right noun has to be the choice.
    assert_caught("compare the nouns with each other", || {
        check::reads_gender(gender(both, pronouns, |w, p, a, _| {
            let row = w.row(p);
            row.indexed_iter().all(|(j, &weight)| j == a || weight < row[a])
        }));
    });
    // More than half the attention.
    assert_caught("compare the nouns with each other", || {
        check::reads_gender(gender(both, pronouns, |w, p, a, _| w[[p, a]] > 0.5));
    });
    // The nouns change places, but not in the answer.
    assert_caught("each stands where the other did", || {
        check::reads_gender(|head, words, pronoun, masculine, feminine| {
            [false, true].iter().all(|&swap| {
                let mut words = words.to_vec();
                if swap {
                    words.swap(masculine, feminine);
                    words.swap(masculine - 1, feminine - 1);
                }
                [("ela", feminine, masculine), ("ele", masculine, feminine)].iter().all(
                    |&(word, a, b)| {
                        words[pronoun] = word;
                        let weights = head(&words);
                        weights[[pronoun, a]] > weights[[pronoun, b]]
                    },
                )
            })
        });
    });
    // One of the sentences is enough.
    assert_caught("ask it with the other pronoun", || {
        check::reads_gender(|head, words, pronoun, masculine, feminine| {
            ["ela", "ele"].iter().any(|&word| {
                let mut words = words.to_vec();
                words[pronoun] = word;
                let (a, b) = if word == "ela" {
                    (feminine, masculine)
                } else {
                    (masculine, feminine)
                };
                let weights = head(&words);
                weights[[pronoun, a]] > weights[[pronoun, b]]
            })
        });
    });
    // The nouns change places, the articles stay.
    assert_caught("takes its article with it", || {
        check::reads_gender(|head, words, pronoun, masculine, feminine| {
            let mut swapped = words.to_vec();
            swapped.swap(masculine, feminine);
            [(words.to_vec(), masculine, feminine), (swapped, feminine, masculine)]
                .into_iter()
                .all(|(mut words, m, f)| {
                    [("ela", f, m), ("ele", m, f)].into_iter().all(|(word, a, b)| {
                        words[pronoun] = word;
                        let weights = head(&words);
                        weights[[pronoun, a]] > weights[[pronoun, b]]
                    })
                })
        });
    });
    // The places of the first test.
    assert_caught("the places are given", || {
        check::reads_gender(|head, words, _, _, _| {
            gender(&[false, true], &["ela", "ele"], |w, p, a, b| w[[p, a]] > w[[p, b]])(
                head, words, 6, 1, 4,
            )
        });
    });
}

type Halves = (std::ops::Range<usize>, std::ops::Range<usize>);

/// The right answer, if the halves and the lead are right.
fn chosen(
    hits: &Array2<bool>,
    control: &Array2<bool>,
    (choose, judge): Halves,
    lead: impl Fn(f64, f64) -> f64,
    last: bool,
) -> (usize, f64) {
    let of = |head: usize, cases: &std::ops::Range<usize>| {
        let share = |of: &Array2<bool>| {
            let hits = cases.clone().filter(|&case| of[[case, head]]).count();
            hits as f64 / cases.len() as f64
        };
        lead(share(hits), share(control))
    };
    let mut best = 0;
    for head in 1..hits.ncols() {
        let (new, old) = (of(head, &choose), of(best, &choose));
        if new > old || (last && new >= old) {
            best = head;
        }
    }
    (best, of(best, &judge))
}

#[test]
fn ch05_5_wrong_held_out() {
    let halves = |hits: &Array2<bool>| {
        let n = hits.nrows();
        (0..n / 2, n / 2..n)
    };
    let difference = |hits: f64, control: f64| hits - control;
    check::held_out(|h, c| chosen(h, c, halves(h), difference, false));
    assert_caught("of equals, the first", || {
        check::held_out(|h, c| chosen(h, c, halves(h), difference, true));
    });
    // Chosen by all cases.
    assert_caught("no part in the choice", || {
        check::held_out(|h, c| {
            chosen(h, c, (0..h.nrows(), halves(h).1), difference, false)
        });
    });
    // Judged where it was chosen.
    assert_caught("the second half", || {
        check::held_out(|h, c| {
            chosen(h, c, (halves(h).0, halves(h).0), difference, false)
        });
    });
    assert_caught("the second half", || {
        check::held_out(|h, c| {
            chosen(h, c, (halves(h).0, 0..h.nrows()), difference, false)
        });
    });
    // The halves changed.
    assert_caught("no part in the choice", || {
        check::held_out(|h, c| {
            let (one, other) = halves(h);
            chosen(h, c, (other, one), difference, false)
        });
    });
    // Without the control.
    assert_caught("so does its control", || {
        check::held_out(|h, c| chosen(h, c, halves(h), |hits, _| hits, false));
    });
    assert_caught("can be below 0", || {
        check::held_out(|h, c| {
            let (head, lead) = chosen(h, c, halves(h), difference, false);
            (head, lead.max(0.0))
        });
    });
    assert_caught("can be below 0", || {
        check::held_out(|h, c| {
            let (head, lead) = chosen(h, c, halves(h), difference, false);
            (head, lead.abs())
        });
    });
    // A count, not a share.
    assert_caught("1 hit of 4", || {
        check::held_out(|h, c| {
            let (head, lead) = chosen(h, c, halves(h), difference, false);
            (head, lead * h.nrows() as f64 / 2.0)
        });
    });
    // Every other case.
    assert_caught("head", || {
        check::held_out(|h, c| {
            let order: Vec<usize> =
                (0..h.nrows()).step_by(2).chain((1..h.nrows()).step_by(2)).collect();
            let [h, c] = [h, c].map(|of| of.select(Axis(0), &order));
            chosen(&h, &c, halves(&h), difference, false)
        });
    });
}

/// What a check of a map looks at.
#[derive(Clone, Copy)]
struct Looks {
    signs: fn(f64) -> bool,
    sums: fn(f64) -> bool,
    columns_first: bool,
    hidden_rows: bool,
    seen: fn(f64) -> bool,
    later: fn(usize, usize) -> bool,
}

const RIGHT: Looks = Looks {
    signs: |w| w.is_finite() && w >= 0.0,
    sums: |sum| (sum - 1.0).abs() < 1e-9,
    columns_first: false,
    hidden_rows: false,
    seen: |w| w > 1e-9,
    later: |i, j| j > i,
};

fn flaw(looks: Looks) -> impl Fn(&Array2<f64>, &[bool], bool) -> &'static str {
    move |weights, hidden, causal| {
        let sums =
            |axis| weights.sum_axis(Axis(axis)).iter().all(|&sum| (looks.sums)(sum));
        let (rows, columns) = (sums(1), sums(0));
        let any = |wrong: &dyn Fn(usize, usize) -> bool| {
            weights.indexed_iter().any(|((i, j), &w)| wrong(i, j) && (looks.seen)(w))
        };
        if !weights.iter().all(|&weight| (looks.signs)(weight)) {
            "no weights"
        } else if columns && (looks.columns_first || !rows) {
            "columns"
        } else if !rows {
            "rows"
        } else if any(&|i, j| hidden[if looks.hidden_rows { i } else { j }]) {
            "padding"
        } else if causal && any(&|i, j| (looks.later)(i, j)) {
            "future"
        } else {
            "none"
        }
    }
}

#[test]
fn ch05_6_wrong_find_flaw() {
    check::find_flaw(flaw(RIGHT));
    assert_caught("ask whether it is finite", || {
        check::find_flaw(flaw(Looks { signs: |w| w.is_nan() || w >= 0.0, ..RIGHT }));
    });
    assert_caught("no weight is negative", || {
        check::find_flaw(flaw(Looks { signs: f64::is_finite, ..RIGHT }));
    });
    assert_caught("rows are what counts", || {
        check::find_flaw(flaw(Looks { columns_first: true, ..RIGHT }));
    });
    #[allow(clippy::float_cmp)]
    let exact = Looks { sums: |sum| sum == 1.0, ..RIGHT };
    assert_caught("up to 1e-9", || check::find_flaw(flaw(exact)));
    assert_caught("its column is 0", || {
        check::find_flaw(flaw(Looks { hidden_rows: true, ..RIGHT }));
    });
    assert_caught("j ≤ i", || {
        check::find_flaw(flaw(Looks { later: |i, j| j >= i, ..RIGHT }));
    });
    assert_caught("j ≤ i", || {
        check::find_flaw(flaw(Looks { later: |i, j| j < i, ..RIGHT }));
    });
    assert_caught("may look back only", || {
        check::find_flaw(flaw(Looks { later: |_, _| false, ..RIGHT }));
    });
    // The causal mask is always asked for.
    assert_caught("the future may be seen", || {
        check::find_flaw(|weights, hidden, _| flaw(RIGHT)(weights, hidden, true));
    });
    // Padding is not asked for.
    assert_caught("row 0 looks at it", || {
        check::find_flaw(|weights, _, causal| {
            flaw(RIGHT)(weights, &vec![false; weights.nrows()], causal)
        });
    });
    // The sums are not asked for.
    assert_caught("softmax ran over the other axis", || {
        check::find_flaw(flaw(Looks { sums: |_| true, ..RIGHT }));
    });
    // The future before the sums.
    assert_caught("Say so before anything else", || {
        check::find_flaw(|weights, hidden, causal| {
            let later = weights.indexed_iter().any(|((i, j), &w)| j > i && w > 1e-9);
            if causal && later {
                "future"
            } else {
                flaw(RIGHT)(weights, hidden, causal)
            }
        });
    });
    // All that isn't right is the columns' fault.
    assert_caught("no softmax at all", || {
        check::find_flaw(|weights, hidden, causal| {
            match flaw(RIGHT)(weights, hidden, causal) {
                "rows" => "columns",
                other => other,
            }
        });
    });
}
