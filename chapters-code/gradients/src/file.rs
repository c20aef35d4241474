//! Safetensors files of f32, written whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use candle_core::{DType, Tensor};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use crate::{Result, TrainingError};

/// A tensor's numbers and shape.
pub struct Values {
    pub values: Vec<f32>,
    pub shape: Vec<usize>,
}

/// By name.
pub type Tensors = BTreeMap<String, Values>;

impl Values {
    pub fn of(tensor: &Tensor) -> Result<Self> {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
        Ok(Self { values, shape: tensor.dims().to_vec() })
    }
}

/// Writes tensors and one line of metadata.
pub fn save(path: &Path, tensors: &Tensors, metadata: (&str, &str)) -> Result<()> {
    let wrong = |error: safetensors::SafeTensorError| problem(path, &error);
    let bytes: Vec<Vec<u8>> = tensors
        .values()
        .map(|tensor| tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        Ok((name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
    });
    let views: Result<Vec<_>, _> = views.collect();
    let metadata = HashMap::from([(metadata.0.to_string(), metadata.1.to_string())]);
    let bytes = serialize(views.map_err(wrong)?, Some(metadata)).map_err(wrong)?;
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
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The name is in the folder, which is to be on the disk, too.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().map_err(|source| TrainingError::Io { path: path.to_path_buf(), source })
}

/// Reads all tensors, and the metadata.
pub fn load(path: &Path) -> Result<(Tensors, HashMap<String, String>)> {
    let io = |source| TrainingError::Io { path: path.to_path_buf(), source };
    let bytes = fs::read(path).map_err(io)?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| problem(path, &error))?;
    let file =
        SafeTensors::deserialize(&bytes).map_err(|error| problem(path, &error))?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            let found = view.dtype();
            return Err(problem(path, &format!("{name} is {found:?}; f32 is needed")));
        }
        let (numbers, _) = view.data().as_chunks();
        let values = numbers.iter().map(|&x| f32::from_le_bytes(x)).collect();
        tensors
            .insert(name.to_string(), Values { values, shape: view.shape().to_vec() });
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

/// That a file has these tensors and no others.
pub fn check(
    path: &Path,
    tensors: &Tensors,
    expected: &[(String, Vec<usize>)],
) -> Result<()> {
    let mut problems = Vec::new();
    for (name, shape) in expected {
        match tensors.get(name) {
            None => problems.push(format!("{name} is missing")),
            Some(found) if found.shape != *shape => {
                problems.push(format!("{name} is {:?}, not {shape:?}", found.shape));
            }
            Some(_) => {}
        }
    }
    let known =
        |name: &&String| !expected.iter().any(|(expected, _)| expected == *name);
    problems
        .extend(tensors.keys().filter(known).map(|name| format!("{name} is unknown")));
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(8);
    problems.truncate(8);
    let mut text = problems.join("; ");
    if more > 0 {
        let _ = write!(text, "; and {more} more"); // a String takes everything
    }
    Err(problem(path, &format!("it is of another model: {text}")))
}

pub fn problem(path: &Path, problem: &(impl ToString + ?Sized)) -> TrainingError {
    TrainingError::File { path: path.to_path_buf(), problem: problem.to_string() }
}
