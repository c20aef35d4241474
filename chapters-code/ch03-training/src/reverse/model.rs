//! The encoder-decoder over letters.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Error, IndexOp, Tensor};
use candle_nn::{Init, Linear, Module, VarBuilder};
use ndarray::{Array3, Array4, Axis, s};
use whole_transformer::sinusoidal;

use crate::decoder::DecoderLayer;
use crate::encoder::EncoderLayer;
use crate::error::Result;
use crate::layer_options::LayerNames;
use crate::linear::linear;
use crate::reverse::options::ReverserOptions;
use crate::reverse::strings::{BOS, VOCABULARY, read, spell, teach};

// ANCHOR: reverser
/// An encoder-decoder Transformer over letters.
#[derive(Debug, Clone)]
pub struct Reverser {
    letters: Tensor, // [28, d_model]
    encoder: Vec<EncoderLayer>,
    decoder: Vec<DecoderLayer>,
    output: Linear, // d_model -> 28
}
// ANCHOR_END: reverser

/// What [`Reverser::forward`] computes.
#[derive(Debug, Clone)]
pub struct Reversed {
    /// A number for each letter, for each place, `[batch, n, 28]`.
    pub logits: Tensor,
    /// For each layer, where each written letter looked in what was read,
    /// `[batch, heads, n, m]`.
    pub cross_attentions: Vec<Tensor>,
}

// ANCHOR: reverser_forward
impl Reverser {
    /// Reads `source`, `[batch, m]`, and for each place of `written`, `[batch, n]`,
    /// says what comes next, having seen `written` up to there.
    ///
    /// # Errors
    ///
    /// If a number is no letter's.
    pub fn forward(&self, source: &Tensor, written: &Tensor) -> Result<Reversed> {
        let mut memory = self.embed(source)?; // [batch, m, d_model]
        for layer in &self.encoder {
            memory = layer.forward(&memory, None, None)?.output;
        }
        let causal = causal_mask(written.dim(1)?)?; // [n, n]
        let mut x = self.embed(written)?; // [batch, n, d_model]
        let mut cross_attentions = Vec::new();
        for layer in &self.decoder {
            let step = layer.forward(&x, &memory, &causal, None)?;
            cross_attentions.push(step.cross_weights); // [batch, heads, n, m]
            x = step.output;
        }
        let logits = self.output.forward(&x)?; // [batch, n, 28]
        Ok(Reversed { logits, cross_attentions })
    }
}

/// 0 where a place may look, the lowest `f32` where it may not, which is as good as −∞
/// and gives no NaN: `[n, n]`.
fn causal_mask(n: usize) -> Result<Tensor> {
    let row = |i| (0..n).map(move |j| if j > i { f32::MIN } else { 0.0 });
    let mask: Vec<f32> = (0..n).flat_map(row).collect();
    Ok(Tensor::from_vec(mask, (n, n), &Device::Cpu)?)
}
// ANCHOR_END: reverser_forward

/// The strings, those of one length together, the shortest first.
fn by_length(strings: &[String]) -> impl Iterator<Item = Vec<&str>> {
    let mut by_length: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for string in strings {
        by_length.entry(string.len()).or_default().push(string);
    }
    by_length.into_values()
}

impl Reverser {
    /// Letters' vectors times √d_model, plus their positions': `[batch, n] ->
    /// [batch, n, d_model]`.
    fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        let (batch, n) = ids.dims2()?;
        let d_model = self.letters.dim(1)?;
        let rows = self.letters.index_select(&ids.flatten_all()?, 0)?;
        // [batch · n, d_model] -> [batch, n, d_model]
        let x = (rows.reshape((batch, n, d_model))? * (d_model as f64).sqrt())?;
        let positions = sinusoidal(n, d_model).into_iter().collect::<Vec<f64>>();
        let positions = Tensor::from_vec(positions, (n, d_model), &Device::Cpu)?;
        Ok(x.broadcast_add(&positions.to_dtype(DType::F32)?)?) // + [n, d_model]
    }

    // ANCHOR: greedy
    /// Writes letter after letter, always the likeliest: as many as were read, and an
    /// end. The strings must be of one length.
    pub fn greedy(&self, strings: &[&str]) -> Result<Vec<String>> {
        let source = read(strings)?; // [batch, m]
        let (batch, m) = source.dims2()?;
        let mut written = Tensor::full(BOS, (batch, 1), &Device::Cpu)?;
        for _ in 0..m {
            let logits = self.forward(&source, &written)?.logits; // [batch, n, 28]
            let last = logits.i((.., written.dim(1)? - 1))?; // [batch, 28]
            let next = last.argmax(D::Minus1)?.unsqueeze(1)?; // [batch, 1]
            written = Tensor::cat(&[&written, &next], 1)?; // [batch, n + 1]
        }
        Ok(written.to_vec2::<u32>()?.iter().map(|row| spell(&row[1..])).collect())
    }
    // ANCHOR_END: greedy

    /// Where the likeliest letter is the right one, given the right ones before it, the
    /// end included: 1 or 0, `[batch, n + 1]`. The strings must be of one length.
    fn hits(&self, strings: &[&str]) -> Result<Tensor> {
        let (given, expected) = teach(strings)?; // [batch, n + 1]
        let logits = self.forward(&read(strings)?, &given)?.logits; // [batch, n + 1, 28]
        Ok(logits.argmax(D::Minus1)?.eq(&expected)?.to_dtype(DType::F64)?)
    }

    // ANCHOR: accuracy
    /// The share of the strings that are reversed without a fault, ending included.
    ///
    /// One pass tells what [`Reverser::greedy`] would write in many: it goes right as
    /// long as the right letter is the likeliest after the right ones.
    pub fn accuracy(&self, strings: &[String]) -> Result<f64> {
        let mut right = 0.0;
        for strings in by_length(strings) {
            let whole = self.hits(&strings)?.min(1)?; // [batch]: 1 if all letters hit
            right += whole.sum_all()?.to_scalar::<f64>()?;
        }
        Ok(right / strings.len().max(1) as f64)
    }
    // ANCHOR_END: accuracy

    /// The share of the strings' letters that are the likeliest at their place, if the
    /// right ones before them are given: what an early fault would spoil is counted.
    pub fn letters_right(&self, strings: &[String]) -> Result<f64> {
        let (mut right, mut letters) = (0.0, 0);
        for strings in by_length(strings) {
            let hits = self.hits(&strings)?; // [batch, n + 1]
            let n = hits.dim(1)? - 1; // the end is no letter
            right += hits.narrow(1, 0, n)?.sum_all()?.to_scalar::<f64>()?;
            letters += strings.len() * n;
        }
        Ok(right / letters.max(1) as f64)
    }

    /// Where each written letter looks, with the reversed strings given, which must be of
    /// one length: for each layer `[batch, heads, n, m]`, with a row for each written
    /// letter (the last is the end) and a column for each read one (the last is the end).
    fn looks(&self, strings: &[&str]) -> Result<Vec<Array4<f64>>> {
        let (source, written) = (read(strings)?, teach(strings)?.0);
        let layers = self.forward(&source, &written)?.cross_attentions;
        let array = |weights: &Tensor| -> Result<Array4<f64>> {
            let shape = weights.dims4()?; // [batch, heads, n, m]
            let values = weights.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
            Ok(Array4::from_shape_vec(shape, values).map_err(Error::wrap)?)
        };
        layers.iter().map(array).collect()
    }

    /// Where each written letter of one string looks: for each layer `[heads, n, m]`.
    pub fn cross_attention(&self, string: &str) -> Result<Vec<Array3<f64>>> {
        let layers = self.looks(&[string])?; // [1, heads, n, m]
        Ok(layers.into_iter().map(|layer| layer.index_axis_move(Axis(0), 0)).collect())
    }

    /// The share of attention that the letters written look at the letter they should:
    /// the anti-diagonal's. For each layer and head, the mean over the strings'
    /// letters.
    pub fn anti_diagonal(&self, strings: &[String]) -> Result<Vec<Vec<f64>>> {
        let mut sums: Vec<Vec<f64>> = Vec::new();
        let letters: usize = strings.iter().map(String::len).sum();
        for strings in by_length(strings) {
            let layers = self.looks(&strings)?;
            sums.resize(layers.len(), vec![]);
            let n = strings[0].len();
            for (sums, weights) in sums.iter_mut().zip(&layers) {
                sums.resize(weights.len_of(Axis(1)), 0.0);
                for (sum, weights) in sums.iter_mut().zip(weights.axis_iter(Axis(1))) {
                    let at = |t: usize| weights.slice(s![.., t, n - 1 - t]).sum(); // [batch]
                    *sum += (0..n).map(at).sum::<f64>();
                }
            }
        }
        sums.iter_mut().flatten().for_each(|sum| *sum /= letters.max(1) as f64);
        Ok(sums)
    }

    pub(super) fn load(
        vb: &VarBuilder,
        options: &ReverserOptions,
    ) -> candle_core::Result<Self> {
        let (d_model, layer, names) =
            (options.d_model, options.layer(), LayerNames::OURS);
        let encoder = |i| EncoderLayer::load(&vb.pp("encoder").pp(i), &names, &layer);
        let decoder = |i| DecoderLayer::load(&vb.pp("decoder").pp(i), &names, &layer);
        // Times √d_model they are as long as the positions' vectors.
        let init = Init::Randn { mean: 0.0, stdev: (d_model as f64).powf(-0.5) };
        Ok(Self {
            letters: vb.get_with_hints((VOCABULARY, d_model), "letters", init)?,
            encoder: (0..options.layers).map(encoder).collect::<Result<_, _>>()?,
            decoder: (0..options.layers).map(decoder).collect::<Result<_, _>>()?,
            output: linear(&vb.pp("output"), d_model, VOCABULARY, layer.init)?,
        })
    }
}
