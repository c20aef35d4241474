//! A model's weights while they are learned: drawn, named, and given to candle.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Error, Shape, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use gradients::{Parameters, name_hash};
use rand::Rng;

use crate::error::Result;
use crate::random::{Purpose, generator};

/// Tensors by their names in `transformers`.
pub use gradients::file::Tensors;

/// New weights for the model that `build` makes, which learns.
///
/// candle's `VarMap` draws from a generator that can't be seeded on the CPU. Here each
/// tensor has a generator of its own, chosen by its name: a seed gives the same weights
/// everywhere, in whatever order a model asks for them.
///
/// # Errors
///
/// Those of `build`; candle's, if it asks for an initialization other than normal,
/// uniform or constant.
pub fn draw<M>(
    seed: u64,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<(Parameters, M)> {
    learning(Source::Draw(seed), build)
}

/// Weights that exist, for the model that `build` makes and that learns on; those it
/// doesn't ask for are left out.
///
/// # Errors
///
/// Those of `build`; candle's, if a tensor is missing or of another shape.
pub fn from_tensors<M>(
    tensors: &Tensors,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<(Parameters, M)> {
    learning(Source::Tensors { tensors, otherwise: None }, build)
}

/// Weights that exist where they do, new ones where they don't: a new head on a trained
/// body.
///
/// # Errors
///
/// As [`draw`], and for a tensor of another shape.
pub fn complete<M>(
    tensors: &Tensors,
    seed: u64,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<(Parameters, M)> {
    learning(Source::Tensors { tensors, otherwise: Some(seed) }, build)
}

fn learning<M>(
    source: Source,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<(Parameters, M)> {
    let made = Mutex::new(BTreeMap::new());
    let backend = Box::new(Backend { source, made: &made });
    let model = build(VarBuilder::from_backend(backend, DType::F32, Device::Cpu))?;
    let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((made.into_iter().collect(), model))
}

/// A model of tensors that exist, to ask and not to train.
///
/// # Errors
///
/// Those of `build`; candle's, if a tensor is missing or of another shape.
pub fn model<M>(
    tensors: &Tensors,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<M>,
) -> Result<M> {
    let tensors: HashMap<_, _> = tensors.clone().into_iter().collect();
    Ok(build(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))?)
}

/// Where weights come from.
enum Source<'a> {
    Draw(u64),
    Tensors { tensors: &'a Tensors, otherwise: Option<u64> },
}

struct Backend<'a> {
    source: Source<'a>,
    made: &'a Mutex<BTreeMap<String, Var>>,
}

impl SimpleBackend for Backend<'_> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        _: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(var) = made.get(name) {
            return Ok(var.as_tensor().clone()); // a tied weight, asked for twice
        }
        let tensor = match self.source {
            Source::Draw(seed) => start(&shape, init, seed, name, device)?,
            Source::Tensors { tensors, otherwise } => match tensors.get(name) {
                Some(tensor) if *tensor.shape() == shape => tensor.copy()?,
                Some(tensor) => {
                    let found = tensor.shape();
                    return Err(Error::Msg(format!(
                        "{name} is {found:?}, expected {shape:?}"
                    )));
                }
                None => match otherwise {
                    Some(seed) => start(&shape, init, seed, name, device)?,
                    None => {
                        return Err(Error::Msg(format!("there is no tensor {name}")));
                    }
                },
            },
        };
        let var = Var::from_tensor(&tensor)?;
        made.insert(name.to_owned(), var.clone());
        Ok(var.as_tensor().clone())
    }

    fn get_unchecked(
        &self,
        name: &str,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        Err(Error::Msg(format!("{name} was asked for without its shape")))
    }

    fn contains_tensor(&self, name: &str) -> bool {
        match self.source {
            Source::Draw(_) => true,
            Source::Tensors { tensors, otherwise } => {
                otherwise.is_some() || tensors.contains_key(name)
            }
        }
    }
}

/// A tensor as `init` starts it.
fn start(
    shape: &Shape,
    init: Init,
    seed: u64,
    name: &str,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let mut random = generator(seed, Purpose::Weights, name_hash(name));
    let mut uniform = || random.random::<f64>();
    let mut value = || match init {
        Init::Const(value) => Ok(value),
        Init::Uniform { lo, up } => Ok(lo + (up - lo) * uniform()),
        Init::Randn { mean, stdev } => {
            // Box and Muller (1958): two uniform numbers make a normal one.
            let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
            let angle = std::f64::consts::TAU * uniform();
            Ok(mean + stdev * radius * angle.cos())
        }
        other @ Init::Kaiming { .. } => {
            Err(Error::Msg(format!("{name}: {other:?} is not among the book's starts")))
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    let values = (0..shape.elem_count()).map(|_| Ok(value()? as f32));
    let values: Vec<f32> = values.collect::<candle_core::Result<_>>()?;
    Tensor::from_vec(values, shape, device)
}
