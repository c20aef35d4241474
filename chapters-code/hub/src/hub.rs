//! How to reach the Hugging Face Hub, and what its repositories are called.

use std::fmt;
use std::fs;
use std::path::{PathBuf, is_separator};
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The variable that says where the user's own folder is.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// How to reach the Hub. [`HubOptions::from_env`] honors what Python's `huggingface_hub`
/// does: `HF_HOME` or `XDG_CACHE_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN` or the token
/// that `hf auth login` saved (`HF_TOKEN_PATH`), `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`,
/// `HF_HUB_DISABLE_PROGRESS_BARS`. In a path, `~` is the home folder and `$NAME` a variable.
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
        let home = || std::env::home_dir()?.into_os_string().into_string().ok();
        Self::from_variables(|name| match name {
            HOME => home(), // without the variable, the system knows
            _ => std::env::var(name).ok(),
        })
    }

    /// What the given variables say; an empty one is as good as none.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let either = |name: &str, older: &str| get(name).or_else(|| get(older));
        let on = |value: Option<String>| {
            let value = value.unwrap_or_default().to_ascii_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
        };
        let path = |given: Option<String>, else_: String| {
            expanded(&given.unwrap_or(else_), &variable)
        };
        let caches = get("XDG_CACHE_HOME").unwrap_or_else(|| "~/.cache".to_string());
        let home = path(get("HF_HOME"), format!("{caches}/huggingface"));
        let cache = either("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE");
        let endpoint = get("HF_ENDPOINT");
        let endpoint = endpoint.as_deref().unwrap_or("https://huggingface.co");
        let saved = path(get("HF_TOKEN_PATH"), format!("{home}/token"));
        let saved = || fs::read_to_string(saved).ok();
        let token = either("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN").or_else(saved);
        let token = token.map(|token| token.replace(['\r', '\n'], ""));
        let token = token.map(|token| token.trim().to_string());
        let implicit = !on(get("HF_HUB_DISABLE_IMPLICIT_TOKEN"));
        Self {
            endpoint: endpoint.trim_end_matches('/').to_string(),
            cache: path(cache, format!("{home}/hub")).into(),
            token: token.filter(|token| implicit && !token.is_empty()),
            offline: on(either("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")),
            revision: "main".to_string(),
            progress: !on(get("HF_HUB_DISABLE_PROGRESS_BARS")),
            retries: 3,
        }
    }
}

/// A path as Python's `os.path.expanduser` and then `expandvars` read it: `~` is the user's own
/// folder; `$NAME` and `${NAME}` are what the variable holds, and stay if there is none.
/// Another user's folder, `~name`, stays.
fn expanded(path: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    static NAMES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$(?:([0-9A-Za-z_]+)|\{([^}]*)\})").expect("a pattern")
    });
    let home = variable(HOME).filter(|home| !home.is_empty());
    let path = match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home))
            if rest.is_empty() || rest.starts_with(is_separator) =>
        {
            home + rest
        }
        _ => path.to_string(),
    };
    let value = |found: &Captures<'_>| {
        let name = found.get(1).or_else(|| found.get(2));
        let value = name.and_then(|name| variable(name.as_str()));
        value.unwrap_or_else(|| found[0].to_string())
    };
    NAMES.replace_all(&path, value).into_owned()
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
    let relative = revision.split('/').all(|part| !["", ".", ".."].contains(&part));
    revision.chars().all(allowed) && relative
}

pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
}
