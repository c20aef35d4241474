//! Generation on the command line: `cargo run -p ch09-generation -- --help`.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use candle_core::Tensor;
use clap::Parser;
use generation::{
    BeamOptions, Cache, Filters, GenerateOptions, PackedGpt, Pretrained, beam_search,
    generate, left_padded,
};
use hub::ModelSource;
use serde::Serialize;

/// Goes on from a text, with a model of GPT-2's architecture.
#[derive(Parser)]
#[command(mut_arg("model", |model| model.default_value("papagaio")))]
struct Arguments {
    /// The text to go on from; papagaio's begin with <|pt|> or <|en|>, and the other mark behind a
    /// sentence asks for its translation
    prompt: String,
    #[command(flatten)]
    source: ModelSource,
    /// At most so many tokens
    #[arg(long, default_value_t = 50)]
    max_new_tokens: usize,
    /// Draw the tokens, the likely ones likelier (below 1) or all more alike (above 1); without
    /// this and the next three, the likeliest is taken
    #[arg(long, allow_negative_numbers = true)]
    temperature: Option<f32>,
    /// Draw among the likeliest so many
    #[arg(long)]
    top_k: Option<usize>,
    /// Draw among the likeliest that together have this probability
    #[arg(long, allow_negative_numbers = true)]
    top_p: Option<f32>,
    /// Draw among those at least this share as likely as the likeliest
    #[arg(long, allow_negative_numbers = true)]
    min_p: Option<f32>,
    /// Make tokens that stand in the text less likely (above 1)
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    repetition_penalty: f32,
    /// Keep so many texts side by side and print the likeliest
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "no_cache"])]
    beams: Option<usize>,
    /// Seed of the draws
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Read the whole text again for each token
    #[arg(long)]
    no_cache: bool,
    /// Print one JSON object, with the attentions, instead of the text
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    cli::exit_code(run(&Arguments::parse()))
}

/// Tokens that came, with their log-probabilities.
struct Answer {
    ids: Vec<u32>,
    logprobs: Vec<f64>,
}

fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        !arguments.prompt.is_empty(),
        "the prompt is empty: give at least one word"
    );
    let pretrained = Pretrained::load(&arguments.source.folder()?)?;
    let prompt = pretrained.tokenizer.encode(&arguments.prompt)?;
    let answer = match arguments.beams {
        Some(beams) => search(arguments, &pretrained, &prompt, beams)?,
        None => go_on(arguments, &pretrained, &prompt)?,
    };
    if arguments.json {
        return Ok(cli::print_json(&report(&pretrained, &prompt, &answer)?)?);
    }
    cli::print(&if arguments.beams.is_some() {
        format!("{}{}\n", arguments.prompt, pretrained.tokenizer.decode(&answer.ids)?)
    } else {
        "\n".to_owned() // the rest was printed as it came
    })?;
    Ok(())
}

fn go_on(
    arguments: &Arguments,
    pretrained: &Pretrained,
    prompt: &[u32],
) -> Result<Answer> {
    let Arguments { temperature, top_k, top_p, min_p, .. } = *arguments;
    let draws =
        temperature.is_some() || top_k.is_some() || top_p.is_some() || min_p.is_some();
    let options = GenerateOptions {
        max_new_tokens: arguments.max_new_tokens,
        filters: Filters {
            repetition_penalty: arguments.repetition_penalty,
            temperature: temperature.unwrap_or(1.0),
            top_k,
            top_p,
            min_p,
        },
        seed: draws.then_some(arguments.seed),
        ends: pretrained.config.eos_token_ids.clone(),
        use_cache: !arguments.no_cache,
    };
    let (mut ids, mut shown) = (Vec::new(), 0);
    let mut observe = |token, _| {
        if !arguments.json {
            let begins = if ids.is_empty() { arguments.prompt.as_str() } else { "" };
            ids.push(token);
            shown = show(pretrained, begins, &ids, shown);
        }
    };
    let model = PackedGpt::pack(&pretrained.model)?;
    let found = generate(&model, prompt, &options, &mut observe)?;
    if found.ids.is_empty() && !arguments.json {
        cli::print(&arguments.prompt)?;
    }
    Ok(Answer { ids: found.ids, logprobs: found.logprobs })
}

/// Prints what of the text has not been shown, behind `begins`; bytes that are no whole character
/// yet wait for the next token.
fn show(pretrained: &Pretrained, begins: &str, ids: &[u32], shown: usize) -> usize {
    let text = pretrained.tokenizer.decode(ids).unwrap_or_default();
    let whole = text.trim_end_matches('\u{fffd}');
    let Some(new) = whole.get(shown..) else { return shown };
    let printed =
        cli::print(&format!("{begins}{new}")).and_then(|()| io::stdout().flush());
    if printed.is_ok() { whole.len() } else { shown }
}

fn search(
    arguments: &Arguments,
    pretrained: &Pretrained,
    prompt: &[u32],
    beams: usize,
) -> Result<Answer> {
    let options = BeamOptions {
        beams,
        max_new_tokens: arguments.max_new_tokens,
        ends: pretrained.config.eos_token_ids.clone(),
        ..BeamOptions::default()
    };
    let mut found = beam_search(&pretrained.model, prompt, &options)?;
    ensure!(!found.is_empty(), "--max-new-tokens 0 leaves nothing to search for");
    let ids = found.swap_remove(0).ids;
    let logprobs = pretrained.log_probabilities(prompt, &ids)?;
    Ok(Answer { ids, logprobs })
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    prompt_tokens: Vec<String>,
    tokens: Vec<String>,
    text: String,
    logprobs: &'a [f64],
    /// layers × heads × n × n
    attentions: Vec<Vec<Vec<Vec<f32>>>>,
}

fn report<'a>(
    pretrained: &'a Pretrained,
    prompt: &[u32],
    answer: &'a Answer,
) -> Result<Report<'a>> {
    let batch = left_padded(&[[prompt, &answer.ids].concat()], 0)?;
    let output = pretrained.model.forward(&batch, &mut Cache::new())?;
    let layer = |layer: &Tensor| Ok(layer.squeeze(0)?.to_vec3()?); // [heads, n, n]
    Ok(Report {
        model: &pretrained.name,
        prompt_tokens: pretrained.tokenizer.tokens(prompt)?,
        tokens: pretrained.tokenizer.tokens(&answer.ids)?,
        text: pretrained.tokenizer.decode(&answer.ids)?,
        logprobs: &answer.logprobs,
        attentions: output.attentions.iter().map(layer).collect::<Result<_>>()?,
    })
}
