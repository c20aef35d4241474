//! A sequence reverser: chapter 2's encoder-decoder, small enough to train in a minute.
//!
//! It reads `cabide` and writes `edibac`. To write the first letter it must look at the
//! last one: its cross-attention has to become an anti-diagonal, and nobody tells it
//! so.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, IndexOp, Tensor};
use candle_nn::{Init, Linear, Module, VarBuilder};
use figures::{Figure, Heatmap, LineChart};
use gradients::{
    AdamW, AdamWOptions, Decay, Parameters, Schedule, clip_factor, gradient_norm,
    name_hash,
};
use ndarray::Array2;
use rand::Rng;
use sentiment::{LayerNorm, MultiHead, merge_heads, softmax, split_heads};
use serde::Serialize;
use whole_transformer::sinusoidal;

use crate::parameters::{Tensors, draw, model};
use crate::random::{Purpose, generator};
use crate::{Result, TrainingError};

/// Begins what is written.
const BOS: u32 = 0;
/// Ends what is read and what is written.
const EOS: u32 = 1;
/// The first letter, a.
const FIRST_LETTER: u32 = 2;
/// How many letters the alphabet has, a to z.
const LETTERS: u32 = 26;
/// Rows of the table of letters.
const VOCABULARY: usize = 28;

/// The shortest and the longest string to reverse.
pub const LENGTHS: [usize; 2] = [4, 12];

/// The model's sizes and the training's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReverserOptions {
    /// Width of a letter's vector.
    pub d_model: usize,
    /// Heads in each attention.
    pub heads: usize,
    /// Width inside the feed-forward networks.
    pub d_ff: usize,
    /// Layers of the encoder, and of the decoder.
    pub layers: usize,
    /// Strings in a batch, all of one length.
    pub batch: usize,
    /// Steps of training.
    pub steps: u64,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps with a rising learning rate.
    pub warmup: u64,
    /// The seed of everything that is drawn: first weights and strings.
    pub seed: u64,
}

impl Default for ReverserOptions {
    fn default() -> Self {
        Self {
            d_model: 64,
            heads: 2,
            d_ff: 128,
            layers: 1,
            batch: 32,
            steps: 2000,
            learning_rate: 3e-3,
            warmup: 100,
            seed: 42,
        }
    }
}

impl ReverserOptions {
    fn validate(&self) -> Result<()> {
        let sizes = [
            ("d_model", self.d_model),
            ("heads", self.heads),
            ("d_ff", self.d_ff),
            ("layers", self.layers),
            ("batch", self.batch),
        ];
        for (name, size) in sizes {
            if size == 0 || size > 4096 {
                return Err(TrainingError::setting(name, size, "from 1 to 4096"));
            }
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            let expected = "above 0";
            return Err(TrainingError::setting(
                "learning_rate",
                self.learning_rate,
                expected,
            ));
        }
        Ok(())
    }
}

// ANCHOR: cross_attention
/// Attention from `x` to `memory`: to itself, or a decoder's to what the encoder read.
#[derive(Debug, Clone)]
struct Attention {
    heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
}

impl Attention {
    /// `x` is `[batch, n, d_model]`, `memory` `[batch, m, d_model]`, the additive mask
    /// `[n, m]`. The weights are `[batch, heads, n, m]`.
    fn forward(
        &self,
        x: &Tensor,
        memory: &Tensor,
        mask: Option<&Tensor>,
    ) -> Result<MultiHead> {
        // [batch, n, d_model] -> [batch, heads, n, d_k], and m for keys and values
        let q = split_heads(&self.query.forward(x)?, self.heads)?;
        let k = split_heads(&self.key.forward(memory)?, self.heads)?;
        let v = split_heads(&self.value.forward(memory)?, self.heads)?;
        let d_k = q.dim(D::Minus1)? as f64;
        // [batch, heads, n, d_k] · [batch, heads, d_k, m] -> [batch, heads, n, m]
        let mut scores = (q.matmul(&k.t()?)? / d_k.sqrt())?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?; // + [n, m]
        }
        let weights = softmax(&scores)?;
        let heads = merge_heads(&weights.matmul(&v)?)?; // [batch, n, d_model]
        Ok(MultiHead { output: self.output.forward(&heads)?, weights })
    }
}
// ANCHOR_END: cross_attention

/// Two linear layers with a bend between.
#[derive(Debug, Clone)]
struct FeedForward {
    inner: Linear,
    outer: Linear,
}

impl FeedForward {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.outer.forward(&self.inner.forward(x)?.relu()?)?)
    }
}

// ANCHOR: reverser_blocks
/// Norm, attention, residual; norm, feed-forward, residual (pre-norm).
#[derive(Debug, Clone)]
struct EncoderBlock {
    norms: [LayerNorm; 2],
    attention: Attention,
    feed_forward: FeedForward,
}

impl EncoderBlock {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let normal = self.norms[0].forward(x)?;
        let x = (x + self.attention.forward(&normal, &normal, None)?.output)?;
        let thought = self.feed_forward.forward(&self.norms[1].forward(&x)?)?;
        Ok((x + thought)?)
    }
}

/// The same, with a look at what the encoder read in between.
#[derive(Debug, Clone)]
struct DecoderBlock {
    norms: [LayerNorm; 3],
    attention: Attention,
    cross: Attention,
    feed_forward: FeedForward,
}

impl DecoderBlock {
    /// The new vectors, and the cross-attention's weights.
    fn forward(
        &self,
        x: &Tensor,
        memory: &Tensor,
        causal: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let normal = self.norms[0].forward(x)?;
        let x = (x + self.attention.forward(&normal, &normal, Some(causal))?.output)?;
        let cross = self.cross.forward(&self.norms[1].forward(&x)?, memory, None)?;
        let x = (x + cross.output)?;
        let thought = self.feed_forward.forward(&self.norms[2].forward(&x)?)?;
        Ok(((x + thought)?, cross.weights))
    }
}
// ANCHOR_END: reverser_blocks

/// An encoder-decoder Transformer over letters.
#[derive(Debug, Clone)]
pub struct Reverser {
    letters: Tensor, // [28, d_model]
    encoder: Vec<EncoderBlock>,
    memory_norm: LayerNorm,
    decoder: Vec<DecoderBlock>,
    output_norm: LayerNorm,
    output: Linear,
}

/// What [`Reverser::forward`] computes.
#[derive(Debug, Clone)]
pub struct Reversed {
    /// A number for each letter, for each place, `[batch, n, 28]`.
    pub logits: Tensor,
    /// For each layer, where each written letter looked in what was read,
    /// `[batch, heads, n, m]`.
    pub cross_attentions: Vec<Tensor>,
}

impl Reverser {
    /// Teacher forcing: reads `source`, `[batch, m]`, and for each place of `written`,
    /// `[batch, n]`, says what comes next, having seen `written` up to there.
    ///
    /// # Errors
    ///
    /// If a number is no letter's.
    pub fn forward(&self, source: &Tensor, written: &Tensor) -> Result<Reversed> {
        let mut memory = self.embed(source)?; // [batch, m, d_model]
        for block in &self.encoder {
            memory = block.forward(&memory)?;
        }
        let memory = self.memory_norm.forward(&memory)?;
        let causal = causal_mask(written.dim(1)?)?; // [n, n]
        let mut x = self.embed(written)?; // [batch, n, d_model]
        let mut cross_attentions = Vec::new();
        for block in &self.decoder {
            let (next, weights) = block.forward(&x, &memory, &causal)?;
            cross_attentions.push(weights); // [batch, heads, n, m]
            x = next;
        }
        let logits = self.output.forward(&self.output_norm.forward(&x)?)?;
        Ok(Reversed { logits, cross_attentions })
    }

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

    /// Writes letter after letter, always the likeliest, until all strings have ended.
    /// The strings must be of one length.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if a string has other letters than a to z, or another
    /// length.
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
        written.to_vec2::<u32>()?.iter().map(|row| spell(&row[1..])).collect()
    }

    /// The share of the strings that are reversed without a fault, ending included.
    ///
    /// # Errors
    ///
    /// Those of [`Reverser::greedy`].
    pub fn accuracy(&self, strings: &[String]) -> Result<f64> {
        let mut by_length: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for string in strings {
            by_length.entry(string.len()).or_default().push(string);
        }
        let mut right = 0;
        for strings in by_length.values() {
            let written = self.greedy(strings)?;
            let reversed = |string: &&str| string.chars().rev().collect::<String>();
            right += strings
                .iter()
                .zip(&written)
                .filter(|(string, written)| reversed(string) == **written)
                .count();
        }
        Ok(right as f64 / strings.len().max(1) as f64)
    }

    /// Where each written letter of a string looks, with the reversed string given: for
    /// each layer and head a matrix with a row for each written letter (the last is the
    /// end) and a column for each read one (the last is the end).
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if the string has other letters than a to z.
    pub fn cross_attention(&self, string: &str) -> Result<Vec<Vec<Array2<f64>>>> {
        let source = read(&[string])?;
        let written = teach(&[string])?.0;
        let layers = self.forward(&source, &written)?.cross_attentions;
        let head = |weights: &Tensor, head| -> Result<Array2<f64>> {
            let weights = weights.i((0, head))?; // [n, m]
            let values = weights.to_dtype(DType::F64)?.to_vec2::<f64>()?;
            Ok(Array2::from_shape_fn(weights.dims2()?, |(i, j)| values[i][j]))
        };
        layers
            .iter()
            .map(|weights| (0..weights.dim(1)?).map(|i| head(weights, i)).collect())
            .collect()
    }

    /// The share of attention that the letters written look at the letter they should:
    /// the anti-diagonal's. For each layer and head, the mean over the strings'
    /// letters.
    ///
    /// # Errors
    ///
    /// Those of [`Reverser::cross_attention`].
    pub fn anti_diagonal(&self, strings: &[String]) -> Result<Vec<Vec<f64>>> {
        let mut sums: Vec<Vec<f64>> = Vec::new();
        let mut letters = 0;
        for string in strings {
            let found = self.cross_attention(string)?;
            letters += string.len();
            for (layer, heads) in found.iter().enumerate() {
                sums.resize(found.len(), vec![0.0; heads.len()]);
                for (head, weights) in heads.iter().enumerate() {
                    let last = string.len() - 1;
                    let share: f64 = (0..=last).map(|t| weights[[t, last - t]]).sum();
                    sums[layer][head] += share;
                }
            }
        }
        let mean =
            |sum: &mut f64| *sum /= f64::from(u32::try_from(letters).unwrap_or(1));
        sums.iter_mut().flatten().for_each(mean);
        Ok(sums)
    }

    fn load(vb: &VarBuilder, options: &ReverserOptions) -> candle_core::Result<Self> {
        let ReverserOptions { d_model, heads, d_ff, layers, .. } = *options;
        let norm = |vb: VarBuilder| LayerNorm::load(&vb, d_model, 1e-5);
        let attention = |vb: VarBuilder| {
            let linear = |name| linear(&vb.pp(name), d_model, d_model);
            let (query, key, value) =
                (linear("query")?, linear("key")?, linear("value")?);
            candle_core::Result::Ok(Attention {
                heads,
                query,
                key,
                value,
                output: linear("output")?,
            })
        };
        let feed_forward = |vb: VarBuilder| {
            let inner = linear(&vb.pp("inner"), d_model, d_ff)?;
            let outer = linear(&vb.pp("outer"), d_ff, d_model)?;
            candle_core::Result::Ok(FeedForward { inner, outer })
        };
        let encoder = |i| {
            let vb = vb.pp("encoder").pp(i);
            Ok(EncoderBlock {
                norms: [norm(vb.pp("norm.0"))?, norm(vb.pp("norm.1"))?],
                attention: attention(vb.pp("attention"))?,
                feed_forward: feed_forward(vb.pp("feed_forward"))?,
            })
        };
        let decoder = |i| {
            let vb = vb.pp("decoder").pp(i);
            let norms = ["norm.0", "norm.1", "norm.2"].map(|name| norm(vb.pp(name)));
            let [first, second, third] = norms;
            Ok(DecoderBlock {
                norms: [first?, second?, third?],
                attention: attention(vb.pp("attention"))?,
                cross: attention(vb.pp("cross"))?,
                feed_forward: feed_forward(vb.pp("feed_forward"))?,
            })
        };
        // Times √d_model they are as long as the positions' vectors.
        let init = Init::Randn { mean: 0.0, stdev: (d_model as f64).powf(-0.5) };
        Ok(Self {
            letters: vb.get_with_hints((VOCABULARY, d_model), "letters", init)?,
            encoder: (0..layers).map(encoder).collect::<candle_core::Result<_>>()?,
            memory_norm: norm(vb.pp("memory_norm"))?,
            decoder: (0..layers).map(decoder).collect::<candle_core::Result<_>>()?,
            output_norm: norm(vb.pp("output_norm"))?,
            output: linear(&vb.pp("output"), d_model, VOCABULARY)?,
        })
    }
}

/// A linear layer that starts as Glorot and Bengio (2010) propose.
fn linear(
    vb: &VarBuilder,
    inputs: usize,
    outputs: usize,
) -> candle_core::Result<Linear> {
    let bound = (6.0 / (inputs + outputs) as f64).sqrt();
    let init = Init::Uniform { lo: -bound, up: bound };
    let weight = vb.get_with_hints((outputs, inputs), "weight", init)?;
    let bias = vb.get_with_hints(outputs, "bias", Init::Const(0.0))?;
    Ok(Linear::new(weight, Some(bias)))
}

/// 0 where a place may look, the lowest number where it may not: `[n, n]`.
fn causal_mask(n: usize) -> Result<Tensor> {
    let hidden = |i: usize| if i % n > i / n { f32::MIN } else { 0.0 };
    Ok(Tensor::from_iter((0..n * n).map(hidden), &Device::Cpu)?.reshape((n, n))?)
}

/// Strings to learn from: the same for a seed and a step. One in ten of all strings
/// that exist, chosen by a hash, is never among them.
pub fn training_strings(seed: u64, step: u64, count: usize) -> Vec<String> {
    let mut random = generator(seed, Purpose::Strings, step);
    let length = random.random_range(LENGTHS[0]..=LENGTHS[1]);
    let strings = std::iter::repeat_with(|| string(&mut random, length));
    strings.filter(|string| !is_held_out(string)).take(count).collect()
}

/// Strings of all lengths that [`training_strings`] never gives.
pub fn held_out_strings(seed: u64, count: usize) -> Vec<String> {
    let mut random = generator(seed, Purpose::Evaluation, 0);
    let strings = std::iter::repeat_with(|| {
        let length = random.random_range(LENGTHS[0]..=LENGTHS[1]);
        string(&mut random, length)
    });
    strings.filter(|string| is_held_out(string)).take(count).collect()
}

/// Strings of one length, which may be one that training never has.
pub fn strings_of(length: usize, seed: u64, count: usize) -> Vec<String> {
    let mut random = generator(seed, Purpose::Evaluation, length as u64);
    std::iter::repeat_with(|| string(&mut random, length)).take(count).collect()
}

fn is_held_out(string: &str) -> bool {
    name_hash(string).is_multiple_of(10)
}

fn string(random: &mut impl Rng, length: usize) -> String {
    (0..length).map(|_| char::from(b'a' + random.random_range(0..26_u8))).collect()
}

/// A letter's number.
fn number(letter: char) -> Result<u32> {
    if letter.is_ascii_lowercase() {
        return Ok(u32::from(letter) - u32::from('a') + FIRST_LETTER);
    }
    Err(TrainingError::setting("a letter", letter, "from a to z"))
}

/// The letters written, up to the end.
fn spell(ids: &[u32]) -> Result<String> {
    let until_end = ids.iter().take_while(|&&id| id != EOS);
    let letter = |&id: &u32| match id.checked_sub(FIRST_LETTER) {
        Some(i) if i < LETTERS => {
            Ok(char::from_u32(u32::from('a') + i).unwrap_or_default())
        }
        _ => Ok('?'), // an untrained model may write its beginning again
    };
    until_end.map(letter).collect()
}

/// What the encoder reads: letters and an end, `[batch, length + 1]`.
fn read(strings: &[&str]) -> Result<Tensor> {
    let row = |string: &&str| -> Result<Vec<u32>> {
        let letters = string.chars().map(number);
        letters.chain([Ok(EOS)]).collect()
    };
    stacked(&strings.iter().map(row).collect::<Result<Vec<_>>>()?)
}

// ANCHOR: teacher_forcing
/// What the decoder is given and what it should say: the reversed string behind a
/// beginning, and the reversed string before an end; both `[batch, length + 1]`.
fn teach(strings: &[&str]) -> Result<(Tensor, Tensor)> {
    let (mut given, mut expected) = (Vec::new(), Vec::new());
    for string in strings {
        let reversed = string.chars().rev().map(number).collect::<Result<Vec<_>>>()?;
        given.push([&[BOS], &reversed[..]].concat());
        expected.push([&reversed[..], &[EOS]].concat());
    }
    Ok((stacked(&given)?, stacked(&expected)?))
}
// ANCHOR_END: teacher_forcing

fn stacked(rows: &[Vec<u32>]) -> Result<Tensor> {
    let n = rows.first().map_or(0, Vec::len);
    if n < 2 || rows.iter().any(|row| row.len() != n) {
        let lengths: Vec<_> =
            rows.iter().map(|row| row.len().saturating_sub(1)).collect();
        let found = format!("{lengths:?}");
        return Err(TrainingError::setting("lengths", found, "all equal, from 1"));
    }
    Ok(Tensor::from_vec(rows.concat(), (rows.len(), n), &Device::Cpu)?)
}

// ANCHOR: reverser_training
/// A reverser that is being trained.
#[derive(Debug)]
pub struct ReverserTraining {
    options: ReverserOptions,
    /// The model as it is now.
    pub model: Reverser,
    parameters: Parameters,
    optimizer: AdamW,
    steps: u64,
}

impl ReverserTraining {
    /// New weights, nothing learned.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] if a size or rate is out of range.
    pub fn new(options: ReverserOptions) -> Result<Self> {
        options.validate()?;
        sentiment::attention::head_width(options.d_model, options.heads)?;
        let load = |vb: VarBuilder| Reverser::load(&vb, &options);
        let (parameters, model) = draw(options.seed, load)?;
        let optimizer = AdamW::new(&parameters, AdamWOptions::default())?;
        Ok(Self { options, model, parameters, optimizer, steps: 0 })
    }
}
// ANCHOR_END: reverser_training

// ANCHOR: reverser_step
impl ReverserTraining {
    /// One step on a batch of new strings; returns the loss before it, in nats a
    /// letter.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Diverged`] if the loss isn't a number any more.
    pub fn step(&mut self) -> Result<f64> {
        let ReverserOptions { seed, batch, learning_rate, warmup, steps, .. } =
            self.options;
        let (peak, total, decay) = (learning_rate, steps, Decay::Linear);
        let strings = training_strings(seed, self.steps, batch);
        let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
        let (given, expected) = teach(&strings)?; // [batch, n]
        let logits = self.model.forward(&read(&strings)?, &given)?.logits;
        // [batch, n, 28] -> [batch · n, 28]
        let logits = logits.reshape(((), VOCABULARY))?;
        let loss = candle_nn::loss::cross_entropy(&logits, &expected.flatten_all()?)?;
        let found = f64::from(loss.to_scalar::<f32>()?);
        if !found.is_finite() {
            return Err(TrainingError::Diverged { step: self.steps + 1, loss: found });
        }
        let gradients = loss.backward()?;
        let factor = clip_factor(gradient_norm(&self.parameters, &gradients)?, 1.0);
        let rate = Schedule { peak, warmup, total, decay }.rate(self.steps);
        self.optimizer.step(&self.parameters, &gradients, rate, factor)?;
        self.steps += 1;
        Ok(found)
    }
}
// ANCHOR_END: reverser_step

impl ReverserTraining {
    /// How many numbers are learned.
    pub fn parameters(&self) -> usize {
        self.parameters.count()
    }

    /// Copies of the weights as they are now, by name.
    ///
    /// # Errors
    ///
    /// None that a well-formed tensor can cause.
    pub fn weights(&self) -> Result<Tensors> {
        Ok(self.parameters.tensors()?)
    }

    /// A copy of the model as it is now, which training doesn't change.
    ///
    /// # Errors
    ///
    /// None that a well-formed model can cause.
    pub fn snapshot(&self) -> Result<Reverser> {
        model(&self.weights()?, |vb| Reverser::load(&vb, &self.options))
    }
}

/// How a training went: pairs of step and value.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Curves {
    /// Nats a letter, the mean over the steps since the point before.
    pub loss: Vec<(f64, f64)>,
    /// Held-out strings reversed without a fault.
    pub exact: Vec<(f64, f64)>,
}

/// A trained reverser, and how it came to be.
#[derive(Debug, Clone)]
pub struct TrainedReverser {
    /// Before training.
    pub before: Reverser,
    /// After training.
    pub after: Reverser,
    /// On the way.
    pub curves: Curves,
}

/// The head of the last layer that looks most at the anti-diagonal, on one string.
///
/// # Errors
///
/// Those of [`Reverser::cross_attention`].
pub fn attention_figure(model: &Reverser, string: &str, title: &str) -> Result<Figure> {
    let shares = model.anti_diagonal(&[string.to_owned()])?;
    let last = shares.last().map_or(&[][..], Vec::as_slice);
    let best = (0..last.len()).max_by(|&a, &b| last[a].total_cmp(&last[b]));
    let heads = model.cross_attention(string)?.pop().unwrap_or_default();
    let weights = &heads[best.unwrap_or(0)];
    let end = || std::iter::once("end".to_owned());
    let read: Vec<_> = string.chars().map(String::from).chain(end()).collect();
    let written: Vec<_> = string.chars().rev().map(String::from).chain(end()).collect();
    Ok(Heatmap::new(weights)
        .row_labels(&written)
        .column_labels(&read)
        .row_title("written")
        .column_title("read")
        .title(title)
        .range(0.0, 1.0)
        .draw()?)
}

impl Curves {
    /// The loss and the held-out strings reversed, over the steps.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Figure`] if there is no point.
    pub fn figure(&self) -> Result<Figure> {
        Ok(LineChart::new()
            .title("Training the reverser")
            .x_title("step")
            .series("loss (nats a letter)", &self.loss)
            .series("held-out strings reversed", &self.exact)
            .draw()?)
    }
}

/// Trains a reverser. After each step `observe` is told which and its loss; every
/// `interval` steps 200 held-out strings are reversed for the curves.
///
/// # Errors
///
/// Those of [`ReverserTraining::new`] and [`ReverserTraining::step`].
pub fn train_reverser(
    options: ReverserOptions,
    interval: u64,
    observe: &mut dyn FnMut(u64, f64),
) -> Result<TrainedReverser> {
    let mut training = ReverserTraining::new(options)?;
    let before = training.snapshot()?;
    let held_out = held_out_strings(options.seed, 200);
    let mut curves = Curves::default();
    let mut sum = 0.0;
    for step in 1..=options.steps {
        let loss = training.step()?;
        observe(step, loss);
        sum += loss;
        if step.is_multiple_of(interval.max(1)) {
            let at = step as f64;
            curves.loss.push((at, sum / interval.max(1) as f64));
            curves.exact.push((at, training.model.accuracy(&held_out)?));
            sum = 0.0;
        }
    }
    Ok(TrainedReverser { before, after: training.snapshot()?, curves })
}
