//! What can be done at the same time: attention, whose rows don't wait for one another,
//! beside a recurrence, whose steps do. `cargo bench -p a1-attention-cost --bench parallel`
//! measures both.

use std::panic::resume_unwind;
use std::thread;

use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use serde::{Deserialize, Serialize};
use whole_transformer::{TransformerError, scaled_dot_product};

use crate::error::{CostError, Result};

// ANCHOR: recurrence
/// A recurrent network's states: `h[t] = tanh(x[t] + U h[t − 1])`, from `h = 0` on.
/// Words `[n, d]` and `U` `[d, d]` give states `[n, d]`.
///
/// # Errors
///
/// [`CostError::Recurrence`] if `U` is not `[d, d]`.
pub fn recurrence(x: &Array2<f64>, u: &Array2<f64>) -> Result<Array2<f64>> {
    let (n, d) = x.dim();
    if u.dim() != (d, d) {
        let found = [u.nrows(), u.ncols()];
        return Err(CostError::Recurrence { found, expected: d });
    }
    let mut states = Array2::zeros((n, d));
    let mut state: Array1<f64> = Array1::zeros(d);
    for (word, mut kept) in x.rows().into_iter().zip(states.rows_mut()) {
        state = (u.dot(&state) + word).tanh(); // [d, d] · [d] -> [d]
        kept.assign(&state);
    }
    Ok(states)
}
// ANCHOR_END: recurrence

// ANCHOR: attention_in_threads
/// Attention with its queries shared out among threads: `[n, d_k]`, `[m, d_k]` and `[m,
/// d_v]` give `[n, d_v]`, as [`scaled_dot_product`] does.
///
/// # Errors
///
/// [`CostError::Threads`] without a thread; those of [`scaled_dot_product`].
pub fn attention_in_threads(
    q: &Array2<f64>,
    k: &Array2<f64>,
    v: &Array2<f64>,
    threads: usize,
) -> Result<Array2<f64>> {
    if threads == 0 {
        return Err(CostError::Threads);
    }
    let attend = |q: ArrayView2<f64>| scaled_dot_product(&q.to_owned(), k, v, None);
    let rows = q.nrows().div_ceil(threads).max(1); // queries of each thread
    let parts: Result<Vec<Array2<f64>>, TransformerError> = thread::scope(|scope| {
        let workers: Vec<_> = q
            .axis_chunks_iter(Axis(0), rows)
            .map(|q| scope.spawn(move || attend(q)))
            .collect();
        let found = workers.into_iter().map(|worker| {
            let part = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok(part?.output)
        });
        found.collect()
    });
    let parts = parts?;
    let views: Vec<ArrayView2<f64>> = parts.iter().map(|part| part.view()).collect();
    let whole = concatenate(Axis(0), &views); // one part below the other
    Ok(whole.unwrap_or_else(|_| Array2::zeros((0, v.ncols()))))
}
// ANCHOR_END: attention_in_threads

/// What one sentence took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How many words the sentence had.
    pub tokens: usize,
    /// Seconds of [`recurrence`].
    pub recurrence: f64,
    /// Seconds of [`attention_in_threads`] with one thread.
    pub one_thread: f64,
    /// Seconds of the same with [`Parallel::threads`].
    pub all_threads: f64,
}

/// What attention and a recurrence took on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parallel {
    /// The machine's processor, as it calls itself, and its vector instructions.
    pub machine: String,
    /// How many threads [`Times::all_threads`] had.
    pub threads: usize,
    /// Numbers per word.
    pub width: usize,
    /// Seconds of `n` products of a vector by a matrix, `[d] · [d, d]`, one by one, and of
    /// the same in one product, `[n, d] · [d, d]`, with `n = d` = [`Parallel::width`].
    pub one_by_one: f64,
    /// See [`Parallel::one_by_one`].
    pub together: f64,
    /// One for each length.
    pub times: Vec<Times>,
}

impl Parallel {
    /// What was measured for the book's page.
    ///
    /// # Errors
    ///
    /// If the file is not such a record.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../parallel.json"))
    }
}
