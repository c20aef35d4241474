//! A shape that doesn't know the size of the batch yet.

use std::fmt;

/// The axes of a [`KerasTensor`](crate::KerasTensor): `None` for one whose size is known
/// only when the model runs, as the batch always is. Written as Keras writes it:
/// `(None, 10, 768)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Vec<Option<usize>>);

impl Shape {
    /// A shape of these axes, the batch among them.
    pub fn new(axes: impl IntoIterator<Item = Option<usize>>) -> Self {
        Self(axes.into_iter().collect())
    }

    /// The axes, the batch first.
    pub fn axes(&self) -> &[Option<usize>] {
        &self.0
    }

    /// How many axes there are.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The last axis, if there is one and its size is known.
    pub fn width(&self) -> Option<usize> {
        self.0.last().copied().flatten()
    }

    /// The same with another last axis.
    #[must_use]
    pub fn with_width(&self, width: usize) -> Self {
        let mut axes = self.0.clone();
        if let Some(last) = axes.last_mut() {
            *last = Some(width);
        }
        Self(axes)
    }

    /// Whether a tensor of these dimensions has this shape.
    pub fn admits(&self, dims: &[usize]) -> bool {
        self.rank() == dims.len()
            && self.0.iter().zip(dims).all(|(axis, dim)| axis.is_none_or(|a| a == *dim))
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Self::new(dims.iter().copied().map(Some))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axis = |axis: &Option<usize>| {
            axis.map_or("None".to_owned(), |size| size.to_string())
        };
        let axes: Vec<String> = self.0.iter().map(axis).collect();
        write!(f, "({})", axes.join(", "))
    }
}
