//! What is derived by hand: against finite differences, chance and counting.
#![allow(missing_docs)]
#![allow(clippy::float_cmp, reason = "what is exact is compared exactly")]

use ndarray::{Array2, array};
use training::TrainingError;
use training::bigram::{Bigram, LetterPair, letter_pairs, words};
use training::loss::{cross_entropy, cross_entropy_gradient};
use training::one_weight::{squared_error, squared_error_derivative};

#[test]
fn derivatives_are_what_finite_differences_say() {
    let h = 1e-5;
    for (w, x, target) in [(0.5, 2.0, 3.0), (-1.0, 0.3, 2.0), (1.5, 2.0, 3.0)] {
        let [below, above] = [w - h, w + h].map(|w| squared_error(w, x, target));
        let found = squared_error_derivative(w, x, target);
        assert!(
            (found - (above - below) / (2.0 * h)).abs() < 1e-8,
            "{w}, {x}, {target}"
        );
    }
    let logits = array![[2.0, 1.0, -1.0], [0.0, 0.5, 0.3], [-3.0, 4.0, 4.0]];
    let right = [1, 1, 0];
    let gradient = cross_entropy_gradient(&logits, &right).unwrap();
    for (place, &found) in gradient.indexed_iter() {
        let [below, above] = [-h, h].map(|step| {
            let mut nudged = logits.clone();
            nudged[place] += step;
            cross_entropy(&nudged, &right).unwrap()
        });
        assert!((found - (above - below) / (2.0 * h)).abs() < 1e-9, "{place:?}");
    }
}

#[test]
fn cross_entropy_is_exact_where_a_softmax_underflows() {
    let logits = array![[1000.0, 0.0], [-1000.0, 0.0]];
    assert_eq!(cross_entropy(&logits, &[1, 0]).unwrap(), 1000.0);
    assert_eq!(cross_entropy(&logits, &[0, 1]).unwrap(), 0.0);
    let impossible = array![[f64::NEG_INFINITY, 0.0]];
    assert_eq!(cross_entropy(&impossible, &[0]).unwrap(), f64::INFINITY);
}

#[test]
fn right_columns_that_do_not_fit_are_refused() {
    let logits = Array2::zeros((2, 3));
    for (right, message) in [
        (
            &[0][..],
            "right columns is 1: it must be as many as the rows of the logits (2)",
        ),
        (&[0, 1, 2], "right columns is 3"),
        (&[0, 3], "a right column is 3: it must be below 3"),
    ] {
        for error in [
            cross_entropy(&logits, right).unwrap_err(),
            cross_entropy_gradient(&logits, right).unwrap_err(),
        ] {
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }
    assert!(cross_entropy(&Array2::zeros((0, 3)), &[]).is_err());
}

#[test]
fn pairs_have_a_word_s_ends() {
    let names = |word| -> usize { letter_pairs(&[word]).unwrap().len() };
    assert_eq!((names("oi"), names("gato"), names("")), (3, 5, 1));
    assert!(matches!(letter_pairs(&["ação"]), Err(TrainingError::Setting { .. })));
    assert_eq!(words().len(), 417);
    assert!(words().is_sorted());
    letter_pairs(&words()).unwrap(); // all of them from a to z
}

/// Two thirds of the words to learn from, and the others.
fn split() -> [Vec<LetterPair>; 2] {
    let words = words();
    let part = |held_out: bool| {
        let chosen = words.iter().enumerate().filter(|(i, _)| (i % 3 == 0) == held_out);
        let words: Vec<&str> = chosen.map(|(_, &word)| word).collect();
        letter_pairs(&words).unwrap()
    };
    [part(false), part(true)]
}

#[test]
fn training_ends_between_the_letters_frequencies_and_the_counts() {
    let [train, held_out] = split();
    let chance = Bigram::new();
    assert!((chance.loss(&train).unwrap() - 27_f64.ln()).abs() < 1e-12);
    let frequencies = Bigram::frequencies(&train).loss(&train).unwrap();
    let counted = Bigram::counted(&train, 0.0);
    assert_eq!(counted.loss(&held_out).unwrap(), f64::INFINITY);
    let counted = counted.loss(&train).unwrap();
    let smoothed = Bigram::counted(&train, 0.1);
    assert!(smoothed.loss(&train).unwrap() > counted);
    assert!(smoothed.loss(&held_out).unwrap() < frequencies - 0.3);

    let mut trained = Bigram::new();
    for epoch in 0..40 {
        trained.epoch(&train, 32, 2.0, epoch).unwrap();
    }
    let found = trained.loss(&train).unwrap();
    assert!(counted < found && found < frequencies - 0.4, "{counted} {found}");
    assert!(trained.loss(&held_out).unwrap() < frequencies - 0.2);
    let likeliest = trained.likeliest('q', 1);
    assert!(likeliest[0].0 == 'u' && likeliest[0].1 > 0.9, "{likeliest:?}");

    // The same order of examples, the same weights.
    let mut again = Bigram::new();
    for epoch in 0..40 {
        again.epoch(&train, 32, 2.0, epoch).unwrap();
    }
    assert_eq!(again, trained);
}

#[test]
fn a_step_returns_the_loss_before_it_and_lowers_it() {
    let [train, _] = split();
    let mut bigram = Bigram::new();
    let before = bigram.step(&train[..32], 1.0).unwrap();
    assert!((before - 27_f64.ln()).abs() < 1e-12);
    assert!(bigram.loss(&train[..32]).unwrap() < before - 0.05);
    assert!(bigram.step(&[], 1.0).is_err());
    assert!(bigram.epoch(&train, 0, 1.0, 0).is_err());
}
