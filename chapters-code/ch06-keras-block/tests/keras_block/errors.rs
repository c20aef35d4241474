//! What is refused, and what is said of it.

use std::fs;

use candle_core::{DType, Device, Tensor};
use keras_block::{
    Adam, BlockOptions, Call, Dense, Fit, Input, KerasTensor, LayerNormalization,
    LookupOptions, Model, Reshape, SparseCategoricalCrossentropy,
    TokenAndPositionEmbedding, Verbose, block, lookup, lookup_network, ops,
};

fn small() -> BlockOptions {
    BlockOptions { vocabulary_size: 7, sequence_length: 5, embedding_dim: 6, tokens: 5 }
}

fn model(options: &BlockOptions) -> Model {
    let block = block(options).unwrap();
    Model::new(&block.ids, &block.output, 0).unwrap()
}

fn ids(rows: &[[u32; 5]]) -> Tensor {
    Tensor::from_vec(rows.concat(), (rows.len(), 5), &Device::Cpu).unwrap()
}

#[track_caller]
fn assert_says<T>(result: keras_block::Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("accepted; it should say {parts:?}") };
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

fn vectors(length: usize, width: usize) -> KerasTensor {
    let ids = Input::new([length]).symbol().unwrap();
    TokenAndPositionEmbedding::new(7, length, width).on(&ids).unwrap()
}

#[test]
fn shapes_that_do_not_fit_are_named_with_their_layer() {
    let (a, b) = (vectors(5, 6), vectors(4, 6));
    let both = ["(None, 5, 6)", "(None, 4, 6)"];
    assert_says(&a + &b, &["the layer Add", both[0], both[1], "equal shapes"]);
    assert_says(ops::matmul(&a, &b), &["Matmul", both[0], both[1], "columns"]);
    assert_says(ops::transpose(&a, [0, 1]), &["Transpose", both[0], "[0, 1]"]);
    assert_says(ops::transpose(&a, [1, 0, 2]), &["Transpose", "the batch (0) first"]);
    assert_says(ops::get_item(&a, 5), &["GetItem", both[0], "longer than 5"]);
    assert_says(Reshape::new([5, 4]).on(&a), &["Reshape", both[0], "20 numbers"]);
    let odd = Dense::new(3).name("odd").on_all(&[&a, &b]);
    assert_says(odd, &["odd (Dense)", both[0], both[1], "takes 1 of them, not 2"]);
    let norm = LayerNormalization::new().on_all(&[]);
    assert_says(norm, &["LayerNormalization", "nothing", "takes 1 of them, not 0"]);
    let vector = Input::new([]).symbol().unwrap();
    assert_says(Dense::new(3).on(&vector), &["Dense", "(None)", "known width"]);
}

#[test]
fn a_sequence_longer_than_the_positions_is_refused() {
    let long = BlockOptions { tokens: 11, ..BlockOptions::default() };
    let expected = [
        "TokenAndPositionEmbedding",
        "(None, 11)",
        "at most 10 tokens",
        "sequence_length",
    ];
    assert_says(block(&long), &expected);
    let model = model(&small());
    let six = Tensor::new(&[[0_u32, 1, 2, 3, 4, 5]], &Device::Cpu).unwrap();
    assert_says(model.call(&six), &["(None, 5)", "(1, 6)"]);
}

#[test]
fn an_id_out_of_range_is_named_with_its_place() {
    let mut model = model(&small());
    let wrong = ids(&[[0, 1, 2, 3, 4], [0, 1, 2, 7, 4]]);
    let expected = [
        "token_and_position_embedding (TokenAndPositionEmbedding)",
        "(2, 5)",
        "id 7 in row 1, position 3",
        "from 0 to 6",
    ];
    assert_says(model.call(&wrong), &expected);
    assert_says(model.predict(&wrong), &expected);
    assert!(model.predict(&ids(&[[6; 5]])).is_ok(), "a good one after a bad one");
    let negative = Tensor::new(&[[0_i64, -1, 2, 3, 4]], &Device::Cpu).unwrap();
    assert_says(model.call(&negative), &["position 1"]);
}

#[test]
fn inputs_that_are_no_ids_are_refused() {
    let model = model(&small());
    let floats = Tensor::zeros((1, 5), DType::F32, &Device::Cpu).unwrap();
    let expected = ["ids of shape (None, 5)", "f32 of shape (1, 5)"];
    assert_says(model.call(&floats), &expected);
    let none = Tensor::zeros((0, 5), DType::U32, &Device::Cpu).unwrap();
    assert_says(model.call(&none), &["at least one row", "(0, 5)"]);
}

#[test]
fn graphs_that_make_no_model_are_refused() {
    let (a, b) = (Input::new([5]).symbol().unwrap(), Input::new([5]).name("other"));
    let b = b.symbol().unwrap();
    let x = TokenAndPositionEmbedding::new(7, 5, 6).on(&b).unwrap();
    let dense = Dense::new(3).name("d").on(&x).unwrap();
    assert_says(Model::new(&a, &dense, 0), &["d (Dense)", "other (InputLayer)"]);
    let again = Dense::new(3).name("d").on(&dense).unwrap();
    assert_says(Model::new(&b, &again, 0), &["\"d\"", "2 times"]);
    // The name of one is that which another would get.
    let clash = Dense::new(3).name("dense").on(&x).unwrap();
    let clash = Dense::new(3).on(&clash).unwrap();
    assert_says(Model::new(&b, &clash, 0), &["\"dense\"", "2 times"]);
    let model = Model::new(&b, &dense, 0).unwrap();
    assert_says(model.values(&ids(&[[0; 5]]), &[&again]), &["d (Dense)"]);
}

#[test]
fn weight_files_of_other_models_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut model = model(&small());
    let before = model.get_weights().unwrap();
    model.save_weights(path("good")).unwrap();
    let good = fs::read(path("good")).unwrap();

    fs::write(path("cut"), &good[..good.len() - 9]).unwrap();
    assert_says(model.load_weights(path("cut")), &["cut", "only part of one"]);
    fs::write(path("text"), "weights").unwrap();
    assert_says(model.load_weights(path("text")), &["text", "no safetensors file"]);
    assert_says(model.load_weights(path("absent")), &["absent"]);

    let wide = BlockOptions { embedding_dim: 8, ..small() };
    self::model(&wide).save_weights(path("wide")).unwrap();
    let shape = ["query/kernel has the shape (8, 8), not (6, 6)", "more"];
    assert_says(model.load_weights(path("wide")), &shape);

    for (name, dtype, parts) in [
        ("query/kernel", DType::F16, &["query/kernel is F16, not F32"][..]),
        ("q/kernel", DType::F32, &["embeddings is missing", "and 9 more"]),
    ] {
        let kernel = Tensor::zeros((6, 6), dtype, &Device::Cpu).unwrap();
        let kernel = [(name, kernel)].into_iter().collect();
        candle_core::safetensors::save(&kernel, path("other")).unwrap();
        assert_says(model.load_weights(path("other")), parts);
    }

    for (before, after) in before.iter().zip(model.get_weights().unwrap()) {
        let [before, after] = [before, &after]
            .map(|x| x.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        assert_eq!(before, after);
    }
    assert_says(model.set_weights(&before[1..]), &["13 weights", "has 14"]);
    let mut turned = before.clone();
    turned.swap(2, 3);
    assert_says(model.set_weights(&turned), &["key/kernel", "(6)", "not (6, 6)"]);
}

#[test]
fn files_that_hold_or_list_weights_in_other_forms_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut model = model(&small());
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    let archive = fs::read(format!("{fixtures}/ch06-keras.keras")).unwrap();
    fs::write(path("whole"), archive).unwrap();
    let zip =
        |name: &str| [b"PK\x03\x04 ... PK\x01\x02 ... ", name.as_bytes()].concat();
    fs::write(path("parts"), zip("model.weights.json model_00000.weights.h5")).unwrap();
    fs::write(path("torch"), zip("archive/data.pkl")).unwrap();
    let index = r#" {"metadata": {}, "weight_map": {"/layers/dense/vars": ["x_00000.weights.h5"]}}"#;
    fs::write(path("list"), index).unwrap();
    for (name, parts) in [
        ("whole", [".keras archive", "unzip -j", "--features h5"]),
        ("parts", [".keras archive", "several files", "keras.models.load_model"]),
        ("torch", ["zip archive", "no .keras", "safetensors"]),
        ("list", ["several files", "model.load_weights(", "model.save_weights("]),
    ] {
        assert_says(model.load_weights(path(name)), &parts);
    }
}

#[test]
fn settings_and_labels_that_make_no_sense_are_refused() {
    let options = LookupOptions { width: 8, ..Default::default() };
    let network = lookup_network(&options).unwrap();
    let mut model = Model::new(&network.ids, &network.logits, 0).unwrap();
    let (x, y) = lookup::examples(4, 1, 0).unwrap();
    let silent = Fit { verbose: Verbose::Silent, ..Fit::default() };
    assert_says(model.fit(&x, &y, &silent), &["call compile() before fit()"]);
    assert_says(model.evaluate(&x, &y), &["call compile() before evaluate()"]);
    for rate in [0.0, -1.0, f64::NAN] {
        let compiled = model.compile(Adam::new(rate), SparseCategoricalCrossentropy);
        assert_says(compiled, &["learning_rate", "above 0"]);
    }
    model.compile(Adam::default(), SparseCategoricalCrossentropy).unwrap();
    let fit = Fit { batch_size: 0, ..silent.clone() };
    assert_says(model.fit(&x, &y, &fit), &["batch_size is 0", "at least 1"]);
    let few = y.narrow(0, 0, 3).unwrap();
    assert_says(model.fit(&x, &few, &silent), &["as many labels", "4", "3 labels"]);
    let high = Tensor::new(&[0_u32, 1, 20, 3], &Device::Cpu).unwrap();
    assert_says(model.fit(&x, &high, &silent), &["(4, 20)", "20", "class"]);
    let two = Tensor::zeros((4, 2), DType::U32, &Device::Cpu).unwrap();
    assert_says(model.fit(&x, &two, &silent), &["(4, 20)", "8 labels", "one for each"]);
    for hops in [0, 10] {
        let expected = [&*format!("hops is {hops}"), "from 1 to 9"];
        assert_says(lookup::examples(4, hops, 0), &expected);
    }
    for heads in [3, 0] {
        let odd = LookupOptions { heads, ..options };
        assert_says(lookup_network(&odd), &["Reshape", "(None, 10, 8)"]);
    }
}
