//! The tests of appendix 2's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/a2.rs`.

mod checks;

use checks::a2 as check;
use exercises::a2;

#[test]
fn a2_1_sigmoid_backward() {
    check::sigmoid_backward(a2::sigmoid_backward);
}

#[test]
fn a2_2_rms_residual_backward() {
    check::rms_residual_backward(a2::rms_residual_backward);
}

#[test]
fn a2_3_causal_backward() {
    check::causal_backward(a2::causal_backward);
}
