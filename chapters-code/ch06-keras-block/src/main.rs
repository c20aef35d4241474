//! The Keras block on the command line: `cargo run -p ch06-keras-block -- --help`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use clap::Parser;
use figures::{Figure, Heatmap};
use keras_block::{Block, BlockOptions, KerasTensor, Model, block};
use ndarray::Array2;
use serde::Serialize;

/// The block of the Keras notes on a sequence of ids: every step printed.
#[derive(Parser)]
struct Arguments {
    /// The ids, from 0 to 19, at most 10 of them
    #[arg(long, value_delimiter = ',', default_value = "0,1,2,3,4,5,6,7,8,9")]
    ids: Vec<u32>,
    /// Weights to use instead of random ones: safetensors with Keras' paths
    #[arg(long, value_name = "FILE.safetensors")]
    weights: Option<PathBuf>,
    /// Save the weights here, as safetensors with Keras' paths
    #[arg(long, value_name = "FILE.safetensors")]
    save: Option<PathBuf>,
    /// Seed of the random weights
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Print Keras' table of the layers, and no more
    #[arg(long, conflicts_with = "json")]
    summary: bool,
    /// Save the graph of the layers here, as an SVG or a PNG
    #[arg(long, value_name = "FILE", value_parser = cli::file_of(Figure::FORMATS))]
    plot: Option<PathBuf>,
    /// Save the heatmap of the attention weights here, as an SVG or a PNG
    #[arg(long, value_name = "FILE", value_parser = cli::file_of(Figure::FORMATS))]
    svg: Option<PathBuf>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    params: usize,
    q: Rows,
    k: Rows,
    v: Rows,
    scores: Rows,
    weights: Rows,
    z: Rows,
    output: Rows,
}

type Rows = Vec<Vec<f32>>;

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    ensure!(!arguments.ids.is_empty(), "--ids has no ids: give from 1 to 10 of them");
    let tokens = arguments.ids.len();
    let block = block(&BlockOptions { tokens, ..BlockOptions::default() })?;
    let mut model = Model::new(&block.ids, &block.output, arguments.seed)?;
    if let Some(path) = &arguments.weights {
        model.load_weights(path)?;
    }
    if let Some(path) = &arguments.save {
        model.save_weights(path)?;
    }
    if let Some(path) = &arguments.plot {
        model.plot()?.save(path)?;
    }
    if arguments.summary && arguments.svg.is_none() {
        return Ok(cli::print(&model.summary())?);
    }
    let report = report(&model, &block, &arguments.ids)?;
    if let Some(path) = &arguments.svg {
        save_heatmap(path, &arguments.ids, &report.weights)?;
    }
    if arguments.summary {
        return Ok(cli::print(&model.summary())?);
    }
    if arguments.json {
        cli::print_json(&report)?;
    } else {
        cli::print(&tables(&report))?;
    }
    Ok(())
}

fn report(model: &Model, block: &Block, ids: &[u32]) -> Result<Report> {
    let ids = Tensor::from_slice(ids, (1, ids.len()), &Device::Cpu)?; // [1, n]
    let Block { q, k, v, scores, weights, z, output, .. } = block;
    let symbols: [&KerasTensor; 7] = [q, k, v, scores, weights, z, output];
    let values = model.values(&ids, &symbols)?;
    let rows: Vec<Rows> =
        values.iter().map(|x| x.squeeze(0)?.to_vec2()).collect::<Result<_, _>>()?;
    let rows: [Rows; 7] = rows.try_into().ok().context("as many values as symbols")?;
    let [q, k, v, scores, weights, z, output] = rows;
    let params = model.count_params();
    Ok(Report { params, q, k, v, scores, weights, z, output })
}

fn save_heatmap(path: &Path, ids: &[u32], weights: &Rows) -> Result<()> {
    let n = ids.len();
    let weights: Vec<f64> = weights.iter().flatten().copied().map(f64::from).collect();
    let labels: Vec<String> = ids.iter().map(u32::to_string).collect();
    let figure = Heatmap::new(&Array2::from_shape_vec((n, n), weights)?)
        .row_labels(&labels)
        .column_labels(&labels)
        .title(("Pesos de atenção", "Attention weights"))
        .draw()?;
    Ok(figure.save(path)?)
}

/// Every step, a line per token, as many numbers as fit on one.
fn tables(report: &Report) -> String {
    let steps = [
        ("q = query(x)", &report.q),
        ("k = key(x)", &report.k),
        ("v = value(x)", &report.v),
        ("scores = q · kᵀ / √768", &report.scores),
        ("weights = softmax(scores)", &report.weights),
        ("z = weights · v", &report.z),
        ("output = layer_normalization(dense_1(dense(z)))", &report.output),
    ];
    let mut text = vec![format!("{} parameters\n", report.params)];
    for (title, rows) in steps {
        let width = rows.first().map_or(0, Vec::len);
        text.push(format!("{title}  [{} × {width}]", rows.len()));
        for row in rows {
            let shown = row.iter().take(10).map(|value| format!(" {value:7.4}"));
            let more = if width > 10 { " …" } else { "" };
            text.push(format!(" {}{more}", shown.collect::<String>()));
        }
        text.push(String::new());
    }
    text.join("\n")
}
