//! The numbers of a view: a matrix for each head of each layer, whatever they came in.

use std::ops::Range;

use ndarray::{Array3, Array4};
use serde::ser::{Serialize, Serializer};

use crate::error::{Result, ViewError};

/// A matrix for each head of each layer: `[layers, heads, rows, columns]`.
///
/// In an attention, a row is a token that looks and a column one that is looked at; in
/// queries and keys, a row is a token's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// How many layers.
    pub layers: usize,
    /// How many heads a layer has.
    pub heads: usize,
    /// How many rows a head has.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// All numbers, layer after layer, head after head, row after row.
    values: Vec<f32>,
}

/// One layer's numbers, on their way into a [`Stack`].
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Heads, rows and columns.
    pub shape: [usize; 3],
    /// `heads · rows · columns` numbers.
    pub values: Vec<f32>,
}

/// What a [`Stack`] is made from, a layer at a time: a matrix for each head.
pub trait ToLayer {
    /// The layer as plain numbers.
    ///
    /// # Errors
    ///
    /// [`ViewError::Batch`] if it is not `[heads, rows, columns]`, nor that with one text
    /// before it.
    fn to_layer(&self, what: &'static str, layer: usize) -> Result<Layer>;
}

/// What [`HeadView::new`](crate::HeadView::new) and its like take: the layers of a model,
/// as a list of their arrays, or as a [`Stack`].
pub trait ToStack {
    /// The layers as plain numbers, all of one shape, finite.
    ///
    /// # Errors
    ///
    /// [`ViewError::Empty`], [`ViewError::Ragged`] or [`ViewError::NotFinite`].
    fn to_stack(&self, what: &'static str) -> Result<Stack>;
}

impl Stack {
    /// A stack from all its numbers: layer after layer, head after head, row after row.
    ///
    /// # Errors
    ///
    /// [`ViewError::Empty`] if an axis is 0, [`ViewError::Ragged`] if there are more or
    /// fewer numbers than the shape has, [`ViewError::NotFinite`] for NaN.
    pub fn new(shape: [usize; 4], values: Vec<f32>) -> Result<Self> {
        let [layers, heads, rows, columns] = shape;
        let stack = Self { layers, heads, rows, columns, values };
        stack.checked("attention")
    }

    fn checked(self, what: &'static str) -> Result<Self> {
        let Self { layers, heads, rows, columns, .. } = self;
        let axes = [
            (layers, "layers"),
            (heads, "heads"),
            (rows, "rows"),
            (columns, "columns"),
        ];
        if let Some(&(_, missing)) = axes.iter().find(|(size, _)| *size == 0) {
            return Err(ViewError::Empty { what, missing });
        }
        if self.values.len() != layers * heads * rows * columns {
            return Err(ViewError::Ragged {
                what,
                layer: layers - 1,
                found: format!("{} numbers in all", self.values.len()),
                expected: format!("{:?}", [layers, heads, rows, columns]),
            });
        }
        let Some(at) = self.values.iter().position(|value| !value.is_finite()) else {
            return Ok(self);
        };
        Err(ViewError::NotFinite {
            what,
            layer: at / (heads * rows * columns),
            head: at / (rows * columns) % heads,
            row: at / columns % rows,
            column: at % columns,
            value: self.values[at],
        })
    }

    /// All numbers.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One head's matrix, row after row; `None` if there is no such layer or head.
    pub fn head(&self, layer: usize, head: usize) -> Option<&[f32]> {
        let size = self.rows * self.columns;
        let start = (layer * self.heads + head) * size;
        let there = layer < self.layers && head < self.heads;
        there.then(|| &self.values[start..start + size])
    }

    /// These layers and heads only, in this order; those that aren't there are left out.
    #[must_use]
    pub fn select(&self, layers: &[usize], heads: &[usize]) -> Self {
        let pairs = layers.iter().flat_map(|&l| heads.iter().map(move |&h| (l, h)));
        let matrices = pairs.filter_map(|(layer, head)| self.head(layer, head));
        Self {
            layers: layers.len(),
            heads: heads.len(),
            values: matrices.flatten().copied().collect(),
            ..*self
        }
    }

    /// `[layers, heads, rows, columns]`.
    pub fn shape(&self) -> [usize; 4] {
        [self.layers, self.heads, self.rows, self.columns]
    }

    /// A part of every matrix, to be written as nested JSON lists.
    pub(crate) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Part<'_> {
        Part { stack: self, rows, columns }
    }
}

impl ToStack for Stack {
    fn to_stack(&self, what: &'static str) -> Result<Stack> {
        self.clone().checked(what)
    }
}

impl<L: ToLayer> ToStack for Vec<L> {
    fn to_stack(&self, what: &'static str) -> Result<Stack> {
        let mut values = Vec::new();
        let mut first = None;
        for (index, layer) in self.iter().enumerate() {
            let Layer { shape, values: numbers } = layer.to_layer(what, index)?;
            let expected = *first.get_or_insert(shape);
            if shape != expected {
                return Err(ViewError::Ragged {
                    what,
                    layer: index,
                    found: format!("{shape:?}"),
                    expected: format!("{expected:?}"),
                });
            }
            values.extend(numbers);
        }
        let [heads, rows, columns] = first.unwrap_or_default();
        Stack { layers: self.len(), heads, rows, columns, values }.checked(what)
    }
}

/// `[1, heads, n, m]`, as chapter 5's models give it.
impl ToLayer for Array4<f32> {
    fn to_layer(&self, what: &'static str, layer: usize) -> Result<Layer> {
        let (1, heads, rows, columns) = self.dim() else {
            let found = format!("{:?}", self.shape());
            return Err(ViewError::Batch { what, layer, found });
        };
        Ok(Layer {
            shape: [heads, rows, columns],
            values: self.iter().copied().collect(),
        })
    }
}

/// Chapter 2's layers. A view keeps seven digits of their sixteen.
impl ToLayer for Array3<f64> {
    fn to_layer(&self, _: &'static str, _: usize) -> Result<Layer> {
        let (heads, rows, columns) = self.dim();
        #[expect(clippy::cast_possible_truncation, reason = "a view keeps f32")]
        let values = self.iter().map(|&value| value as f32).collect();
        Ok(Layer { shape: [heads, rows, columns], values })
    }
}

/// Part of every matrix of a stack. It is written as `[layers][heads][rows][columns]`,
/// number after number: for 512 tokens, the lists would fill gigabytes.
pub(crate) struct Part<'a> {
    stack: &'a Stack,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { stack, rows, columns } = self;
        let numbers = |matrix: &'_ [f32], row: usize| {
            let row = &matrix[row * stack.columns..][columns.clone()];
            // As Python's `tolist()` does it: an f32 is written as the f64 that it is.
            row.iter().copied().map(f64::from).collect::<Vec<_>>()
        };
        let matrix = |layer, head| {
            let matrix = stack.head(layer, head).unwrap_or_default();
            List(rows.clone(), move |row| numbers(matrix, row))
        };
        let layer = |layer| List(0..stack.heads, move |head| matrix(layer, head));
        serializer.collect_seq((0..stack.layers).map(layer))
    }
}

/// A list of an item for each index.
struct List<F>(Range<usize>, F);

impl<T: Serialize, F: Fn(usize) -> T> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone().map(&self.1))
    }
}
