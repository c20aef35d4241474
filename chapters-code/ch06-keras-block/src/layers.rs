//! The layers of the notes, with Keras' names, arguments and defaults.

use candle_core::Tensor;

use crate::error::{LayerError, Result};
use crate::initializers::Initializer;
use crate::layer::{KerasTensor, Layer, Weight, only};
use crate::shape::Shape;

/// Where the numbers come in: `keras.Input(shape=(10,), dtype="int32")`. The batch isn't
/// in the shape; nor is it in Keras'.
#[derive(Clone, Debug)]
pub struct Input {
    shape: Shape,
    name: Option<String>,
}

impl Input {
    /// Ids, each axis as long as said.
    pub fn new(shape: impl IntoIterator<Item = usize>) -> Self {
        let axes = shape.into_iter().map(Some);
        Self { shape: Shape::new(std::iter::once(None).chain(axes)), name: None }
    }

    /// Calls it something else than `input_layer`.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The symbol of what comes in.
    pub fn symbol(self) -> Result<KerasTensor> {
        let name = self.name.clone();
        KerasTensor::new(self, name, &[])
    }
}

impl Layer for Input {
    fn class(&self) -> &'static str {
        "InputLayer"
    }

    fn compute_output_shape(&self, _: &[Shape]) -> Result<Shape, LayerError> {
        Ok(self.shape.clone())
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        only(inputs).cloned()
    }
}

// ANCHOR: embedding
/// A row of one table for each token, plus a row of another for its position:
/// `keras_hub.layers.TokenAndPositionEmbedding`.
#[derive(Clone, Debug)]
pub struct TokenAndPositionEmbedding {
    /// How many ids there are.
    pub vocabulary_size: usize,
    /// The longest sequence.
    pub sequence_length: usize,
    /// The width of a token's vector.
    pub embedding_dim: usize,
}

impl TokenAndPositionEmbedding {
    /// Both tables start uniform from −0.05 to 0.05.
    pub fn new(
        vocabulary_size: usize,
        sequence_length: usize,
        embedding_dim: usize,
    ) -> Self {
        Self { vocabulary_size, sequence_length, embedding_dim }
    }
}
// ANCHOR_END: embedding

// ANCHOR: embedding_layer
impl Layer for TokenAndPositionEmbedding {
    fn class(&self) -> &'static str {
        "TokenAndPositionEmbedding"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        let &[batch, length] = only(inputs)?.axes() else {
            return Err(LayerError::Shape("ids of shape (batch, length)".into()));
        };
        if length.is_some_and(|length| length > self.sequence_length) {
            let limit = self.sequence_length;
            let shorter = format!(
                "sequences of at most {limit} tokens: it has no more \
                                   positions (sequence_length)"
            );
            return Err(LayerError::Shape(shorter));
        }
        Ok(Shape::new([batch, length, Some(self.embedding_dim)]))
    }

    fn build(&self, _: &[Shape]) -> Vec<Weight> {
        let table = |name, rows| {
            Weight::new(name, &[rows, self.embedding_dim], Initializer::RandomUniform)
        };
        vec![
            table("token_embedding/embeddings", self.vocabulary_size),
            table("position_embedding/embeddings", self.sequence_length),
        ]
    }

    fn call(
        &self,
        inputs: &[Tensor],
        weights: &[Tensor],
    ) -> Result<Tensor, LayerError> {
        let (batch, length) = only(inputs)?.dims2()?;
        let ids = self.checked(only(inputs)?, length)?;
        let positions = self.positions(batch, length);
        // [batch · length, embedding_dim]
        let rows = gradients::embed(&[(&weights[0], &ids), (&weights[1], &positions)])?;
        Ok(rows.reshape((batch, length, self.embedding_dim))?)
    }
}
// ANCHOR_END: embedding_layer

impl TokenAndPositionEmbedding {
    /// The ids of all sequences, one after the other, each with a row in the table.
    fn checked(&self, ids: &Tensor, length: usize) -> Result<Vec<u32>, LayerError> {
        let ids: Vec<u32> = ids.flatten_all()?.to_vec1()?;
        let limit = self.vocabulary_size;
        match ids.iter().position(|&id| id as usize >= limit) {
            Some(at) => {
                let (row, position) = (at / length, at % length);
                Err(LayerError::Id { row, position, id: ids[at], limit })
            }
            None => Ok(ids),
        }
    }

    /// 0, 1, 2 … for each sequence.
    fn positions(&self, batch: usize, length: usize) -> Vec<u32> {
        let one = (0_u32..).take(length.min(self.sequence_length));
        std::iter::repeat_n(one, batch).flatten().collect()
    }
}

/// The only input, if it is vectors of a known width.
fn vectors(inputs: &[Shape]) -> Result<&Shape, LayerError> {
    let x = only(inputs)?;
    match x.width() {
        Some(width) if x.rank() > 1 && width > 0 => Ok(x),
        _ => Err(LayerError::Shape("vectors of a known width".into())),
    }
}

/// What a [`Dense`] layer does to its results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing: Keras' `activation=None`.
    #[default]
    Linear,
    /// max(x, 0): `activation="relu"`.
    Relu,
}

// ANCHOR: dense
/// y = activation(x · kernel + bias): `keras.layers.Dense`.
#[derive(Clone, Debug)]
pub struct Dense {
    /// How many numbers come out for each vector.
    pub units: usize,
    /// What is done to them.
    pub activation: Activation,
}

impl Dense {
    /// A Glorot uniform kernel, a bias of zeros, no activation.
    pub fn new(units: usize) -> Self {
        Self { units, activation: Activation::Linear }
    }

    /// With an activation.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
}
// ANCHOR_END: dense

// ANCHOR: dense_layer
impl Layer for Dense {
    fn class(&self) -> &'static str {
        "Dense"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        Ok(vectors(inputs)?.with_width(self.units))
    }

    fn build(&self, inputs: &[Shape]) -> Vec<Weight> {
        let width = inputs[0].width().unwrap_or(0);
        let kernel =
            Weight::new("kernel", &[width, self.units], Initializer::GlorotUniform);
        let bias = Weight::new("bias", &[self.units], Initializer::Zeros);
        vec![kernel.transposed(), bias]
    }

    fn call(
        &self,
        inputs: &[Tensor],
        weights: &[Tensor],
    ) -> Result<Tensor, LayerError> {
        let x = only(inputs)?;
        let [kernel, bias] = [&weights[0], &weights[1]]; // [units, width], [units]
        Ok(match self.activation {
            Activation::Linear => gradients::linear(x, kernel, bias)?,
            Activation::Relu => gradients::linear_relu(x, kernel, bias)?,
        })
    }
}
// ANCHOR_END: dense_layer

/// Each vector to mean 0 and variance 1, then scaled by gamma and shifted by beta:
/// `keras.layers.LayerNormalization`.
#[derive(Clone, Debug)]
pub struct LayerNormalization {
    /// Added to the variance.
    pub epsilon: f64,
}

impl LayerNormalization {
    /// Keras' epsilon, 1e-3: a million times BERT's and a hundred times PyTorch's.
    pub fn new() -> Self {
        Self { epsilon: 1e-3 }
    }
}

impl Layer for LayerNormalization {
    fn class(&self) -> &'static str {
        "LayerNormalization"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        vectors(inputs).cloned()
    }

    fn build(&self, inputs: &[Shape]) -> Vec<Weight> {
        let width = inputs[0].width().unwrap_or(0);
        vec![
            Weight::new("gamma", &[width], Initializer::Ones),
            Weight::new("beta", &[width], Initializer::Zeros),
        ]
    }

    fn call(
        &self,
        inputs: &[Tensor],
        weights: &[Tensor],
    ) -> Result<Tensor, LayerError> {
        let (gamma, beta) = (&weights[0], &weights[1]);
        Ok(gradients::layer_norm(only(inputs)?, gamma, beta, self.epsilon)?)
    }
}

impl Default for LayerNormalization {
    fn default() -> Self {
        Self::new()
    }
}

/// The same numbers in another shape, the batch apart:
/// `keras.layers.Reshape((10, 8, 96))`.
#[derive(Clone, Debug)]
pub struct Reshape {
    target_shape: Vec<usize>,
}

impl Reshape {
    /// To this shape, the batch apart.
    pub fn new(target_shape: impl IntoIterator<Item = usize>) -> Self {
        Self { target_shape: target_shape.into_iter().collect() }
    }
}

impl Layer for Reshape {
    fn class(&self) -> &'static str {
        "Reshape"
    }

    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError> {
        let axes = only(inputs)?.axes();
        let (batch, rest) = axes.split_first().unwrap_or((&None, &[]));
        let count = rest.iter().copied().product::<Option<usize>>();
        let target: usize = self.target_shape.iter().product();
        if count != Some(target) {
            let problem = format!("{target} numbers for {:?}", self.target_shape);
            return Err(LayerError::Shape(problem));
        }
        let target = self.target_shape.iter().copied().map(Some);
        Ok(Shape::new(std::iter::once(*batch).chain(target)))
    }

    fn call(&self, inputs: &[Tensor], _: &[Tensor]) -> Result<Tensor, LayerError> {
        let x = only(inputs)?;
        let mut shape = vec![x.dim(0)?];
        shape.extend(&self.target_shape);
        Ok(x.reshape(shape)?)
    }
}
