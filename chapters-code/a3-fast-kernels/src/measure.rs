//! What a machine can do at most, and what a product gets of it, on one thread.
//!
//! Each figure is of the shortest of many runs: what else the machine does only adds to a
//! time. `cargo bench -p a3-fast-kernels` measures those of the book's page.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kernels::{Epilogue, Isa, PackedLinear, in_pool, math};
use pulp::{Simd, WithSimd};
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};

use crate::error::{FastError, Result};
use crate::product::{Packed, Weight};

/// The product measured: BERT-base's narrow layer, 768 → 768, …
const K: usize = 768;
/// … with the tokens of a paragraph.
const ROWS: usize = 128;
/// Rows whose outputs don't fit in an L2 cache: BERT's longest text.
const LONG_TEXT: usize = 512;
/// The layer of the roofline, 768 → 3072, …
const WIDE: usize = 3072;
/// … as many times as it takes to come from memory and not from a cache: 151 MB.
const LAYERS: usize = 16;
/// Numbers read to see how fast memory is: 256 MB.
const LONG: usize = 1 << 26;
/// Rows of x in the roofline.
const BY_ROWS: [usize; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// What one thread of a machine did. Speeds are in billions of operations a second, a
/// multiplication and an addition counted as two, as is usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The processor's name and its vector instructions.
    pub machine: String,
    /// One product, step by step.
    pub steps: Steps,
    /// Billions of bytes a second read from memory.
    pub bandwidth: f64,
    /// `kernels`' product by the rows of x, weights from memory.
    pub rows: Vec<(usize, f64)>,
    /// Seconds of a layer with GELU on its sums in registers.
    pub fused: f64,
    /// Seconds of the layer, and GELU in a second pass over its output.
    pub separate: f64,
}

/// One product, 128 rows through a layer 768 → 768, from the formula to `kernels`: speeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// The limit: multiplications and additions on registers alone.
    pub peak: f64,
    /// [`Weight::one_by_one`].
    pub one_by_one: f64,
    /// [`Packed::forward`] by the rows of its tiles.
    pub tiles: Vec<(usize, f64)>,
    /// `kernels`' own.
    pub kernels: f64,
}

/// Runs `work` in a pool of one thread, where `kernels` computes alone.
fn alone<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    ThreadPoolBuilder::new().num_threads(1).build()?.install(|| in_pool(work))
}

impl Steps {
    /// Measures this machine, `patience` for each figure.
    ///
    /// # Errors
    ///
    /// [`FastError::Isa`] if `KERNELS_ISA` names instructions that it has not,
    /// [`FastError::Pool`] if the system gives no thread.
    pub fn here(patience: Duration) -> Result<Self> {
        let weight = Weight::new(values(K * K), K)?;
        let (packed, x) = (Packed::new(&weight)?, values(ROWS * K));
        let layer = PackedLinear::new(&values(K * K), None, K, K)?;
        let mut y = vec![0.0; ROWS * K];
        let speed = |seconds: f64| (2 * ROWS * K * K) as f64 / seconds / 1e9;
        Ok(Self {
            peak: peak(patience)?,
            one_by_one: speed(shortest(patience, || weight.one_by_one(&x))?),
            tiles: vec![
                (1, speed(shortest(patience, || packed.forward::<1>(&x))?)),
                (2, speed(shortest(patience, || packed.forward::<2>(&x))?)),
                (4, speed(shortest(patience, || packed.forward::<4>(&x))?)),
                (6, speed(shortest(patience, || packed.forward::<6>(&x))?)),
                (8, speed(shortest(patience, || packed.forward::<8>(&x))?)),
                (12, speed(shortest(patience, || packed.forward::<12>(&x))?)),
            ],
            kernels: speed(alone(|| {
                let work = || layer.forward(&x, ROWS, Epilogue::None, &mut y);
                Ok(shortest(patience, work)?)
            })?),
        })
    }
}

impl Measured {
    /// What was measured for the book's page.
    ///
    /// # Errors
    ///
    /// If the file is not such a record.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../measured.json"))
    }

    /// Measures this machine, `patience` for each figure.
    ///
    /// # Errors
    ///
    /// Those of [`Steps::here`].
    pub fn here(machine: String, patience: Duration) -> Result<Self> {
        let [fused, separate] = alone(|| gelu(patience))?;
        Ok(Self {
            machine,
            steps: Steps::here(patience)?,
            bandwidth: bandwidth(patience)?,
            rows: alone(|| by_rows(patience))?,
            fused,
            separate,
        })
    }

    // ANCHOR: roof
    /// The most that a product can get that does `intensity` operations for each byte it
    /// reads: as many as the processor can do, or those that memory brings the bytes for.
    pub fn roof(&self, intensity: f64) -> f64 {
        self.steps.peak.min(intensity * self.bandwidth)
    }
    // ANCHOR_END: roof
}

/// Operations for each byte of weights, with `rows` rows of x: two for each row and weight,
/// which has four bytes.
pub fn intensity(rows: usize) -> f64 {
    2.0 * rows as f64 / 4.0
}

/// Numbers between −1 and 1, always the same.
fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.618_034).fract() * 2.0 - 1.0).collect()
}

/// The shortest of the times, in seconds, that `work` takes: at least 3, and as many as
/// fit in `patience`.
fn shortest<T, E>(
    patience: Duration,
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<f64, E> {
    let begun = Instant::now();
    let (mut shortest, mut runs) = (f64::INFINITY, 0);
    while runs < 3 || begun.elapsed() < patience {
        let start = Instant::now();
        black_box(work()?);
        shortest = shortest.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    Ok(shortest)
}

/// Rounds of [`Peak`], each of which is a multiply-add of every sum.
const ROUNDS: usize = 100_000;
/// As many sums as hide the wait for each: a multiply-add takes some four cycles, and two
/// begin at once.
const SUMS: usize = 10;

// ANCHOR: peak
/// Multiply-adds of sums that never leave their registers. No sum waits for another.
struct Peak;

impl WithSimd for Peak {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (x, w) =
            (simd.splat_f32s(black_box(0.5)), simd.splat_f32s(black_box(0.25)));
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(x, w, *sum);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = simd.add_f32s(total, *sum);
        }
        simd.reduce_sum_f32s(total)
    }
}
// ANCHOR_END: peak

fn peak(patience: Duration) -> Result<f64> {
    let isa = Isa::chosen()?;
    let seconds = shortest(patience, || Ok::<f32, FastError>(isa.run(Peak)))?;
    Ok((2 * SUMS * ROUNDS * isa.run(Lanes)) as f64 / seconds / 1e9)
}

/// Numbers in a vector.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// Adds up numbers that are in no cache, from eight places at once: so a processor brings
/// more of them than from one.
struct Sum<'a>(&'a [f32]);

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (vectors, _) = S::as_simd_f32s(self.0);
        let part = vectors.len() / 8;
        let parts: [&[S::f32s]; 8] =
            std::array::from_fn(|p| &vectors[p * part..(p + 1) * part]);
        let mut sums = [simd.splat_f32s(0.0); 8];
        for i in 0..part {
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum = simd.add_f32s(*sum, part[i]);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = simd.add_f32s(total, *sum);
        }
        simd.reduce_sum_f32s(total)
    }
}

fn bandwidth(patience: Duration) -> Result<f64> {
    let (isa, long) = (Isa::chosen()?, vec![1.0; LONG]);
    let seconds = shortest(patience, || Ok::<f32, FastError>(isa.run(Sum(&long))))?;
    Ok((4 * LONG) as f64 / seconds / 1e9)
}

/// The speed of `kernels`' product by the rows of x, layer after layer as in a model.
fn by_rows(patience: Duration) -> Result<Vec<(usize, f64)>> {
    let weight = values(WIDE * K);
    let pack = |_| PackedLinear::new(&weight, None, K, WIDE);
    let layers = (0..LAYERS).map(pack).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for rows in BY_ROWS {
        let (x, mut y) = (values(rows * K), vec![0.0; rows * WIDE]);
        let mut turns = layers.iter().cycle();
        let seconds = shortest(patience, || match turns.next() {
            Some(layer) => layer.forward(&x, rows, Epilogue::None, &mut y),
            None => Ok(()),
        })?;
        found.push((rows, (2 * rows * K * WIDE) as f64 / seconds / 1e9));
    }
    Ok(found)
}

/// GELU of numbers in memory.
struct Gelu<'a>(&'a mut [f32]);

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for x in S::as_mut_simd_f32s(self.0).0 {
            *x = math::gelu(simd, *x);
        }
    }
}

/// Seconds of the wide layer with GELU, on its sums and in a second pass, in turns.
fn gelu(patience: Duration) -> Result<[f64; 2]> {
    let isa = Isa::chosen()?;
    let layer = PackedLinear::new(&values(WIDE * K), None, K, WIDE)?;
    let (x, mut y) = (values(LONG_TEXT * K), vec![0.0; LONG_TEXT * WIDE]);
    let [mut fused, mut separate] = [f64::INFINITY; 2];
    let begun = Instant::now();
    while begun.elapsed() < 4 * patience {
        let start = Instant::now();
        layer.forward(&x, LONG_TEXT, Epilogue::Gelu, &mut y)?;
        fused = fused.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        layer.forward(&x, LONG_TEXT, Epilogue::None, &mut y)?;
        isa.run(Gelu(&mut y));
        separate = separate.min(start.elapsed().as_secs_f64());
    }
    Ok([fused, separate])
}
