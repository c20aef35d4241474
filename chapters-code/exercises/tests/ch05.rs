//! The tests of chapter 5's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch05.rs`.

mod checks;

use checks::ch05 as check;
use exercises::ch05;

#[test]
fn ch05_1_share_to_previous() {
    check::share_to_previous(ch05::share_to_previous);
}

#[test]
fn ch05_2_entropy() {
    check::entropy(ch05::entropy);
}

#[test]
fn ch05_3_sharpest_head() {
    check::sharpest_head(ch05::sharpest_head);
}

#[test]
fn ch05_4_top_key_across() {
    check::top_key_across(ch05::top_key_across);
}

#[test]
fn ch05_5_without_special() {
    check::without_special(ch05::without_special);
}

#[test]
fn ch05_6_rollout() {
    check::rollout(ch05::rollout);
}
