//! A view of some layers has those layers' numbers.

use attention_views::{NeuronView, Stack, ToStack, ViewError};
use ndarray::Array4;

/// Numbers that are all different.
fn stack(shape: [usize; 4], start: f32) -> Stack {
    let count = shape.iter().product::<usize>();
    let values = (0u16..).map(f32::from).take(count);
    Stack::new(shape, values.map(|i| start + i).collect()).unwrap()
}

fn view(layers: &[usize]) -> NeuronView {
    let stacks = [([3, 2, 2, 2], 0.0), ([3, 2, 2, 4], 100.0), ([3, 2, 2, 4], 200.0)];
    let [attentions, queries, keys] =
        stacks.map(|(shape, start)| stack(shape, start).select(layers, &[0, 1]));
    NeuronView::new(&attentions, &queries, &keys, ["a", "b"]).unwrap()
}

#[test]
fn a_neuron_view_of_one_layer_has_its_queries_and_keys() {
    let included = view(&[0, 1, 2]).include_layers([1]).bertviz_json().unwrap();
    assert_eq!(included, view(&[1]).bertviz_json().unwrap());
    assert_ne!(included, view(&[2]).bertviz_json().unwrap());
}

#[test]
fn the_first_layer_shown_must_be_included() {
    let error = view(&[0, 1, 2]).include_layers([1]).layer(2).html().unwrap_err();
    assert!(matches!(error, ViewError::NotIncluded { layer: 2, .. }), "{error}");
    let error = view(&[0, 1, 2]).layer(3).html().unwrap_err();
    assert!(matches!(error, ViewError::Index { index: 3, count: 3, .. }), "{error}");
    let error = view(&[0, 1, 2]).head(2).html().unwrap_err();
    assert!(matches!(error, ViewError::Index { index: 2, count: 2, .. }), "{error}");
}

#[test]
fn a_models_arrays_are_layers_of_one_text() {
    let layer = |start: f32| {
        let numbers = (0u16..12).map(|i| start + f32::from(i)).collect();
        Array4::from_shape_vec((1, 3, 2, 2), numbers).unwrap() // [1, heads, n, n]
    };
    let found = vec![layer(0.0), layer(12.0)].to_stack("attention").unwrap();
    assert_eq!(found, stack([2, 3, 2, 2], 0.0));
    let two = vec![Array4::<f32>::zeros((2, 3, 2, 2))];
    let error = two.to_stack("attention").unwrap_err().to_string();
    assert!(
        error.contains("layer 0 of the attention has shape [2, 3, 2, 2]"),
        "{error}"
    );
    assert!(error.contains("give one row of the batch"), "{error}");
}
