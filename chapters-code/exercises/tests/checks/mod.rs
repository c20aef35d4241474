//! What the exercises' tests check. Each check takes the function under test, so that
//! the same check judges a reader's answer, the book's solution and the wrong answers
//! it must catch.

pub mod ch01;
