//! A repository's place in the Hub's cache, as Python's `huggingface_hub` keeps it:
//!
//! ```text
//! models--OWNER--NAME/blobs/ETAG               the files, or links to ../../../blobs
//!                     blobs/ETAG.incomplete    while we download one: the next run resumes it
//!                     blobs/ETAG.*.incomplete  while Python (2.x) does: it begins anew
//!                     refs/main                the commit that a branch was at, and no newline
//!                     snapshots/COMMIT/FILE    links to blobs
//!                     .no_exist/COMMIT/FILE    files known not to be there
//!                     trees/COMMIT.json        Python's list of all the files of a commit
//! blobs/XX/HASH                                what Python got from Xet storage
//! .locks/models--OWNER--NAME/ETAG.lock         held while a file comes
//! ```
//!
//! A list in `trees` makes Python's `snapshot_download` refuse, offline, a snapshot that lacks
//! one of its files. We fetch what a model needs, not all files, so we write none. Python does
//! not find a snapshot whose commit ends in a newline (`echo COMMIT > refs/main`); we do.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{ModelError, Result};
use crate::hub::is_commit;

/// How the name of a part ends.
const PART: &str = ".incomplete";

/// The folders of one repository. They need not be there.
pub struct Cache {
    root: PathBuf,
    locks: PathBuf,
}

impl Cache {
    /// The repository `name` in the cache at `hub`.
    pub fn new(hub: &Path, name: &str) -> Self {
        let folder = format!("models--{}", name.replace('/', "--"));
        Self { root: hub.join(&folder), locks: hub.join(".locks").join(folder) }
    }

    pub fn blob(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(etag)
    }

    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    fn absence(&self, commit: &str, file: &str) -> PathBuf {
        self.root.join(".no_exist").join(commit).join(file)
    }

    /// The lock that `huggingface_hub` takes, too, while a blob is downloaded.
    pub fn lock(&self, etag: &str) -> PathBuf {
        self.locks.join(format!("{etag}.lock"))
    }

    /// The part of a blob that has been downloaded.
    pub fn part(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(format!("{etag}{PART}"))
    }

    /// Removes the parts that killed processes of ours have left, once the files of a model
    /// are there: of a file that Python completed, of one that has changed since. What is
    /// locked is being downloaded; Python's parts are its own (`hf cache prune`). That a cache
    /// can't be written is no reason to fail.
    pub fn remove_parts(&self) {
        let Ok(blobs) = fs::read_dir(self.root.join("blobs")) else { return };
        for blob in blobs.flatten() {
            let name = blob.file_name();
            let etag = name.to_str().and_then(|name| name.strip_suffix(PART));
            let Some(etag) = etag.filter(|etag| !etag.contains('.')) else { continue };
            let lock = self.lock(etag);
            if create_folder(&lock).is_ok()
                && let Ok(lock) = File::create(lock)
                && lock.try_lock().is_ok()
            {
                let _ = fs::remove_file(blob.path());
            }
        }
    }

    /// The commit that a revision is, or was at when it was last asked for.
    pub fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_string());
        }
        let commit = fs::read_to_string(self.reference(revision)).ok()?;
        Some(commit.trim().to_string()).filter(|commit| is_commit(commit))
    }

    /// Notes the commit that a branch or a tag is at; a commit needs no note.
    pub fn note_commit(&self, revision: &str, commit: &str) -> Result<()> {
        if is_commit(revision) {
            return Ok(());
        }
        let reference = self.reference(revision);
        create_folder(&reference)?; // a revision may have a `/`
        fs::write(&reference, commit).map_err(ModelError::io("write", &reference))
    }

    pub fn is_known_absent(&self, commit: &str, file: &str) -> bool {
        self.absence(commit, file).is_file()
    }

    /// So that it is not asked for again. That a cache can't be written is no reason to fail.
    pub fn note_absence(&self, commit: &str, file: &str) {
        let marker = self.absence(commit, file);
        let _ = create_folder(&marker).map(|()| File::create(&marker));
    }

    /// Links a snapshot's file to its blob by a relative path, so that the cache can be moved;
    /// copies it where there are no symbolic links.
    pub fn link(&self, etag: &str, commit: &str, file: &str) -> Result<()> {
        let link = self.snapshot(commit).join(file);
        create_folder(&link)?;
        if link.is_file() {
            return Ok(());
        }
        if link.symlink_metadata().is_ok() {
            // It links to a blob that is gone.
            fs::remove_file(&link).map_err(ModelError::io("replace", &link))?;
        }
        #[cfg(unix)]
        let linked =
            std::os::unix::fs::symlink(Path::new("../../blobs").join(etag), &link);
        #[cfg(not(unix))]
        let linked = fs::copy(self.blob(etag), &link).map(|_| ());
        linked.map_err(ModelError::io("create", &link))
    }
}

/// The folder around a file.
pub fn create_folder(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(ModelError::io("create", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const ETAG: &str = "46332c50668921e90868a1d44a2550bb60ffdb1d";

    fn list(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(list(&path));
            } else {
                found.push(path.display().to_string());
            }
        }
        found.sort();
        found
    }

    /// The paths, links and texts that huggingface_hub 2.4.0 left of `hf_hub_download` of
    /// `config.json` from `someone/tiny-bert` at the branch `pr/1`, and of a `nothing.txt`
    /// that isn't there (its `CACHEDIR.TAG` apart).
    #[test]
    fn the_paths_are_those_of_python_s_huggingface_hub() {
        let hub = tempfile::tempdir().unwrap();
        let cache = Cache::new(hub.path(), "someone/tiny-bert");
        for file in [cache.blob(ETAG), cache.lock(ETAG)] {
            create_folder(&file).unwrap();
            fs::write(file, "{}").unwrap();
        }
        cache.link(ETAG, COMMIT, "config.json").unwrap();
        cache.note_commit("pr/1", COMMIT).unwrap();
        cache.note_commit(COMMIT, COMMIT).unwrap();
        cache.note_absence(COMMIT, "nothing.txt");
        let expected = [
            format!(".locks/models--someone--tiny-bert/{ETAG}.lock"),
            format!("models--someone--tiny-bert/.no_exist/{COMMIT}/nothing.txt"),
            format!("models--someone--tiny-bert/blobs/{ETAG}"),
            "models--someone--tiny-bert/refs/pr/1".to_string(),
            format!("models--someone--tiny-bert/snapshots/{COMMIT}/config.json"),
        ];
        let found = list(hub.path());
        let expected = expected.map(|path| hub.path().join(path).display().to_string());
        assert_eq!(found, expected);
        assert_eq!(fs::read_to_string(cache.reference("pr/1")).unwrap(), COMMIT);
        assert_eq!(cache.commit("pr/1").as_deref(), Some(COMMIT));
        assert_eq!(cache.commit("main"), None);
        assert!(cache.is_known_absent(COMMIT, "nothing.txt"));
        assert!(!cache.is_known_absent(COMMIT, "config.json"));
        let file = cache.snapshot(COMMIT).join("config.json");
        assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
        #[cfg(unix)]
        assert_eq!(fs::read_link(file).unwrap(), Path::new("../../blobs").join(ETAG));
    }

    #[test]
    fn a_name_without_an_owner_has_its_place_too() {
        let cache = Cache::new(Path::new("hub"), "bert-base-uncased");
        assert_eq!(
            cache.snapshot(COMMIT),
            Path::new("hub/models--bert-base-uncased/snapshots").join(COMMIT)
        );
    }
}
