//! Exercises of chapter 8, solved.

use std::collections::{BTreeMap, HashSet};

// ANCHOR: asked_words
pub fn asked_words(pieces: &[&str], drawn: &[f64]) -> Vec<bool> {
    let special = |piece: &str| ["[CLS]", "[SEP]"].contains(&piece);
    let mut asked: Vec<bool> = Vec::new();
    for (i, (&piece, &number)) in pieces.iter().zip(drawn).enumerate() {
        let goes_on = piece.starts_with("##") && i > 0 && !special(pieces[i - 1]);
        let first = !special(piece) && number < 0.15;
        asked.push(if goes_on { asked[i - 1] } else { first });
    }
    asked
}
// ANCHOR_END: asked_words

// ANCHOR: best_trial
pub fn best_trial(trials: &[(f64, Vec<f64>, Vec<f64>)]) -> Option<(usize, usize)> {
    let ends = trials.iter().enumerate().flat_map(|(trial, (rate, _, held_out))| {
        (1..).zip(held_out).map(move |(epochs, &loss)| (loss, epochs, *rate, trial))
    });
    let finite = ends.filter(|(loss, ..)| loss.is_finite());
    let best = finite.min_by(|a, b| {
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2))
    })?;
    Some((best.3, best.1))
}
// ANCHOR_END: best_trial

// ANCHOR: gained_beside
pub fn gained_beside(labels: &[u32], alone: &[u32], beside: &[u32]) -> (f64, f64, f64) {
    let share = |right: &dyn Fn(usize) -> bool| {
        let count = (0..labels.len()).filter(|&i| right(i)).count();
        count as f64 / labels.len().max(1) as f64
    };
    let right_alone = |i: usize| alone[i] == labels[i];
    let right_beside = |i: usize| beside[i] == labels[i];
    let gained = |i: usize| right_beside(i) && !right_alone(i);
    (share(&right_alone), share(&right_beside), share(&gained))
}
// ANCHOR_END: gained_beside

// ANCHOR: best_pair
pub fn best_pair(words: &[(Vec<String>, u64)]) -> Option<(String, String)> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (pieces, count) in words {
        for pair in pieces.windows(2) {
            *counts.entry((&pair[0], &pair[1])).or_default() += count;
        }
    }
    // The map is in order: of the largest counts, the last of `rev` comes first.
    let best = counts.into_iter().rev().max_by_key(|&(_, count)| count)?;
    let (left, right) = best.0;
    Some((left.to_owned(), right.to_owned()))
}
// ANCHOR_END: best_pair

// ANCHOR: merge
pub fn merge(pieces: &[&str], pair: (&str, &str)) -> Vec<String> {
    let (mut merged, mut rest) = (Vec::new(), pieces);
    while let [first, after @ ..] = rest {
        if *first == pair.0 && after.first() == Some(&pair.1) {
            let right = pair.1.strip_prefix("##").unwrap_or(pair.1);
            merged.push(format!("{first}{right}"));
            rest = &after[1..]; // two pieces are used up
        } else {
            merged.push((*first).to_owned());
            rest = after;
        }
    }
    merged
}
// ANCHOR_END: merge

// ANCHOR: leaks
pub fn leaks(train: &[(&str, &str)], held_out: &[(&str, &str)]) -> Vec<usize> {
    let folded = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ").to_lowercase();
        text.trim_end_matches([' ', '.', '!', '?']).to_owned()
    };
    let seen: HashSet<String> =
        train.iter().flat_map(|(one, other)| [folded(one), folded(other)]).collect();
    let given_away = |&i: &usize| {
        let (one, other) = held_out[i];
        seen.contains(&folded(one)) || seen.contains(&folded(other))
    };
    (0..held_out.len()).filter(given_away).collect()
}
// ANCHOR_END: leaks
