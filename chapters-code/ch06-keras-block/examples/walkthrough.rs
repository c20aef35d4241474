//! The cells of chapter 6, in order: `cargo run -p ch06-keras-block --example
//! ch06-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use candle_core::{Device, Tensor};
use figures::{Figure, Heatmap, HeatmapGrid, LineChart};
use keras_block::lookup::*;
use keras_block::variants::*;
use keras_block::*;
use ndarray::{Array2, Axis};
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

    // ANCHOR: first_attention
    let sentence: Tensor = Tensor::arange(0_u32, 10, &Device::Cpu)?.unsqueeze(0)?;
    let found: Vec<Tensor> = model.values(&sentence, &[&scores, &weights, &output])?;
    for (name, value) in ["scores", "weights", "output"].iter().zip(&found) {
        let least = value.flatten_all()?.min(0)?.to_scalar::<f32>()?;
        let most = value.flatten_all()?.max(0)?.to_scalar::<f32>()?;
        println!("{name:8} {:?}  from {least:.4} to {most:.4}", value.dims());
    }
    // ANCHOR_END: first_attention

    // ANCHOR: examples
    let train: (Tensor, Tensor) = examples(4000, 1, 1)?; // (x, y)
    let val: (Tensor, Tensor) = examples(500, 1, 2)?;
    for i in 0..4 {
        let answer: u32 = val.1.get(i)?.to_scalar()?;
        println!("{} → {}", spell_row(&val.0.get(i)?)?, spell(answer));
    }
    let guess: f64 = most_frequent(&val.0, &val.1)?;
    println!("\nthe most frequent letter: {:.0} %", 100.0 * guess);
    // ANCHOR_END: examples

    // ANCHOR: alike
    let rows: Vec<u32> =
        (1..10).flat_map(|number| [[number].as_slice(), &[10; 9]].concat()).collect();
    let alike: Tensor = Tensor::from_slice(&rows, (9, 10), &Device::Cpu)?; // [9, 10]
    for i in [0, 1, 8] {
        println!("{}", spell_row(&alike.get(i)?)?);
    }
    // ANCHOR_END: alike

    // ANCHOR: fit
    let network: LookupNetwork = lookup_network(&LookupOptions::default())?;
    let mut learner: Model = Model::new(&network.ids, &network.logits, 42)?;
    let before: Tensor = learner.values(&alike, &[&network.weights[0]])?.remove(0);

    learner.compile(Adam::new(2e-3), SparseCategoricalCrossentropy)?;
    let history: History = learner.fit(
        &train.0,
        &train.1,
        &Fit {
            batch_size: 32,
            epochs: 6,
            validation_data: Some(val.clone()),
            verbose: Verbose::Lines,
            ..Fit::default()
        },
    )?;
    let after: Tensor = learner.values(&alike, &[&network.weights[0]])?.remove(0);
    // ANCHOR_END: fit

    // ANCHOR: loss
    let losses: [Vec<(f64, f64)>; 2] = history.losses();
    LineChart::new()
        .title("Loss")
        .x_title(("época", "epoch"))
        .y_title("loss")
        .series(("treino", "train"), &losses[0])
        .series(("validação", "validation"), &losses[1])
        .draw()?
        .show()?;
    // ANCHOR_END: loss

    // ANCHOR: after
    HeatmapGrid::of([
        Heatmap::new(&first_token(&before)?).title(("antes", "before")),
        Heatmap::new(&first_token(&after)?).title(("depois", "after")),
    ])
    .row_labels((1..10).map(|number| number.to_string()))
    .column_labels((0..10).map(|position| position.to_string()))
    .row_title(("primeiro token", "first token"))
    .column_title(("posição", "position"))
    .columns(2)
    .range(0.0, 1.0)
    .title(("Para onde o primeiro token olha", "Where the first token looks"))
    .draw()?
    .show()?;
    // ANCHOR_END: after

    // ANCHOR: combine
    let fresh: Model = Model::new(&network.ids, &network.logits, 42)?; // not trained
    println!(
        "q · k / √d_k   largest of its row   diagonal   elsewhere   between letters"
    );
    for (name, model) in [("before", &fresh), ("after", &learner)] {
        let map = number_by_position(model)?; // [9, 9]
        let (own, all) = (map.diag().sum(), map.sum());
        // How far apart two letters are, at most, for one number.
        let letters = number_by_letter(model)?.map_axis(Axis(1), |row| {
            let (least, most) = row
                .iter()
                .fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
            most - least
        }); // [9, 10] -> [9]
        println!(
            "{name:14} {:12} of 9 {:10.3} {:11.3} {:17.3}",
            diagonal_first(&map),
            own / 9.0,
            (all - own) / 72.0,
            letters.iter().fold(0.0_f64, |most, &x| most.max(x)),
        );
    }
    // ANCHOR_END: combine

    // ANCHOR: combine_map
    Heatmap::new(&number_by_position(&learner)?)
        .row_labels((1..10).map(|number| number.to_string()))
        .column_labels((1..10).map(|position| position.to_string()))
        .row_title(("query do número", "query of the number"))
        .column_title(("key da posição", "key of the position"))
        .diverging()
        .digits(0)
        .title((
            "O que um número soma ao score de uma posição",
            "What a number adds to the score of a position",
        ))
        .draw()?
        .show()?;
    // ANCHOR_END: combine_map

    // ANCHOR: two_hops
    let two: (Tensor, Tensor) = examples(500, 2, 2)?;
    for i in 0..4 {
        let answer: u32 = two.1.get(i)?.to_scalar()?;
        println!("{} → {}", spell_row(&two.0.get(i)?)?, spell(answer));
    }
    let guess: f64 = most_frequent(&two.0, &two.1)?;
    println!("\nthe most frequent letter: {:.0} %", 100.0 * guess);
    // ANCHOR_END: two_hops

    // ANCHOR: variants
    let variants: Variants = Variants::of_the_book()?;
    println!("{} epochs, {} seeds each\n", variants.epochs, variants.seeds);
    println!("val_accuracy in %: mean (least–most)\n{}", variants.accuracies());
    println!("epochs to 99 %\n{}", variants.epochs());
    let slow: Setting = Setting {
        hops: 2,
        options: LookupOptions { residual: false, blocks: 4, ..Default::default() },
        learning_rate: 5e-4,
    };
    println!("two hops, four blocks, rate 0.0005, no residual:");
    let curve: Vec<(f64, f64)> = variants.find(&slow).ok_or("not tried")?.curve();
    for (epoch, accuracy) in &curve[7..] {
        println!("   epoch {epoch:2}: {:2.0} %", 100.0 * accuracy);
    }
    // ANCHOR_END: variants

    // ANCHOR: variants_chart
    let mut chart: LineChart = LineChart::new()
        .title(("Dois saltos: acurácia na validação", "Two hops: validation accuracy"))
        .x_title(("época", "epoch"))
        .y_title(("acurácia", "accuracy"));
    for (blocks, residual) in [(2, false), (2, true), (4, false), (4, true)] {
        let options = LookupOptions { residual, blocks, ..Default::default() };
        let setting = Setting { hops: 2, options, learning_rate: 2e-3 };
        if let Some(variant) = variants.find(&setting) {
            let with = if residual { ", residual" } else { "" };
            let name =
                (format!("{blocks} blocos{with}"), format!("{blocks} blocks{with}"));
            chart = chart.series(name, &variant.curve());
        }
    }
    chart.draw()?.show()?;
    // ANCHOR_END: variants_chart

    // ANCHOR: mistake
    if let Err(error) = ops::matmul(&q, &k) {
        println!("{error}");
    }
    // ANCHOR_END: mistake

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

    // ANCHOR: weights_file
    let file: std::path::PathBuf = std::env::temp_dir().join("keras-block.safetensors");
    model.save_weights(&file)?;
    let mut copy: Model = Model::new(&ids, &output, 7)?;
    copy.load_weights(&file)?;
    let difference: Tensor = (model.call(&sentence)? - copy.call(&sentence)?)?.abs()?;
    let largest: f32 = difference.flatten_all()?.max(0)?.to_scalar()?;
    println!("largest difference: {largest}");
    std::fs::remove_file(&file)?;
    // ANCHOR_END: weights_file
    Ok(())
}
