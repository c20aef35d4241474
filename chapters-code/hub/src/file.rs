//! Files read whole, those that stand for another file refused.

use std::io::{Read, Seek};
use std::path::Path;

use crate::disk;
use crate::error::{ModelError, Result};

/// How a git-lfs pointer begins: what a clone without git-lfs has in place of a large file.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// How files begin that are often given as weights, and what they are.
const OTHERS: [(&[u8], &str); 3] = [
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and TensorFlow write (.h5)"),
    (b"PK\x03\x04", "a ZIP archive, as Keras (.keras) and PyTorch (.bin, .pt) write"),
    (b"\x80\x02", "a Python pickle, as PyTorch writes (.bin, .pt)"),
];

/// A file's bytes.
///
/// # Errors
///
/// If it can't be read or is a git-lfs pointer.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = disk::read(path).map_err(ModelError::io("read", path))?;
    refuse_pointer(&bytes, path)?;
    Ok(bytes)
}

/// As [`read`], of a file that must be UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let invalid = |error| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    String::from_utf8(read(path)?)
        .map_err(|error| ModelError::io("read", path)(invalid(error)))
}

/// Refuses weights that are not safetensors, by what the file begins with; the file is at
/// its beginning before and after.
pub(crate) fn refuse_others(file: &mut (impl Read + Seek), path: &Path) -> Result<()> {
    let io = ModelError::io("read", path);
    let mut start = Vec::new();
    file.by_ref().take(POINTER.len() as u64).read_to_end(&mut start).map_err(&io)?;
    file.rewind().map_err(&io)?;
    refuse_pointer(&start, path)?;
    match OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, what)) => Err(ModelError::Format {
            path: path.to_path_buf(),
            format: "a safetensors file",
            reason: format!("it is {what}; save the model as safetensors"),
        }),
        None => Ok(()),
    }
}

fn refuse_pointer(start: &[u8], path: &Path) -> Result<()> {
    if start.starts_with(POINTER) {
        return Err(ModelError::Pointer { path: path.to_path_buf() });
    }
    Ok(())
}
