//! The tests of chapter 1's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch01.rs`.

mod checks;

use checks::ch01 as check;
use exercises::ch01;

#[test]
fn ch01_1_softmax() {
    check::softmax(ch01::softmax);
}

#[test]
fn ch01_2_scaled_scores() {
    check::scaled_scores(ch01::scaled_scores);
}

#[test]
fn ch01_3_attention() {
    check::attention(ch01::attention);
}

#[test]
fn ch01_4_score_variances() {
    check::score_variances(ch01::score_variances);
}

#[test]
fn ch01_5_softmax_with_temperature() {
    check::softmax_with_temperature(ch01::softmax_with_temperature);
}

#[test]
fn ch01_6_unshuffle() {
    check::unshuffle(ch01::unshuffle);
}
