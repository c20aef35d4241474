//! The search of the book: what it finds, how it is asked, what it loads.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{self, Page, page};
use crate::tab::Tab;
use crate::{CHAPTER, LANGUAGES, ROOT, on, reading, report};

/// Opens the box with a key, types, and waits for the answer and what its results quote.
pub fn ask(tab: &mut Tab, page: &Page, question: &str) -> Answer {
    let label = format!("{}, search for {question}", page.label());
    tab.press("Escape"); // what was asked before
    tab.press(if page.language == "en" { "/" } else { "s" });
    tab.wait(&label, "document.activeElement.id === 'mdbook-searchbar'");
    tab.type_text(question);
    answer(tab, &label, question)
}

/// What the page says to a question.
pub struct Answer {
    /// Above the results.
    header: String,
    /// The number in it.
    count: u64,
    /// Each result's link, as it is read.
    titles: Vec<String>,
    /// The words that the results mark, each once, in lower case.
    marked: Vec<String>,
}

fn answer(tab: &mut Tab, label: &str, question: &str) -> Answer {
    let quoted = json!(format!("“{question}”"));
    let whole = "[...document.querySelectorAll('#mdbook-searchresults .teaser')]\
                 .every(teaser => teaser.textContent !== '')";
    let said = "document.getElementById('mdbook-searchresults-header').textContent";
    tab.wait(label, &format!("{said}.includes({quoted}) && {whole}"));
    let texts = |selector: &str| {
        format!(
            "[...document.querySelectorAll('#mdbook-searchresults {selector}')]\
             .map(element => element.textContent)"
        )
    };
    let [titles, marked] = [texts("a"), texts("mark")].map(|list| tab.evaluate(&list));
    let list = |value| serde_json::from_value::<Vec<String>>(value).expect("texts");
    let mut marked: Vec<String> =
        list(marked).iter().map(|word| word.to_lowercase()).collect();
    marked.sort();
    marked.dedup();
    let header = tab.evaluate(said).as_str().expect("a text").to_owned();
    let digits: String = header.chars().take_while(char::is_ascii_digit).collect();
    let count = digits.parse().unwrap_or(0);
    Answer { header, count, titles: list(titles), marked }
}

/// A question, a word that its results mark, and how those begin that they mark. Without such a word:
/// there are no results.
type Row = [&'static str; 3];

const PORTUGUESE: [Row; 20] = [
    ["atencao", "atenção", "aten autoaten"],
    ["atenção", "atenção", "aten autoaten"],
    ["atençao", "atenção", "aten autoaten"],
    ["atenções", "atenção", "aten autoaten"],
    ["posicoes", "posições", "posiç"],
    ["posição", "posições", "posiç"],
    ["mascara", "máscara", "máscara"],
    ["máscaras", "máscara", "máscara"],
    ["camadas", "camada", "camada"],
    ["camada", "camadas", "camada"],
    ["cabeca", "cabeça", "cabeça"],
    ["autoatencao", "autoatenção", "autoatenç"],
    ["funcoes", "função", "funç"],
    ["matriz", "matrizes", "matriz"],
    ["VETORES", "vetor", "vetor"],
    ["índice", "índices", "índice"],
    ["portugues", "português", "português"],
    ["pares", "par", "par"],
    ["probabilid", "probabilidade", "probabilidade"], // still being typed
    ["pô", "", ""], // the book has “ponto” and “pode”, and not this
];

const ENGLISH: [Row; 20] = [
    ["attention", "attention", "attention"],
    ["layers", "layer", "layer"],
    ["layer", "layers", "layer"],
    ["masks", "mask", "mask"],
    ["masking", "mask", "mask"],
    ["position", "positions", "positi"],
    ["weights", "weight", "weight"],
    ["matrix", "matrices", "matri"],
    ["matrices", "matrix", "matri"],
    ["indices", "index", "ind"],
    ["queries", "query", "quer"],
    ["heads", "head", "head"],
    ["training", "trained", "train"],
    ["embeddings", "embedding", "embedd"], // and what is embedded
    ["encoders", "encoder", "encod"],      // and encoding
    ["SoftMax", "softmax", "softmax"],
    ["exercise", "exercises", "exercise"],
    ["portugues", "português", "português"],
    ["Português", "português", "português"],
    ["zyx", "", ""],
];

#[test]
fn words_are_found_by_their_stems_with_and_without_accents() {
    let _site = reading();
    let mut tab = Tab::open();
    let mut findings = Vec::new();
    for (language, table) in [("pt-BR", PORTUGUESE), ("en", ENGLISH)] {
        let page = page(language, "preface.html");
        tab.load(&page.url);
        for [question, word, begin] in table {
            let Answer { count, marked, .. } = ask(&mut tab, page, question);
            let found = if word.is_empty() {
                count == 0
            } else {
                marked.iter().any(|mark| mark == word)
            };
            let meant =
                |mark: &String| begin.split(' ').any(|begin| mark.starts_with(begin));
            if !found || !marked.iter().all(meant) {
                findings.push(format!("{question} ({language}): {count}, {marked:?}"));
            }
        }
    }
    report(&findings);
}

/// Accents and plurals, left out or put in, change nothing; a second word leaves fewer sections.
#[test]
fn the_same_word_finds_the_same_sections() {
    let _site = reading();
    let mut tab = Tab::open();
    for (language, questions) in [
        ("pt-BR", ["posição", "posicoes", "posição máscara"]),
        ("en", ["layer", "layers", "layer norm"]),
    ] {
        let page = page(language, "preface.html");
        tab.load(&page.url);
        let [one, other, both] =
            questions.map(|question| ask(&mut tab, page, question));
        assert_eq!(one.titles, other.titles, "{questions:?}");
        assert_eq!(one.count, other.count, "{questions:?}");
        assert!(0 < both.count && both.count < one.count, "{questions:?}");
    }
}

/// The number said is that of all results, which come twenty at a time.
#[test]
fn all_results_are_counted_and_can_be_shown() {
    let _site = reading();
    let mut tab = Tab::open();
    for (language, words) in
        [("pt-BR", ["resultados para", "Nenhum"]), ("en", ["results for", "No"])]
    {
        let page = page(language, CHAPTER);
        tab.load(&page.url);
        let Answer { header, count, titles, .. } = ask(&mut tab, page, "softmax");
        assert_eq!(header, format!("{count} {} “softmax”", words[0]));
        assert!(count > 20 && titles.len() == 20, "{count}, {}", titles.len());
        let arrows = titles.iter().filter(|title| title.contains(" › ")).count();
        assert!(arrows > 10, "page › section: {titles:?}");
        let shown = "document.querySelectorAll('#mdbook-searchresults li').length";
        for more in (1..).take_while(|more| more * 20 < count) {
            tab.click("more results", ".search-more");
            tab.wait("more results", &format!("{shown} > {}", more * 20));
        }
        assert_eq!(tab.evaluate(shown), count);
        assert_eq!(tab.evaluate("document.querySelector('.search-more').hidden"), true);
        let Answer { header, .. } = ask(&mut tab, page, "<b>xyz");
        assert_eq!(header.split(' ').next(), Some(words[1]), "{header}");
        assert_eq!(
            tab.evaluate(
                "document.querySelectorAll('#mdbook-search-wrapper b').length"
            ),
            0
        );
    }
}

/// From any page, by keyboard, to the section's heading with the words marked, and back.
#[test]
fn a_result_leads_to_its_section_and_back() {
    let _site = reading();
    let mut tab = Tab::open();
    for language in LANGUAGES {
        for name in ["index.html", CHAPTER] {
            let page = page(language, name);
            let label = page.label();
            tab.load(&page.url);
            let before = ask(&mut tab, page, "softmax").titles;
            let on_result = |number: usize| {
                format!(
                    "[...document.querySelectorAll('#mdbook-searchresults a')]\
                     .indexOf(document.activeElement) === {number}"
                )
            };
            for (key, number) in [("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0)] {
                tab.press(key);
                tab.wait(&label, &on_result(number));
            }
            let address = tab.evaluate("document.activeElement.href");
            tab.press("Enter");
            tab.wait(&label, &format!("location.href === {address}"));
            tab.wait(&label, "CSS.highlights.get('search')?.size > 0");
            let heading =
                "document.getElementById(decodeURIComponent(location.hash.slice(1)))";
            tab.wait(&label, &format!("/^H[123]$/.test({heading}.tagName)"));
            assert_eq!(tab.evaluate("document.documentElement.lang"), language);
            tab.evaluate("history.back()");
            tab.wait(&label, "document.readyState === 'complete'");
            let after = answer(&mut tab, &label, "softmax");
            assert_eq!(after.titles, before, "{label}");
        }
    }
}

#[test]
fn the_box_opens_and_closes_by_keyboard_and_click() {
    let _site = reading();
    let mut tab = Tab::open();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        let label = page.label();
        tab.load(&page.url);
        let open = "document.activeElement.id === 'mdbook-searchbar'";
        let closed = "document.getElementById('mdbook-search-wrapper').hidden";
        for key in ["s", "/"] {
            tab.press(key);
            tab.wait(&label, open);
            tab.press("Escape");
            tab.wait(&label, closed);
        }
        tab.click(&label, "#mdbook-search-toggle");
        tab.wait(&label, open);
        ask(&mut tab, page, "k/s"); // its letters, and no second opening
        tab.press("ArrowLeft"); // within the text, not to the chapter before
        tab.click(&label, "#mdbook-search-toggle");
        tab.wait(&label, closed);
        let path = tab.evaluate("location.pathname");
        assert!(path.as_str().is_some_and(|path| path.ends_with(CHAPTER)), "{path}");
    }
}

/// Only the edition's own index, once it is needed, and the texts of the pages that are shown.
#[test]
fn nothing_is_loaded_before_the_search_is_opened() {
    let _site = reading();
    let mut tab = Tab::open();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        tab.load(&page.url);
        assert_eq!(pieces(&tab, page), Vec::<String>::new());
        let titles = ask(&mut tab, page, "seno").titles;
        let asked = pieces(&tab, page);
        assert_eq!(asked[0], "index.js");
        assert!(asked.len() <= titles.len() + 1, "{asked:?} for {titles:?}");
    }
}

/// What was asked for of the edition's index.
fn pieces(tab: &Tab, page: &Page) -> Vec<String> {
    let (edition, _) = page.url.rsplit_once('/').expect("a page in a folder");
    let asked = |event: &Value| {
        let url = event["params"]["request"]["url"].as_str()?;
        let name = url.split_once("/search/")?.1;
        assert_eq!(url, format!("{edition}/search/{name}"));
        Some(name.to_owned())
    };
    let events = tab.events().iter();
    events
        .filter(|e| e["method"] == "Network.requestWillBeSent")
        .filter_map(asked)
        .collect()
}

/// A copy of the site in some folder, opened without a server.
#[test]
fn the_search_needs_no_server() {
    let _site = reading();
    if !server::is_live() {
        return; // a copy served elsewhere
    }
    let mut tab = Tab::open();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        tab.load(&server::on_disk(page));
        let answer = ask(&mut tab, page, "softmax");
        assert!(answer.count > 0 && answer.marked == ["softmax"], "{}", answer.header);
    }
}

#[test]
fn without_scripts_there_is_no_box() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.without_scripts();
    let page = page("pt-BR", CHAPTER);
    tab.load(&page.url);
    let parts = tab.evaluate("document.querySelectorAll('[id*=search]').length");
    assert_eq!(parts, 0, "a control that does nothing");
}

#[test]
fn results_can_be_read_in_light_and_dark_wide_and_narrow() {
    let _site = reading();
    let folder = Path::new(ROOT).join("target/screenshots");
    let mut tab = Tab::open();
    let mut findings = Vec::new();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        for (theme, width) in [("light", 1400), ("navy", 400)] {
            let label = format!("search-{language}-{theme}-{width}");
            tab.resize(width, 900);
            tab.load(&page.url);
            tab.choose_theme(&label, theme);
            ask(&mut tab, page, "softmax");
            findings.extend(on(&label, tab.findings("faintTexts(4.5)")));
            findings.extend(on(&label, tab.findings("tooWide()")));
            tab.photograph_top(&folder, &label);
        }
    }
    report(&findings);
}
