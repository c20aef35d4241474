//! The picture that stands where scripts don't run: an untrusted notebook, a printer.

use std::fmt::Write;

use crate::panes::{Labelled, Panes, prettified};

/// Lines of a picture: the strongest ones.
const LINES: usize = 400;
/// Lines of a thumbnail.
const THUMBNAIL_LINES: usize = 24;
/// Tokens of a picture: those after them are left out.
const TOKENS: usize = 64;

/// An SVG and what it says in words.
#[derive(Debug)]
pub(crate) struct Picture {
    pub svg: String,
    pub alt: String,
}

/// A rectangle of lines from left to right.
struct Frame {
    x: f64,
    y: f64,
    width: f64,
    /// From a token to the next.
    pitch: f64,
}

impl Picture {
    /// Some heads of one layer, as lines between tokens. `layer` and `heads` are the
    /// model's numbers of heads and the stack's of the layer.
    pub fn lines(panes: &Panes, layer: usize, heads: &[usize]) -> Self {
        let shown = &panes.stacks[0];
        let at =
            |head: &usize| panes.heads.iter().position(|included| included == head);
        let places: Vec<usize> = heads.iter().filter_map(at).collect();
        let rows = shown.left.len().max(shown.right.len()).min(TOKENS);
        let (width, height) = (360.0, rows as f64 * 20.0 + 12.0);
        let mut svg = open(width, height);
        let frame = Frame { x: 120.0, y: 16.0, width: 120.0, pitch: 20.0 };
        draw(&mut svg, shown, layer, &places, &frame, LINES);
        for (tokens, x, anchor) in
            [(&shown.left, 112.0, "end"), (&shown.right, 248.0, "start")]
        {
            for (i, token) in prettified(tokens).iter().take(TOKENS).enumerate() {
                let y = 20.0 * i as f64 + 20.0;
                let token = escape(token);
                let _ = write!(
                    svg,
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{token}</text>"
                );
            }
        }
        let layer = panes.layers.get(layer).copied().unwrap_or(layer);
        let alt = format!(
            "Attention lines of layer {layer}, heads {heads:?}, between {} and {} tokens.",
            shown.left.len(),
            shown.right.len(),
        );
        Self { svg: svg + "</g></svg>", alt }
    }

    /// All heads of all layers, as thumbnails.
    pub fn grid(panes: &Panes) -> Self {
        let shown = &panes.stacks[0];
        let (layers, heads) = (panes.layers.len(), panes.heads.len());
        let (wide, tall) = (52.0, 40.0);
        let mut svg = open(heads as f64 * wide, layers as f64 * tall);
        let rows = shown.left.len().max(shown.right.len()).min(TOKENS);
        let pitch = (tall - 8.0) / rows as f64;
        for layer in 0..layers {
            for head in 0..heads {
                let (x, y) = (head as f64 * wide + 4.0, layer as f64 * tall + 4.0);
                let frame = Frame { x, y, width: wide - 8.0, pitch };
                draw(&mut svg, shown, layer, &[head], &frame, THUMBNAIL_LINES);
            }
        }
        let alt = format!("Attention of {layers} layers with {heads} heads each.");
        Self { svg: svg + "</g></svg>", alt }
    }
}

fn open(width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"><rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/><g font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\" \
         stroke-width=\"1.5\">"
    )
}

/// The strongest lines of some heads, as dark as the weight over the number of heads.
fn draw(
    svg: &mut String,
    shown: &Labelled,
    layer: usize,
    heads: &[usize],
    frame: &Frame,
    most: usize,
) {
    let (columns, rows) = (shown.stack.columns, shown.stack.rows.min(TOKENS));
    let matrices = heads.iter().filter_map(|&head| shown.stack.head(layer, head));
    let mut lines: Vec<(f32, usize, usize)> = matrices
        .flat_map(|matrix| matrix.iter().enumerate())
        .map(|(i, &weight)| (weight, i / columns, i % columns))
        .filter(|&(weight, row, column)| weight > 0.01 && row < rows && column < TOKENS)
        .collect();
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    let Frame { x, y, width, pitch } = *frame;
    for &(weight, row, column) in lines.iter().take(most) {
        let opacity = weight / heads.len() as f32;
        let (from, to) = (y + row as f64 * pitch, y + column as f64 * pitch);
        let right = x + width;
        let _ = write!(
            svg,
            "<path d=\"M{x:.0} {from:.1}L{right:.0} {to:.1}\" stroke=\"#36c\" \
             stroke-opacity=\"{opacity:.2}\"/>"
        );
    }
}

/// A text inside XML or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}
