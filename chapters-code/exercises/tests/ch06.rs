//! The tests of chapter 6's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch06.rs`.

#[macro_use]
mod checks;

tests! { ch06:
    ch06_1_glorot_limit: glorot_limit,
    ch06_2_dense: dense,
    ch06_3_count_params: count_params,
    ch06_4_matmul_shape: matmul_shape,
    ch06_5_cross_entropy: cross_entropy,
    ch06_6_adam_step: adam_step,
}
