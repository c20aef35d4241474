//! A BERT encoder's layers from the kernels alone, timed: no tokenizer, no embeddings.
//!
//! `cargo run --release -p kernels --example bert_base -- [TOKENS] [RUNS] [FOLDER]` prints
//! one line of JSON: the milliseconds of each run with the attentions of all layers
//! returned, without, and with weights in bf16. With FOLDER, the weights and the input
//! are read from `weights.f32` and `input.f32` there and the results written beside
//! them:
//! `benches/compare.py` makes these files from a `transformers` model, checks the
//! results and times the peers.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kernels::{
    Buffer, Buffers, Epilogue, Heads, LayerNorm, PackedLinear, attention, in_pool,
};

const LAYERS: usize = 12;
const HIDDEN: usize = 768;
const FFN: usize = 3072;
const HEADS: usize = 12;
const EPSILON: f32 = 1e-12;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let tokens: usize = args.next().map_or(Ok(128), |a| a.parse()).context("TOKENS")?;
    let runs: usize = args.next().map_or(Ok(20), |a| a.parse()).context("RUNS")?;
    let folder = args.next();

    let (weights, input) = match &folder {
        Some(folder) => (
            read(&Path::new(folder).join("weights.f32"))?,
            read(&Path::new(folder).join("input.f32"))?,
        ),
        None => (pseudo_random(LAYERS * Layer::PARAMETERS), vec![]),
    };
    let start = Instant::now();
    let layers = weights
        .chunks(Layer::PARAMETERS)
        .map(Layer::read)
        .collect::<Result<Vec<_>>>()?;
    let packing_ms = start.elapsed().as_secs_f64() * 1e3;
    let input = if input.is_empty() { pseudo_random(tokens * HIDDEN) } else { input };
    ensure!(input.len() == tokens * HIDDEN, "input.f32 holds another number of tokens");

    let buffers = Buffers::default();
    let run = |attentions| forward(&layers, &buffers, &input, attentions);
    let (output, attentions) = in_pool(|| run(true))?;
    if let Some(folder) = &folder {
        write(&Path::new(folder).join("output.f32"), &output)?;
        write(
            &Path::new(folder).join("attentions.f32"),
            &attentions.iter().flat_map(|a| a.to_vec()).collect::<Vec<_>>(),
        )?;
    }
    drop((output, attentions));
    let with_ms = time(runs, || run(true))?;
    let without_ms = time(runs, || run(false))?;
    let halves: Vec<Layer> = layers.into_iter().map(Layer::into_bf16).collect();
    let bf16_ms = time(runs, || forward(&halves, &buffers, &input, true))?;
    println!(
        r#"{{"tokens": {tokens}, "packing_ms": {packing_ms:.1}, "attentions": {with_ms:.3?}, "no_attentions": {without_ms:.3?}, "bf16": {bf16_ms:.3?}}}"#
    );
    Ok(())
}

/// The parts of an encoder layer.
struct Layer {
    qkv: PackedLinear,
    attention_output: PackedLinear,
    attention_norm: [Vec<f32>; 2],
    intermediate: PackedLinear,
    output: PackedLinear,
    output_norm: [Vec<f32>; 2],
}

impl Layer {
    /// The same with weights of half the size.
    fn into_bf16(self) -> Self {
        Self {
            qkv: self.qkv.into_bf16(),
            attention_output: self.attention_output.into_bf16(),
            intermediate: self.intermediate.into_bf16(),
            output: self.output.into_bf16(),
            ..self
        }
    }

    const PARAMETERS: usize =
        4 * (HIDDEN * HIDDEN + HIDDEN) + 2 * HIDDEN * FFN + FFN + HIDDEN + 4 * HIDDEN;

    /// From its parameters in the order of `transformers`' state dict.
    fn read(mut parameters: &[f32]) -> Result<Self> {
        let mut take = |n: usize| -> Result<&[f32]> {
            let (here, rest) =
                parameters.split_at_checked(n).context("weights.f32 is too short")?;
            parameters = rest;
            Ok(here)
        };
        let mut linear = |inputs: usize, outputs: usize| -> Result<_> {
            Ok((take(inputs * outputs)?, Some(take(outputs)?)))
        };
        let qkv =
            [linear(HIDDEN, HIDDEN)?, linear(HIDDEN, HIDDEN)?, linear(HIDDEN, HIDDEN)?];
        let attention_output = linear(HIDDEN, HIDDEN)?;
        let attention_norm = [take(HIDDEN)?.to_vec(), take(HIDDEN)?.to_vec()];
        let mut linear = |inputs: usize, outputs: usize| -> Result<_> {
            Ok((take(inputs * outputs)?, Some(take(outputs)?)))
        };
        let intermediate = linear(HIDDEN, FFN)?;
        let output = linear(FFN, HIDDEN)?;
        let output_norm = [take(HIDDEN)?.to_vec(), take(HIDDEN)?.to_vec()];
        Ok(Self {
            qkv: PackedLinear::side_by_side(&qkv, HIDDEN)?,
            attention_output: PackedLinear::side_by_side(&[attention_output], HIDDEN)?,
            attention_norm,
            intermediate: PackedLinear::side_by_side(&[intermediate], HIDDEN)?,
            output: PackedLinear::side_by_side(&[output], FFN)?,
            output_norm,
        })
    }
}

/// All the layers: the last hidden states and, if asked, the attentions of each.
fn forward(
    layers: &[Layer],
    buffers: &Buffers,
    input: &[f32],
    attentions: bool,
) -> Result<(Buffer, Vec<Buffer>)> {
    let tokens = input.len() / HIDDEN;
    let shape = Heads { batch: 1, tokens, heads: HEADS, d_k: HIDDEN / HEADS };
    let mut x = buffers.take(tokens * HIDDEN);
    x.copy_from_slice(input);
    let mut qkv = buffers.take(tokens * 3 * HIDDEN);
    let mut context = buffers.take(tokens * HIDDEN);
    let mut y = buffers.take(tokens * HIDDEN);
    let mut wide = buffers.take(tokens * FFN);
    let mut all = Vec::new();
    for layer in layers {
        layer.qkv.forward(&x, tokens, Epilogue::None, &mut qkv)?;
        let mut weights = attentions.then(|| buffers.take(HEADS * tokens * tokens));
        attention(&qkv, shape, None, &mut context, weights.as_deref_mut())?;
        all.extend(weights);
        layer.attention_output.forward(&context, tokens, Epilogue::Add(&x), &mut y)?;
        normalize(&layer.attention_norm, &mut y)?;
        layer.intermediate.forward(&y, tokens, Epilogue::Gelu, &mut wide)?;
        layer.output.forward(&wide, tokens, Epilogue::Add(&y), &mut x)?;
        normalize(&layer.output_norm, &mut x)?;
    }
    Ok((x, all))
}

fn normalize([gamma, beta]: &[Vec<f32>; 2], x: &mut [f32]) -> Result<()> {
    Ok(LayerNorm { gamma, beta, epsilon: EPSILON }.forward(x, None)?)
}

/// The milliseconds of each run, after one that is not counted.
fn time<T: Send>(
    runs: usize,
    work: impl Fn() -> Result<T> + Send + Sync,
) -> Result<Vec<f64>> {
    in_pool(&work)?;
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            let result = in_pool(&work)?;
            let ms = start.elapsed().as_secs_f64() * 1e3;
            drop(result);
            Ok(ms)
        })
        .collect()
}

/// Small numbers of both signs, the same at each run: speed does not depend on them.
fn pseudo_random(n: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 65536.0 - 0.5
    };
    (0..n).map(|_| next() * 0.08).collect()
}

fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let (values, _) = bytes.as_chunks::<4>();
    Ok(values.iter().map(|&b| f32::from_le_bytes(b)).collect())
}

fn write(path: &Path, values: &[f32]) -> Result<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}
