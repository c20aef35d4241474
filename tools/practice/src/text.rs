//! A page's Markdown for a terminal: formulas in plain signs, links as their words, lines filled.

use std::sync::LazyLock;

use book::{markdown, math};
use regex::{Captures, Regex};

/// Columns of a line of prose.
const WIDTH: usize = 88;

/// What LaTeX's commands are in plain signs.
const SIGNS: [(&str, &str); 28] = [
    ("^\\top", "ᵀ"),
    ("\\;", " "),
    ("\\,", " "),
    ("\\beta", "β"),
    ("\\bmod", "mod"),
    ("\\cdot", "·"),
    ("\\circ", "∘"),
    ("\\cos", "cos "),
    ("\\gamma", "γ"),
    ("\\ge", "≥"),
    ("\\infty", "∞"),
    ("\\le", "≤"),
    ("\\lfloor", "⌊"),
    ("\\ln", "ln"),
    ("\\max", "max"),
    ("\\ne", "≠"),
    ("\\partial", "∂"),
    ("\\pi", "π"),
    ("\\rfloor", "⌋"),
    ("\\sigma", "σ"),
    ("\\sin", "sin "),
    ("\\sum", "Σ"),
    ("\\theta", "θ"),
    ("\\times", "×"),
    ("\\to", "→"),
    ("\\varepsilon", "ε"),
    ("\\{", "{"),
    ("\\}", "}"),
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is valid")
}

static COMMAND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\^\\top\b|\\(?:[A-Za-z]+|[,;{}])"));
static WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\\(?:mathrm|text)\{([^{}]*)\}"));
static ROOT: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\sqrt\{([^{}]*)\}"));
static GROUP: LazyLock<Regex> = LazyLock::new(|| pattern(r"([_^]?)\{([^{}]*)\}"));
static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[([^\]\[]*)\]\([^)]*\)"));
static SPACES: LazyLock<Regex> = LazyLock::new(|| pattern(" {2,}"));

/// Markdown as a terminal shows it.
#[must_use]
pub fn plain(text: &str) -> String {
    let formulas = math::formulas(text).into_iter();
    let formulas =
        formulas.map(|formula| (formula.range, signs(&formula.tex))).collect();
    let text = markdown::splice(text, formulas);
    let text = LINK.replace_all(&text, "$1");
    let mut parts: Vec<String> = Vec::new();
    let mut in_code = false;
    for part in text.split("\n\n") {
        let fences = part.lines().filter(|line| line.starts_with("```")).count();
        let code = in_code || fences > 0;
        in_code ^= fences % 2 == 1;
        parts.push(if code { indented(part) } else { filled(part) });
    }
    parts.join("\n\n")
}

/// A formula in plain signs.
fn signs(tex: &str) -> String {
    let mut text = WORD.replace_all(&tex.replace("{,}", ","), "$1").into_owned();
    while GROUP.is_match(&text) {
        text =
            ROOT.replace_all(&text, |found: &Captures| grouped("√", &found[1])).into();
        text = GROUP
            .replace(&text, |found: &Captures| grouped(&found[1], &found[2]))
            .into();
    }
    let known = |found: &Captures| {
        let sign = SIGNS.iter().find(|(command, _)| *command == &found[0]);
        sign.map_or_else(|| found[0].to_owned(), |(_, sign)| (*sign).to_owned())
    };
    let text = COMMAND.replace_all(&text, known);
    SPACES.replace_all(&text, " ").trim().to_owned()
}

/// What was in braces, after its sign: in parentheses if it is a sum or a product.
fn grouped(sign: &str, inner: &str) -> String {
    let simple = !inner.contains([' ', '+', '-', '/']);
    if sign.is_empty() || simple {
        format!("{sign}{inner}")
    } else {
        format!("{sign}({inner})")
    }
}

/// Code without its fences, indented.
fn indented(part: &str) -> String {
    let lines = part.lines().filter(|line| !line.starts_with("```"));
    let lines =
        lines.map(
            |line| if line.is_empty() { String::new() } else { format!("    {line}") },
        );
    lines.collect::<Vec<_>>().join("\n")
}

/// A paragraph in lines of one length; what has its own lines, as a table or a list, keeps them.
fn filled(part: &str) -> String {
    if part.starts_with(['|', '-']) {
        return part.to_owned();
    }
    let mut lines = vec![String::new()];
    for word in part.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use book::exercises::lessons;
    use book::workspace::{Language, Workspace};

    use super::*;

    #[test]
    fn formulas_become_signs() {
        for (tex, expected) in [
            (r"-\infty - (-\infty)", "-∞ - (-∞)"),
            (r"\sqrt{n}\,\ln(100\,n)", "√n ln(100 n)"),
            (r"K Q^\top", "K Qᵀ"),
            (r"e^{z - \max}", "e^(z - max)"),
            (r"d_{\mathrm{model}} - 1", "d_model - 1"),
            (r"1{,}5 \cdot 10^{-3}", "1,5 · 10^(-3)"),
            (r"(\text{painel} \cdot k + t)", "(painel · k + t)"),
            (r"\sqrt{x_{i} + 1}", "√(x_i + 1)"),
        ] {
            assert_eq!(signs(tex), expected, "{tex}");
        }
    }

    #[test]
    fn prose_is_filled_and_code_is_left_as_it_is() {
        let text = "a [link](b.md)\nto $`d_k`$\n\n```rust\nlet a = 1;\n\nlet b = 2;\n```\n\n| a |\n| b |";
        let expected =
            "a link to d_k\n\n    let a = 1;\n\n    let b = 2;\n\n| a |\n| b |";
        assert_eq!(plain(text), expected);
        let long = "word ".repeat(40);
        assert!(plain(&long).lines().all(|line| line.chars().count() <= WIDTH));
    }

    /// A command that is new to the hints has a sign above, too.
    #[test]
    fn no_latex_is_left_in_any_hint() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = Workspace::at(&root).unwrap();
        for language in Language::ALL {
            for chapter in workspace.chapters().unwrap() {
                for lesson in lessons(&workspace, &chapter, language).unwrap().values()
                {
                    let texts = lesson.hints.iter().chain([&lesson.solution]);
                    for formula in texts.flat_map(|text| math::formulas(text)) {
                        let plain = signs(&formula.tex);
                        let left = plain.contains(['\\', '{', '}']);
                        assert!(
                            !left,
                            "{}: {} gives {plain}",
                            chapter.name, formula.tex
                        );
                    }
                }
            }
        }
    }
}
