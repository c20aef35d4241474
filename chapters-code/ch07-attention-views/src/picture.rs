//! The picture that stands where scripts don't run: an untrusted notebook, a printer.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use pulldown_cmark_escape::escape_html;
use serde::Deserialize;

use crate::panes::{Labeled, Panes, prettified};

/// The colors of heads, which the script reads too.
pub(crate) const COLORS: &str = include_str!("web/colors.json");

static PALETTE: LazyLock<Palette> =
    LazyLock::new(|| serde_json::from_str(COLORS).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
struct Palette {
    light: Vec<String>,
}

/// Lines of a picture: the strongest ones.
const LINES: usize = 400;
/// Lines of a thumbnail.
const THUMBNAIL_LINES: usize = 24;
/// Tokens of a picture: those after them are left out.
const TOKENS: usize = 64;

/// An SVG and what it says in words, in Portuguese and in English.
#[derive(Debug)]
pub(crate) struct Picture {
    pub svg: String,
    pub alt: [String; 2],
}

/// A rectangle of lines from left to right.
struct Frame {
    x: f64,
    y: f64,
    width: f64,
    /// From a token to the next.
    pitch: f64,
}

/// The text of layers' and heads' numbers.
const NUMBERS: &str = "text-anchor=\"middle\" font-size=\"11\" fill=\"#666\"";
/// Opacities of lines: those of one are one path.
const LEVELS: f32 = 16.0;

impl Picture {
    /// Some heads of one layer, as lines between tokens. `layer` and `heads` are the
    /// model's numbers of heads and the stack's of the layer.
    pub fn lines(panes: &Panes, layer: usize, heads: &[usize]) -> Self {
        let shown = &panes.stacks[0];
        let rows = shown.left.len().max(shown.right.len()).min(TOKENS);
        let (width, height) = (360.0, rows as f64 * 20.0 + 12.0);
        let mut svg = open(width, height);
        let frame = Frame { x: 120.0, y: 16.0, width: 120.0, pitch: 20.0 };
        let included = |head| panes.heads.iter().position(|&other| other == head);
        let share = (heads.len() as f32).sqrt().recip();
        for &head in heads {
            let at = included(head).unwrap_or(head);
            let lines = strongest(shown, layer, at, LINES / heads.len() + 1);
            draw(&mut svg, &lines, color(head), share, &frame);
        }
        for (tokens, x, anchor) in
            [(&shown.left, 112.0, "end"), (&shown.right, 248.0, "start")]
        {
            for (i, token) in prettified(tokens).iter().take(TOKENS).enumerate() {
                let attributes = format!("text-anchor=\"{anchor}\"");
                write_text(&mut svg, x, 20.0 * i as f64 + 20.0, &attributes, token);
            }
        }
        let layer = panes.layers.get(layer).copied().unwrap_or(layer);
        let (left, right) = (shown.left.len(), shown.right.len());
        let alt = [
            format!(
                "Linhas de atenção da camada {layer}, heads {heads:?}, entre {left} e {right} tokens."
            ),
            format!(
                "Attention lines of layer {layer}, heads {heads:?}, between {left} and {right} tokens."
            ),
        ];
        Self { svg: svg + "</g></svg>", alt }
    }

    /// All heads of all layers, as thumbnails, with their numbers at the edges.
    pub fn grid(panes: &Panes) -> Self {
        let shown = &panes.stacks[0];
        let (layers, heads) = (panes.layers.len(), panes.heads.len());
        let (wide, tall, edge) = (52.0, 40.0, 20.0);
        let mut svg = open(heads as f64 * wide + edge, layers as f64 * tall + edge);
        for (place, head) in panes.heads.iter().enumerate() {
            let x = edge + (place as f64 + 0.5) * wide;
            write_text(&mut svg, x, 14.0, NUMBERS, &head.to_string());
        }
        let rows = shown.left.len().max(shown.right.len()).min(TOKENS);
        let pitch = (tall - 8.0) / rows as f64;
        for (row, &layer) in panes.layers.iter().enumerate() {
            let y = edge + row as f64 * tall;
            write_text(
                &mut svg,
                10.0,
                y + tall / 2.0 + 4.0,
                NUMBERS,
                &layer.to_string(),
            );
            for head in 0..heads {
                let x = edge + head as f64 * wide + 4.0;
                let y = y + 4.0 + pitch / 2.0;
                let frame = Frame { x, y, width: wide - 8.0, pitch };
                let lines = strongest(shown, row, head, THUMBNAIL_LINES);
                draw(&mut svg, &lines, color(layer), 1.0, &frame);
            }
        }
        let alt = [
            format!("A atenção de {layers} camadas com {heads} heads cada."),
            format!("Attention of {layers} layers with {heads} heads each."),
        ];
        Self { svg: svg + "</g></svg>", alt }
    }
}

/// The color of a head of the head view, or of a layer of the model view.
fn color(index: usize) -> &'static str {
    let colors = &PALETTE.light;
    colors.get(index % colors.len().max(1)).map_or("#36c", String::as_str)
}

fn open(width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"><rect width=\"100%\" height=\"100%\" rx=\"4\" \
         fill=\"#fff\"/><g font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">"
    )
}

fn write_text(svg: &mut String, x: f64, y: f64, attributes: &str, text: &str) {
    let text = escape(text);
    let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" {attributes}>{text}</text>");
}

/// A head's strongest lines among the first tokens: weight, row, column.
fn strongest(
    shown: &Labeled,
    layer: usize,
    head: usize,
    most: usize,
) -> Vec<(f32, usize, usize)> {
    let columns = shown.stack.columns;
    let matrix = shown.stack.head(layer, head).unwrap_or_default();
    let weights = matrix.iter().enumerate();
    let mut lines: Vec<(f32, usize, usize)> = weights
        .map(|(i, &weight)| (weight, i / columns, i % columns))
        .filter(|&(weight, row, column)| weight > 0.01 && row.max(column) < TOKENS)
        .collect();
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    lines.truncate(most);
    lines
}

/// The strongest lines of a head, as dark and as thick as the weight times `share`.
fn draw(
    svg: &mut String,
    lines: &[(f32, usize, usize)],
    color: &str,
    share: f32,
    frame: &Frame,
) {
    let Frame { x, y, width, pitch } = *frame;
    let mut paths: BTreeMap<u32, String> = BTreeMap::new();
    for &(weight, row, column) in lines {
        let (from, to) = (y + row as f64 * pitch, y + column as f64 * pitch);
        let right = x + width;
        let path = paths.entry(level(weight * share)).or_default();
        let _ = write!(path, "M{x:.0} {from:.1}L{right:.0} {to:.1}");
    }
    for (level, path) in paths.iter().filter(|(level, _)| **level > 0) {
        let opacity = f64::from(*level) / f64::from(LEVELS);
        let _ = write!(
            svg,
            "<path d=\"{path}\" stroke=\"{color}\" stroke-opacity=\"{opacity:.2}\" \
             stroke-width=\"{:.1}\"/>",
            (2.0 * opacity).max(0.5)
        );
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 16"
)]
fn level(opacity: f32) -> u32 {
    (opacity.clamp(0.0, 1.0) * LEVELS).round() as u32
}

/// A text inside XML or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    // Writing to a String does not fail.
    let _ = escape_html(&mut safe, &text.replace(char::is_control, "\u{fffd}"));
    safe
}
