//! `plot_model`: the graph as a picture.

use figures::{Diagram, Figure};

use crate::error::Result;
use crate::model::Model;

impl Model {
    /// The graph with the shape that each layer gives:
    /// `keras.utils.plot_model(model, show_shapes=True)`.
    pub fn plot(&self) -> Result<Figure> {
        let mut diagram =
            Diagram::new().title(("Modelo: functional", "Model: functional"));
        for layer in &self.layers {
            let class = layer.tensor.node().layer.class();
            let shape = layer.tensor.shape();
            let lines = [layer.name.clone(), class.to_owned(), shape.to_string()];
            diagram = diagram.node(lines);
        }
        let place = |id: u64| self.layers.iter().position(|l| l.tensor.id() == id);
        for (to, layer) in self.layers.iter().enumerate() {
            let inputs = &layer.tensor.node().inputs;
            for from in inputs.iter().filter_map(|input| place(input.id())) {
                diagram = diagram.edge(from, to);
            }
        }
        Ok(diagram.draw()?)
    }
}
