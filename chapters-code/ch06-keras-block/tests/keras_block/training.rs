//! Weights in and out, and training.

use candle_core::Tensor;
use keras_block::variants::Variants;
use keras_block::{
    Adam, BlockOptions, Fit, LookupOptions, Model, SparseCategoricalCrossentropy,
    Verbose, block, lookup, lookup_network,
};

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn weights_written_are_weights_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("block.safetensors");
    let options = BlockOptions { embedding_dim: 16, ..BlockOptions::default() };
    let block = block(&options).unwrap();
    let written = Model::new(&block.ids, &block.output, 1).unwrap();
    written.save_weights(&path).unwrap();
    let mut read = Model::new(&block.ids, &block.output, 2).unwrap();
    let (x, _) = lookup::examples(3, 1, 0).unwrap();
    let expected = flat(&written.call(&x).unwrap());
    // `predict` packs the weights: it must notice that they change.
    assert_ne!(flat(&read.predict(&x).unwrap()), expected);
    read.load_weights(&path).unwrap();
    assert_eq!(flat(&read.call(&x).unwrap()), expected);
    for (found, expected) in flat(&read.predict(&x).unwrap()).iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5);
    }
    // Keras' shape, not the one in which a kernel is kept.
    let file = candle_core::safetensors::load(&path, x.device()).unwrap();
    assert_eq!(file["dense/kernel"].dims(), [16, 64]);
}

/// The lookup task is learned by attention: the first token, and it alone, ends up
/// looking at the position that it names.
#[test]
fn a_small_network_learns_where_to_look() {
    let options = LookupOptions { width: 32, ..LookupOptions::default() };
    let network = lookup_network(&options).unwrap();
    let mut model = Model::new(&network.ids, &network.logits, 42).unwrap();
    model.compile(Adam::new(3e-3), SparseCategoricalCrossentropy).unwrap();
    let (x, y) = lookup::examples(2000, 1, 1).unwrap();
    let (x_val, y_val) = lookup::examples(300, 1, 2).unwrap();
    let before = model.evaluate(&x_val, &y_val).unwrap();
    assert!(before.accuracy < 0.3 && (before.loss - 20.0_f64.ln()).abs() < 1.0);
    let fit = Fit {
        epochs: 12,
        validation_data: Some((x_val.clone(), y_val)),
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let history = model.fit(&x, &y, &fit).unwrap();
    assert_eq!([history.train.len(), history.validation.len()], [12, 12]);
    let last = history.validation[11];
    assert!(last.accuracy > 0.95, "{last:?}");

    let ids: Vec<Vec<u32>> = x_val.to_vec2().unwrap();
    let weights = model.values(&x_val, &[&network.weights[0]]).unwrap().remove(0);
    let weights: Vec<Vec<Vec<f32>>> = weights.to_vec3().unwrap();
    let looks = ids.iter().zip(&weights).filter(|(ids, weights)| {
        let named = weights[0][ids[0] as usize];
        weights[0].iter().all(|&weight| weight <= named)
    });
    let looks = looks.count();
    assert!(looks > 285, "{looks} of 300 look where the first token says");
}

/// A tiny network, compiled, and one batch for it.
fn tiny(seed: u64) -> (Model, Tensor, Tensor) {
    let network = lookup_network(&LookupOptions { width: 8, ..Default::default() });
    let network = network.unwrap();
    let mut model = Model::new(&network.ids, &network.logits, seed).unwrap();
    model.compile(Adam::default(), SparseCategoricalCrossentropy).unwrap();
    let (x, y) = lookup::examples(70, 1, seed).unwrap();
    (model, x, y)
}

fn weights(model: &Model) -> Vec<f32> {
    model.get_weights().unwrap().iter().flat_map(flat).collect()
}

#[test]
fn the_same_seeds_train_the_same_weights() {
    let train = |seed| {
        let (mut model, x, y) = tiny(5);
        let fit = Fit { epochs: 2, seed, verbose: Verbose::Silent, ..Fit::default() };
        model.fit(&x, &y, &fit).unwrap();
        weights(&model)
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}

/// Each step is a job of the pool, whose threads take up one model's step while they wait
/// in the other's backward pass.
#[test]
fn two_models_train_at_once_in_one_pool() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let train = &|seed| {
        let (mut model, x, y) = tiny(seed);
        for _ in 0..5 {
            pool.install(|| model.train_on_batch(&x, &y)).unwrap();
        }
        weights(&model)
    };
    let expected = [train(1), train(2)];
    for round in 0..200 {
        let found = std::thread::scope(|scope| {
            let both = [1, 2].map(|seed| scope.spawn(move || train(seed)));
            both.map(|training| training.join().unwrap())
        });
        assert!(found == expected, "round {round}: other bits than one by one");
    }
}

/// Every hop goes to another place, the last to a letter, which is the label; the rest
/// are letters.
#[test]
fn examples_are_chains_of_hops() {
    for hops in [1, 2, 5, 9] {
        let (x, y) = lookup::examples(200, hops, 3).unwrap();
        let (x, y): (Vec<Vec<u32>>, Vec<u32>) =
            (x.to_vec2().unwrap(), y.to_vec1().unwrap());
        for (row, label) in x.iter().zip(y) {
            let mut seen = vec![0];
            while row[seen[seen.len() - 1]] < 10 {
                let next = row[seen[seen.len() - 1]] as usize;
                assert!(!seen.contains(&next), "{row:?}");
                seen.push(next);
            }
            assert_eq!(seen.len(), hops + 1, "{row:?}");
            assert_eq!(row[seen[hops]], label, "{row:?}");
            assert_eq!(row.iter().filter(|&&id| id < 10).count(), hops);
        }
    }
}

#[test]
fn the_most_frequent_letter_is_counted_as_a_guess() {
    let rows = [[3_u32, 10, 10, 11, 12], [1, 13, 12, 13, 12], [2, 15, 14, 14, 15]];
    let x = Tensor::new(&rows, &candle_core::Device::Cpu).unwrap();
    let guess = |labels: [u32; 3]| {
        let y = Tensor::new(&labels, x.device()).unwrap();
        lookup::most_frequent(&x, &y).unwrap()
    };
    assert!((guess([10, 12, 14]) - 1.0).abs() < 1e-12);
    assert!((guess([11, 12, 15]) - 1.0 / 3.0).abs() < 1e-12);
}

/// The page's measurements are of the networks that the example trains, and all there.
#[test]
fn the_variants_of_the_book_are_whole() {
    let book = Variants::of_the_book().unwrap();
    assert_eq!(book.variants.len(), 23);
    for variant in &book.variants {
        let options = &variant.setting.options;
        let network = lookup_network(options).unwrap();
        let model = Model::new(&network.ids, &network.logits, 0).unwrap();
        assert_eq!(variant.parameters, model.count_params(), "{options:?}");
        assert_eq!(variant.accuracies.len() as u64, book.seeds);
        for seed in &variant.accuracies {
            assert_eq!(seed.len(), book.epochs);
            assert!(seed.iter().all(|accuracy| (0.0..=1.0).contains(accuracy)));
        }
        assert_eq!(book.find(&variant.setting), Some(variant));
    }
    assert_eq!(book.accuracies().lines().count(), 8);
}

/// The parts of a score add up. Two rows that differ in their number alone, at two positions:
/// of the logarithms of the weights, what is left are the parts that know the number.
#[test]
fn a_number_s_parts_of_a_score_are_what_it_changes() {
    let network = lookup_network(&LookupOptions::default()).unwrap();
    let model = Model::new(&network.ids, &network.logits, 5).unwrap();
    let letters: [u32; 9] = [13, 10, 17, 12, 11, 19, 14, 18, 15];
    let rows = [3, 7].map(|number| [[number].as_slice(), &letters].concat()).concat();
    let ids = Tensor::from_vec(rows, (2, 10), &candle_core::Device::Cpu).unwrap();
    let weights = model.values(&ids, &[&network.weights[0]]).unwrap().remove(0);
    let looks = lookup::first_token(&weights).unwrap(); // [2, 10]
    let positions = lookup::number_by_position(&model).unwrap(); // [9, 9]
    let of_letters = lookup::number_by_letter(&model).unwrap(); // [9, 10]
    let part = |number: usize, at: usize| {
        let letter = letters[at - 1] as usize - 10;
        positions[[number - 1, at - 1]] + of_letters[[number - 1, letter]]
    };
    let seen = |at: usize| (looks[[0, at]] / looks[[1, at]]).ln();
    let told = |at: usize| part(3, at) - part(7, at);
    for at in 2..10 {
        let (seen, told) = (seen(at) - seen(1), told(at) - told(1));
        assert!((seen - told).abs() < 1e-5, "{at}: {seen} {told}");
    }
    assert!((2..10).any(|at| (told(at) - told(1)).abs() > 1e-4));
    // Rows that differ in the letter at position 4 alone: what a letter adds, all of it.
    let mut rows = [[3].as_slice(), &letters].concat().repeat(2);
    rows[10 + 4] = 16;
    let ids = Tensor::from_vec(rows, (2, 10), &candle_core::Device::Cpu).unwrap();
    let weights = model.values(&ids, &[&network.weights[0]]).unwrap().remove(0);
    let looks = lookup::first_token(&weights).unwrap(); // [2, 10]
    let seen = |at: usize| (looks[[0, at]] / looks[[1, at]]).ln();
    let told = of_letters[[2, 12 - 10]] - of_letters[[2, 16 - 10]];
    assert!((seen(4) - seen(1) - told).abs() < 1e-5, "{} {told}", seen(4) - seen(1));
    assert!(told.abs() > 3e-5, "{told}");
    // Another network has no such parts.
    let block = block(&BlockOptions::default()).unwrap();
    let other = Model::new(&block.ids, &block.output, 1).unwrap();
    assert!(lookup::number_by_position(&other).is_err());
}

#[test]
fn rows_whose_largest_is_on_the_diagonal_are_counted() {
    let map = ndarray::array![[2.0, 1.0, 0.0], [3.0, 1.0, 0.0], [-1.0, -2.0, 0.0]];
    assert_eq!(lookup::diagonal_first(&map), 2);
    assert_eq!(lookup::diagonal_first(&ndarray::Array2::eye(9)), 9);
}
