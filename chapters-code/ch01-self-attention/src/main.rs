//! Self-attention on the command line: `cargo run -p ch01-self-attention -- --help`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use figures::{Figure, Heatmap};
use ndarray::Array2;
use self_attention::{Attention, SelfAttention, WORDS, embeddings};
use serde::Serialize;

/// The largest matrix that is worth making here, in numbers (32 MiB).
const LARGEST_MATRIX: usize = 1 << 22;

/// Self-attention from scratch on a few words, every step printed.
#[derive(Parser)]
struct Arguments {
    /// Seed of the random weights, as in NumPy's `np.random.seed`
    #[arg(long, default_value_t = 42, allow_negative_numbers = true)]
    seed: u32,
    /// Width of queries, keys and values
    #[arg(long, default_value_t = 3, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    d_k: u32,
    /// The words; without --embeddings, any of: pense sobre máquinas
    #[arg(long, num_args = 1.., value_name = "WORD")]
    words: Option<Vec<String>>,
    /// A JSON list of rows of numbers, one row per word
    #[arg(long, value_name = "FILE.json")]
    embeddings: Option<PathBuf>,
    /// Save the heatmap of the weights here, as an SVG or a PNG by its name
    #[arg(long, value_name = "FILE", value_parser = cli::file_of(Figure::FORMATS))]
    svg: Option<PathBuf>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    words: &'a [String],
    embeddings: Rows,
    w_query: Rows,
    w_key: Rows,
    w_value: Rows,
    q: Rows,
    k: Rows,
    v: Rows,
    scores: Rows,
    weights: Rows,
    output: Rows,
}

type Rows = Vec<Vec<f64>>;

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let (words, x) = input(arguments)?;
    let d_k = usize::try_from(arguments.d_k)?;
    let d_model = x.ncols();
    ensure!(
        d_model.saturating_mul(d_k) <= LARGEST_MATRIX,
        "--d-k {d_k} with embeddings {d_model} wide makes weight matrices of more than \
         {LARGEST_MATRIX} numbers: choose a smaller d_k"
    );
    let n = words.len();
    ensure!(
        n.saturating_mul(n.max(d_k)) <= LARGEST_MATRIX,
        "{n} words with --d-k {d_k} make matrices of more than {LARGEST_MATRIX} numbers: \
         give fewer words"
    );
    let layer = SelfAttention::from_numpy_seed(arguments.seed, d_model, d_k);
    let attention = layer.forward(&x)?;
    if let Some(path) = &arguments.svg {
        save_heatmap(path, &words, &attention)?;
    }
    if arguments.json {
        cli::print_json(&report(&words, &x, &layer, &attention))?;
    } else {
        cli::print(&tables(&words, &attention)?)?;
    }
    Ok(())
}

/// The words and their embeddings, `[n, d_model]`.
fn input(arguments: &Arguments) -> Result<(Vec<String>, Array2<f64>)> {
    let x = match &arguments.embeddings {
        Some(path) => Some(read_embeddings(path)?),
        None => None,
    };
    let words = match (&arguments.words, &x) {
        (Some(words), _) => words.clone(),
        (None, Some(x)) if x.nrows() != WORDS.len() => {
            (1..=x.nrows()).map(|i| format!("x{i}")).collect()
        }
        (None, _) => WORDS.map(String::from).to_vec(),
    };
    if let Some(position) = words.iter().position(|word| word.trim().is_empty()) {
        bail!("word {} of --words is empty: give some text", position + 1);
    }
    let x = match x {
        Some(x) => x,
        None => known_embeddings(&words)?,
    };
    ensure!(
        words.len() == x.nrows(),
        "{} words but {} rows of embeddings: give one row per word",
        words.len(),
        x.nrows()
    );
    Ok((words, x))
}

/// The chapter's own embeddings of `words`, in their order. `[n, 4]`.
fn known_embeddings(words: &[String]) -> Result<Array2<f64>> {
    let known = embeddings();
    let mut x = Array2::zeros((0, known.ncols()));
    for word in words {
        let Some(index) = WORDS.iter().position(|known| known == word) else {
            bail!(
                "no embedding for the word {word:?}: give --embeddings FILE.json with one row per \
                 word, or use only {}",
                WORDS.join(", ")
            );
        };
        x.push_row(known.row(index))?;
    }
    Ok(x)
}

/// Reads a JSON list of rows of equal length. `[n, d_model]`.
fn read_embeddings(path: &Path) -> Result<Array2<f64>> {
    let name = path.display();
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let rows: Rows = serde_json::from_str(&text).with_context(|| {
        format!(
            "{name} is not a JSON list of rows of numbers, such as [[1, 0], [0, 1]]"
        )
    })?;
    let width = rows.first().map_or(0, Vec::len);
    ensure!(
        width > 0,
        "{name} has no numbers: give one row per word, such as [[1, 0], [0, 1]]"
    );
    if let Some(bad) = rows.iter().position(|row| row.len() != width) {
        bail!(
            "row {} of {name} has {} numbers where row 1 has {width}: all rows must be as long",
            bad + 1,
            rows[bad].len()
        );
    }
    let shape = (rows.len(), width);
    Ok(Array2::from_shape_vec(shape, rows.concat())?) // [n, d_model]
}

fn save_heatmap(path: &Path, words: &[String], attention: &Attention) -> Result<()> {
    let figure = Heatmap::new(&attention.weights)
        .row_labels(words)
        .column_labels(words)
        .range(0.0, 1.0)
        .title(("Pesos de atenção", "Attention weights"))
        .draw()?;
    Ok(figure.save(path)?)
}

fn report<'a>(
    words: &'a [String],
    x: &Array2<f64>,
    layer: &SelfAttention,
    attention: &Attention,
) -> Report<'a> {
    Report {
        words,
        embeddings: rows(x),
        w_query: rows(&layer.w_query),
        w_key: rows(&layer.w_key),
        w_value: rows(&layer.w_value),
        q: rows(&attention.q),
        k: rows(&attention.k),
        v: rows(&attention.v),
        scores: rows(&attention.scores),
        weights: rows(&attention.weights),
        output: rows(&attention.output),
    }
}

fn rows(matrix: &Array2<f64>) -> Rows {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

/// Every step of the calculation, one line per word.
fn tables(words: &[String], attention: &Attention) -> Result<String> {
    let steps = [
        ("Q = X · W_query", &attention.q),
        ("K = X · W_key", &attention.k),
        ("V = X · W_value", &attention.v),
        ("scores = Q · Kᵀ / √d_k", &attention.scores),
        ("weights = softmax(scores)", &attention.weights),
        ("output = weights · V", &attention.output),
    ];
    let width = words.iter().map(|word| word.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for (title, matrix) in steps {
        writeln!(text, "{title}  [{} × {}]", matrix.nrows(), matrix.ncols())?;
        for (word, row) in words.iter().zip(matrix.rows()) {
            let word = word.replace(char::is_control, "�");
            write!(text, "  {word:width$}")?;
            for value in row {
                write!(text, " {value:8.4}")?;
            }
            writeln!(text)?;
        }
        writeln!(text)?;
    }
    Ok(text)
}
