//! A Hub repository's files: found in the cache, else downloaded to it.
//!
//! The cache is the one that Python's `huggingface_hub` keeps, with hf-hub's paths:
//!
//! ```text
//! models--OWNER--NAME/blobs/ETAG               the files, ETAG.incomplete while they come
//!                     refs/main                the commit that a branch was at
//!                     snapshots/COMMIT/FILE    links to blobs
//!                     .no_exist/COMMIT/FILE    files known not to be there
//! ```
//!
//! hf-hub's own download neither resumes safely nor verifies what came, knows no offline mode
//! and no `HF_TOKEN`, so the requests are made here.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo, RepoType};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};
use ureq::Body;
use ureq::http::header::{CONTENT_LENGTH, ETAG};
use ureq::http::{HeaderName, Method, Response};

use crate::checkpoint::shard_names;
use crate::folder::{NEEDS, OTHER_WEIGHTS, TOKENIZERS, WEIGHTS};
use crate::http::{Client, goes_on_from};
use crate::{HubOptions, ModelError, Result};

/// A repository's files that a model needs: found in the cache, else downloaded to it.
pub(crate) fn snapshot(name: &str, options: &HubOptions) -> Result<PathBuf> {
    let mut repository = Repository::new(name, options)?;
    let mut result = repository.collect();
    let outdated = matches!(
        result,
        Err(ModelError::MissingFile { .. }
            | ModelError::OtherFormat { .. }
            | ModelError::NoFile { .. }
            | ModelError::NoRepository { .. })
    );
    if outdated && !options.offline && repository.commit.is_some() {
        // The branch may have moved on from the commit in the cache.
        repository.commit = Some(options.revision.clone()).filter(|it| is_commit(it));
        result = repository.collect();
    }
    result.map(|()| repository.folder())
}

/// A repository and its place in the cache.
struct Repository<'a> {
    name: &'a str,
    options: &'a HubOptions,
    repo: Repo,
    cache: Cache,
    client: Client,
    /// Once known, all files are of this commit.
    commit: Option<String>,
}

/// What the Hub says of a file.
struct Metadata {
    commit: String,
    etag: String,
    size: u64,
}

impl<'a> Repository<'a> {
    fn new(name: &'a str, options: &'a HubOptions) -> Result<Self> {
        let revision = options.revision.as_str();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        let relative = revision.split('/').all(|part| !part.is_empty() && part != "..");
        if !revision.chars().all(allowed) || !relative {
            let why = "its revision is not that of a branch, a tag or a commit";
            return Err(ModelError::UnknownName {
                name: format!("{name}@{revision}"),
                why,
            });
        }
        let repo = Repo::with_revision(
            name.to_string(),
            RepoType::Model,
            revision.to_string(),
        );
        let cache = Cache::new(options.cache.clone());
        let mut repository = Self {
            name,
            options,
            repo,
            cache,
            client: Client::new(options),
            commit: None,
        };
        let known = if is_commit(revision) {
            Some(revision.to_string())
        } else {
            fs::read_to_string(repository.root().join("refs").join(revision)).ok()
        };
        repository.commit =
            known.map(|commit| commit.trim().to_string()).filter(|c| is_commit(c));
        Ok(repository)
    }

    fn collect(&mut self) -> Result<()> {
        self.require("config.json")?;
        self.tokenizer()?;
        self.weights()?;
        // Last: without it all still works, if lower-casing is what the model wants.
        self.fetch_if_reachable("tokenizer_config.json").map(|_| ())
    }

    fn root(&self) -> PathBuf {
        self.options.cache.join(self.repo.folder_name())
    }

    /// The snapshot's folder; of no use before the commit is known.
    fn folder(&self) -> PathBuf {
        let commit = self.commit.as_deref().unwrap_or_default();
        self.cache.repo(self.repo.clone()).pointer_path(commit)
    }

    fn is_cached(&self, file: &str) -> bool {
        self.commit.is_some() && self.folder().join(file).is_file()
    }

    /// Where the cache notes that a file doesn't exist.
    fn absence(&self, file: &str) -> Option<PathBuf> {
        Some(self.root().join(".no_exist").join(self.commit.as_ref()?).join(file))
    }

    fn is_known_absent(&self, file: &str) -> bool {
        self.absence(file).is_some_and(|marker| marker.is_file())
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
            self.fetch(json)? || self.fetch(vocab)?
        };
        if found {
            return Ok(());
        }
        if self.options.offline {
            return Err(self.offline(json));
        }
        Err(self.missing("tokenizer.json or vocab.txt"))
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
            if self.head(found)?.is_some() {
                let location = self.location();
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
        let Some(metadata) = self.head(file)? else {
            self.note_absence(file);
            return Ok(false);
        };
        self.commit.get_or_insert_with(|| metadata.commit.clone());
        self.download(file, &metadata)?;
        Ok(true)
    }

    /// As [`Repository::fetch`], content with what is cached if the network is down.
    fn fetch_if_reachable(&mut self, file: &str) -> Result<bool> {
        match self.fetch(file) {
            Err(ModelError::Network { .. }) => Ok(false),
            result => result,
        }
    }

    /// So that it is not asked for again. That a cache can't be written is no reason to fail.
    fn note_absence(&self, file: &str) {
        if let Some(marker) = self.absence(file) {
            let folder = marker.parent().unwrap_or(&marker);
            let _ = fs::create_dir_all(folder).and_then(|()| File::create(&marker));
        }
    }

    fn url(&self, file: &str) -> String {
        let revision = self.commit.as_ref().unwrap_or(&self.options.revision);
        let revision = revision.replace('/', "%2F");
        format!("{}/{}/resolve/{revision}/{file}", self.options.endpoint, self.name)
    }

    /// Asks for a file's metadata; `None` if the repository has no such file.
    fn head(&self, file: &str) -> Result<Option<Metadata>> {
        let url = self.url(file);
        let mut commit = None;
        let mut etag = None;
        let mut size = None;
        let visit = |response: &Response<Body>| {
            let get = |name: &str| {
                let value = response.headers().get(name)?.to_str().ok()?;
                Some(value.to_string())
            };
            commit = commit.take().or_else(|| get("x-repo-commit"));
            etag = etag.take().or_else(|| get("x-linked-etag"));
            size = size.take().or_else(|| get("x-linked-size")?.parse().ok());
        };
        let response = self.client.send(self.name, &Method::HEAD, &url, 0, visit)?;
        let status = response.status().as_u16();
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let code = header(HeaderName::from_static("x-error-code"));
        if status == 404 {
            return match code {
                Some("EntryNotFound") => Ok(None),
                None if self.commit.is_some() => Ok(None),
                _ => Err(self.no_repository()),
            };
        }
        if status >= 400 {
            return Err(self.refused(&url, status));
        }
        // A redirect to another host, where the file is: it is described here already.
        let is_here = response.status().is_success();
        let etag = etag.or_else(|| header(ETAG).map(str::to_string));
        let size =
            size.or_else(|| header(CONTENT_LENGTH).filter(|_| is_here)?.parse().ok());
        let protocol = |what: &str| {
            Err(ModelError::Protocol { url: url.clone(), what: what.to_string() })
        };
        let Some(commit) = commit.filter(|commit| is_commit(commit)) else {
            return protocol(
                "without the commit that the Hub's answers have (X-Repo-Commit)",
            );
        };
        let etag = etag.map(|etag| etag.trim_start_matches("W/").replace('"', ""));
        let Some(etag) = etag.filter(|etag| is_file_name(etag)) else {
            return protocol("without an ETag that can name a file");
        };
        let Some(size) = size else {
            return protocol("without the file's size (Content-Length)");
        };
        Ok(Some(Metadata { commit, etag, size }))
    }

    /// Puts a file into the cache, under a lock that `huggingface_hub` takes, too.
    fn download(&self, file: &str, metadata: &Metadata) -> Result<()> {
        let blob = self.root().join("blobs").join(&metadata.etag);
        let lock_path = self.options.cache.join(".locks").join(self.repo.folder_name());
        let lock_path = lock_path.join(format!("{}.lock", metadata.etag));
        let lock = create(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                self.bar(metadata.size, file)
                    .println(format!("another process downloads {file}: waiting"));
                lock.lock().map_err(ModelError::io("lock", &lock_path))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(ModelError::io("lock", &lock_path)(error));
            }
        }
        // Other clients may have left a truncated one.
        let has = fs::metadata(&blob).is_ok_and(|found| found.len() == metadata.size);
        if !has {
            self.download_blob(file, metadata, &blob)?;
        }
        link(&blob, &self.folder().join(file))?;
        if !is_commit(self.repo.revision()) {
            let reference = self.root().join("refs").join(self.repo.revision());
            self.cache
                .repo(self.repo.clone())
                .create_ref(self.commit.as_deref().unwrap_or(&metadata.commit))
                .map_err(ModelError::io("write", &reference))?;
        }
        Ok(())
    }

    /// Downloads to `BLOB.incomplete`, going on from what is there, and renames it once it is
    /// what was announced.
    fn download_blob(
        &self,
        file: &str,
        metadata: &Metadata,
        blob: &Path,
    ) -> Result<()> {
        let mut partial = blob.as_os_str().to_owned();
        partial.push(".incomplete");
        let partial = PathBuf::from(partial);
        let resumed = partial.is_file();
        let mut result = self.complete(file, metadata, &partial);
        if resumed && matches!(result, Err(ModelError::Corrupt { .. })) {
            // The part that was there may have been the bad one.
            result = self.complete(file, metadata, &partial);
        }
        result?;
        fs::rename(&partial, blob).map_err(ModelError::io("rename", &partial))
    }

    /// Completes and verifies a partial file; one that is wrong is deleted.
    fn complete(&self, file: &str, metadata: &Metadata, partial: &Path) -> Result<()> {
        let mut cuts = 0;
        while let Err(error) = self.append(file, metadata.size, partial) {
            if !matches!(error, ModelError::Cut { .. }) || cuts == self.options.retries
            {
                return Err(error);
            }
            cuts += 1;
        }
        let corrupt = |what, found: String, expected: String| {
            fs::remove_file(partial).map_err(ModelError::io("delete", partial))?;
            let (repo, file) = (self.name.to_string(), file.to_string());
            Err(ModelError::Corrupt { repo, file, what, found, expected })
        };
        let found =
            fs::metadata(partial).map_err(ModelError::io("read", partial))?.len();
        if found != metadata.size {
            return corrupt(
                "size",
                format!("at least {found}"),
                metadata.size.to_string(),
            );
        }
        // The ETag of a file in large file storage is its SHA-256; of others, git's hash.
        if metadata.etag.len() == 64 {
            let sha256 = sha256(partial)?;
            if sha256 != metadata.etag {
                return corrupt("sha256", sha256, metadata.etag.clone());
            }
        }
        Ok(())
    }

    /// Requests what is still missing of a file and appends it. `Cut` if less came.
    fn append(&self, file: &str, size: u64, partial: &Path) -> Result<()> {
        if let Some(folder) = partial.parent() {
            fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
        }
        let io = ModelError::io("write", partial);
        let mut target =
            OpenOptions::new().create(true).append(true).open(partial).map_err(&io)?;
        let mut done = target.metadata().map_err(&io)?.len();
        if done >= size {
            return Ok(());
        }
        let url = self.url(file);
        let get = |from| self.client.send(self.name, &Method::GET, &url, from, |_| ());
        let mut response = get(done)?;
        if done > 0 && !goes_on_from(&response, done) {
            // The server sends the whole file (200) or another part (206), or has no such
            // part (416).
            if matches!(response.status().as_u16(), 206 | 416) {
                response = get(0)?;
            }
            if response.status().is_success() {
                target.set_len(0).map_err(&io)?;
                done = 0;
            }
        }
        if !response.status().is_success() {
            return Err(self.refused(&url, response.status().as_u16()));
        }
        let bar = self.bar(size, file);
        // One byte more than announced is enough to see that the file is another.
        let mut body = response.into_body().into_reader().take(size - done + 1);
        let mut buffer = vec![0; 1 << 16];
        // An error in reading is the network's: what came is kept, the rest is resumed.
        while let Ok(count @ 1..) = body.read(&mut buffer) {
            target.write_all(&buffer[..count]).map_err(&io)?;
            done += count as u64;
            bar.set_position(done);
        }
        bar.finish_and_clear();
        if done < size {
            let (repo, file) = (self.name.to_string(), file.to_string());
            return Err(ModelError::Cut { repo, file, found: done, expected: size });
        }
        Ok(())
    }

    fn bar(&self, size: u64, file: &str) -> ProgressBar {
        let target = if self.options.progress {
            ProgressDrawTarget::stderr() // hidden unless a terminal
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(size), target);
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(file.to_string())
    }

    fn location(&self) -> String {
        format!("`{}` at {}", self.name, self.options.endpoint)
    }

    fn offline(&self, file: &str) -> ModelError {
        let (name, file) = (self.name.to_string(), file.to_string());
        ModelError::Offline { name, file, cache: self.options.cache.clone() }
    }

    fn missing(&self, file: &'static str) -> ModelError {
        ModelError::MissingFile { location: self.location(), file, needs: NEEDS }
    }

    fn no_file(&self, file: &str) -> ModelError {
        ModelError::NoFile {
            repo: self.name.to_string(),
            revision: self.options.revision.clone(),
            file: file.to_string(),
        }
    }

    fn no_repository(&self) -> ModelError {
        ModelError::NoRepository {
            endpoint: self.options.endpoint.clone(),
            repo: self.name.to_string(),
            revision: self.options.revision.clone(),
        }
    }

    fn refused(&self, url: &str, status: u16) -> ModelError {
        let endpoint = self.options.endpoint.clone();
        let token = self.options.token.is_some();
        match status {
            401 | 403 => {
                ModelError::Refused { endpoint, repo: self.name.into(), status, token }
            }
            404 => self.no_repository(),
            _ => ModelError::Protocol {
                url: url.to_string(),
                what: format!("HTTP {status}"),
            },
        }
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether an ETag can be a file's name: the Hub's are hexadecimal.
fn is_file_name(etag: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=128).contains(&etag.len()) && etag.bytes().all(allowed)
}

/// Creates or opens a file, and its folder.
fn create(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
    }
    File::create(path).map_err(ModelError::io("create", path))
}

/// Links a snapshot's file to its blob by a relative path, so that the cache can be moved;
/// copies it where there are no symbolic links.
fn link(blob: &Path, file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
    if file.is_file() {
        return Ok(());
    }
    if file.symlink_metadata().is_ok() {
        // It links to a blob that is gone.
        fs::remove_file(file).map_err(ModelError::io("replace", file))?;
    }
    #[cfg(unix)]
    {
        let name = blob.file_name().unwrap_or_default();
        let relative = Path::new("../../blobs").join(name);
        std::os::unix::fs::symlink(relative, file)
            .map_err(ModelError::io("create", file))
    }
    #[cfg(not(unix))]
    {
        fs::copy(blob, file).map_err(ModelError::io("create", file)).map(|_| ())
    }
}

/// A file's SHA-256 in hexadecimal.
fn sha256(path: &Path) -> Result<String> {
    let io = ModelError::io("read", path);
    let mut file = File::open(path).map_err(&io)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).map_err(&io)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    let mut text = String::new();
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
    }
    Ok(text)
}
