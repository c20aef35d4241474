//! `model.summary()`: Keras' table, to the character.

use std::fmt::Write as _;

use crate::model::Model;
use crate::model_layer::{ModelLayer, Variable};
use crate::optimizer::Compiled;

/// Keras' table for 80 columns: 76 characters, in columns that end at these percents of it.
const WIDTH: usize = 76;
const CONNECTED: [usize; 4] = [30, 56, 74, 100];
const SEQUENTIAL: [usize; 3] = [45, 80, 100];

impl Model {
    /// The layers with their output shapes, parameters and inputs, as `model.summary()`
    /// prints them in 80 columns.
    pub fn summary(&self) -> String {
        // With one output, only a layer with two inputs can join branches.
        let connected =
            self.layers.iter().any(|layer| layer.tensor.node().inputs.len() > 1);
        let table = Table::new(connected);
        let mut text = "Model: \"functional\"\n".to_owned();
        let header = ["Layer (type)", "Output Shape", "Param #", "Connected to"];
        text += &table.line(['┏', '━', '┳', '┓']);
        text += &table.row(&header.map(str::to_owned), '┃');
        text += &table.line(['┡', '━', '╇', '┩']);
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                text += &table.line(['├', '─', '┼', '┤']);
            }
            text += &table.row(&self.fields(layer), '│');
        }
        text += &table.line(['└', '─', '┴', '┘']);
        text + &self.totals()
    }

    fn fields(&self, layer: &ModelLayer) -> [String; 4] {
        let class = layer.tensor.node().layer.class();
        let count: usize = layer.variables.iter().map(Variable::count).sum();
        let inputs = layer.tensor.node().inputs.iter();
        let inputs: Vec<String> =
            inputs.map(|input| format!("{}[0][0]", self.name_of(input.id()))).collect();
        let inputs = if inputs.is_empty() { "-".to_owned() } else { inputs.join(", ") };
        let shape = layer.tensor.shape().to_string();
        [format!("{} ({class})", layer.name), shape, thousands(count), inputs]
    }

    pub(crate) fn name_of(&self, id: u64) -> &str {
        let layer = self.layers.iter().find(|layer| layer.tensor.id() == id);
        layer.map_or("?", |layer| &layer.name)
    }

    fn totals(&self) -> String {
        let count = self.count_params();
        // Adam's two moments of each weight, its step and its learning rate.
        let optimizer = self.compiled.as_ref().map_or(0, Compiled::state);
        let mut lines = vec![
            ("Total", count + optimizer),
            ("Trainable", count),
            ("Non-trainable", 0),
        ];
        if optimizer > 0 {
            lines.push(("Optimizer", optimizer));
        }
        let mut text = String::new();
        for (name, count) in lines {
            let size = memory(4 * count);
            // Writing to a String does not fail.
            let _ = writeln!(text, " {name} params: {} ({size})", thousands(count));
        }
        text
    }
}

/// `6518784` as `6,518,784`.
fn thousands(number: usize) -> String {
    indicatif::HumanCount(number as u64).to_string()
}

/// Bytes as Keras writes them.
fn memory(bytes: usize) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}

/// The widths of columns, without their borders and the space on either side.
struct Table(Vec<usize>);

impl Table {
    fn new(connected: bool) -> Self {
        let ends: &[usize] = if connected { &CONNECTED } else { &SEQUENTIAL };
        let ends: Vec<usize> = ends.iter().map(|end| end * WIDTH / 100).collect();
        let starts = [0].into_iter().chain(ends.iter().copied());
        let widths: Vec<usize> =
            starts.zip(&ends).map(|(start, end)| end - start).collect();
        Self(shrunk(&widths))
    }

    /// A line between rows: its left end, its dash, its crossing, its right end.
    fn line(&self, [left, dash, cross, right]: [char; 4]) -> String {
        let dashes: Vec<String> =
            self.0.iter().map(|width| dash.to_string().repeat(width + 2)).collect();
        format!("{left}{}{right}\n", dashes.join(&cross.to_string()))
    }

    /// A row of the table, of as many lines as its longest field needs.
    fn row(&self, fields: &[String; 4], border: char) -> String {
        let cells: Vec<Vec<String>> =
            self.0.iter().zip(fields).map(|(&width, text)| wrap(text, width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut text = String::new();
        for line in 0..height {
            for (column, (cell, &width)) in cells.iter().zip(&self.0).enumerate() {
                let part = cell.get(line).map_or("", String::as_str);
                // Counts stand at the right. Writing to a String does not fail.
                let _ = match column {
                    2 => write!(text, "{border} {part:>width$} "),
                    _ => write!(text, "{border} {part:<width$} "),
                };
            }
            text.push(border);
            text.push('\n');
        }
        text
    }
}

/// What is left of the widths for text. `rich`, which draws the table for Keras, adds a
/// space on either side of each and the borders between; what is then over 76 it takes
/// from all columns alike.
fn shrunk(widths: &[usize]) -> Vec<usize> {
    let room = WIDTH - (widths.len() + 1);
    let mut over =
        (widths.iter().sum::<usize>() + 2 * widths.len()).saturating_sub(room);
    let mut shrunk = Vec::new();
    for (i, width) in widths.iter().enumerate() {
        let left = widths.len() - i;
        // Rounded to the nearest, a half to the even one, as Python does.
        let (share, rest) = (over / left, over % left);
        let up = 2 * rest > left || (2 * rest == left && share % 2 == 1);
        let share = share + usize::from(up);
        over -= share;
        shrunk.push(width - share);
    }
    shrunk
}

/// Text in lines of at most so many characters, broken at spaces; a longer word is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let mut word = word.to_owned();
        if word.chars().count() > width {
            word = word.chars().take(width - 1).chain(['…']).collect();
        }
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
