//! What the notes compute between layers, as operations on symbols: `keras.ops`. In a
//! graph an operation is a layer without weights. One that can't work on its inputs is a
//! [`KerasError::Layer`](crate::KerasError::Layer) with their shapes.

use candle_core::Tensor;

use crate::error::{LayerError, Result};
use crate::layer::{Call, KerasTensor, Layer, only, pair};
use crate::shape::Shape;

/// `keras.ops.matmul(a, b)`: `[…, n, d] · […, d, m] -> […, n, m]`, the same other axes in
/// both.
pub fn matmul(a: &KerasTensor, b: &KerasTensor) -> Result<KerasTensor> {
    Operation::Matmul.on_all(&[a, b])
}

/// `keras.ops.transpose(x, axes)`: axis i of the result is axis `axes[i]` of `x`. `axes`
/// has each axis once, and the batch, 0, in its place.
pub fn transpose(
    x: &KerasTensor,
    axes: impl IntoIterator<Item = usize>,
) -> Result<KerasTensor> {
    Operation::Transpose(axes.into_iter().collect()).on(x)
}

/// `keras.ops.softmax(x)`: rows to weights that add up to 1. Shape unchanged.
pub fn softmax(x: &KerasTensor) -> Result<KerasTensor> {
    Operation::Softmax.on(x)
}

/// `x[:, index]`: one token's vector of each sequence, `[batch, n, d] -> [batch, d]`.
pub fn get_item(x: &KerasTensor, index: usize) -> Result<KerasTensor> {
    Operation::GetItem(index).on(x)
}

/// `(a + b)?`: Keras' `a + b`, of one shape: a residual.
impl std::ops::Add for &KerasTensor {
    type Output = Result<KerasTensor>;

    fn add(self, other: Self) -> Self::Output {
        Operation::Add.on_all(&[self, other])
    }
}

/// `x / 2.0`: Keras' `x / 2.0`. It fits every shape.
impl std::ops::Div<f64> for KerasTensor {
    type Output = KerasTensor;

    fn div(self, divisor: f64) -> KerasTensor {
        let shape = self.shape().clone();
        KerasTensor::made(Operation::TrueDivide(divisor), None, &[&self], shape)
    }
}

#[derive(Debug)]
enum Operation {
    Matmul,
    Transpose(Vec<usize>),
    Softmax,
    TrueDivide(f64),
    Add,
    GetItem(usize),
}

impl Layer for Operation {
    fn class(&self) -> &'static str {
        match self {
            Self::Matmul => "Matmul",
            Self::Transpose(_) => "Transpose",
            Self::Softmax => "Softmax",
            Self::TrueDivide(_) => "TrueDivide",
            Self::Add => "Add",
            Self::GetItem(_) => "GetItem",
        }
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        match self {
            Self::Matmul => matmul_shape(pair(inputs)?),
            Self::Transpose(axes) => transposed_shape(only(inputs)?, axes),
            Self::Softmax | Self::TrueDivide(_) => only(inputs).cloned(),
            Self::Add => match pair(inputs)? {
                (a, b) if a == b => Ok(a.clone()),
                _ => Err(LayerError::Shape("equal shapes".into())),
            },
            Self::GetItem(index) => match only(inputs)?.axes() {
                [batch, Some(n), rest @ ..] if index < n => {
                    Ok(Shape::new([batch].into_iter().chain(rest).copied()))
                }
                _ => {
                    Err(LayerError::Shape(format!("a second axis longer than {index}")))
                }
            },
        }
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        let x = &inputs[0]; // there are as many as `compute_output_shape` has seen
        Ok(match self {
            Self::Matmul => x.contiguous()?.matmul(&inputs[1].contiguous()?)?,
            Self::Transpose(axes) => x.permute(axes.as_slice())?,
            Self::Softmax => gradients::softmax(x)?,
            Self::TrueDivide(divisor) => (x / *divisor)?,
            Self::Add => (x + &inputs[1])?,
            Self::GetItem(index) => x.narrow(1, *index, 1)?.squeeze(1)?.contiguous()?,
        })
    }
}

fn matmul_shape((a, b): (&Shape, &Shape)) -> Result<Shape, LayerError> {
    if let ([others_a @ .., n, d_a], [others_b @ .., d_b, m]) = (a.axes(), b.axes())
        && !others_a.is_empty()
        && others_a == others_b
        && d_a == d_b
    {
        return Ok(Shape::new(others_a.iter().chain([n, m]).copied()));
    }
    let problem = "as many columns in the first as rows in the second, and the other \
                   axes equal";
    Err(LayerError::Shape(problem.into()))
}

fn transposed_shape(x: &Shape, axes: &[usize]) -> Result<Shape, LayerError> {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..x.rank()) || axes.first() != Some(&0) {
        let last = x.rank().saturating_sub(1);
        let problem = format!(
            "each axis from 0 to {last} once, the batch (0) first, not {axes:?}"
        );
        return Err(LayerError::Shape(problem));
    }
    Ok(Shape::new(axes.iter().map(|&axis| x.axes()[axis])))
}
