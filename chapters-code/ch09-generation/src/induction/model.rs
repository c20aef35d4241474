//! A Transformer of attention alone (Elhage et al. 2021): heads that read a stream and add to it.

use candle_core::{D, DType, Device, IndexOp, Tensor};
use candle_nn::{Linear, Module, VarBuilder};
use sentiment::Head;
use training::linear::table;
use training::{WeightInit, merge_heads, softmax, split_heads};
use whole_transformer::sinusoidal;

use crate::error::{GenerationError, Result};
use crate::induction::train::Recipe;

/// Causal attention of some heads, without biases.
#[derive(Debug, Clone)]
pub struct AttentionLayer {
    /// How many heads share `d_model`.
    pub heads: usize,
    /// What a token looks for, `[d_model, d_model]`, applied as x Wᵀ like the others.
    pub query: Tensor,
    /// What a token is found by.
    pub key: Tensor,
    /// What a token hands over.
    pub value: Tensor,
    /// How what the heads found is added to the stream.
    pub output: Tensor,
}

impl AttentionLayer {
    /// Where the tokens of `queries` look among those of `keys`, both `[batch, n, d_model]`:
    /// `[batch, heads, n, n]`.
    pub fn look(&self, queries: &Tensor, keys: &Tensor) -> Result<Tensor> {
        let q = split_heads(&times(queries, &self.query)?, self.heads)?; // [batch, heads, n, d_k]
        let k = split_heads(&times(keys, &self.key)?, self.heads)?;
        let d_k = q.dim(D::Minus1)? as f64;
        // [batch, heads, n, d_k] · [batch, heads, d_k, n] -> [batch, heads, n, n]
        let scores = (q.matmul(&k.t()?.contiguous()?)? / d_k.sqrt())?;
        let mask = causal_mask(queries.dim(1)?)?; // [n, n]
        Ok(softmax(&scores.broadcast_add(&mask)?)?)
    }

    /// What each head finds in `values`, `[batch, n, d_model]`, with these weights:
    /// `[batch, heads, n, d_k]`.
    pub fn fetch(&self, weights: &Tensor, values: &Tensor) -> Result<Tensor> {
        Ok(weights.matmul(&split_heads(&times(values, &self.value)?, self.heads)?)?)
    }

    /// The stream with what the heads found added to it, `[batch, n, d_model]`.
    pub fn add(&self, x: &Tensor, found: &Tensor) -> Result<Tensor> {
        Ok((x + times(&merge_heads(found)?, &self.output)?)?)
    }
}

/// x Wᵀ: `[…, inputs]` and `[outputs, inputs]` give `[…, outputs]`.
fn times(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    Ok(Linear::new(weight.clone(), None).forward(x)?)
}

/// The lowest number for a key after its query, 0 for the others, `[n, n]`.
fn causal_mask(n: usize) -> Result<Tensor> {
    let row = |i| (0..n).map(move |j| if j > i { f32::MIN } else { 0.0 });
    let mask: Vec<f32> = (0..n).flat_map(row).collect();
    Ok(Tensor::from_vec(mask, (n, n), &Device::Cpu)?)
}

/// A decoder-only Transformer with neither feed-forward networks nor norms: all that its layers do
/// is add to the stream what their heads found.
#[derive(Debug, Clone)]
pub struct AttentionOnly {
    /// The tokens' first vectors, `[vocabulary, d_model]`.
    pub words: Tensor,
    /// What each position adds, `[positions, d_model]`, not learned.
    pub positions: Tensor,
    /// From the first to the last.
    pub layers: Vec<AttentionLayer>,
    /// What last vectors are compared with, `[vocabulary, d_model]`.
    pub decoder: Tensor,
}

/// A head that doesn't do what it would.
#[derive(Debug, Clone)]
pub struct Change {
    /// The head that is changed.
    pub head: Head,
    /// What it does instead.
    pub instead: Instead,
}

/// What a head does instead. The batch may be 1, for the same in all sequences.
#[derive(Debug, Clone)]
pub enum Instead {
    /// It looks elsewhere: its weights, `[batch, n, n]`.
    Look(Tensor),
    /// It finds something else: what it would hand to the output layer, `[batch, n, d_k]`.
    Find(Tensor),
}

/// All that a model computes on the way.
#[derive(Debug, Clone)]
pub struct Trace {
    /// A number for each token that may come next, `[batch, n, vocabulary]`.
    pub logits: Tensor,
    /// Where the heads looked, `[batch, heads, n, n]` for each layer.
    pub weights: Vec<Tensor>,
    /// What they found, `[batch, heads, n, d_k]` for each layer.
    pub found: Vec<Tensor>,
    /// The stream before each layer and after the last, `[batch, n, d_model]` each.
    pub streams: Vec<Tensor>,
}

// ANCHOR: forward
impl AttentionOnly {
    /// Reads sequences of one length, with some heads changed.
    ///
    /// # Errors
    ///
    /// [`GenerationError::Token`] or [`GenerationError::TooLong`] if the model has no vector for a
    /// token or its position; if there is no such head, or a shape doesn't fit.
    pub fn forward(&self, tokens: &[Vec<u32>], changes: &[Change]) -> Result<Trace> {
        self.check_heads(changes.iter().map(|change| change.head))?;
        let mut x = self.embed(tokens)?; // [batch, n, d_model]
        let (mut weights, mut found, mut streams) = (vec![], vec![], vec![x.clone()]);
        for (i, layer) in self.layers.iter().enumerate() {
            let mut looked = layer.look(&x, &x)?; // [batch, heads, n, n]
            for (head, instead) in of_layer(changes, i) {
                if let Instead::Look(tensor) = instead {
                    looked = replaced(&looked, head, tensor)?;
                }
            }
            let mut fetched = layer.fetch(&looked, &x)?; // [batch, heads, n, d_k]
            for (head, instead) in of_layer(changes, i) {
                if let Instead::Find(tensor) = instead {
                    fetched = replaced(&fetched, head, tensor)?;
                }
            }
            x = layer.add(&x, &fetched)?;
            weights.push(looked);
            found.push(fetched);
            streams.push(x.clone());
        }
        Ok(Trace { logits: times(&x, &self.decoder)?, weights, found, streams })
    }
}
// ANCHOR_END: forward

fn of_layer(
    changes: &[Change],
    layer: usize,
) -> impl Iterator<Item = (usize, &Instead)> {
    let here = changes.iter().filter(move |change| change.head.layer == layer);
    here.map(|change| (change.head.head, &change.instead))
}

/// `[batch, heads, n, …]` with another `[batch, n, …]` for one head.
fn replaced(all: &Tensor, head: usize, with: &Tensor) -> Result<Tensor> {
    let (batch, heads, n, width) = all.dims4()?;
    let with = with.broadcast_as((batch, n, width))?.unsqueeze(1)?; // [batch, 1, n, …]
    let parts = (0..heads)
        .map(|i| if i == head { Ok(with.clone()) } else { all.narrow(1, i, 1) });
    let parts = parts.collect::<candle_core::Result<Vec<_>>>()?;
    Ok(Tensor::cat(&parts, 1)?.contiguous()?) // candle joins the second axis by transposing
}

impl AttentionOnly {
    /// The stream before the first layer: of each token and of its position,
    /// `[batch, n, d_model]`.
    fn embed(&self, tokens: &[Vec<u32>]) -> Result<Tensor> {
        let n = self.check(tokens)?;
        let ids = Tensor::new(tokens.concat(), &Device::Cpu)?; // [batch · n]
        // [batch · n, d_model] -> [batch, n, d_model]
        let words = self.words.index_select(&ids, 0)?.reshape((tokens.len(), n, ()))?;
        Ok(words.broadcast_add(&self.positions.narrow(0, 0, n)?)?)
    }

    /// The sequences' length.
    fn check(&self, tokens: &[Vec<u32>]) -> Result<usize> {
        let n = tokens.first().map_or(0, Vec::len);
        if n == 0 {
            return Err(GenerationError::EmptyPrompt);
        }
        if let Some(other) = tokens.iter().find(|row| row.len() != n) {
            let expected = format!("{n}, as the first one's");
            return Err(GenerationError::setting("length", other.len(), expected));
        }
        let limit = self.positions.dim(0)?;
        if n > limit {
            return Err(GenerationError::TooLong { found: n, limit });
        }
        let limit = self.words.dim(0)?;
        match tokens.iter().flatten().find(|&&id| id as usize >= limit) {
            Some(&id) => Err(GenerationError::Token { id, limit }),
            None => Ok(n),
        }
    }

    /// That the model has these heads.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) for the first that it hasn't.
    pub fn check_heads(&self, asked: impl IntoIterator<Item = Head>) -> Result<()> {
        let heads = self.heads();
        for head in asked {
            if !heads.contains(&head) {
                let all: Vec<_> = heads.iter().map(Head::to_string).collect();
                let expected = format!("one of the model's, {}", all.join(", "));
                return Err(GenerationError::setting("head", head, expected));
            }
        }
        Ok(())
    }

    /// All heads, layer after layer.
    pub fn heads(&self) -> Vec<Head> {
        let layers = self.layers.iter().enumerate();
        layers
            .flat_map(|(layer, of)| (0..of.heads).map(move |head| Head { layer, head }))
            .collect()
    }

    /// Where the heads look in one sequence: `[heads, n, n]` for each layer.
    ///
    /// # Errors
    ///
    /// As [`AttentionOnly::forward`].
    pub fn attentions(&self, tokens: &[u32]) -> Result<Vec<Tensor>> {
        let trace = self.forward(&[tokens.to_vec()], &[])?;
        trace.weights.iter().map(|weights| Ok(weights.i(0)?)).collect()
    }

    /// The model of a recipe at `vb`. The matrices start as wide as keeps a vector's length, not
    /// at GPT-2's 0.02, with which heads look at all alike at first. Positions aren't learned: they
    /// are chapter 2's sines, in which one step back is a rotation.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or of another shape.
    #[expect(clippy::cast_possible_truncation, reason = "the model is one of f32")]
    pub fn load(vb: &VarBuilder, recipe: &Recipe) -> candle_core::Result<Self> {
        let (d, task) = (recipe.width, recipe.task);
        let wide = WeightInit::Normal(1.0 / (d as f64).sqrt());
        let of = |name: String, rows, init| table(&vb.pp(name), rows, d, init);
        let layer = |i: usize| {
            Ok(AttentionLayer {
                heads: recipe.heads,
                query: of(format!("{i}.query"), d, wide)?,
                key: of(format!("{i}.key"), d, wide)?,
                value: of(format!("{i}.value"), d, wide)?,
                output: of(format!("{i}.output"), d, wide)?,
            })
        };
        let words = WeightInit::Normal(recipe.word_spread);
        let positions = sinusoidal(task.length, d).mapv(|x| x as f32); // [n, d_model]
        let positions = positions.into_raw_vec_and_offset().0;
        Ok(Self {
            words: of("words".to_owned(), task.vocabulary, words)?,
            positions: Tensor::from_vec(positions, (task.length, d), &Device::Cpu)?,
            layers: (0..recipe.layers)
                .map(layer)
                .collect::<candle_core::Result<_>>()?,
            decoder: of("decoder".to_owned(), task.vocabulary, wide)?,
        })
    }
}

/// Zeros for a layer without bias, which `gradients` asks for.
pub(super) fn no_bias(outputs: usize) -> candle_core::Result<Tensor> {
    Tensor::zeros(outputs, DType::F32, &Device::Cpu)
}
