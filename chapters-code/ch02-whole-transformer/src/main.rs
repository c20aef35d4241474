//! Multi-head attention on the command line: `cargo run -p ch02-whole-transformer --
//! --help`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};
use figures::{Figure, HeatmapGrid};
use ndarray::{Array2, Axis};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use serde::Serialize;
use whole_transformer::words::WORDS;
use whole_transformer::{MultiHeadAttention, MultiHeadOutput, Positions, mask};

/// The most words, heads times words squared, and weights that are worth making here.
const LARGEST: usize = 1 << 22;

/// One layer of multi-head attention with random weights: who looks at whom, in each
/// head.
#[derive(Parser)]
struct Arguments {
    /// The words; their vectors are random [default: o gato sentou no tapete]
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Seed of the random numbers, as in NumPy's `np.random.seed`
    #[arg(long, default_value_t = 42)]
    seed: u32,
    /// How many heads share the words' vectors
    #[arg(long, default_value_t = 4)]
    heads: usize,
    /// Width of the words' vectors, a multiple of the heads
    #[arg(long, default_value_t = 16)]
    d_model: usize,
    /// Hide from each word what comes after it
    #[arg(long)]
    causal: bool,
    /// What to add to each word for its position
    #[arg(long, value_enum, default_value_t = Added::None)]
    positions: Added,
    /// Save the heads' heatmaps here, as an SVG or a PNG by its name
    #[arg(long, value_name = "FILE", value_parser = cli::file_of(Figure::FORMATS))]
    svg: Option<PathBuf>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Added {
    None,
    Sinusoidal,
}

#[derive(Serialize)]
struct Report<'a> {
    words: &'a [String],
    /// Heads × words × words.
    weights: Vec<Rows>,
    output: Rows,
}

type Rows = Vec<Vec<f64>>;

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let words = words(arguments)?;
    let (n, d_model, heads) = (words.len(), arguments.d_model, arguments.heads);
    let sizes =
        [n.saturating_mul(n).saturating_mul(heads), d_model.saturating_mul(d_model)];
    ensure!(
        sizes.iter().all(|&size| size <= LARGEST)
            && n.saturating_mul(d_model) <= LARGEST,
        "{n} words, {heads} heads and a d_model of {d_model} make matrices of more than \
         {LARGEST} numbers: choose fewer"
    );
    let mut random = NumpyRandom::seed(arguments.seed);
    let positions = match arguments.positions {
        Added::None => Positions::None,
        Added::Sinusoidal => Positions::Sinusoidal,
    };
    let x = positions.add_to(&unit_variance(&mut random, n, d_model))?; // [n, d_model]
    let layer = MultiHeadAttention::random(&mut random, d_model, heads)?;
    let mask = arguments.causal.then(|| mask::causal(n)); // [n, n]
    let attention = layer.forward(&x, &x, &x, mask.as_ref())?;
    if let Some(path) = &arguments.svg {
        HeatmapGrid::new(&attention.weights)
            .panel_titles((0..heads).map(|head| format!("head {head}")))
            .row_labels(&words)
            .column_labels(&words)
            .range(0.0, 1.0)
            .title(("Pesos de atenção", "Attention weights"))
            .draw()?
            .save(path)?;
    }
    if arguments.json {
        cli::print_json(&report(&words, &attention))?;
    } else {
        cli::print(&tables(&words, &attention)?)?;
    }
    Ok(())
}

fn words(arguments: &Arguments) -> Result<Vec<String>> {
    if arguments.words.is_empty() {
        return Ok(WORDS.map(String::from).to_vec());
    }
    let empty = arguments.words.iter().position(|word| word.trim().is_empty());
    if let Some(position) = empty {
        bail!("word {} is empty: give some text", position + 1);
    }
    Ok(arguments.words.clone())
}

fn report<'a>(words: &'a [String], attention: &MultiHeadOutput) -> Report<'a> {
    let weights = attention
        .weights
        .axis_iter(Axis(0))
        .map(|head| rows(&head.to_owned()))
        .collect();
    Report { words, weights, output: rows(&attention.output) }
}

fn rows(matrix: &Array2<f64>) -> Rows {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

/// Each head's weights, a line per word.
fn tables(words: &[String], attention: &MultiHeadOutput) -> Result<String> {
    let words: Vec<String> =
        words.iter().map(|word| word.replace(char::is_control, "�")).collect();
    let width = words.iter().map(|word| word.chars().count()).max().unwrap_or(0);
    let column = width.max(6);
    let mut text = String::new();
    for (head, weights) in attention.weights.axis_iter(Axis(0)).enumerate() {
        write!(text, "{:width$}", format!("head {head}"))?;
        for word in &words {
            write!(text, " {word:>column$}")?;
        }
        writeln!(text)?;
        for (word, row) in words.iter().zip(weights.rows()) {
            write!(text, "{word:>width$}")?;
            for value in row {
                write!(text, " {value:column$.4}")?;
            }
            writeln!(text)?;
        }
        writeln!(text)?;
    }
    Ok(text)
}
