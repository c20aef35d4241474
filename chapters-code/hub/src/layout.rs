//! What a model's files are called: a folder in Hugging Face layout.

/// The models that ship with the book, in `weights/` at the repository's root.
pub const SHIPPED: [&str; 2] = ["bertinho", "bertinho-sentiment"];

/// The weights read here; the shards of a large checkpoint are listed in an index.
pub(crate) const WEIGHTS: [&str; 2] =
    ["model.safetensors", "model.safetensors.index.json"];

/// What a tokenizer is made of, the first that is there.
pub(crate) const TOKENIZERS: [&str; 2] = ["tokenizer.json", "vocab.txt"];

/// Weights of other formats, to say how to convert them.
pub(crate) const OTHER_WEIGHTS: [&str; 4] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "flax_model.msgpack",
];

/// What a folder needs, for a message.
pub(crate) const NEEDS: &str =
    "config.json, tokenizer.json or vocab.txt, and model.safetensors";

/// The shipped models' names, for a message.
pub(crate) fn shipped() -> String {
    SHIPPED.join(", ")
}
