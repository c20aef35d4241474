//! The tests of chapter 7's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch07.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch07.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch07:
    ch07_1_look: look,
    ch07_2_hover: hover,
    ch07_3_prettify: prettify,
    ch07_4_json_in_script: json_in_script,
    ch07_5_moved: moved,
    ch07_6_top_pairs: top_pairs,
    ch07_7_least_weight: least_weight,
    ch07_8_added: added,
}
