//! Linear layers with weights packed once.

use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::error::{KernelError, expect_len, expect_some};
use crate::grid;
use crate::isa::Isa;
use crate::matrix::Matrix;
use crate::tile::{Epilogue, Height, Product, Width, copy_panel, interleave};

/// Rows that a task computes, to a tile more or less: with BERT-base's 768 inputs
/// they fill most of an L2 cache.
const TASK_ROWS: usize = 256;
/// Tasks per thread: enough that a core slowed by other programs gives some away.
const TASKS_PER_THREAD: usize = 4;

/// y = x Wᵀ + b, followed by an [`Epilogue`]; `torch.nn.functional.linear`.
///
/// The weights are laid out once, in the order in which the product reads them. With
/// few rows a layer's time is that of reading its weights from memory, so packing at
/// each call would more than double it.
#[derive(Debug)]
pub struct PackedLinear {
    isa: Isa,
    inputs: usize,
    outputs: usize,
    /// `[panels][inputs][width]`
    panels: Aligned,
    /// Zeros where a layer has none.
    bias: Vec<f32>,
    /// Columns in a panel.
    width: usize,
}

impl PackedLinear {
    /// Packs a layer: `weight` is `[outputs, inputs]`, as PyTorch stores it, and `bias`
    /// `[outputs]`.
    ///
    /// # Errors
    /// If a slice's length disagrees with `inputs` and `outputs`, or either is 0.
    pub fn new(
        weight: &[f32],
        bias: Option<&[f32]>,
        inputs: usize,
        outputs: usize,
    ) -> Result<Self, KernelError> {
        expect_len("the weight", weight.len(), &[outputs, inputs])?;
        Self::side_by_side(&[(weight, bias)], inputs)
    }

    /// Packs several layers that read the same input as one whose outputs stand side by
    /// side: query, key and value become one product of `3 * hidden` columns.
    ///
    /// Each layer is a weight `[outputs, inputs]` and an optional bias `[outputs]`.
    ///
    /// # Errors
    /// If a weight is not made of whole rows of `inputs`, or a bias has not one value
    /// per row, or there is nothing to pack.
    pub fn side_by_side(
        layers: &[(&[f32], Option<&[f32]>)],
        inputs: usize,
    ) -> Result<Self, KernelError> {
        Self::side_by_side_on(Isa::chosen()?, layers, inputs)
    }

    /// [`PackedLinear::side_by_side`] for the given instructions: for tests.
    pub fn side_by_side_on(
        isa: Isa,
        layers: &[(&[f32], Option<&[f32]>)],
        inputs: usize,
    ) -> Result<Self, KernelError> {
        expect_some("the number of inputs", inputs)?;
        for (weight, bias) in layers {
            let outputs = weight.len() / inputs;
            expect_len("the weight", weight.len(), &[outputs, inputs])?;
            let bias_len = bias.map_or(outputs, <[f32]>::len);
            expect_len("the bias", bias_len, &[outputs])?;
        }
        let rows: Vec<&[f32]> =
            layers.iter().flat_map(|(weight, _)| weight.chunks(inputs)).collect();
        let outputs = rows.len();
        expect_some("the number of outputs", outputs)?;

        let width = isa.run(Width);
        let mut panels = Aligned::zeros(outputs.next_multiple_of(width) * inputs);
        panels
            .as_mut_slice()
            .par_chunks_exact_mut(width * inputs)
            .zip(rows.par_chunks(width))
            .for_each(|(panel, rows)| interleave(rows, width, panel));
        let mut all_biases = vec![0.0; outputs];
        let mut rest = all_biases.as_mut_slice();
        for (weight, bias) in layers {
            let (here, after) = rest.split_at_mut(weight.len() / inputs);
            if let Some(bias) = bias {
                here.copy_from_slice(bias);
            }
            rest = after;
        }
        Ok(Self { isa, inputs, outputs, panels, bias: all_biases, width })
    }

    /// The right factor of a product: Wᵀ is `matrix`.
    pub(crate) fn from_matrix(isa: Isa, matrix: Matrix<'_>) -> Self {
        let (inputs, outputs) = matrix.shape();
        let rows = matrix.stored();
        let width = isa.run(Width);
        let mut panels = Aligned::zeros(outputs.next_multiple_of(width) * inputs);
        panels
            .as_mut_slice()
            .par_chunks_exact_mut(width * inputs)
            .enumerate()
            .for_each(|(p, panel)| {
                let first = p * width;
                if matrix.is_transposed() {
                    let end = outputs.min(first + width);
                    interleave(&rows[first..end], width, panel);
                } else {
                    copy_panel(&rows, first, width, panel);
                }
            });
        Self { isa, inputs, outputs, panels, bias: vec![0.0; outputs], width }
    }

    /// The width of a row of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The width of a row of the output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `out` ← epilogue(x Wᵀ + b), with `x` `[rows, inputs]` and `out`
    /// `[rows, outputs]`; a residual has `out`'s shape.
    ///
    /// The same input gives the same bits whatever the number of threads or rows: no
    /// sum is ever split.
    ///
    /// # Errors
    /// If a slice's length disagrees with `rows` and the layer.
    pub fn forward(
        &self,
        x: &[f32],
        rows: usize,
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        expect_len("the input", x.len(), &[rows, self.inputs])?;
        expect_len("the output", out.len(), &[rows, self.outputs])?;
        if let Epilogue::Add(residual) = epilogue {
            expect_len("the residual", residual.len(), &[rows, self.outputs])?;
        }
        let x: Vec<&[f32]> = x.chunks(self.inputs).collect();
        self.multiply(&x, epilogue, out);
        Ok(())
    }

    /// Cuts `out` into tasks, blocks of rows by ranges of columns, and shares them
    /// among the threads. With few rows the threads share the columns, and so the
    /// reading of the weights.
    fn multiply(&self, x: &[&[f32]], epilogue: Epilogue<'_>, out: &mut [f32]) {
        let panels = self.panels.as_slice();
        let height = self.isa.run(Height);
        let row_tasks = x.len().div_ceil(TASK_ROWS).max(1);
        // As many in each, in whole tiles: 320 rows are twice 160, not 256 and 64.
        let task_rows = x.len().div_ceil(row_tasks).next_multiple_of(height).max(1);
        let wanted = TASKS_PER_THREAD * rayon::current_num_threads();
        let task_panels =
            self.outputs.div_ceil(self.width).div_ceil(wanted.div_ceil(row_tasks));
        let task_columns = task_panels * self.width;
        let column_tasks = self.outputs.div_ceil(task_columns);

        grid::cut(out, self.outputs, task_rows, task_columns)
            .into_par_iter()
            .enumerate()
            .for_each(|(task, mut rows)| {
                let row = task / column_tasks * task_rows;
                let column = task % column_tasks * task_columns;
                self.isa.run(Product {
                    k: self.inputs,
                    x: &x[row..],
                    panels: &panels[column * self.inputs..],
                    scale: 1.0,
                    bias: &self.bias[column..],
                    epilogue: epilogue.skip(row * self.outputs + column),
                    stride: self.outputs,
                    rows: &mut rows,
                });
            });
    }
}
