//! One answer to each of the book's exercises.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "what a function is to do stands in the `exercises` crate, at its stub"
)]

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
