//! Wrong answers to chapter 8's exercises.

#![allow(clippy::type_complexity, reason = "the exercises' own signatures")]

use std::collections::BTreeMap;

use ndarray::Array2;

use super::assert_caught;
use super::checks::ch08 as check;

/// What stands at a place, and what was drawn and is known there.
struct Place {
    id: u32,
    drawn: (f64, f64),
    first_piece: u32,
    mask: u32,
    other: u32,
}

impl Place {
    fn is_asked(&self) -> bool {
        self.drawn.0 < 0.15 && self.id >= self.first_piece
    }

    /// What is shown if the place is asked.
    fn shown(&self) -> u32 {
        match self.drawn.1 {
            second if second < 0.8 => self.mask,
            second if second < 0.9 => self.other,
            _ => self.id,
        }
    }

    fn right(&self) -> (u32, Option<u32>) {
        if self.is_asked() { (self.shown(), Some(self.id)) } else { (self.id, None) }
    }
}

/// The answer that gives each place what `answer` says.
fn hidden(
    answer: impl Fn(&Place) -> (u32, Option<u32>),
) -> impl Fn(&[u32], &[(f64, f64)], u32, u32, &[u32]) -> (Vec<u32>, Vec<Option<u32>>) {
    move |ids, drawn, first_piece, mask, other| {
        let place = |i| Place {
            id: ids[i],
            drawn: drawn[i],
            first_piece,
            mask,
            other: other[i],
        };
        (0..ids.len()).map(|i| answer(&place(i))).unzip()
    }
}

#[test]
fn ch08_1_wrong_places() {
    check::hide_pieces(hidden(Place::right));
    let assert_caught = |hint, is_asked: fn(&Place) -> bool| {
        assert_caught(hint, || {
            check::hide_pieces(hidden(|place| {
                if is_asked(place) {
                    (place.shown(), Some(place.id))
                } else {
                    (place.id, None)
                }
            }));
        });
    };
    let below = "whose first number is below 0.15";
    assert_caught(below, |place| {
        place.drawn.0 <= 0.15 && place.id >= place.first_piece
    });
    assert_caught(below, |place| place.drawn.1 < 0.15 && place.id >= place.first_piece);
    assert_caught(below, |place| place.id >= place.first_piece);
    let special = "special pieces are never asked";
    assert_caught(special, |place| place.drawn.0 < 0.15);
    assert_caught(special, |place| {
        place.drawn.0 < 0.15 && place.id > place.first_piece
    });
    assert_caught(special, |place| {
        place.drawn.0 < 0.15 && place.id < place.first_piece
    });
    assert_caught(special, |place| place.is_asked() && place.drawn.1 < 0.8);
}

#[test]
fn ch08_1_wrong_pieces() {
    let assert_caught = |hint, answer: fn(&Place) -> (u32, Option<u32>)| {
        assert_caught(hint, || check::hide_pieces(hidden(answer)));
    };
    // Labels everywhere.
    assert_caught("whose first number is below 0.15", |place| {
        (place.right().0, Some(place.id))
    });
    // Only what is changed is asked.
    assert_caught("whether or not they are changed", |place| {
        let (shown, asked) = place.right();
        (shown, asked.filter(|&id| id != shown))
    });
    assert_caught("not what is shown", |place| {
        let (shown, asked) = place.right();
        (shown, asked.map(|_| shown))
    });
    // Hidden wherever the second number says so.
    assert_caught("a place that is not asked is shown as it is", |place| {
        (place.shown(), place.right().1)
    });
    let asked_as = |place: &Place, shown| {
        if place.is_asked() { (shown, Some(place.id)) } else { (place.id, None) }
    };
    let hint = "the second number alone decides";
    let cases: [fn(&Place) -> u32; 7] = [
        |place| if place.drawn.1 < 0.8 { place.mask } else { place.id },
        |place| if place.drawn.1 < 0.8 { place.mask } else { place.other },
        |_| 4, // always [MASK]
        |place| if place.drawn.1 < 0.9 { place.mask } else { place.other },
        |place| if place.drawn.1 <= 0.8 { place.mask } else { place.shown() },
        |place| {
            if (0.8..=0.9).contains(&place.drawn.1) {
                place.other
            } else {
                place.shown()
            }
        },
        // The second threshold taken as a share of the rest.
        |place| match place.drawn.1 {
            second if second < 0.8 => place.mask,
            second if second < 0.8 + 0.2 * 0.9 => place.other,
            _ => place.id,
        },
    ];
    for shown in cases {
        super::assert_caught(hint, || {
            check::hide_pieces(hidden(|place| asked_as(place, shown(place))));
        });
    }
    // The first number, which is below 0.15 here, decides on both.
    super::assert_caught(hint, || {
        check::hide_pieces(hidden(|place| asked_as(place, place.mask)));
    });
    // The others used up one by one.
    super::assert_caught("`other` has one piece for each place", || {
        check::hide_pieces(|ids, drawn, first_piece, mask, other| {
            let mut next = other.iter();
            let answer = |i: usize| {
                let mut place =
                    Place { id: ids[i], drawn: drawn[i], first_piece, mask, other: 0 };
                if place.is_asked() && (0.8..0.9).contains(&place.drawn.1) {
                    place.other = *next.next().unwrap();
                }
                place.right()
            };
            (0..ids.len()).map(answer).unzip()
        });
    });
}

/// The losses of the places that are asked, each from its row and its label.
fn losses(
    logits: &Array2<f64>,
    labels: &[Option<usize>],
    loss: impl Fn(&[f64], usize) -> f64,
) -> Vec<f64> {
    let rows = logits.rows().into_iter().zip(labels);
    rows.filter_map(|(row, label)| label.map(|label| loss(&row.to_vec(), label)))
        .collect()
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len().max(1) as f64
}

/// ln Σ exp(z − shift) − (z[label] − shift).
fn shifted(row: &[f64], label: usize, shift: f64) -> f64 {
    let sum: f64 = row.iter().map(|z| (z - shift).exp()).sum();
    sum.ln() - (row[label] - shift)
}

fn largest(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn cross_entropy(row: &[f64], label: usize) -> f64 {
    shifted(row, label, largest(row))
}

#[test]
fn ch08_2_wrong_masked_loss() {
    check::masked_loss(|logits, labels| mean(&losses(logits, labels, cross_entropy)));
    // Averaged over all places.
    assert_caught("not over all 4 places", || {
        check::masked_loss(|logits, labels| {
            losses(logits, labels, cross_entropy).iter().sum::<f64>()
                / labels.len() as f64
        });
    });
    // Places that aren't asked count as if piece 0 were right.
    assert_caught("the others add nothing", || {
        check::masked_loss(|logits, labels| {
            let labels: Vec<_> = labels.iter().map(|label| label.or(Some(0))).collect();
            mean(&losses(logits, &labels, cross_entropy))
        });
    });
    assert_caught("not the sum", || {
        check::masked_loss(|logits, labels| {
            losses(logits, labels, cross_entropy).iter().sum()
        });
    });
    assert_caught("0 / 0 is NaN", || {
        check::masked_loss(|logits, labels| {
            let losses = losses(logits, labels, cross_entropy);
            losses.iter().sum::<f64>() / losses.len() as f64
        });
    });
    assert_caught("with a minus", || {
        check::masked_loss(|logits, labels| {
            -mean(&losses(logits, labels, cross_entropy))
        });
    });
    assert_caught("the natural logarithm", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, cross_entropy)) / 2_f64.ln()
        });
    });
    // The probability of a wrong answer, not its logarithm; the logit alone.
    assert_caught("−ln p", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| {
                1.0 - (-cross_entropy(row, label)).exp()
            }))
        });
    });
    assert_caught("−ln p", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| -row[label]))
        });
    });
    // A softmax down the columns.
    assert_caught("p is 1/4", || {
        check::masked_loss(|logits, labels| {
            let asked = labels.iter().enumerate();
            let loss = |(i, label): (usize, &Option<usize>)| {
                label.map(|label| cross_entropy(&logits.column(label).to_vec(), i))
            };
            mean(&asked.filter_map(loss).collect::<Vec<_>>())
        });
    });
}

#[test]
fn ch08_2_wrong_large_logits() {
    let overflow = "subtract each row's own maximum";
    assert_caught(overflow, || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| shifted(row, label, 0.0)))
        });
    });
    // The maximum of all rows, or at least 0.
    assert_caught(overflow, || {
        check::masked_loss(|logits, labels| {
            let maximum = largest(&logits.iter().copied().collect::<Vec<_>>());
            mean(&losses(logits, labels, |row, label| shifted(row, label, maximum)))
        });
    });
    assert_caught(overflow, || {
        check::masked_loss(|logits, labels| {
            let loss = |row: &[f64], label| shifted(row, label, largest(row).max(0.0));
            mean(&losses(logits, labels, loss))
        });
    });
    // The logarithm of a safe softmax.
    let softmax = |row: &[f64], label: usize| (-cross_entropy(row, label)).exp();
    assert_caught("don't take the logarithm of a softmax", || {
        check::masked_loss(|logits, labels| {
            mean(&losses(logits, labels, |row, label| -softmax(row, label).ln()))
        });
    });
    assert_caught("don't take the logarithm of a softmax", || {
        check::masked_loss(|logits, labels| {
            let loss = |row: &[f64], label| -softmax(row, label).max(1e-15).ln();
            mean(&losses(logits, labels, loss))
        });
    });
}

/// The share of the pieces for which `counts` says yes of (right alone, right beside).
fn share(
    (labels, alone, beside): (&[u32], &[u32], &[u32]),
    counts: impl Fn(bool, bool) -> bool,
) -> f64 {
    let yes = |&i: &usize| counts(alone[i] == labels[i], beside[i] == labels[i]);
    (0..labels.len()).filter(yes).count() as f64 / labels.len().max(1) as f64
}

#[test]
fn ch08_3_wrong_gained_beside() {
    type Guesses<'a> = (&'a [u32], &'a [u32], &'a [u32]);
    let right = |guesses: Guesses| {
        let gained = share(guesses, |alone, beside| beside && !alone);
        (share(guesses, |alone, _| alone), share(guesses, |_, beside| beside), gained)
    };
    check::gained_beside(|labels, alone, beside| right((labels, alone, beside)));
    let caught = |hint: &str, answer: &dyn Fn(Guesses) -> (f64, f64, f64)| {
        assert_caught(hint, || {
            check::gained_beside(|labels, alone, beside| {
                answer((labels, alone, beside))
            });
        });
    };
    caught("The difference of the shares is 0 here", &|guesses| {
        let (alone, beside, _) = right(guesses);
        (alone, beside, beside - alone)
    });
    caught("The difference of the shares is 0 here", &|guesses| {
        let (alone, beside, _) = right(guesses);
        (alone, beside, (beside - alone).max(0.0))
    });
    // Wrong with both; right with either; right with both; lost or gained.
    let wrong: [fn(bool, bool) -> bool; 5] = [
        |alone, beside| !alone && !beside,
        |alone, beside| alone || beside,
        |alone, beside| alone && beside,
        |alone, beside| alone != beside,
        |alone, _| !alone,
    ];
    for counts in wrong {
        caught("right beside and wrong alone", &|guesses| {
            let (alone, beside, _) = right(guesses);
            (alone, beside, share(guesses, counts))
        });
    }
    // Whether the guesses differ, even if both are wrong.
    caught("right beside and wrong alone", &|guesses| {
        let (alone, beside, _) = right(guesses);
        let (labels, one, two) = guesses;
        let differ = (0..labels.len()).filter(|&i| one[i] != two[i]).count();
        (alone, beside, differ as f64 / labels.len().max(1) as f64)
    });
    // Of those that were wrong alone.
    caught("the share is of all 8 pieces", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (alone, beside, gained / (1.0 - alone))
    });
    caught("The first of the three is alone", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (gained, beside, alone)
    });
    // Beside first: the first example has as many of both.
    caught("1 is right alone", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (beside, alone, gained)
    });
    for factor in [8.0, 100.0] {
        caught("from 0 to 1", &|guesses| {
            let (alone, beside, gained) = right(guesses);
            (factor * alone, factor * beside, factor * gained)
        });
    }
    caught("as a division of f64", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        (alone.floor(), beside.floor(), gained.floor())
    });
    caught("all 0, not", &|guesses| {
        let (alone, beside, gained) = right(guesses);
        let none = if guesses.0.is_empty() { f64::NAN } else { 1.0 };
        (alone * none, beside * none, gained * none)
    });
}

type Words<'a> = &'a [(Vec<String>, u64)];

/// The pairs of neighbours, each with what `count` says of its word.
fn pairs_of(
    words: Words,
    count: impl Fn(u64) -> u64,
) -> BTreeMap<(String, String), u64> {
    let mut counts = BTreeMap::new();
    for (pieces, times) in words {
        for pair in pieces.windows(2) {
            *counts.entry((pair[0].clone(), pair[1].clone())).or_default() +=
                count(*times);
        }
    }
    counts
}

/// The first of the most frequent.
fn first(counts: BTreeMap<(String, String), u64>) -> Option<(String, String)> {
    counts.into_iter().rev().max_by_key(|&(_, count)| count).map(|(pair, _)| pair)
}

#[test]
fn ch08_4_wrong_best_pair() {
    check::best_pair(|words| first(pairs_of(words, |times| times)));
    // Each word once.
    assert_caught("as often as they come", || {
        check::best_pair(|words| first(pairs_of(words, |_| 1)));
    });
    // The last of equals.
    assert_caught("of equals, the first", || {
        check::best_pair(|words| {
            let counts = pairs_of(words, |times| times);
            counts.into_iter().max_by_key(|&(_, count)| count).map(|(pair, _)| pair)
        });
    });
    // The rarest.
    assert_caught("three times each", || {
        check::best_pair(|words| {
            let counts = pairs_of(words, |times| times);
            counts.into_iter().min_by_key(|&(_, count)| count).map(|(pair, _)| pair)
        });
    });
    // The first of equals in the text.
    assert_caught("not the first in the text", || {
        check::best_pair(|words| {
            let counts = pairs_of(words, |times| times);
            let most = counts.values().max().copied()?;
            let all = words.iter().flat_map(|(pieces, _)| pieces.windows(2));
            let mut all = all.map(|pair| (pair[0].clone(), pair[1].clone()));
            // but for the examples whose first in the text is the right one
            all.find(|pair| counts[pair] == most)
        });
    });
    // The first pair of each word alone.
    assert_caught("all places of a word count", || {
        check::best_pair(|words| {
            let short = words.iter().map(|(pieces, times)| {
                let from = usize::from(pieces.len() == 4);
                (pieces.iter().skip(from).take(2).cloned().collect(), *times)
            });
            let short: Vec<(Vec<String>, u64)> = short.collect();
            let full = words.iter().any(|(pieces, _)| pieces.len() == 4);
            first(pairs_of(if full { words } else { &short }, |times| times))
        });
    });
    // Without the marks.
    assert_caught("three times each", || {
        check::best_pair(|words| {
            let bare = |piece: &String| piece.trim_start_matches('#').to_owned();
            let words: Vec<(Vec<String>, u64)> = (words.iter())
                .map(|(pieces, times)| (pieces.iter().map(bare).collect(), *times))
                .collect();
            first(pairs_of(&words, |times| times))
        });
    });
    // In whatever order.
    assert_caught("three times each", || {
        check::best_pair(|words| {
            let turned = pairs_of(words, |times| times).into_iter();
            first(turned.map(|((a, b), count)| ((b, a), count)).collect())
        });
    });
}

#[test]
fn ch08_5_wrong_stacked() {
    type Layers<'a> = &'a [Array2<f64>];
    let made = |layers: Layers, to: usize, of: &dyn Fn(usize, usize) -> usize| {
        let n = layers.len();
        if n == 0 {
            return vec![];
        }
        (0..to).map(|i| layers[of(i, n).min(n - 1)].clone()).collect()
    };
    check::stacked(|layers, to| made(layers, to, &|i, n| i % n));
    let wrong: [&dyn Fn(usize, usize) -> usize; 3] = [
        &|i, _| i / 2,           // each layer twice
        &|i, n| i.min(n - 1),    // the last one repeated
        &|i, n| n - 1 - (i % n), // from the last
    ];
    for of in wrong {
        assert_caught("the whole pile again", || {
            check::stacked(|layers, to| made(layers, to, of));
        });
    }
    // Always the whole pile.
    assert_caught("cut off at the end", || {
        check::stacked(|layers, to| {
            let piles = to.div_ceil(layers.len().max(1));
            let pile = layers.iter().cycle().take(piles * layers.len());
            pile.cloned().collect()
        });
    });
    // Never shorter than it was.
    assert_caught("2 layers of [1, 2, 3]", || {
        check::stacked(|layers, to| made(layers, to.max(layers.len()), &|i, n| i % n));
    });
}
