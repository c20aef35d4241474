//! Where a training can go on from: one file, whole or not there.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use half::f16;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::parameters::Tensors;
use crate::{Result, TrainingError};

/// The key of the state in the file's metadata.
const STATE: &str = "training";

/// Writes a file so that it is the old one or the new one, whole, whatever happens on
/// the way: the bytes go to a neighbour, to the disk, and then take the name.
///
/// # Errors
///
/// [`TrainingError::Io`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    gradients::write_atomically(path, bytes).map_err(|error| match error {
        gradients::TrainingError::Io { path, source } => {
            TrainingError::io("write", path)(source)
        }
        other => other.into(),
    })
}

/// Saves tensors, and what else a training depends on, as one safetensors file.
///
/// # Errors
///
/// [`TrainingError::Io`].
pub fn save(path: &Path, tensors: &Tensors, state: &impl Serialize) -> Result<()> {
    let state = serde_json::to_string(state).map_err(|error| not_one(path, error))?;
    let bytes = to_safetensors(tensors, Stored::F32, (STATE, state))?;
    write_atomically(path, &bytes)
}

/// Loads what [`save`] saved.
///
/// # Errors
///
/// [`TrainingError::Io`]; [`TrainingError::Format`] if the file is something else.
pub fn load<S: DeserializeOwned>(path: &Path) -> Result<(Tensors, S)> {
    let bytes = fs::read(path).map_err(TrainingError::io("read", path))?;
    let file =
        SafeTensors::deserialize(&bytes).map_err(|error| not_one(path, error))?;
    let (_, metadata) =
        SafeTensors::read_metadata(&bytes).map_err(|error| not_one(path, error))?;
    let metadata = metadata.metadata().as_ref();
    let state = metadata.and_then(|metadata| metadata.get(STATE));
    let state = state.ok_or_else(|| not_one(path, "it has weights, but no state"))?;
    let state = serde_json::from_str(state).map_err(|error| not_one(path, error))?;
    let tensor = |(name, view): (String, TensorView)| {
        if view.dtype() != Dtype::F32 {
            return Err(not_one(path, format!("{name} is not of f32")));
        }
        let bytes = view.data().chunks_exact(4);
        let values = bytes.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let values: Vec<f32> = values.collect();
        Ok((name, Tensor::from_vec(values, view.shape(), &Device::Cpu)?))
    };
    Ok((file.tensors().into_iter().map(tensor).collect::<Result<_>>()?, state))
}

/// The numbers' type in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Four bytes, exact.
    F32,
    /// Two bytes: three digits.
    F16,
}

/// A safetensors file's bytes, with one line of metadata.
///
/// # Errors
///
/// None but of the device.
pub fn to_safetensors(
    tensors: &Tensors,
    stored: Stored,
    (key, value): (&str, String),
) -> Result<Vec<u8>> {
    let bytes = |tensor: &Tensor| -> Result<Vec<u8>> {
        let values: Vec<f32> = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(match stored {
            Stored::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Stored::F16 => {
                values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect()
            }
        })
    };
    let dtype = match stored {
        Stored::F32 => Dtype::F32,
        Stored::F16 => Dtype::F16,
    };
    let wrong = |error: safetensors::SafeTensorError| {
        candle_core::Error::Msg(error.to_string())
    };
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        data.push((name, tensor.dims().to_vec(), bytes(tensor)?));
    }
    let views = data.iter().map(|(name, shape, bytes)| {
        Ok((
            name.as_str(),
            TensorView::new(dtype, shape.clone(), bytes).map_err(wrong)?,
        ))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = [(key.to_owned(), value)].into();
    Ok(serialize(views, Some(metadata)).map_err(wrong)?)
}

#[expect(clippy::needless_pass_by_value, reason = "an error or a literal, said once")]
fn not_one(path: &Path, reason: impl ToString) -> TrainingError {
    let (path, reason) = (path.to_path_buf(), reason.to_string());
    TrainingError::Format { path, what: "a checkpoint of a training", reason }
}
