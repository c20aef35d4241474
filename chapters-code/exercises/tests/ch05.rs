//! The tests of chapter 5's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch05.rs`.

#[macro_use]
mod checks;

tests! { ch05:
    ch05_1_share_to_previous: share_to_previous,
    ch05_2_entropy: entropy,
    ch05_3_sharpest_head: sharpest_head,
    ch05_4_top_key_across: top_key_across,
    ch05_5_without_special: without_special,
    ch05_6_rollout: rollout,
}
