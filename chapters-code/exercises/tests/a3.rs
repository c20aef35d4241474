//! The tests of appendix 3's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/a3.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/a3.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { a3:
    a3_1_pack: pack,
    a3_2_tile: tile,
    a3_3_tallest: tallest,
    a3_4_enough_rows: enough_rows,
    a3_5_shares: shares,
}
