//! The tests of chapter 7's exercises, one per exercise. What each checks, and what it
//! says when an answer is wrong, is in `checks/ch07.rs`.

mod checks;

use checks::ch07 as check;
use exercises::ch07;

#[test]
fn ch07_1_pair_parts() {
    check::pair_parts(ch07::pair_parts);
}

#[test]
fn ch07_2_hover() {
    check::hover(ch07::hover);
}

#[test]
fn ch07_3_prettify() {
    check::prettify(ch07::prettify);
}

#[test]
fn ch07_4_json_in_script() {
    check::json_in_script(ch07::json_in_script);
}

#[test]
fn ch07_5_inside() {
    check::inside(ch07::inside);
}

#[test]
fn ch07_6_top_pairs() {
    check::top_pairs(ch07::top_pairs);
}

#[test]
fn ch07_7_least_weight() {
    check::least_weight(ch07::least_weight);
}
