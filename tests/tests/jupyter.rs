//! Prose of a page in its notebook: what mdBook's Markdown means, in Jupyter's.
//! `reference/jupyter_markdown.py` holds what is written here to Jupyter's own Markdown.

use std::path::Path;

use book::jupyter::Place;
use book::notebook::{self, Outputs};
use book::page::{self, Block, Caption, Located};
use book::workspace::{Chapter, Language, Workspace};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    /// What the page says.
    page: String,
    /// What its notebook says, cell by cell.
    notebook: Vec<String>,
}

fn prose(blocks: &[Located]) -> anyhow::Result<Vec<Vec<String>>> {
    let workspace = Workspace::at(&book_tests::root()).unwrap();
    let chapter = Chapter::of(Path::new("src/ch01-self-attention.md"));
    let language = Language::Portuguese;
    Place { workspace: &workspace, chapter: &chapter, language }.prose(blocks)
}

fn located(line: usize, text: &str) -> Located {
    Located { line, block: Block::Markdown(text.to_owned()) }
}

#[test]
fn a_notebook_says_in_jupyter_s_markdown_what_its_page_says() {
    let cases: Vec<Case> = book_tests::fixture("jupyter-markdown.json");
    for Case { name, page, notebook } in cases {
        let found = prose(&[located(1, &page)]).unwrap().remove(0);
        let shown: Vec<&String> =
            found.iter().filter(|piece| !piece.is_empty()).collect();
        assert_eq!(shown, notebook.iter().collect::<Vec<_>>(), "{name}");
    }
}

/// A page is one text, and its notebook many: what stands in another block counts.
#[test]
fn footnotes_and_links_reach_from_block_to_block() {
    let text = "Mais em [A][a][^n].".into();
    let caption = Block::Caption(Caption { text, ..Caption::default() });
    let caption = Located { line: 7, block: caption };
    let found = prose(&[
        located(1, "# Um título\n\nVeja [^n] e [b](#outro-título)."),
        caption,
        located(9, "[a]: https://example.org\n\n## Outro título\n\n[^n]: Uma nota."),
    ]);
    let [first, second, third] = found.unwrap().try_into().unwrap();
    assert_eq!(
        first,
        ["", "# Um título\n\nVeja <sup>1</sup> e [b](#Outro-t%C3%ADtulo)."]
    );
    assert_eq!(second, ["Mais em [A](https://example.org)<sup>1</sup>."]);
    assert_eq!(third[1], "## Outro título\n\n<sup>1</sup> Uma nota.");
}

/// An image is in the notebook, each in its place and no word changed.
#[test]
fn images_are_in_the_notebook() {
    let text = "![Custa R$ 1](img/ch01-flow.svg \"De *a* a b\") e `img/ch01-flow.svg`.";
    let found = prose(&[located(1, text)]).unwrap().concat().concat();
    assert!(
        found.starts_with("![Custa R&#36; 1](data:image/svg+xml;base64,"),
        "{found:.90}"
    );
    assert!(found.ends_with(" \"De *a* a b\") e `img/ch01-flow.svg`."));
}

/// Its folds are HTML, as in a fold of the page; a link to a figure has nowhere to lead.
#[test]
fn a_question_and_a_figure_s_number_are_in_the_notebook() {
    let workspace = Workspace::at(&book_tests::root()).unwrap();
    let page = Path::new("src/ch01-self-attention.md");
    let text = "![a](img/ch01-flow.svg)\n\n{{#caption De $`Q`$.}}\n\n\
                {{#question Na [figura 1.1](#fig-ch01-flow)?}}\n\n{{#choice `b` < R$ 1}}\n\nc\n\n\
                {{#right *d*}}\n\n$`e`$\n\n{{#endquestion}}\n";
    let blocks = page::parse(&workspace, page, text).unwrap();
    for (language, figure, title, right) in [
        (Language::Portuguese, "Figura", "Antes de ver", "Certo."),
        (Language::English, "Figure", "Before you look", "Right."),
    ] {
        let built = notebook::build(
            &workspace,
            &Chapter::of(page),
            language,
            &blocks,
            &Outputs::new(),
        );
        let text = notebook::to_text(&built.unwrap()).unwrap();
        let text: serde_json::Value = serde_json::from_str(&text).unwrap();
        let lines: Vec<String> =
            serde_json::from_value(text["cells"][0]["source"].clone()).unwrap();
        let text = lines.concat();
        let expected = format!(
            "\n\n**{figure} 1.1.** De $Q$.\n\n---\n\n**{title}.** Na figura 1.1?\n\n<details>\n\
             <summary><code>b</code> &lt; R<span>&#36;</span> 1</summary>\n\nc\n\n</details>\n\n\
             <details>\n<summary><em>d</em></summary>\n\n**{right}**\n\n$e$\n\n</details>\n\n---"
        );
        assert!(text.ends_with(&expected), "{text}");
    }
}

#[test]
fn the_title_of_a_fold_is_html() {
    let workspace = Workspace::at(&book_tests::root()).unwrap();
    let chapter = Chapter::of(Path::new("src/ch01-self-attention.md"));
    let place =
        Place { workspace: &workspace, chapter: &chapter, language: Language::English };
    let title = place.title("Why $`a < b`$ costs R$ 2 & R$ 3").unwrap();
    let dollar = "<span>&#36;</span>";
    assert_eq!(title, format!("Why $a &lt; b$ costs R{dollar} 2 &amp; R{dollar} 3"));
}

#[test]
fn what_jupyter_has_no_form_for_is_refused_with_file_and_line() {
    for (text, problem) in [
        ("> [!NOTE]\n> Atenção", "src/ch01-self-attention.md:5: an admonition"),
        ("Termo\n: o que é", "src/ch01-self-attention.md:5: a definition list"),
        (
            "a[^n]\n\n[^n]: b\n\n    c",
            "src/ch01-self-attention.md:7: the footnote [^n] is not",
        ),
        (
            "a[^n]\n\n[^n]: - b",
            "src/ch01-self-attention.md:7: the footnote [^n] is not",
        ),
        (
            "[^n]: b",
            "src/ch01-self-attention.md:5: nothing refers to the footnote [^n]",
        ),
        (
            "a\n\n<p>\nR$ 2</p>",
            "src/ch01-self-attention.md:8: a dollar sign in raw HTML",
        ),
        ("<https://example.org/$a>", "src/ch01-self-attention.md:5: "),
        (
            "a\nb $`\\begin{matrix} a \\end{matrix}`$",
            "src/ch01-self-attention.md:6: \"\\\\begin",
        ),
        ("a\nb $`\\frac{`$", "src/ch01-self-attention.md:6: KaTeX refuses"),
        (
            "![a](img/a.bmp)",
            "src/ch01-self-attention.md:5: src/img/a.bmp: an image for",
        ),
        (
            "![a](img/none.png)",
            "src/ch01-self-attention.md:5: cannot read src/img/none.png",
        ),
    ] {
        let blocks = [located(1, "# T"), located(5, text)];
        let found = format!("{:#}", prose(&blocks).unwrap_err());
        assert!(found.starts_with(problem), "{text}: {found}");
    }
}

/// Text in which everything that is written anew, or refused, is common.
fn any_page() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "$",
        "`",
        "``",
        "\\",
        "[",
        "]",
        "(#a)",
        "[a]: #b\n",
        "[^a]",
        "[^a]: ",
        "{#a}",
        "{.b}",
        "# ",
        "\n",
        "\n\n",
        "    ",
        "> ",
        "> [!TIP]\n",
        "- ",
        ": ",
        "|",
        "\n|-|-|\n",
        "~",
        "~~",
        "*",
        "!",
        "(#av-a=b)",
        "(ch02-whole-transformer.md#c)",
        "(<a b>)",
        "<b c=\"$\">",
        "<p>",
        "&dollar;",
        "<https://a.b/$>",
        "R$ 1",
        "$`x`$",
        "$`\\$`$",
        "a",
        "é",
        " ",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever a page says, its notebook says it, or it is refused with its line.
    #[test]
    fn any_page_is_written_or_refused(pages in prop::collection::vec(any_page(), 0..4)) {
        let blocks: Vec<Located> =
            pages.iter().zip(1..).map(|(page, line)| located(line, page)).collect();
        match prose(&blocks) {
            Ok(prose) => prop_assert_eq!(prose.len(), blocks.len()),
            Err(error) => {
                prop_assert!(error.to_string().starts_with("src/ch01-self-attention.md:"));
            }
        }
    }
}
