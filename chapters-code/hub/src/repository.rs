//! Which of a Hub repository's files make a model: found in the cache, else downloaded to it.
//!
//! The official client of the Hub neither verifies what it downloads nor works offline, so
//! the requests are made here, and the cache is the one that Python's `huggingface_hub` keeps.

use std::path::PathBuf;

use crate::cache::Cache;
use crate::checkpoint::shard_names;
use crate::download::Download;
use crate::error::{ModelError, Result};
use crate::hub::{HubOptions, is_commit, is_revision};
use crate::hub_error::HubError;
use crate::layout::{
    MERGES, NEEDS, OTHER_WEIGHTS, TOKENIZER_FILES, TOKENIZER_RULES, TOKENIZERS, WEIGHTS,
};
use crate::remote::Remote;

/// A repository's files that a model needs: found in the cache, else downloaded to it.
pub(crate) fn snapshot(name: &str, options: &HubOptions) -> Result<PathBuf> {
    let mut repository = Repository::new(name, options)?;
    let mut result = repository.collect();
    let outdated = matches!(
        result,
        Err(ModelError::MissingFile { .. }
            | ModelError::OtherFormat { .. }
            | ModelError::Hub(HubError::NoFile { .. } | HubError::NoRepository { .. }))
    );
    if outdated && !options.offline && repository.commit.is_some() {
        // The branch may have moved on from the commit in the cache.
        repository.commit = Some(options.revision.clone()).filter(|it| is_commit(it));
        result = repository.collect();
    }
    result?;
    repository.cache.remove_parts();
    Ok(repository.folder())
}

/// A repository, on the Hub and in the cache.
struct Repository<'a> {
    options: &'a HubOptions,
    cache: Cache,
    remote: Remote<'a>,
    /// Once known, all files are of this commit.
    commit: Option<String>,
}

impl<'a> Repository<'a> {
    fn new(name: &'a str, options: &'a HubOptions) -> Result<Self> {
        let revision = options.revision.as_str();
        if !is_revision(revision) {
            let why = "its revision is not that of a branch, a tag or a commit";
            return Err(ModelError::UnknownName {
                name: format!("{name}@{revision}"),
                why,
            });
        }
        if options.cache.to_string_lossy().starts_with('~') {
            return Err(HubError::Home { cache: options.cache.clone() }.into());
        }
        let cache = Cache::new(&options.cache, name);
        let commit = cache.commit(revision);
        Ok(Self { options, cache, remote: Remote::new(name, options), commit })
    }

    fn collect(&mut self) -> Result<()> {
        self.require("config.json")?;
        self.tokenizer()?;
        self.weights()?;
        // Last: without them all still works, if the model wants what is said by default.
        TOKENIZER_RULES
            .iter()
            .try_for_each(|file| self.fetch_if_reachable(file).map(|_| ()))
    }

    /// The snapshot's folder; of no use before the commit is known.
    fn folder(&self) -> PathBuf {
        self.cache.snapshot(self.commit.as_deref().unwrap_or_default())
    }

    fn is_cached(&self, file: &str) -> bool {
        self.commit.is_some() && self.folder().join(file).is_file()
    }

    fn is_known_absent(&self, file: &str) -> bool {
        let commit = self.commit.as_deref();
        commit.is_some_and(|commit| self.cache.is_known_absent(commit, file))
    }

    /// A file without which there is no model.
    fn require(&mut self, file: &str) -> Result<()> {
        if self.fetch(file)? {
            return Ok(());
        }
        if self.options.offline && !self.is_known_absent(file) {
            return Err(self.offline(file));
        }
        Err(self.no_file(file))
    }

    fn tokenizer(&mut self) -> Result<()> {
        let [json, vocab] = TOKENIZERS;
        let found = if self.is_cached(vocab) {
            self.fetch_if_reachable(json)?;
            true
        } else {
            self.fetch(json)? || self.fetch(vocab)? || self.merges()?
        };
        if found {
            return Ok(());
        }
        if self.options.offline {
            return Err(self.offline(json));
        }
        Err(self.missing(TOKENIZER_FILES))
    }

    /// GPT-2's two files; the second is asked for only if the first is there.
    fn merges(&mut self) -> Result<bool> {
        let [vocabulary, merges] = MERGES;
        Ok(self.fetch(vocabulary)? && self.fetch(merges)?)
    }

    fn weights(&mut self) -> Result<()> {
        let [single, index] = WEIGHTS;
        if self.is_cached(index) || !self.fetch(single)? {
            if !self.fetch(index)? {
                return self.no_weights();
            }
            for shard in shard_names(&self.folder().join(index))? {
                self.require(&shard)?;
            }
        }
        Ok(())
    }

    fn no_weights(&self) -> Result<()> {
        let [single, _] = WEIGHTS;
        if self.options.offline {
            return Err(self.offline(single));
        }
        for found in OTHER_WEIGHTS {
            if self.remote.head(found, self.commit.as_deref())?.is_some() {
                let (location, found) = (self.remote.location(), found.to_string());
                return Err(ModelError::OtherFormat { location, found });
            }
        }
        Err(self.missing(single))
    }

    /// Has a file in the cache, downloading it if need be; `false` if there is none.
    fn fetch(&mut self, file: &str) -> Result<bool> {
        if self.is_cached(file) {
            return Ok(true);
        }
        if self.is_known_absent(file) || self.options.offline {
            return Ok(false);
        }
        let Some(metadata) = self.remote.head(file, self.commit.as_deref())? else {
            if let Some(commit) = &self.commit {
                self.cache.note_absence(commit, file);
            }
            return Ok(false);
        };
        let commit = self.commit.get_or_insert_with(|| metadata.commit.clone());
        let (remote, cache, metadata) = (&self.remote, &self.cache, &metadata);
        Download { remote, cache, commit, file, metadata }.run()?;
        Ok(true)
    }

    /// As [`Repository::fetch`], content with what is cached if the network is down.
    fn fetch_if_reachable(&mut self, file: &str) -> Result<bool> {
        match self.fetch(file) {
            Err(ModelError::Hub(HubError::Network { .. })) => Ok(false),
            result => result,
        }
    }

    fn offline(&self, file: &str) -> ModelError {
        let (name, file) = (self.remote.name.to_string(), file.to_string());
        HubError::Offline { name, file, cache: self.options.cache.clone() }.into()
    }

    fn missing(&self, file: &'static str) -> ModelError {
        let location = self.remote.location();
        ModelError::MissingFile { location, file, needs: NEEDS }
    }

    fn no_file(&self, file: &str) -> ModelError {
        let (repo, file) = (self.remote.name.to_string(), file.to_string());
        HubError::NoFile { repo, revision: self.options.revision.clone(), file }.into()
    }
}
