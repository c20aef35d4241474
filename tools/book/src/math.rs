//! Formulas: `KaTeX` at build time for the page, `$…$` for Jupyter.
//!
//! In the source, a formula in a sentence is written as GitHub and GitLab write it, ``
//! $`a^2`$ `` (a code span, so that neither Markdown nor gettext touches its
//! backslashes), and a displayed one is a ```` ```math ```` block.

use std::fmt::Write as _;
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow};
use katex::Opts;
use regex::{Captures, Regex};

static INLINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$`([^`]+)`\$").expect("a valid pattern"));

/// Renders one formula to HTML (with `MathML` for screen readers) on one line.
///
/// # Errors
///
/// `KaTeX`'s own message, after the formula.
pub fn html(tex: &str, display: bool) -> Result<String> {
    let opts = Opts::builder()
        .display_mode(display)
        .build()
        .context("KaTeX refused its options")?;
    let html = katex::render_with_opts(tex.trim(), opts).map_err(|error| {
        anyhow!("KaTeX refuses {tex:?}: {}", reason(&error.to_string()))
    })?;
    Ok(html.replace('\n', " "))
}

/// What KaTeX says, out of the JavaScript error that carries it. KaTeX underlines the place with
/// combining characters, which a terminal garbles.
fn reason(error: &str) -> String {
    let start = error.find("KaTeX parse error: ").map_or(0, |at| at + 19);
    let text = error[start..].replace("\\u{332}", "").replace('\u{332}', "");
    text.trim_end_matches(['"', ')']).replace("\\\\", "\\")
}

/// Replaces the formulas in a piece of Markdown by HTML that Markdown leaves alone.
///
/// # Errors
///
/// If `KaTeX` refuses a formula.
pub fn inline_to_html(markdown: &str) -> Result<String> {
    let mut rendered = Vec::new();
    for formula in INLINE.captures_iter(markdown) {
        rendered.push(shield(&html(&formula[1], false)?));
    }
    let mut rendered = rendered.into_iter();
    let next = |_: &Captures<'_>| rendered.next().unwrap_or_default();
    Ok(INLINE.replace_all(markdown, next).into_owned())
}

/// Writes the punctuation between tags as character references: Markdown would read
/// `_`, `*`, `\` or `|` there as markup.
fn shield(html: &str) -> String {
    let mut shielded = String::with_capacity(html.len() * 2);
    let (mut in_tag, mut in_reference) = (false, false);
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '&' if !in_tag => in_reference = true,
            _ => {}
        }
        if in_tag || in_reference || !c.is_ascii_punctuation() {
            shielded.push(c);
        } else {
            let _ = write!(shielded, "&#{};", u32::from(c)); // a String takes all
        }
        match c {
            '>' => in_tag = false,
            ';' => in_reference = false,
            _ => {}
        }
    }
    shielded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_html_without_markdown_in_it() {
        let html = inline_to_html(r"so $`Q K^\top / \sqrt{d_k}`$ here").unwrap();
        assert!(html.starts_with("so <span class=\"katex\">"), "{html}");
        assert!(html.ends_with(" here"), "{html}");
        assert!(html.contains("&#92;sqrt&#123;d&#95;k&#125;"), "{html}");
    }

    #[test]
    fn a_bad_formula_is_named() {
        let error = format!("{:#}", inline_to_html(r"$`\frac{`$").unwrap_err());
        assert!(
            error.starts_with(r#"KaTeX refuses "\\frac{": Unexpected end of input"#),
            "{error}"
        );
    }
}
