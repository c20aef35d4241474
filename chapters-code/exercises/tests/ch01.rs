//! The tests of chapter 1's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch01.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch01.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch01:
    ch01_1_softmax: softmax,
    ch01_2_previous_word: previous_word,
    ch01_3_diagnose: diagnose,
    ch01_4_score_variances: score_variances,
    ch01_5_softmax_with_temperature: softmax_with_temperature,
    ch01_6_unshuffle: unshuffle,
}
