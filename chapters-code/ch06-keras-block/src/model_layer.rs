//! A layer of a model, and its weights.

use std::collections::HashMap;

use candle_core::{DType, Device, Error, Tensor, Var};
use ndarray::Array2;

use crate::error::{KerasError, LayerError, Result};
use crate::layer::{KerasTensor, Weight, described, list};
use crate::shape::Shape;

/// A layer of a model.
#[derive(Debug)]
pub(crate) struct ModelLayer {
    pub(crate) tensor: KerasTensor,
    pub(crate) name: String,
    pub(crate) variables: Vec<Variable>,
}

impl ModelLayer {
    pub(crate) fn inputs(
        &self,
        ids: &Tensor,
        values: &HashMap<u64, Tensor>,
    ) -> Vec<Tensor> {
        let inputs = &self.tensor.node().inputs;
        if inputs.is_empty() {
            return vec![ids.clone()];
        }
        // The layers are sorted: those before have been computed.
        inputs.iter().filter_map(|input| values.get(&input.id()).cloned()).collect()
    }

    pub(crate) fn call(
        &self,
        inputs: &[Tensor],
        detached: bool,
    ) -> Result<Tensor, LayerError> {
        let value = |variable: &Variable| {
            let tensor = variable.var.as_tensor();
            if detached { tensor.detach() } else { tensor.clone() }
        };
        let weights: Vec<Tensor> = self.variables.iter().map(value).collect();
        self.tensor.node().layer.call(inputs, &weights)
    }

    pub(crate) fn error(&self, inputs: &[Tensor], problem: LayerError) -> KerasError {
        let shapes: Vec<Shape> =
            inputs.iter().map(|input| Shape::from(input.dims())).collect();
        let layer = described(&*self.tensor.node().layer, Some(&self.name));
        KerasError::Layer { layer, inputs: list(&shapes), problem: Box::new(problem) }
    }
}

/// A weight with its values.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Keras' path of it: `query/kernel`.
    pub path: String,
    pub(crate) weight: Weight,
    pub(crate) var: Var,
}

impl Variable {
    /// Its shape, as Keras has it.
    pub fn shape(&self) -> &[usize] {
        &self.weight.shape
    }

    /// How many numbers it has.
    pub fn count(&self) -> usize {
        self.weight.shape.iter().product()
    }

    /// A copy of its values, in Keras' shape.
    pub fn value(&self) -> Result<Tensor> {
        let kept = self.var.as_tensor().detach();
        if self.weight.transposed { transposed(&kept) } else { Ok(kept.copy()?) }
    }

    /// Other values, in Keras' shape.
    pub(crate) fn set(&self, value: &Tensor) -> Result<()> {
        let wrong = |problem| KerasError::Weights { path: self.path.clone(), problem };
        if value.dtype() != DType::F32 {
            let found = value.dtype().as_str();
            return Err(wrong(format!("the values are {found}, not f32")));
        }
        if value.dims() != self.shape() {
            let [expected, found] = [self.shape(), value.dims()].map(Shape::from);
            return Err(wrong(format!("its shape is {found}, not {expected}")));
        }
        let kept = if self.weight.transposed {
            transposed(value)?
        } else {
            value.contiguous()?
        };
        Ok(self.var.set(&kept)?)
    }
}

/// The transpose of a matrix of f32: `[rows, columns]` becomes `[columns, rows]`. It is
/// ndarray's, which took a quarter of the time of candle's in a dev build.
fn transposed(matrix: &Tensor) -> Result<Tensor> {
    let (shape, values) = (matrix.dims2()?, matrix.flatten_all()?.to_vec1::<f32>()?);
    let matrix = Array2::from_shape_vec(shape, values).map_err(Error::wrap)?;
    let values = matrix.t().iter().copied().collect::<Vec<f32>>();
    Ok(Tensor::from_vec(values, (shape.1, shape.0), &Device::Cpu)?)
}

/// A layer's weights, drawn.
pub(crate) fn variables(
    tensor: &KerasTensor,
    layer: &str,
    seed: u64,
) -> Result<Vec<Variable>> {
    let node = tensor.node();
    let shapes: Vec<Shape> = node.inputs.iter().map(|x| x.shape().clone()).collect();
    let variable = |weight: Weight| {
        let path = format!("{layer}/{}", weight.name);
        let values = weight.initializer.draw(&weight.shape, seed, &path);
        let tensor = Tensor::from_vec(values, weight.shape.as_slice(), &Device::Cpu)?;
        let kept = if weight.transposed { transposed(&tensor)? } else { tensor };
        Ok(Variable { path, weight, var: Var::from_tensor(&kept)? })
    };
    node.layer.build(&shapes).into_iter().map(variable).collect()
}
