//! Draws one of everything into a folder, to look at: `cargo run -p figures --example
//! gallery`.

use std::path::Path;

use figures::{Figure, FigureError, Heatmap, LineChart};
use ndarray::{Array2, array};

const TOKENS: [&str; 16] = [
    "[CLS]",
    "O",
    "gato",
    "sent",
    "##ou",
    "no",
    "tap",
    "##ete",
    "e",
    "o",
    "ca",
    "##chorro",
    "correu",
    ".",
    "##ificação",
    "[SEP]",
];

fn main() -> Result<(), FigureError> {
    let words = ["pense", "sobre", "máquinas"];
    let weights = array![
        [0.2842, 0.2585, 0.4573],
        [0.3675, 0.2034, 0.4291],
        [0.3366, 0.1638, 0.4996]
    ];
    let small = Heatmap::new(&weights).row_labels(words).column_labels(words);
    save("small", &small.clone().title("Attention weights").draw()?)?;
    save("untitled", &small.draw()?)?;

    let bert =
        Heatmap::new(&attention(TOKENS.len())).row_labels(TOKENS).column_labels(TOKENS);
    save("bert", &bert.title("Camada 0, cabeça 0").range(0.0, 1.0).draw()?)?;
    let plain = Heatmap::new(&attention(40)).title("40 tokens, no labels");
    save("plain", &plain.draw()?)?;
    let dense: Vec<&str> = TOKENS.into_iter().cycle().take(48).collect();
    let dense = Heatmap::new(&attention(48)).row_labels(&dense).column_labels(&dense);
    save("dense", &dense.draw()?)?;
    save("large", &Heatmap::new(&attention(512)).title("512 tokens").draw()?)?;
    let wide = Array2::from_shape_fn((2, 9), |(i, j)| (i * j) as f64 / 8.0);
    let awful = Heatmap::new(&wide)
        .row_labels(["<b>&\"'", "a very long label that goes on and on and on, and then some more"])
        .column_labels(["", "a", "ificação##", "日本", "🙂", "e", "f", "g", "h"])
        .title("A title that is <so> long & \"wide\" that it can't stand on a single line over so few cells, and wraps");
    save("awful", &awful.draw()?)?;
    save("one", &Heatmap::new(&array![[0.5]]).draw()?)?;

    let lengths = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let ours = lengths.map(|n: f64| (n, 0.9 * n + 0.003 * n * n));
    let theirs = lengths.map(|n: f64| (n, 30.0 + 0.7 * n));
    let chart = LineChart::new()
        .title("Time of a forward pass")
        .x_title("tokens")
        .y_title("milliseconds")
        .series("candle", &ours)
        .series("PyTorch", &theirs)
        .log_x();
    save("chart", &chart.draw()?)?;
    let loss = |scale: f64| -> Vec<(f64, f64)> {
        (1..=300)
            .map(|i| {
                (
                    f64::from(i),
                    scale / f64::from(i).sqrt()
                        + 0.1
                        + (f64::from(i) * 0.7).sin() * 0.03,
                )
            })
            .collect()
    };
    let many = (0..6)
        .fold(LineChart::new().x_title("step").y_title("loss"), |chart, i| {
            chart.series(format!("series {i}"), &loss(1.0 + 0.4 * f64::from(i)))
        });
    save("many", &many.log_y().draw()?)
}

fn attention(n: usize) -> Array2<f64> {
    let score = |(i, j): (usize, usize)| {
        (((i * 7 + j * 13) % 17) as f64 / 5.0 - (i as f64 - j as f64).abs() / 6.0).exp()
    };
    let mut weights = Array2::from_shape_fn((n, n), score);
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    weights
}

fn save(name: &str, figure: &Figure) -> Result<(), FigureError> {
    let folder = Path::new("target/figures/gallery");
    std::fs::create_dir_all(folder)
        .map_err(|error| FigureError::Save { path: folder.into(), source: error })?;
    figure.save(folder.join(name).with_extension("svg"))?;
    figure.save(folder.join(name).with_extension("png"))?;
    println!("{}: {} bytes", folder.join(name).display(), figure.svg().len());
    Ok(())
}
