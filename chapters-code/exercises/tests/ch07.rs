//! The tests of chapter 7's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch07.rs`.

mod checks;

use checks::ch07 as check;
use exercises::ch07;

#[test]
fn ch07_1_hide_pieces() {
    check::hide_pieces(ch07::hide_pieces);
}

#[test]
fn ch07_2_masked_loss() {
    check::masked_loss(ch07::masked_loss);
}

#[test]
fn ch07_3_adamw_step() {
    check::adamw_step(ch07::adamw_step);
}

#[test]
fn ch07_4_learning_rate() {
    check::learning_rate(ch07::learning_rate);
}

#[test]
fn ch07_5_clip() {
    check::clip(ch07::clip);
}

#[test]
fn ch07_6_gained_beside() {
    check::gained_beside(ch07::gained_beside);
}

#[test]
fn ch07_7_anti_diagonal() {
    check::anti_diagonal(ch07::anti_diagonal);
}
