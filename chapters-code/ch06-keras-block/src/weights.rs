//! Weights in and out: safetensors with Keras' paths, and Keras' own files.

use std::fs;
use std::path::Path;

use gradients::GradientError;
use gradients::file::{self, Stored, Tensors};

use crate::error::{KerasError, Result};
use crate::model::Model;
use crate::model_layer::Variable;
use crate::shape::Shape;

impl Model {
    /// Writes all weights to a safetensors file, by Keras' paths and in Keras' shapes:
    /// `query/kernel`. Python reads it with `safetensors.numpy.load_file`.
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let value =
            |variable: &Variable| Ok((variable.path.clone(), variable.value()?));
        let tensors: Tensors = self.variables().map(value).collect::<Result<_>>()?;
        Ok(file::save(path.as_ref(), &tensors, Stored::F32, ("format", "keras"))?)
    }

    /// Sets all weights from a file: safetensors with Keras' paths, or with the feature
    /// `h5` Keras' own `.weights.h5`, whose layers are found by their names.
    ///
    /// # Errors
    ///
    /// [`KerasError::Io`] if the file can't be read; [`KerasError::Weights`], naming the
    /// weight, if it isn't such a file, or a weight is missing, unknown, of another shape
    /// or not f32. Then nothing is changed.
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = fs::read(path)
            .map_err(|source| KerasError::Io { path: path.to_owned(), source })?;
        let tensors = if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
            self.read_h5(path, bytes)?
        } else if let Some(problem) = elsewhere(&bytes) {
            let path = path.display().to_string();
            return Err(KerasError::Weights { path, problem });
        } else {
            read_safetensors(path, &bytes)?
        };
        self.check(path, &tensors)?;
        self.forget_packed();
        self.variables().try_for_each(|v| match tensors.get(&v.path) {
            Some(value) => v.set(value),
            None => Ok(()), // `check` has seen that there are all
        })
    }

    /// That the tensors are the model's weights, all of them and no others.
    fn check(&self, path: &Path, tensors: &Tensors) -> Result<()> {
        let mut problems = Vec::new();
        for variable in self.variables() {
            match tensors.get(&variable.path) {
                None => problems.push(format!("{} is missing", variable.path)),
                Some(found) if found.dims() != variable.shape() => {
                    let [expected, found] =
                        [variable.shape(), found.dims()].map(Shape::from);
                    problems.push(format!(
                        "{} has the shape {found}, not {expected}",
                        variable.path
                    ));
                }
                Some(_) => {}
            }
        }
        let known = |name: &&String| self.variables().any(|v| v.path == **name);
        let unknown = tensors.keys().filter(|name| !known(name));
        problems
            .extend(unknown.map(|name| format!("{name} is no weight of the model")));
        if problems.is_empty() {
            return Ok(());
        }
        let more = problems.len().saturating_sub(6);
        problems.truncate(6);
        if more > 0 {
            problems.push(format!("and {more} more"));
        }
        let problem =
            format!("the weights are another model's: {}", problems.join("; "));
        Err(KerasError::Weights { path: path.display().to_string(), problem })
    }

    #[cfg(not(feature = "h5"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn read_h5(&self, path: &Path, _: Vec<u8>) -> Result<Tensors> {
        let path = path.display().to_string();
        let problem =
            "it is an HDF5 file: add `--features h5` to the cargo command, or \
                       write its weights as safetensors with Python"
                .to_owned();
        Err(KerasError::Weights { path, problem })
    }

    #[cfg(feature = "h5")]
    fn read_h5(&self, path: &Path, bytes: Vec<u8>) -> Result<Tensors> {
        crate::h5::read(self, bytes).map_err(|problem| {
            let path = path.display().to_string();
            let stem = path.strip_suffix(".weights.h5").unwrap_or_default();
            let number = stem.rsplit_once('_').map_or("", |(_, number)| number);
            let part = number.len() == 5 && number.bytes().all(|c| c.is_ascii_digit());
            let join = format!(". By its name, it is one of several files: {JOIN}");
            let problem = problem + if part { &join } else { "" };
            KerasError::Weights { path, problem }
        })
    }
}

/// What to do with weights in several files.
const JOIN: &str = "in Keras, load all with model.load_weights(\"NAME.weights.json\") and \
                    write them as one with model.save_weights(\"NAME.weights.h5\")";

/// Where the weights are, if a file holds or lists others that do.
fn elsewhere(bytes: &[u8]) -> Option<String> {
    // A zip's list of files is at its end.
    let end = &bytes[bytes.len().saturating_sub(1 << 16)..];
    let holds =
        |name: &str| end.windows(name.len()).any(|part| part == name.as_bytes());
    let index = || serde_json::from_slice::<serde_json::Value>(bytes).ok();
    Some(if !bytes.starts_with(b"PK\x03\x04") {
        index()?.get("weight_map")?;
        format!("it lists weights that are in several files: {JOIN}")
    } else if holds("model.weights.h5") {
        "it is a .keras archive: take the weights out with `unzip -j FILE \
         model.weights.h5` and give that file, with `--features h5`"
            .into()
    } else if holds("model.weights.json") {
        "it is a .keras archive of weights in several files: in Keras, open it with \
         keras.models.load_model and write them with \
         model.save_weights(\"NAME.weights.h5\")"
            .into()
    } else {
        "it is a zip archive, but no .keras one: write the weights as safetensors, by \
         Keras' paths"
            .into()
    })
}

fn read_safetensors(path: &Path, bytes: &[u8]) -> Result<Tensors> {
    match file::read(path, bytes) {
        Ok((tensors, _)) => Ok(tensors),
        Err(GradientError::File { path, problem }) => {
            Err(KerasError::Weights { path: path.display().to_string(), problem })
        }
        Err(other) => Err(other.into()),
    }
}
