//! What stands in a hidden place, with and without some heads, in the terminal.

use std::fmt::Write;

use bert_attention::{Ablation, Guess, Head, MaskedModel, total_variation};
use console::{Alignment, measure_text_width, pad_str};
use hub::Encoded;
use ndarray::ArrayView2;
use serde::Serialize;

/// How many pieces are told, and how many heads.
const TOLD: usize = 5;

/// The guesses and how much each head's absence changes them.
#[derive(Debug, Serialize)]
pub struct Guesses<'a> {
    model: &'a str,
    tokens: Vec<String>,
    place: usize,
    /// The whole model's guesses, the likeliest first.
    whole: Vec<Guess>,
    /// The heads that were removed, as `layer.head`.
    removed: Vec<String>,
    /// The guesses of the model without them.
    without: Vec<Guess>,
    /// The total variation between the two, from 0 to 1.
    change: f64,
    /// The total variation that each head's absence makes, `[layers][heads]`.
    changes: Vec<Vec<f64>>,
    /// How much the hidden place looks at each token, `[layers][heads][n]`.
    looks: Vec<Vec<Vec<f64>>>,
}

impl<'a> Guesses<'a> {
    pub fn of(
        model: &'a MaskedModel,
        text: Encoded,
        place: usize,
        removed: &[Head],
    ) -> anyhow::Result<Self> {
        let ablation = Ablation::of(model, text, place)?;
        let without = ablation.without(model, removed)?;
        let looks = ablation.looks.outer_iter();
        Ok(Self {
            model: &model.model.name,
            place,
            whole: model.likeliest(&ablation.whole, TOLD),
            removed: removed.iter().map(Head::to_string).collect(),
            without: model.likeliest(&without, TOLD),
            change: total_variation(&ablation.whole, &without),
            changes: rows(&ablation.changes(model)?.view()),
            looks: looks.map(|layer| rows(&layer)).collect(),
            tokens: ablation.text.tokens,
        })
    }

    /// The guesses side by side, and the heads whose absence changes most.
    pub fn table(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        writeln!(text, "{}: {}", self.model, self.tokens.join(" "))?;
        let column = |title: &str, guesses: &[Guess]| -> Vec<String> {
            let told =
                guesses.iter().map(|g| format!("{:.3} {}", g.probability, g.piece));
            let lines = std::iter::once(title.to_owned()).chain(told);
            lines.map(|line| line.replace(char::is_control, "�")).collect()
        };
        let whole = column("whole", &self.whole);
        let title = format!("without {}", self.removed.join(", "));
        let without = if self.removed.is_empty() {
            vec![String::new(); whole.len()]
        } else {
            column(&title, &self.without)
        };
        let width =
            whole.iter().map(|line| measure_text_width(line)).max().unwrap_or(0);
        for (one, other) in whole.iter().zip(&without) {
            let one = pad_str(one, width, Alignment::Left, None);
            writeln!(text, "{}", format!("  {one}   {other}").trim_end())?;
        }
        if !self.removed.is_empty() {
            writeln!(text, "changed by {:.3}, of 1", self.change)?;
        }
        let heads = self.changes.iter().enumerate();
        let mut heads: Vec<(f64, Head)> = heads
            .flat_map(|(layer, row)| {
                let head = move |(head, &change)| (change, Head { layer, head });
                row.iter().enumerate().map(head)
            })
            .collect();
        heads.sort_by(|a, b| b.0.total_cmp(&a.0));
        writeln!(text, "one head removed, those that change the guess most:")?;
        for (change, head) in heads.iter().take(TOLD) {
            writeln!(text, "  {head:<5} {change:.3}")?;
        }
        Ok(text)
    }
}

fn rows(matrix: &ArrayView2<f64>) -> Vec<Vec<f64>> {
    matrix.outer_iter().map(|row| row.to_vec()).collect()
}
