//! AdamW, and what is done to gradients before it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use candle_core::backprop::GradStore;
use candle_core::{
    CpuStorage, Error, InplaceOp1, InplaceOp2, Layout, Tensor, Var, bail,
};
use kernels::strided::WeightGradient;
use kernels::{Isa, KernelError, in_pool};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::deferred::{self, Deferred};
use crate::error::{GradientError, Result};
use crate::parameters::Parameters;
use crate::storage::{Values, expect_f32, keep, slice, take, tensor, wrap};

/// How [`AdamW`] steps, with PyTorch's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWOptions {
    /// How much of the mean of gradients stays at each step.
    pub beta1: f64,
    /// How much of the mean of their squares stays.
    pub beta2: f64,
    /// Added to the square root.
    pub epsilon: f64,
    /// How much of each weight is lost at each step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

/// AdamW (Loshchilov and Hutter 2019); `torch.optim.AdamW`.
///
/// For each number θ of the parameters with gradient g, at step t with learning rate η:
///
/// ```text
/// θ ← θ − η λ θ                            decay, for matrices only
/// m ← β₁ m + (1 − β₁) g                    the gradient's mean
/// v ← β₂ v + (1 − β₂) g²                   its square's mean
/// θ ← θ − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
///
/// m and v start at 0; the divisions by 1 − βᵗ undo that bias. Biases and norms, the
/// parameters with one axis, don't decay. Each parameter is read and written once.
#[derive(Debug)]
pub struct AdamW {
    /// β₁, β₂, ε and λ.
    pub options: AdamWOptions,
    step: u64,
    moments: BTreeMap<String, Moments>,
}

/// m and v, as many numbers as the parameter has.
type Moments = [Vec<f32>; 2];

/// What their names begin with in [`AdamW::state`].
const PREFIXES: [&str; 2] = ["first_moment.", "second_moment."];

/// The norm of all gradients as one vector, √Σ g².
///
/// # Errors
///
/// If a parameter has no gradient, or the norm isn't finite.
pub fn gradient_norm(parameters: &Parameters, gradients: &GradStore) -> Result<f64> {
    let mut sum = 0.0;
    for (name, parameter) in parameters.iter() {
        let gradient = gradient(name, parameter, gradients)?;
        sum += squares(&Values::of(&gradient.contiguous()?)?);
    }
    let norm = sum.sqrt();
    if norm.is_finite() { Ok(norm) } else { Err(GradientError::NotFinite(norm)) }
}

/// What to multiply gradients by so that their norm is at most `most`;
/// `torch.nn.utils.clip_grad_norm_`, whose 1e-6 it has.
pub fn clip_factor(norm: f64, most: f64) -> f64 {
    (most / (norm + 1e-6)).min(1.0)
}

fn gradient<'a>(
    name: &str,
    parameter: &Var,
    gradients: &'a GradStore,
) -> Result<&'a Tensor> {
    let missing = || GradientError::NoGradient { name: name.to_string() };
    gradients.get(parameter).ok_or_else(missing)
}

/// Values of a task: always the same parts, so that their sums are, too.
const CHUNK: usize = 1 << 14;

fn squares(values: &[f32]) -> f64 {
    let sums: Vec<f64> = in_pool(|| {
        values.par_chunks(CHUNK).map(|part| Isa::current().run(Squares(part))).collect()
    });
    sums.iter().sum()
}

struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut sums = [0.0_f64; 16];
        let (parts, rest) = self.0.as_chunks::<16>();
        for part in parts {
            for (sum, &x) in sums.iter_mut().zip(part) {
                *sum += f64::from(x) * f64::from(x);
            }
        }
        sums.iter().sum::<f64>()
            + rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>()
    }
}

impl AdamW {
    /// An optimizer that has taken no step.
    ///
    /// # Errors
    ///
    /// If a parameter isn't f32 on the CPU.
    pub fn new(parameters: &Parameters, options: AdamWOptions) -> Result<Self> {
        let moments = parameters.iter().map(|(name, parameter)| {
            expect_f32(parameter)?;
            let zeros = vec![0.0; parameter.elem_count()];
            Ok((name.to_string(), [zeros.clone(), zeros]))
        });
        Ok(Self { options, step: 0, moments: moments.collect::<Result<_>>()? })
    }

    /// The steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// One step against the gradients, each multiplied by `factor` first (see
    /// [`clip_factor`]; 1 for as they are).
    ///
    /// # Errors
    ///
    /// If a parameter has no gradient, or isn't one of those that the optimizer was made
    /// for.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        gradients: &GradStore,
        learning_rate: f64,
        factor: f64,
    ) -> Result<()> {
        self.step += 1;
        for (name, parameter) in parameters.iter() {
            let gradient = gradient(name, parameter, gradients)?;
            let update = self.update(parameter, learning_rate, factor);
            update.on(parameter, gradient, self.moments(name)?)?;
        }
        Ok(())
    }

    /// One step against the gradients of `loss`: [`backward`](crate::backward) and
    /// [`AdamW::step`] in one, to the bit; TensorFlow's `Optimizer.minimize`.
    ///
    /// Nothing is clipped, so a weight's gradient is needed only where the weight is: of
    /// each [`linear()`](crate::linear()) layer some rows of dW = dYᵀ X are computed, and
    /// the step is taken with them while they are in cache. Neither the gradient nor the
    /// weight makes another trip to memory.
    ///
    /// # Errors
    ///
    /// If an operation has no backward pass, and as [`AdamW::step`].
    pub fn minimize(
        &mut self,
        parameters: &Parameters,
        loss: &Tensor,
        learning_rate: f64,
    ) -> Result<()> {
        let (mut gradients, deferred) = deferred::collect(loss)?;
        let mut products = HashMap::new();
        for (parameter, gradient) in deferred {
            match gradient {
                Deferred::Product { dy, x }
                    if !products.contains_key(&parameter.id()) =>
                {
                    products.insert(parameter.id(), (dy, x));
                }
                other => deferred::add(&mut gradients, &parameter, other)?,
            }
        }
        self.step += 1;
        for (name, parameter) in parameters.iter() {
            let update = self.update(parameter, learning_rate, 1.0);
            if let Some((dy, x)) = products.remove(&parameter.id()) {
                if gradients.get(parameter).is_none() {
                    update.on_product(parameter, dy, x, self.moments(name)?)?;
                    continue;
                }
                deferred::add(&mut gradients, parameter, Deferred::Product { dy, x })?;
            }
            let gradient = gradient(name, parameter, &gradients)?;
            update.on(parameter, gradient, self.moments(name)?)?;
        }
        Ok(())
    }

    fn update(&self, parameter: &Var, learning_rate: f64, factor: f64) -> Update {
        let decays = parameter.rank() > 1;
        Update::new(self.options, self.step, learning_rate, factor, decays)
    }

    fn moments(&mut self, name: &str) -> Result<&mut Moments> {
        let unknown = || GradientError::Unknown { name: name.to_string() };
        self.moments.get_mut(name).ok_or_else(unknown)
    }

    /// m and v of each parameter, `first_moment.` and `second_moment.` before its name:
    /// with [`AdamW::steps`], all that the next step depends on beside the parameters.
    ///
    /// # Errors
    ///
    /// If the optimizer was made for other parameters.
    pub fn state(&self, parameters: &Parameters) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        for (name, parameter) in parameters.iter() {
            let Some(moments) = self.moments.get(name) else {
                return Err(GradientError::Unknown { name: name.to_string() });
            };
            for (prefix, values) in PREFIXES.into_iter().zip(moments) {
                let moment = tensor(values.clone(), parameter.shape())?;
                state.insert(format!("{prefix}{name}"), moment);
            }
        }
        Ok(state)
    }

    /// Goes on from a [`AdamW::state`] after so many steps. It may hold other tensors,
    /// too, which are left alone.
    ///
    /// # Errors
    ///
    /// If a parameter's m or v is missing or of another shape, or isn't f32 on the CPU;
    /// then nothing is changed.
    pub fn restore(
        &mut self,
        parameters: &Parameters,
        state: &BTreeMap<String, Tensor>,
        steps: u64,
    ) -> Result<()> {
        let mut restored = BTreeMap::new();
        for (name, parameter) in parameters.iter() {
            let [m, v] = PREFIXES
                .map(|prefix| moment(state, format!("{prefix}{name}"), parameter));
            restored.insert(name.to_string(), [m?, v?]);
        }
        self.moments.extend(restored);
        self.step = steps;
        Ok(())
    }
}

/// A parameter's m or v, of its shape.
fn moment(
    state: &BTreeMap<String, Tensor>,
    name: String,
    parameter: &Var,
) -> Result<Vec<f32>> {
    let Some(found) = state.get(&name) else {
        return Err(GradientError::Unknown { name });
    };
    if found.dims() != parameter.dims() {
        let (found, shape) = (found.dims(), parameter.dims());
        let wrong = format!("{name} is {found:?}, expected {shape:?}");
        return Err(Error::Msg(wrong).into());
    }
    Ok(Values::of(&found.contiguous()?)?.to_vec())
}

/// What is the same for all numbers of a parameter at a step.
#[derive(Clone, Copy)]
struct Update {
    /// What clipping leaves of the gradient, from 0 to 1.
    factor: f64,
    /// 1 − η λ
    keep: f64,
    beta1: f64,
    beta2: f64,
    /// η / (1 − β₁ᵗ)
    rate: f64,
    /// √(1 − β₂ᵗ)
    correction: f64,
    epsilon: f64,
}

impl Update {
    fn new(
        options: AdamWOptions,
        step: u64,
        learning_rate: f64,
        factor: f64,
        decays: bool,
    ) -> Self {
        let AdamWOptions { beta1, beta2, epsilon, weight_decay } = options;
        let t = step as f64;
        let decay = if decays { weight_decay } else { 0.0 };
        Self {
            factor,
            keep: 1.0 - learning_rate * decay,
            beta1,
            beta2,
            rate: learning_rate / (1.0 - beta1.powf(t)),
            correction: (1.0 - beta2.powf(t)).sqrt(),
            epsilon,
        }
    }

    /// Moves a parameter against its gradient.
    fn on(
        self,
        parameter: &Var,
        gradient: &Tensor,
        [m, v]: &mut Moments,
    ) -> Result<()> {
        let moments = Mutex::new(Some([std::mem::take(m), std::mem::take(v)]));
        let op = InPlace { update: self, moments };
        let done = parameter.inplace_op2(&gradient.contiguous()?, &op);
        [*m, *v] = take(&op.moments, "AdamW")?;
        Ok(done?)
    }

    /// As [`Update::on`] with the gradient dYᵀ X.
    fn on_product(
        self,
        parameter: &Var,
        dy: Tensor,
        x: Tensor,
        [m, v]: &mut Moments,
    ) -> Result<()> {
        let moments = Mutex::new(Some([std::mem::take(m), std::mem::take(v)]));
        let op = OfProduct { update: self, dy, x, moments };
        let done = parameter.inplace_op1(&op);
        [*m, *v] = take(&op.moments, "AdamW")?;
        Ok(done?)
    }
}

/// The update of a parameter where it lies. candle lends one tensor to be changed; m and v
/// are lent through the mutex.
struct InPlace {
    update: Update,
    moments: Mutex<Option<Moments>>,
}

impl InplaceOp2 for InPlace {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let mut moments = take(&self.moments, self.name())?;
        let gradient = slice(gradient, gradient_layout)?;
        let CpuStorage::F32(values) = parameter else { bail!("adamw: not f32") };
        let [m, v] = &mut moments;
        if let Some((start, end)) = layout.contiguous_offsets()
            && [gradient.len(), m.len(), v.len()] == [end - start; 3]
        {
            let parameter = &mut values[start..end];
            in_pool(|| self.update.run(parameter, gradient, m, v));
            keep(&self.moments, moments);
            return Ok(());
        }
        keep(&self.moments, moments);
        bail!("adamw: a gradient or moments of another shape than the parameter")
    }
}

/// The update of a weight by a gradient that is never there as a whole.
struct OfProduct {
    update: Update,
    /// `[…, outputs]`
    dy: Tensor,
    /// `[…, inputs]`
    x: Tensor,
    moments: Mutex<Option<Moments>>,
}

impl InplaceOp1 for OfProduct {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<()> {
        let mut moments = take(&self.moments, self.name())?;
        let (dy, x) = (Values::of(&self.dy)?, Values::of(&self.x)?);
        let (dy, x, rows) = (&*dy, &*x, self.x.elem_count() / layout.dims()[1]);
        let CpuStorage::F32(values) = parameter else { bail!("adamw: not f32") };
        let [m, v] = &mut moments;
        let place = layout.contiguous_offsets().filter(|(start, end)| {
            let len = end - start;
            [m.len(), v.len(), dy.len() / rows * (x.len() / rows)] == [len; 3]
        });
        let done = place.map(|(start, end)| {
            let parameter = &mut values[start..end];
            in_pool(|| self.update.run_product(parameter, [dy, x], rows, m, v))
        });
        keep(&self.moments, moments);
        match done {
            Some(done) => done.map_err(wrap),
            None => {
                bail!(
                    "adamw: a gradient or moments of another shape than the parameter"
                )
            }
        }
    }
}

thread_local! {
    /// Some rows of a gradient.
    static ROWS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Update {
    fn run_product(
        self,
        parameter: &mut [f32],
        [dy, x]: [&[f32]; 2],
        rows: usize,
        m: &mut [f32],
        v: &mut [f32],
    ) -> Result<(), KernelError> {
        let product = WeightGradient::new(dy, x, rows)?;
        parameter
            .par_chunks_mut(product.task())
            .zip(m.par_chunks_mut(product.task()))
            .zip(v.par_chunks_mut(product.task()))
            .enumerate()
            .for_each(|(task, ((parameter, m), v))| {
                ROWS.with_borrow_mut(|gradient| {
                    gradient.resize(parameter.len(), 0.0);
                    product.compute(task, gradient);
                    Isa::current().run(Step {
                        update: self,
                        parameter,
                        gradient,
                        m,
                        v,
                    });
                });
            });
        Ok(())
    }

    fn run(
        self,
        parameter: &mut [f32],
        gradient: &[f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        parameter
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(m.par_chunks_mut(CHUNK))
            .zip(v.par_chunks_mut(CHUNK))
            .for_each(|(((parameter, gradient), m), v)| {
                Isa::current().run(Step { update: self, parameter, gradient, m, v });
            });
    }
}

struct Step<'a, 'o> {
    update: Update,
    parameter: &'o mut [f32],
    gradient: &'a [f32],
    m: &'o mut [f32],
    v: &'o mut [f32],
}

impl WithSimd for Step<'_, '_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the arithmetic is f32")]
    fn with_simd<S: Simd>(self, _: S) {
        let Update { factor, keep, beta1, beta2, rate, correction, epsilon } =
            self.update;
        let (factor, keep, epsilon) = (factor as f32, keep as f32, epsilon as f32);
        let (rest1, rest2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
        let (beta2, rate, root) =
            (beta2 as f32, rate as f32, (1.0 / correction) as f32);
        let values = self.parameter.iter_mut().zip(self.gradient);
        for ((x, &g), (m, v)) in values.zip(self.m.iter_mut().zip(self.v)) {
            let g = g * factor;
            *m += (g - *m) * rest1;
            *v = *v * beta2 + g * g * rest2;
            *x = *x * keep - rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}
