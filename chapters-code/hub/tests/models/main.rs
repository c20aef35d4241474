//! Folders, configurations, checkpoints and tokenizers, each good one and each bad one.

mod checkpoint;
mod config;
mod folder;
mod folders;
mod load;
mod messages;
mod settings;
mod tokenizer;

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use hub::Config;
use tempfile::TempDir;

fn temp() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Tensors by name, as a safetensors file.
fn save(path: &Path, tensors: &[(&str, Tensor)]) {
    let tensors =
        tensors.iter().map(|(name, tensor)| ((*name).to_string(), tensor.clone()));
    let tensors: std::collections::HashMap<_, _> = tensors.collect();
    candle_core::safetensors::save(&tensors, path).expect("a file written");
}

/// Different numbers in every tensor.
fn numbers(shape: &[usize], first: f32, dtype: DType) -> Tensor {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count).map(|i| first + i as f32 / 8.0).collect();
    let tensor = Tensor::from_vec(values, shape, &Device::Cpu).expect("of that shape");
    tensor.to_dtype(dtype).expect("converted")
}

/// A BERT of one block, small enough to write down.
fn tiny() -> Config {
    Config {
        vocab_size: 6,
        hidden_size: 4,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 8,
        max_position_embeddings: 5,
        ..Config::bert()
    }
}
