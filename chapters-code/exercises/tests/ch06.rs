//! The tests of chapter 6's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch06.rs`.

mod checks;

use checks::ch06 as check;
use exercises::ch06;

#[test]
fn ch06_1_pair_parts() {
    check::pair_parts(ch06::pair_parts);
}

#[test]
fn ch06_2_hover() {
    check::hover(ch06::hover);
}

#[test]
fn ch06_3_prettify() {
    check::prettify(ch06::prettify);
}

#[test]
fn ch06_4_json_in_script() {
    check::json_in_script(ch06::json_in_script);
}

#[test]
fn ch06_5_inside() {
    check::inside(ch06::inside);
}

#[test]
fn ch06_6_top_pairs() {
    check::top_pairs(ch06::top_pairs);
}

#[test]
fn ch06_7_least_weight() {
    check::least_weight(ch06::least_weight);
}
