//! Files of Keras, and what is altered in them, that are refused:
//! `cargo test --features ch06-keras-block/h5 --test keras_block`.

use std::fs;
use std::path::Path;

use candle_core::Tensor;
use keras_block::{
    Block, BlockOptions, Call, Initializer, Layer, LayerError, LookupNetwork,
    LookupOptions, Model, Shape, Weight, block, lookup_network,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// A `Dense` without a bias.
#[derive(Debug)]
struct Unbiased;

impl Layer for Unbiased {
    fn class(&self) -> &'static str {
        "Dense"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        Ok(inputs[0].clone())
    }

    fn build(&self, _: &[Shape]) -> Vec<Weight> {
        vec![Weight::new("kernel", &[6, 6], Initializer::GlorotUniform)]
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        Ok(inputs[0].clone())
    }
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

/// The notes' block, as small as the fixtures.
const SMALL: BlockOptions = BlockOptions {
    vocabulary_size: 7,
    sequence_length: 5,
    embedding_dim: 6,
    tokens: 5,
};

/// All `from` of a file as `to`.
fn altered(mut bytes: Vec<u8>, [from, to]: [&str; 2]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut count = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
    }
    assert!(count > 0, "{from:?} is not in the file");
    bytes
}

/// The test's models: the notes', the same without its norm, with a query that has no
/// bias, and one whose layers have Keras' names.
const NOTES: usize = 0;
const BARE: usize = 1;
const ONE: usize = 2;
const LOOKUP: usize = 3;
const FIRST: &str = "query-first.weights.h5";
const SESSION: &str = "session.weights.h5";
const SAME: [&str; 2] = ["layers", "layers"];
const NAMELESS: [&str; 2] = ["name\0\0\0\0", "mane\0\0\0\0"];
/// A file, what is altered in it, the model that is to have its weights, and what is said.
const REFUSED: [(&str, [&str; 2], usize, [&str; 2]); 10] = [
    (FIRST, NAMELESS, NOTES, ["no names", "before Keras 3.6"]),
    (SESSION, NAMELESS, LOOKUP, ["no names", "save it again"]),
    ("attention.weights.h5", ["value", "query"], NOTES, ["two Dense", "\"query\""]),
    (FIRST, ["value", "other"], NOTES, ["no Dense", "\"other\" (layers/"]),
    (FIRST, SAME, BARE, ["\"layer_normalization\"", "as well"]),
    (FIRST, SAME, ONE, ["\"query\" (layers/dense)", "has 2 weights"]),
    (FIRST, SAME, LOOKUP, ["no Dense named \"dense_2\"", "\"key\""]),
    (SESSION, SAME, NOTES, ["no Dense named \"key\"", "\"dense_1\""]),
    (FIRST, ["layers", "levels"], NOTES, ["no group \"layers\"", "keras.Model"]),
    ("old.h5", ["query", "query"], NOTES, ["old form", "model.save_weights("]),
];

#[test]
fn h5_files_that_are_ambiguous_or_another_models_are_refused() {
    let Block { ids, x, output, ff_2, .. } = block(&SMALL).unwrap();
    let unbiased = Unbiased.name("query").on(&x).unwrap();
    let options = LookupOptions { width: 8, ..LookupOptions::default() };
    let LookupNetwork { ids: lookup, logits, .. } = lookup_network(&options).unwrap();
    let models =
        [(&ids, &output), (&ids, &ff_2), (&ids, &unbiased), (&lookup, &logits)];
    for (file, change, model, parts) in REFUSED {
        let (ids, output) = models[model];
        let bytes = fs::read(Path::new(FIXTURES).join(format!("ch06-keras-{file}")));
        let folder = tempfile::tempdir().unwrap();
        // By its name one part of several.
        let path = folder.path().join("all_00002.weights.h5");
        fs::write(&path, altered(bytes.unwrap(), change)).unwrap();
        let mut model = Model::new(ids, output, 0).unwrap();
        let error = model.load_weights(&path).unwrap_err().to_string();
        for part in
            parts.into_iter().chain(["all_00002.weights.h5", "one of several files"])
        {
            assert!(
                error.contains(part),
                "{file} {change:?}: no {part:?} in {error:?}"
            );
        }
    }
}

/// What a reading may hold besides a multiple of the file: messages, and the reader's
/// tables, for as many entries as two bytes of the file can say.
const BASE: usize = 16 << 20;

proptest! {
    /// Bytes changed, then the end cut off: read or refused, without a panic and in memory
    /// that the file warrants.
    #[test]
    fn an_h5_file_of_any_bytes_is_read_or_refused(
        changes in vec((any::<Index>(), any::<u8>()), 0..6),
        cut in prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)],
    ) {
        let file = Path::new(FIXTURES).join("ch06-keras-query-first.weights.h5");
        let mut bytes = fs::read(file).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |at| at.index(bytes.len())));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.weights.h5");
        fs::write(&path, &bytes).unwrap();
        let Block { ids, output, .. } = block(&SMALL).unwrap();
        let mut model = Model::new(&ids, &output, 0).unwrap();
        let held = allocation_counter::measure(|| {
            let _ = model.load_weights(&path);
        });
        let limit = BASE + 16 * bytes.len();
        prop_assert!(held.bytes_max <= limit as u64, "{} bytes held", held.bytes_max);
    }
}
