//! What a layer is, and how it is called on symbols: Keras' `Layer` and `KerasTensor`.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use candle_core::Tensor;

use crate::error::{KerasError, LayerError, Result};
use crate::initializers::Initializer;
use crate::shape::Shape;

// ANCHOR: layer
/// A layer, with the methods that Keras asks of one.
pub trait Layer: Any + fmt::Debug + Send + Sync {
    /// Keras' class name, as in a summary: `Dense`.
    fn class(&self) -> &'static str;

    /// The shape of what comes out, or what is wrong with what goes in.
    fn compute_output_shape(&self, inputs: &[Shape]) -> Result<Shape, LayerError>;

    /// The weights that it needs for such inputs. By default, none.
    fn build(&self, inputs: &[Shape]) -> Vec<Weight> {
        let _ = inputs;
        Vec::new()
    }

    /// Computes, with the weights that [`Layer::build`] asked for.
    fn call(&self, inputs: &[Tensor], weights: &[Tensor])
    -> Result<Tensor, LayerError>;
}
// ANCHOR_END: layer

/// A weight that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Keras' name of it within the layer: `kernel`.
    pub name: &'static str,
    /// Its shape, as Keras has it.
    pub shape: Vec<usize>,
    /// Where it starts.
    pub initializer: Initializer,
    /// Kept with its two axes exchanged, as the fast product reads it. Files and
    /// [`Model::get_weights`](crate::Model::get_weights) have it as Keras does.
    pub transposed: bool,
}

impl Weight {
    /// A weight kept as Keras keeps it.
    pub fn new(name: &'static str, shape: &[usize], initializer: Initializer) -> Self {
        Self { name, shape: shape.to_vec(), initializer, transposed: false }
    }

    /// The same, kept with its two axes exchanged.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { transposed: true, ..self }
    }
}

/// A value that isn't there yet: a shape, and the layer that will compute it. Calling
/// layers on such symbols makes the graph that a [`Model`](crate::Model) is cut from.
///
/// Clones are the same symbol.
#[derive(Clone, Debug)]
pub struct KerasTensor(Arc<Node>);

/// A number for a symbol, larger than those before. A notebook may have several copies of
/// this crate, each with a counter of its own: that of a later one starts later.
fn next_id() -> u64 {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        AtomicU64::new(u64::try_from(now.as_nanos()).unwrap_or(0))
    });
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A number that is another in each copy of this crate: a notebook has a second one once a
/// crate is edited, and on Windows each cell has its own. candle numbers tensors, too, and tells
/// their gradients apart by the number: those of two copies can't be in one training.
pub(crate) fn here() -> usize {
    static HERE: AtomicU64 = AtomicU64::new(0);
    (&raw const HERE).addr()
}

/// A layer called once.
#[derive(Debug)]
pub(crate) struct Node {
    /// In the order of calls.
    pub(crate) id: u64,
    /// Where: see [`here`].
    pub(crate) home: usize,
    pub(crate) layer: Box<dyn Layer>,
    /// What the user called it.
    pub(crate) name: Option<String>,
    pub(crate) inputs: Vec<KerasTensor>,
    shape: Shape,
}

impl KerasTensor {
    /// The symbol of what `layer` makes of `inputs`.
    ///
    /// # Errors
    ///
    /// [`KerasError::Layer`], naming the layer and all shapes, if it can't work on them.
    pub fn new(
        layer: impl Layer,
        name: Option<String>,
        inputs: &[&KerasTensor],
    ) -> Result<Self> {
        let shapes: Vec<Shape> = inputs.iter().map(|x| x.shape().clone()).collect();
        let shape = layer.compute_output_shape(&shapes).map_err(|problem| {
            let layer = described(&layer, name.as_deref());
            let inputs = list(&shapes);
            KerasError::Layer { layer, inputs, problem: Box::new(problem) }
        })?;
        Ok(Self::made(layer, name, inputs, shape))
    }

    pub(crate) fn made(
        layer: impl Layer,
        name: Option<String>,
        inputs: &[&KerasTensor],
        shape: Shape,
    ) -> Self {
        let inputs = inputs.iter().copied().cloned().collect();
        let (id, home) = (next_id(), here());
        Self(Arc::new(Node { id, home, layer: Box::new(layer), name, inputs, shape }))
    }

    /// Its shape, the batch first.
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }
}

/// `query (Dense)`, or `Dense` while it has no name.
pub(crate) fn described(layer: &dyn Layer, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{name} ({})", layer.class()),
        None => layer.class().to_owned(),
    }
}

pub(crate) fn list(shapes: &[Shape]) -> String {
    let shapes: Vec<String> = shapes.iter().map(Shape::to_string).collect();
    if shapes.is_empty() { "nothing".to_owned() } else { shapes.join(" and ") }
}

/// How a layer is called on symbols: `Dense::new(768).name("query").on(&x)?` is Keras'
/// `Dense(768, name="query")(x)`.
pub trait Call: Layer + Sized {
    /// Gives the layer a name; without one it gets its class' name and a number.
    fn name(self, name: impl Into<String>) -> Named<Self> {
        Named { layer: self, name: name.into() }
    }

    /// What the layer makes of `x`.
    fn on(self, x: &KerasTensor) -> Result<KerasTensor> {
        self.on_all(&[x])
    }

    /// What the layer makes of several inputs.
    fn on_all(self, inputs: &[&KerasTensor]) -> Result<KerasTensor> {
        KerasTensor::new(self, None, inputs)
    }
}

impl<L: Layer> Call for L {}

/// A layer with a name of the user's.
#[derive(Debug)]
pub struct Named<L> {
    layer: L,
    name: String,
}

impl<L: Layer> Named<L> {
    /// As [`Call::on`].
    pub fn on(self, x: &KerasTensor) -> Result<KerasTensor> {
        self.on_all(&[x])
    }

    /// As [`Call::on_all`].
    pub fn on_all(self, inputs: &[&KerasTensor]) -> Result<KerasTensor> {
        KerasTensor::new(self.layer, Some(self.name), inputs)
    }
}

/// The only input, or what is wrong.
pub fn only<T>(inputs: &[T]) -> Result<&T, LayerError> {
    match inputs {
        [x] => Ok(x),
        _ => Err(LayerError::Count { expected: 1, found: inputs.len() }),
    }
}

/// The two inputs, or what is wrong.
pub fn pair<T>(inputs: &[T]) -> Result<(&T, &T), LayerError> {
    match inputs {
        [a, b] => Ok((a, b)),
        _ => Err(LayerError::Count { expected: 2, found: inputs.len() }),
    }
}
