//! Wrong answers to chapter 4's exercises.

use std::collections::HashSet;

use ndarray::{Array1, Array2, Axis};

use super::assert_caught;
use super::checks::ch04 as check;

/// How [`cut`] is wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    ShortestFirst,
    NeverMarked,
    AlwaysMarked,
    MarksDropped,
    KeepsWhatItFound,
    GoesBack,
}

/// The right cut if there is no fault.
fn cut(word: &str, vocabulary: &HashSet<&str>, fault: Fault) -> Vec<String> {
    let unknown = || "[UNK]".to_owned();
    pieces(word, true, vocabulary, fault).unwrap_or_else(|mut found| {
        if fault != Fault::KeepsWhatItFound {
            found.clear();
        }
        found.push(unknown());
        found
    })
}

/// The pieces of the rest of a word; as an error, those found before it got stuck.
fn pieces(
    rest: &str,
    begins: bool,
    vocabulary: &HashSet<&str>,
    fault: Fault,
) -> Result<Vec<String>, Vec<String>> {
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let marked =
        fault == Fault::AlwaysMarked || (!begins && fault != Fault::NeverMarked);
    let mut ends: Vec<usize> =
        rest.char_indices().map(|(i, c)| i + c.len_utf8()).collect();
    if fault != Fault::ShortestFirst {
        ends.reverse();
    }
    let mut stuck = Vec::new();
    for end in ends {
        let piece = format!("{}{}", if marked { "##" } else { "" }, &rest[..end]);
        if !vocabulary.contains(piece.as_str()) {
            continue;
        }
        let shown =
            if fault == Fault::MarksDropped { rest[..end].to_owned() } else { piece };
        match pieces(&rest[end..], false, vocabulary, fault) {
            Ok(others) => return Ok([vec![shown], others].concat()),
            Err(others) => stuck = [vec![shown], others].concat(),
        }
        if fault != Fault::GoesBack {
            break;
        }
    }
    Err(stuck)
}

#[test]
fn ch04_1_wrong_wordpiece() {
    check::wordpiece(|word, vocabulary| cut(word, vocabulary, Fault::None));
    let assert_caught = |hint, fault: Fault| {
        assert_caught(hint, || {
            check::wordpiece(|word, vocabulary| cut(word, vocabulary, fault));
        });
    };
    assert_caught("whole is a single piece", Fault::ShortestFirst);
    assert_caught("the ## stays in the answer", Fault::MarksDropped);
    assert_caught("always the longest piece", Fault::NeverMarked);
    assert_caught("whole is a single piece", Fault::AlwaysMarked);
    let keeps = Fault::KeepsWhatItFound;
    assert_caught("without the pieces found before", keeps);
    assert_caught("WordPiece doesn't go back", Fault::GoesBack);
}

#[test]
fn ch04_1_wrong_letters() {
    // Cuts between bytes, and panics inside a letter.
    assert_caught("char boundary", || {
        check::wordpiece(|word, vocabulary| {
            let (mut found, mut start) = (Vec::new(), 0);
            while start < word.len() {
                let mark = if start == 0 { "" } else { "##" };
                let piece = |end: usize| format!("{mark}{}", &word[start..end]);
                let ends = (start + 1..=word.len()).rev();
                let longest = ends.map(|end| (end, piece(end)));
                let mut longest =
                    longest.filter(|(_, piece)| vocabulary.contains(piece.as_str()));
                let Some((end, piece)) = longest.next() else {
                    return vec!["[UNK]".to_owned()];
                };
                found.push(piece);
                start = end;
            }
            found
        });
    });
    // Cuts once: the longest beginning, and the whole rest.
    assert_caught("inside a word only pieces with ##", || {
        check::wordpiece(|word, vocabulary| {
            let found = cut(word, vocabulary, Fault::None);
            if found.len() > 2 { vec!["[UNK]".to_owned()] } else { found }
        });
    });
}

/// A batch as long as `n` says, filled up at the end or at the beginning.
fn padded(
    texts: &[Vec<u32>],
    pad: u32,
    n: usize,
    at_the_end: bool,
) -> (Array2<u32>, Array2<u32>) {
    let mut ids = Array2::from_elem((texts.len(), n), pad);
    let mut mask = Array2::zeros((texts.len(), n));
    for (row, text) in texts.iter().enumerate() {
        let start = if at_the_end { 0 } else { n.saturating_sub(text.len()) };
        for (i, &id) in text.iter().take(n).enumerate() {
            ids[[row, start + i]] = id;
            mask[[row, start + i]] = 1;
        }
    }
    (ids, mask)
}

fn longest(texts: &[Vec<u32>]) -> usize {
    texts.iter().map(Vec::len).max().unwrap()
}

#[test]
fn ch04_2_wrong_pad() {
    check::pad(|texts, pad| padded(texts, pad, longest(texts), true));
    assert_caught("wherever it stands", || {
        check::pad(|texts, pad| padded(texts, pad, texts[0].len(), true));
    });
    assert_caught("wherever it stands", || {
        check::pad(|texts, pad| {
            padded(texts, pad, texts.iter().map(Vec::len).min().unwrap(), true)
        });
    });
    assert_caught("wherever it stands", || {
        check::pad(|texts, pad| padded(texts, pad, 512, true));
    });
    assert_caught("come first", || {
        check::pad(|texts, pad| padded(texts, pad, longest(texts), false));
    });
    assert_caught("fill up with `pad`", || {
        check::pad(|texts, _| padded(texts, 0, longest(texts), true));
    });
    assert_caught("1 for what the text has", || {
        check::pad(|texts, pad| {
            let (ids, mask) = padded(texts, pad, longest(texts), true);
            (ids, 1 - mask)
        });
    });
    assert_caught("1 for what the text has", || {
        check::pad(|texts, pad| {
            let (ids, mask) = padded(texts, pad, longest(texts), true);
            (ids, Array2::ones(mask.dim()))
        });
    });
    assert_caught("not the numbers", || {
        check::pad(|texts, pad| {
            let (ids, _) = padded(texts, pad, longest(texts), true);
            let mask = ids.mapv(|id| u32::from(id != pad));
            (ids, mask)
        });
    });
    // Only texts that need padding are filled in.
    assert_caught("a text alone", || {
        check::pad(|texts, pad| {
            let n = longest(texts) + usize::from(texts.len() == 1);
            padded(texts, pad, n, true)
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

fn largest(logits: &[f64]) -> usize {
    let first = |best, i| if logits[i] > logits[best] { i } else { best };
    (0..logits.len()).fold(0, first)
}

fn share(logits: &[f64], label: usize) -> f64 {
    let largest = logits[largest(logits)];
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    (logits[label] - largest).exp() / sum
}

#[test]
fn ch04_4_wrong_answers() {
    check::label_and_score(|logits| (largest(logits), share(logits, largest(logits))));
    // The logit itself, and its share of the sum of logits.
    assert_caught("over the sum of all exponentials", || {
        check::label_and_score(|logits| (largest(logits), logits[largest(logits)]));
    });
    assert_caught("over the sum of all exponentials", || {
        check::label_and_score(|logits| {
            let label = largest(logits);
            (label, logits[label] / logits.iter().sum::<f64>())
        });
    });
    // A sigmoid of its own for each label.
    assert_caught("over the sum of all exponentials", || {
        check::label_and_score(|logits| {
            let label = largest(logits);
            (label, 1.0 / (1.0 + (-logits[label]).exp()))
        });
    });
    // Always label 1, and the score of label 1 whichever wins.
    assert_caught("here label 0's", || {
        check::label_and_score(|logits| (1, share(logits, 1)));
    });
    assert_caught("here label 0's", || {
        check::label_and_score(|logits| (largest(logits), share(logits, 1)));
    });
    assert_caught("don't compare with 0", || {
        check::label_and_score(|logits| {
            let label = usize::from(logits[1] > 0.0 && logits[1] > logits[0]);
            (label, share(logits, label))
        });
    });
    assert_caught("of equal logits, the first", || {
        check::label_and_score(|logits| {
            let last = |best, i| if logits[i] >= logits[best] { i } else { best };
            let label = (0..logits.len()).fold(0, last);
            (label, share(logits, label))
        });
    });
    // Two labels only: the sigmoid of their difference.
    assert_caught("more than two labels", || {
        check::label_and_score(|logits| {
            let label = usize::from(logits[1] > logits[0]);
            let margin = (logits[0] - logits[1]).abs();
            (label, 1.0 / (1.0 + (-margin).exp()))
        });
    });
    assert_caught("exp overflows", || {
        check::label_and_score(|logits| {
            let label = largest(logits);
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            (label, logits[label].exp() / sum)
        });
    });
}

#[test]
fn ch04_5_wrong_leave_one_out() {
    fn without(words: &[&str], i: usize) -> Vec<String> {
        let kept = words.iter().enumerate().filter(|&(j, _)| j != i);
        kept.map(|(_, word)| (*word).to_owned()).collect()
    }
    fn strs(words: &[String]) -> Vec<&str> {
        words.iter().map(String::as_str).collect()
    }
    assert_caught("in that order", || {
        check::leave_one_out(|words, score| {
            let each = 0..words.len();
            each.map(|i| score(&strs(&without(words, i))) - score(words)).collect()
        });
    });
    // The score without the word, not how far it fell.
    assert_caught("minus the score without the word", || {
        check::leave_one_out(|words, score| {
            (0..words.len()).map(|i| score(&strs(&without(words, i)))).collect()
        });
    });
    // The word alone.
    assert_caught("without `not`, the score rises", || {
        check::leave_one_out(|words, score| {
            words.iter().map(|word| score(&[word])).collect()
        });
    });
    assert_caught("a fall of −2", || {
        check::leave_one_out(|words, score| {
            let each = 0..words.len();
            each.map(|i| (score(words) - score(&strs(&without(words, i)))).abs())
                .collect()
        });
    });
    // Every word that is the same goes.
    assert_caught("exactly one must be missing", || {
        check::leave_one_out(|words, score| {
            let others = |word: &str| -> Vec<&str> {
                words.iter().copied().filter(|other| *other != word).collect()
            };
            words.iter().map(|word| score(words) - score(&others(word))).collect()
        });
    });
    for stand_in in ["", "[MASK]"] {
        assert_caught("nothing put in its place", || {
            check::leave_one_out(|words, score| {
                let replaced = |i: usize| {
                    let mut words = words.to_vec();
                    words[i] = stand_in;
                    words
                };
                (0..words.len()).map(|i| score(words) - score(&replaced(i))).collect()
            });
        });
    }
    // The last word takes the empty place.
    assert_caught("in their order", || {
        check::leave_one_out(|words, score| {
            let swapped = |i: usize| {
                let mut words = words.to_vec();
                words.swap_remove(i);
                words
            };
            (0..words.len()).map(|i| score(words) - score(&swapped(i))).collect()
        });
    });
    // What is taken out stays out.
    assert_caught("minus the score without the word", || {
        check::leave_one_out(|words, score| {
            (0..words.len()).map(|i| score(words) - score(&words[i + 1..])).collect()
        });
    });
}

/// The bin of a score: on a border, the one above.
fn bin(score: f64, bins: usize) -> usize {
    (1..bins).filter(|&border| score >= border as f64 / bins as f64).count()
}

/// What the answers of each bin have: how many they are, the sum of their scores, how
/// many are right.
fn gathered(
    answers: &[(f64, bool)],
    bins: usize,
    bin: impl Fn(f64, usize) -> usize,
) -> Vec<[f64; 3]> {
    let mut gathered = vec![[0.0; 3]; bins];
    for &(score, right) in answers {
        let [count, sum, rights] = &mut gathered[bin(score, bins)];
        *count += 1.0;
        *sum += score;
        *rights += f64::from(u8::from(right));
    }
    gathered
}

#[test]
fn ch04_6_wrong_calibration() {
    let error = |answers: &[(f64, bool)], gaps: f64| gaps / answers.len() as f64;
    // Every bin counts as much as every other.
    assert_caught("counts as often as it has answers", || {
        check::calibration_error(|answers, bins| {
            let gathered = gathered(answers, bins, bin);
            let filled = gathered.iter().filter(|[count, ..]| *count > 0.0);
            let gaps: Vec<f64> = filled
                .map(|[count, sum, right]| ((sum - right) / count).abs())
                .collect();
            gaps.iter().sum::<f64>() / gaps.len() as f64
        });
    });
    assert_caught("0 / 0 is NaN", || {
        check::calibration_error(|answers, bins| {
            let gathered = gathered(answers, bins, bin);
            let gaps = gathered
                .iter()
                .map(|[count, sum, right]| (sum / count - right / count).abs() * count);
            error(answers, gaps.sum())
        });
    });
    // The middle of the bin for the mean of its scores.
    assert_caught("its mean score is 0.92", || {
        check::calibration_error(|answers, bins| {
            let gathered = gathered(answers, bins, bin).into_iter().enumerate();
            let gaps = gathered.map(|(i, [count, _, right])| {
                ((i as f64 + 0.5) / bins as f64 * count - right).abs()
            });
            error(answers, gaps.sum())
        });
    });
    // Every answer on its own.
    assert_caught("its mean score is 0.92", || {
        check::calibration_error(|answers, _| {
            let gaps = answers
                .iter()
                .map(|&(score, right)| (score - f64::from(u8::from(right))).abs());
            error(answers, gaps.sum())
        });
    });
    assert_caught("gaps don't cancel", || {
        check::calibration_error(|answers, bins| {
            let gathered = gathered(answers, bins, bin);
            let gaps: f64 = gathered.iter().map(|[_, sum, right]| sum - right).sum();
            error(answers, gaps.abs())
        });
    });
    // A score of 1 falls out.
    assert_caught("belongs to the last range", || {
        check::calibration_error(|answers, bins| {
            let below: Vec<_> =
                answers.iter().copied().filter(|(score, _)| *score < 1.0).collect();
            let gathered = gathered(&below, bins, bin);
            let gaps = gathered.iter().map(|[_, sum, right]| (sum - right).abs());
            error(answers, gaps.sum())
        });
    });
    assert_caught("index out of bounds", || {
        check::calibration_error(|answers, bins| {
            let up = |score: f64, bins: usize| {
                let mut bin = 0;
                while (bin + 1) as f64 / bins as f64 <= score {
                    bin += 1;
                }
                bin
            };
            let gathered = gathered(answers, bins, up);
            let gaps = gathered.iter().map(|[_, sum, right]| (sum - right).abs());
            error(answers, gaps.sum())
        });
    });
    assert_caught("on a border goes up", || {
        check::calibration_error(|answers, bins| {
            let down = |score: f64, bins: usize| {
                (1..bins).filter(|&border| score > border as f64 / bins as f64).count()
            };
            let gathered = gathered(answers, bins, down);
            let gaps = gathered.iter().map(|[_, sum, right]| (sum - right).abs());
            error(answers, gaps.sum())
        });
    });
}
