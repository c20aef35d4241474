//! Keras' own `.weights.h5`.
//!
//! Keras files a layer under its class in snake case, numbered by its place in the model:
//! `layers/dense_2/vars/0`. The place follows from the graph: whether the key or the query
//! is `dense` depends on what is done to each before they meet. Since Keras 3.6 `vars` has
//! the layer's name as an attribute, and by that the weights are found here. Those of a
//! layer inside a layer are under that layer's name.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use gradients::file::Tensors;
use hdf5_reader::Hdf5File;
use hdf5_reader::error::Error;
use hdf5_reader::group::Group;

use crate::graph::{numbered, snake_case};
use crate::model::Model;
use crate::model_layer::ModelLayer;
use crate::shape::Shape;

/// The weights of a file by the model's paths.
pub(crate) fn read(model: &Model, bytes: Vec<u8>) -> Result<Tensors, String> {
    let file = Hdf5File::from_vec(bytes)
        .map_err(|error| format!("it can't be read as HDF5: {error}"))?;
    let layers = model.layers.iter().filter(|layer| !layer.variables.is_empty());
    let layers: Vec<&ModelLayer> = layers.collect();
    let mut filed = filed(&file)?;
    let known =
        |layer: &&ModelLayer| filed.iter().any(|filed| filed.name == layer.name);
    if !layers.iter().all(known) {
        renumber(&mut filed);
    }
    let mut found = Vec::new();
    for layer in layers {
        let places = places(layer, &take(layer, &mut filed)?)?;
        found.extend(layer.variables.iter().zip(places));
    }
    if let Some(more) = filed.first() {
        return Err(format!("it is another model's: it has {more} as well"));
    }
    let mut tensors = Tensors::new();
    for (variable, place) in found {
        let name = variable.path.clone();
        let tensor = tensor(&file, &place, variable.shape())
            .map_err(|error| format!("{name}, at {place}: {error}"))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// A layer in the file.
struct Filed {
    /// Its class in snake case, and the number of its place: `dense_2`.
    place: String,
    class: String,
    name: String,
    /// How many arrays are its own, not those of a layer in it.
    arrays: usize,
}

impl std::fmt::Display for Filed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} (layers/{})", self.name, self.place)
    }
}

impl Filed {
    /// The number in a name that nobody chose: 2 in `dense_2`, 0 in `dense`.
    fn number(&self) -> Option<u64> {
        match self.name.strip_prefix(&self.class)? {
            "" => Some(0),
            rest => rest.strip_prefix('_')?.parse().ok(),
        }
    }
}

/// The layers of a file that have weights.
fn filed(file: &Hdf5File) -> Result<Vec<Filed>, String> {
    let text = |error: Error| error.to_string();
    let root = file.root_group().map_err(text)?;
    if root.attribute("keras_version").is_ok() {
        return Err("it is an .h5 of the old form, Keras 2's: open it in Keras, with \
                    load_model or load_weights, and write it again with \
                    model.save_weights(\"block.weights.h5\")"
            .into());
    }
    let layers = root.group("layers").map_err(|_| {
        "it has no group \"layers\": write it with save_weights of a keras.Model made of \
         an input and an output"
    })?;
    let mut filed = Vec::new();
    for group in layers.groups().map_err(text)? {
        filed.extend(layer(&group)?);
    }
    Ok(filed)
}

/// A layer of a file, if it has weights. (A Dropout has the state of its dice at most.)
fn layer(group: &Group) -> Result<Option<Filed>, String> {
    let text = |error: Error| format!("layers/{}: {error}", group.name());
    let vars = group.group("vars").map_err(text)?;
    let (inner, _) = group.member_names().map_err(text)?;
    let (_, arrays) = vars.member_names().map_err(text)?;
    let weightless = |inner: &String| inner == "vars" || inner == "seed_generator";
    if arrays.is_empty() && inner.iter().all(weightless) {
        return Ok(None);
    }
    let name = vars.attribute("name").and_then(|name| name.read_string());
    let name = name.map_err(|_| {
        "its layers have no names, and which is which can't be told by their order: it is \
         from before Keras 3.6. Load it in a newer one and save it again"
    })?;
    let place = group.name().to_owned();
    let class = place.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix('_');
    let class = class.unwrap_or(&place).to_owned();
    Ok(Some(Filed { place, class, name, arrays: arrays.len() }))
}

/// The names that Keras chose, as they would be in a session that begins with this model:
/// of `dense_7` and `dense_9` the first made is `dense`, the second `dense_1`.
fn renumber(filed: &mut [Filed]) {
    filed.sort_by_key(Filed::number);
    let mut counts = HashMap::new();
    for layer in filed.iter_mut().filter(|layer| layer.number().is_some()) {
        layer.name = numbered(&layer.class, &mut counts);
    }
}

/// The only layer of the file that has this one's class and name.
fn take(layer: &ModelLayer, filed: &mut Vec<Filed>) -> Result<Filed, String> {
    let (name, class) = (&layer.name, layer.tensor.node().layer.class());
    let of_class = |filed: &&Filed| filed.class == snake_case(class);
    let mut found =
        (0..filed.len()).filter(|&i| of_class(&&filed[i]) && filed[i].name == *name);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(filed.remove(one)),
        (Some(_), Some(_)) => Err(format!(
            "it has two {class} layers named {name:?}, and which is which can't be told: \
             give them names of their own in Keras"
        )),
        (None, _) => {
            let others = filed.iter().filter(of_class).map(Filed::to_string);
            let others = others.collect::<Vec<_>>().join(", ");
            Err(format!(
                "it is another model's: it has no {class} named {name:?}; its other ones \
                 are: {others}"
            ))
        }
    }
}

/// Where each weight of a layer is: `query/kernel` at `layers/dense_1/vars/0`.
fn places(layer: &ModelLayer, filed: &Filed) -> Result<Vec<String>, String> {
    let mut own = 0;
    let mut places = Vec::new();
    for variable in &layer.variables {
        places.push(if let Some((inner, _)) = variable.weight.name.split_once('/') {
            format!("layers/{}/{inner}/vars/0", filed.place)
        } else {
            own += 1;
            format!("layers/{}/vars/{}", filed.place, own - 1)
        });
    }
    if own == filed.arrays {
        return Ok(places);
    }
    Err(format!("{filed} has {} weights of its own, not {own}", filed.arrays))
}

/// A weight of the given shape. Another one isn't read: it may claim any size.
fn tensor(file: &Hdf5File, place: &str, shape: &[usize]) -> Result<Tensor, String> {
    let dataset = file.dataset(place).map_err(|error| error.to_string())?;
    let size = |&size: &u64| usize::try_from(size).unwrap_or(usize::MAX);
    let found: Vec<usize> = dataset.shape().iter().map(size).collect();
    if found != shape {
        let [found, expected] = [&found[..], shape].map(Shape::from);
        return Err(format!("it has the shape {found}, not {expected}"));
    }
    let values = dataset.read_array::<f32>().map_err(|error| error.to_string())?;
    let (values, _) = values.into_raw_vec_and_offset();
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(|error| error.to_string())
}
