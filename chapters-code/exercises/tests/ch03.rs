//! The tests of chapter 3's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch03.rs`.

mod checks;

use checks::ch03 as check;
use exercises::ch03;

#[test]
fn ch03_1_slope() {
    check::slope(|f, x, h| ch03::slope(f, x, h));
}

#[test]
fn ch03_2_descend() {
    check::descend(ch03::descend);
}

#[test]
fn ch03_3_logistic_gradient() {
    check::logistic_gradient(ch03::logistic_gradient);
}

#[test]
fn ch03_4_adamw_step() {
    check::adamw_step(ch03::adamw_step);
}

#[test]
fn ch03_5_learning_rate() {
    check::learning_rate(ch03::learning_rate);
}

#[test]
fn ch03_6_clip() {
    check::clip(ch03::clip);
}

#[test]
fn ch03_7_anti_diagonal() {
    check::anti_diagonal(ch03::anti_diagonal);
}
