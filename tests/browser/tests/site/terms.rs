//! The glossary's words on a page: their explanations by pointer, by keyboard and by finger, and
//! the links that they are without a script.

use serde_json::Value;

use crate::server::page;
use crate::tab::Tab;
use crate::{LANGUAGES, reading};

/// A page with terms of the one before.
const PAGE: &str = "ch02-whole-transformer.html";

const TERM: &str = "main a.term";

/// The explanation that is to be seen; null if there is none.
const SHOWN: &str = "(() => {
    const card = document.querySelector('.term-card');
    return card.hidden ? null : card.querySelector('p').textContent;
})()";

/// The explanation that a screen reader reads with the first term.
const DESCRIPTION: &str = "document.getElementById(
    document.querySelector('main a.term').getAttribute('aria-describedby')).textContent";

/// Whether the card is in the window.
const IN_WINDOW: &str = "(() => {
    const { left, right, top, bottom } =
        document.querySelector('.term-card').getBoundingClientRect();
    return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
})()";

fn target(tab: &mut Tab) -> String {
    let href = tab.evaluate("document.querySelector('main a.term').href");
    href.as_str().expect("a link").to_owned()
}

#[test]
fn a_term_is_explained_to_pointer_and_keyboard() {
    let _site = reading();
    let mut tab = Tab::open();
    for language in LANGUAGES {
        let page = page(language, PAGE);
        tab.load(&page.url);
        assert_eq!(tab.evaluate(SHOWN), Value::Null, "before");
        tab.point_at("the term", TERM);
        tab.wait("the explanation", &format!("{SHOWN} === {DESCRIPTION}"));
        assert_eq!(tab.evaluate(IN_WINDOW), true);
        let target = target(&mut tab);
        tab.click("the explanation's link", ".term-card a");
        tab.wait_for_page("the section that explains it", &target);

        tab.load(&page.url);
        tab.tab_to("the term", TERM);
        tab.wait("the explanation", &format!("{SHOWN} === {DESCRIPTION}"));
        tab.press("Escape");
        tab.wait("Escape closes it", &format!("{SHOWN} === null"));
        tab.press("Enter");
        tab.wait_for_page("the section that explains it", &target);
    }
}

#[test]
fn a_first_tap_explains_a_term_and_a_second_follows_it() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.resize(400, 900);
    let page = page("pt-BR", PAGE);
    tab.load(&page.url);
    let target = target(&mut tab);
    tab.tap("the term", TERM);
    tab.wait("the explanation", &format!("{SHOWN} === {DESCRIPTION}"));
    assert_eq!(tab.evaluate(IN_WINDOW), true);
    tab.tap("the title", "main h1");
    tab.wait("a tap elsewhere closes it", &format!("{SHOWN} === null"));
    tab.tap("the term", TERM);
    tab.wait("the explanation", &format!("{SHOWN} === {DESCRIPTION}"));
    tab.tap("the term again", TERM);
    tab.wait_for_page("the section that explains it", &target);
}

#[test]
fn without_scripts_a_term_is_a_link() {
    let _site = reading();
    let mut tab = Tab::open();
    let page = page("pt-BR", PAGE);
    tab.load(&page.url);
    let target = target(&mut tab);
    tab.without_scripts();
    tab.load(&page.url);
    tab.click("the term", TERM);
    tab.wait_for_page("the section that explains it", &target);
}
