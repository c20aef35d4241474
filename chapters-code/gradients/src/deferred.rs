//! Gradients of parameters that candle needn't add up.
//!
//! For each gradient candle allocates zeros, adds the gradient to them into a third tensor,
//! and does so on one thread or two. A parameter's gradient is mostly the only one that it
//! gets, and is needed only when the step is taken: an operation defers it.
//!
//! A deferred gradient goes to the backward pass that the operation's result is a node of.
//! While a pass waits for the threads of rayon's pool, its own thread may take up other
//! work, another training's backward pass too, ours or candle's: that one's nodes are
//! others, so neither takes the other's gradients.

use std::cell::RefCell;
use std::collections::HashSet;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, TensorId};
use kernels::in_pool;
use kernels::strided::weight_gradient;

use crate::storage::{Values, tensor, wrap};

/// The gradient of a parameter.
pub enum Deferred {
    /// As it is.
    Whole(Tensor),
    /// dW = dYᵀ X, not computed yet: `dy` is `[…, outputs]`, `x` `[…, inputs]`.
    Product { dy: Tensor, x: Tensor },
}

impl Deferred {
    /// The gradient, of the parameter's shape.
    pub fn into_tensor(self, parameter: &Tensor) -> Result<Tensor> {
        let (dy, x) = match self {
            Self::Whole(gradient) => return Ok(gradient),
            Self::Product { dy, x } => (dy, x),
        };
        let rows = x.elem_count() / parameter.dim(1)?;
        let mut dw = vec![0.0; parameter.elem_count()];
        {
            let (dy, x) = (Values::of(&dy)?, Values::of(&x)?);
            let (dy, x) = (&*dy, &*x);
            in_pool(|| weight_gradient(dy, x, rows, &mut dw)).map_err(wrap)?;
        }
        tensor(dw, parameter.shape())
    }
}

/// A backward pass of ours, under way.
struct Pass {
    /// The graph that it goes through.
    nodes: HashSet<TensorId>,
    /// Parameters, and what was deferred.
    deferred: Vec<(Tensor, Deferred)>,
}

thread_local! {
    /// The pass that this thread has begun last, and not ended.
    static PASS: RefCell<Option<Pass>> = const { RefCell::new(None) };
}

/// Puts the pass before back in its place, also after a panic.
struct Restore(Option<Pass>);

impl Drop for Restore {
    fn drop(&mut self) {
        PASS.set(self.0.take());
    }
}

/// Leaves a parameter's gradient to the pass that goes through `node`, the operation's
/// result. If that pass is candle's own, or `parameter` is none that is trained, the
/// gradient comes back.
pub fn defer(
    node: &Tensor,
    parameter: &Tensor,
    gradient: Deferred,
) -> Option<Deferred> {
    PASS.with_borrow_mut(|pass| match pass {
        Some(pass) if parameter.is_variable() && pass.nodes.contains(&node.id()) => {
            pass.deferred.push((parameter.clone(), gradient));
            None
        }
        _ => Some(gradient),
    })
}

/// candle's gradients of `loss`, and those that were deferred meanwhile.
pub fn collect(loss: &Tensor) -> Result<(GradStore, Vec<(Tensor, Deferred)>)> {
    let nodes = loss.sorted_nodes().into_iter().map(Tensor::id).collect();
    let outer = Restore(PASS.replace(Some(Pass { nodes, deferred: Vec::new() })));
    let gradients = loss.backward();
    let pass = PASS.take();
    drop(outer);
    Ok((gradients?, pass.map_or_else(Vec::new, |pass| pass.deferred)))
}

/// Adds what was deferred to what candle found.
pub fn add(
    gradients: &mut GradStore,
    parameter: &Tensor,
    gradient: Deferred,
) -> Result<()> {
    let gradient = gradient.into_tensor(parameter)?;
    let sum = match gradients.remove(parameter) {
        Some(other) => (other + gradient)?,
        None => gradient,
    };
    gradients.insert(parameter, sum);
    Ok(())
}

/// The gradients of `loss`, as [`Tensor::backward`] finds them, with those of the
/// parameters of [`encoder_layer`](crate::encoder_layer), which it can't. Those of
/// a [`linear()`](crate::linear()) layer cost less than with it.
///
/// # Errors
///
/// If an operation has no backward pass.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    let (mut gradients, deferred) = collect(loss)?;
    for (parameter, gradient) in deferred {
        add(&mut gradients, &parameter, gradient)?;
    }
    Ok(gradients)
}
