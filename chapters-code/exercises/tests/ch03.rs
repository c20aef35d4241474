//! The tests of chapter 3's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch03.rs`.

mod checks;

use checks::ch03 as check;
use exercises::ch03;

#[test]
fn ch03_1_wordpiece() {
    check::wordpiece(ch03::wordpiece);
}

#[test]
fn ch03_2_pad() {
    check::pad(ch03::pad);
}

#[test]
fn ch03_3_mean_pool() {
    check::mean_pool(ch03::mean_pool);
}

#[test]
fn ch03_4_label_and_score() {
    check::label_and_score(ch03::label_and_score);
}

#[test]
fn ch03_5_leave_one_out() {
    check::leave_one_out(ch03::leave_one_out);
}

#[test]
fn ch03_6_calibration_error() {
    check::calibration_error(ch03::calibration_error);
}
