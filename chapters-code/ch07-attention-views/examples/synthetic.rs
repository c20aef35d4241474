//! Views of made-up attentions, for trying them out and timing them without a model:
//! `cargo run -p ch07-attention-views --no-default-features --example synthetic -- head 64 view.html`

use std::error::Error;

use attention_views::{HeadView, ModelView, NeuronView, Stack};

const LAYERS: usize = 12;
const HEADS: usize = 12;
const WIDTH: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: synthetic head|model|neuron TOKENS FILE.html [FILE.json]";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [view, n, files @ ..] = &arguments[..] else {
        return Err(usage.into());
    };
    let n: usize = n.parse()?;
    let tokens: Vec<String> = (0..n).map(|i| format!("token{i}")).collect();
    let attentions = attentions(n)?;
    let (html, json) = match view.as_str() {
        "head" => {
            let view = HeadView::new(&attentions, &tokens)?;
            (view.page()?, view.bertviz_json()?)
        }
        "model" => {
            let view = ModelView::new(&attentions, &tokens)?;
            (view.page()?, view.bertviz_json()?)
        }
        "neuron" => {
            let (q, k) = (vectors(n, 1)?, vectors(n, 2)?);
            let view = NeuronView::new(&attentions, &q, &k, &tokens)?;
            (view.page()?, view.bertviz_json()?)
        }
        _ => return Err(usage.into()),
    };
    for (file, text) in files.iter().zip([html, json]) {
        std::fs::write(file, text)?;
    }
    Ok(())
}

/// A softmax of noise and of a wish to look nearby: a different one for each head.
fn attentions(n: usize) -> Result<Stack, Box<dyn Error>> {
    let mut noise = Noise(7);
    let mut values = Vec::with_capacity(LAYERS * HEADS * n * n);
    for head in 0..LAYERS * HEADS {
        let (reach, loud) = ((head % 7) as f32 + 1.0, (head % 5) as f32);
        let shift = (head % 3) as f32 - 1.0;
        for row in 0..n {
            let score = |column: usize, noise: f32| {
                let far = (row as f32 + shift - column as f32).abs() / reach;
                (loud * noise - far.min(6.0)).exp()
            };
            let row: Vec<f32> =
                (0..n).map(|column| score(column, noise.next())).collect();
            let sum: f32 = row.iter().sum();
            values.extend(row.iter().map(|weight| weight / sum));
        }
    }
    Ok(Stack::new([LAYERS, HEADS, n, n], values)?)
}

fn vectors(n: usize, seed: u64) -> Result<Stack, Box<dyn Error>> {
    let mut noise = Noise(seed);
    let values = (0..LAYERS * HEADS * n * WIDTH).map(|_| 4.0 * noise.next() - 2.0);
    Ok(Stack::new([LAYERS, HEADS, n, WIDTH], values.collect())?)
}

/// Knuth's linear congruence: from 0 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}
