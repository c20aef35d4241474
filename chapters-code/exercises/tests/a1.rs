//! The tests of appendix 1's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/a1.rs`.

mod checks;

use checks::a1 as check;
use exercises::a1;

#[test]
fn a1_1_absorb() {
    check::absorb(a1::absorb);
}

#[test]
fn a1_2_exponent() {
    check::exponent(a1::exponent);
}
