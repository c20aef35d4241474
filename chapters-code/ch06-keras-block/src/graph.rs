//! From symbols to a model's layers, in Keras' order and with Keras' names.

use std::collections::{HashMap, HashSet};

use crate::error::{KerasError, Result};
use crate::layer::{KerasTensor, described};

/// The layers between an input and an output, sorted as Keras sorts them: by how many
/// layers are between each and the output, the farthest first, and those as far by when a
/// walk from the output, inputs first to last, meets them.
pub fn layers(input: &KerasTensor, output: &KerasTensor) -> Result<Vec<KerasTensor>> {
    let mut walk = Walk::default();
    walk.visit(output);
    for tensor in &walk.met {
        if tensor.node().inputs.is_empty() && tensor.id() != input.id() {
            let name = |x: &KerasTensor| {
                let node = x.node();
                described(&*node.layer, node.name.as_deref())
            };
            let (output, input) = (name(output), name(tensor) + ", another Input");
            return Err(KerasError::Disconnected { output, input });
        }
    }
    let mut depths: HashMap<u64, usize> = HashMap::new();
    for tensor in walk.finished.iter().rev() {
        let depth = *depths.entry(tensor.id()).or_insert(0);
        for input in &tensor.node().inputs {
            let known = depths.entry(input.id()).or_insert(0);
            *known = (*known).max(depth + 1);
        }
    }
    let mut layers = walk.met;
    // The sort is stable: those as far stay in the order in which they were met.
    layers.sort_by_key(|tensor| std::cmp::Reverse(depths[&tensor.id()]));
    Ok(layers)
}

#[derive(Default)]
struct Walk {
    seen: HashSet<u64>,
    /// When first seen.
    met: Vec<KerasTensor>,
    /// When all that they need is.
    finished: Vec<KerasTensor>,
}

impl Walk {
    fn visit(&mut self, tensor: &KerasTensor) {
        if !self.seen.insert(tensor.id()) {
            return;
        }
        self.met.push(tensor.clone());
        for input in &tensor.node().inputs {
            self.visit(input);
        }
        self.finished.push(tensor.clone());
    }
}

/// A name for each layer: the user's, or the class' in snake case with a number from the
/// second on, in the order in which the layers were called.
pub fn names(layers: &[KerasTensor]) -> Result<Vec<String>> {
    let mut order: Vec<usize> = (0..layers.len()).collect();
    order.sort_by_key(|&i| layers[i].id());
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut names = vec![String::new(); layers.len()];
    for i in order {
        let node = layers[i].node();
        names[i] = match &node.name {
            Some(name) => name.clone(),
            None => numbered(&snake_case(node.layer.class()), &mut counts),
        };
    }
    for name in &names {
        let times = names.iter().filter(|other| *other == name).count();
        if times > 1 {
            return Err(KerasError::Name { name: name.clone(), times });
        }
    }
    Ok(names)
}

/// `name`, then `name_1`, `name_2` …
pub fn numbered(name: &str, counts: &mut HashMap<String, usize>) -> String {
    let count = counts.entry(name.to_owned()).or_insert(0);
    *count += 1;
    if *count == 1 { name.to_owned() } else { format!("{name}_{}", *count - 1) }
}

/// `TrueDivide` as `true_divide`.
pub fn snake_case(class: &str) -> String {
    let mut name = String::new();
    for (i, c) in class.char_indices() {
        if c.is_uppercase() && i > 0 {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    name
}
