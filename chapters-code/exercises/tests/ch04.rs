//! The tests of chapter 4's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch04.rs`.

mod checks;

use checks::ch04 as check;
use exercises::ch04;

#[test]
fn ch04_1_wordpiece() {
    check::wordpiece(ch04::wordpiece);
}

#[test]
fn ch04_2_pad() {
    check::pad(ch04::pad);
}

#[test]
fn ch04_3_mean_pool() {
    check::mean_pool(ch04::mean_pool);
}

#[test]
fn ch04_4_label_and_score() {
    check::label_and_score(ch04::label_and_score);
}

#[test]
fn ch04_5_leave_one_out() {
    check::leave_one_out(ch04::leave_one_out);
}

#[test]
fn ch04_6_calibration_error() {
    check::calibration_error(ch04::calibration_error);
}
