//! What the command lines of the chapters with models ask for.

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::folder::{self, ModelFolder};
use crate::hub::{HubOptions, is_revision};
use crate::tokenizer::{CaseRule, Truncate};

/// Which model: `#[command(flatten)]` in a chapter's arguments.
#[derive(Debug, Clone, Args)]
pub struct ModelSource {
    /// A folder, a model that ships with the book, or a model of the Hugging Face Hub
    #[arg(long, value_name = "NAME|DIR", default_value = "bertinho")]
    pub model: String,
    /// The branch, tag or commit of a model of the Hub [default: main]
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<String>,
    /// Use what has been downloaded before; never the network
    #[arg(long)]
    pub offline: bool,
}

impl ModelSource {
    /// The folder of `--model`.
    pub fn folder(&self) -> Result<ModelFolder> {
        let Self { model, revision, offline } = self;
        let mut hub = HubOptions::from_env();
        hub.offline |= offline;
        if let Some(revision) = revision {
            ensure!(
                !folder::is_local(model),
                "--revision {revision}: {model} is not a model of the Hub, and has one \
                 version only: drop --revision, or give a Hub repository as --model"
            );
            ensure!(
                is_revision(revision),
                "--revision {revision:?} is not a branch, a tag or a commit, such as main"
            );
            hub.revision.clone_from(revision);
        }
        folder::resolve(model, &hub).with_context(|| format!("--model {model}"))
    }
}

/// Which model reads, and how: [`ModelSource`], and how it reads texts.
#[derive(Debug, Clone, Args)]
pub struct ModelArguments {
    #[command(flatten)]
    source: ModelSource,
    /// Cut a text that is too long for the model
    #[arg(long)]
    truncate: bool,
    /// Keep capitals and accents where tokenizer.json does and tokenizer_config.json is
    /// silent (transformers drops them)
    #[arg(long)]
    trust_tokenizer_json: bool,
}

impl ModelArguments {
    /// The folder of `--model`.
    pub fn folder(&self) -> Result<ModelFolder> {
        let folder = self.source.folder()?;
        let trusted = self.trust_tokenizer_json.then_some(CaseRule::TokenizerJson);
        Ok(ModelFolder { case_rule: trusted.unwrap_or_default(), ..folder })
    }

    /// What to do with a text that is too long: `--truncate` cuts it to what the model takes.
    pub fn truncation(&self) -> Truncate {
        if self.truncate { Truncate::To(usize::MAX) } else { Truncate::Error }
    }
}
