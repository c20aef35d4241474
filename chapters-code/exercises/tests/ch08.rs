//! The tests of chapter 8's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch08.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch08.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch08:
    ch08_1_asked_words: asked_words,
    ch08_2_best_trial: best_trial,
    ch08_3_gained_beside: gained_beside,
    ch08_4_best_pair: best_pair,
    ch08_5_merge: merge,
    ch08_6_leaks: leaks,
}
