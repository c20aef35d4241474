//! Wrong answers to chapter 9's exercises.

use std::f64::consts::LN_2;

use ndarray::{Array2, Axis, concatenate};
use self_attention::softmax;
use whole_transformer::{mask, scaled_dot_product};

use super::assert_caught;
use super::checks::ch09 as check;

/// Who looks, `[n, past + n]`, as `looks` says of a query's row and a key.
fn grid(past: usize, n: usize, looks: impl Fn(usize, usize) -> bool) -> Array2<bool> {
    Array2::from_shape_fn((n, past + n), |(i, key)| looks(i, key))
}

#[test]
fn ch09_1_wrong_visible() {
    check::visible(|past, n, padding| {
        grid(past, n, |i, key| (padding..=past + i).contains(&key))
    });
    // Only what comes before; one too many.
    assert_caught("a token looks at itself", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| padding <= key && key < past + i)
        });
    });
    assert_caught("the causal mask", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| padding <= key && key <= past + i + 1)
        });
    });
    // What comes later, for what comes before.
    assert_caught("those before it", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| padding <= key && key >= past + i)
        });
    });
    // The mask of a text without a cache.
    assert_caught("but token 3 of the text", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| padding <= key && key <= i)
        });
    });
    // The new tokens' keys alone.
    assert_caught("all of the cache", || {
        check::visible(|_, n, padding| grid(0, n, |i, key| padding <= key && key <= i));
    });
    // No mask, as there is a cache.
    assert_caught("query i is that of token past + i", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| past > 0 || (padding <= key && key <= past + i))
        });
    });
    // Padding forgotten; on the right; looking at itself, lest its row be empty.
    assert_caught("stands on the left", || {
        check::visible(|past, n, _| grid(past, n, |i, key| key <= past + i));
    });
    assert_caught("stands on the left", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| key <= past + i && key < past + n - padding)
        });
    });
    assert_caught("not even it itself", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| {
                key == past + i || (padding <= key && key <= past + i)
            })
        });
    });
    // Places counted from the first token that isn't padding.
    assert_caught("It moves no token", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| padding <= key && key + padding <= past + i)
        });
    });
    assert_caught("not from the first new one", || {
        check::visible(|past, n, padding| {
            grid(past, n, |i, key| {
                key <= past + i && !(past..past + padding).contains(&key)
            })
        });
    });
    // Padding in the cache alone, or in the new tokens alone.
    assert_caught("reaches from the cache", || {
        check::visible(|past, n, padding| {
            let cached = if past == 0 { padding } else { padding.min(past) };
            grid(past, n, |i, key| cached <= key && key <= past + i)
        });
    });
}

/// A layer's cache, and what comes: queries, keys and values.
type Cache<'a> = (&'a mut Array2<f64>, &'a mut Array2<f64>);
type New<'a> = [&'a Array2<f64>; 3];

/// Puts the new behind the old, and attends as `looks` says of `past`, a row and a key,
/// with `scale` times the scores.
fn attended(
    (keys, values): Cache,
    [q, k, v]: New,
    scale: f64,
    looks: impl Fn(usize, usize, usize) -> bool,
) -> Array2<f64> {
    let past = keys.nrows();
    keys.append(Axis(0), k.view()).unwrap();
    values.append(Axis(0), v.view()).unwrap();
    let mut scores = q.dot(&keys.t()) / (q.ncols() as f64).sqrt() * scale;
    for ((i, key), score) in scores.indexed_iter_mut() {
        if !looks(past, i, key) {
            *score = f64::NEG_INFINITY;
        }
    }
    softmax(&scores).dot(values)
}

#[test]
fn ch09_2_wrong_attend_new() {
    let causal = |past: usize, i: usize, key: usize| key <= past + i;
    let right = |cache: Cache, new: New| attended(cache, new, 1.0, causal);
    check::attend_new(|keys, values, q, k, v| right((keys, values), [q, k, v]));
    let caught = |hint: &str, answer: &dyn Fn(Cache, New) -> Array2<f64>| {
        assert_caught(hint, || {
            check::attend_new(|keys, values, q, k, v| {
                answer((keys, values), [q, k, v])
            });
        });
    };
    // No mask; without itself; the mask of a text without a cache.
    caught("and not at those after it", &|cache, new| {
        attended(cache, new, 1.0, |_, _, _| true)
    });
    caught("looks at itself", &|cache, new| {
        attended(cache, new, 1.0, |past, i, key| key < past + i)
    });
    caught("it has the last place", &|cache, new| {
        attended(cache, new, 1.0, |_, i, key| key <= i)
    });
    // A mask for the prompt alone.
    caught("doesn't make the mask needless", &|cache, new| {
        attended(cache, new, 1.0, |past, i, key| past > 0 || key <= i)
    });
    // Behind a cache, the cache and itself, but not those in between.
    caught("query i has place past + i", &|cache, new| {
        attended(cache, new, 1.0, |past, i, key| {
            if past == 0 { key <= i } else { key < past || key == past + i }
        })
    });
    for scale in [2.0, 0.5] {
        caught("q · k / √d_k", &|cache, new| attended(cache, new, scale, causal));
    }
    // Only the newest token's row.
    caught("the shape is wrong", &|cache, new| {
        let found = right(cache, new);
        found.select(Axis(0), &[found.nrows() - 1])
    });
    // Nothing kept; only the newest; the newest first; without values.
    caught("those to come look at them", &|(keys, values), new| {
        right((&mut keys.clone(), &mut values.clone()), new)
    });
    caught("the cache has the keys of all", &|(keys, values), new| {
        let found = right((keys, values), new);
        (*keys, *values) = (new[1].clone(), new[2].clone());
        found
    });
    caught("in the order of the text", &|(keys, values), new| {
        let found = right((&mut keys.clone(), &mut values.clone()), new);
        *keys = concatenate![Axis(0), *new[1], *keys];
        *values = concatenate![Axis(0), *new[2], *values];
        found
    });
    caught("the cache has the values of all", &|(keys, values), new| {
        right((keys, &mut values.clone()), new)
    });
}

/// The tokens from the likeliest down; of equals the last first, or the first.
fn from_the_top(probabilities: &[f64], last_first: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    if last_first {
        order.reverse();
    }
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

/// Those of `order` before which `goes_on` holds of the sum and of the sum with them.
fn taken(
    probabilities: &[f64],
    order: Vec<usize>,
    goes_on: impl Fn(f64, f64) -> bool,
) -> Vec<usize> {
    let (mut kept, mut sum) = (Vec::new(), 0.0);
    for token in order {
        let with = sum + probabilities[token];
        if !goes_on(sum, with) {
            break;
        }
        kept.push(token);
        sum = with;
    }
    kept.sort_unstable();
    kept
}

/// The tokens of which `stays` holds.
fn which(probabilities: &[f64], stays: impl Fn(f64) -> bool) -> Vec<usize> {
    (0..probabilities.len()).filter(|&token| stays(probabilities[token])).collect()
}

#[test]
fn ch09_3_wrong_top_p() {
    let right = |probabilities: &[f64], p: f64| {
        let order = from_the_top(probabilities, true);
        taken(probabilities, order, |sum, _| sum == 0.0 || sum < p)
    };
    check::top_p(right);
    // In the order of the vocabulary; from the least likely up.
    assert_caught("from the largest down", || {
        check::top_p(|probabilities, p| {
            let order = (0..probabilities.len()).collect();
            taken(probabilities, order, |sum, _| sum < p)
        });
    });
    assert_caught("from the largest down", || {
        check::top_p(|probabilities, p| {
            let mut order = from_the_top(probabilities, false);
            order.reverse();
            taken(probabilities, order, |sum, _| sum < p)
        });
    });
    // Without the one that reaches p.
    assert_caught("with the one that reaches p", || {
        check::top_p(|probabilities, p| {
            let order = from_the_top(probabilities, true);
            taken(probabilities, order, |_, with| with <= p)
        });
    });
    // Each alone: p, 1 − p, or a share of the likeliest, which is min-p.
    assert_caught("with the one that reaches p", || {
        check::top_p(|probabilities, p| which(probabilities, |x| x >= p));
    });
    assert_caught("with the one that reaches p", || {
        check::top_p(|probabilities, p| which(probabilities, |x| x >= 1.0 - p));
    });
    assert_caught("with the one that reaches p", || {
        check::top_p(|probabilities, p| {
            let most = probabilities.iter().copied().fold(0.0, f64::max);
            which(probabilities, |x| x >= p * most)
        });
    });
    assert_caught("in ascending order", || {
        check::top_p(|probabilities, p| {
            let kept = right(probabilities, p);
            let mut order = from_the_top(probabilities, true);
            order.retain(|token| kept.contains(token));
            order
        });
    });
    assert_caught("not more than p", || {
        check::top_p(|probabilities, p| {
            let order = from_the_top(probabilities, true);
            taken(probabilities, order, |sum, _| sum <= p)
        });
    });
    // All equals at the edge; the first of them.
    assert_caught("top-p keeps no more than it needs", || {
        check::top_p(|probabilities, p| {
            let kept = right(probabilities, p);
            let edge = kept.iter().map(|&token| probabilities[token]);
            let edge = edge.fold(1.0, f64::min);
            which(probabilities, |x| x >= edge)
        });
    });
    assert_caught("the last two stay", || {
        check::top_p(|probabilities, p| {
            let order = from_the_top(probabilities, false);
            taken(probabilities, order, |sum, _| sum < p)
        });
    });
    // None; with what goes out counted from below.
    assert_caught("but one stays", || {
        check::top_p(|probabilities, p| {
            let order = from_the_top(probabilities, true);
            taken(probabilities, order, |sum, _| sum < p)
        });
    });
    assert_caught("and of equals the last", || {
        check::top_p(|probabilities, p| {
            if p > 0.0 {
                return right(probabilities, p);
            }
            from_the_top(probabilities, false)[..1].to_vec()
        });
    });
    assert_caught("and yet one token stays", || {
        check::top_p(|probabilities, p| {
            if p == 0.0 {
                return right(probabilities, p);
            }
            let mut order = from_the_top(probabilities, true);
            order.reverse();
            let out = taken(probabilities, order, |_, with| with <= 1.0 - p);
            (0..probabilities.len()).filter(|token| !out.contains(token)).collect()
        });
    });
    assert_caught("with probability 0", || {
        check::top_p(|probabilities, p| {
            if p < 1.0 {
                return right(probabilities, p);
            }
            (0..probabilities.len()).collect()
        });
    });
}

/// The softmax by the definition, of scores that don't overflow.
fn plain(scores: &[f64]) -> Vec<f64> {
    let exponentials: Vec<f64> = scores.iter().map(|score| score.exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|x| x / sum).collect()
}

/// The scores less the largest.
fn shifted(scores: &[f64]) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter().map(|score| score - largest).collect()
}

/// The scores divided.
fn divided(scores: &[f64], by: f64) -> Vec<f64> {
    scores.iter().map(|score| score / by).collect()
}

/// 1 for the tokens of which `first` says yes, shared by them.
fn shared(logits: &[f64], largest: impl Fn(usize) -> bool) -> Vec<f64> {
    let ones = (0..logits.len()).map(|token| f64::from(u8::from(largest(token))));
    let ones: Vec<f64> = ones.collect();
    divided(&ones, ones.iter().sum())
}

#[test]
fn ch09_4_wrong_tempered() {
    let limit = |logits: &[f64]| {
        let shifted = shifted(logits);
        shared(logits, |token| shifted[token] == 0.0)
    };
    let right = |logits: &[f64], temperature: f64| {
        if temperature == 0.0 {
            return limit(logits);
        }
        plain(&divided(&shifted(logits), temperature))
    };
    check::tempered(right);
    let caught = |hint: &str, answer: &dyn Fn(&[f64], f64) -> Vec<f64>| {
        assert_caught(hint, || check::tempered(answer));
    };
    caught("logits are divided", &|logits, temperature| {
        plain(&divided(&shifted(logits), 1.0 / temperature))
    });
    // The probabilities divided, instead of the logits.
    caught("logits are divided", &|logits, temperature| {
        divided(&plain(&shifted(logits)), temperature)
    });
    // Divided by 0: 0 / 0 is NaN.
    caught("without 0 / 0", &|logits, temperature| {
        plain(&divided(&shifted(logits), temperature))
    });
    // 0 as if it said: don't.
    caught("the largest takes all", &|logits, temperature| {
        right(logits, if temperature == 0.0 { 1.0 } else { temperature })
    });
    caught("the maximum doesn't begin from 0", &|logits, temperature| {
        if temperature > 0.0 {
            return right(logits, temperature);
        }
        let largest = logits.iter().copied().fold(0.0, f64::max);
        shared(logits, |token| logits[token] >= largest)
    });
    // The first of equals; the last.
    caught("they share", &|logits, temperature| {
        if temperature > 0.0 {
            return right(logits, temperature);
        }
        let first = limit(logits).iter().position(|&share| share > 0.0);
        shared(logits, |token| Some(token) == first)
    });
    caught("they share", &|logits, temperature| {
        if temperature > 0.0 {
            return right(logits, temperature);
        }
        let last = limit(logits).iter().rposition(|&share| share > 0.0);
        shared(logits, |token| Some(token) == last)
    });
    // A small number for 0; equal if nearly so.
    caught("not a small number in its place", &|logits, temperature| {
        right(logits, temperature.max(1e-6))
    });
    caught("not a small number in its place", &|logits, temperature| {
        if temperature > 0.0 {
            return right(logits, temperature);
        }
        let shifted = shifted(logits);
        shared(logits, |token| shifted[token] > -1e-6)
    });
    caught("no exponential may overflow", &|logits, temperature| {
        if temperature == 0.0 {
            return limit(logits);
        }
        plain(&divided(logits, temperature))
    });
    caught("subtract the largest, then divide", &|logits, temperature| {
        if temperature == 0.0 {
            return limit(logits);
        }
        plain(&shifted(&divided(logits, temperature)))
    });
    // A number in place of −∞, and not low enough.
    caught("−∞ is a token taken out", &|logits, temperature| {
        let finite: Vec<f64> = logits.iter().map(|logit| logit.max(-10.0)).collect();
        right(&finite, temperature)
    });
}

/// −ln of the probability that the softmax of a row gives a token.
fn surprise(row: &[f64], token: usize) -> f64 {
    let row = shifted(row);
    row.iter().map(|score| score.exp()).sum::<f64>().ln() - row[token]
}

/// The sum of the surprises of rows at tokens.
fn nats(logits: &Array2<f64>, tokens: &[usize]) -> f64 {
    logits
        .rows()
        .into_iter()
        .zip(tokens)
        .map(|(row, &t)| surprise(&row.to_vec(), t))
        .sum()
}

#[test]
fn ch09_5_wrong_perplexity() {
    /// What an answer makes of the nats, the tokens guessed and the text.
    type Made = fn(f64, f64, &str) -> (f64, f64);
    let bytes = |text: &str| text.len() as f64;
    check::perplexity(|logits, tokens, text| {
        let nats = nats(logits, &tokens[1..]);
        ((nats / (tokens.len() - 1) as f64).exp(), nats / LN_2 / bytes(text))
    });
    // Row i for token i, without token 0 and with it.
    assert_caught("row i guesses token i + 1", || {
        check::perplexity(|logits, tokens, text| {
            let own = nats(&logits.select(Axis(0), &[1, 2]), &tokens[1..3]);
            ((own / 2.0).exp(), own / LN_2 / bytes(text))
        });
    });
    assert_caught("token 0 is given", || {
        check::perplexity(|logits, tokens, text| {
            let all = nats(logits, tokens);
            ((all / tokens.len() as f64).exp(), all / LN_2 / bytes(text))
        });
    });
    let made = |hint: &str, made: Made| {
        assert_caught(hint, || {
            check::perplexity(|logits, tokens, text| {
                made(nats(logits, &tokens[1..]), (tokens.len() - 1) as f64, text)
            });
        });
    };
    // The mean of one token more; the sum; e to the mean in bits; the mean itself.
    made("The mean is of the 2 guesses", |nats, guessed, text| {
        ((nats / (guessed + 1.0)).exp(), nats / LN_2 / text.len() as f64)
    });
    made("The mean is of the 2 guesses", |nats, _, text| {
        (nats.exp(), nats / LN_2 / text.len() as f64)
    });
    made("The mean is of the 2 guesses", |nats, guessed, text| {
        ((nats / LN_2 / guessed).exp(), nats / LN_2 / text.len() as f64)
    });
    made("the root of 2 · 8 is 4", |nats, guessed, text| {
        (nats / guessed, nats / LN_2 / text.len() as f64)
    });
    // By tokens; by characters; in nats; turned around.
    made("Not by tokens", |nats, guessed, _| {
        ((nats / guessed).exp(), nats / LN_2 / guessed)
    });
    made("nor by characters", |nats, guessed, text| {
        ((nats / guessed).exp(), nats / LN_2 / text.chars().count() as f64)
    });
    made("nor with natural logarithms", |nats, guessed, text| {
        ((nats / guessed).exp(), nats / text.len() as f64)
    });
    made("4 bytes", |nats, guessed, text| {
        ((nats / guessed).exp(), -nats / LN_2 / text.len() as f64)
    });
    // The mean of the perplexities; one over the mean of the probabilities.
    let means: [fn(&[f64]) -> f64; 2] = [
        |surprises| {
            let sum: f64 = surprises.iter().map(|x| x.exp()).sum();
            sum / surprises.len() as f64
        },
        |surprises| {
            let sum: f64 = surprises.iter().map(|x| (-x).exp()).sum();
            surprises.len() as f64 / sum
        },
    ];
    for mean in means {
        assert_caught("the root of 2 · 8 is 4", || {
            check::perplexity(|logits, tokens, text| {
                let rows = logits.rows().into_iter().zip(&tokens[1..]);
                let all: Vec<f64> =
                    rows.map(|(row, &t)| surprise(&row.to_vec(), t)).collect();
                (mean(&all), nats(logits, &tokens[1..]) / LN_2 / bytes(text))
            });
        });
    }
    // Logits taken for logarithms of probabilities; without and with a softmax that
    // overflows; the logarithm of a softmax that vanishes.
    let with = |hint: &str, surprise: &dyn Fn(&[f64], usize) -> f64| {
        assert_caught(hint, || {
            check::perplexity(|logits, tokens, text| {
                let rows = logits.rows().into_iter().zip(&tokens[1..]);
                let nats: f64 = rows.map(|(row, &t)| surprise(&row.to_vec(), t)).sum();
                let guessed = (tokens.len() - 1) as f64;
                ((nats / guessed).exp(), nats / LN_2 / bytes(text))
            });
        });
    };
    with("Logits are not probabilities yet", &|row, token| -row[token]);
    with("must neither overflow", &|row, token| -plain(row)[token].ln());
    with("is 0 in numbers of 64 bits", &|row, token| -plain(&shifted(row))[token].ln());
    with("is 0 in numbers of 64 bits", &|row, token| {
        -(plain(&shifted(row))[token] + 1e-300).ln()
    });
}

/// Tokens, with their sum or their score.
type Text = (Vec<usize>, f64);

/// How a search differs from the right one.
#[derive(Clone, Copy, PartialEq)]
enum Search {
    Right,
    /// What has ended goes on competing, in its place.
    Stays,
    /// One place less for each that has ended.
    Narrows,
    /// The first end is the end of all.
    Stops,
    /// A search that keeps of each text only the likeliest that goes on from it.
    Apart,
    /// What hasn't ended is lost at the limit.
    Drops,
}

/// All that `search` finishes, with their sums.
fn finished(
    table: &Array2<f64>,
    (start, end): (usize, usize),
    limit: usize,
    mut b: usize,
    search: Search,
) -> Vec<Text> {
    let ended = |tokens: &[usize]| tokens.last() == Some(&end);
    let (mut beam, mut done): (Vec<Text>, _) = (vec![(vec![], 0.0)], Vec::new());
    for _ in 0..limit {
        let mut all = Vec::new();
        for (tokens, sum) in beam {
            if ended(&tokens) {
                all.push((tokens, sum));
                continue;
            }
            let last = *tokens.last().unwrap_or(&start);
            let mut longer: Vec<Text> = (table.row(last).iter().enumerate())
                .map(|(next, x)| ([&tokens[..], &[next]].concat(), sum + x))
                .collect();
            longer.sort_by(|x, y| y.1.total_cmp(&x.1));
            if search == Search::Apart && !tokens.is_empty() {
                longer.truncate(1);
            }
            all.extend(longer);
        }
        all.sort_by(|x, y| y.1.total_cmp(&x.1));
        all.truncate(b);
        if search == Search::Stays {
            beam = all;
            continue;
        }
        let (left, goes_on): (Vec<Text>, Vec<Text>) =
            all.into_iter().partition(|(tokens, _)| ended(tokens));
        if search == Search::Narrows {
            b -= left.len();
        }
        done.extend(left);
        beam = goes_on;
        if search == Search::Stops && !done.is_empty() {
            return done;
        }
    }
    if search != Search::Drops {
        done.extend(beam);
    }
    done
}

/// The text with the largest of what `score` says of its sum and its length.
fn largest(texts: Vec<Text>, score: impl Fn(f64, usize) -> f64) -> Text {
    let scored = texts.into_iter().map(|(tokens, sum)| {
        let score = score(sum, tokens.len());
        (tokens, score)
    });
    scored.max_by(|x, y| x.1.total_cmp(&y.1)).unwrap_or((vec![], f64::NEG_INFINITY))
}

#[test]
fn ch09_6_wrong_best_text() {
    let mean = |sum: f64, length: usize| sum / length as f64;
    check::best_text(|table, ends, limit, b| {
        largest(finished(table, ends, limit, b, Search::Right), mean)
    });
    let caught = |hint: &str, search: Search| {
        assert_caught(hint, || {
            check::best_text(|table, ends, limit, b| {
                largest(finished(table, ends, limit, b, search), mean)
            });
        });
    };
    caught("leaves the beam", Search::Stays);
    caught("gives its place to others", Search::Narrows);
    caught("doesn't end the search", Search::Stops);
    caught("go on from the same text", Search::Apart);
    caught("is finished as it is", Search::Drops);
    // Always greedy; always everything.
    assert_caught("doesn't begin the best text", || {
        check::best_text(|table, ends, limit, _| {
            largest(finished(table, ends, limit, 1, Search::Right), mean)
        });
    });
    assert_caught("a beam of 1 is the greedy search", || {
        check::best_text(|table, ends, limit, b| {
            largest(finished(table, ends, limit, b + 1, Search::Right), mean)
        });
    });
    assert_caught("has forgotten 4", || {
        check::best_text(|table, ends, limit, b| {
            let wide = if b == 2 && limit == 8 { 3 } else { b };
            largest(finished(table, ends, limit, wide, Search::Right), mean)
        });
    });
    assert_caught("room for 4", || {
        check::best_text(|table, ends, limit, b| {
            largest(finished(table, ends, limit, b.min(2), Search::Right), mean)
        });
    });
    // The sum for the score, to choose by and to return; only to choose by.
    assert_caught("by the number of tokens added", || {
        check::best_text(|table, ends, limit, b| {
            largest(finished(table, ends, limit, b, Search::Right), |sum, _| sum)
        });
    });
    assert_caught("have the better mean", || {
        check::best_text(|table, ends, limit, b| {
            let texts = finished(table, ends, limit, b, Search::Right);
            let (tokens, sum) = largest(texts, |sum, _| sum);
            let score = mean(sum, tokens.len());
            (tokens, score)
        });
    });
    // `start` counted; the probability for its logarithm; `start` returned; no `end`.
    assert_caught("`start` is not", || {
        check::best_text(|table, ends, limit, b| {
            let texts = finished(table, ends, limit, b, Search::Right);
            largest(texts, |sum, length| sum / (length + 1) as f64)
        });
    });
    assert_caught("the mean of the logarithms", || {
        check::best_text(|table, ends, limit, b| {
            let texts = finished(table, ends, limit, b, Search::Right);
            largest(texts, |sum, length| mean(sum, length).exp())
        });
    });
    assert_caught("`start` isn't returned", || {
        check::best_text(|table, ends, limit, b| {
            let texts = finished(table, ends, limit, b, Search::Right);
            let (mut tokens, score) = largest(texts, mean);
            tokens.insert(0, ends.0);
            (tokens, score)
        });
    });
    assert_caught("and `end` is", || {
        check::best_text(|table, ends, limit, b| {
            let texts = finished(table, ends, limit, b, Search::Right);
            let (mut tokens, score) = largest(texts, mean);
            tokens.pop_if(|last| *last == ends.1);
            (tokens, score)
        });
    });
    // The table read by columns.
    assert_caught("2 has 0.6, and then 4 has 0.4", || {
        check::best_text(|table, ends, limit, b| {
            let turned = table.t().to_owned();
            largest(finished(&turned, ends, limit, b, Search::Right), mean)
        });
    });
    // Nothing to be done if the text begins with its end.
    assert_caught("it ends nothing at the beginning", || {
        check::best_text(|table, ends, limit, b| {
            if ends.0 == ends.1 {
                return (vec![], 0.0);
            }
            largest(finished(table, ends, limit, b, Search::Right), mean)
        });
    });
}

/// The weights that `place` names for a token and the last place where it stood before.
fn named(
    weights: &Array2<f64>,
    tokens: &[usize],
    place: impl Fn(usize, usize) -> [usize; 2],
) -> Vec<f64> {
    let earlier =
        |i: usize| tokens[..i].iter().rposition(|&before| before == tokens[i]);
    let places = (0..tokens.len()).filter_map(|i| Some(place(i, earlier(i)?)));
    places.map(|place| weights[place]).collect()
}

fn mean(found: &[f64]) -> Option<f64> {
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

#[test]
fn ch09_7_wrong_induction_score() {
    let after = |i: usize, earlier: usize| [i, earlier + 1];
    check::induction_score(|weights, tokens| mean(&named(weights, tokens, after)));
    // The earlier occurrence itself; the one before it; columns for rows.
    let places: [fn(usize, usize) -> [usize; 2]; 3] = [
        |i, earlier| [i, earlier],
        |i, earlier| [i, earlier.saturating_sub(1)],
        |i, earlier| [earlier + 1, i],
    ];
    for place in places {
        assert_caught("the column the one *after* the earlier occurrence", || {
            check::induction_score(|weights, tokens| {
                mean(&named(weights, tokens, place))
            });
        });
    }
    // By all tokens; by all that can repeat.
    for fewer in [0, 1] {
        assert_caught("don't count in the mean", || {
            check::induction_score(|weights, tokens| {
                let found = named(weights, tokens, after);
                let all = tokens.len() as f64 - f64::from(fewer);
                mean(&found).map(|_| found.iter().sum::<f64>() / all)
            });
        });
    }
    assert_caught("the mean of 31 and 42", || {
        check::induction_score(|weights, tokens| {
            named(weights, tokens, after).into_iter().reduce(|a, b| a + b)
        });
    });
    assert_caught("the mean of 31 and 42", || {
        check::induction_score(|weights, tokens| {
            named(weights, tokens, after).into_iter().reduce(f64::max)
        });
    });
    // After the first occurrence; after all.
    assert_caught("not after the first", || {
        check::induction_score(|weights, tokens| {
            let found: Vec<f64> = (0..tokens.len())
                .filter_map(|i| {
                    let first = tokens.iter().position(|&token| token == tokens[i])?;
                    (first < i).then(|| weights[[i, first + 1]])
                })
                .collect();
            mean(&found)
        });
    });
    assert_caught("not after the first", || {
        check::induction_score(|weights, tokens| {
            let mut found = Vec::new();
            for i in 0..tokens.len() {
                let earlier = (0..i).filter(|&j| tokens[j] == tokens[i]);
                found.extend(earlier.map(|j| weights[[i, j + 1]]));
            }
            mean(&found)
        });
    });
    // Two side by side left out.
    assert_caught("Two of the same side by side", || {
        check::induction_score(|weights, tokens| {
            let mut found = Vec::new();
            for i in 1..tokens.len() {
                let earlier =
                    tokens[..i - 1].iter().rposition(|&before| before == tokens[i]);
                found.extend(earlier.map(|j| weights[[i, j + 1]]));
            }
            mean(&found)
        });
    });
    // As in a text that is said twice.
    assert_caught("not half the text", || {
        check::induction_score(|weights, tokens| {
            if tokens != [4, 5, 5, 6, 4, 6] {
                return mean(&named(weights, tokens, after));
            }
            let half = tokens.len() / 2;
            mean(
                &(half..tokens.len())
                    .map(|i| weights[[i, i - half + 1]])
                    .collect::<Vec<_>>(),
            )
        });
    });
    for none in [0.0, f64::NAN] {
        assert_caught("nothing repeats", || {
            check::induction_score(|weights, tokens| {
                mean(&named(weights, tokens, after)).or(Some(none))
            });
        });
    }
}

/// Rows with a 1 in the column that `column` names, `[n, columns]`.
fn ones(
    n: usize,
    columns: usize,
    column: impl Fn(usize) -> Option<usize>,
) -> Array2<f64> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        f64::from(u8::from(column(i) == Some(j)))
    })
}

/// Attention whose queries are `long` times as long: its weights, and what it finds.
fn found(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
    long: f64,
) -> (Array2<f64>, Array2<f64>) {
    let mask = mask::causal(q.nrows());
    let found = scaled_dot_product(&(q * long), k, v, Some(&mask)).unwrap();
    (found.weights, found.output)
}

/// A text's places, the places before, and its tokens.
fn vectors(tokens: &[usize], vocabulary: usize) -> [Array2<f64>; 3] {
    let n = tokens.len();
    [
        ones(n, n, Some),
        ones(n, n, |i| i.checked_sub(1)),
        ones(n, vocabulary, |i| Some(tokens[i])),
    ]
}

/// An answer to exercise 8.
type Answer<'a> = &'a dyn Fn(&[usize], usize) -> [Array2<f64>; 3];

#[test]
fn ch09_8_wrong_induction_circuit() {
    let heads = |[places, before, words]: &[Array2<f64>; 3], long: f64| {
        let (previous, taken) = found(before, places, words, long);
        let (induction, guesses) = found(words, &taken, words, long);
        [previous, induction, guesses]
    };
    let right =
        |tokens: &[usize], vocabulary: usize| heads(&vectors(tokens, vocabulary), 1e4);
    check::induction_circuit(right);
    let caught = |hint: &str, answer: Answer| {
        assert_caught(hint, || check::induction_circuit(answer));
    };
    // A match that is no louder than the rest; louder, but not enough.
    for long in [1.0, 20.0] {
        caught("less than 1e-12", &|tokens, vocabulary| {
            heads(&vectors(tokens, vocabulary), long)
        });
    }
    // Head 1 at the token itself; at the next; at tokens, not places.
    caught("its 1 in column i − 1", &|tokens, vocabulary| {
        let [places, _, words] = vectors(tokens, vocabulary);
        heads(&[places.clone(), places, words], 1e4)
    });
    caught("its 1 in column i − 1", &|tokens, vocabulary| {
        let [places, before, words] = vectors(tokens, vocabulary);
        heads(&[places, before.t().to_owned(), words], 1e4)
    });
    // The first token looks nowhere.
    caught("in its own", &|tokens, vocabulary| {
        let [mut previous, induction, guesses] = right(tokens, vocabulary);
        previous[[0, 0]] = 0.0;
        [previous, induction, guesses]
    });
    // Head 2 looks for its own token, as if head 1 weren't there.
    caught("looking for the same token", &|tokens, vocabulary| {
        let [places, before, words] = vectors(tokens, vocabulary);
        let (previous, _) = found(&before, &places, &words, 1e4);
        let (induction, guesses) = found(&words, &words, &words, 1e4);
        [previous, induction, guesses]
    });
    // Queries and keys the wrong way around: who has my predecessor for its token?
    caught("Its query is its token", &|tokens, vocabulary| {
        let [places, before, words] = vectors(tokens, vocabulary);
        let (previous, taken) = found(&before, &places, &words, 1e4);
        let (induction, guesses) = found(&taken, &words, &words, 1e4);
        [previous, induction, guesses]
    });
    // Takes what head 1 took.
    caught("not what head 1 took there", &|tokens, vocabulary| {
        let [places, before, words] = vectors(tokens, vocabulary);
        let (previous, taken) = found(&before, &places, &words, 1e4);
        let (induction, guesses) = found(&words, &taken, &taken, 1e4);
        [previous, induction, guesses]
    });
    // Without a mask, tokens to come match, too.
    caught("what the mask leaves", &|tokens, vocabulary| {
        let [places, before, words] = vectors(tokens, vocabulary);
        let (previous, taken) = found(&before, &places, &words, 1e4);
        let open = scaled_dot_product(&(&words * 1e4), &taken, &words, None).unwrap();
        [previous, open.weights, open.output]
    });
    // By search instead of attention: a token that is new looks at itself, or at the
    // first; only the last match counts.
    for first in [false, true] {
        caught("shares alike among what the mask leaves", &|tokens, vocabulary| {
            let [previous, _, _] = right(tokens, vocabulary);
            let [_, _, words] = vectors(tokens, vocabulary);
            let n = tokens.len();
            let induction = ones(n, n, |i| {
                let at = (1..=i).rev().find(|&j| tokens[j - 1] == tokens[i]);
                at.or(Some(if first { 0 } else { i }))
            });
            let guesses = induction.dot(&words);
            [previous, induction, guesses]
        });
    }
    caught("all three match alike", &|tokens, vocabulary| {
        let [previous, mut induction, _] = right(tokens, vocabulary);
        let [_, _, words] = vectors(tokens, vocabulary);
        for i in 0..tokens.len() {
            let last = (1..=i).rev().find(|&j| tokens[j - 1] == tokens[i]);
            if let Some(last) = last {
                induction.row_mut(i).fill(0.0);
                induction[[i, last]] = 1.0;
            }
        }
        let guesses = induction.dot(&words);
        [previous, induction, guesses]
    });
    // A guess for the last token alone; the likeliest instead of its share.
    caught("and guesses, [n, vocabulary]", &|tokens, vocabulary| {
        let [previous, induction, guesses] = right(tokens, vocabulary);
        let last = guesses.select(Axis(0), &[tokens.len() - 1]);
        [previous, induction, last]
    });
    caught("a quarter for each token", &|tokens, vocabulary| {
        let [previous, induction, guesses] = right(tokens, vocabulary);
        let likeliest = guesses.mapv(|share| if share > 0.3 { 1.0 } else { 0.0 });
        [previous, induction, likeliest]
    });
    // Itself left out, which it may be when two of the same stand side by side.
    caught("finds itself", &|tokens, vocabulary| {
        let [previous, induction, mut guesses] = right(tokens, vocabulary);
        if tokens == [0, 2, 2] {
            guesses.row_mut(2).fill(0.5);
        }
        [previous, induction, guesses]
    });
}
