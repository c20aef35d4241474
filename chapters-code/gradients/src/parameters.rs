//! What training changes: a model's parameters, by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::{Init, VarBuilder, var_builder::SimpleBackend};

use crate::file::{self, Tensors};
use crate::ops::derive_seed;
use crate::{Result, TrainingError};

/// A model's parameters in the order of their names, f32.
///
/// The tensors of the model are these: what an optimiser changes here changes there.
#[derive(Debug, Clone, Default)]
pub struct Parameters(BTreeMap<String, Var>);

impl Parameters {
    /// Builds a model whose parameters start as it asks (BERT: normal with deviation
    /// 0.02; norms 1, biases 0).
    ///
    /// A parameter's first values follow from the seed and its name alone.
    ///
    /// # Errors
    ///
    /// Those of `build`; if it asks for another distribution than a constant or a normal
    /// one.
    pub fn build<M>(
        seed: u64,
        device: &Device,
        build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
    ) -> Result<(M, Self)> {
        let source = Source { seed, made: Mutex::default() };
        let backend = Box::new(&source);
        let model =
            build(VarBuilder::from_backend(backend, DType::F32, device.clone()))?;
        Ok((
            model,
            Self(source.made.into_inner().unwrap_or_else(PoisonError::into_inner)),
        ))
    }

    /// Copies of them as they are now, by name.
    ///
    /// # Errors
    ///
    /// If their device fails.
    pub fn tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let copy = |(name, parameter): (&str, &Var)| {
            Ok((name.to_string(), parameter.as_tensor().detach().copy()?))
        };
        self.iter().map(copy).collect()
    }

    /// Names and parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.0.get(name)
    }

    /// How many numbers they are in all.
    pub fn count(&self) -> usize {
        self.0.values().map(|parameter| parameter.elem_count()).sum()
    }

    /// Writes them as a `model.safetensors` that Python's `transformers` reads, replacing
    /// the file only when the new one is complete.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut tensors = Tensors::default();
        for (name, parameter) in self.iter() {
            tensors.insert(name.to_string(), file::Values::of(parameter)?);
        }
        file::save(path.as_ref(), &tensors, ("format", "pt"))
    }

    /// Sets them all from a file written by [`Parameters::save`].
    ///
    /// # Errors
    ///
    /// If the file can't be read, isn't safetensors, or has not these names and shapes;
    /// then nothing is changed.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<()> {
        let (mut tensors, _) = file::load(path.as_ref())?;
        file::check(path.as_ref(), &tensors, &self.shapes(""))?;
        self.set_from(&mut tensors, "")
    }

    /// Sets each parameter to the one of `other` that `source` names for it, and leaves
    /// those alone for which it names none: to stack three trained layers to six, or to
    /// make a smaller model of every other layer.
    ///
    /// # Errors
    ///
    /// If `other` has no such parameter, or one of another shape; then those before it in
    /// the order of names are set.
    pub fn copy_from(
        &self,
        other: &Self,
        source: impl Fn(&str) -> Option<String>,
    ) -> Result<()> {
        for (name, parameter) in self.iter() {
            let Some(from) = source(name) else { continue };
            let Some(values) = other.get(&from) else {
                return Err(TrainingError::Unknown { name: from });
            };
            parameter.set(&values.copy()?)?;
        }
        Ok(())
    }

    pub(crate) fn shapes(&self, prefix: &str) -> Vec<(String, Vec<usize>)> {
        self.iter()
            .map(|(name, p)| (format!("{prefix}{name}"), p.dims().to_vec()))
            .collect()
    }

    /// Sets them from tensors that [`file::check`] has passed.
    pub(crate) fn set_from(&self, tensors: &mut Tensors, prefix: &str) -> Result<()> {
        for (name, parameter) in self.iter() {
            let Some(values) = tensors.remove(&format!("{prefix}{name}")) else {
                return Err(TrainingError::Unknown { name: name.to_string() });
            };
            let new =
                Tensor::from_vec(values.values, values.shape, parameter.device())?;
            parameter.set(&new)?;
        }
        Ok(())
    }
}

/// Those of a model that was built elsewhere.
impl FromIterator<(String, Var)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Var)>>(parameters: I) -> Self {
        Self(parameters.into_iter().collect())
    }
}

/// Makes the parameters that a model asks for.
struct Source {
    seed: u64,
    made: Mutex<BTreeMap<String, Var>>,
}

impl Source {
    fn start(
        &self,
        name: &str,
        count: usize,
        init: Init,
    ) -> candle_core::Result<Vec<f32>> {
        match init {
            #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
            Init::Const(value) => Ok(vec![value as f32; count]),
            Init::Randn { mean, stdev } => {
                let seed = name
                    .bytes()
                    .fold(self.seed, |seed, byte| derive_seed(seed, u64::from(byte)));
                Ok((0..count as u64).map(|i| normal(seed, i, mean, stdev)).collect())
            }
            other => candle_core::bail!(
                "{name} asks to start as {other:?}: a constant or a normal \
                 distribution is supported"
            ),
        }
    }
}

/// A number of a normal distribution (Box and Muller 1958).
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
fn normal(seed: u64, i: u64, mean: f64, stdev: f64) -> f32 {
    // (0, 1], of 53 bits
    let uniform =
        |place| ((derive_seed(seed, place) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let (radius, angle) = (uniform(2 * i), uniform(2 * i + 1));
    let radius = (-2.0 * radius.ln()).sqrt();
    (mean + stdev * radius * (std::f64::consts::TAU * angle).cos()) as f32
}

impl SimpleBackend for &Source {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(name) {
            if known.shape() != &shape {
                candle_core::bail!("{name} is {:?}, not {shape:?}", known.dims())
            }
            return Ok(known.as_tensor().clone());
        }
        let values = self.start(name, shape.elem_count(), init)?;
        let tensor = Tensor::from_vec(values, &shape, device)?.to_dtype(dtype)?;
        let parameter = Var::from_tensor(&tensor)?;
        let tensor = parameter.as_tensor().clone();
        made.insert(name.to_string(), parameter);
        Ok(tensor)
    }

    fn get_unchecked(
        &self,
        name: &str,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        candle_core::bail!("{name}: a new parameter must have a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}
