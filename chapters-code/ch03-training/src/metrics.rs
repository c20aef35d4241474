//! What a training says of itself: JSON lines for programs, a bar for people.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::{Result, TrainingError};

/// Where JSON lines go.
#[derive(Debug)]
pub enum Metrics {
    /// To standard output.
    Stdout,
    /// To a file, added to what it has.
    File(File),
    /// Nowhere: no line is written.
    Off,
}

impl Metrics {
    /// Lines added to a file; those of steps from `step` on, which a training that was
    /// stopped wrote after its last checkpoint, are taken out first.
    pub fn file(path: &Path, step: u64) -> Result<Self> {
        let old = match fs::read_to_string(path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(TrainingError::io("read", path)(error)),
        };
        let before = |line: &&str| {
            let line: serde_json::Value =
                serde_json::from_str(line).unwrap_or_default();
            line["step"].as_u64().is_some_and(|found| step > 0 && found <= step)
        };
        let kept: String = old.split_inclusive('\n').filter(before).collect();
        gradients::file::write_atomically(path, kept.as_bytes())?;
        let open = OpenOptions::new().append(true).open(path);
        Ok(Self::File(open.map_err(TrainingError::io("open", path))?))
    }

    /// One line.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Io`] if it can't be written; a reader that has left is no
    /// error.
    pub fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).unwrap_or_default() + "\n";
        let written = match self {
            Self::Stdout => cli::print(&text),
            Self::File(file) => cli::reader_may_leave(file.write_all(text.as_bytes())),
            Self::Off => Ok(()),
        };
        written.map_err(TrainingError::io("write", "the metrics"))
    }
}

/// A bar on standard error, with the time left.
pub fn bar(steps: u64, done: u64) -> ProgressBar {
    let template = "{bar:30} {pos}/{len} {msg}  {elapsed} + {eta}";
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(steps).with_style(style);
    bar.set_position(done);
    bar.reset_eta();
    bar
}

/// A smoothed loss and a speed, for the bar.
#[derive(Debug)]
pub struct Speed {
    begun: Instant,
    tokens: u64,
    loss: Option<f64>,
}

impl Speed {
    /// The clock starts now.
    pub fn start() -> Self {
        Self { begun: Instant::now(), tokens: 0, loss: None }
    }

    /// After a step: its loss and how many tokens it read.
    pub fn add(&mut self, loss: f64, tokens: u64) {
        self.tokens += tokens;
        let smooth = self.loss.map_or(loss, |before| 0.98 * before + 0.02 * loss);
        self.loss = Some(smooth);
    }

    /// Tokens a second since the start.
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.begun.elapsed().as_secs_f64().max(1e-9)
    }

    /// For the bar.
    pub fn message(&self) -> String {
        let loss = self.loss.unwrap_or(f64::NAN);
        format!("loss {loss:.3}, {:.0} tokens/s", self.tokens_per_second())
    }
}
