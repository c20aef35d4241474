//! Wrong answers to chapter 8's exercises.

#![allow(clippy::type_complexity, reason = "the exercises' own signatures")]

use std::collections::{BTreeMap, HashSet};

use super::assert_caught;
use super::checks::ch08 as check;

fn special(piece: &str) -> bool {
    piece == "[CLS]" || piece == "[SEP]"
}

/// Asked, if a word begins where `begins` says and is asked below `limit`.
fn asked(
    pieces: &[&str],
    drawn: &[f64],
    begins: impl Fn(usize) -> bool,
    below: impl Fn(f64) -> bool,
) -> Vec<bool> {
    let mut asked = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        asked.push(if begins(i) || i == 0 {
            !special(piece) && below(drawn[i])
        } else {
            asked[i - 1]
        });
    }
    asked
}

fn begins(pieces: &[&str], i: usize) -> bool {
    !pieces[i].starts_with("##") || i == 0 || special(pieces[i - 1])
}

#[test]
fn ch08_1_wrong_asked_words() {
    let below = |number: f64| number < 0.15;
    check::asked_words(|pieces, drawn| {
        asked(pieces, drawn, |i| begins(pieces, i), below)
    });
    assert_caught("0.15 itself isn't below", || {
        check::asked_words(|pieces, drawn| {
            asked(pieces, drawn, |i| begins(pieces, i), |number| number <= 0.15)
        });
    });
    // Piece by piece, as in the chapter.
    assert_caught("is one word", || {
        check::asked_words(|pieces, drawn| asked(pieces, drawn, |_| true, below));
    });
    // A word is asked if any of its pieces is.
    assert_caught("the other pieces don't count", || {
        check::asked_words(|pieces, drawn| {
            let mut drawn = drawn.to_vec();
            for i in (1..pieces.len()).rev() {
                if !begins(pieces, i) {
                    drawn[i - 1] = drawn[i - 1].min(drawn[i]);
                }
            }
            asked(pieces, &drawn, |i| begins(pieces, i), below)
        });
    });
    assert_caught("never asked", || {
        check::asked_words(|pieces, drawn| {
            let mut asked: Vec<bool> = Vec::new();
            for i in 0..pieces.len() {
                asked.push(if begins(pieces, i) {
                    drawn[i] < 0.15
                } else {
                    asked[i - 1]
                });
            }
            asked
        });
    });
    assert_caught("after [SEP] begins a word", || {
        check::asked_words(|pieces, drawn| {
            asked(pieces, drawn, |i| !pieces[i].starts_with("##"), below)
        });
    });
}

type Trial = (f64, Vec<f64>, Vec<f64>);

/// The end with the least of what `key` says.
fn least(
    trials: &[Trial],
    key: impl Fn(&Trial, usize) -> Option<[f64; 3]>,
) -> Option<(usize, usize)> {
    let mut best: Option<([f64; 3], (usize, usize))> = None;
    for (i, trial) in trials.iter().enumerate() {
        for epoch in 0..trial.2.len() {
            let Some(found) = key(trial, epoch) else { continue };
            if best.is_none_or(|(least, _)| found < least) {
                best = Some((found, (i, epoch + 1)));
            }
        }
    }
    best.map(|(_, place)| place)
}

/// Loss, epochs and rate of an end whose held-out loss is finite.
fn end((rate, _, held_out): &Trial, epoch: usize) -> Option<[f64; 3]> {
    held_out[epoch].is_finite().then_some([held_out[epoch], epoch as f64, *rate])
}

#[test]
fn ch08_2_wrong_best_trial() {
    check::best_trial(|trials| least(trials, end));
    // By the loss on what it learned from.
    assert_caught("on what it learned from", || {
        check::best_trial(|trials| {
            least(trials, |trial, epoch| {
                end(&(trial.0, vec![], trial.1.clone()), epoch)
            })
        });
    });
    assert_caught("not at its end", || {
        check::best_trial(|trials| {
            least(trials, |trial, epoch| {
                end(trial, epoch).filter(|_| epoch + 1 == trial.2.len())
            })
        });
    });
    assert_caught("after 3 epochs", || {
        check::best_trial(|trials| {
            least(trials, end).map(|(i, epochs)| (i, epochs - 1))
        });
    });
    assert_caught("never the best", || {
        check::best_trial(|trials| {
            least(trials, |(rate, _, held_out), epoch| {
                Some([held_out[epoch], epoch as f64, *rate])
            })
        });
    });
    // A trial that explodes thrown away whole.
    assert_caught("until it explodes", || {
        check::best_trial(|trials| {
            least(trials, |trial, epoch| {
                end(trial, epoch).filter(|_| trial.2.iter().all(|loss| !loss.is_nan()))
            })
        });
    });
    assert_caught("not the first in the list", || {
        check::best_trial(|trials| {
            least(trials, |trial, epoch| {
                end(trial, epoch).map(|[loss, epochs, _]| [loss, epochs, 0.0])
            })
        });
    });
    assert_caught("nor the smallest rate of all", || {
        check::best_trial(|trials| {
            least(trials, |trial, epoch| {
                end(trial, epoch).map(|[loss, epochs, rate]| [loss, rate, epochs])
            })
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

/// The pairs of neighbors, each with what `count` says of its word.
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

/// The pieces, with what `right` makes of the second of a pair.
fn merged(
    pieces: &[&str],
    pair: (&str, &str),
    right: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut made: Vec<String> = Vec::new();
    for piece in pieces {
        let joins = made.last().is_some_and(|last| last == pair.0) && *piece == pair.1;
        let first = if joins { made.pop() } else { None };
        made.push(match first {
            Some(first) => format!("{first}{}", right(piece)),
            None => (*piece).to_owned(),
        });
    }
    made
}

#[test]
fn ch08_5_wrong_merge() {
    let bare = |piece: &str| piece.trim_start_matches("##").to_owned();
    check::merge(|pieces, pair| merged(pieces, pair, bare));
    assert_caught("at the beginning only", || {
        check::merge(|pieces, pair| merged(pieces, pair, str::to_owned));
    });
    // Without any ##.
    assert_caught("which goes on a word", || {
        check::merge(|pieces, pair| {
            merged(pieces, pair, bare)
                .iter()
                .map(|piece| if piece == "##at" { "at".into() } else { piece.clone() })
                .collect()
        });
    });
    assert_caught("not the first alone", || {
        check::merge(|pieces, pair| {
            let at = pieces.windows(2).position(|two| (two[0], two[1]) == pair);
            let Some(at) = at else {
                return pieces.iter().map(|&piece| piece.into()).collect();
            };
            let mut made = merged(&pieces[..at + 2], pair, bare);
            made.extend(pieces[at + 2..].iter().map(|&piece| piece.to_owned()));
            made
        });
    });
    // Every window of two: pieces are used twice.
    assert_caught("finds no partner", || {
        check::merge(|pieces, pair| {
            let mut made = Vec::new();
            let mut i = 0;
            while i < pieces.len() {
                if i + 1 < pieces.len() && (pieces[i], pieces[i + 1]) == pair {
                    made.push(format!("{}{}", pair.0, bare(pair.1)));
                    // used twice where the pair is of two equal pieces
                    i += if pair.0 == pair.1 && i + 2 < pieces.len() { 1 } else { 2 };
                } else {
                    made.push(pieces[i].to_owned());
                    i += 1;
                }
            }
            made
        });
    });
    // From the right.
    assert_caught("from left to right", || {
        check::merge(|pieces, pair| {
            let mut made: Vec<String> = Vec::new();
            let mut i = pieces.len();
            while i > 0 {
                if i > 1 && (pieces[i - 2], pieces[i - 1]) == pair {
                    made.push(format!("{}{}", pair.0, bare(pair.1)));
                    i -= 2;
                } else {
                    made.push(pieces[i - 1].to_owned());
                    i -= 1;
                }
            }
            made.reverse();
            made
        });
    });
    // By letters, whatever the marks.
    assert_caught("two pieces, and the order counts", || {
        check::merge(|pieces, pair| {
            if pieces.first() == Some(&"a") && pieces.len() > 1 {
                return vec!["an".into(), "##a".into()];
            }
            merged(pieces, pair, bare)
        });
    });
}

fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().trim_end_matches([' ', '.', '!', '?']).to_owned()
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// The places at which `counts` says yes of (first text seen, second text seen).
fn given_away(
    train: Pairs,
    held_out: Pairs,
    fold: impl Fn(&str) -> String,
    counts: impl Fn(bool, bool) -> bool,
) -> Vec<usize> {
    let seen: HashSet<String> =
        train.iter().flat_map(|(one, other)| [fold(one), fold(other)]).collect();
    let yes = |&i: &usize| {
        counts(seen.contains(&fold(held_out[i].0)), seen.contains(&fold(held_out[i].1)))
    };
    (0..held_out.len()).filter(yes).collect()
}

#[test]
fn ch08_6_wrong_leaks() {
    let either = |one: bool, other: bool| one || other;
    check::leaks(|train, held_out| given_away(train, held_out, folded, either));
    // The same pair only.
    assert_caught("one of the two texts is enough", || {
        check::leaks(|train, held_out| {
            given_away(train, held_out, folded, |one, other| one && other)
        });
    });
    assert_caught("one of the two texts is enough", || {
        check::leaks(|train, held_out| {
            given_away(train, held_out, folded, |one, _| one)
        });
    });
    // Each column with its own.
    assert_caught("in whichever column", || {
        check::leaks(|train, held_out| {
            let of = |column: fn(&(&str, &str)) -> String| -> HashSet<String> {
                train.iter().map(|pair| folded(&column(pair))).collect()
            };
            let (first, second) = (of(|pair| pair.0.into()), of(|pair| pair.1.into()));
            let seen = |i: &usize| {
                first.contains(&folded(held_out[*i].0))
                    || second.contains(&folded(held_out[*i].1))
            };
            (0..held_out.len()).filter(seen).collect()
        });
    });
    for fold in [
        str::to_owned as fn(&str) -> String,
        str::to_lowercase,
        |text| text.trim_end_matches(['.', '!', '?']).to_lowercase(),
        |text| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
    ] {
        assert_caught("don't make a new sentence", || {
            check::leaks(|train, held_out| given_away(train, held_out, fold, either));
        });
    }
    // All marks taken out; a part of a text.
    assert_caught("marks inside count", || {
        check::leaks(|train, held_out| {
            let letters = |text: &str| folded(&text.replace([',', '.', '!', '?'], " "));
            given_away(train, held_out, letters, either)
        });
    });
    assert_caught("a part of a sentence", || {
        check::leaks(|train, held_out| {
            let texts: Vec<String> =
                train.iter().flat_map(|(a, b)| [folded(a), folded(b)]).collect();
            let within = |text: &str| {
                let text = folded(text);
                text.len() > 3 && texts.iter().any(|seen| seen.contains(&text))
            };
            let yes = |&i: &usize| {
                let known = given_away(train, &held_out[i..=i], folded, either);
                !known.is_empty() || within(held_out[i].0) || within(held_out[i].1)
            };
            (0..held_out.len()).filter(yes).collect()
        });
    });
}
