//! Sentiment on the command line: `cargo run -p ch04-sentiment -- --help`.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use hub::ModelArguments;
use sentiment::{Sentiment, SentimentPipeline};

/// How many characters a score of 1 fills.
const BAR: usize = 20;

/// Says of each text whether it speaks well or ill of something.
#[derive(Parser)]
#[command(mut_arg("model", |model| model.default_value("bertinho-sentiment")))]
struct Arguments {
    /// The texts
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    #[command(flatten)]
    model: ModelArguments,
    /// Print one JSON list instead of lines
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let pipeline = SentimentPipeline::load(&arguments.model.folder()?)?;
    let texts: Vec<&str> = arguments.texts.iter().map(String::as_str).collect();
    let sentiments = pipeline.classify(&texts, arguments.model.truncation())?;
    if arguments.json {
        cli::print_json(&sentiments)?;
    } else {
        cli::print(&lines(&sentiments)?)?;
    }
    Ok(())
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
