//! Where a training can go on from: one file, whole or not there.

use std::fs;
use std::path::Path;

use gradients::GradientError;
use gradients::file::{self, Stored, Tensors};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{PretrainingError, Result};

/// The key of the state in the file's metadata.
const STATE: &str = "training";

/// Writes a file so that it is the old one or the new one, whole, whatever happens on
/// the way: the bytes go to a neighbor, to the disk, and then take the name.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    file::write_atomically(path, bytes).map_err(not_written)
}

/// Saves tensors, and what else a training depends on, as one safetensors file.
pub fn save(path: &Path, tensors: &Tensors, state: &impl Serialize) -> Result<()> {
    let state = serde_json::to_string(state).map_err(|error| not_one(path, error))?;
    save_tensors(path, tensors, Stored::F32, (STATE, &state))
}

/// Saves tensors and one line of metadata as a safetensors file.
pub fn save_tensors(
    path: &Path,
    tensors: &Tensors,
    stored: Stored,
    metadata: (&str, &str),
) -> Result<()> {
    file::save(path, tensors, stored, metadata).map_err(not_written)
}

/// Loads what [`save`] saved.
///
/// # Errors
///
/// [`TrainingError::Io`](training::TrainingError::Io); [`PretrainingError::Format`] if the file is something else.
pub fn load<S: DeserializeOwned>(path: &Path) -> Result<(Tensors, S)> {
    let bytes = fs::read(path).map_err(PretrainingError::io("read", path))?;
    let (tensors, metadata) = match file::read(path, &bytes) {
        Ok(found) => found,
        Err(GradientError::File { problem, .. }) => return Err(not_one(path, problem)),
        Err(other) => return Err(other.into()),
    };
    let state = metadata.get(STATE);
    let state = state.ok_or_else(|| not_one(path, "it has weights, but no state"))?;
    let state = serde_json::from_str(state).map_err(|error| not_one(path, error))?;
    Ok((tensors, state))
}

fn not_written(error: GradientError) -> PretrainingError {
    match error {
        GradientError::Io { path, source } => {
            PretrainingError::io("write", path)(source)
        }
        other => other.into(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an error or a literal, said once")]
fn not_one(path: &Path, reason: impl ToString) -> PretrainingError {
    let (path, reason) = (path.to_path_buf(), reason.to_string());
    PretrainingError::Format { path, what: "a checkpoint of a training", reason }
}
