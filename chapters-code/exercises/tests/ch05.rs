//! The tests of chapter 5's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch05.rs`.

mod checks;

use checks::ch05 as check;
use exercises::ch05;

#[test]
fn ch05_1_glorot_limit() {
    check::glorot_limit(ch05::glorot_limit);
}

#[test]
fn ch05_2_dense() {
    check::dense(ch05::dense);
}

#[test]
fn ch05_3_count_params() {
    check::count_params(ch05::count_params);
}

#[test]
fn ch05_4_matmul_shape() {
    check::matmul_shape(ch05::matmul_shape);
}

#[test]
fn ch05_5_cross_entropy() {
    check::cross_entropy(ch05::cross_entropy);
}

#[test]
fn ch05_6_adam_step() {
    check::adam_step(ch05::adam_step);
}
