//! Gradients of parameters that candle needn't add up.
//!
//! For each gradient candle allocates zeros, adds the gradient to them into a third tensor,
//! and does so on one thread or two. A parameter's gradient is mostly the only one that it
//! gets, and is needed only when the step is taken: an operation leaves it here.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor};

use crate::by_hand::product::weight_gradient;
use crate::storage::{Values, tensor};
use kernels::in_pool;

/// The gradient of a parameter.
pub enum Aside {
    /// As it is.
    Whole(Tensor),
    /// dW = dYᵀ X, not computed yet: `dy` is `[…, outputs]`, `x` `[…, inputs]`.
    Product { dy: Tensor, x: Tensor },
}

impl Aside {
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
            in_pool(|| weight_gradient(dy, x, rows, &mut dw));
        }
        tensor(dw, parameter.shape())
    }
}

thread_local! {
    /// The gradients that were left, while a backward pass of ours runs.
    static ASIDE: RefCell<Option<Vec<(Tensor, Aside)>>> = const { RefCell::new(None) };
}

/// Leaves a parameter's gradient here; it comes back if the backward pass is candle's own.
pub fn leave(parameter: &Tensor, gradient: Aside) -> Option<Aside> {
    ASIDE.with_borrow_mut(|aside| match aside {
        Some(aside) => {
            aside.push((parameter.clone(), gradient));
            None
        }
        None => Some(gradient),
    })
}

/// Whether gradients of this tensor can be left here.
pub fn takes(parameter: &Tensor) -> bool {
    parameter.is_variable() && ASIDE.with_borrow(Option::is_some)
}

/// candle's gradients of `loss`, and those that were left meanwhile.
pub fn collect(loss: &Tensor) -> Result<(GradStore, Vec<(Tensor, Aside)>)> {
    ASIDE.set(Some(Vec::new()));
    let gradients = loss.backward();
    let aside = ASIDE.take().unwrap_or_default();
    Ok((gradients?, aside))
}

/// Adds what was left to what candle found.
pub fn add(
    gradients: &mut GradStore,
    parameter: &Tensor,
    gradient: Aside,
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
/// parameters of [`encoder_layer`](crate::layer::encoder_layer), which it can't. Those of
/// a [`linear`](crate::ops::linear) layer cost less than with it.
///
/// # Errors
///
/// If an operation has no backward pass.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    let (mut gradients, aside) = collect(loss)?;
    for (parameter, gradient) in aside {
        add(&mut gradients, &parameter, gradient)?;
    }
    Ok(gradients)
}
