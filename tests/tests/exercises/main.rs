//! The exercises' checks catch the wrong answers that people give, and say what went wrong.

mod a1;
mod a2;
mod a3;
mod ch01;
mod ch02;
mod ch03;
mod ch04;
mod ch05;
mod ch06;
mod ch07;
mod ch08;
mod ch09;
#[path = "../../../chapters-code/exercises/tests/checks/mod.rs"]
mod checks;

use book_tests::refusal;

/// Asserts that a check refuses an answer with a message that has `hint` in it.
#[track_caller]
fn assert_caught(hint: &str, check: impl FnOnce()) {
    let message = refusal(check);
    assert!(message.contains(hint), "not {hint:?} but {message:?}");
}
