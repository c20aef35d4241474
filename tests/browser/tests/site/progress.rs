//! What a reader has done: kept in the browser, the same in both editions.

use serde_json::{Value, json};

use crate::server::{Page, page};
use crate::tab::Tab;
use crate::{CHAPTER, LANGUAGES, reading};

/// The page with the fewest exercises.
const SHORT: &str = "a1-attention-cost.html";

/// The words in the bar.
const SAID: &str = "document.querySelector('main .progress span').textContent";

/// Waits until the bar counts this much of a chapter's exercises and questions.
fn wait_for(tab: &mut Tab, page: &Page, exercises: u64, questions: u64) {
    let label = format!("{}, {exercises} and {questions} done", page.label());
    let words = match page.language {
        "en" => ["of", "exercises", "questions"],
        _ => ["de", "exercícios", "perguntas"],
    };
    let [of, solved, answered] = words;
    let all = ["main .exercise-done", "main .question"].map(|selector| {
        tab.evaluate(&format!("document.querySelectorAll('{selector}').length"))
    });
    let text = format!(
        "{exercises} {of} {} {solved}, {questions} {of} {} {answered}",
        all[0], all[1]
    );
    tab.wait_to_be(&label, SAID, &json!(text));
    let value = "document.querySelector('main progress').value";
    assert_eq!(tab.evaluate(value), exercises + questions, "{label}");
    let shown = [
        "[...document.querySelectorAll('.exercise-done input')].filter(box => box.checked).length",
        "document.querySelectorAll('main .answered').length",
    ];
    let shown = shown.map(|count| tab.evaluate(count));
    assert_eq!(shown, [exercises, questions].map(Value::from), "{label}");
}

/// The selector of an exercise's box, by its place on the page.
fn name_boxes(tab: &mut Tab) {
    tab.evaluate(
        "document.querySelectorAll('.exercise-done input').forEach((b, i) => { b.id = `done-${i}`; })",
    );
}

#[test]
fn what_was_done_is_kept_and_known_to_the_other_edition() {
    let _site = reading();
    let mut tab = Tab::open();
    let [portuguese, english] = LANGUAGES.map(|language| page(language, CHAPTER));
    for (own, other) in [(portuguese, english), (english, portuguese)] {
        let label = own.label();
        tab.load(&own.url);
        name_boxes(&mut tab);
        wait_for(&mut tab, own, 0, 0);
        let offered = "!document.querySelector('main .progress button').hidden";
        assert_eq!(tab.evaluate(offered), false, "{label}: nothing to take back");
        tab.click(&label, "#done-0");
        tab.evaluate("document.querySelector('#done-0').focus()");
        tab.tab_to(&label, "#done-1");
        tab.press(" ");
        tab.click(&label, "main .question .choice > summary");
        wait_for(&mut tab, own, 2, 1);
        for page in [own, other, own] {
            tab.load(&page.url);
            wait_for(&mut tab, page, 2, 1);
        }
        name_boxes(&mut tab);
        tab.click(&label, "#done-1"); // taken back
        wait_for(&mut tab, own, 1, 1);
        tab.click(&label, "main .progress button");
        wait_for(&mut tab, own, 0, 0);
        tab.click(&label, "main .progress button"); // the same button undoes it
        wait_for(&mut tab, own, 1, 1);
        tab.click(&label, "main .progress button");
        tab.load(&own.url);
        wait_for(&mut tab, own, 0, 0);
    }
}

#[test]
fn a_chapter_that_is_complete_is_marked_in_both_tables_of_contents() {
    let _site = reading();
    let mut tab = Tab::open();
    let [portuguese, english] = LANGUAGES.map(|language| page(language, SHORT));
    let marked = format!(
        "[...document.querySelectorAll('#mdbook-sidebar .finished')]\
         .map(mark => mark.closest('a').href.endsWith({}))",
        json!(SHORT)
    );
    tab.load(&portuguese.url);
    assert_eq!(tab.evaluate(&marked), json!([]));
    tab.evaluate(
        "document.querySelectorAll('.exercise-done input').forEach(box => box.click());
         document.querySelectorAll('main .question').forEach(question =>
           question.querySelector('summary').click())",
    );
    let label = portuguese.label();
    tab.wait(&label, &format!("{marked}.length === 1"));
    for shown in [english, page("pt-BR", "preface.html")] {
        tab.load(&shown.url);
        assert_eq!(tab.evaluate(&marked), json!([true]), "{}", shown.label());
        let name = "document.querySelector('#mdbook-sidebar .finished').ariaLabel";
        let expected = if shown.language == "en" {
            "chapter complete"
        } else {
            "capítulo completo"
        };
        assert_eq!(tab.evaluate(name), expected);
    }
}

/// A browser may refuse to keep anything: it lasts as long as the page, and nothing breaks.
#[test]
fn progress_lasts_as_long_as_the_page_where_nothing_can_be_kept() {
    let _site = reading();
    let mut tab = Tab::open();
    let refuse = "Object.defineProperty(window, 'localStorage', {
        get() { throw new DOMException('refused', 'SecurityError'); } });";
    tab.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": refuse }));
    let page = page("en", CHAPTER);
    tab.load(&page.url);
    name_boxes(&mut tab);
    tab.click(&page.label(), "#done-2");
    wait_for(&mut tab, page, 1, 0);
    tab.load(&page.url);
    wait_for(&mut tab, page, 0, 0);
}

/// What another program left under the same name, or an older book, breaks nothing.
#[test]
fn what_cannot_be_understood_counts_for_nothing() {
    let _site = reading();
    let mut tab = Tab::open();
    let page = page("en", CHAPTER);
    tab.load(&page.url);
    for left in
        ["no JSON", "7", "null", "{\"ch01-self-attention\": {\"exercises\": 3}}"]
    {
        let key = "attention-in-rust-progress";
        tab.evaluate(&format!("localStorage.setItem('{key}', {})", json!(left)));
        tab.load(&page.url);
        wait_for(&mut tab, page, 0, 0);
    }
}

#[test]
fn without_scripts_nothing_is_said_of_progress() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.without_scripts();
    for language in LANGUAGES {
        tab.load(&page(language, CHAPTER).url);
        let seen = "[...document.querySelectorAll('main .progress, .exercise-done')]\
                    .filter(element => element.checkVisibility()).length";
        assert_eq!(tab.evaluate(seen), 0);
    }
}
