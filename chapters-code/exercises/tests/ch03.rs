//! The tests of chapter 3's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch03.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch03.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch03:
    ch03_1_wrong_derivatives: wrong_derivatives,
    ch03_2_descend: descend,
    ch03_3_logistic_gradient: logistic_gradient,
    ch03_4_adamw_step: adamw_step,
    ch03_5_learning_rate: learning_rate,
    ch03_6_clip: clip,
    ch03_7_masked_gradient: masked_gradient,
    ch03_8_smoothed_loss: smoothed_loss,
}
