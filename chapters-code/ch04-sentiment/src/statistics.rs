//! How much of a count may be luck: tests and an interval, and the correlation of ranks.
//!
//! What this and the later chapters claim of heads, words and models stands on these:
//!
//! - [`hits_by_chance`], [`at_least`] and [`at_most`]: what guessing would give, exactly,
//!   even if each try has a chance of its own;
//! - [`wilson`]: where the true share may be, given a count;
//! - [`only_one_right`] and [`sign_test`]: are two judges of the *same* cases different?
//!   McNemar's test, in its exact form;
//! - [`ranks`] and [`rank_correlation`]: do two lists order their places alike?
//!
//! None of them panics: where a number makes no sense, the answer is NaN.

// ANCHOR: hits_by_chance
/// How likely each number of hits is, from 0 to all, if each try hits with the chance
/// given for it, whatever the others do: `[tries + 1]`, of sum 1.
pub fn hits_by_chance(chances: &[f64]) -> Vec<f64> {
    let mut likely = vec![1.0]; // no try yet: 0 hits, for sure
    for chance in chances {
        let miss = likely.iter().map(|p| p * (1.0 - chance)).chain([0.0]);
        let hit = [0.0].into_iter().chain(likely.iter().map(|p| p * chance));
        likely = miss.zip(hit).map(|(as_many, one_more)| as_many + one_more).collect();
    }
    likely
}

/// How likely that many hits are, or more.
pub fn at_least(hits: usize, chances: &[f64]) -> f64 {
    hits_by_chance(chances).iter().skip(hits).sum()
}

/// How likely that many hits are, or fewer.
pub fn at_most(hits: usize, chances: &[f64]) -> f64 {
    hits_by_chance(chances).iter().take(hits + 1).sum()
}
// ANCHOR_END: hits_by_chance

// ANCHOR: wilson
/// Where the true share may be, if `right` of `count` answers drawn by chance were
/// right: Wilson's interval, which holds it 95 times in 100. NaN if there is no answer.
pub fn wilson(right: usize, count: usize) -> (f64, f64) {
    let (n, z) = (count as f64, 1.96);
    let share = right as f64 / n;
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let spread = (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let half = z / (1.0 + z * z / n) * spread;
    (middle - half, middle + half)
}
// ANCHOR_END: wilson

// ANCHOR: sign_test
/// How many cases only the first of two judges got right, and how many only the second:
/// of each case is told whether the one and the other did.
pub fn only_one_right(cases: impl IntoIterator<Item = (bool, bool)>) -> (usize, usize) {
    cases.into_iter().fold((0, 0), |(first, second), (one, other)| {
        (first + usize::from(one && !other), second + usize::from(other && !one))
    })
}

/// How likely coins are to divide `one + other` cases at least as unevenly, to either
/// side: the p of the sign test. With the cases that only one of two judges got right
/// it is McNemar's exact test. 1 if there is no case.
pub fn sign_test(one: usize, other: usize) -> f64 {
    let coins = vec![0.5; one + other];
    (2.0 * at_most(one.min(other), &coins)).min(1.0)
}
// ANCHOR_END: sign_test

// ANCHOR: rank_correlation
/// The place of each value in the order from the smallest, 1, to the largest. Equal
/// values share the mean of their places.
pub fn ranks<T: PartialOrd>(values: &[T]) -> Vec<f64> {
    let rank = |value: &T| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + 0.5 * (equal as f64 + 1.0)
    };
    values.iter().map(rank).collect()
}

/// Spearman's ρ: how alike two lists of equal length order their places. 1 for the same
/// order, −1 for the opposite one, about 0 for unrelated ones; NaN if one of them is
/// constant.
pub fn rank_correlation<T: PartialOrd>(a: &[T], b: &[T]) -> f64 {
    let centered = |values: &[T]| -> Vec<f64> {
        let mean = 0.5 * (values.len() as f64 + 1.0);
        ranks(values).iter().map(|rank| rank - mean).collect()
    };
    let (a, b) = (centered(a), centered(b));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}
// ANCHOR_END: rank_correlation
