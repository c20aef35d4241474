//! Draws one of everything into a folder, to look at: `cargo run -p figures --example
//! gallery`.

use std::path::Path;

use figures::{BarChart, Figure, FigureError, Heatmap, HeatmapGrid, LineChart};
use ndarray::{Array2, Array3, array};

fn tokens() -> Vec<&'static str> {
    let tokens =
        "[CLS] O gato sent ##ou no tap ##ete e o ca ##chorro correu . ##ificação [SEP]";
    tokens.split(' ').collect()
}

fn main() -> Result<(), FigureError> {
    let tokens = tokens();
    let words = ["pense", "sobre", "máquinas"];
    let weights = array![
        [0.2842, 0.2585, 0.4573],
        [0.3675, 0.2034, 0.4291],
        [0.3366, 0.1638, 0.4996]
    ];
    let small = Heatmap::new(&weights).row_labels(words).column_labels(words);
    save("small", &small.clone().title("Attention weights").draw()?)?;
    save("untitled", &small.draw()?)?;

    let bert = Heatmap::new(&attention(tokens.len()))
        .row_labels(&tokens)
        .column_labels(&tokens);
    save("bert", &bert.title("Camada 0, cabeça 0").range(0.0, 1.0).draw()?)?;
    let plain = Heatmap::new(&attention(40)).title("40 tokens, no labels");
    save("plain", &plain.draw()?)?;
    let dense: Vec<&str> = tokens.iter().copied().cycle().take(48).collect();
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

    let angle = |(p, i): (usize, usize)| {
        p as f64 / 10_000_f64.powf((i / 2 * 2) as f64 / 128.0)
            + (i % 2) as f64 * std::f64::consts::FRAC_PI_2
    };
    let positions = Array2::from_shape_fn((64, 128), |place| angle(place).sin());
    let positions = Heatmap::new(&positions)
        .title("Positional encodings")
        .row_title("position")
        .column_title("dimension")
        .range(-1.0, 1.0);
    save("positions", &positions.draw()?)?;
    grids()?;

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
    save("many", &many.log_y().draw()?)?;

    let lengths: Vec<f64> = (4..=12).map(|power| 2_f64.powi(power)).collect();
    let over = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        lengths.iter().map(|n| (*n, f(*n))).collect()
    };
    let cost = |y_title| {
        LineChart::new()
            .title("Cost of a layer")
            .x_title("tokens")
            .y_title(y_title)
            .x_ticks(&lengths)
            .log_x()
            .log_y()
    };
    let seconds = cost("seconds")
        .series("attention", &over(&|n| 2e-8 * n * n + 1e-6 * n))
        .series("feed-forward", &over(&|n| 2.5e-6 * n))
        .dashed_series("n²", &over(&|n| 5e-9 * n * n));
    save("seconds", &seconds.draw()?)?;
    let bytes = cost("bytes").series("weights", &over(&|n| 8.0 * 8.0 * n * n));
    save("bytes", &bytes.draw()?)?;

    let attention: Vec<f64> = (1..=16).map(|i| 0.3 / f64::from(i)).collect();
    let change: Vec<f64> = (0..16).map(|i| (f64::from(i) * 0.9).sin() * 2.5).collect();
    let bars = BarChart::new(&tokens)
        .title("Two measures of the same words")
        .series("attention of [CLS]", &attention)
        .series("change of the margin", &change);
    save("bars", &bars.draw()?)?;
    save("bars-one", &BarChart::new(["x"]).series("nothing", &[0.0]).draw()?)
}

fn grids() -> Result<(), FigureError> {
    let tokens = tokens();
    let words = ["pense", "sobre", "máquinas"];
    let heads = HeatmapGrid::new(&heads(8, 3))
        .title("The 8 heads of one layer")
        .row_labels(words)
        .column_labels(words)
        .panel_titles((0..8).map(|head| format!("head {head}")))
        .range(0.0, 1.0);
    save("grid-8-heads", &heads.draw()?)?;
    save("grid-8-heads-numbers", &heads.clone().annotate(true).draw()?)?;
    save("grid-8-heads-2-columns", &heads.columns(2).draw()?)?;
    let (rows, columns) = (&tokens[..7], &tokens[..9]);
    let four = (0..4).map(|i| {
        let values = attention(9 + i).slice_move(ndarray::s![..7, i..]);
        Heatmap::new(&values).row_labels(rows).column_labels(columns)
    });
    save("grid-4-heads", &HeatmapGrid::of(four).draw()?)?;
    let six = HeatmapGrid::new(&self::heads(6, 2)).columns(3).title("2 × 3 panels");
    save("grid-6-plain", &six.draw()?)?;
    let seven = HeatmapGrid::new(&self::heads(7, 5)).row_labels(&tokens[..5]);
    save("grid-7-hole", &seven.column_labels(&tokens[7..12]).draw()?)?;

    let (source, target) = (&tokens[..7], &tokens[7..16]);
    let kinds = HeatmapGrid::of([
        Heatmap::new(&attention(7))
            .title("encoder self-attention")
            .row_labels(source)
            .column_labels(source),
        Heatmap::new(&attention(9))
            .title("decoder self-attention")
            .row_labels(target)
            .column_labels(target),
        Heatmap::new(&attention(9).slice(ndarray::s![.., ..7]))
            .title("cross-attention")
            .row_labels(target)
            .column_labels(source),
    ]);
    save("grid-3-kinds", &kinds.title("Three attentions of one model").draw()?)?;

    let bert = HeatmapGrid::new(&self::heads(144, 12))
        .title("All 144 heads of BERT")
        .row_labels(&tokens[..12])
        .column_labels(&tokens[..12])
        .grid_row_titles((0..12).map(|layer| format!("layer {layer}")))
        .grid_column_titles((0..12).map(|head| format!("head {head}")));
    save("grid-bert", &bert.draw()?)?;
    let untitled = HeatmapGrid::new(&self::heads(144, 40));
    save("grid-bert-untitled", &untitled.draw()?)?;
    save("grid-plain", &HeatmapGrid::new(&self::heads(8, 40)).draw()?)
}

/// `count` heads over `n` tokens, each a little further from the diagonal.
fn heads(count: usize, n: usize) -> Array3<f64> {
    let mut heads = Array3::zeros((count, n, n));
    for (shift, mut head) in heads.outer_iter_mut().enumerate() {
        for i in 0..n {
            for j in 0..n {
                let far = (i + shift) % n;
                head[[i, j]] = (-(far as f64 - j as f64).powi(2)
                    / (1.0 + shift as f64 / 8.0))
                    .exp();
            }
            let sum = head.row(i).sum();
            head.row_mut(i).mapv_inplace(|weight| weight / sum);
        }
    }
    heads
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
