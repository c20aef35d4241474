//! What a model's files are called: a folder in Hugging Face layout.

/// The models that ship with the book, in `weights/` at the repository's root.
pub const SHIPPED: [&str; 3] = ["bertinho", "bertinho-sentiment", "papagaio"];

/// The weights read here; the shards of a large checkpoint are listed in an index.
pub(crate) const WEIGHTS: [&str; 2] =
    ["model.safetensors", "model.safetensors.index.json"];

/// What a tokenizer is made of, the first that is there.
pub(crate) const TOKENIZERS: [&str; 2] = ["tokenizer.json", "vocab.txt"];

/// What GPT-2's tokenizer is made of where there is no `tokenizer.json`: both files.
pub(crate) const MERGES: [&str; 2] = ["vocab.json", "merges.txt"];

/// Any of these, for a message.
pub(crate) const TOKENIZER_FILES: &str =
    "tokenizer.json, vocab.txt, or vocab.json with merges.txt";

/// What `tokenizer.json` or `vocab.txt` are read by and completed with, if they are there.
pub(crate) const TOKENIZER_RULES: [&str; 3] =
    ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

/// Weights of other formats on the Hub, to say how to convert them.
pub(crate) const OTHER_WEIGHTS: [&str; 8] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "tf_model.h5.index.json",
    "flax_model.msgpack",
    "model.weights.h5",
    "model.weights.json",
    "model.keras",
];

/// The endings of weights of other formats in a folder.
const OTHER_ENDINGS: [&str; 9] = [
    ".bin",
    ".bin.index.json",
    ".pt",
    ".h5",
    ".h5.index.json",
    ".weights.json",
    ".keras",
    ".msgpack",
    ".onnx",
];

/// Whether a file is weights of another format, by its name.
pub(crate) fn is_other_weights(file: &str) -> bool {
    file != "training_args.bin" && OTHER_ENDINGS.iter().any(|end| file.ends_with(end))
}

/// What a folder needs, for a message.
pub(crate) const NEEDS: &str = "config.json, model.safetensors, and a tokenizer (tokenizer.json, vocab.txt, or vocab.json with merges.txt)";

/// The shipped models' names, for a message.
pub(crate) fn shipped() -> String {
    SHIPPED.join(", ")
}
