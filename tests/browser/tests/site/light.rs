//! What a reader waits for: how much a page brings, and when.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::server::{self, all_pages, page};
use crate::tab::Tab;
use crate::{CHAPTER, LANGUAGES, complaint, reading, report};

/// What a chapter's first view may bring, and any page after it, in bytes as gzip packs them.
const FIRST: usize = 150_000;
const NEXT: usize = 60_000;

/// The files of the book that the tab has asked for since its page was: their addresses.
fn requested(tab: &Tab) -> Vec<String> {
    let requests = tab.events().iter().filter(|event| {
        event["method"] == "Network.requestWillBeSent"
            && event["params"]["request"]["url"]
                .as_str()
                .is_some_and(|url| url.starts_with(server::address()))
    });
    let urls = requests.map(|event| event["params"]["request"]["url"].as_str());
    urls.flatten().map(str::to_owned).collect()
}

/// How many bytes a file of the site has on its way, from a host that compresses.
fn weight(url: &str) -> usize {
    let path = server::file(url);
    let bytes =
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "woff2") {
        return bytes.len();
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&bytes).expect("a vector takes all");
    packed.finish().expect("a vector takes all").len()
}

#[test]
fn a_first_and_each_next_view_are_light() {
    let _site = reading();
    let mut findings = Vec::new();
    for language in LANGUAGES {
        let mut tab = Tab::open();
        let first = page(language, CHAPTER);
        tab.load(&first.url);
        let had: HashSet<String> = requested(&tab).into_iter().collect();
        findings.extend(too_heavy(&first.label(), &had, FIRST));
        for page in all_pages().iter().filter(|page| page.language == language) {
            tab.load(&page.url);
            let all: HashSet<String> = requested(&tab).into_iter().collect();
            assert!(all.len() > 10, "{}: requests are not seen: {all:?}", page.label());
            // Chapter 7 begins with a view, which is what the chapter is about.
            let is_view = |url: &&String| url.contains("/views/");
            let new =
                all.difference(&had).filter(|url| !is_view(url)).cloned().collect();
            findings.extend(too_heavy(&page.label(), &new, NEXT));
        }
    }
    report(&findings);
}

/// What is wrong with the sum of some files of the site, if anything.
fn too_heavy(label: &str, files: &HashSet<String>, most: usize) -> Option<String> {
    let weights: HashMap<&String, usize> =
        files.iter().map(|url| (url, weight(url))).collect();
    let sum: usize = weights.values().sum();
    (sum > most).then(|| format!("{label}: {sum} bytes, {most} at most: {weights:?}"))
}

#[test]
fn the_other_language_brings_only_its_own() {
    let _site = reading();
    let mut tab = Tab::open();
    let [portuguese, english] = LANGUAGES.map(|language| page(language, CHAPTER));
    tab.load(&portuguese.url);
    let had = requested(&tab);
    tab.load(&english.url);
    let new: Vec<String> =
        requested(&tab).into_iter().filter(|url| !had.contains(url)).collect();
    let own = |url: &String| {
        [".html", "/toc-", "/drawings/"].iter().any(|it| url.contains(it))
    };
    assert!(new.iter().any(own), "{new:?}");
    assert!(new.iter().all(own), "{new:?}");
}

#[test]
fn listings_are_in_color_without_any_script() {
    let _site = reading();
    let mut tab = Tab::open();
    let url = &page("pt-BR", CHAPTER).url;
    tab.load(url);
    let scripts = requested(&tab);
    assert!(
        !scripts.iter().any(|url| url.contains("highlight") && url.contains(".js"))
    );
    // Code in a sentence has the same class as listings.
    let display = "getComputedStyle(document.querySelector('main p > code')).display";
    assert_eq!(tab.evaluate(display), "inline");
    tab.without_scripts();
    tab.load(url);
    assert_eq!(tab.evaluate(display), "inline");
    let colors = "(code => [code.className, getComputedStyle(code).backgroundColor, \
                  new Set([...code.querySelectorAll('span')].map(span => getComputedStyle(span).color)).size])\
                  (document.querySelector('main code.language-rust:has(.hljs-title)'))";
    let found = tab.evaluate(colors);
    assert_eq!(found[0], "language-rust hljs");
    assert_eq!(found[1], "rgb(246, 247, 246)");
    assert!(found[2].as_u64() >= Some(3), "{found}");
}

#[test]
fn views_come_when_they_are_scrolled_to() {
    let _site = reading();
    let page = page("pt-BR", "ch07-attention-views.html");
    for url in [page.url.clone(), server::on_disk(page)] {
        let mut tab = Tab::open();
        tab.load(&url);
        let views = "[...document.querySelectorAll('[data-attention-view]')]";
        let last = format!("{views}.at(-1)");
        let early = tab.evaluate(&format!("{last}.shadowRoot !== null"));
        assert_eq!(early, false, "{url}: a view came before it was asked for");
        tab.evaluate(&format!("{last}.scrollIntoView({{ behavior: 'instant' }})"));
        tab.wait(&url, &format!("{last}.shadowRoot?.querySelector('.view')"));
        let complaints: Vec<String> = tab.events().iter().filter_map(said).collect();
        report(&complaints);
    }
}

/// A drawing's shapes come when it is scrolled to; its frame has its size before.
#[test]
fn drawings_come_when_they_are_scrolled_to() {
    let _site = reading();
    let page = page("en", "ch05-bert-attention.html");
    for url in [page.url.clone(), server::on_disk(page)] {
        let mut tab = Tab::open();
        tab.load(&url);
        let last = "[...document.querySelectorAll('main svg[data-drawing]')].at(-1)";
        let size = format!("[{last}.clientWidth, {last}.clientHeight]");
        assert_eq!(tab.evaluate(&format!("{last}.childElementCount")), 0, "{url}");
        tab.evaluate(&format!(
            "{last}.closest('figure').style.contentVisibility = 'visible'"
        ));
        let framed = tab.evaluate(&size);
        assert!(
            framed[0].as_u64() > Some(300) && framed[1].as_u64() > Some(100),
            "{framed}"
        );
        assert!(tab.see_drawings(&url) > 3);
        assert_eq!(tab.evaluate(&size), framed, "{url}");
        let complaints: Vec<String> = tab.events().iter().filter_map(said).collect();
        report(&complaints);
    }
}

/// Where no script runs a drawing is a picture, and on paper, though nobody has scrolled to it.
#[test]
fn without_scripts_and_on_paper_a_drawing_is_its_picture() {
    let _site = reading();
    let url = &page("pt-BR", "ch05-bert-attention.html").url;
    let pictures = "[...document.querySelectorAll('main .still')]";
    let mut tab = Tab::open();
    tab.load(url);
    let is_picture =
        |address: &String| address.contains("/drawings/") && !address.contains(".js");
    assert_eq!(requested(&tab).iter().filter(|address| is_picture(address)).count(), 0);
    let count = tab.evaluate(&format!("{pictures}.length"));
    tab.devtools("Page.printToPDF", &json!({}));
    let printed: HashSet<String> =
        requested(&tab).into_iter().filter(is_picture).collect();
    let seen = tab.evaluate(
        "document.querySelectorAll('main svg[data-drawing]:not(:empty)').length",
    );
    assert_eq!(
        printed.len() as u64 + seen.as_u64().unwrap(),
        count.as_u64().unwrap(),
        "{printed:?}"
    );

    tab.without_scripts();
    tab.load(url);
    let shown = format!(
        "{pictures}.every(picture => picture.complete && picture.naturalWidth > 100 \
         && picture.checkVisibility() && !picture.previousElementSibling.checkVisibility())"
    );
    tab.wait("the pictures are there", &shown);
}

/// What a page on a disk complains of; where its requests go is no matter.
fn said(event: &Value) -> Option<String> {
    let requests = ["Network.requestWillBeSent", "Network.webSocketCreated"];
    let request = requests.iter().any(|method| event["method"] == *method);
    if request { None } else { complaint(event) }
}

#[test]
fn without_scripts_a_view_is_its_picture() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.without_scripts();
    tab.load(&page("en", "ch07-attention-views.html").url);
    tab.evaluate("document.querySelector('.attention-view').scrollIntoView({ behavior: 'instant' })");
    let picture = "document.querySelector('.attention-view img')";
    tab.wait(
        "the picture is there",
        &format!("{picture}.complete && {picture}.naturalWidth > 100"),
    );
    let note =
        tab.evaluate("document.querySelector('.attention-view small').textContent");
    assert!(note.as_str().unwrap().starts_with("A still picture"), "{note}");
}

#[test]
fn the_page_for_a_wrong_address_speaks_its_language_and_leads_on() {
    let _site = reading();
    let mut tab = Tab::open();
    for (language, folder, title, first) in [
        ("pt-BR", "", "Página não encontrada", "preface.html"),
        ("en", "en/", "Page not found", "preface.html"),
    ] {
        tab.load(&format!("{}{folder}404.html", server::address()));
        let said = tab.evaluate(
            "[document.documentElement.lang, document.querySelector('main h1').textContent]",
        );
        assert_eq!(said, json!([language, title]));
        tab.click(title, "main a");
        tab.wait_for_page(title, &page(language, first).url);
    }
    // The server answers with it, below a folder, too.
    tab.load(&format!("{}a/b/c.html", server::address()));
    let style = "getComputedStyle(document.querySelector('#mdbook-menu-bar')).display";
    assert_eq!(tab.evaluate(style), "flex", "the page has its style");
}

#[test]
fn the_table_of_contents_opens_by_keyboard() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.resize(800, 900);
    tab.load(&page("en", CHAPTER).url);
    let shown = "document.documentElement.classList.contains('sidebar-visible')";
    assert_eq!(tab.evaluate(shown), false);
    tab.tab_to("contents", "#mdbook-sidebar-toggle");
    tab.press("Enter");
    tab.wait("the contents are there", shown);
}

/// A formula may be laid out before its font comes, and be wide only then.
#[test]
fn what_scrolls_sideways_is_reached_by_keyboard() {
    let _site = reading();
    let mut tab = Tab::open();
    tab.resize(400, 800);
    for language in LANGUAGES {
        let page = page(language, "ch02-whole-transformer.html");
        tab.load(&page.url);
        let all = "document.querySelectorAll('main > .formula')";
        let count = tab.evaluate(&format!("{all}.length")).as_u64().unwrap();
        let mut wide = 0;
        for i in 0..count {
            let one = format!("{all}[{i}]");
            tab.evaluate(&format!("{one}.scrollIntoView({{ behavior: 'instant' }})"));
            let condition = format!(
                "(place => document.fonts.status === 'loaded'
                  && place.firstElementChild.checkVisibility({{ contentVisibilityAuto: true }})
                  && (place.tabIndex === 0) === (place.scrollWidth > place.clientWidth))({one})"
            );
            tab.wait(&format!("{}, formula {i}", page.label()), &condition);
            wide += u64::from(tab.evaluate(&format!("{one}.tabIndex")) == 0);
        }
        assert!(wide > 0, "{}: none of {count} is wide", page.label());
    }
}
