//! The cells of appendix 2, in order: `cargo run -p a2-derivations --example
//! a2-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use std::f64::consts::{PI, SQRT_2};

use derivations::*;
use figures::LineChart;
use ndarray::{Array, Array1, Array2, Axis, Dimension, IntoDimension, array};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;
use self_attention::{check_finite, matmul, scaled_scores, softmax};
use whole_transformer::largest_difference;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: paths
    let x: Array1<f64> = array![3.0];
    let slope: Array1<f64> = finite_differences(|x| Ok(x[0] * x[0] + x[0]), &x, 1e-5)?;
    println!("the three paths    {:.4}", x[0] + x[0] + 1.0);
    println!("finite differences {:.4}", slope[0]);
    // ANCHOR_END: paths

    // ANCHOR: steps
    let slope: f64 = 3.0 * 0.7 * 0.7; // of x³ at 0.7
    let steps: [f64; 12] =
        [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12];
    let mut one_sided: Vec<(f64, f64)> = Vec::new();
    let mut central: Vec<(f64, f64)> = Vec::new();
    println!("      h   one-sided     central");
    for h in steps {
        let [below, here, above] = [0.7 - h, 0.7, 0.7 + h].map(|x| x * x * x);
        let a = f64::abs((above - here) / h - slope);
        let b = f64::abs((above - below) / (2.0 * h) - slope);
        one_sided.push((h, a));
        central.push((h, b));
        println!("{h:7.0e}   {a:9.1e}   {b:9.1e}");
    }
    // ANCHOR_END: steps

    // ANCHOR: valley
    LineChart::new()
        .title((
            "Erro de uma derivada por diferenças",
            "Error of a slope found by differences",
        ))
        .x_title("h")
        .y_title(("erro", "error"))
        .log_x()
        .log_y()
        .series(("de um lado", "one-sided"), &one_sided)
        .series(("dos dois lados", "central"), &central)
        .draw()?
        .show()?;
    // ANCHOR_END: valley

    // ANCHOR: operands
    let mut random: NumpyRandom = NumpyRandom::seed(42);
    let x: Array2<f64> = unit_variance(&mut random, 4, 5); // [n, inputs]
    let w: Array2<f64> = unit_variance(&mut random, 3, 5); // [outputs, inputs]
    let b: Array1<f64> = array![0.1, 0.2, 0.3]; // [outputs]
    let dy: Array2<f64> = unit_variance(&mut random, 4, 3); // [n, outputs]
    // ANCHOR_END: operands

    // ANCHOR: linear_check
    {
        let (dx, dw, db) = linear_backward(&dy, &x, &w)?;
        for (name, error) in [
            ("dX", gradient_error(|x| linear(x, &w, &b), &x, &dy, &dx)?),
            ("dW", gradient_error(|w| linear(&x, w, &b), &w, &dy, &dw)?),
            ("db", gradient_error(|b| linear(&x, &w, b), &b, &dy, &db)?),
        ] {
            println!("{name}  {}", verdict(error));
        }
    }
    // ANCHOR_END: linear_check

    // ANCHOR: softmax_check
    let logits: Array2<f64> = linear(&x, &w, &b)?; // [n, classes]
    let dlogits: Array2<f64> = softmax_backward(&dy, &softmax(&logits))?;
    let error: f64 = gradient_error(|x| Ok(softmax(x)), &logits, &dy, &dlogits)?;
    println!("dX  {}", verdict(error));
    // ANCHOR_END: softmax_check

    // ANCHOR: cross_entropy_check
    let targets: [usize; 4] = [2, 0, 1, 1];
    let dlogits: Array2<f64> = cross_entropy_backward(&logits, &targets)?;
    let slopes: Array2<f64> =
        finite_differences(|x| cross_entropy(x, &targets), &logits, 1e-5)?;
    println!("p\n{:.4}\n", softmax(&logits));
    println!("(p − one-hot) / n\n{dlogits:.4}\n");
    println!("finite differences\n{slopes:.4}");
    // ANCHOR_END: cross_entropy_check

    // ANCHOR: layer_norm_check
    let gamma: Array1<f64> = array![1.0, 0.5, 2.0, 1.5, -1.0]; // [d]
    let beta: Array1<f64> = array![0.0, 0.1, 0.2, 0.3, 0.4]; // [d]
    let e: f64 = 1e-5; // epsilon
    let dy: Array2<f64> = unit_variance(&mut random, 4, 5); // [n, d]
    {
        let (dx, dgamma, dbeta) = layer_norm_backward(&dy, &x, &gamma, e)?;
        for (name, error) in [
            ("dX", gradient_error(|x| layer_norm(x, &gamma, &beta, e), &x, &dy, &dx)?),
            (
                "dγ",
                gradient_error(|g| layer_norm(&x, g, &beta, e), &gamma, &dy, &dgamma)?,
            ),
            (
                "dβ",
                gradient_error(|b| layer_norm(&x, &gamma, b, e), &beta, &dy, &dbeta)?,
            ),
        ] {
            println!("{name}  {}", verdict(error));
        }
    }
    // ANCHOR_END: layer_norm_check

    // ANCHOR: control
    {
        let [direct, mean, variance] = layer_norm_paths(&dy, &x, &gamma, e)?;
        for (paths, dx) in [
            ("direct alone        ", direct.clone()),
            ("without the variance", &direct + &mean),
            ("without the mean    ", &direct + &variance),
            ("all three           ", &direct + &mean + &variance),
        ] {
            let error =
                gradient_error(|x| layer_norm(x, &gamma, &beta, e), &x, &dy, &dx)?;
            println!("{paths}  {}", verdict(error));
        }
    }
    // ANCHOR_END: control

    // ANCHOR: gelu_check
    let dx: Array2<f64> = gelu_backward(&dy, &x)?;
    let error: f64 = gradient_error(|x| Ok(gelu(x)), &x, &dy, &dx)?;
    println!("dX  {}", verdict(error));
    // ANCHOR_END: gelu_check

    // ANCHOR: attention_check
    let q: Array2<f64> = unit_variance(&mut random, 3, 4); // [n, d_k]
    let k: Array2<f64> = unit_variance(&mut random, 5, 4); // [m, d_k]
    let v: Array2<f64> = unit_variance(&mut random, 5, 2); // [m, d_v]
    let d_output: Array2<f64> = unit_variance(&mut random, 3, 2); // [n, d_v]
    {
        let (dq, dk, dv) = attention_backward(&d_output, &q, &k, &v)?;
        for (name, error) in [
            ("dQ", gradient_error(|q| attention(q, &k, &v), &q, &d_output, &dq)?),
            ("dK", gradient_error(|k| attention(&q, k, &v), &k, &d_output, &dk)?),
            ("dV", gradient_error(|v| attention(&q, &k, v), &v, &d_output, &dv)?),
        ] {
            println!("{name}  {}", verdict(error));
        }
    }
    // ANCHOR_END: attention_check

    // ANCHOR: embedding_check
    let table: Array2<f64> = unit_variance(&mut random, 5, 2); // [rows, d]
    let numbers: [usize; 4] = [3, 0, 3, 1];
    let dy: Array2<f64> = array![[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]];
    let dtable: Array2<f64> = embedding_backward(&dy, &numbers, 5)?;
    let error: f64 = gradient_error(|t| embedding(t, &numbers), &table, &dy, &dtable)?;
    println!("{dtable}\n\ndT  {}", verdict(error));
    // ANCHOR_END: embedding_check

    // ANCHOR: dropout_check
    let mask: Array2<f64> = dropout_mask(&mut random, (5, 2), 0.5)?;
    let dy: Array2<f64> = unit_variance(&mut random, 5, 2);
    let dx: Array2<f64> = dropout_backward(&dy, &mask)?;
    let another: Array2<f64> = dropout_mask(&mut random, (5, 2), 0.5)?;
    let wrong: Array2<f64> = dropout_backward(&dy, &another)?;
    for (which, dx) in [("the same mask", &dx), ("another mask ", &wrong)] {
        let error = gradient_error(|x| dropout(x, &mask), &table, &dy, dx)?;
        println!("{which}  {}", verdict(error));
    }
    // ANCHOR_END: dropout_check
    Ok(())
}
