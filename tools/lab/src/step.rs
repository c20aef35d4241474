//! What a reader sees while a step runs: a line that moves, and a line that stays.

use std::time::{Duration, Instant};

use anyhow::Result;
use book::say;
use indicatif::{ProgressBar, ProgressStyle};

/// How often a step says where it is if its output is no terminal (a log).
const PATIENCE: Duration = Duration::from_secs(30);

/// A step that has begun.
pub struct Step {
    bar: ProgressBar,
    began: Instant,
    spoke: Instant,
}

impl Step {
    /// Says what begins.
    ///
    /// # Errors
    ///
    /// Never, while the templates are valid.
    pub fn begin(what: &str) -> Result<Self> {
        let style =
            ProgressStyle::with_template("{spinner} {prefix}: {elapsed} {wide_msg}")?;
        let bar =
            ProgressBar::new_spinner().with_style(style).with_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        if bar.is_hidden() {
            eprintln!("{what} …");
        }
        let now = Instant::now();
        Ok(Self { bar, began: now, spoke: now })
    }

    /// A step beside others, of which a line now and then tells.
    ///
    /// # Errors
    ///
    /// Never: it is a [`Step::begin`] without a bar.
    pub fn in_background(what: &str) -> Result<Self> {
        eprintln!("{what} …");
        let now = Instant::now();
        Ok(Self { bar: ProgressBar::hidden(), began: now, spoke: now })
    }

    /// Says what is going on within the step.
    pub fn tell(&mut self, message: &str) {
        self.bar.set_message(message.to_owned());
        self.speak(message);
    }

    /// Says how much is done, and what is going on.
    ///
    /// # Errors
    ///
    /// Never, while the templates are valid.
    pub fn advance(&mut self, done: u64, of: u64, message: &str) -> Result<()> {
        if self.bar.length().is_none() {
            let style = "{prefix} [{bar:30}] {pos}/{len} {elapsed} {wide_msg}";
            self.bar.set_style(ProgressStyle::with_template(style)?);
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(message.to_owned());
        self.speak(&format!("{done}/{of} {message}"));
        Ok(())
    }

    /// Where no bar is drawn, a line now and then.
    fn speak(&mut self, message: &str) {
        if self.bar.is_hidden() && self.spoke.elapsed() > PATIENCE {
            self.spoke = Instant::now();
            eprintln!("  {} s: {message}", self.began.elapsed().as_secs());
        }
    }

    /// Writes a line to standard error without breaking the bar.
    pub fn pass_on(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// Ends the step; says what is there now, and the time it took.
    ///
    /// # Errors
    ///
    /// If the line can't be written.
    pub fn end(self, what: &str) -> Result<()> {
        self.bar.finish_and_clear();
        say(&format!("{what} ({:.1} s)", self.began.elapsed().as_secs_f64()))
    }
}
