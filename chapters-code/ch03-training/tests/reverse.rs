//! The reverser: its data, its shapes, that it learns and that it repeats.
#![allow(missing_docs)]

use training::reverse::{
    LENGTHS, ReverserOptions, ReverserTraining, held_out_strings, read, strings_of,
    teach, train_reverser, training_strings,
};

fn small() -> ReverserOptions {
    ReverserOptions {
        d_model: 16,
        heads: 2,
        d_ff: 32,
        batch: 8,
        steps: 40,
        warmup: 5,
        ..Default::default()
    }
}

#[test]
fn held_out_strings_are_never_trained_on() {
    let held_out = held_out_strings(1, 500);
    let lengths: Vec<usize> = held_out.iter().map(String::len).collect();
    assert!(lengths.iter().all(|n| (LENGTHS[0]..=LENGTHS[1]).contains(n)));
    assert!((LENGTHS[0]..=LENGTHS[1]).all(|n| lengths.contains(&n)));
    for step in 0..500 {
        let strings = training_strings(1, step, 32);
        assert!(strings.iter().all(|string| string.len() == strings[0].len()));
        assert!(strings.iter().all(|string| !held_out.contains(string)));
    }
    assert_eq!(training_strings(1, 3, 8), training_strings(1, 3, 8));
    assert_ne!(training_strings(1, 3, 8), training_strings(1, 4, 8));
}

#[test]
fn held_out_strings_of_a_length_have_it() {
    let strings = strings_of(3, 45, 50).unwrap();
    assert!(strings.len() == 50 && strings.iter().all(|string| string.len() == 3));
    let refused = strings_of(2, 45, 50).unwrap_err().to_string();
    assert!(refused.contains('2') && refused.contains("3 or more"), "{refused}");
}

#[test]
fn the_loss_falls_the_same_way_twice() {
    let [a, b] = [(); 2].map(|()| {
        let mut losses = Vec::new();
        let trained = train_reverser(small(), 20, &mut |_, loss| losses.push(loss));
        (losses, trained.unwrap().history)
    });
    assert_eq!(a, b);
    let (losses, history) = a;
    assert!((losses[0] - 28_f64.ln()).abs() < 0.8, "{}", losses[0]); // chance
    assert!(losses[39] < losses[0] - 0.2, "{losses:?}");
    assert_eq!(history.loss.len(), 2);
    assert_eq!(history.exact.len(), 2);
}

#[test]
fn every_parameter_learns() {
    let mut training = ReverserTraining::new(small()).unwrap();
    let before = training.weights().unwrap();
    for _ in 0..3 {
        training.step().unwrap();
    }
    let after = training.weights().unwrap();
    assert_eq!(before.len(), after.len());
    for (name, tensor) in &before {
        let values = |tensor: &candle_core::Tensor| {
            tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        // The key's bias shifts all scores of a query alike: it has no gradient.
        let learned = values(tensor) != values(&after[name]);
        assert!(learned || name.ends_with("key.bias"), "{name} did not learn");
    }
}

#[test]
fn cross_attention_has_a_row_a_letter_and_adds_up() {
    let training = ReverserTraining::new(small()).unwrap();
    let layers = training.model.cross_attention("cabide").unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0].dim(), (2, 7, 7)); // two heads, six letters and the end
    for weights in layers[0].outer_iter() {
        for row in weights.rows() {
            assert!((row.sum() - 1.0).abs() < 1e-5);
        }
    }
    // Untrained, it looks everywhere: about one in seven.
    let shares = training.model.anti_diagonal(&["cabide".to_owned()]).unwrap();
    for share in &shares[0] {
        assert!((0.05..0.3).contains(share), "{share}");
    }
}

/// Against a count, string by string, of what is likeliest after the right letters.
#[test]
fn letters_right_counts_the_likeliest_letters() {
    let mut training = ReverserTraining::new(small()).unwrap();
    for _ in 0..40 {
        training.step().unwrap(); // enough for some letters to be right
    }
    let model = training.model;
    let strings = held_out_strings(5, 40);
    let (mut right, mut letters) = (0_u32, 0_u32);
    for string in &strings {
        let string = string.as_str();
        let (given, expected) = teach(&[string]).unwrap();
        let logits = model.forward(&read(&[string]).unwrap(), &given).unwrap().logits;
        let logits = logits.squeeze(0).unwrap().to_vec2::<f32>().unwrap();
        let expected = expected.squeeze(0).unwrap().to_vec1::<u32>().unwrap();
        for (row, &expected) in logits.iter().zip(&expected).take(string.len()) {
            let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            right += u32::from(row[expected as usize] >= best);
            letters += 1;
        }
    }
    assert!(right > 0 && right < letters, "{right} of {letters}");
    let share = f64::from(right) / f64::from(letters);
    assert!((model.letters_right(&strings).unwrap() - share).abs() < 1e-12);
    assert!(model.letters_right(&[]).unwrap().abs() < 1e-12);
}

/// Against what the greedy decoder writes, letter after letter.
#[test]
fn accuracy_counts_what_greedy_would_write() {
    let larger = ReverserOptions { d_model: 32, d_ff: 64, batch: 32, ..small() };
    let options = ReverserOptions { steps: 400, learning_rate: 6e-3, ..larger };
    let mut training = ReverserTraining::new(options).unwrap();
    for _ in 0..options.steps {
        training.step().unwrap(); // enough for some strings to be right
    }
    let model = training.model;
    let strings = held_out_strings(5, 60);
    let written = |string: &String| model.greedy(&[string]).unwrap().remove(0);
    let reversed =
        |string: &&String| written(string) == string.chars().rev().collect::<String>();
    let right = strings.iter().filter(reversed).count();
    assert!(right > 0 && right < strings.len(), "{right} of {}", strings.len());
    let share = right as f64 / strings.len() as f64;
    assert!((model.accuracy(&strings).unwrap() - share).abs() < 1e-12);
    assert!(model.accuracy(&[]).unwrap().abs() < 1e-12);
}

#[test]
fn an_untrained_model_reverses_nothing_and_bad_strings_are_refused() {
    let model = ReverserTraining::new(small()).unwrap().model;
    assert!(model.accuracy(&held_out_strings(5, 100)).unwrap() < 0.05);
    for strings in [&["abc", "abcd"][..], &["Abc"], &["ação"], &[""], &[]] {
        assert!(model.greedy(strings).is_err(), "{strings:?}");
    }
    assert!(ReverserTraining::new(ReverserOptions { heads: 3, ..small() }).is_err());
    assert!(ReverserTraining::new(ReverserOptions { layers: 0, ..small() }).is_err());
    let rate = ReverserOptions { learning_rate: f64::NAN, ..small() };
    assert!(ReverserTraining::new(rate).is_err());
}
