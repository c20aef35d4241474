//! What training changes: a model's parameters, by name.

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};

use crate::error::Result;

/// A model's parameters in the order of their names, f32.
///
/// The tensors of the model are these: what an optimizer changes here changes there.
#[derive(Debug, Clone)]
pub struct Parameters(BTreeMap<String, Var>);

impl Parameters {
    /// Copies of them as they are now, by name.
    pub fn tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let copy = |(name, parameter): (&str, &Var)| {
            Ok((name.to_string(), parameter.as_tensor().detach().copy()?))
        };
        self.iter().map(copy).collect()
    }

    /// Names and parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// How many numbers they are in all.
    pub fn count(&self) -> usize {
        self.0.values().map(|parameter| parameter.elem_count()).sum()
    }
}

/// Those of a model, as it was built.
impl FromIterator<(String, Var)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Var)>>(parameters: I) -> Self {
        Self(parameters.into_iter().collect())
    }
}
