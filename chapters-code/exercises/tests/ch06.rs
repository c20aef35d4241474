//! The tests of chapter 6's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch06.rs`.

#[macro_use]
#[path = "checks/asserts.rs"]
mod asserts;
#[path = "checks/ch06.rs"]
#[allow(dead_code, reason = "the tests of wrong answers use more")]
mod checks;

tests! { ch06:
    ch06_1_count_params: count_params,
    ch06_2_matmul_shape: matmul_shape,
    ch06_3_attention_shape: attention_shape,
    ch06_4_softmax_axis: softmax_axis,
    ch06_5_grouped_attention: grouped_attention,
    ch06_6_pointer_by_hand: pointer_by_hand,
}
