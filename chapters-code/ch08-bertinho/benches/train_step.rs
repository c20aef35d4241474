//! Times a training step of masked language modeling: `tests/reference/bench_training.py`
//! runs it beside PyTorch.
//!
//! `cargo bench -p ch08-bertinho --bench train_step -- --layers 6` prints one JSON
//! object. With `--interactive` it prints the milliseconds of a step for each line that it
//! reads, so that two programs can take turns. With `--profile` it prints a step's parts.

use std::io::{BufRead, stdin};
use std::time::Instant;

use anyhow::Result;
use bert_attention::BertForMaskedLm;
use bertinho::fast_model::{Masked, masked_lm_loss};
use candle_core::Tensor;
use clap::Parser;
use gradients::{AdamW, AdamWOptions, Parameters, clip_factor, gradient_norm};
use hub::Config;
use sentiment::{Batch, ForwardOptions};
use training::DropoutRng;
use training::parameters::draw;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 3)]
    layers: usize,
    #[arg(long, default_value_t = 100)]
    rows: usize,
    #[arg(long, default_value_t = 20)]
    tokens: usize,
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Chapter 5's model with candle's own operations.
    #[arg(long)]
    plain: bool,
    #[arg(long)]
    interactive: bool,
    #[arg(long)]
    profile: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Trainer {
    model: BertForMaskedLm,
    parameters: Parameters,
    optimizer: AdamW,
    batch: Batch,
    masked: Masked,
    plain: bool,
    profile: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut trainer = Trainer::new(&arguments)?;
    if arguments.interactive {
        for (step, line) in stdin().lock().lines().enumerate() {
            line?;
            let start = Instant::now();
            trainer.step(step as u64)?;
            println!("{}", start.elapsed().as_secs_f64() * 1e3);
        }
        return Ok(());
    }
    let mut times = Vec::new();
    let mut loss = 0.0;
    for step in 0..=arguments.steps {
        let start = Instant::now();
        loss = trainer.step(step as u64)?;
        if step > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    let (least, median) = (times[0], times[times.len() / 2]);
    let tokens = (arguments.rows * arguments.tokens) as f64;
    println!(
        "{}",
        serde_json::json!({
            "layers": arguments.layers, "min_ms": least, "median_ms": median,
            "tokens_per_second": tokens / median * 1e3,
            "most_tokens_per_second": tokens / least * 1e3, "loss": loss,
        })
    );
    Ok(())
}

impl Trainer {
    fn new(arguments: &Arguments) -> Result<Self> {
        let config = Config {
            vocab_size: 8000,
            hidden_size: 192,
            num_hidden_layers: arguments.layers,
            num_attention_heads: 12,
            intermediate_size: 768,
            max_position_embeddings: 128,
            ..Config::bert()
        };
        let (parameters, model) = draw(1, |vb| BertForMaskedLm::load(&vb, &config))?;
        let optimizer = AdamW::new(&parameters, AdamWOptions::default())?;
        let n = u32::try_from(arguments.tokens)?;
        let id = |row: u32, i: u32| (row * 7919 + i * 104_729) % 7990 + 5;
        let rows = u32::try_from(arguments.rows)?;
        let ids: Vec<Vec<u32>> =
            (0..rows).map(|row| (0..n).map(|i| id(row, i)).collect()).collect();
        // Three of twenty tokens.
        let positions: Vec<u32> =
            (0..rows * n).filter(|i| i % 20 < 3 && i % n > 0).collect();
        let targets = positions.iter().map(|&i| id(i / n, i % n)).collect();
        Ok(Self {
            model,
            parameters,
            optimizer,
            batch: Batch::new(&ids, None, None)?,
            masked: Masked { positions, targets },
            plain: arguments.plain,
            profile: arguments.profile,
        })
    }

    fn step(&mut self, seed: u64) -> Result<f32> {
        let mut clock = Instant::now();
        let mut lap = |what| {
            if self.profile {
                eprint!("{what} {:?} ", clock.elapsed());
                clock = Instant::now();
            }
        };
        let loss = if self.plain {
            plain_loss(self, u32::try_from(seed)?)?
        } else {
            masked_lm_loss(&self.model, &self.batch, &self.masked, Some(seed))?
        };
        lap("forward");
        let gradients = gradients::backward(&loss)?;
        lap("backward");
        let norm = gradient_norm(&self.parameters, &gradients)?;
        let factor = clip_factor(norm, 1.0);
        self.optimizer.step(&self.parameters, &gradients, 1e-3, factor)?;
        lap("optimizer");
        Ok(loss.to_scalar()?)
    }
}

/// The same loss by chapter 5's model.
fn plain_loss(trainer: &Trainer, seed: u32) -> Result<Tensor> {
    let Trainer { model, batch, masked, .. } = trainer;
    let noise = DropoutRng::seed(seed);
    let run = ForwardOptions { dropout: Some(&noise), ..ForwardOptions::default() };
    let x = model.bert.forward(batch, run)?.last_hidden_state.flatten(0, 1)?;
    let x = x.index_select(&Tensor::new(&*masked.positions, x.device())?, 0)?;
    let logits = model.predict(&x)?;
    let targets = Tensor::new(&*masked.targets, x.device())?; // [masked]
    Ok(candle_nn::loss::cross_entropy(&logits, &targets)?)
}
