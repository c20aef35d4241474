//! What the exercises' tests check. Each check takes the function under test, so that
//! the same check judges a reader's answer, the book's solution and the wrong answers
//! it must catch. A chapter's tests compile its own checks alone: so a verdict is there
//! in a second.

mod asserts;

pub mod a1;
pub mod a2;
pub mod a3;
pub mod ch01;
pub mod ch02;
pub mod ch03;
pub mod ch04;
pub mod ch05;
pub mod ch06;
pub mod ch07;
pub mod ch08;
pub mod ch09;
