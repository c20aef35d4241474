//! A page for mdBook: code with what the kernel answered under it, formulas, figures,
//! folds.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nbformat::v4::Output;
use serde_json::Value;

use crate::figure::{self, Legend, escape};
use crate::notebook::{Outputs, outputs_in, tidy};
use crate::page::{Block, Caption, Cell, Choice, Located};
use crate::workspace::{Language, Workspace};
use crate::{markdown, math, references, times};

/// The words that the tool itself writes on a page.
pub struct Words {
    /// Names the output of a cell.
    pub output: &'static str,
    /// Links to the notebook.
    pub notebook: &'static str,
    /// Links to the crate.
    pub code: &'static str,
    /// Links to the exercises.
    pub exercises: &'static str,
    /// Says of what a number of minutes is.
    pub reading: &'static str,
    /// Names the bar of links.
    pub lives: &'static str,
    /// Says that the outputs are older than the code.
    pub stale: &'static str,
    /// Titles a box of advice.
    pub tip: &'static str,
    /// Titles the fold around code that only draws.
    pub drawing: &'static str,
    /// Stands before a figure's number.
    pub figure: &'static str,
    /// Titles a question whose answer is to come.
    pub question: &'static str,
    /// Says that a choice is the right one.
    pub right: &'static str,
    /// Stands for authors who are not named.
    pub et_al: &'static str,
    /// Stands before the chapters that cite a work.
    pub cited: &'static str,
    /// Leads from a term's explanation to the section that teaches it.
    pub taught: &'static str,
}

impl Words {
    /// The words of a language.
    #[must_use]
    pub fn of(language: Language) -> Self {
        match language {
            Language::Portuguese => Self {
                output: "saída",
                notebook: "Notebook",
                code: "Código",
                exercises: "Exercícios",
                reading: "de leitura",
                lives: "Este capítulo em outras formas",
                stale: "O código mudou depois destas saídas.",
                tip: "Dica",
                drawing: "Como esta figura é feita",
                figure: "Figura",
                question: "Antes de ver",
                right: "Certo.",
                et_al: "e outros",
                cited: "Citado em",
                taught: "Onde se explica",
            },
            Language::English => Self {
                output: "output",
                notebook: "Notebook",
                code: "Code",
                exercises: "Exercises",
                reading: "read",
                lives: "This chapter in other forms",
                stale: "The code has changed since these outputs.",
                tip: "Tip",
                drawing: "How this figure is made",
                figure: "Figure",
                question: "Before you look",
                right: "Right.",
                et_al: "et al.",
                cited: "Cited in",
                taught: "Where it is explained",
            },
        }
    }
}

/// Renders a page's blocks, with the outputs of its notebook.
///
/// # Errors
///
/// With the page's line: a formula that `KaTeX` refuses, a drawing that can't be read.
pub fn page(
    workspace: &Workspace,
    language: Language,
    name: &str,
    blocks: &[Located],
    outputs: &Outputs,
) -> Result<String> {
    let words = Words::of(language);
    let mut parts = Vec::new();
    let mut scripts = HashSet::new();
    for (i, located) in blocks.iter().enumerate() {
        let at = || format!("{name}:{}", located.line);
        let below = blocks[i + 1..].iter().map(|below| &below.block);
        let part = match &located.block {
            Block::Markdown(text) => {
                let at = |line: usize| format!("{name}:{}", located.line + line - 1);
                let legend = legend(below, &words).with_context(|| at(1))?;
                let page = (Path::new(name), language);
                prose(workspace, page, text, legend.as_ref(), &at)?
            }
            Block::Cell(cell) => {
                let outputs = outputs_in(outputs.get(&cell.id), language);
                let said = said(below, &words).with_context(at)?;
                cell_with_outputs(
                    name,
                    cell,
                    &outputs,
                    said.as_ref(),
                    &words,
                    &mut scripts,
                )
                .with_context(at)?
            }
            Block::Code(listing) => code_block(
                file_name(name, listing.file.as_deref()),
                &listing.language,
                &listing.code,
            ),
            Block::Math(formula) => {
                let html = math::html(&formula.numbered(), true).with_context(at)?;
                let id = match formula.anchor.as_str() {
                    "" => String::new(),
                    anchor => format!(" id=\"{anchor}\""),
                };
                format!("<div class=\"formula\"{id}>{html}</div>")
            }
            Block::Caption(_) | Block::Alt(_) // said with their figure
            | Block::Published | Block::EndPublished => String::new(), // see `published`
            Block::Details(title) => {
                let title = math::inline_to_html(title).with_context(at)?;
                format!("<details>\n<summary>{title}</summary>")
            }
            Block::EndDetails | Block::EndChoice => "</details>".to_owned(),
            Block::Tip => format!(
                "<div class=\"tip\" role=\"note\">\n<p class=\"tip-title\">{}</p>",
                words.tip
            ),
            Block::EndTip | Block::EndQuestion => "</div>".to_owned(),
            Block::Question(text) => {
                let text = math::inline_to_html(text).with_context(at)?;
                let title = words.question;
                format!(
                    "<div class=\"question\" role=\"group\">\n\
                     <p class=\"question-title\">{title}</p>\n<p>{text}</p>"
                )
            }
            Block::Choice(choice) => choice_begins(choice, &words).with_context(at)?,
            Block::References => references::list(workspace, language)?,
            Block::Times => times::table(workspace, language)?,
            Block::Live(live) => format!(
                "<div class=\"live\" data-live=\"{}\" data-figure=\"fig-{}\" data-label=\"{}\"></div>",
                escape(&live.element),
                escape(&live.figure),
                escape(&live.label),
            ),
        };
        parts.push(part);
    }
    Ok(parts.join("\n\n"))
}

/// A possible answer, folded; inside, whether it is the right one.
fn choice_begins(choice: &Choice, words: &Words) -> Result<String> {
    let text = math::inline_to_html(&choice.text)?;
    let open = format!("<details class=\"choice\">\n<summary>{text}</summary>");
    if !choice.right {
        return Ok(open);
    }
    Ok(format!("{open}\n<p class=\"verdict\">{}</p>", words.right))
}

/// What is said of the figure of a cell.
struct Said<'a> {
    /// Under it.
    legend: Legend,
    /// To a screen reader.
    alt: &'a str,
}

/// What the blocks below a cell say of its figure.
fn said<'a>(
    mut below: impl Iterator<Item = &'a Block> + Clone,
    words: &Words,
) -> Result<Option<Said<'a>>> {
    let legend = legend(below.clone(), words)?;
    Ok(match (legend, below.nth(1)) {
        (Some(legend), Some(Block::Alt(alt))) => Some(Said { legend, alt }),
        _ => None,
    })
}

/// The caption right below a figure, with its number.
fn legend<'a>(
    mut below: impl Iterator<Item = &'a Block>,
    words: &Words,
) -> Result<Option<Legend>> {
    let Some(Block::Caption(caption)) = below.next() else {
        return Ok(None);
    };
    let Caption { text, number, anchor } = caption;
    let text = math::inline_to_html(text)?;
    let html = format!("<strong>{} {number}.</strong> {text}", words.figure);
    Ok(Some(Legend { id: anchor.clone(), html }))
}

/// Prose with its drawings and formulas; `legend` is that of the last drawing, `at` names a
/// line of it.
fn prose(
    workspace: &Workspace,
    (page, language): (&Path, Language),
    text: &str,
    legend: Option<&Legend>,
    at: &dyn Fn(usize) -> String,
) -> Result<String> {
    let line = |range: &Range<usize>| at(markdown::line_of(text, range.start));
    let mut parts = Vec::new();
    let drawings = figure::images(text);
    let last = drawings.last().cloned();
    for image in drawings {
        let legend = legend.filter(|_| last.as_ref() == Some(&image));
        let drawing = figure::drawing(workspace, page, &image, legend, language);
        let drawing = drawing.with_context(|| line(&image.range))?;
        parts.push((image.range, drawing));
    }
    for formula in math::formulas(text) {
        let html = math::inline_html(&formula);
        parts
            .push((formula.range.clone(), html.with_context(|| line(&formula.range))?));
    }
    Ok(markdown::splice(text, parts))
}

/// Code under the name of its file.
fn code_block(file: Option<String>, language: &str, code: &str) -> String {
    let code = markdown::code_block(language, code);
    match file {
        None => code,
        Some(file) => {
            format!("<p class=\"listing-file\">{}</p>\n\n{code}", escape(&file))
        }
    }
}

/// What the page of a chapter calls a file: in the chapter's own `src`, its path there;
/// elsewhere, and for a `lib.rs`, its path with the crate. A walkthrough is a page's own
/// code and needs no name.
fn file_name(page: &str, file: Option<&Path>) -> Option<String> {
    let file = file?;
    if file.ends_with("examples/walkthrough.rs") {
        return None;
    }
    let file = file.strip_prefix("chapters-code").unwrap_or(file);
    let chapter = Path::new(page).file_stem().unwrap_or_default();
    let short = match file.strip_prefix(Path::new(chapter).join("src")) {
        Ok(own) if own != Path::new("lib.rs") => own,
        _ => file,
    };
    let parts: Vec<_> = short.iter().map(|part| part.to_string_lossy()).collect();
    Some(parts.join("/"))
}

/// Code that only draws, folded away.
fn folded(code: &str, words: &Words) -> String {
    format!(
        "<details class=\"drawing-code\">\n<summary>{}</summary>\n\n{code}\n\n</details>",
        words.drawing
    )
}

/// The code of a cell and, below it, what the kernel answered; if it only draws, the
/// figure comes first and the code is folded below it.
fn cell_with_outputs(
    name: &str,
    cell: &Cell,
    outputs: &[Output],
    said: Option<&Said<'_>>,
    words: &Words,
    scripts: &mut HashSet<String>,
) -> Result<String> {
    let mut parts = Vec::new();
    let mut drawn = outputs.is_empty(); // nothing recorded yet: nothing to judge
    for output in tidy(outputs.to_vec()) {
        drawn |= !matches!(output, Output::Stream { .. } | Output::Error(_));
        let html = match &output {
            Output::Stream { text, .. } => text_output(&text.0, words),
            Output::Error(error) => text_output(&error.traceback.join("\n"), words),
            Output::DisplayData(_) | Output::ExecuteResult(_) => {
                rich_output(&serde_json::to_value(&output)?, said, words, scripts)?
            }
        };
        parts.push(html);
    }
    if let (Some(said), false) = (said, drawn) {
        bail!(
            "cell {:?} draws nothing for the caption {:?}",
            cell.id,
            said.legend.html
        );
    }
    let code = code_block(file_name(name, Some(&cell.file)), "rust", &cell.code);
    if cell.draws {
        parts.push(folded(&code, words));
    } else {
        parts.insert(0, code);
    }
    Ok(parts.join("\n\n"))
}

/// What a cell has printed.
pub(crate) fn text_output(text: &str, words: &Words) -> String {
    format!(
        "<pre class=\"cell-output\" data-label=\"{}\" tabindex=\"0\">{}</pre>",
        words.output,
        escape(text.trim_end_matches('\n'))
    )
}

/// A figure, an HTML view or a value, in this order of preference.
fn rich_output(
    output: &Value,
    said: Option<&Said<'_>>,
    words: &Words,
    scripts: &mut HashSet<String>,
) -> Result<String> {
    let media = |kind: &str| media(output, kind);
    let alt = said.map(|said| plain(said.alt)).unwrap_or_default();
    let picture = media("image/svg+xml").map(|svg| figure::with_label(&svg, &alt));
    let drawn = picture.or_else(|| {
        let view = scripts_once(&media("text/html")?, scripts);
        Some(figure::with_alt(&view, &alt))
    });
    match (drawn, said) {
        (Some(drawn), Some(said)) => Ok(figure::figure(&drawn, Some(&said.legend))),
        (Some(_), None) => {
            bail!("a figure without a caption: write {{{{#caption …}}}} after its cell")
        }
        (None, _) => Ok(text_output(&media("text/plain").unwrap_or_default(), words)),
    }
}

/// An output in one of its forms, if it has it.
pub(crate) fn media(output: &Value, kind: &str) -> Option<String> {
    match &output["data"][kind] {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => Some(lines.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// Leaves out the module scripts that the page has already. Each cell brings all that its
/// output needs; on a page, a browser runs modules once everything is there, and one copy
/// serves them all.
fn scripts_once(html: &str, seen: &mut HashSet<String>) -> String {
    const OPEN: &str = "<script type=\"module\">";
    const CLOSE: &str = "</script>";
    let mut parts = html.split(OPEN);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (script, rest) = part.split_once(CLOSE).unwrap_or((part, ""));
        if seen.insert(script.to_owned()) {
            text.extend([OPEN, script, CLOSE]);
        }
        text.push_str(rest);
    }
    text
}

/// Words without their markup, for a screen reader.
fn plain(words: &str) -> String {
    words.replace(['`', '$', '*', '_'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_each_module_script_once() {
        let cell = |text: &str| {
            format!("<p>{text}</p><script type=\"module\">\nlet a = 1;\n</script><b>\n")
        };
        let mut seen = HashSet::new();
        assert_eq!(scripts_once(&cell("one"), &mut seen), cell("one"));
        assert_eq!(scripts_once(&cell("two"), &mut seen), "<p>two</p><b>\n");
        let other = cell("three").replace("= 1", "= 2");
        assert_eq!(scripts_once(&other, &mut seen), other);
    }

    #[test]
    fn a_listing_is_named_after_its_file() {
        let name =
            |file: &str| file_name("src/ch01-self-attention.md", Some(Path::new(file)));
        for (file, expected) in [
            ("chapters-code/ch01-self-attention/src/numpy.rs", "numpy.rs"),
            ("chapters-code/ch01-self-attention/src/a/b.rs", "a/b.rs"),
            (
                "chapters-code/ch01-self-attention/src/lib.rs",
                "ch01-self-attention/src/lib.rs",
            ),
            ("chapters-code/exercises/src/ch01.rs", "exercises/src/ch01.rs"),
            ("chapters-code/kernels/src/tile.rs", "kernels/src/tile.rs"),
            ("weights/README.md", "weights/README.md"),
        ] {
            assert_eq!(name(file).as_deref(), Some(expected));
        }
        let walkthrough = "chapters-code/ch01-self-attention/examples/walkthrough.rs";
        assert_eq!(name(walkthrough), None);
        assert_eq!(file_name("src/preface.md", None), None);
    }

    #[test]
    fn code_that_only_draws_is_folded_below_its_figure() {
        let svg = serde_json::json!({
            "output_type": "display_data", "metadata": {},
            "data": {"image/svg+xml": "<svg viewBox=\"0 0 1 1\"></svg>"},
        });
        let outputs: Vec<Output> = vec![serde_json::from_value(svg).unwrap()];
        let page = |draws: bool, language: Language| {
            let cell = Cell {
                id: "map".into(),
                code: "Heatmap::new(&a).draw()?.show()?;".into(),
                file: "chapters-code/ch01-a/examples/walkthrough.rs".into(),
                draws,
                fails: false,
                varies: false,
            };
            let words = Words::of(language);
            let mut scripts = HashSet::new();
            let legend = Legend { id: "fig-map".into(), html: "It is dark".into() };
            let said = Said { legend, alt: "A map" };
            cell_with_outputs("p", &cell, &outputs, Some(&said), &words, &mut scripts)
                .unwrap()
        };
        let open = page(false, Language::English);
        assert!(!open.contains("<details"), "{open}");
        assert!(open.find("```rust") < open.find("<figure"), "{open}");
        for (language, title) in [
            (Language::Portuguese, "Como esta figura é feita"),
            (Language::English, "How this figure is made"),
        ] {
            let html = page(true, language);
            let (figure, fold) = html.split_once("<details").unwrap();
            assert!(figure.contains("aria-label=\"A map\""), "{html}");
            let summary = format!("<summary>{title}</summary>\n\n```rust\n");
            assert!(fold.contains(&summary), "{html}");
            assert!(fold.ends_with("\n```\n\n</details>"), "{html}");
        }
    }

    /// In both languages, and what is right is seen once a choice is open.
    #[test]
    fn a_question_is_a_box_of_folds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = Workspace::at(&root).unwrap();
        let text = "{{#question Is $`a`$ *big*?}}\n\n{{#choice `b`}}\n\nc\n\n{{#right d}}\n\ne\n\n{{#endquestion}}";
        let name = "src/ch01-a.md";
        let blocks = crate::page::parse(&workspace, Path::new(name), text).unwrap();
        for (language, title, right) in [
            (Language::Portuguese, "Antes de ver", "Certo."),
            (Language::English, "Before you look", "Right."),
        ] {
            let html =
                page(&workspace, language, name, &blocks, &Outputs::new()).unwrap();
            for part in [
                &format!("<p class=\"question-title\">{title}</p>\n<p>Is <span"),
                " <em>big</em>?</p>\n\n<details",
                "<summary><code>b</code></summary>\n\nc\n\n</details>\n\n<details",
                &format!(
                    "<summary>d</summary>\n<p class=\"verdict\">{right}</p>\n\ne\n\n</details>"
                ),
            ] {
                assert!(html.contains(part), "{part} is not in {html}");
            }
            assert!(html.ends_with("</details>\n\n</div>"), "{html}");
        }
    }

    #[test]
    fn a_drawing_takes_its_caption_and_no_other() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = Workspace::at(&root).unwrap();
        let drawing = "![b](img/ch01-flow.svg)\n\n";
        let text = format!("{drawing}{drawing}{{{{#caption All *flows*.}}}}\n\nc\n");
        let name = "src/ch01-a.md";
        let blocks = crate::page::parse(&workspace, Path::new(name), &text).unwrap();
        let html = page(&workspace, Language::English, name, &blocks, &Outputs::new())
            .unwrap();
        assert_eq!(html.matches("<figure").count(), 2, "{html}");
        let (before, after) = html.split_once("id=\"fig-ch01-flow\"").unwrap();
        assert!(!before.contains("<figcaption"), "{html}");
        let caption =
            "<figcaption><strong>Figure 1.1.</strong> All <em>flows</em>.</figcaption>";
        assert!(after.contains(caption), "{html}");
    }

    #[test]
    fn printed_text_is_escaped() {
        let words = Words::of(Language::English);
        let html = text_output("<script>alert(1)</script>\n", &words);
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }
}
