//! The tests of chapter 4's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch04.rs`.

mod checks;

use checks::ch04 as check;
use exercises::ch04;

#[test]
fn ch04_1_share_to_previous() {
    check::share_to_previous(ch04::share_to_previous);
}

#[test]
fn ch04_2_entropy() {
    check::entropy(ch04::entropy);
}

#[test]
fn ch04_3_sharpest_head() {
    check::sharpest_head(ch04::sharpest_head);
}

#[test]
fn ch04_4_first_choice_across() {
    check::first_choice_across(ch04::first_choice_across);
}

#[test]
fn ch04_5_without_special() {
    check::without_special(ch04::without_special);
}

#[test]
fn ch04_6_rollout() {
    check::rollout(ch04::rollout);
}
