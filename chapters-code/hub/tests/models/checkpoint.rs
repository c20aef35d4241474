use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use hub::{Checkpoint, StoredDType};

use crate::{numbers, save, temp};

/// A file with the given header and that many bytes after it.
fn write(path: &Path, header: &str, data: usize) {
    let length = (header.len() as u64).to_le_bytes();
    let bytes = [&length, header.as_bytes(), &vec![0; data]].concat();
    fs::write(path, bytes).unwrap();
}

fn message(path: &Path) -> String {
    let message = Checkpoint::open(path).unwrap_err().to_string();
    message.replace(&path.display().to_string(), "FILE")
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn every_type_is_read_as_every_other() {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    let types = [DType::F16, DType::BF16, DType::F32, DType::F64];
    // Larger than the buffer of a conversion, and not a multiple of it.
    let shape = [3, 33_333];
    for stored in types {
        let tensor = numbers(&[1], 0.1, stored);
        let large = numbers(&shape, -4000.0, DType::F32).affine(1e-3, 0.0).unwrap();
        let large = large.to_dtype(stored).unwrap();
        save(&path, &[("small", tensor), ("large", large.clone())]);
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(checkpoint.names().collect::<Vec<_>>(), ["large", "small"]);
        assert_eq!(checkpoint.info("large").unwrap().shape, shape);
        for wanted in types {
            let found = checkpoint.tensor("large", wanted).unwrap();
            assert_eq!((found.dtype(), found.dims()), (wanted, shape.as_slice()));
            // candle rounds from f64 to the half types twice, and wrongly.
            let single = large.to_dtype(DType::F32).unwrap();
            let expected = if stored == wanted { &large } else { &single };
            let expected = expected.to_dtype(wanted).unwrap();
            assert!(values(&found) == values(&expected), "{stored:?} as {wanted:?}");
        }
    }
}

#[test]
fn tensors_that_are_no_weights_are_listed_and_not_read() {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    let ids = Tensor::new(&[0_i64, 1, 2], &Device::Cpu).unwrap();
    save(&path, &[("position_ids", ids), ("empty", numbers(&[0, 4], 0.0, DType::F32))]);
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.info("position_ids").unwrap().dtype, StoredDType::I64);
    assert_eq!(checkpoint.tensor("empty", DType::F32).unwrap().dims(), [0, 4]);
    let types = "is of I64; weights are read from F32, F16, BF16 and F64";
    for (name, dtype, expected) in [
        ("position_ids", DType::F32, types),
        ("other", DType::F32, "it has no tensor other"),
        ("empty", DType::U8, "weights can't be loaded as U8"),
    ] {
        let error = checkpoint.tensor(name, dtype).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn a_truncated_file_is_said_to_be_so() {
    let folder = temp();
    let path = folder.path().join("m.safetensors");
    save(&path, &["a", "b"].map(|name| (name, numbers(&[4], 0.0, DType::F32))));
    let whole = fs::read(&path).unwrap();
    let header = whole.len() - 32; // but for two tensors of four f32
    let advice = "download or copy it again";
    for (length, what, needed) in [
        (0, "the header's length", 8),
        (7, "the header's length", 8),
        (20, "the header", header),
        (whole.len() - 1, "tensor b", whole.len()),
        (whole.len() - 20, "tensor b", whole.len()),
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        let expected = format!(
            "FILE is truncated: {length} bytes, but {what} needs {needed}; {advice}"
        );
        assert_eq!(message(&path), expected);
    }
    fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
    assert_eq!(
        message(&path),
        "FILE is not a safetensors file: 4 bytes stand after the last tensor"
    );
}

#[test]
fn a_header_may_have_a_hundred_million_bytes_and_no_more() {
    let folder = temp();
    let path = folder.path().join("m.safetensors");
    // What a file of eight bytes says: how long its header is.
    for (length, expected) in [
        (0, "FILE is not a safetensors file: header: EOF while parsing"),
        (1, "FILE is truncated: 8 bytes, but the header needs 9;"),
        (100_000_000, "FILE is truncated: 8 bytes, but the header needs 100000008;"),
        (
            100_000_001,
            "FILE is not a safetensors file: its header would have 100000001 bytes",
        ),
    ] {
        fs::write(&path, u64::to_le_bytes(length)).unwrap();
        let found = message(&path);
        assert!(found.starts_with(expected), "{length}: {found}");
    }
}

#[test]
fn a_header_that_lies_is_caught_tensor_by_tensor() {
    let folder = temp();
    let path = folder.path().join("m.safetensors");
    let tensor = |name, dtype, shape, begin: u64, end: u64| {
        let offsets = format!(r#""data_offsets":[{begin},{end}]"#);
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},{offsets}}}"#)
    };
    let f32 = |name, begin, end| tensor(name, "F32", "[2]", begin, end);
    let a = f32("a", 0, 8);
    let huge = "[4294967296,4294967296]";
    for (tensors, expected) in [
        (f32("a", 4, 12), "tensor a has data_offsets [4, 12], but should begin at 0"),
        (f32("a", 8, 0), "tensor a has data_offsets [8, 0], but should begin at 0"),
        (
            format!("{a},{}", f32("b", 4, 12)),
            "tensor b has data_offsets [4, 12], but should begin at 8",
        ),
        (tensor("a", "F32", "[3]", 0, 8), "tensor a of F32 and shape [3] has 8 bytes"),
        (
            tensor("a", "F32", huge, 0, 0),
            "tensor a of F32 and shape [4294967296, 4294967296] has 0 bytes",
        ),
        (format!("{a},{a}"), "header: two tensors a at line 1 column"),
        (tensor("a", "F99", "[2]", 0, 8), "header: unknown variant `F99`"),
        (tensor("a", "F32", "[-2]", 0, 8), "header: invalid value: integer `-2`"),
        (r#""a":{"dtype":"F32"}"#.into(), "header: missing field `shape`"),
        (r#""a":7"#.into(), "header: invalid type: integer `7`"),
    ] {
        write(&path, &format!("{{{tensors}}}"), 8);
        let found = message(&path);
        let expected = format!("FILE is not a safetensors file: {expected}");
        assert!(found.starts_with(&expected), "{found}");
    }
    write(&path, "not JSON", 0);
    assert!(
        message(&path).starts_with("FILE is not a safetensors file: header: expected")
    );
    fs::write(&path, [u64::MAX.to_le_bytes(), [0; 8]].concat()).unwrap();
    assert_eq!(
        message(&path),
        "FILE is not a safetensors file: its header would have 18446744073709551615 bytes, \
         more than 100000000"
    );
    // Metadata of any kind is not a tensor.
    write(&path, &format!(r#"{{"__metadata__":{{"format":"pt"}},{a}}}"#), 8);
    assert_eq!(Checkpoint::open(&path).unwrap().names().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn shards_are_one_checkpoint() {
    let folder = temp();
    let index = folder.path().join("model.safetensors.index.json");
    let names = ["m-1.safetensors", "m-2.safetensors"];
    let paths = names.map(|name| folder.path().join(name));
    save(&paths[0], &[("a", numbers(&[2], 1.0, DType::F32))]);
    save(&paths[1], &[("b", numbers(&[3], 2.0, DType::F16))]);
    let map = r#"{"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}"#;
    fs::write(&index, map).unwrap();
    let b = Checkpoint::open(&index).unwrap().tensor("b", DType::F32).unwrap();
    assert_eq!(values(&b), [2.0, 2.125, 2.25]);
    save(&paths[1], &[("a", numbers(&[3], 2.0, DType::F16))]);
    let error = Checkpoint::open(&index).unwrap_err().to_string();
    assert!(error.ends_with("tensor a is in another shard, too"), "{error}");
    fs::remove_file(&paths[1]).unwrap();
    let error = Checkpoint::open(&index).unwrap_err().to_string();
    assert!(error.starts_with("cannot open ") && error.contains("m-2."), "{error}");
    let above = r#"{"weight_map":{"a":"../x.safetensors"}}"#;
    let named = |length| {
        let name = "m".repeat(length - ".safetensors".len());
        format!(r#"{{"weight_map":{{"a":"{name}.safetensors"}}}}"#)
    };
    let (longest, too_long) = (named(127), named(128));
    for (text, found) in [
        (above, "weight_map is \"../x.safetensors\""),
        (&*longest, "cannot open"),
        (&*too_long, "weight_map is \"mmm"),
        (r#"{"weight_map":{"a":"x.bin"}}"#, "weight_map is \"x.bin\""),
        (r#"{"weight_map":{}}"#, "weight_map is empty"),
        ("{}", "is not valid: missing field `weight_map`"),
    ] {
        fs::write(&index, text).unwrap();
        let error = Checkpoint::open(&index).unwrap_err().to_string();
        assert!(error.contains(found), "{error}");
    }
}

#[test]
fn a_weight_that_is_not_finite_is_named_with_its_place() {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    for (value, said, stored) in [
        (f32::NAN, "NaN", DType::F32),
        (f32::INFINITY, "inf", DType::F16),
        (f32::NEG_INFINITY, "-inf", DType::BF16),
    ] {
        let mut numbers = vec![0.5; 70_000]; // more than a chunk
        numbers[69_999] = value;
        let tensor = Tensor::from_vec(numbers, (700, 100), &Device::Cpu).unwrap();
        save(&path, &[("w", tensor.to_dtype(stored).unwrap())]);
        let error = Checkpoint::open(&path).unwrap().tensor("w", DType::F32);
        let error = error.unwrap_err().to_string();
        let expected = format!("number 69999 of tensor w is {said}; weights must be");
        assert!(error.contains(&expected), "{error}");
    }
}
