//! The book's exercises. Each module is a chapter's or an appendix's; its functions are yours to write:
//!
//! ```text
//! cargo test -p exercises ch01                 every exercise of chapter 1
//! cargo test -p exercises ch01_1               the first one alone
//! ```
//!
//! The `solutions` crate has one answer to each.

// What an answer may need, for one that is pasted.
#![allow(unused_imports)]

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
