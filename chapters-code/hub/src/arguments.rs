//! What the command lines of the chapters with models ask for.

use anyhow::{Context, Result};
use clap::Args;

use crate::folder::{self, ModelFolder};
use crate::hub::HubOptions;
use crate::tokenizer::Truncate;

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
    pub fn folder(&self) -> Result<ModelFolder> {
        let mut hub = HubOptions::from_env();
        hub.offline |= self.offline;
        folder::resolve(&self.model, &hub)
            .with_context(|| format!("--model {}", self.model))
    }

    /// What to do with a text that is too long: `--truncate` cuts it to what the model takes.
    pub fn truncation(&self) -> Truncate {
        if self.truncate { Truncate::To(usize::MAX) } else { Truncate::Error }
    }
}
