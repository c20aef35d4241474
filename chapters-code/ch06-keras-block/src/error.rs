use std::path::PathBuf;

use thiserror::Error;

use crate::shape::Shape;

/// What can be wrong with a model or with what is given to it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KerasError {
    /// A layer was called on something that it can't work on.
    #[error("the layer {layer}, called on {inputs}, {problem}")]
    Layer {
        /// Its name and class.
        layer: String,
        /// The shapes of its inputs.
        inputs: String,
        /// What is wrong.
        problem: Box<LayerError>,
    },
    /// Two layers have the same name, so their weights would, too.
    #[error(
        "the name {name:?} is used {times} times in the model: layers need names of their own"
    )]
    Name {
        /// The name.
        name: String,
        /// How many layers have it.
        times: usize,
    },
    /// A tensor isn't computed from the model's input.
    #[error(
        "{output} is not computed from the model's input alone: it also needs {input}"
    )]
    Disconnected {
        /// What was asked for.
        output: String,
        /// The input that the model doesn't have.
        input: String,
    },
    /// What is given to the model isn't what its `Input` said.
    #[error("the model takes {expected}, not {found}")]
    Input {
        /// The `Input`'s shape and type.
        expected: String,
        /// What was given.
        found: String,
    },
    /// Labels that the outputs can't be compared with.
    #[error("outputs {outputs} can't be compared with {labels} labels{remedy}")]
    Labels {
        /// The shape of the outputs.
        outputs: Shape,
        /// How many labels, or which one is wrong.
        labels: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A setting of `fit` that makes no sense.
    #[error("{name} is {value}: it must be {expected}")]
    Setting {
        /// Keras' name of it.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// `fit` or `evaluate` before `compile`.
    #[error(
        "the model has no optimizer and no loss yet: call compile() before {call}()"
    )]
    NotCompiled {
        /// What was called.
        call: &'static str,
    },
    /// A model from a cell of a notebook that has another copy of this crate.
    #[error(
        "the network is from a cell that has another copy of this crate, which numbers its \
         tensors from 0, as this one does: call its layers, Model::new, compile() and fit() \
         again, in one cell"
    )]
    ForeignCell,
    /// A weight of another shape, of another type, missing or unknown.
    #[error("{path}: {problem}")]
    Weights {
        /// The file, or the weight.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A file that can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What candle refuses.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// What the optimizer refuses.
    #[error(transparent)]
    Training(#[from] gradients::GradientError),
    /// A figure that can't be drawn.
    #[error(transparent)]
    Figure(#[from] figures::FigureError),
}

/// What a layer finds wrong. The error that reaches the user names the layer, too.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LayerError {
    /// More or fewer inputs than it takes.
    #[error("takes {expected} of them, not {found}")]
    Count {
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Shapes that it can't work on.
    #[error("needs {0}")]
    Shape(String),
    /// A token that has no row in the table.
    #[error(
        "finds the id {id} in row {row}, position {position}: it knows ids from 0 to {}",
        limit - 1
    )]
    Id {
        /// The row of the batch.
        row: usize,
        /// The position in the row.
        position: usize,
        /// The number.
        id: u32,
        /// How many ids there are.
        limit: usize,
    },
    /// What candle refuses.
    #[error("fails: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// A result with this chapter's error.
pub type Result<T, E = KerasError> = std::result::Result<T, E>;
