//! A head in the terminal: for each token, where it looks most, and its whole row.

use std::fmt::{self, Write as _};

use bert_attention::Attentions;
use console::{Alignment, Term, measure_text_width, pad_str};
use ndarray::{Array2, ArrayView1};

/// Columns of a cell of the map: a share in percent.
const CELL: usize = 4;
/// The widest map that is printed to a file or a pipe, in columns.
const WIDEST: usize = 200;

/// The table of one head.
pub fn table(found: &Attentions, layer: usize, head: usize) -> anyhow::Result<String> {
    let weights = found.head(layer, head)?; // [n, n]
    let screen = Screen::of(&Term::stdout());
    Ok(draw(found, &weights, &format!("layer {layer}, head {head}"), screen)?)
}

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
struct Screen {
    columns: usize,
    colors: bool,
}

impl Screen {
    /// 24-bit colors where the terminal has them and `NO_COLOR` isn't set.
    fn of(term: &Term) -> Self {
        if !term.is_term() {
            return Self { columns: WIDEST, colors: false };
        }
        let features = term.features();
        let colors = console::colors_enabled() && features.true_colors_supported();
        Self { columns: term.size().1.into(), colors }
    }
}

fn draw(
    found: &Attentions,
    weights: &Array2<f64>,
    title: &str,
    screen: Screen,
) -> Result<String, fmt::Error> {
    let tokens: Vec<String> =
        found.tokens.iter().map(|token| token.replace(char::is_control, "�")).collect();
    let n = tokens.len();
    let widths = tokens.iter().map(|token| measure_text_width(token));
    let width = widths.max().unwrap_or(0);
    let indent =
        "123 ".len() + width + " → ".chars().count() + width + " 0.123  ".len();
    let fits = indent + CELL * n <= screen.columns;
    let greatest = weights.fold(f64::MIN_POSITIVE, |a, &b| a.max(b));

    let mut text = String::new();
    writeln!(text, "{}, {title}: where each token looks most", found.model)?;
    if fits {
        write!(text, "{:indent$}", "")?;
        for i in 0..n {
            write!(text, "{i:CELL$}")?;
        }
        writeln!(text, "  (%)")?;
    }
    for (i, (token, row)) in tokens.iter().zip(weights.rows()).enumerate() {
        let most = argmax(&row);
        let token = pad_str(token, width, Alignment::Left, None);
        let target = pad_str(&tokens[most], width, Alignment::Left, None);
        write!(text, "{i:3} {token} → {target} {:.3}", row[most])?;
        if fits {
            text.push_str("  ");
            for &weight in &row {
                cell(&mut text, weight, greatest, screen.colors)?;
            }
        }
        writeln!(text)?;
    }
    if !fits {
        writeln!(
            text,
            "{n} tokens don't fit in this width: --svg FILE draws them all"
        )?;
    }
    Ok(text)
}

/// A share in percent, on its color if there are colors: viridis, as in the figures.
fn cell(text: &mut String, weight: f64, greatest: f64, colors: bool) -> fmt::Result {
    let percent = format!("{:CELL$.0}", weight * 100.0);
    if !colors {
        return text.write_str(&percent);
    }
    let fraction = weight / greatest;
    let [red, green, blue] = figures::viridis(fraction);
    let ink = if fraction > 0.5 { 0 } else { 255 };
    write!(
        text,
        "\x1b[48;2;{red};{green};{blue};38;2;{ink};{ink};{ink}m{percent}\x1b[0m"
    )
}

/// The first of the greatest.
fn argmax(row: &ArrayView1<f64>) -> usize {
    let mut best = 0;
    for (i, &weight) in row.iter().enumerate() {
        if weight > row[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> (Attentions, Array2<f64>) {
        let tokens = ["[CLS]", "gato\u{7}", "[SEP]"].map(String::from).to_vec();
        let found = Attentions {
            model: "m".to_owned(),
            tokens,
            ids: vec![0; 3],
            token_type_ids: vec![0; 3],
            sentence_b_start: None,
            attentions: Vec::new(),
        };
        let weights =
            ndarray::array![[0.1, 0.7, 0.2], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]];
        (found, weights)
    }

    #[test]
    fn a_wide_screen_shows_the_map_in_digits() {
        let (found, weights) = found();
        let screen = Screen { columns: 80, colors: false };
        let text = draw(&found, &weights, "layer 0, head 1", screen).unwrap();
        let expected = "\
m, layer 0, head 1: where each token looks most
                            0   1   2  (%)
  0 [CLS] → gato� 0.700    10  70  20
  1 gato� → [CLS] 0.500    50  50   0
  2 [SEP] → [SEP] 1.000     0   0 100
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_narrow_screen_shows_no_map() {
        let (found, weights) = found();
        let screen = Screen { columns: 30, colors: true };
        let text = draw(&found, &weights, "layer 0, head 1", screen).unwrap();
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.contains("--svg"), "{text}");
    }

    #[test]
    fn colors_are_those_of_the_figures() {
        let (found, weights) = found();
        let screen = Screen { columns: 80, colors: true };
        let text = draw(&found, &weights, "layer 0, head 1", screen).unwrap();
        assert!(text.contains("\x1b[48;2;253;231;37;38;2;0;0;0m 100\x1b[0m"), "{text}");
        assert!(
            text.contains("\x1b[48;2;68;1;84;38;2;255;255;255m   0\x1b[0m"),
            "{text}"
        );
    }
}
