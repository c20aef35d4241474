//! The tests of chapter 4's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch04.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch04.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch04:
    ch04_1_fewest_pieces: fewest_pieces,
    ch04_2_leaks: leaks,
    ch04_3_mean_pool: mean_pool,
    ch04_4_temperature: temperature,
    ch04_5_covering_pair: covering_pair,
    ch04_6_sign_flips: sign_flips,
}
