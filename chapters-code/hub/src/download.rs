//! A file's way from a Hub into the cache: locked, resumed, verified.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::cache::{Cache, create_folder};
use crate::error::{ModelError, Result};
use crate::hub_error::HubError;
use crate::remote::{Metadata, Remote};

/// A file of a repository at a commit, and what the Hub says of it.
pub struct Download<'a> {
    pub remote: &'a Remote<'a>,
    pub cache: &'a Cache,
    pub commit: &'a str,
    pub file: &'a str,
    pub metadata: &'a Metadata,
}

impl Download<'_> {
    /// Puts the file into the cache, under a lock that `huggingface_hub` takes, too.
    pub fn run(&self) -> Result<()> {
        let Metadata { etag, size, .. } = self.metadata;
        let _lock = self.lock()?;
        let blob = self.cache.blob(etag);
        // Other clients may have left a truncated one.
        if !fs::metadata(&blob).is_ok_and(|found| found.len() == *size) {
            self.make_blob(&blob)?;
        }
        self.cache.link(etag, self.commit, self.file)?;
        self.cache.note_commit(&self.remote.options.revision, self.commit)
    }

    /// Waits for its turn. The lock is given up with the file.
    fn lock(&self) -> Result<File> {
        let path = self.cache.lock(&self.metadata.etag);
        create_folder(&path)?;
        let lock = File::create(&path).map_err(ModelError::io("create", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let file = self.file;
                self.bar()
                    .println(format!("another process downloads {file}: waiting"));
                lock.lock().map_err(ModelError::io("lock", &path))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(ModelError::io("lock", &path)(error));
            }
        }
        Ok(lock)
    }

    /// Downloads to the blob's part, going on from what is there, and renames it once it is
    /// what was announced.
    fn make_blob(&self, blob: &Path) -> Result<()> {
        let partial = self.cache.part(&self.metadata.etag);
        let resumed = partial.is_file();
        let mut result = self.complete(&partial);
        if resumed && matches!(result, Err(ModelError::Hub(HubError::Corrupt { .. }))) {
            // The part that was there may have been the bad one.
            result = self.complete(&partial);
        }
        result?;
        fs::rename(&partial, blob).map_err(ModelError::io("rename", &partial))
    }

    /// Completes and verifies a partial file; one that is wrong is deleted.
    fn complete(&self, partial: &Path) -> Result<()> {
        let mut cuts = 0;
        while let Err(error) = self.append(partial) {
            let cut = matches!(error, ModelError::Hub(HubError::Cut { .. }));
            if !cut || cuts == self.remote.options.retries {
                return Err(error);
            }
            cuts += 1;
        }
        let found =
            fs::metadata(partial).map_err(ModelError::io("read", partial))?.len();
        let Metadata { etag, size, .. } = self.metadata;
        if found != *size {
            let found = format!("at least {found}");
            return self.corrupt(partial, "size", found, size.to_string());
        }
        // The ETag of a file in large file storage is its SHA-256; of others, git's hash.
        if etag.len() == 64 {
            let sha256 = sha256(partial)?;
            if sha256 != *etag {
                return self.corrupt(partial, "sha256", sha256, etag.clone());
            }
        }
        Ok(())
    }

    fn corrupt(
        &self,
        partial: &Path,
        what: &'static str,
        found: String,
        expected: String,
    ) -> Result<()> {
        fs::remove_file(partial).map_err(ModelError::io("delete", partial))?;
        let (repo, file) = (self.remote.name.to_string(), self.file.to_string());
        Err(HubError::Corrupt { repo, file, what, found, expected }.into())
    }

    /// Requests what is still missing and appends it. `Cut` if less came.
    fn append(&self, partial: &Path) -> Result<()> {
        create_folder(partial)?;
        let size = self.metadata.size;
        let io = ModelError::io("write", partial);
        let mut target =
            OpenOptions::new().create(true).append(true).open(partial).map_err(&io)?;
        let mut done = target.metadata().map_err(&io)?.len();
        if done >= size {
            return Ok(());
        }
        let (begin, body) = self.remote.get(self.file, self.commit, done)?;
        if begin < done {
            target.set_len(begin).map_err(&io)?;
            done = begin;
        }
        let bar = self.bar();
        // One byte more than announced is enough to see that the file is another.
        let mut body = body.take(size - done + 1);
        let mut buffer = vec![0; 1 << 16];
        // An error in reading is the network's: what came is kept, the rest is resumed.
        while let Ok(count @ 1..) = body.read(&mut buffer) {
            target.write_all(&buffer[..count]).map_err(&io)?;
            done += count as u64;
            bar.set_position(done);
        }
        bar.finish_and_clear();
        if done < size {
            let (repo, file) = (self.remote.name.to_string(), self.file.to_string());
            return Err(
                HubError::Cut { repo, file, found: done, expected: size }.into()
            );
        }
        Ok(())
    }

    fn bar(&self) -> ProgressBar {
        let target = if self.remote.options.progress {
            ProgressDrawTarget::stderr() // hidden unless a terminal
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(self.metadata.size), target);
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(self.file.to_string())
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
