//! The reverser trained, its cross-attention before and after as figures:
//! `cargo run -p ch07-training --release --example reverser -- FOLDER`.

use std::path::PathBuf;

use training::metrics::bar;
use training::reverse::{
    ReverserOptions, attention_figure, held_out_strings, train_reverser,
};

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    std::fs::create_dir_all(&folder)?;
    // ANCHOR: train_reverser
    let options = ReverserOptions::default();
    let progress = bar(options.steps, 0);
    let trained = train_reverser(options, 50, &mut |_, loss| {
        progress.inc(1);
        progress.set_message(format!("loss {loss:.3}"));
    })?;
    progress.finish();
    let held_out = held_out_strings(options.seed + 1, 1000);
    let exact = trained.after.accuracy(&held_out)?;
    println!("held-out strings reversed: {:.1} %", 100.0 * exact);
    // ANCHOR_END: train_reverser
    // ANCHOR: anti_diagonal
    for (name, model) in [("before", &trained.before), ("after", &trained.after)] {
        let shares = model.anti_diagonal(&held_out[..100])?;
        println!("{name}: share on the anti-diagonal, by layer and head: {shares:.2?}");
        let title = format!("Cross-attention {name} training");
        let figure = attention_figure(model, "cabide", &title)?;
        figure.save(folder.join(format!("{name}.svg")))?;
    }
    trained.curves.figure()?.save(folder.join("curves.svg"))?;
    // ANCHOR_END: anti_diagonal
    Ok(())
}
