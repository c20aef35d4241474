//! Safetensors files, written whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::Dtype;
use safetensors::{SafeTensors, serialize};

use crate::error::{GradientError, Result};

/// Tensors by their names.
pub type Tensors = BTreeMap<String, Tensor>;

/// The numbers' type in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Four bytes, exact.
    F32,
    /// Two bytes: three digits.
    F16,
}

/// Writes tensors and one line of metadata, a key and its value, as [`write_atomically`]
/// writes.
///
/// # Errors
///
/// [`GradientError::Io`] if the file can't be written.
pub fn save(
    path: &Path,
    tensors: &Tensors,
    stored: Stored,
    (key, value): (&str, &str),
) -> Result<()> {
    let dtype = match stored {
        Stored::F32 => DType::F32,
        Stored::F16 => DType::F16,
    };
    let stored = tensors.iter().map(|(name, x)| Ok((name, x.to_dtype(dtype)?)));
    let stored = stored.collect::<Result<Vec<_>>>()?;
    let metadata = HashMap::from([(key.to_owned(), value.to_owned())]);
    let bytes = serialize(stored, Some(metadata))
        .map_err(|error| problem(path, error.to_string()))?;
    write_atomically(path, &bytes)
}

/// Replaces a file, or makes it: whoever reads it, even after a power cut, finds all of the
/// old one or all of the new.
///
/// The new one is written beside it, brought to the disk, and renamed: within a folder
/// that is one step.
///
/// # Errors
///
/// If the folder can't be written to.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || {
        #[cfg_attr(not(unix), allow(unused_mut, reason = "permissions are Unix's"))]
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The name is in the folder, which is to be on the disk, too.
        #[cfg(unix)]
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().map_err(|source| GradientError::Io { path: path.to_path_buf(), source })
}

/// The tensors of a file's bytes, all f32, and its metadata; `path` is for errors.
///
/// # Errors
///
/// [`GradientError::File`] if they are no safetensors file, or a part of one, or a tensor
/// isn't f32.
pub fn read(path: &Path, bytes: &[u8]) -> Result<(Tensors, HashMap<String, String>)> {
    let wrong = |error| {
        let text = "it is no safetensors file, or only part of one";
        problem(path, format!("{text} ({error})"))
    };
    let file = SafeTensors::deserialize(bytes).map_err(wrong)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            let found = view.dtype();
            let text = format!("{name} is {found:?}, not F32: convert it first");
            return Err(problem(path, text));
        }
        let (numbers, _) = view.data().as_chunks();
        let values: Vec<f32> = numbers.iter().map(|&x| f32::from_le_bytes(x)).collect();
        let tensor = Tensor::from_vec(values, view.shape(), &Device::Cpu)?;
        tensors.insert(name.to_owned(), tensor);
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

fn problem(path: &Path, problem: String) -> GradientError {
    GradientError::File { path: path.to_path_buf(), problem }
}
