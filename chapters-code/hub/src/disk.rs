//! Where a model's files are read: the machine's disk, or, in a browser, which has none, memory.

#[cfg(not(target_family = "wasm"))]
pub use std::fs::{File, read, read_to_string};

#[cfg(target_family = "wasm")]
pub use memory::{File, read, read_to_string};

use std::ffi::OsString;
use std::io::Result;
use std::path::Path;

/// Whether there is such a file.
#[cfg(not(target_family = "wasm"))]
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether there is such a file.
#[cfg(target_family = "wasm")]
pub fn is_file(path: &Path) -> bool {
    memory::is_file(path)
}

/// The names of what is in a folder.
///
/// # Errors
///
/// If it can't be listed.
#[cfg(not(target_family = "wasm"))]
pub fn names(folder: &Path) -> Result<Vec<OsString>> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// The names of what is in a folder.
///
/// # Errors
///
/// None: a folder that nothing was put into is empty.
#[cfg(target_family = "wasm")]
pub fn names(folder: &Path) -> Result<Vec<OsString>> {
    Ok(memory::names(folder))
}

/// A disk in memory, for a program that has no other.
pub mod memory {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::io::{Cursor, Error, ErrorKind, Read, Result, Seek, SeekFrom};
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    type Files = BTreeMap<PathBuf, Arc<[u8]>>;

    static FILES: Mutex<Files> = Mutex::new(Files::new());

    fn files() -> MutexGuard<'static, Files> {
        FILES.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file there, in place of one of the same path.
    pub fn put(path: impl Into<PathBuf>, bytes: impl Into<Arc<[u8]>>) {
        files().insert(path.into(), bytes.into());
    }

    /// Takes a folder's files away, and with the last reader their memory.
    pub fn remove(folder: &Path) {
        files().retain(|path, _| !path.starts_with(folder));
    }

    /// Whether there is such a file.
    pub fn is_file(path: &Path) -> bool {
        files().contains_key(path)
    }

    /// The names of a folder's files.
    pub fn names(folder: &Path) -> Vec<OsString> {
        let files = files();
        let inside = files.keys().filter(|path| path.parent() == Some(folder));
        inside.filter_map(|path| Some(path.file_name()?.to_owned())).collect()
    }

    /// A file's bytes.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
        Ok(File::open(path)?.0.into_inner().to_vec())
    }

    /// A file's text.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it isn't UTF-8.
    pub fn read_to_string(path: impl AsRef<Path>) -> Result<String> {
        String::from_utf8(read(path)?)
            .map_err(|error| Error::new(ErrorKind::InvalidData, error))
    }

    /// An open file, as [`std::fs::File`].
    #[derive(Debug)]
    pub struct File(Cursor<Arc<[u8]>>);

    /// What is known of a file, as [`std::fs::Metadata`].
    #[derive(Debug)]
    pub struct Metadata(u64);

    impl File {
        /// Opens a file.
        ///
        /// # Errors
        ///
        /// If there is no such file.
        pub fn open(path: impl AsRef<Path>) -> Result<Self> {
            let path = path.as_ref();
            let bytes = files().get(path).cloned().ok_or_else(|| {
                let reason = format!("no file {} was put there", path.display());
                Error::new(ErrorKind::NotFound, reason)
            })?;
            Ok(Self(Cursor::new(bytes)))
        }

        /// Its size.
        ///
        /// # Errors
        ///
        /// None.
        pub fn metadata(&self) -> Result<Metadata> {
            Ok(Metadata(self.0.get_ref().len() as u64))
        }
    }

    impl Metadata {
        /// In bytes.
        #[expect(clippy::len_without_is_empty, reason = "as std's")]
        pub fn len(&self) -> u64 {
            self.0
        }
    }

    impl Read for File {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Seek for File {
        fn seek(&mut self, to: SeekFrom) -> Result<u64> {
            self.0.seek(to)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_put_is_read_until_it_is_removed() {
            let (folder, path) = (Path::new("a"), Path::new("a/b"));
            put(path, *b"0123");
            put("ab/c", *b"other");
            assert!(is_file(path) && !is_file(folder));
            assert_eq!(names(folder), ["b"]);
            let mut file = File::open(path).unwrap();
            assert_eq!(file.metadata().unwrap().len(), 4);
            file.seek(SeekFrom::Start(2)).unwrap();
            remove(folder); // the open file stays whole
            assert_eq!(std::io::read_to_string(file).unwrap(), "23");
            assert_eq!(read(path).unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(read_to_string("ab/c").unwrap(), "other");
        }
    }
}
