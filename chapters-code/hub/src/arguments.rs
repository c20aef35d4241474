//! What the command lines of the chapters with models ask for.

use anyhow::{Context, Result};
use clap::Args;

use crate::folder::{self, ModelFolder};
use crate::hub::HubOptions;
use crate::tokenizer::{CaseRule, Truncate};

/// Which model reads, and how: `#[command(flatten)]` in a chapter's arguments.
#[derive(Debug, Clone, Args)]
pub struct ModelArguments {
    /// A folder, a model that ships with the book, or a model of the Hugging Face Hub
    #[arg(long, value_name = "NAME|DIR", default_value = "bertinho")]
    pub model: String,
    /// Cut a text that is too long for the model
    #[arg(long)]
    pub truncate: bool,
    /// Keep capitals and accents where tokenizer.json does and tokenizer_config.json is
    /// silent (transformers drops them)
    #[arg(long)]
    pub trust_tokenizer_json: bool,
    /// Use what has been downloaded before; never the network
    #[arg(long)]
    pub offline: bool,
}

impl ModelArguments {
    /// The folder of `--model`.
    pub fn folder(&self) -> Result<ModelFolder> {
        let mut hub = HubOptions::from_env();
        hub.offline |= self.offline;
        let folder = folder::resolve(&self.model, &hub)
            .with_context(|| format!("--model {}", self.model))?;
        let trusted = self.trust_tokenizer_json.then_some(CaseRule::TokenizerJson);
        Ok(ModelFolder { case_rule: trusted.unwrap_or_default(), ..folder })
    }

    /// What to do with a text that is too long: `--truncate` cuts it to what the model takes.
    pub fn truncation(&self) -> Truncate {
        if self.truncate { Truncate::To(usize::MAX) } else { Truncate::Error }
    }
}
