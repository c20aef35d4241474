//! What the notes compute between layers, as operations on symbols: `keras.ops`. In a
//! graph an operation is a layer without weights.

use candle_core::{D, Tensor};

use crate::error::{LayerError, Result};
use crate::layer::{Call, KerasTensor, Layer, only, pair};
use crate::shape::Shape;

/// `keras.ops.matmul(a, b)`: `[…, n, d] · […, d, m] -> […, n, m]`, the same other axes in
/// both.
///
/// # Errors
///
/// [`KerasError::Layer`](crate::KerasError::Layer), with both shapes, if they don't fit.
pub fn matmul(a: &KerasTensor, b: &KerasTensor) -> Result<KerasTensor> {
    Matmul.on_all(&[a, b])
}

/// `keras.ops.transpose(x, axes)`: axis i of the result is axis `axes[i]` of `x`.
///
/// # Errors
///
/// [`KerasError::Layer`](crate::KerasError::Layer) if `axes` doesn't name each axis once,
/// the batch, 0, in its place.
pub fn transpose(
    x: &KerasTensor,
    axes: impl IntoIterator<Item = usize>,
) -> Result<KerasTensor> {
    Transpose { axes: axes.into_iter().collect() }.on(x)
}

/// `keras.ops.softmax(x)`: rows to weights that add up to 1. Shape unchanged.
pub fn softmax(x: &KerasTensor) -> Result<KerasTensor> {
    Softmax.on(x)
}

/// `a + b`, of one shape: a residual.
///
/// # Errors
///
/// [`KerasError::Layer`](crate::KerasError::Layer), with both shapes, if they differ.
pub fn add(a: &KerasTensor, b: &KerasTensor) -> Result<KerasTensor> {
    Add.on_all(&[a, b])
}

/// `x[:, index]`: one token's vector of each sequence, `[batch, n, d] -> [batch, d]`.
///
/// # Errors
///
/// [`KerasError::Layer`](crate::KerasError::Layer) if there is no such token.
pub fn get_item(x: &KerasTensor, index: usize) -> Result<KerasTensor> {
    GetItem { index }.on(x)
}

/// `(a + b)?`: Keras' `a + b`.
impl std::ops::Add for &KerasTensor {
    type Output = Result<KerasTensor>;

    fn add(self, other: Self) -> Self::Output {
        add(self, other)
    }
}

/// `x / 2.0`: Keras' `x / 2.0`. It fits every shape.
impl std::ops::Div<f64> for &KerasTensor {
    type Output = KerasTensor;

    fn div(self, divisor: f64) -> KerasTensor {
        let shape = self.shape().clone();
        KerasTensor::made(TrueDivide { divisor }, None, &[self], shape)
    }
}

impl std::ops::Div<f64> for KerasTensor {
    type Output = KerasTensor;

    fn div(self, divisor: f64) -> KerasTensor {
        &self / divisor
    }
}

#[derive(Debug)]
struct Matmul;

impl Layer for Matmul {
    fn class(&self) -> &'static str {
        "Matmul"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        let (a, b) = pair(inputs)?;
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

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        let (a, b) = pair(inputs)?;
        Ok(a.contiguous()?.matmul(&b.contiguous()?)?)
    }
}

#[derive(Debug)]
struct Transpose {
    axes: Vec<usize>,
}

impl Layer for Transpose {
    fn class(&self) -> &'static str {
        "Transpose"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        let x = only(inputs)?;
        let mut sorted = self.axes.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..x.rank()) || self.axes.first() != Some(&0) {
            let (axes, last) = (&self.axes, x.rank().saturating_sub(1));
            let problem = format!(
                "each axis from 0 to {last} once, the batch (0) first, not {axes:?}"
            );
            return Err(LayerError::Shape(problem));
        }
        Ok(Shape::new(self.axes.iter().map(|&axis| x.axes()[axis])))
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        Ok(only(inputs)?.permute(self.axes.as_slice())?)
    }
}

#[derive(Debug)]
struct Softmax;

impl Layer for Softmax {
    fn class(&self) -> &'static str {
        "Softmax"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        only(inputs).cloned()
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        Ok(gradients::softmax(only(inputs)?)?)
    }
}

/// `x / divisor`.
#[derive(Debug)]
struct TrueDivide {
    divisor: f64,
}

impl Layer for TrueDivide {
    fn class(&self) -> &'static str {
        "TrueDivide"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        only(inputs).cloned()
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        Ok((only(inputs)? / self.divisor)?)
    }
}

#[derive(Debug)]
struct Add;

impl Layer for Add {
    fn class(&self) -> &'static str {
        "Add"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        let (a, b) = pair(inputs)?;
        if a == b {
            Ok(a.clone())
        } else {
            Err(LayerError::Shape("equal shapes".into()))
        }
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        let (a, b) = pair(inputs)?;
        Ok((a + b)?)
    }
}

#[derive(Debug)]
struct GetItem {
    index: usize,
}

impl Layer for GetItem {
    fn class(&self) -> &'static str {
        "GetItem"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        match only(inputs)?.axes() {
            [batch, Some(n), rest @ ..] if self.index < *n => {
                Ok(Shape::new([batch].into_iter().chain(rest).copied()))
            }
            _ => {
                let problem = format!("a second axis longer than {}", self.index);
                Err(LayerError::Shape(problem))
            }
        }
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        let x = only(inputs)?;
        let row = x.narrow(1, self.index, 1)?.squeeze(1)?; // [batch, …]
        debug_assert_eq!(row.dim(D::Minus1)?, x.dim(D::Minus1)?);
        Ok(row.contiguous()?)
    }
}
