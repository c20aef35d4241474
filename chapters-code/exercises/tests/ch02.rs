//! The tests of chapter 2's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch02.rs`.

mod checks;

use checks::ch02 as check;
use exercises::ch02;

#[test]
fn ch02_1_split_heads() {
    check::split_heads(ch02::split_heads);
}

#[test]
fn ch02_2_merge_heads() {
    check::merge_heads(ch02::merge_heads);
}

#[test]
fn ch02_3_causal_mask() {
    check::causal_mask(ch02::causal_mask);
}

#[test]
fn ch02_4_hide_padding() {
    check::hide_padding(ch02::hide_padding);
}

#[test]
fn ch02_5_tells_order() {
    check::tells_order(ch02::tells_order);
}

#[test]
fn ch02_6_sinusoidal() {
    check::sinusoidal(ch02::sinusoidal);
}

#[test]
fn ch02_7_layer_norm() {
    check::layer_norm(ch02::layer_norm);
}

#[test]
fn ch02_8_greedy() {
    check::greedy(ch02::greedy);
}
