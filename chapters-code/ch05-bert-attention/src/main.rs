//! BERT's attentions on the command line: `cargo run -p ch05-bert-attention -- --help`.

mod guesses;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use bert_attention::{Attentions, Head, MaskedModel, Pretrained};
use clap::Parser;
use figures::{Figure, Heatmap};
use guesses::Guesses;
use hub::ModelArguments;
use ndarray::{Array4, Axis};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// Who looks at whom in a text, in every head of every layer of a BERT.
#[derive(Parser)]
struct Arguments {
    /// The text
    text: String,
    /// A second text: the model reads `[CLS] TEXT [SEP] TEXT_B [SEP]`
    #[arg(long, value_name = "TEXT_B")]
    pair: Option<String>,
    #[command(flatten)]
    model: ModelArguments,
    /// The layer to show, from 0
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    layer: i64,
    /// The head to show, from 0
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    head: i64,
    /// Save the heatmap of the head here, as an SVG or a PNG by its name
    #[arg(long, value_name = "FILE", value_parser = cli::file_of(Figure::FORMATS))]
    svg: Option<PathBuf>,
    /// Hide the token at this place, from 0, and print what the model puts there, with how
    /// much it changes without each head in turn
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["layer", "head", "svg"])]
    hide: Option<usize>,
    /// With `--hide`: print beside it what the model puts there without these heads,
    /// together, such as `--without 1.11,2.9`
    #[arg(long, value_name = "LAYER.HEAD", value_delimiter = ',', requires = "hide")]
    #[arg(value_parser = parse_head)]
    without: Vec<Head>,
    /// Print one JSON object, with all layers and heads, instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

/// `1.11` is head 11 of layer 1.
fn parse_head(text: &str) -> Result<Head, &'static str> {
    let parts = text.split_once('.');
    let numbers = parts.and_then(|(layer, head)| {
        Some(Head { layer: layer.parse().ok()?, head: head.parse().ok()? })
    });
    numbers.ok_or("give a layer and a head, both from 0, such as 1.11")
}

fn run(arguments: &Arguments) -> Result<()> {
    if let Some(place) = arguments.hide {
        return guess(arguments, place);
    }
    let model = Pretrained::load(&arguments.model.folder()?)?;
    let layer = cli::index("layer", arguments.layer, model.config.num_hidden_layers)?;
    let head = cli::index("head", arguments.head, model.config.num_attention_heads)?;
    let (pair, truncate) = (arguments.pair.as_deref(), arguments.model.truncation());
    let found = Attentions::of(&model, &arguments.text, pair, truncate)?;
    if let Some(path) = &arguments.svg {
        save_heatmap(path, &found, layer, head)?;
    }
    if arguments.json {
        cli::print_json(&report(&found))?;
    } else {
        cli::print(&table::table(&found, layer, head)?)?;
    }
    Ok(())
}

fn guess(arguments: &Arguments, place: usize) -> Result<()> {
    let model = MaskedModel::load(&arguments.model.folder()?)?;
    let (pair, truncate) = (arguments.pair.as_deref(), arguments.model.truncation());
    let text = model.model.tokenizer.encode(&arguments.text, pair, truncate)?;
    let found = Guesses::of(&model, text, place, &arguments.without)?;
    if arguments.json {
        cli::print_json(&found)?;
    } else {
        cli::print(&found.table()?)?;
    }
    Ok(())
}

fn save_heatmap(
    path: &Path,
    found: &Attentions,
    layer: usize,
    head: usize,
) -> Result<()> {
    let figure = Heatmap::new(&found.head(layer, head)?)
        .row_labels(&found.tokens)
        .column_labels(&found.tokens)
        .title((
            format!("Camada {layer}, head {head}"),
            format!("Layer {layer}, head {head}"),
        ))
        .draw()?;
    Ok(figure.save(path)?)
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    tokens: &'a [String],
    ids: &'a [u32],
    token_type_ids: &'a [u32],
    sentence_b_start: Option<usize>,
    attentions: Vec<Layer<'a>>,
}

fn report(found: &Attentions) -> Report<'_> {
    Report {
        model: &found.model,
        tokens: &found.tokens,
        ids: &found.ids,
        token_type_ids: &found.token_type_ids,
        sentence_b_start: found.sentence_b_start,
        attentions: found.attentions.iter().map(Layer).collect(),
    }
}

/// A layer's `[1, heads, n, n]`, written head after head: for 512 tokens, the numbers
/// of all layers would fill a gigabyte as one string.
struct Layer<'a>(&'a Array4<f32>);

impl Serialize for Layer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let heads = self.0.index_axis(Axis(0), 0); // [heads, n, n]
        let mut list = serializer.serialize_seq(Some(heads.len_of(Axis(0))))?;
        for head in heads.outer_iter() {
            let rows: Vec<_> =
                head.rows().into_iter().map(|row| row.to_vec()).collect();
            list.serialize_element(&rows)?; // [n, n]
        }
        list.end()
    }
}
