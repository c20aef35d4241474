//! The tests of chapter 9's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch09.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch09.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch09:
    ch09_1_visible: visible,
    ch09_2_attend_new: attend_new,
    ch09_3_top_p: top_p,
    ch09_4_tempered: tempered,
    ch09_5_perplexity: perplexity,
    ch09_6_best_text: best_text,
    ch09_7_induction_score: induction_score,
    ch09_8_induction_circuit: induction_circuit,
}
