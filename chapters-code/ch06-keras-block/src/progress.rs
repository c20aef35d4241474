//! What `fit` says while it works, as Keras says it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::history::Metrics;

/// Keras' `verbose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbose {
    /// 0: nothing.
    Silent,
    /// 1: a bar that moves, on the standard error of a terminal.
    Bar,
    /// 2: a line an epoch, on standard output, without times: it is the same each time.
    Lines,
}

/// An epoch's line.
pub struct Progress {
    verbose: Verbose,
    epoch: [usize; 2],
    bar: ProgressBar,
}

impl Progress {
    /// `epoch`: the number of this one, from 1, and of all.
    pub fn new(verbose: Verbose, epoch: [usize; 2], steps: usize) -> Self {
        let target = match verbose {
            Verbose::Bar => ProgressDrawTarget::stderr(),
            Verbose::Silent | Verbose::Lines => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style = ProgressStyle::with_template(
            "{pos}/{len} {bar:20.green} {elapsed} - {msg}",
        );
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━━╺"));
        }
        if verbose == Verbose::Bar {
            bar.println(format!("Epoch {}/{}", epoch[0], epoch[1]));
        }
        Self { verbose, epoch, bar }
    }

    /// One step further; the metrics are the epoch's so far.
    pub fn step(&self, so_far: Metrics) {
        self.bar.inc(1);
        if !self.bar.is_hidden() {
            self.bar.set_message(self.timed(&said(so_far, "")));
        }
    }

    fn timed(&self, text: &str) -> String {
        let steps = u128::from(self.bar.position().max(1));
        format!("{}ms/step - {text}", self.bar.elapsed().as_millis() / steps)
    }

    /// The epoch is over.
    pub fn end(&self, train: Metrics, validation: Option<Metrics>) {
        let mut text = said(train, "");
        if let Some(validation) = validation {
            text += " - ";
            text += &said(validation, "val_");
        }
        if !self.bar.is_hidden() {
            self.bar.finish_with_message(self.timed(&text));
        }
        if self.verbose == Verbose::Lines {
            println!("Epoch {}/{} - {text}", self.epoch[0], self.epoch[1]);
        }
    }
}

fn said(metrics: Metrics, of: &str) -> String {
    let Metrics { loss, accuracy } = metrics;
    format!("{of}accuracy: {accuracy:.4} - {of}loss: {loss:.4}")
}
