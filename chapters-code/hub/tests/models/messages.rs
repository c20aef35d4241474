//! What is often given in place of a model, named.

use std::collections::BTreeMap;
use std::fs;

use candle_core::{DType, Tensor};
use hub::{Checkpoint, Config, HubOptions, ModelFolder, load_checkpoint, resolve};

use crate::{numbers, save, temp, tiny};

/// What a clone without git-lfs has in place of a large file.
fn pointer(version: &str) -> String {
    let hash = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    format!(
        "version https://git-lfs.github.com/spec/{version}\noid sha256:{hash}\nsize 12345\n"
    )
}

#[test]
fn a_git_lfs_pointer_is_named_in_the_place_of_every_file() {
    for (file, version) in [
        ("model.safetensors", "v1"),
        ("model.safetensors", "v2"),
        ("model-00001-of-00001.safetensors", "v1"),
        ("model.safetensors.index.json", "v1"),
        ("config.json", "v1"),
        ("tokenizer.json", "v1"),
        ("vocab.txt", "v1"),
        ("tokenizer_config.json", "v1"),
        ("special_tokens_map.json", "v1"),
        ("added_tokens.json", "v1"),
    ] {
        let folder = temp();
        let write =
            |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        write("config.json", &Config::bert().to_json().to_string());
        write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
        let sharded = file.starts_with("model") && file != "model.safetensors";
        if sharded {
            let map = r#"{"weight_map": {"a": "model-00001-of-00001.safetensors"}}"#;
            write("model.safetensors.index.json", map);
        } else {
            let path = folder.path().join("model.safetensors");
            save(&path, &[("bert.a", numbers(&[1], 0.0, DType::F32))]);
        }
        write(file, &pointer(version));
        let open = || -> hub::Result<()> {
            let folder = ModelFolder::open(folder.path())?;
            folder.tokenizer()?;
            folder.checkpoint().map(|_| ())
        };
        let error = open().unwrap_err().to_string();
        let path = folder.path().join(file);
        let part = format!("{} is a git-lfs pointer, not the file", path.display());
        assert!(
            error.starts_with(&part) && error.contains("`git lfs pull`"),
            "{error}"
        );
    }
}

#[test]
fn weights_of_another_format_are_named_by_what_they_are() {
    let folder = temp();
    let path = folder.path().join("model.safetensors");
    for (start, what) in [
        (
            &b"\x89HDF\r\n\x1a\n"[..],
            "it is an HDF5 file, as Keras and TensorFlow write (.h5)",
        ),
        (
            b"PK\x03\x04",
            "it is a ZIP archive, as Keras (.keras) and PyTorch (.bin, .pt) write",
        ),
        (b"\x80\x02}q", "it is a Python pickle"),
    ] {
        fs::write(&path, [start, &[0; 100]].concat()).unwrap();
        let error = Checkpoint::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("is not a safetensors file: ") && error.contains(what),
            "{error}"
        );
    }
}

#[test]
fn a_folder_with_other_weights_says_which_and_what_to_do() {
    let keras = "chapter 6 reads the .weights.h5";
    for (file, remedy) in [
        ("model.keras", keras),
        ("anything.weights.h5", keras),
        ("model.weights.json", keras), // of a sharded .weights.h5
        ("old.h5", keras),
        ("tf_model.h5.index.json", "from_tf=True"),
        ("flax_model.msgpack", "from_flax=True"),
        ("model.pt", "import torch"),
        ("pytorch_model-00001-of-00002.bin", "import torch"),
        ("model.onnx", "save_pretrained"),
    ] {
        let folder = temp();
        fs::write(folder.path().join("config.json"), "{}").unwrap();
        fs::write(folder.path().join("training_args.bin"), "").unwrap();
        fs::write(folder.path().join(file), "").unwrap();
        let error = ModelFolder::open(folder.path()).unwrap_err().to_string();
        let part = format!(" has {file} but no model.safetensors");
        assert!(error.contains(&part) && error.contains(remedy), "{error}");
        // The file itself in place of its folder.
        let name = folder.path().join(file);
        let error =
            resolve(name.to_str().unwrap(), &HubOptions::from_variables(|_| None));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("it is a file of weights in another format"), "{error}");
    }
}

/// The weights of a tiny model, under names with something before them.
fn under(prefix: &str) -> hub::Result<f32> {
    let (folder, path) = (temp(), "model.safetensors");
    let path = folder.path().join(path);
    let names = ["bert.embeddings.LayerNorm.weight", "cls.predictions.bias"];
    let tensors: BTreeMap<String, Tensor> = (names.iter())
        .map(|name| (format!("{prefix}{name}"), numbers(&[4], 3.0, DType::F32)))
        .collect();
    let tensors: Vec<_> =
        tensors.iter().map(|(name, it)| (name.as_str(), it.clone())).collect();
    save(&path, &tensors);
    load_checkpoint(&Checkpoint::open(&path)?, &tiny(), DType::F32, |vb| {
        for name in &names[1..] {
            vb.get(4, name)?;
        }
        Ok(vb.get(4, names[0])?.to_vec1::<f32>()?[0])
    })
}

#[test]
fn names_are_found_inside_their_wrappers() {
    for prefix in
        ["module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod.", "model."]
    {
        assert!((under(prefix).unwrap() - 3.0).abs() < 1e-6, "{prefix}");
    }
    let error = under("other.").unwrap_err().to_string();
    assert!(error.contains("but other.bert.embeddings"), "{error}");
}
