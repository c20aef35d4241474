//! Training that can be stopped at any moment.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::adamw::PREFIXES;
use crate::file::{self, Values, problem};
use crate::{AdamW, AdamWOptions, Parameters, Result};

/// What the names of the parameters begin with in a file.
const PARAMETER: &str = "parameter.";
/// Where a file has its [`Header`].
const KEY: &str = "training";
/// Of the file's form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header<S> {
    version: u32,
    /// The optimiser's.
    steps: u64,
    /// β₁, β₂, ε, λ
    options: [f64; 4],
    state: S,
}

/// What every version of the header has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Writes a checkpoint: parameters, AdamW's moments, and the trainer's `state` (where it is
/// in the data, its generator, its metrics: anything that becomes JSON), in one safetensors
/// file that replaces the last one only when it is complete and on the disk.
///
/// # Errors
///
/// If the state can't become JSON or the file can't be written.
pub fn save_checkpoint<S: Serialize>(
    path: impl AsRef<Path>,
    parameters: &Parameters,
    optimizer: &AdamW,
    state: &S,
) -> Result<()> {
    let path = path.as_ref();
    let AdamWOptions { beta1, beta2, epsilon, weight_decay } = optimizer.options;
    let options = [beta1, beta2, epsilon, weight_decay];
    let header = Header { version: VERSION, steps: optimizer.steps(), options, state };
    let header =
        serde_json::to_string(&header).map_err(|error| problem(path, &error))?;
    let mut tensors = optimizer.tensors(parameters)?;
    for (name, parameter) in parameters.iter() {
        tensors.insert(format!("{PARAMETER}{name}"), Values::of(parameter)?);
    }
    file::save(path, &tensors, (KEY, &header))
}

/// Sets the parameters and the optimiser to what they were, and returns the state: training
/// goes on as if it had not stopped, to the bit.
///
/// # Errors
///
/// If the file can't be read, is cut off, isn't a checkpoint or is one of another model or
/// state; then nothing is changed.
pub fn load_checkpoint<S: DeserializeOwned>(
    path: impl AsRef<Path>,
    parameters: &Parameters,
    optimizer: &mut AdamW,
) -> Result<S> {
    let path = path.as_ref();
    let (mut tensors, metadata) = file::load(path)?;
    let Some(header) = metadata.get(KEY) else {
        return Err(problem(
            path,
            "it has weights but no state of training: give a checkpoint that training \
             wrote",
        ));
    };
    let wrong = |error: serde_json::Error| {
        problem(path, &format!("its state of training: {error}"))
    };
    let Version { version } = serde_json::from_str(header).map_err(wrong)?;
    if version != VERSION {
        let found = format!("its version is {version}; this program reads {VERSION}");
        return Err(problem(path, &found));
    }
    let header: Header<S> = serde_json::from_str(header).map_err(wrong)?;
    let mut expected = parameters.shapes(PARAMETER);
    for prefix in PREFIXES {
        expected.extend(parameters.shapes(prefix));
    }
    file::check(path, &tensors, &expected)?;
    let [beta1, beta2, epsilon, weight_decay] = header.options;
    optimizer.options = AdamWOptions { beta1, beta2, epsilon, weight_decay };
    optimizer.set_from(parameters, &mut tensors, header.steps)?;
    parameters.set_from(&mut tensors, PARAMETER)?;
    Ok(header.state)
}
