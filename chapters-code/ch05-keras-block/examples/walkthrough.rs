//! The cells of chapter 5, in order: `cargo run -p ch05-keras-block --example
//! walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use candle_core::{Device, Tensor};
use figures::{Figure, Heatmap, HeatmapGrid, LineChart};
use keras_block::pointer::*;
use keras_block::variants::*;
use keras_block::*;
use ndarray::Array2;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: ids
    let ids: KerasTensor = Input::new([10]).name("ids").symbol()?;
    println!("{}", ids.shape());
    // ANCHOR_END: ids

    // ANCHOR: x
    let x: KerasTensor = TokenAndPositionEmbedding::new(20, 10, 768).on(&ids)?;
    println!("{}", x.shape());
    // ANCHOR_END: x

    // ANCHOR: qkv
    let q: KerasTensor = Dense::new(768).name("query").on(&x)?;
    let k: KerasTensor = Dense::new(768).name("key").on(&x)?;
    let v: KerasTensor = Dense::new(768).name("value").on(&x)?;
    // ANCHOR_END: qkv

    // ANCHOR: mistake
    if let Err(error) = ops::matmul(&q, &k) {
        println!("{error}");
    }
    // ANCHOR_END: mistake

    // ANCHOR: attention
    let k_t: KerasTensor = ops::transpose(&k, [0, 2, 1])?;
    let scores: KerasTensor = ops::matmul(&q, &k_t)? / 768.0_f64.sqrt();
    let weights: KerasTensor = ops::softmax(&scores)?;
    let z: KerasTensor = ops::matmul(&weights, &v)?;
    println!("scores {}, z {}", scores.shape(), z.shape());
    // ANCHOR_END: attention

    // ANCHOR: feed_forward
    let ff_1: KerasTensor = Dense::new(4 * 768).activation(Activation::Relu).on(&z)?;
    let ff_2: KerasTensor = Dense::new(768).on(&ff_1)?;
    let output: KerasTensor = LayerNormalization::new().on(&ff_2)?;
    // ANCHOR_END: feed_forward

    // ANCHOR: model
    let model: Model = Model::new(&ids, &output, 42)?;
    println!("{}", model.summary());
    // ANCHOR_END: model

    // ANCHOR: plot
    model.plot()?.show()?;
    // ANCHOR_END: plot

    // ANCHOR: initial
    for variable in model.variables() {
        let value: Vec<f32> = variable.value()?.flatten_all()?.to_vec1()?;
        let largest = value.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        println!("{:58} {:>8} {largest:.4}", variable.path, variable.count());
    }
    // ANCHOR_END: initial

    // ANCHOR: first_attention
    let sentence: Tensor = Tensor::arange(0_u32, 10, &Device::Cpu)?.unsqueeze(0)?;
    let found: Vec<Tensor> = model.values(&sentence, &[&scores, &weights, &output])?;
    for (name, value) in ["scores", "weights", "output"].iter().zip(&found) {
        let least = value.flatten_all()?.min(0)?.to_scalar::<f32>()?;
        let most = value.flatten_all()?.max(0)?.to_scalar::<f32>()?;
        println!("{name:8} {:?}  from {least:.4} to {most:.4}", value.dims());
    }
    // ANCHOR_END: first_attention

    // ANCHOR: weights_file
    let file = std::env::temp_dir().join("keras-block.safetensors");
    model.save_weights(&file)?;
    let mut copy: Model = Model::new(&ids, &output, 7)?;
    copy.load_weights(&file)?;
    let difference = (model.call(&sentence)? - copy.call(&sentence)?)?.abs()?;
    let largest: f32 = difference.flatten_all()?.max(0)?.to_scalar()?;
    println!("largest difference: {largest}");
    std::fs::remove_file(&file)?;
    // ANCHOR_END: weights_file

    // ANCHOR: examples
    let (x_train, y_train): (Tensor, Tensor) = examples(4000, 1, 1)?;
    let (x_val, y_val): (Tensor, Tensor) = examples(500, 1, 2)?;
    for i in 0..4 {
        let row: Vec<u32> = x_val.get(i)?.to_vec1()?;
        let row: Vec<String> = row.into_iter().map(spell).collect();
        let label: u32 = y_val.get(i)?.to_scalar()?;
        println!("{} → {}", row.join(" "), spell(label));
    }
    // ANCHOR_END: examples

    // ANCHOR: network
    let network: Pointer = pointer_network(&PointerOptions::default())?;
    let mut learner: Model = Model::new(&network.ids, &network.logits, 42)?;
    println!("{} parameters", learner.count_params());
    // ANCHOR_END: network

    // ANCHOR: before
    let four: Tensor = x_val.narrow(0, 0, 4)?;
    let before: Tensor = learner.values(&four, &[&network.weights[0]])?.remove(0);
    // ANCHOR_END: before

    // ANCHOR: fit
    learner.compile(Adam::new(2e-3), SparseCategoricalCrossentropy)?;
    let history: History = learner.fit(
        &x_train,
        &y_train,
        &Fit {
            batch_size: 32,
            epochs: 12,
            validation_data: Some((x_val.clone(), y_val.clone())),
            verbose: Verbose::Bar,
            ..Fit::default()
        },
    )?;
    let accuracy: f64 = history.validation[11].accuracy;
    println!("val_accuracy {:.0} %", 100.0 * accuracy);
    // ANCHOR_END: fit

    // ANCHOR: curves
    let curve = |metrics: &[Metrics], of: fn(&Metrics) -> f64| -> Vec<(f64, f64)> {
        (1..).map(f64::from).zip(metrics.iter().map(of)).collect()
    };
    LineChart::new()
        .title("Loss")
        .x_title("epoch")
        .y_title("loss")
        .series("train", &curve(&history.train, |m| m.loss))
        .series("validation", &curve(&history.validation, |m| m.loss))
        .draw()?
        .show()?;
    LineChart::new()
        .title("Accuracy")
        .x_title("epoch")
        .y_title("accuracy")
        .series("train", &curve(&history.train, |m| m.accuracy))
        .series("validation", &curve(&history.validation, |m| m.accuracy))
        .draw()?
        .show()?;
    // ANCHOR_END: curves

    // ANCHOR: after
    let after: Tensor = learner.values(&four, &[&network.weights[0]])?.remove(0);
    let first_token = |weights: &Tensor| -> Result<Array2<f64>> {
        // [4, 10, 10] -> [4, 10]: where the first token looks, in each example
        let rows: Vec<Vec<f32>> = weights.narrow(1, 0, 1)?.squeeze(1)?.to_vec2()?;
        Ok(Array2::from_shape_fn((4, 10), |(i, j)| f64::from(rows[i][j])))
    };
    let labels: Vec<String> = four
        .to_vec2::<u32>()?
        .iter()
        .map(|row| row.iter().copied().map(spell).collect::<Vec<_>>().join(" "))
        .collect();
    let panels = [("before", first_token(&before)?), ("after", first_token(&after)?)];
    HeatmapGrid::of(panels.map(|(name, values)| Heatmap::new(&values).title(name)))
        .row_labels(&labels)
        .column_labels((0..10).map(|position| position.to_string()))
        .row_title("example")
        .column_title("position")
        .columns(1)
        .range(0.0, 1.0)
        .title("Where the first token looks")
        .draw()?
        .show()?;
    // ANCHOR_END: after

    // ANCHOR: variants
    let variants: Variants = Variants::of_the_book()?;
    println!("{}, {} seeds each\n", variants.machine, variants.seeds);
    println!("blocks  residual  heads  parameters  val_accuracy: mean, least, most");
    for Variant { options, parameters, accuracies } in &variants.variants {
        let PointerOptions { blocks, residual, heads, .. } = options;
        let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
        let least = accuracies.iter().copied().fold(1.0, f64::min);
        let most = accuracies.iter().copied().fold(0.0, f64::max);
        print!("{blocks:6}  {residual:8}  {heads:5}  {parameters:10}  ");
        println!(
            "{:.1} %, {:.1} %, {:.1} %",
            100.0 * mean,
            100.0 * least,
            100.0 * most
        );
    }
    // ANCHOR_END: variants
    Ok(())
}
