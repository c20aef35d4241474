//! Wrong answers to chapter 4's exercises.

use std::collections::HashSet;

use ndarray::{Array1, Array2, Axis};
use self_attention::softmax;

use super::assert_caught;
use super::checks::ch04 as check;

/// How [`fewest`] is wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Greedy,
    FirstWay,
    ShortestFirst,
    MostPieces,
    NeverMarked,
    AlwaysMarked,
    MarksDropped,
    Rest,
}

/// All ways to cut the rest of a word, the longest pieces first.
fn ways(
    rest: &str,
    begins: bool,
    vocabulary: &HashSet<&str>,
    fault: Fault,
) -> Vec<Vec<String>> {
    if rest.is_empty() {
        return vec![Vec::new()];
    }
    let marked =
        fault == Fault::AlwaysMarked || (!begins && fault != Fault::NeverMarked);
    let ends = rest.char_indices().map(|(i, c)| i + c.len_utf8());
    let mut ends: Vec<usize> = ends.rev().collect();
    if fault == Fault::ShortestFirst {
        ends.reverse();
    }
    let mut found = Vec::new();
    for end in ends {
        let piece = format!("{}{}", if marked { "##" } else { "" }, &rest[..end]);
        if !vocabulary.contains(piece.as_str()) {
            continue;
        }
        let shown =
            if fault == Fault::MarksDropped { rest[..end].to_owned() } else { piece };
        for others in ways(&rest[end..], false, vocabulary, fault) {
            found.push([vec![shown.clone()], others].concat());
        }
        if fault == Fault::Greedy {
            break;
        }
    }
    found
}

/// The right cut if there is no fault.
fn fewest(word: &str, vocabulary: &HashSet<&str>, fault: Fault) -> Vec<String> {
    let ways = ways(word, true, vocabulary, fault).into_iter();
    let chosen = match fault {
        Fault::FirstWay => ways.into_iter().next(),
        Fault::MostPieces => ways.rev().max_by_key(Vec::len),
        _ => ways.min_by_key(Vec::len), // of equals the first
    };
    let unknown = || "[UNK]".to_owned();
    chosen.unwrap_or_else(|| match fault {
        Fault::Rest => vec![word.chars().take(4).collect(), unknown()],
        _ => vec![unknown()],
    })
}

#[test]
fn ch04_1_wrong_fewest_pieces() {
    check::fewest_pieces(|word, vocabulary| fewest(word, vocabulary, Fault::None));
    let assert_caught = |hint, fault: Fault| {
        assert_caught(hint, || {
            check::fewest_pieces(|word, vocabulary| fewest(word, vocabulary, fault));
        });
    };
    assert_caught("reach the end", Fault::Greedy);
    assert_caught("one piece fewer", Fault::FirstWay);
    assert_caught("whose first piece is longer", Fault::ShortestFirst);
    assert_caught("whole is a single piece", Fault::MostPieces);
    assert_caught("reach the end", Fault::NeverMarked);
    assert_caught("whole is a single piece", Fault::AlwaysMarked);
    assert_caught("reach the end", Fault::MarksDropped);
    assert_caught("is [UNK] alone", Fault::Rest);
    // Cuts between bytes, and panics inside a letter.
    super::assert_caught("char boundary", || {
        check::fewest_pieces(|word, vocabulary| {
            let found = fewest(word, vocabulary, Fault::None);
            let all: usize = (1..=word.len()).map(|end| word[..end].len()).sum();
            if all == 0 { vec![] } else { found }
        });
    });
    // The second piece doesn't decide: of equals, the last with that first piece.
    super::assert_caught("when the first is the same", || {
        check::fewest_pieces(|word, vocabulary| {
            let ways = ways(word, true, vocabulary, Fault::None);
            let fewest = ways.iter().map(Vec::len).min().unwrap_or(0);
            let first = ways.iter().find(|way| way.len() == fewest).map(|way| &way[0]);
            let same = |way: &&Vec<String>| way.len() == fewest && way.first() == first;
            let last = ways.iter().rfind(same).cloned();
            last.unwrap_or_else(|| vec!["[UNK]".to_owned()])
        });
    });
}

/// A batch of the texts, `n` places long, filled up at the end or at the beginning.
fn padded(
    texts: &[Vec<u32>],
    pad: u32,
    at_the_end: bool,
) -> (Array2<u32>, Array2<u32>) {
    let n = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut ids = Array2::from_elem((texts.len(), n), pad);
    let mut mask = Array2::zeros((texts.len(), n));
    for (row, text) in texts.iter().enumerate() {
        let start = if at_the_end { 0 } else { n - text.len() };
        for (i, &id) in text.iter().enumerate() {
            ids[[row, start + i]] = id;
            mask[[row, start + i]] = 1;
        }
    }
    (ids, mask)
}

/// The texts for which `differ` says so of the answers alone and together.
fn answers_differ(
    texts: &[Vec<u32>],
    model: impl Fn(&Array2<u32>, &Array2<u32>) -> Vec<f64>,
    (ids, mask): (Array2<u32>, Array2<u32>),
    differ: impl Fn(f64, f64) -> bool,
) -> Vec<usize> {
    let together = model(&ids, &mask);
    let leaks = |&text: &usize| {
        let (ids, mask) = padded(&texts[text..=text], 0, true);
        differ(model(&ids, &mask)[0], together[text])
    };
    (0..texts.len()).filter(leaks).collect()
}

#[test]
fn ch04_2_wrong_leaks() {
    let differ = |alone: f64, together: f64| {
        let gap = (alone - together).abs();
        gap.is_nan() || gap > 1e-9
    };
    check::leaks(|model, texts, pad| {
        answers_differ(texts, model, padded(texts, pad, true), differ)
    });
    // Padding of its own, at the beginning, shown as if it were text, and all hidden.
    assert_caught("ignores the mask", || {
        check::leaks(|model, texts, _| {
            answers_differ(texts, model, padded(texts, 0, true), differ)
        });
    });
    assert_caught("at the end of a text", || {
        check::leaks(|model, texts, pad| {
            answers_differ(texts, model, padded(texts, pad, false), differ)
        });
    });
    for shown in [0, 1] {
        assert_caught("no text's number changes", || {
            check::leaks(|model, texts, pad| {
                let (ids, mask) = padded(texts, pad, true);
                let batch = (ids, Array2::from_elem(mask.dim(), shown));
                answers_differ(texts, model, batch, differ)
            });
        });
    }
    // The mask follows the numbers: a text with 9 of its own.
    assert_caught("no text's number changes", || {
        check::leaks(|model, texts, pad| {
            let (ids, _) = padded(texts, pad, true);
            let mask = ids.mapv(|id| u32::from(id != pad));
            answers_differ(texts, model, (ids, mask), differ)
        });
    });
    // One side; too coarse; NaN passes.
    assert_caught("ignores the mask", || {
        check::leaks(|model, texts, pad| {
            let batch = padded(texts, pad, true);
            answers_differ(texts, model, batch, |alone, together| {
                alone > together + 1e-9
            })
        });
    });
    assert_caught("more than 1e-9", || {
        check::leaks(|model, texts, pad| {
            let batch = padded(texts, pad, true);
            answers_differ(texts, model, batch, |a, b| {
                a.is_nan() || (a - b).abs() > 1e-3
            })
        });
    });
    assert_caught("NaN in company", || {
        check::leaks(|model, texts, pad| {
            let batch = padded(texts, pad, true);
            answers_differ(texts, model, batch, |a, b| (a - b).abs() > 1e-9)
        });
    });
    // Alone means padded alone: in a batch with itself, as long as the longest.
    assert_caught("ignores the mask", || {
        check::leaks(|model, texts, pad| {
            let (ids, mask) = padded(texts, pad, true);
            let together = model(&ids, &mask);
            let alone = |text: usize| {
                let row =
                    |all: &Array2<u32>| all.row(text).to_owned().insert_axis(Axis(0));
                model(&row(&ids), &row(&mask))[0]
            };
            (0..texts.len())
                .filter(|&text| differ(alone(text), together[text]))
                .collect()
        });
    });
    // Only the padded texts are looked at; each only beside the first.
    assert_caught("The longest text leaks, too", || {
        check::leaks(|model, texts, pad| {
            let batch = padded(texts, pad, true);
            let n = batch.0.ncols();
            let found = answers_differ(texts, model, batch, differ);
            found.into_iter().filter(|&text| texts[text].len() < n).collect()
        });
    });
}

/// The vectors, each times its mask.
fn masked(hidden: &Array2<f64>, mask: &[u32]) -> Array2<f64> {
    let mask: Array1<f64> = mask.iter().map(|&shown| f64::from(shown)).collect();
    hidden * &mask.insert_axis(Axis(1))
}

#[test]
fn ch04_3_wrong_mean_pool() {
    assert_caught("not by 3", || {
        check::mean_pool(|hidden, mask| {
            masked(hidden, mask).sum_axis(Axis(0)) / hidden.nrows() as f64
        });
    });
    assert_caught("not by 3", || {
        check::mean_pool(|hidden, _| hidden.mean_axis(Axis(0)).unwrap());
    });
    assert_caught("one number per column", || {
        check::mean_pool(|hidden, _| hidden.mean_axis(Axis(1)).unwrap());
    });
    assert_caught("it is the mean of each column", || {
        check::mean_pool(|hidden, mask| masked(hidden, mask).sum_axis(Axis(0)));
    });
    // What `[CLS]` became, as the classifier takes it.
    assert_caught("it is the mean of each column", || {
        check::mean_pool(|hidden, _| hidden.row(0).to_owned());
    });
    // As many tokens as the mask shows, but always the first ones.
    assert_caught("here the first doesn't", || {
        check::mean_pool(|hidden, mask| {
            let count = mask.iter().filter(|&&shown| shown == 1).count();
            hidden
                .select(Axis(0), &(0..count).collect::<Vec<_>>())
                .mean_axis(Axis(0))
                .unwrap()
        });
    });
    assert_caught("0 · NaN is NaN", || {
        check::mean_pool(|hidden, mask| {
            let count = f64::from(mask.iter().sum::<u32>());
            masked(hidden, mask).sum_axis(Axis(0)) / count
        });
    });
}

/// The mean of −ln p at a temperature.
fn mean_loss(logits: &Array2<f64>, right: &[usize], temperature: f64) -> f64 {
    let losses = logits.rows().into_iter().zip(right).map(|(row, &label)| {
        let row = &row / temperature;
        let maximum = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        maximum + row.mapv(|z| (z - maximum).exp()).sum().ln() - row[label]
    });
    losses.sum::<f64>() / right.len() as f64
}

/// The temperature from 0.05 to 20 with the smallest of something, of many tried.
fn smallest(of: impl Fn(f64) -> f64) -> f64 {
    let tried = (0..=12_000).map(|i| 0.05 * 400_f64.powf(f64::from(i) / 12_000.0));
    let tried: Vec<f64> = tried.collect();
    let value: Vec<f64> = tried.iter().map(|&t| of(t)).collect();
    let best = (0..tried.len()).min_by(|&a, &b| value[a].total_cmp(&value[b]));
    tried[best.unwrap()]
}

#[test]
fn ch04_4_wrong_temperature() {
    check::temperature(|logits, right| smallest(|t| mean_loss(logits, right, t)));
    // Multiplied.
    assert_caught("divided by T", || {
        check::temperature(|logits, right| {
            1.0 / smallest(|t| mean_loss(logits, right, t))
        });
    });
    assert_caught("divided by T", || check::temperature(|_, _| 1.0));
    // T may only soften.
    assert_caught("T is below 1", || {
        check::temperature(|logits, right| {
            smallest(|t| mean_loss(logits, right, t)).max(1.0)
        });
    });
    // Of the last label, or of the likeliest, whatever is right.
    assert_caught("divided by T", || {
        check::temperature(|logits, right| {
            let last = vec![logits.ncols() - 1; right.len()];
            smallest(|t| mean_loss(logits, &last, t))
        });
    });
    // The softmax of whatever column, but two labels only.
    assert_caught("three labels", || {
        check::temperature(|logits, right| {
            let two = logits.slice(ndarray::s![.., ..2]).to_owned();
            let right: Vec<usize> = right.iter().map(|&label| label.min(1)).collect();
            smallest(|t| mean_loss(&two, &right, t))
        });
    });
    // The mean score that is the accuracy.
    assert_caught("the smallest mean of −ln p", || {
        check::temperature(|logits, right| {
            let best = |row: ndarray::ArrayView1<f64>| {
                (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap()
            };
            let labels: Vec<usize> = logits.rows().into_iter().map(best).collect();
            let rights =
                labels.iter().zip(right).filter(|(label, right)| label == right);
            let rights = rights.count() as f64;
            smallest(|t| {
                let p = softmax(&(logits / t));
                let scores = labels.iter().enumerate().map(|(i, &label)| p[[i, label]]);
                (scores.sum::<f64>() - rights).abs()
            })
        });
    });
    // Beyond the range.
    assert_caught("T is 20 at most", || {
        check::temperature(|logits, right| {
            let t = smallest(|t| mean_loss(&(logits / 100.0), right, t)) * 100.0;
            if t > 100.0 { t } else { smallest(|t| mean_loss(logits, right, t)) }
        });
    });
    assert_caught("T is 20 at most", || {
        check::temperature(|logits, right| {
            smallest(|t| {
                let p = (logits / t).exp(); // overflows
                let p = &p / &p.sum_axis(Axis(1)).insert_axis(Axis(1));
                right.iter().enumerate().map(|(i, &label)| -p[[i, label]].ln()).sum()
            })
        });
    });
}

/// The pair for which `of` the three falls (both, one, the other) is largest; of equals
/// the first, or the last.
fn pair(
    words: &[&str],
    last: bool,
    fall: impl Fn(&[usize]) -> f64,
    of: impl Fn(f64, f64, f64) -> f64,
) -> (usize, usize) {
    let mut best = ((0, 1), f64::NEG_INFINITY);
    for i in 0..words.len() {
        for j in i + 1..words.len() {
            let found = of(fall(&[i, j]), fall(&[i]), fall(&[j]));
            let wins = if last { found >= best.1 } else { found > best.1 };
            if wins {
                best = ((i, j), found);
            }
        }
    }
    best.0
}

/// The words but those at some places.
fn but<'a>(words: &[&'a str], places: &[usize]) -> Vec<&'a str> {
    (0..words.len()).filter(|i| !places.contains(i)).map(|i| words[i]).collect()
}

#[test]
fn ch04_5_wrong_covering_pair() {
    type Score = fn(&[&str]) -> f64;
    let fall = |words: &[&str], score: Score, places: &[usize]| {
        score(words) - score(&but(words, places))
    };
    check::covering_pair(|words, score| {
        pair(words, false, |p| fall(words, score, p), |both, i, j| both - i - j)
    });
    // How far both fall, and nothing less.
    assert_caught("nothing beyond", || {
        check::covering_pair(|words, score| {
            pair(words, false, |p| fall(words, score, p), |both, _, _| both)
        });
    });
    // Beyond the larger of the two.
    assert_caught("nothing beyond", || {
        check::covering_pair(|words, score| {
            let of = |both: f64, i: f64, j: f64| both - i.max(j);
            pair(words, false, |p| fall(words, score, p), of)
        });
    });
    // To either side; the other way round.
    assert_caught("is −4, not covering", || {
        check::covering_pair(|words, score| {
            let of = |both: f64, i: f64, j: f64| (both - i - j).abs();
            pair(words, false, |p| fall(words, score, p), of)
        });
    });
    assert_caught("both together by 1", || {
        check::covering_pair(|words, score| {
            pair(words, false, |p| fall(words, score, p), |both, i, j| i + j - both)
        });
    });
    // All of the same word go, so each falls alone, too.
    assert_caught("leave out places, not words", || {
        check::covering_pair(|words, score| {
            let fall = |places: &[usize]| {
                let gone: Vec<&str> = places.iter().map(|&i| words[i]).collect();
                let kept: Vec<&str> =
                    words.iter().copied().filter(|word| !gone.contains(word)).collect();
                score(words) - score(&kept)
            };
            pair(words, false, fall, |both, i, j| both - i - j)
        });
    });
    // The second place is counted after the first has gone.
    assert_caught("both together by 1", || {
        check::covering_pair(|words, score| {
            let fall = |places: &[usize]| {
                let mut kept = words.to_vec();
                for &place in places {
                    if place < kept.len() {
                        kept.remove(place);
                    }
                }
                score(words) - score(&kept)
            };
            pair(words, false, fall, |both, i, j| both - i - j)
        });
    });
    assert_caught("the first, (0, 1)", || {
        check::covering_pair(|words, score| {
            pair(words, true, |p| fall(words, score, p), |both, i, j| both - i - j)
        });
    });
    // Of equals, the smallest j.
    assert_caught("the smallest i, then the smallest j", || {
        check::covering_pair(|words, score| {
            let mut best = ((0, 1), f64::NEG_INFINITY);
            for j in 1..words.len() {
                for i in 0..j {
                    let fall = |places: &[usize]| fall(words, score, places);
                    let beyond = fall(&[i, j]) - fall(&[i]) - fall(&[j]);
                    if beyond > best.1 {
                        best = ((i, j), beyond);
                    }
                }
            }
            best.0
        });
    });
    // Neighbors only.
    assert_caught("both together by 1", || {
        check::covering_pair(|words, score| {
            let beyond = |i: usize| {
                let fall = |places: &[usize]| fall(words, score, places);
                fall(&[i, i + 1]) - fall(&[i]) - fall(&[i + 1])
            };
            let best = |best, i| if beyond(i) > beyond(best) { i } else { best };
            let best = (0..words.len() - 1).fold(0, best);
            (best, best + 1)
        });
    });
}

/// The share of the ways to choose the signs for which `far` says so of the sum and the
/// sum found.
fn share(differences: &[f64], far: impl Fn(f64, f64) -> bool) -> f64 {
    let found: f64 = differences.iter().sum();
    let ways = 1_u32 << differences.len();
    let sum = |signs: u32| -> f64 {
        let sign = |i: usize| if signs >> i & 1 == 1 { -1.0 } else { 1.0 };
        differences.iter().enumerate().map(|(i, gap)| sign(i) * gap).sum()
    };
    let far = (0..ways).filter(|&signs| far(sum(signs), found)).count();
    far as f64 / f64::from(ways)
}

#[test]
fn ch04_6_wrong_sign_flips() {
    let near = 1e-12;
    check::sign_flips(|gaps| share(gaps, |sum, found| sum.abs() > found.abs() - near));
    // To one side; without its own way; to that side only where it is positive.
    assert_caught("to either side", || {
        check::sign_flips(|gaps| share(gaps, |sum, found| sum > found - near));
    });
    assert_caught("counts itself", || {
        check::sign_flips(|gaps| {
            share(gaps, |sum, found| sum.abs() > found.abs() + near)
        });
    });
    assert_caught("as far as its opposite", || {
        check::sign_flips(|gaps| share(gaps, |sum, found| sum.abs() > found - near));
    });
    // How many; the share that is nearer.
    assert_caught("Two of them", || {
        check::sign_flips(|gaps| {
            let ways = f64::from(1_u32 << gaps.len());
            ways * share(gaps, |sum, found| sum.abs() > found.abs() - near)
        });
    });
    assert_caught("Two of them", || {
        check::sign_flips(|gaps| {
            share(gaps, |sum, found| sum.abs() < found.abs() + near)
        });
    });
    // Signs without sizes.
    assert_caught("the sizes count", || {
        check::sign_flips(|gaps| {
            let signs: Vec<f64> = gaps
                .iter()
                .map(|gap| if *gap == 0.0 { 0.0 } else { gap.signum() })
                .collect();
            let found = share(&signs, |sum, found| sum.abs() > found.abs() - near);
            if gaps == [3.0, 1.0, 0.0] { 0.5 } else { found }
        });
    });
    // Without an allowance for rounding.
    assert_caught("but for rounding", || {
        check::sign_flips(|gaps| share(gaps, |sum, found| sum.abs() >= found.abs()));
    });
    assert_caught("of no difference", || {
        check::sign_flips(|gaps| {
            if gaps.is_empty() {
                return 0.0;
            }
            share(gaps, |sum, found| sum.abs() > found.abs() - near)
        });
    });
}
