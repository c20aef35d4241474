//! A model cut from a graph of symbols: Keras' `Model`.

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use gradients::Parameters;
use kernels::in_pool;

use crate::error::{KerasError, Result};
use crate::graph;
use crate::layer::{KerasTensor, described, here};
use crate::model_layer::{ModelLayer, Variable, variables};
use crate::optimizer::Compiled;
use crate::packed::Packed;
use crate::shape::Shape;

/// The layers between an input and an output, with their weights.
#[derive(Debug)]
pub struct Model {
    pub(crate) input: KerasTensor,
    pub(crate) output: KerasTensor,
    /// In Keras' order.
    pub(crate) layers: Vec<ModelLayer>,
    pub(crate) compiled: Option<Compiled>,
    /// Where its weights were made: see [`here`](crate::layer::here).
    home: usize,
    /// The weights as `predict` reads them, until they change.
    packed: Option<Packed>,
}

impl Model {
    /// The model that computes `output` from `input`: `keras.Model(inputs, outputs)`. The
    /// weights are drawn here, each from its layer's distribution; the same seed draws
    /// the same.
    ///
    /// # Errors
    ///
    /// [`KerasError::Disconnected`] if `output` needs another input, [`KerasError::Name`]
    /// if two layers have the same name.
    pub fn new(input: &KerasTensor, output: &KerasTensor, seed: u64) -> Result<Self> {
        let tensors = graph::layers(input, output)?;
        let names = graph::names(&tensors)?;
        let mut layers = Vec::new();
        for (tensor, name) in tensors.into_iter().zip(names) {
            let variables = variables(&tensor, &name, seed)?;
            layers.push(ModelLayer { tensor, name, variables });
        }
        let (input, output) = (input.clone(), output.clone());
        let (compiled, home, packed) = (None, here(), None);
        Ok(Self { input, output, layers, compiled, home, packed })
    }

    /// All weights, in Keras' order: `model.variables`.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.layers.iter().flat_map(|layer| &layer.variables)
    }

    /// How many numbers training changes: `model.count_params()`.
    pub fn count_params(&self) -> usize {
        self.variables().map(Variable::count).sum()
    }

    /// The weights by their paths, for an optimizer. They are the model's own.
    pub(crate) fn parameters(&self) -> Parameters {
        self.variables().map(|v| (v.path.clone(), v.var.clone())).collect()
    }

    /// A copy of all weights, in Keras' order and shapes: `model.get_weights()`.
    pub fn get_weights(&self) -> Result<Vec<Tensor>> {
        self.variables().map(Variable::value).collect()
    }

    /// Sets all weights: `model.set_weights(weights)`.
    ///
    /// # Errors
    ///
    /// [`KerasError::Weights`] if there are more or fewer than the model has, or one has
    /// another shape; then those before it are set.
    pub fn set_weights(&mut self, weights: &[Tensor]) -> Result<()> {
        let expected = self.variables().count();
        if weights.len() != expected {
            let path = "set_weights".to_owned();
            let problem =
                format!("{} weights for a model that has {expected}", weights.len());
            return Err(KerasError::Weights { path, problem });
        }
        self.forget_packed();
        self.variables().zip(weights).try_for_each(|(v, weight)| v.set(weight))
    }

    /// Runs the model on ids, `[batch, …]`: `model(ids)`. What it gives can be
    /// differentiated; [`Model::predict`] is faster.
    ///
    /// # Errors
    ///
    /// [`KerasError::Input`] if the ids aren't what the model's `Input` says,
    /// [`KerasError::Layer`] if a layer can't work on them.
    pub fn call(&self, ids: &Tensor) -> Result<Tensor> {
        Ok(self.run(ids, &[&self.output], None)?.remove(0))
    }

    /// The values of any of the model's symbols:
    /// `keras.Model(inputs, [q, k, v])(ids)`.
    ///
    /// # Errors
    ///
    /// As [`Model::call`]; [`KerasError::Disconnected`] if a symbol isn't the model's.
    pub fn values(
        &self,
        ids: &Tensor,
        symbols: &[&KerasTensor],
    ) -> Result<Vec<Tensor>> {
        self.run(ids, symbols, None)
    }

    /// As [`Model::call`], without what a gradient would need, and with the kernels packed
    /// once for all calls: `model.predict(ids)`. The numbers are equal to rounding.
    pub fn predict(&mut self, ids: &Tensor) -> Result<Tensor> {
        let packed = match self.packed.take() {
            Some(packed) => packed,
            None => Packed::new(&self.layers)?,
        };
        let output = in_pool(|| self.run(ids, &[&self.output], Some(&packed)));
        self.packed = Some(packed);
        Ok(output?.remove(0))
    }

    /// That the weights and all layers were made where the training is.
    pub(crate) fn check_home(&self) -> Result<()> {
        let mut homes = self.layers.iter().map(|layer| layer.tensor.node().home);
        if self.home == here() && homes.all(|home| home == here()) {
            return Ok(());
        }
        Err(KerasError::ForeignCell)
    }

    /// The packed kernels are those of weights that have changed.
    pub(crate) fn forget_packed(&mut self) {
        self.packed = None;
    }

    fn run(
        &self,
        ids: &Tensor,
        symbols: &[&KerasTensor],
        packed: Option<&Packed>,
    ) -> Result<Vec<Tensor>> {
        let ids = self.checked(ids)?;
        let mut values: HashMap<u64, Tensor> = HashMap::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let inputs = layer.inputs(&ids, &values);
            let value = match packed.and_then(|packed| packed.layer(i)) {
                Some(dense) => dense.forward(&inputs[0]),
                None => layer.call(&inputs, packed.is_some()),
            };
            let value = value.map_err(|problem| layer.error(&inputs, problem))?;
            values.insert(layer.tensor.id(), value);
        }
        let value = |symbol: &&KerasTensor| {
            if let Some(value) = values.get(&symbol.id()) {
                return Ok(value.clone());
            }
            let node = symbol.node();
            let output = described(&*node.layer, node.name.as_deref());
            let input = "a layer that isn't the model's".to_owned();
            Err(KerasError::Disconnected { output, input })
        };
        symbols.iter().map(value).collect()
    }

    /// The ids, if they are what the `Input` said.
    fn checked(&self, ids: &Tensor) -> Result<Tensor> {
        let expected = self.input.shape();
        let integers = matches!(ids.dtype(), DType::U8 | DType::U32 | DType::I64);
        if integers && expected.admits(ids.dims()) && ids.elem_count() > 0 {
            return Ok(ids.to_dtype(DType::U32)?);
        }
        let expected = format!("ids of shape {expected}, at least one row of them");
        let found =
            format!("{} of shape {}", ids.dtype().as_str(), Shape::from(ids.dims()));
        Err(KerasError::Input { expected, found })
    }
}
