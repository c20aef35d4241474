//! The tests of chapter 2's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch02.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch02.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch02:
    ch02_1_split_heads: split_heads,
    ch02_2_grouped_query: grouped_query,
    ch02_3_attend_next: attend_next,
    ch02_4_hide_padding: hide_padding,
    ch02_5_tells_order: tells_order,
    ch02_6_rotate: rotate,
    ch02_7_layer_norm: layer_norm,
    ch02_8_beam: beam,
    ch02_9_top_k: top_k,
}
