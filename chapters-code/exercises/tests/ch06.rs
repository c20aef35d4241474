//! The tests of chapter 6's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch06.rs`.

mod checks;

use checks::ch06 as check;
use exercises::ch06;

#[test]
fn ch06_1_glorot_limit() {
    check::glorot_limit(ch06::glorot_limit);
}

#[test]
fn ch06_2_dense() {
    check::dense(ch06::dense);
}

#[test]
fn ch06_3_count_params() {
    check::count_params(ch06::count_params);
}

#[test]
fn ch06_4_matmul_shape() {
    check::matmul_shape(ch06::matmul_shape);
}

#[test]
fn ch06_5_cross_entropy() {
    check::cross_entropy(ch06::cross_entropy);
}

#[test]
fn ch06_6_adam_step() {
    check::adam_step(ch06::adam_step);
}
