//! What the command lines of the chapters with models share.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::{HubOptions, ModelFolder, Truncate};

/// Which model reads, and how: `#[command(flatten)]` in a chapter's arguments.
#[derive(Debug, Clone, Args)]
pub struct ModelArguments {
    /// A folder, a model that ships with the book, or a model of the Hugging Face Hub
    #[arg(long, value_name = "NAME|DIR", default_value = "bertinho")]
    pub model: String,
    /// Cut a text that is too long for the model
    #[arg(long)]
    pub truncate: bool,
    /// Use what has been downloaded before; never the network
    #[arg(long)]
    pub offline: bool,
}

impl ModelArguments {
    /// The folder of `--model`.
    ///
    /// # Errors
    ///
    /// Those of [`crate::resolve`], with the name that was asked for.
    pub fn folder(&self) -> Result<ModelFolder> {
        let mut hub = HubOptions::from_env();
        hub.offline |= self.offline;
        crate::resolve(&self.model, &hub)
            .with_context(|| format!("--model {}", self.model))
    }

    /// What to do with a text that is too long: `--truncate` cuts it to what the model takes.
    pub fn truncation(&self) -> Truncate {
        if self.truncate { Truncate::To(usize::MAX) } else { Truncate::Error }
    }
}

/// Writes to standard output; a reader that has left (`| head`) is no error.
///
/// # Errors
///
/// Any other error of writing.
pub fn print(
    write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// The program's end: 0, or 1 with the error and its causes on one line of standard error.
pub fn exit_code<E: Display>(done: Result<(), E>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
