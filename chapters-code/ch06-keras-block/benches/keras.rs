//! The notes' block for `tests/reference/bench_keras.py`: answers each line of standard
//! input, `forward` or `step`, with the milliseconds that it took.

use std::io::{BufRead, stdin};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use keras_block::{
    Adam, BlockOptions, Call, Dense, Model, SparseCategoricalCrossentropy, block,
};

fn main() -> Result<()> {
    let batch: usize = std::env::args().nth(1).context("the batch's size")?.parse()?;
    let block = block(&BlockOptions::default())?;
    let mut notes = Model::new(&block.ids, &block.output, 1)?;
    let logits = Dense::new(20).on(&block.output)?;
    let mut head = Model::new(&block.ids, &logits, 1)?;
    head.compile(Adam::default(), SparseCategoricalCrossentropy)?;
    let ids: Vec<u32> = (0..).map(|i| i * 7 % 20).take(batch * 10).collect();
    let ids = Tensor::from_vec(ids, (batch, 10), &Device::Cpu)?; // [batch, 10]
    for line in stdin().lock().lines() {
        let start = Instant::now();
        match line?.trim() {
            "forward" => drop(notes.predict(&ids)?),
            "step" => drop(head.train_on_batch(&ids, &ids)?),
            other => bail!("{other:?} is neither forward nor step"),
        }
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}
