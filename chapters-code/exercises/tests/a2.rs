//! The tests of appendix 2's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/a2.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/a2.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { a2:
    a2_1_sigmoid_backward: sigmoid_backward,
    a2_2_rms_residual_backward: rms_residual_backward,
    a2_3_causal_backward: causal_backward,
}
