//! Where the reverser looks, and how its training went.

use figures::{Figure, Heatmap, LineChart, Text};
use ndarray::Axis;

use crate::error::Result;
use crate::reverse::model::Reverser;
use crate::reverse::training::History;

/// The head of the last layer that looks most at the anti-diagonal, on one string.
pub fn attention_figure(
    model: &Reverser,
    string: &str,
    title: impl Into<Text>,
) -> Result<Figure> {
    let shares = model.anti_diagonal(&[string.to_owned()])?;
    let last = shares.last().map_or(&[][..], Vec::as_slice);
    let best = (0..last.len()).max_by(|&a, &b| last[a].total_cmp(&last[b]));
    let heads = model.cross_attention(string)?.pop().unwrap_or_default(); // [heads, n, m]
    let weights = heads.index_axis(Axis(0), best.unwrap_or(0)).to_owned();
    let letter = |letter: char| Text::from(letter.to_string());
    let end = [Text::from(("fim", "end"))];
    let read = string.chars().map(letter).chain(end.clone());
    let written = string.chars().rev().map(letter).chain(end);
    Ok(Heatmap::new(&weights)
        .row_labels(written)
        .column_labels(read)
        .row_title(("escrita", "written"))
        .column_title(("lida", "read"))
        .title(title)
        .range(0.0, 1.0)
        .draw()?)
}

impl History {
    /// The loss and the held-out strings reversed, over the steps.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Figure`](crate::TrainingError::Figure) if there is no point.
    pub fn figure(&self) -> Result<Figure> {
        Ok(LineChart::new()
            .title(("O treino do inversor", "Training the reverser"))
            .x_title(("passo", "step"))
            .series(("loss (nats por letra)", "loss (nats a letter)"), &self.loss)
            .series(
                ("palavras novas invertidas", "held-out strings reversed"),
                &self.exact,
            )
            .draw()?)
    }
}
