//! What a layer's weights are before any training, with Keras' names and formulas.

use gradients::name_hash;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

// ANCHOR: initializers
/// The distribution that a weight is drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// 0: biases, and `beta` of a LayerNormalization.
    Zeros,
    /// 1: its `gamma`.
    Ones,
    /// From −0.05 to 0.05, all as likely: `keras.initializers.RandomUniform()`, the
    /// default of embeddings.
    RandomUniform,
    /// From −limit to limit, all as likely, with limit = √(6 / (inputs + outputs)): the
    /// default of a Dense layer's kernel (Glorot and Bengio 2010). A product with it
    /// changes the variance neither of what goes forward nor of the gradient that comes
    /// back, as far as one number can do both.
    GlorotUniform,
}

impl Initializer {
    /// The largest value that a weight of this shape can have.
    pub fn limit(self, shape: &[usize]) -> f32 {
        match self {
            Self::Zeros => 0.0,
            Self::Ones => 1.0,
            Self::RandomUniform => 0.05,
            Self::GlorotUniform => {
                let (inputs, outputs) = match *shape {
                    [inputs, outputs] => (inputs, outputs),
                    _ => (1, shape.iter().product()),
                };
                (6.0 / (inputs + outputs) as f32).sqrt()
            }
        }
    }
}
// ANCHOR_END: initializers

impl Initializer {
    /// The first values of a weight; they follow from the seed and the weight's path
    /// alone, so that a layer more in a model doesn't change the others.
    pub fn draw(self, shape: &[usize], seed: u64, path: &str) -> Vec<f32> {
        let count = shape.iter().product();
        let limit = self.limit(shape);
        match self {
            Self::Zeros | Self::Ones => vec![limit; count],
            Self::RandomUniform | Self::GlorotUniform => {
                let mut random = ChaCha8Rng::seed_from_u64(seed ^ name_hash(path));
                (0..count).map(|_| random.random_range(-limit..limit)).collect()
            }
        }
    }
}
