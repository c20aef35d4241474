//! How to reach the Hugging Face Hub, and what its repositories are called.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// How to reach the Hub. [`HubOptions::from_env`] honours what Python's `huggingface_hub`
/// does: `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN` or the token that `hf auth
/// login` saved, `HF_HUB_OFFLINE`, `HF_HUB_DISABLE_PROGRESS_BARS`.
#[derive(Clone)]
pub struct HubOptions {
    /// `https://huggingface.co`, or a mirror.
    pub endpoint: String,
    /// The cache's folder: `~/.cache/huggingface/hub`.
    pub cache: PathBuf,
    /// Sent to the endpoint's own origin and nowhere else.
    pub token: Option<String>,
    /// Use the cache only.
    pub offline: bool,
    /// A branch, a tag or a commit; `main`.
    pub revision: String,
    /// Whether to draw a progress bar when standard error is a terminal.
    pub progress: bool,
    /// How many times to resume a download that was cut before giving up.
    pub retries: u32,
}

/// Not the token.
impl fmt::Debug for HubOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubOptions")
            .field("endpoint", &self.endpoint)
            .field("cache", &self.cache)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("offline", &self.offline)
            .field("revision", &self.revision)
            .field("progress", &self.progress)
            .field("retries", &self.retries)
            .finish()
    }
}

impl HubOptions {
    /// What the environment says.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// What the given variables say; an empty one is as good as none.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let on = |name: &str| {
            let value = get(name).map(|value| value.trim().to_ascii_uppercase());
            value.is_some_and(|value| {
                ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
            })
        };
        let cache_home = get("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| {
            let home = get("HOME").or_else(|| get("USERPROFILE"))?;
            Some(Path::new(&home).join(".cache"))
        });
        let cache_home = cache_home.unwrap_or_else(|| PathBuf::from(".cache"));
        let home = get("HF_HOME")
            .map_or_else(|| cache_home.join("huggingface"), PathBuf::from);
        let cache = get("HF_HUB_CACHE").or_else(|| get("HUGGINGFACE_HUB_CACHE"));
        let endpoint = get("HF_ENDPOINT");
        let endpoint = endpoint.as_deref().unwrap_or("https://huggingface.co");
        let saved = || {
            let path = get("HF_TOKEN_PATH").map(PathBuf::from);
            fs::read_to_string(path.unwrap_or_else(|| home.join("token"))).ok()
        };
        let implicit = !on("HF_HUB_DISABLE_IMPLICIT_TOKEN");
        let token = get("HF_TOKEN").or_else(|| get("HUGGING_FACE_HUB_TOKEN"));
        let token = token.or_else(saved).map(|token| token.trim().to_string());
        Self {
            endpoint: endpoint.trim_end_matches('/').to_string(),
            cache: cache.map_or_else(|| home.join("hub"), PathBuf::from),
            token: token.filter(|token| implicit && !token.is_empty()),
            offline: on("HF_HUB_OFFLINE") || on("TRANSFORMERS_OFFLINE"),
            revision: "main".to_string(),
            progress: !on("HF_HUB_DISABLE_PROGRESS_BARS"),
            retries: 3,
        }
    }
}

/// Why a name can't be a repository's, if it can't. `huggingface_hub`'s rules.
pub(crate) fn not_a_repository(name: &str) -> Option<&'static str> {
    let parts: Vec<_> = name.split('/').collect();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let bad_end =
        |part: &&str| part.starts_with(['.', '-']) || part.ends_with(['.', '-']);
    if name.is_empty() {
        Some("it is empty")
    } else if parts.len() > 2 || name.starts_with(['.', '/', '~']) {
        Some("there is no such folder")
    } else if name.len() > 96 {
        Some("it is longer than 96 characters")
    } else if !parts.iter().all(|part| part.chars().all(allowed)) {
        Some(
            "a name has only letters, digits, `.`, `_` and `-`, and one `/` after the owner",
        )
    } else if parts.iter().any(|part| part.is_empty() || bad_end(part)) {
        Some(
            "a part of a name is not empty and neither begins nor ends with `.` or `-`",
        )
    } else if name.contains("--") || name.contains("..") {
        Some("a name has no `--` and no `..`")
    } else {
        None
    }
}

/// Whether a revision can be that of a branch, a tag or a commit, and no path out of a folder.
pub(crate) fn is_revision(revision: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let relative = revision.split('/').all(|part| !part.is_empty() && part != "..");
    revision.chars().all(allowed) && relative
}

pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
