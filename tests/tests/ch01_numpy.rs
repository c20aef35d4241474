//! Chapter 1 against NumPy: `tests/reference/ch01_numpy.py` makes the fixture.

use book_tests::{Rows, assert_relative, fixture, matrix};
use self_attention::SelfAttention;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    seed: u32,
    d_k: usize,
    embeddings: Rows,
    w_query: Rows,
    w_key: Rows,
    w_value: Rows,
    q: Rows,
    k: Rows,
    v: Rows,
    scores: Rows,
    weights: Rows,
    output: Rows,
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = fixture("ch01-numpy.json");
    assert!(cases.len() > 20, "the fixture has lost its cases");
    cases
}

#[test]
fn the_weights_drawn_are_numpys_to_the_last_bit() {
    for case in cases() {
        let d_model = case.embeddings[0].len();
        let layer = SelfAttention::from_numpy_seed(case.seed, d_model, case.d_k);
        assert_eq!(layer.w_query, matrix(&case.w_query), "seed {}", case.seed);
        assert_eq!(layer.w_key, matrix(&case.w_key), "seed {}", case.seed);
        assert_eq!(layer.w_value, matrix(&case.w_value), "seed {}", case.seed);
    }
}

#[test]
fn every_intermediate_is_numpys() {
    for case in cases() {
        let x = matrix(&case.embeddings);
        let layer = SelfAttention::from_numpy_seed(case.seed, x.ncols(), case.d_k);
        let attention = layer.forward(&x).unwrap();
        for (name, found, expected) in [
            ("q", &attention.q, &case.q),
            ("k", &attention.k, &case.k),
            ("v", &attention.v, &case.v),
            ("scores", &attention.scores, &case.scores),
            ("weights", &attention.weights, &case.weights),
            ("output", &attention.output, &case.output),
        ] {
            let name = format!("seed {} d_k {}: {name}", case.seed, case.d_k);
            assert_relative(&name, found, &matrix(expected), 1e-12);
        }
    }
}
