//! The tests of chapter 4's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch04.rs`.

#[macro_use]
mod checks;

tests! { ch04:
    ch04_1_wordpiece: wordpiece,
    ch04_2_pad: pad,
    ch04_3_mean_pool: mean_pool,
    ch04_4_label_and_score: label_and_score,
    ch04_5_leave_one_out: leave_one_out,
    ch04_6_calibration_error: calibration_error,
}
