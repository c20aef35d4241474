//! The tests of appendix 1's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/a1.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/a1.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { a1:
    a1_1_absorb: absorb,
    a1_2_exponent: exponent,
}
