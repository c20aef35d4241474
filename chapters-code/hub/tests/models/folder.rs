use std::fs;
use std::path::Path;

use clap::Parser;
use hub::{CaseRule, HubOptions, ModelArguments, ModelFolder, SHIPPED, resolve};

use crate::temp;

fn offline(cache: &Path) -> HubOptions {
    HubOptions {
        offline: true,
        cache: cache.to_path_buf(),
        ..HubOptions::from_variables(|_| None)
    }
}

const NEEDS: &str = "a model needs config.json, model.safetensors, and a tokenizer (tokenizer.json, vocab.txt, or \
     vocab.json with merges.txt)";

#[test]
fn a_folder_is_complete_or_the_first_missing_file_is_named() {
    let folder = temp();
    let name = folder.path().to_str().unwrap();
    let message = || resolve(name, &offline(folder.path())).unwrap_err().to_string();
    assert_eq!(message(), format!("{name} has no config.json: {NEEDS}"));
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    assert_eq!(message(), format!("{name} has no model.safetensors: {NEEDS}"));
    fs::write(folder.path().join("model.safetensors"), "").unwrap();
    assert_eq!(
        message(),
        format!(
            "{name} has no tokenizer.json, vocab.txt, or vocab.json with merges.txt: {NEEDS}"
        )
    );
    fs::write(folder.path().join("vocab.json"), "{}").unwrap();
    assert!(message().contains("has no tokenizer.json"), "half of GPT-2's two files");
    fs::write(folder.path().join("merges.txt"), "").unwrap();
    resolve(name, &offline(folder.path())).unwrap();
    for file in ["vocab.json", "merges.txt"] {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    fs::write(folder.path().join("vocab.txt"), "").unwrap();
    let found = resolve(name, &offline(folder.path())).unwrap();
    assert_eq!((found.name.as_str(), found.path.as_path()), (name, folder.path()));
}

#[test]
fn other_formats_come_with_their_conversion() {
    let folder = temp();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    let python = "save_file(weights, \"model.safetensors\", {\"format\": \"pt\"})";
    for (file, line) in [
        ("flax_model.msgpack", "model.save_pretrained(\".\")"),
        ("tf_model.h5", "model.save_pretrained(\".\")"),
        ("pytorch_model.bin", python),
    ] {
        fs::write(folder.path().join(file), "").unwrap();
        let message = ModelFolder::open(folder.path()).unwrap_err().to_string();
        let beginning = format!("{} has {file} but no", folder.path().display());
        assert!(message.starts_with(&beginning) && message.contains(line), "{message}");
    }
}

#[test]
fn a_shipped_model_is_found_in_the_repository_or_said_to_be_missing() {
    let cache = temp();
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../weights");
    for name in SHIPPED {
        let found = resolve(name, &offline(cache.path()));
        if weights.join(name).is_dir() {
            assert_eq!(found.unwrap().name, name);
        } else {
            let message = found.unwrap_err().to_string();
            let beginning = format!("the shipped model `{name}` has no folder ");
            assert!(message.starts_with(&beginning), "{message}");
            assert!(message.contains("weights"), "{message}");
        }
    }
}

#[test]
fn a_file_is_no_folder() {
    let cache = temp();
    let file = cache.path().join("model.safetensors");
    fs::write(&file, "").unwrap();
    let message = resolve(file.to_str().unwrap(), &offline(cache.path())).unwrap_err();
    assert!(message.to_string().contains("it is a file, not the folder around it"));
}

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    model: ModelArguments,
}

#[test]
fn the_command_line_says_which_model_and_how_it_is_read() {
    let folder = temp();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::write(folder.path().join(file), "{}").unwrap();
    }
    let read = |flags: &[&str]| {
        let given = ["program", "--model", folder.path().to_str().unwrap()];
        Program::parse_from(given.iter().chain(flags)).model.folder()
    };
    assert_eq!(read(&[]).unwrap().case_rule, CaseRule::default());
    let trusted = read(&["--trust-tokenizer-json"]).unwrap();
    assert_eq!(trusted.case_rule, CaseRule::TokenizerJson);
    assert_ne!(CaseRule::default(), CaseRule::TokenizerJson);
    // What is here has one version.
    let error = read(&["--revision", "main"]).unwrap_err().to_string();
    assert!(error.contains("--revision"), "{error}");
}

#[test]
fn a_name_that_no_repository_can_have_says_why() {
    let cache = temp();
    let message =
        |name: &str| resolve(name, &offline(cache.path())).unwrap_err().to_string();
    let (longest, longer) = ("a".repeat(96), "a".repeat(97));
    for (name, why) in [
        ("", "it is empty"),
        ("someone/a/b", "there is no such folder"),
        (longer.as_str(), "it is longer than 96 characters"),
        ("someone/a b", "a name has only letters, digits"),
        ("someone/", "a part of a name is not empty"),
        ("someone/-a", "a part of a name is not empty"),
        ("some--one/a", "a name has no `--`"),
    ] {
        let found = message(name);
        assert!(found.contains(why), "{name}: {found}");
    }
    for name in [longest.as_str(), "someone/a.b-c_d"] {
        let found = message(name);
        assert!(found.contains("offline"), "{name}: {found}");
    }
}
