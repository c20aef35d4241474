//! The cells of a notebook as HTML.
//!
//! Prose is Jupyter's Markdown as `jupyter.rs` writes it; formulas, in titles of folds, too, stand
//! between dollar signs, and no other dollar sign is bare.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use mdbook_markdown::pulldown_cmark::html::push_html;
use mdbook_markdown::pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use nbformat::v4::{Cell, Notebook, Output};
use regex::Regex;
use scraper::{Html, Selector};
use serde_json::Value;

use super::Words;
use crate::check::site::is_elsewhere;
use crate::figure::escape;
use crate::markdown::splice;
use crate::math;
use crate::notebook::tidy;
use crate::polish::highlight::{listings, unescaped};
use crate::preprocess::built_page;
use crate::render::{self, media, text_output};
use crate::workspace::{Language, forward};

/// All cells, in order.
///
/// # Errors
///
/// With the cell's id: a formula that `KaTeX` refuses.
pub fn html(notebook: &Notebook, language: Language) -> Result<String> {
    let mut html = String::new();
    let mut names = HashSet::new();
    for cell in &notebook.cells {
        let part = match cell {
            Cell::Markdown { source, .. } => {
                prose(&source.concat(), language, &mut names)
            }
            Cell::Code { execution_count, source, outputs, .. } => {
                code(*execution_count, &source.concat(), outputs, language)
            }
            Cell::Raw { source, .. } => {
                Ok(format!("<pre tabindex=\"0\">{}</pre>\n", escape(&source.concat())))
            }
        };
        html += &part.with_context(|| format!("cell {:?}", cell.id().as_str()))?;
    }
    Ok(scrollable(&listings(&html)?))
}

/// What may be too wide scrolls sideways, by the keyboard, too.
fn scrollable(html: &str) -> String {
    html.replace("<pre><code ", "<pre><code tabindex=\"0\" ")
        .replace("<table>", "<div class=\"table-wrapper\" tabindex=\"0\"><table>")
        .replace("</table>", "</table></div>")
}

/// A Markdown cell. Its headings have names, of which each in `names` is taken.
fn prose(
    markdown: &str,
    language: Language,
    names: &mut HashSet<String>,
) -> Result<String> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH;
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, options).collect();
    name_headings(&mut events, names);
    let events = events.into_iter().map(|event| on_page(event, language));
    let mut html = String::new();
    push_html(&mut html, events.collect::<Result<Vec<_>>>()?.into_iter());
    Ok(html)
}

/// Gives each heading the name by which Jupyter's links find it; if two would have one, the
/// first has it.
fn name_headings(events: &mut [Event<'_>], names: &mut HashSet<String>) {
    let (mut start, mut text) = (0, String::new());
    for index in 0..events.len() {
        match &events[index] {
            Event::Start(Tag::Heading { .. }) => (start, text) = (index, String::new()),
            Event::Text(words) | Event::Code(words) => text.push_str(words),
            Event::InlineMath(tex) => text.extend(["$", tex, "$"]),
            Event::End(TagEnd::Heading(_)) => {
                let name = text.trim().replace(' ', "-");
                if let Event::Start(Tag::Heading { id, .. }) = &mut events[start] {
                    *id = names.insert(name.clone()).then(|| name.into());
                }
            }
            _ => {}
        }
    }
}

/// What Markdown has found, as the page has it: formulas drawn, links within the site.
fn on_page(event: Event<'_>, language: Language) -> Result<Event<'_>> {
    Ok(match event {
        Event::InlineMath(tex) => Event::InlineHtml(math::html(&tex, false)?.into()),
        Event::DisplayMath(tex) => {
            let formula = math::html(&tex, true)?;
            let place = "<span class=\"formula\" tabindex=\"0\">";
            Event::InlineHtml(format!("{place}{formula}</span>").into())
        }
        Event::Html(html) => Event::Html(with_formulas(&html)?.into()),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = address(&dest_url, language).into();
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    })
}

/// HTML in which formulas stand between dollar signs.
fn with_formulas(html: &str) -> Result<String> {
    static FORMULA: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\$[^$]+\$").expect("a valid pattern"));
    let formulas = FORMULA.find_iter(html).map(|formula| {
        let tex = unescaped(formula.as_str().trim_matches('$'));
        Ok((formula.range(), math::html(&tex, false)?))
    });
    Ok(splice(html, formulas.collect::<Result<_>>()?))
}

/// Where a link of a notebook leads from its page: to another notebook's page, or to a page of
/// the book.
fn address(to: &str, language: Language) -> String {
    let (path, part) = to.split_at(to.find('#').unwrap_or(to.len()));
    if is_elsewhere(to) {
        return to.to_owned();
    }
    if let Some(notebook) = path.strip_suffix(".ipynb") {
        return format!("{notebook}.html{part}");
    }
    let source = Path::new(path).strip_prefix(language.notebooks_to_root());
    match source.and_then(|path| path.strip_prefix("src")) {
        Ok(page) => on_site(language, &built_page(page)) + part,
        Err(_) => to.to_owned(),
    }
}

/// From the page of a notebook to a page of its edition.
pub fn on_site(language: Language, page: &Path) -> String {
    let root = Path::new(language.notebooks_to_root());
    forward(&root.join(language.folder()).join(page))
}

/// A code cell: its count, its code, its outputs.
fn code(
    count: Option<i32>,
    code: &str,
    outputs: &[Output],
    language: Language,
) -> Result<String> {
    let count = count.map_or(" ".to_owned(), |count| count.to_string());
    let mut html = format!(
        "<div class=\"cell\">\n<p class=\"count\">[{count}]:</p>\n<div>\n\
         <pre><code class=\"language-rust\">{}</code></pre>\n",
        escape(code)
    );
    let words = render::Words::of(language);
    for output in tidy(outputs.to_vec()) {
        html += &match &output {
            Output::Stream { text, .. } => text_output(&text.0, &words),
            Output::Error(error) => text_output(&error.traceback.join("\n"), &words),
            Output::DisplayData(_) | Output::ExecuteResult(_) => {
                rich_output(&serde_json::to_value(&output)?, language)
            }
        };
        html.push('\n');
    }
    Ok(html + "</div>\n</div>\n")
}

/// What a cell has drawn, as a picture; or its value. What moves says where it does.
fn rich_output(output: &Value, language: Language) -> String {
    let (drawing, html) = (media(output, "image/svg+xml"), media(output, "text/html"));
    let note = match drawing {
        Some(_) => String::new(),
        None => format!("<p class=\"still\">{}</p>", Words::of(language).still),
    };
    let words = render::Words::of(language);
    let drawing = drawing.map(|svg| {
        let data = BASE64_STANDARD.encode(svg);
        picture(&format!("data:image/svg+xml;base64,{data}"), words.figure)
    });
    match html.and_then(|html| picture_in(&html)).or(drawing) {
        Some(picture) => format!("<p>{picture}</p>{note}"),
        None => text_output(&media(output, "text/plain").unwrap_or_default(), &words),
    }
}

/// The first picture in HTML, and nothing else of it.
fn picture_in(html: &str) -> Option<String> {
    static PICTURE: LazyLock<Selector> = LazyLock::new(|| {
        Selector::parse("img[src^='data:image/svg+xml;base64,']")
            .expect("a valid selector")
    });
    let html = Html::parse_fragment(html);
    let image = html.select(&PICTURE).next()?;
    Some(picture(image.attr("src")?, image.attr("alt").unwrap_or_default()))
}

/// A picture as Markdown writes one.
fn picture(source: &str, alt: &str) -> String {
    format!("<img src=\"{}\" alt=\"{}\" />", escape(source), escape(alt))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(cells: &Value, language: Language) -> String {
        let notebook = json!({ "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5 });
        let notebook = crate::notebook::parse(&notebook.to_string()).unwrap();
        html(&notebook, language).unwrap()
    }

    fn markdown(text: &str) -> Value {
        json!([{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": text }])
    }

    fn cell(code: &str, outputs: &Value) -> Value {
        json!([{
            "cell_type": "code", "id": "a", "metadata": {}, "execution_count": 3,
            "source": code, "outputs": outputs,
        }])
    }

    #[test]
    fn prose_is_as_jupyter_shows_it() {
        let text = "# Um `a` só\n\nSe $a_1 < b_2$ e <span>&#36;</span>5, *c* `$d$` &lt;:\n\n\
                    $$\na \\\\\n= b\n$$\n\n| x |\n|---|\n| $P(A \\vert B)$ |\n\n\
                    <details>\n<summary>É $x &lt; y$?</summary>\n\n~~e~~\n\n</details>\n\n\
                    ```python\ndef f(a):\n```\n\n# Um `a` só\n";
        let html = page(&markdown(text), Language::Portuguese);
        for part in [
            "<h1 id=\"Um-a-só\">Um <code>a</code> só</h1>",
            "<h1>Um <code>a</code> só</h1>",
            "<annotation encoding=\"application/x-tex\">a_1 &lt; b_2</annotation>",
            "e <span>$</span>5, <em>c</em> <code>$d$</code> &lt;:</p>",
            "<span class=\"formula\" tabindex=\"0\"><span class=\"katex-display\">",
            "<div class=\"table-wrapper\" tabindex=\"0\"><table>",
            "x &lt; y</annotation>",
            "</summary>\n<p><del>e</del></p>\n</details>",
            "<pre><code tabindex=\"0\" class=\"language-python hljs\"><span class=\"hljs-keyword\">def",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert_eq!(html.matches("<span class=\"katex\">").count(), 4, "{html}");
    }

    #[test]
    fn links_lead_to_pages() {
        let (portuguese, english) = (Language::Portuguese, Language::English);
        for (language, to, there) in [
            (portuguese, "ch02-b.ipynb", "ch02-b.html"),
            (portuguese, "ch02-b.ipynb#A-b", "ch02-b.html#A-b"),
            (portuguese, "../src/a/b.md#c", "../a/b.html#c"),
            (english, "../../src/a/README.md", "../../en/a/index.html"),
            (english, "../../weights/README.md", "../../weights/README.md"),
            (english, "#São", "#São"),
            (english, "https://a.b/c.ipynb", "https://a.b/c.ipynb"),
        ] {
            assert_eq!(address(to, language), there);
        }
        let html = page(&markdown("[a](#S%C3%A3o)\n\n## São"), english);
        assert!(
            html.contains("href=\"#S%C3%A3o\"") && html.contains("id=\"São\""),
            "{html}"
        );
    }

    #[test]
    fn a_cell_has_its_count_its_code_and_what_it_printed() {
        let outputs = json!([
            { "output_type": "stream", "name": "stdout", "text": "<b>1\n" },
            { "output_type": "stream", "name": "stdout", "text": "2\n" },
            {
                "output_type": "execute_result", "execution_count": 3, "metadata": {},
                "data": { "text/plain": "a < b" },
            },
        ]);
        let html = page(&cell("let a = \"<\";", &outputs), Language::English);
        for part in [
            "<p class=\"count\">[3]:</p>",
            "<span class=\"hljs-keyword\">let",
            "<span class=\"hljs-string\">&quot;&lt;&quot;</span>",
            "data-label=\"output\" tabindex=\"0\">&lt;b&gt;1\n2</pre>",
            "tabindex=\"0\">a &lt; b</pre>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        let never = json!([{
            "cell_type": "code", "id": "a", "metadata": {}, "execution_count": null,
            "source": "", "outputs": [],
        }]);
        assert!(page(&never, Language::English).contains(">[ ]:</p>"));
    }

    #[test]
    fn what_a_cell_draws_is_a_picture_with_its_words() {
        let image = "data:image/svg+xml;base64,PHN2Zz4=";
        let view = format!(
            "<div><img alt=\"A &lt; B\" src=\"{image}\"><script>let a;</script></div>"
        );
        let picture = format!("<img src=\"{image}\" alt=\"A &lt; B\" />");
        let drawn = |data: &Value| {
            let output = json!([
                { "output_type": "display_data", "metadata": {}, "data": data }
            ]);
            page(&cell("a", &output), Language::English)
        };
        let figure = drawn(&json!({ "text/html": view, "image/svg+xml": "<svg>" }));
        assert!(figure.contains(&picture) && !figure.contains("still"), "{figure}");
        let moving = drawn(&json!({ "text/html": view }));
        assert!(
            moving.contains(&picture) && moving.contains("A still picture"),
            "{moving}"
        );
        assert!(!moving.contains("script"), "{moving}");
        let alone = drawn(&json!({ "image/svg+xml": "<svg>" }));
        assert!(
            alone.contains(&format!("<img src=\"{image}\" alt=\"Figure\" />")),
            "{alone}"
        );
        let other = drawn(&json!({ "text/html": "<b>a</b>", "text/plain": "a" }));
        assert!(other.contains(">a</pre>") && !other.contains("<b>"), "{other}");
    }
}
