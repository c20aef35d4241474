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
fn ch08_3_gained_beside() {
    check::gained_beside(ch08::gained_beside);
}

#[test]
fn ch08_4_best_pair() {
    check::best_pair(ch08::best_pair);
}

#[test]
fn ch08_5_stacked() {
    check::stacked(ch08::stacked);
}
