//! The book in a real browser: every page of both editions, as a reader meets them.
//!
//! `cargo test -p browser-tests` starts `book serve` and a headless Chromium. `BOOK_URL` names a
//! copy of the site served elsewhere, to be tested instead; `CHROME` names the browser.

mod answers;
mod cdp;
mod chromium;
mod host;
mod leash;
mod light;
mod live;
mod progress;
mod search;
mod server;
mod tab;
mod terms;
mod views;

use std::fs;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use serde_json::{Value, json};

use crate::server::{Page, all_pages, page};
use crate::tab::Tab;

/// The repository's root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The page that has everything.
const CHAPTER: &str = "ch01-self-attention.html";

const LANGUAGES: [&str; 2] = ["pt-BR", "en"];

/// Held for writing while the site is rebuilt, so that no other test meets it half there.
static REBUILDING: RwLock<()> = RwLock::new(());

fn reading() -> RwLockReadGuard<'static, ()> {
    REBUILDING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Fails with all findings of a test, each on its line.
fn report(findings: &[String]) {
    let count = findings.len();
    assert!(findings.is_empty(), "{count} findings:\n  {}", findings.join("\n  "));
}

/// Puts the page's name before each finding.
fn on(page: &str, findings: Vec<String>) -> impl Iterator<Item = String> {
    findings.into_iter().map(move |finding| format!("{page}: {finding}"))
}

#[test]
fn no_page_leaves_its_origin_fails_a_request_or_complains() {
    let _site = reading();
    let mut tab = Tab::open_live();
    let mut findings = Vec::new();
    for page in all_pages() {
        tab.load(&page.url);
        tab.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
        tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let requests =
            tab.events().iter().filter(|e| e["method"] == "Network.requestWillBeSent");
        assert!(requests.count() > 10, "{}: requests are not seen", page.label());
        let complaints = tab.events().iter().filter_map(complaint).collect();
        findings.extend(on(&page.label(), complaints));
    }
    report(&findings);
}

/// What is wrong with an event, if anything.
fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    let text =
        |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match event["method"].as_str()? {
        "Network.requestWillBeSent" => {
            let url = text(&params["request"]["url"]);
            let allowed = url.starts_with(server::address())
                || url.starts_with("data:")
                || url.starts_with("blob:");
            (!allowed).then(|| format!("a request leaves the book: {url}"))
        }
        "Network.webSocketCreated" => {
            let url = text(&params["url"]);
            let own = server::address().replacen("http", "ws", 1);
            (!url.starts_with(&own)).then(|| format!("a socket leaves the book: {url}"))
        }
        "Network.responseReceived" => {
            let response = &params["response"];
            let failed =
                response["status"].as_u64().is_some_and(|status| status >= 400);
            failed.then(|| {
                format!("{} answers {}", text(&response["url"]), response["status"])
            })
        }
        "Network.loadingFailed" => {
            Some(format!("a request failed: {}", text(&params["errorText"])))
        }
        "Runtime.exceptionThrown" => {
            let details = &params["exceptionDetails"];
            let thrown = &details["exception"]["description"];
            Some(format!("an exception: {} {}", text(&details["text"]), text(thrown)))
        }
        "Runtime.consoleAPICalled" => {
            let kind = text(&params["type"]);
            let bad = ["error", "warning", "assert"].contains(&kind.as_str());
            bad.then(|| format!("console.{kind}: {}", params["args"]))
        }
        "Log.entryAdded" => {
            let entry = &params["entry"];
            let bad = ["error", "warning"].contains(&entry["level"].as_str()?);
            bad.then(|| {
                format!("logged: {} {}", text(&entry["text"]), text(&entry["url"]))
            })
        }
        _ => None,
    }
}

/// Formulas in their own fonts, each cell's output under it, a bar of links that lead somewhere.
#[test]
fn a_page_has_all_that_its_source_has() {
    let _site = reading();
    let mut tab = Tab::open();
    let (mut findings, mut cells) = (Vec::new(), 0);
    for page in all_pages() {
        tab.load(&page.url);
        let label = page.label();
        findings.extend(on(&label, wrong_formulas(&mut tab, page)));
        let (checked, found) = missing_outputs(&mut tab);
        cells += checked;
        findings.extend(on(&label, found));
        findings.extend(on(&label, tab.findings("deadLinks()")));
        let notebooks = tab.evaluate(
            "document.querySelectorAll('.lives a[href*=\"notebooks/\"]').length",
        );
        if page.name.starts_with("ch") && notebooks != 1 {
            findings.push(format!("{label}: {notebooks} links to its notebook"));
        }
    }
    assert!(cells > 0, "no notebook has an output");
    report(&findings);
}

fn wrong_formulas(tab: &mut Tab, page: &Page) -> Vec<String> {
    let mut findings = tab.findings("rawFormulas()");
    let Some(source) = page.source() else {
        return findings;
    };
    let displayed =
        source.lines().filter(|line| line.trim().starts_with("```math")).count();
    let inline = source.matches("$`").count();
    let formulas = tab.probe("formulas()");
    if formulas["displayed"] != displayed {
        let drawn = &formulas["displayed"];
        findings.push(format!("{drawn} displayed formulas of {displayed}"));
    }
    if inline > 0 && formulas["inline"] == 0 {
        findings.push(format!("no formula in its sentences, {inline} in the source"));
    }
    if formulas["broken"] != 0 {
        findings.push(format!("{} formulas have no width", formulas["broken"]));
    }
    let fonts: Vec<(String, String)> =
        serde_json::from_value(tab.probe("fonts()")).unwrap();
    let main =
        fonts.iter().any(|(name, status)| name == "KaTeX_Main" && status == "loaded");
    if displayed + inline > 0 && !main {
        findings.push("the font KaTeX_Main is not loaded".to_owned());
    }
    let broken = fonts.iter().filter(|(_, status)| status == "error");
    findings.extend(broken.map(|(name, _)| format!("the font {name} does not load")));
    findings
}

/// How many cells a page has, and which lack their output.
fn missing_outputs(tab: &mut Tab) -> (u64, Vec<String>) {
    let cells = tab.probe("cellsWithoutOutput()");
    if cells.is_null() {
        return (0, Vec::new()); // no notebook
    }
    let found = serde_json::from_value(cells["findings"].clone()).unwrap();
    (cells["checked"].as_u64().unwrap(), found)
}

/// Light in a wide window, dark in a narrow one: colors don't depend on the width.
#[test]
fn figures_and_pages_fit_and_can_be_read() {
    let _site = reading();
    let mut tab = Tab::open();
    let (mut findings, mut texts) = (Vec::new(), 0);
    for (theme, width, height) in [("light", 1400, 1000), ("navy", 400, 900)] {
        tab.resize(width, height);
        for page in all_pages() {
            let label = format!("{}, {theme}, {width} px", page.label());
            tab.load(&page.url);
            tab.choose_theme(&label, theme);
            tab.see_drawings(&label);
            findings.extend(on(&label, tab.findings("badFigures()")));
            findings.extend(on(&label, tab.findings("tooWide()")));
            findings.extend(on(&label, tab.findings("faintTexts(4.5)")));
            texts += tab.probe("figureTexts()").as_u64().unwrap();
        }
    }
    assert!(texts > 0, "no figure has a text");
    report(&findings);
}

#[test]
fn the_theme_is_chosen_by_keyboard_and_kept() {
    let _site = reading();
    let mut tab = Tab::open();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        let label = page.label();
        tab.load(&page.url);
        tab.tab_to(&label, "#mdbook-theme-toggle");
        tab.press("Enter");
        tab.wait(
            &label,
            "document.activeElement.closest('#mdbook-theme-list') !== null",
        );
        tab.press("Home"); // Auto
        for _ in ["light", "rust", "coal", "navy"] {
            tab.press("ArrowDown");
        }
        tab.press("Enter");
        tab.wait(&label, "document.documentElement.classList.contains('navy')");
        tab.wait(&label, "document.activeElement.id === 'mdbook-theme-toggle'");
        tab.load(&page.url);
        tab.wait(&label, "document.documentElement.classList.contains('navy')");
        tab.choose_theme(&label, "light");
    }
}

#[test]
fn the_language_is_chosen_by_click_and_by_keyboard() {
    let _site = reading();
    let mut tab = Tab::open();
    for name in [CHAPTER, "preface.html"] {
        let [portuguese, english] = LANGUAGES.map(|language| page(language, name));
        for bar in ["#mdbook-menu-bar", "main .lives"] {
            let link = format!("{bar} a.language");
            for (from, to) in [(portuguese, english), (english, portuguese)] {
                for by_keyboard in [false, true] {
                    let how = if by_keyboard { "by keyboard" } else { "by click" };
                    let label = format!("{}, {bar}, {how}", from.label());
                    tab.load(&from.url);
                    tab.evaluate("location.hash = 'a-heading'"); // of this language only
                    if by_keyboard {
                        tab.tab_to(&label, &link);
                        tab.press("Enter");
                    } else {
                        tab.click(&label, &link);
                    }
                    tab.wait_for_page(&label, &to.url);
                    let language = tab.evaluate("document.documentElement.lang");
                    assert_eq!(language, to.language, "{label}");
                }
            }
        }
        tab.load(&portuguese.url);
        let link = tab.evaluate(
            "(({ textContent, title, lang }) => [textContent, title, lang])\
             (document.querySelector('#mdbook-menu-bar a.language'))",
        );
        assert_eq!(link, json!(["English", "This page in English", "en"]), "{name}");
    }
}

/// Whose headings have other names there.
#[test]
fn the_other_language_opens_at_the_section_that_one_reads() {
    let _site = reading();
    let mut tab = Tab::open();
    let [portuguese, english] = LANGUAGES.map(|language| page(language, CHAPTER));
    let heading = "document.querySelectorAll('main h2')[4]";
    for (from, to) in [(portuguese, english), (english, portuguese)] {
        let label = from.label();
        tab.load(&from.url);
        tab.evaluate(&format!("{heading}.scrollIntoView({{ behavior: 'instant' }})"));
        tab.click(&label, "#mdbook-menu-bar a.language");
        let there = format!(
            "location.pathname === new URL({}).pathname && location.hash.length > 3 \
             && decodeURIComponent(location.hash) === '#' + {heading}.id \
             && Math.abs({heading}.getBoundingClientRect().top) < innerHeight / 2",
            json!(to.url)
        );
        tab.wait(&label, &there);
    }
}

/// What mdBook 0.5 writes in its interface: attributes and texts.
const ENGLISH_INTERFACE: [&str; 26] = [
    "Keyboard shortcuts",
    "Press",
    "or",
    "to navigate between chapters",
    "to show this help",
    "to hide this help",
    "Table of contents",
    "Toggle Table of Contents",
    "Change theme",
    "Themes",
    "Auto",
    "Light",
    "Coal",
    "Navy",
    "Print this book",
    "Git repository",
    "Suggest an edit",
    "Page navigation",
    "Previous chapter",
    "Next chapter",
    "Copy to clipboard",
    "Copied!",
    "Clipboard error!",
    "Show hidden lines",
    "Hide lines",
    "Run this code",
];

/// The same places in Portuguese, as far as every page has them.
const PORTUGUESE_INTERFACE: [&str; 8] = [
    "Atalhos do teclado",
    "Sumário",
    "Mudar o tema",
    "Claro",
    "Buscar neste livro…",
    "Imprimir este livro",
    "Navegação entre páginas",
    "para fechar esta ajuda",
];

#[test]
fn the_interface_speaks_the_page_s_language() {
    let _site = reading();
    let mut tab = Tab::open();
    let mut findings = Vec::new();
    let words = |list: &[&str]| format!("interfaceSays({})", json!(list));
    let (english, portuguese) =
        (words(&ENGLISH_INTERFACE), words(&PORTUGUESE_INTERFACE));
    for page in all_pages() {
        let label = page.label();
        tab.load(&page.url);
        let language = tab.evaluate("document.documentElement.lang");
        assert_eq!(language, page.language, "{label}: html[lang]");
        search::ask(&mut tab, page, "softmax");
        let in_portuguese = page.language == "pt-BR";
        let (foreign, own) = if in_portuguese {
            (&english, &portuguese)
        } else {
            (&portuguese, &english)
        };
        let said = tab.findings(foreign).into_iter();
        findings.extend(said.map(|text| format!("{label}: {text} in the interface")));
        let least = PORTUGUESE_INTERFACE.len();
        let said = tab.findings(own);
        if said.len() < least {
            findings.push(format!("{label}: the interface says only {said:?}"));
        }
    }
    report(&findings);
}

#[test]
fn copying_code_answers_in_the_page_s_language() {
    let _site = reading();
    let mut tab = Tab::open();
    for (language, answer) in [("pt-BR", "Copiado!"), ("en", "Copied!")] {
        let page = page(language, CHAPTER);
        tab.load(&page.url);
        tab.point_at(&page.label(), "main pre:has(.clip-button)"); // shows its buttons
        tab.click(&page.label(), "main .clip-button");
        let said = format!(
            "document.querySelector('main .clip-button .tooltiptext').textContent === '{answer}'"
        );
        tab.wait(&page.label(), &said);
    }
}

/// As a chapter's link opens it, with its file to download; it needs no script.
#[test]
fn a_notebook_opens_as_a_page() {
    let _site = reading();
    let mut tab = Tab::open();
    for page in [CHAPTER, "ch07-attention-views.html"]
        .iter()
        .flat_map(|name| LANGUAGES.map(|language| page(language, name)))
    {
        let label = page.label();
        tab.resize(1400, 1000);
        tab.load(&page.url);
        let link = ".lives a[href*=\"notebooks/\"]";
        let url = tab.evaluate(&format!("document.querySelector('{link}').href"));
        let url = url.as_str().expect("a link to the notebook");
        tab.click(&label, link);
        tab.wait_for_page(&label, url);
        assert_eq!(tab.evaluate("document.documentElement.lang"), page.language);
        tab.click(&label, ".lives a");
        tab.wait_for_page(&label, &page.url);

        tab.evaluate("localStorage.setItem('mdbook-theme', 'navy')");
        tab.resize(400, 900);
        tab.load(url);
        let paper =
            tab.evaluate("getComputedStyle(document.documentElement).backgroundColor");
        assert_eq!(paper, "rgb(22, 25, 35)", "{label}: the theme that was chosen");
        tab.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
        let mut findings: Vec<String> =
            tab.events().iter().filter_map(complaint).collect();
        for probe in ["deadLinks()", "rawFormulas()", "tooWide()", "faintTexts(4.5)"] {
            findings.extend(tab.findings(probe));
        }
        report(&on(&label, findings).collect::<Vec<_>>());
        let download =
            "document.querySelectorAll('.lives a[download][href$=\".ipynb\"]')";
        assert_eq!(tab.evaluate(&format!("{download}.length")), 1, "{label}");
    }
}

#[test]
fn hints_and_solutions_are_folded_and_open() {
    let _site = reading();
    let mut tab = Tab::open();
    let mut folds = 0;
    for page in all_pages() {
        let label = page.label();
        tab.load(&page.url);
        let details = tab.evaluate("document.querySelectorAll('main details').length");
        let open =
            tab.evaluate("document.querySelectorAll('main details[open]').length");
        assert_eq!(open, 0, "{label}: folds that are open from the start");
        if details == 0 {
            continue;
        }
        folds += 1;
        tab.evaluate("document.querySelectorAll('main summary').forEach((s, i) => { s.id = `fold-${i}`; })");
        tab.click(&label, "#fold-0");
        tab.wait(&label, "document.querySelector('main details').open");
        tab.tab_to(&label, "#fold-1");
        let unfolded = "document.querySelector('#fold-1').parentElement.open";
        tab.press("Enter");
        tab.wait(&label, unfolded);
        tab.press(" ");
        tab.wait(&label, &format!("!{unfolded}"));
    }
    assert!(folds > 0, "no page has hints or solutions");
}

/// By click and by keyboard, in a browser that runs no script; what is right is not seen before.
#[test]
fn a_question_answers_without_scripts() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.without_scripts();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        let label = page.label();
        tab.load(&page.url);
        tab.evaluate(
            "document.querySelectorAll('main .choice').forEach((c, i) => { c.id = `choice-${i}`; })",
        );
        let seen = "[...document.querySelectorAll('main .verdict')].filter(v => v.checkVisibility()).length";
        assert_eq!(tab.evaluate(seen), 0, "{label}: an answer before the choice");
        let first = "main .question .choice:has(.verdict)";
        tab.click(&label, &format!("{first} > summary"));
        tab.wait(&label, &format!("{seen} === 1"));
        tab.evaluate("document.querySelector('#choice-0 > summary').focus()");
        tab.tab_to(&label, "#choice-1 > summary");
        let open = "document.querySelector('#choice-1').open";
        let before = tab.evaluate(open);
        tab.press("Enter");
        tab.wait(&label, &format!("{open} !== {before}"));
        tab.press(" ");
        tab.wait(&label, &format!("{open} === {before}"));
    }
}

#[test]
fn a_page_reloads_when_its_source_is_saved() {
    let alone = REBUILDING.write().unwrap_or_else(PoisonError::into_inner);
    if !server::is_live() {
        return; // a copy served elsewhere
    }
    let page = page("pt-BR", "preface.html");
    let mut tab = Tab::open_live();
    tab.load(&page.url);
    tab.wait_for_event("the live-reload socket opens", |event| {
        event["method"] == "Network.webSocketHandshakeResponseReceived"
    });
    let before = tab.evaluate("performance.timeOrigin");
    // Saved as editors save: a new file takes the old one's place, with the same bytes.
    let source = Path::new(ROOT).join("src/preface.md");
    let saved = source.with_file_name(".preface.md.saved");
    fs::copy(&source, &saved).expect("src/ is writable");
    fs::rename(&saved, &source).expect("src/ is writable");
    let reloaded = format!(
        "performance.timeOrigin !== {before} && document.readyState === 'complete'"
    );
    tab.wait("the page reloads after a save", &reloaded);
    drop(alone);
}

#[test]
fn screenshots_for_human_eyes() {
    let _site = reading();
    let folder = Path::new(ROOT).join("target/screenshots");
    let mut tab = Tab::open();
    for language in LANGUAGES {
        let page = page(language, CHAPTER);
        for theme in ["light", "navy"] {
            for (width, height) in [(1400, 1000), (400, 900)] {
                let name = format!("ch01-{language}-{theme}-{width}");
                tab.resize(width, height);
                tab.load(&page.url);
                tab.choose_theme(&name, theme);
                tab.photograph(&folder, &name);
            }
        }
    }
}
