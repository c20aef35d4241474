//! The tests of chapter 5's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch05.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch05.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch05:
    ch05_1_sharpest_head: sharpest_head,
    ch05_2_top_key_across: top_key_across,
    ch05_3_without_special: without_special,
    ch05_4_reads_gender: reads_gender,
    ch05_5_held_out: held_out,
    ch05_6_find_flaw: find_flaw,
}
