//! Sentiment on the command line: `cargo run -p ch03-sentiment -- --help`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use models::{HubOptions, Truncate};
use sentiment::{Sentiment, SentimentPipeline};

/// How many characters a score of 1 fills.
const BAR: usize = 20;

/// Says of each text whether it speaks well or ill of something.
#[derive(Parser)]
struct Arguments {
    /// The texts
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// A folder, a model that ships with the book, or a model of the Hugging Face Hub
    #[arg(long, value_name = "NAME|DIR", default_value = "bertinho-sentiment")]
    model: String,
    /// Cut a text that is too long for the model
    #[arg(long)]
    truncate: bool,
    /// Use what has been downloaded before; never the network
    #[arg(long)]
    offline: bool,
    /// Print one JSON list instead of lines
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let mut hub = HubOptions::from_env();
    hub.offline |= arguments.offline;
    let folder = models::resolve(&arguments.model, &hub)
        .with_context(|| format!("--model {}", arguments.model))?;
    let pipeline = SentimentPipeline::load(&folder)?;
    let truncate =
        if arguments.truncate { Truncate::To(usize::MAX) } else { Truncate::Error };
    let texts: Vec<&str> = arguments.texts.iter().map(String::as_str).collect();
    let sentiments = pipeline.classify(&texts, truncate)?;
    let text = if arguments.json {
        serde_json::to_string(&sentiments)? + "\n"
    } else {
        lines(&sentiments)?
    };
    print(&text)
}

/// Writes to standard output; a reader that has left (`| head`) is no error.
fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A line for each text: the label, a bar as long as the score, the text.
fn lines(sentiments: &[Sentiment]) -> Result<String> {
    let labels = sentiments.iter().map(|found| found.label.chars().count());
    let width = labels.max().unwrap_or(0);
    let mut text = String::new();
    for Sentiment { text: source, label, score, .. } in sentiments {
        let source = source.replace(char::is_control, "�");
        writeln!(text, "{label:width$} {} {score:.4}  {source}", bar(*score))?;
    }
    Ok(text)
}

/// A bar of eighths of a character, `BAR` wide, for a score from 0 to 1.
fn bar(score: f32) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (1..=BAR * 8).filter(|&i| i as f32 <= score * (BAR * 8) as f32 + 0.5);
    let eighths = eighths.count();
    let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    format!("{bar:BAR$}")
}
