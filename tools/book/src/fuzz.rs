//! Pages and catalogs that nobody would write: an error, at worst. `PROPTEST_CASES` says
//! how many.

use std::fs;
use std::path::Path;

use mdbook_markdown::pulldown_cmark::{Event, Tag, TagEnd};
use mdbook_preprocessor::book::Book;
use proptest::prelude::*;

use crate::check::{numbers, roundtrip};
use crate::notebook::Outputs;
use crate::page::Block;
use crate::workspace::{Language, Workspace};
use crate::{cells, i18n, markdown, page, render};

/// What Markdown, a page and its formulas are made of.
const PAGE: &[&str] = &[
    "\n",
    "\n\n",
    "\r\n",
    "\n    ",
    "\n  ",
    "\n> ",
    "\n- ",
    "\n1. ",
    "\n# ",
    "\n|---|---|\n",
    "\n===\n",
    "\n---\n",
    "\n\t",
    "```",
    "````",
    "~~~",
    "\n```\n",
    "```rust\n",
    "```rs,cell\n",
    "```math\n",
    "`",
    "``",
    "$`",
    "`$",
    "|",
    "\\|",
    "\\",
    "*",
    "**",
    "_",
    "~~",
    "[",
    "](a.md)",
    "![a](img/ch01-flow.svg)",
    "![",
    "](b.svg)",
    "[^1]",
    "[^1]: ",
    "[a]: b",
    "<div>",
    "</div>",
    "<b>",
    "<!-- ",
    "-->",
    "<https://a.b/1.23>",
    "&nbsp;",
    "\n: ",
    "> [!NOTE]\n",
    "{{#tip}}",
    "{{#endtip}}",
    "{{#details a",
    "{{#enddetails}}",
    "{{#caption a}}",
    "{{#alt ",
    "{{#question a}}",
    "{{#choice a}}",
    "{{#right ",
    "{{#endquestion}}",
    "{{#include ",
    "../chapters-code/ch01-self-attention/src/lib.rs",
    ":softmax",
    ":1:2",
    "}}",
    "{#a}",
    "a",
    "b c",
    "é",
    "\u{a0}",
    "\u{2028}",
    "R$ ",
    "0,28",
    "30.522",
    "2024\\.",
    "\\frac{",
    "{a}",
    "for ",
];

/// What PO files are made of.
const PO: &[&str] = &[
    "\n",
    "\n\n",
    "\r\n",
    "msgid ",
    "msgstr ",
    "msgctxt ",
    "msgid_plural ",
    "msgstr[0] ",
    "msgstr[9] ",
    "\"",
    "\"\"",
    "\"a\"",
    "\"Sum\u{e1}rio\"",
    "\"\\n\"",
    "\\",
    "\\\"",
    "\\q",
    "#",
    "# ",
    "#: src/SUMMARY.md:1",
    "#, fuzzy",
    "#~ ",
    "#| ",
    "#. ",
    " ",
    "\t",
    "\u{feff}",
    "\u{e9}",
    "**",
    "$`",
    "`$",
    "{{#tip}}",
    "Language: en\\n",
    "\nmsgid \"a\"\nmsgstr \"b\"\n\n",
    "\nmsgid \"\"\nmsgstr \"\"\n",
];

fn made_of(parts: &'static [&'static str]) -> impl Strategy<Value = String> {
    let known = proptest::sample::select(parts).prop_map(str::to_owned);
    let part = prop_oneof![12 => known, 1 => any::<char>().prop_map(String::from)];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

fn workspace() -> Workspace {
    Workspace::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// What a page goes through. Nothing that looks like a directive is published as prose.
fn go_through(workspace: &Workspace, text: &str) -> Result<(), TestCaseError> {
    let name = Path::new("src/page.md");
    let _ = roundtrip::alteration(name, text);
    for language in Language::ALL {
        numbers::claims_of(text, language);
    }
    let Ok(blocks) = page::parse(workspace, name, text) else {
        return Ok(());
    };
    for located in &blocks {
        prop_assert!(located.line <= text.split('\n').count());
        if let Block::Markdown(prose) = &located.block {
            prop_assert!(!publishes_directive(prose), "{prose:?}");
        }
    }
    let _ = render::page(
        workspace,
        Language::English,
        "src/page.md",
        &blocks,
        &Outputs::new(),
    );
    Ok(())
}

/// Whether prose has what begins like a directive, other than in code.
fn publishes_directive(prose: &str) -> bool {
    let mut code = false;
    let mut published = false;
    for (event, _) in markdown::events(prose) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(text) => published |= !code && text.contains("{{#"),
            _ => {}
        }
    }
    published
}

const HEADER: &str = "msgid \"\"\nmsgstr \"\"\n\"Project-Id-Version: \\n\"\n\"POT-Creation-Date: \\n\"\n\
    \"PO-Revision-Date: \\n\"\n\"Last-Translator: \\n\"\n\"Language-Team: \\n\"\n\"MIME-Version: 1.0\\n\"\n\
    \"Content-Type: text/plain; charset=UTF-8\\n\"\n\"Content-Transfer-Encoding: 8bit\\n\"\n\
    \"Language: en\\n\"\n\"Plural-Forms: nplurals=1; plural=0;\\n\"\n\n";

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_page_is_read_or_refused(text in made_of(PAGE)) {
        go_through(&workspace(), &text)?;
    }

    #[test]
    fn any_catalog_is_read_or_refused(text in made_of(PO), with_header in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("po")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let header = if with_header { HEADER } else { "" };
        fs::write(folder.path().join("po/en.po"), format!("{header}{text}")).unwrap();
        let workspace = Workspace::at(folder.path()).unwrap();
        if let Ok(catalog) = i18n::catalog(&workspace, Language::English) {
            let _ = i18n::translate("a\n\n# Sum\u{e1}rio\n\n| a | b |\n|---|---|\n", &catalog);
            let _ = i18n::translate_book(catalog, &mut Book::new());
        }
    }

    #[test]
    fn any_cell_is_read(code in made_of(PAGE)) {
        let _ = cells::as_run(&code);
    }
}
