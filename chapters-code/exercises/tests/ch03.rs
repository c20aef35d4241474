//! The tests of chapter 3's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch03.rs`.

#[macro_use]
mod checks;

#[test]
fn ch03_1_slope() {
    checks::ch03::slope(|f, x, h| exercises::ch03::slope(f, x, h));
}

tests! { ch03:
    ch03_2_descend: descend,
    ch03_3_logistic_gradient: logistic_gradient,
    ch03_4_adamw_step: adamw_step,
    ch03_5_learning_rate: learning_rate,
    ch03_6_clip: clip,
    ch03_7_anti_diagonal: anti_diagonal,
}
