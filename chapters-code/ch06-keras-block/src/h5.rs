//! Keras' own `.weights.h5`.
//!
//! Keras files a layer under its class in snake case, numbered in the model's order, not
//! under its name: `layers/dense_2/vars/0`. The weights of a layer inside it are under
//! that layer's name.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use gradients::file::Tensors;
use hdf5_reader::Hdf5File;

use crate::graph;
use crate::model::Model;
use crate::model_layer::ModelLayer;

/// The weights of a file by the model's paths; those that the model doesn't have are left
/// out.
pub(crate) fn read(model: &Model, bytes: Vec<u8>) -> Result<Tensors, String> {
    let file = Hdf5File::from_vec(bytes)
        .map_err(|error| format!("it can't be read as HDF5: {error}"))?;
    let mut counts = HashMap::new();
    let mut tensors = Tensors::new();
    for layer in &model.layers {
        // Operations on symbols, such as Matmul, are no Keras layers and have no place.
        let class = graph::snake_case(layer.tensor.node().layer.class());
        let place = graph::numbered(&class, &mut counts);
        for (name, place) in places(layer, &place) {
            let tensor = tensor(&file, &place)
                .map_err(|error| format!("{name}, at {place}: {error}"))?;
            tensors.insert(name, tensor);
        }
    }
    Ok(tensors)
}

/// Where each weight of a layer is: `query/kernel` at `layers/dense_1/vars/0`.
fn places(layer: &ModelLayer, place: &str) -> Vec<(String, String)> {
    let mut own = 0;
    let mut places = Vec::new();
    for variable in &layer.variables {
        let at = if let Some((inner, _)) = variable.weight.name.split_once('/') {
            format!("layers/{place}/{inner}/vars/0")
        } else {
            own += 1;
            format!("layers/{place}/vars/{}", own - 1)
        };
        places.push((variable.path.clone(), at));
    }
    places
}

fn tensor(file: &Hdf5File, place: &str) -> Result<Tensor, String> {
    let dataset = file.dataset(place).map_err(|error| error.to_string())?;
    let values = dataset.read_array::<f32>().map_err(|error| error.to_string())?;
    let shape = values.shape().to_vec();
    let (values, _) = values.into_raw_vec_and_offset();
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(|error| error.to_string())
}
