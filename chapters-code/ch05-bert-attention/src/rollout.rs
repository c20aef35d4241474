//! Attention through all layers (Abnar and Zuidema 2020).

use ndarray::Array2;

use crate::attentions::{Attentions, AttentionsError, Result};

impl Attentions {
    /// A layer's attention, the mean over its heads. `[n, n]`, each row adds up to 1.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Index`] if there is no such layer.
    pub fn mean_heads(&self, layer: usize) -> Result<Array2<f64>> {
        let heads = self.attentions.get(layer).map_or(1, |one| one.dim().1);
        let mut mean = self.head(layer, 0)?; // [n, n]
        for head in 1..heads {
            mean += &self.head(layer, head)?;
        }
        Ok(mean / heads as f64)
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.attentions.len()
    }

    /// How many heads a layer has.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::NoLayers`] if there is none.
    pub fn heads(&self) -> Result<usize> {
        let first = self.attentions.first().ok_or(AttentionsError::NoLayers)?;
        Ok(first.dim().1) // [1, heads, n, n]
    }
}

// ANCHOR: rollout
/// How much of each token is in each token's last vector, if a layer does no more than
/// mix what it is given: half of it the residual, half the mean of the heads.
///
/// `layers` are the means over the heads, `[n, n]` each, from the first. The answer is
/// `[n, n]`, each row adds up to 1.
///
/// # Errors
///
/// [`AttentionsError::NoLayers`] if there are none; [`AttentionsError::NotSquare`] if
/// they aren't all `[n, n]`.
pub fn rollout(layers: &[Array2<f64>]) -> Result<Array2<f64>> {
    let n = layers.first().ok_or(AttentionsError::NoLayers)?.nrows();
    let mut through: Array2<f64> = Array2::eye(n); // each token is itself
    for (layer, attention) in layers.iter().enumerate() {
        let (rows, columns) = attention.dim();
        if (rows, columns) != (n, n) {
            return Err(AttentionsError::NotSquare { layer, rows, columns, n });
        }
        let mixed = (attention + &Array2::<f64>::eye(n)) * 0.5; // [n, n]
        through = mixed.dot(&through); // later layers on the left
    }
    Ok(through)
}
// ANCHOR_END: rollout

impl Attentions {
    /// [`rollout`] of all layers.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::NoLayers`] if there are none.
    pub fn rollout(&self) -> Result<Array2<f64>> {
        let means: Result<Vec<_>> =
            (0..self.layers()).map(|layer| self.mean_heads(layer)).collect();
        rollout(&means?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_order_of_the_layers_matters() {
        // Layer 0: token 1 reads token 0. Layer 1: token 0 reads token 1.
        let first = array![[1.0, 0.0], [1.0, 0.0]];
        let second = array![[0.0, 1.0], [0.0, 1.0]];
        let found = rollout(&[first, second]).unwrap();
        // [[½, ½], [0, 1]] · [[1, 0], [½, ½]]
        assert_eq!(found, array![[0.75, 0.25], [0.5, 0.5]]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = rollout(&[]).unwrap_err();
        assert!(error.to_string().contains("no layer"), "{error}");
        let layers = [Array2::eye(2), Array2::zeros((3, 2))];
        let error = rollout(&layers).unwrap_err().to_string();
        assert_eq!(error, "layer 1's attention is 3 × 2, not 2 × 2");
    }
}
