//! Formulas: `KaTeX` at build time for the page, `$…$` for Jupyter.
//!
//! In the source, a formula in a sentence is written as GitHub and GitLab write it, ``
//! $`a^2`$ `` (a code span, so that neither Markdown nor gettext touches its
//! backslashes), and a displayed one is a ```` ```math ```` block.

use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context, Result, anyhow, ensure};
use katex::Opts;
use mdbook_markdown::pulldown_cmark::html::push_html;
use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};

use crate::markdown::{Fault, events, is_escaped, splice};

/// A formula in a piece of Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// Its bytes, dollars included.
    pub range: Range<usize>,
    /// Its LaTeX.
    pub tex: String,
}

/// The formulas in the sentences of a piece of Markdown: code spans of one backtick
/// between two dollars. What merely shows that syntax, in code, is none; nor is what
/// stands in the text of a picture, which is read aloud.
#[must_use]
pub fn formulas(markdown: &str) -> Vec<Formula> {
    let mut found: Vec<Formula> = Vec::new();
    let mut pictures = 0_usize;
    for (event, range) in events(markdown) {
        let tex = match event {
            Event::Code(tex) if pictures == 0 => tex,
            Event::Start(Tag::Image { .. }) => {
                pictures += 1;
                continue;
            }
            Event::End(TagEnd::Image) => {
                pictures -= 1;
                continue;
            }
            _ => continue,
        };
        let free = found.last().map_or(0, |last| last.range.end);
        let opened = markdown[free.min(range.start)..range.start].ends_with('$')
            && !is_escaped(markdown, range.start - 1);
        let one_backtick = !markdown[range.start..].starts_with("``");
        let closed = markdown[range.end..].starts_with('$');
        if opened && one_backtick && closed {
            let range = range.start - 1..range.end + 1;
            found.push(Formula { range, tex: tex.into_string() });
        }
    }
    found
}

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

/// One formula as HTML that Markdown leaves alone.
///
/// # Errors
///
/// If `KaTeX` refuses it.
pub fn inline_html(formula: &Formula) -> Result<String> {
    Ok(shield(&html(&formula.tex, false)?))
}

/// Whether `KaTeX` takes every formula of a piece of Markdown.
///
/// # Errors
///
/// The first formula that it refuses.
pub fn check(markdown: &str) -> Result<(), Fault> {
    for formula in formulas(markdown) {
        html(&formula.tex, false)
            .map_err(|error| Fault { byte: formula.range.start, error })?;
    }
    Ok(())
}

/// A line of Markdown (a caption, a title) as HTML.
///
/// # Errors
///
/// If it is more than a line, or `KaTeX` refuses a formula.
pub fn inline_to_html(markdown: &str) -> Result<String> {
    line_to_html(markdown, str::to_owned, |tex| html(tex, false))
}

/// A line of Markdown as HTML, what lies between its formulas as `words` has it, each formula
/// as `formula` has it.
///
/// # Errors
///
/// If it is more than a line, or `formula` fails.
pub fn line_to_html(
    markdown: &str,
    words: impl Fn(&str) -> String,
    formula: impl Fn(&str) -> Result<String>,
) -> Result<String> {
    const PLACE: &str = "\u{e000}"; // of a formula, while the words become HTML
    let formulas = formulas(markdown);
    let places = formulas.iter().map(|f| (f.range.clone(), PLACE.to_owned()));
    let line = one_line(&splice(markdown, places.collect()))?;
    let mut pieces = line.split(PLACE);
    let mut text = words(pieces.next().unwrap_or_default());
    for (found, piece) in formulas.iter().zip(pieces) {
        text += &formula(&found.tex)?;
        text += &words(piece);
    }
    Ok(text)
}

/// The HTML of Markdown that is one paragraph, without its tags.
fn one_line(markdown: &str) -> Result<String> {
    let mut inner: Vec<Event<'_>> = events(markdown).map(|(event, _)| event).collect();
    let paragraphs =
        inner.iter().filter(|e| **e == Event::Start(Tag::Paragraph)).count();
    ensure!(
        paragraphs == 1 && inner.first() == Some(&Event::Start(Tag::Paragraph)),
        "{markdown:?} is no line of text: what stands at its beginning makes a list, a heading \
         or HTML of it"
    );
    inner.retain(|e| {
        !matches!(e, Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph))
    });
    let mut line = String::new();
    push_html(&mut line, inner.into_iter());
    Ok(line)
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
    fn a_line_becomes_html() {
        let html =
            inline_to_html(r"so $`Q K^\top`$, *a* < `b_c`, [d](e.md#f)").unwrap();
        assert!(html.starts_with("so <span class=\"katex\">"), "{html}");
        let end = ", <em>a</em> &lt; <code>b_c</code>, <a href=\"e.md#f\">d</a>";
        assert!(html.ends_with(end), "{html}");
        for more in ["- a", "# a", "a\n\nb", "<div>a</div>", "1. a"] {
            assert!(inline_to_html(more).is_err(), "{more}");
        }
    }

    #[test]
    fn formulas_become_html_without_markdown_in_it() {
        let formula = formulas(r"so $`\sqrt{d_k}`$ here").remove(0);
        let html = inline_html(&formula).unwrap();
        assert!(html.contains("&#92;sqrt&#123;d&#95;k&#125;"), "{html}");
    }

    #[test]
    fn only_what_stands_between_tags_is_shielded() {
        assert_eq!(
            shield(r#"*<i class="a_b">a_b &amp; c|</i>"#),
            r#"&#42;<i class="a_b">a&#95;b &amp; c&#124;</i>"#
        );
    }

    #[test]
    fn a_formula_is_what_markdown_reads_as_one() {
        for (markdown, tex) in [
            ("$`a`$, $`b\nc`$ and $`d`$", &["a", "b c", "d"][..]),
            ("| x |\n|---|\n| $`P(A\\|B)`$ |", &["P(A|B)"]),
            ("> - $`a`$\n>   **$`b`$**", &["a", "b"]),
            ("`` $`a`$ `` shows it", &[]),
            ("a block, too:\n\n    $`a`$", &[]),
            ("- a\n\n  ~~~text\n  $`a`$\n  ~~~", &[]),
            ("\\$`a`$, `a`$, $`a`", &[]),
            ("$`a`$`b`$", &["a"]),
            ("<!-- $`a`$ -->\n\n![$`a`$](b.svg)", &[]),
        ] {
            let found = formulas(markdown);
            let found: Vec<&str> = found.iter().map(|f| f.tex.as_str()).collect();
            assert_eq!(found, tex, "{markdown}");
        }
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
