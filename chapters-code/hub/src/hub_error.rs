//! What can go wrong with the Hugging Face Hub.

use std::path::PathBuf;

use crate::layout::shipped;

/// The result of everything that asks the Hub.
pub(crate) type Result<T> = std::result::Result<T, HubError>;

/// What can go wrong with the Hugging Face Hub: each message says what was asked for, what
/// came, and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "a field is what its message says of it")]
pub enum HubError {
    /// A model that the cache doesn't have, and no network to ask.
    #[error(
        "`{name}` is no folder and no shipped model ({}), and the Hub's cache {} does not \
         have its {file}; offline, nothing can be downloaded: drop --offline and \
         HF_HUB_OFFLINE to download it once, or give a folder", shipped(), cache.display()
    )]
    Offline {
        name: String,
        /// The first file that is not there.
        file: String,
        cache: PathBuf,
    },

    /// A cache in a home folder that is not known.
    #[error(
        "the Hub's cache {} begins with a `~` that stands for no known folder: set HOME, or \
         give HF_HOME or HF_HUB_CACHE as a path from the root", cache.display()
    )]
    Home { cache: PathBuf },

    /// An address that is none of a server.
    #[error(
        "the Hub's address {endpoint:?} (HF_ENDPOINT) is not that of a web server: give one \
         that begins with https:// or http://, as https://huggingface.co does{}",
        if endpoint.contains(":/") {
            String::new()
        } else {
            format!("; perhaps it is https://{endpoint}")
        }
    )]
    Endpoint { endpoint: String },

    /// The Hub could not be reached.
    #[error(
        "cannot reach {url} to download `{name}` ({reason}); check the network and \
         HF_ENDPOINT, or use a folder or a shipped model ({})",
        shipped()
    )]
    Network { name: String, url: String, reason: String },

    /// The Hub wants another token, or one.
    #[error(
        "{endpoint} refuses `{repo}` ({status}): {}",
        if *token {
            "there is no repository of that name, or the token in HF_TOKEN does not give \
             access: accept the model's terms on its page, or use the token of an account \
             that has access"
        } else {
            "there is no public repository of that name; check it, or set HF_TOKEN if it \
             is private or gated"
        }
    )]
    Refused {
        endpoint: String,
        repo: String,
        /// 401 or 403.
        status: u16,
        token: bool,
    },

    /// No such repository or revision.
    #[error(
        "{endpoint} has no repository `{repo}` with a revision `{revision}`; check the \
         name, or use a folder or a shipped model ({})",
        shipped()
    )]
    NoRepository { endpoint: String, repo: String, revision: String },

    /// No such file in a repository.
    #[error("`{repo}` at {revision} has no file {file}")]
    NoFile { repo: String, revision: String, file: String },

    /// An answer that the Hub should not give.
    #[error("{url} answered {what}; try again later, or check HF_ENDPOINT")]
    Protocol { url: String, what: String },

    /// A download that ended early.
    #[error(
        "the download of {file} from `{repo}` stopped after {found} of {expected} bytes; \
         run the same command again to resume it"
    )]
    Cut {
        repo: String,
        file: String,
        /// Bytes on disk.
        found: u64,
        /// Bytes announced.
        expected: u64,
    },

    /// A download that is not what was announced.
    #[error(
        "{file} from `{repo}` is not what the Hub announced: {what} {found}, not \
         {expected}; it was deleted: run the same command again, and if that does not help \
         suspect the mirror or proxy in between"
    )]
    Corrupt {
        repo: String,
        file: String,
        /// `sha256` or `size`.
        what: &'static str,
        found: String,
        expected: String,
    },
}
