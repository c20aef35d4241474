//! The tests of chapter 8's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch08.rs`.

mod checks;

use checks::ch08 as check;
use exercises::ch08;

#[test]
fn ch08_1_hide_pieces() {
    check::hide_pieces(ch08::hide_pieces);
}

#[test]
fn ch08_2_masked_loss() {
    check::masked_loss(ch08::masked_loss);
}

#[test]
fn ch08_3_adamw_step() {
    check::adamw_step(ch08::adamw_step);
}

#[test]
fn ch08_4_learning_rate() {
    check::learning_rate(ch08::learning_rate);
}

#[test]
fn ch08_5_clip() {
    check::clip(ch08::clip);
}

#[test]
fn ch08_6_gained_beside() {
    check::gained_beside(ch08::gained_beside);
}

#[test]
fn ch08_7_anti_diagonal() {
    check::anti_diagonal(ch08::anti_diagonal);
}
