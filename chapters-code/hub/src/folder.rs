//! From a name to a folder in Hugging Face layout.

use std::path::{Path, PathBuf};

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::disk;
use crate::error::{ModelError, Result};
use crate::hub::{HubOptions, not_a_repository};
use crate::layout::{
    MERGES, NEEDS, OTHER_WEIGHTS, SHIPPED, TOKENIZER_FILES, TOKENIZERS, WEIGHTS,
    is_other_weights,
};
use crate::repository::snapshot;
use crate::tokenizer::{CaseRule, Tokenizer};

/// A folder with `config.json`, `model.safetensors` and a tokenizer: `tokenizer.json`, `vocab.txt`, or
/// `vocab.json` with `merges.txt`.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    /// What was asked for.
    pub name: String,
    /// The folder (for a Hub model, its snapshot in the cache).
    pub path: PathBuf,
    /// Whether its tokenizer lower-cases where `tokenizer_config.json` doesn't say so.
    pub case_rule: CaseRule,
}

/// Finds a model: a folder on disk, a shipped name ([`SHIPPED`]), else a repository on the
/// Hub, which is downloaded to the Hub's own cache unless it is there.
///
/// # Errors
///
/// If it is none of these, the network or the disk fails, or what came is not what was sent.
pub fn resolve(name_or_dir: &str, options: &HubOptions) -> Result<ModelFolder> {
    let path = Path::new(name_or_dir);
    if path.is_dir() {
        return ModelFolder::open(path);
    }
    let name = name_or_dir.to_string();
    if path.is_file() {
        let why = if is_other_weights(name_or_dir) {
            "it is a file of weights in another format, not a folder with model.safetensors"
        } else {
            "it is a file, not the folder around it"
        };
        return Err(ModelError::UnknownName { name, why });
    }
    if SHIPPED.contains(&name_or_dir) {
        let path = shipped_folder(name_or_dir);
        if !path.is_dir() {
            return Err(ModelError::ShippedMissing { name, path });
        }
        return Ok(ModelFolder { name, ..ModelFolder::open(path)? });
    }
    if let Some(why) = not_a_repository(name_or_dir) {
        return Err(ModelError::UnknownName { name, why });
    }
    let path = snapshot(name_or_dir, options)?;
    Ok(ModelFolder { name, path, case_rule: CaseRule::default() })
}

/// Whether a name stands for what is here: a path, or a model that ships with the book.
pub(crate) fn is_local(name_or_dir: &str) -> bool {
    Path::new(name_or_dir).exists() || SHIPPED.contains(&name_or_dir)
}

/// `weights/NAME` at the root of the checkout this was built from, or of the one around the
/// current folder if that is gone.
fn shipped_folder(name: &str) -> PathBuf {
    let below = |root: &Path| root.join("weights").join(name);
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built_from = built_from.canonicalize().unwrap_or(built_from);
    let current = std::env::current_dir().unwrap_or_default();
    std::iter::once(built_from.as_path())
        .chain(current.ancestors())
        .map(below)
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| below(&built_from))
}

impl ModelFolder {
    /// A folder on disk, its files checked to be there.
    ///
    /// # Errors
    ///
    /// If a file is missing; for one with weights of another format only, with how to convert
    /// them.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let location = path.display().to_string();
        let has = |file: &&str| disk::is_file(&path.join(file));
        let missing = |file| {
            let location = location.clone();
            Err(ModelError::MissingFile { location, file, needs: NEEDS })
        };
        if !has(&"config.json") {
            return missing("config.json");
        }
        if !WEIGHTS.iter().any(has) {
            let known = OTHER_WEIGHTS.iter().find(|file| has(file));
            let other = known.map(ToString::to_string);
            return match other
                .map_or_else(|| other_weights(&path), |it| Ok(Some(it)))?
            {
                Some(found) => Err(ModelError::OtherFormat { location, found }),
                None => missing("model.safetensors"),
            };
        }
        if !TOKENIZERS.iter().any(has) && !MERGES.iter().all(has) {
            return missing(TOKENIZER_FILES);
        }
        Ok(Self { name: location, path, case_rule: CaseRule::default() })
    }

    /// Reads `config.json`.
    pub fn config(&self) -> Result<Config> {
        Config::from_file(&self.path.join("config.json"))
    }

    /// Reads `tokenizer.json`, or builds the tokenizer from `vocab.txt`; what
    /// [`Tokenizer::note`] says of it goes to standard error.
    pub fn tokenizer(&self) -> Result<Tokenizer> {
        let rule = self.case_rule;
        let tokenizer = Tokenizer::from_folder_by(&self.path, &self.config()?, rule)?;
        if let Some(note) = tokenizer.note() {
            eprintln!("note: {note}");
        }
        Ok(tokenizer)
    }

    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let [single, sharded] = WEIGHTS.map(|file| self.path.join(file));
        Checkpoint::open(if disk::is_file(&single) { &single } else { &sharded })
    }
}

/// The first of a folder's files, by name, that may be weights of another format.
fn other_weights(folder: &Path) -> Result<Option<String>> {
    let io = ModelError::io("read", folder);
    let names = disk::names(folder).map_err(io)?;
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| is_other_weights(name)).min())
}
