//! Views of a text on the command line: `cargo run -p ch07-attention-views -- --help`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use attention_views::bert::OpenModel;
use attention_views::{HeadView, Language, ModelView, NeuronView, ViewError};
use bert_attention::{Attentions, Pretrained};
use clap::{Parser, ValueEnum};
use hub::{ModelArguments, ModelFolder};

/// Who looks at whom in a text: a page that any browser opens, with no network.
#[derive(Parser)]
struct Arguments {
    /// All heads of a layer; every head of every layer; or a head from the inside
    view: Kind,
    /// The text
    text: String,
    /// A second text: the model reads `[CLS] TEXT [SEP] TEXT_B [SEP]`
    #[arg(long, value_name = "TEXT_B")]
    pair: Option<String>,
    #[command(flatten)]
    model: ModelArguments,
    /// The layer shown first, from 0; the model view then has no other
    #[arg(long, allow_negative_numbers = true)]
    layer: Option<i64>,
    /// The heads shown first, from 0: `--heads 8` or `--heads 0,3,8`; the model view then has no
    /// others, and the neuron view shows one
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    heads: Option<Vec<i64>>,
    /// Save the view here
    #[arg(short, long, value_name = "FILE.html", default_value = "attention.html")]
    #[arg(value_parser = cli::file_of(&["html", "htm"]))]
    output: PathBuf,
    /// The language of the view's labels: `pt` or `en`; without this, the browser's
    #[arg(long, value_enum)]
    language: Option<Labels>,
    /// Print the data behind the view as one JSON object, in bertviz's shape, and save nothing
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// All heads of a layer
    Head,
    /// Every head of every layer
    Model,
    /// A head from the inside
    Neuron,
}

#[derive(Clone, Copy, ValueEnum)]
enum Labels {
    Pt,
    En,
}

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.model.folder()?;
    match arguments.view {
        Kind::Head => {
            let view = head(arguments, &folder)?;
            emit(arguments, || view.bertviz_json(), || view.page())
        }
        Kind::Model => {
            let view = model(arguments, &folder)?;
            emit(arguments, || view.bertviz_json(), || view.page())
        }
        Kind::Neuron => {
            let view = neuron(arguments, &folder)?;
            emit(arguments, || view.bertviz_json(), || view.page())
        }
    }
}

/// The data to standard output, or the page to its file.
fn emit(
    arguments: &Arguments,
    json: impl FnOnce() -> Result<String, ViewError>,
    page: impl FnOnce() -> Result<String, ViewError>,
) -> Result<()> {
    if arguments.json {
        return print(&json()?);
    }
    let (file, page) = (&arguments.output, page()?);
    std::fs::write(file, page)
        .with_context(|| format!("cannot write {}", file.display()))?;
    print(&file.display().to_string())
}

fn print(line: &str) -> Result<()> {
    Ok(cli::print(&format!("{line}\n"))?)
}

fn head(arguments: &Arguments, folder: &ModelFolder) -> Result<HeadView> {
    let found = attentions(arguments, folder)?;
    let mut view = HeadView::new(&found, &found.tokens)?
        .sentence_b_start(found.sentence_b_start)
        .language(arguments.language());
    if let Some(layer) = arguments.layer(folder)? {
        view = view.layer(layer);
    }
    if let Some(heads) = arguments.heads(folder)? {
        view = view.heads(heads);
    }
    Ok(view)
}

fn model(arguments: &Arguments, folder: &ModelFolder) -> Result<ModelView> {
    let found = attentions(arguments, folder)?;
    let mut view = ModelView::new(&found, &found.tokens)?
        .sentence_b_start(found.sentence_b_start)
        .language(arguments.language());
    if let Some(layer) = arguments.layer(folder)? {
        view = view.include_layers([layer]);
    }
    if let Some(heads) = arguments.heads(folder)? {
        view = view.include_heads(heads);
    }
    Ok(view)
}

fn neuron(arguments: &Arguments, folder: &ModelFolder) -> Result<NeuronView> {
    let model = OpenModel::load(folder)?;
    let pair = arguments.pair.as_deref();
    let found = model.open(&arguments.text, pair, arguments.model.truncation())?;
    let text = &found.attentions;
    let mut view = NeuronView::new(text, &found.queries, &found.keys, &text.tokens)?
        .sentence_b_start(text.sentence_b_start)
        .language(arguments.language());
    if let Some(layer) = arguments.layer(folder)? {
        view = view.layer(layer);
    }
    match arguments.heads(folder)?.as_deref() {
        None => Ok(view),
        Some(&[head]) => Ok(view.head(head)),
        Some(heads) => {
            bail!(
                "--heads {heads:?}: the neuron view shows one head, such as --heads 8"
            )
        }
    }
}

fn attentions(arguments: &Arguments, folder: &ModelFolder) -> Result<Attentions> {
    let model = Pretrained::load(folder)?;
    let pair = arguments.pair.as_deref();
    Ok(Attentions::of(&model, &arguments.text, pair, arguments.model.truncation())?)
}

impl Arguments {
    /// The layer asked for, if the model has it.
    fn layer(&self, folder: &ModelFolder) -> Result<Option<usize>> {
        let layers = folder.config()?.num_hidden_layers;
        self.layer.map(|layer| cli::index("layer", layer, layers)).transpose()
    }

    /// The heads asked for, if the model has them.
    fn heads(&self, folder: &ModelFolder) -> Result<Option<Vec<usize>>> {
        let count = folder.config()?.num_attention_heads;
        let index = |&head: &i64| cli::index("head", head, count);
        self.heads.as_ref().map(|heads| heads.iter().map(index).collect()).transpose()
    }

    fn language(&self) -> Language {
        match self.language {
            None => Language::Page,
            Some(Labels::Pt) => Language::Portuguese,
            Some(Labels::En) => Language::English,
        }
    }
}
