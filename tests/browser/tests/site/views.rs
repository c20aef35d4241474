//! Chapter 7's views in a saved file: every interaction, by mouse, by keyboard and by touch, with
//! the result read from the page.

use std::fs;
use std::time::Instant;

use attention_views::{
    EncoderDecoder, HeadView, Language, ModelView, NeuronView, Stack, Theme,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cdp::PATIENCE;
use crate::tab::Tab;
use crate::{complaint, report};

const TOKENS: [&str; 8] = [
    "[CLS]",
    "<script>alert(1)</script>",
    "\"'&amp;",
    "gato",
    "[SEP]",
    "<!-- \u{2028}",
    "=gata",
    "[SEP]",
];
const STARTER: usize = 5;
const HEADS: usize = 12;

/// Weights that tell the tests where they came from: row `i` of head `h` in layer `l` looks most at
/// column `i + h + l` (around the end), with weight 0.65; the rest is shared.
fn attentions(layers: usize, heads: usize, rows: usize, columns: usize) -> Stack {
    let rest = 0.35 / (columns as f32 - 1.0);
    let mut values = Vec::new();
    for (layer, head) in (0..layers).flat_map(|l| (0..heads).map(move |h| (l, h))) {
        for row in 0..rows {
            let most = (row + head + layer) % columns;
            values.extend(
                (0..columns).map(|column| if column == most { 0.65 } else { rest }),
            );
        }
    }
    Stack::new([layers, heads, rows, columns], values).expect("all weights are there")
}

/// Query `i` is 1, 2, 3, 4 times `i + 1`; key `i` is the same with its second number negative.
fn vectors(sign: f32) -> Stack {
    let row = |i: usize| [1.0, 2.0 * sign, 3.0, 4.0].map(|x| x * (i + 1) as f32);
    let head: Vec<f32> = (0..TOKENS.len()).flat_map(row).collect();
    Stack::new([2, 2, TOKENS.len(), 4], head.repeat(4)).expect("all numbers are there")
}

fn head() -> HeadView {
    let view = HeadView::new(&attentions(3, HEADS, 8, 8), TOKENS).expect("they fit");
    view.sentence_b_start(STARTER).language(Language::English)
}

fn model() -> ModelView {
    let view = ModelView::new(&attentions(3, HEADS, 8, 8), TOKENS).expect("they fit");
    view.sentence_b_start(STARTER).language(Language::English)
}

fn neuron() -> NeuronView {
    let attentions = attentions(2, 2, 8, 8);
    let view = NeuronView::new(&attentions, &vectors(1.0), &vectors(-1.0), TOKENS);
    view.expect("they fit").language(Language::English)
}

fn encoder_decoder() -> HeadView {
    let two = EncoderDecoder::new(["o", "gato", "</s>"], ["<s>", "cat"])
        .encoder(&attentions(2, 2, 3, 3))
        .and_then(|two| two.decoder(&attentions(2, 2, 2, 2)))
        .and_then(|two| two.cross(&attentions(2, 2, 2, 3)));
    HeadView::encoder_decoder(two.expect("they fit")).language(Language::English)
}

/// A tab with views: those of a saved file, or of a page of the book.
pub struct Saved {
    pub tab: Tab,
    folder: TempDir,
    pub url: String,
    /// A selector for each view.
    hosts: Vec<String>,
    /// The view that a test works with.
    pub view: usize,
}

impl Saved {
    pub fn open(lang: &str, fragments: &[String]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let sections =
            fragments.iter().enumerate().fold(String::new(), |all, (i, html)| {
                all + &format!("<section id=\"v{i}\">") + html + "</section>\n"
            });
        let page = format!(
            "<!DOCTYPE html><html lang=\"{lang}\"><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <link rel=\"icon\" href=\"data:,\"><title>views</title><body>{sections}"
        );
        let path = folder.path().join("views.html");
        fs::write(&path, page).expect("a writable folder");
        let url = format!("file://{}", path.display());
        let hosts = (0..fragments.len()).map(|i| format!("#v{i} .attention-view"));
        let hosts = hosts.collect();
        let tab = Tab::open();
        let mut saved = Self { tab, folder, url: url.clone(), hosts, view: 0 };
        saved.load(&url);
        saved
    }

    /// A page of the book.
    pub fn page(url: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (tab, hosts) = (Tab::open(), Vec::new());
        let mut saved = Self { tab, folder, url: url.to_owned(), hosts, view: 0 };
        saved.load(url);
        let names = "[...document.querySelectorAll('[data-attention-view]')]\
                     .map(host => `[data-attention-view=\"${host.dataset.attentionView}\"]`)";
        saved.hosts = serde_json::from_value(saved.tab.evaluate(names)).expect("names");
        saved
    }

    /// The page's address, once it says this of the view.
    pub fn address_with(&mut self, state: &str) -> String {
        let (host, state) = (json!(self.hosts[self.view]), json!(state));
        let said = format!(
            "decodeURIComponent(location.hash.slice(1)).split('&').some(part => part.includes({state}) \
             && part.startsWith('av-' + document.querySelector({host}).dataset.attentionView))"
        );
        self.tab.wait("the address follows", &said);
        let address = self.tab.evaluate("location.href");
        address.as_str().expect("an address").to_owned()
    }

    /// The data of the view, as it stands in the page.
    pub fn data(&mut self) -> String {
        let host = json!(self.hosts[self.view]);
        let script = "script[type=\"application/json\"]";
        let text = format!(
            "document.querySelector({host}).querySelector('{script}').textContent"
        );
        self.tab.evaluate(&text).as_str().expect("JSON").to_owned()
    }

    pub fn double_click(&mut self, part: &str) {
        self.tab.double_click(part, &self.here(part));
    }

    /// As `select`, by the entry's place.
    pub fn select_place(&mut self, menu: &str, place: usize) {
        let label = format!(
            "(([host, inner]) => document.querySelector(host).shadowRoot.querySelector(inner)\
             .options[{place}].text)({}.split(' >>> '))",
            json!(self.here(menu))
        );
        let label = self.tab.evaluate(&label);
        self.select(menu, label.as_str().expect("an entry"));
    }

    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// A part of a view.
    fn at(&self, view: usize, part: &str) -> String {
        format!("{} >>> {part}", self.hosts[view])
    }

    fn here(&self, part: &str) -> String {
        self.at(self.view, part)
    }

    pub fn load(&mut self, url: &str) {
        self.tab.load("about:blank");
        self.tab.start_loading(url);
        // On a page of the book, a view comes when it is scrolled to.
        self.tab.wait(
            "every view is there",
            "(views => views.length > 0 && views.every(host => \
             host.shadowRoot?.querySelector('.view') || void host.scrollIntoView()))\
             ([...document.querySelectorAll('[data-attention-view]')])",
        );
    }

    /// What a part of the view says.
    pub fn text(&mut self, part: &str) -> String {
        self.text_in(self.view, part)
    }

    fn text_in(&mut self, view: usize, part: &str) -> String {
        let selector = json!(self.at(view, part));
        let text = self.tab.probe(&format!("text({selector})"));
        text.as_str().unwrap_or_else(|| panic!("there is no {selector}")).to_owned()
    }

    pub fn attribute(&mut self, part: &str, name: &str) -> Value {
        self.tab.probe(&format!(
            "attribute({}, {})",
            json!(self.here(part)),
            json!(name)
        ))
    }

    pub fn count(&mut self, part: &str) -> u64 {
        let count = self.tab.probe(&format!("count({})", json!(self.here(part))));
        count.as_u64().expect("a count")
    }

    pub fn click(&mut self, part: &str) {
        self.tab.click(part, &self.here(part));
    }

    pub fn tap(&mut self, part: &str) {
        self.tab.tap(part, &self.here(part));
    }

    pub fn hover(&mut self, part: &str) {
        self.tab.point_at(part, &self.here(part));
    }

    pub fn tab_to(&mut self, part: &str) {
        let start = format!(
            "(() => {{ document.activeElement?.blur(); \
             if ({} > 0) document.querySelector({}).shadowRoot\
             .querySelector('select:not([hidden] *), button').focus(); }})()",
            self.view,
            json!(self.hosts[self.view])
        );
        self.tab.evaluate(&start); // from a later view's first control, not from the page's top
        self.tab.tab_to(part, &self.here(part));
    }

    pub fn focused(&mut self, part: &str) -> bool {
        self.tab.probe(&format!("focused({})", json!(self.here(part)))) == true
    }

    /// Waits until a part says this.
    pub fn says(&mut self, part: &str, text: &str) {
        let selector = json!(self.here(part));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.tab.probe(&format!("text({selector})"));
            if found.as_str().is_some_and(|found| found.contains(text)) {
                return;
            }
            assert!(Instant::now() < deadline, "{part} says {found}, not {text:?}");
            self.frame();
        }
    }

    /// Waits until there are so many of a part.
    fn comes_to(&mut self, part: &str, count: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.count(part);
            if found == count {
                return;
            }
            assert!(Instant::now() < deadline, "{found} of {part}, not {count}");
            self.frame();
        }
    }

    /// Waits until a part's attribute is this.
    fn becomes(&mut self, part: &str, name: &str, value: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.attribute(part, name);
            if found == value {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{part}: {name} is {found}, not {value:?}"
            );
            self.frame();
        }
    }

    /// Waits until a canvas shows something else.
    fn is_drawn_anew(&mut self, part: &str, before: &Value) {
        let deadline = Instant::now() + PATIENCE;
        while self.drawing(part) == *before {
            assert!(Instant::now() < deadline, "{part} is as it was");
        }
    }

    pub fn frame(&mut self) {
        self.tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }

    /// Chooses an entry of a menu as a script of the page would see it: Chromium draws the list
    /// itself, outside the page.
    fn select(&mut self, part: &str, label: &str) {
        let script = format!(
            "(() => {{ const [host, inner] = {}.split(' >>> '); \
             const menu = document.querySelector(host).shadowRoot.querySelector(inner); \
             const index = [...menu.options].findIndex(option => option.text === {}); \
             menu.selectedIndex = index; menu.dispatchEvent(new Event('change')); return index; }})()",
            json!(self.here(part)),
            json!(label)
        );
        assert_ne!(self.tab.evaluate(&script), -1, "{part} has no {label}");
    }

    /// The heads that are on.
    fn heads(&mut self) -> Vec<usize> {
        let pressed = |saved: &mut Self, i: usize| {
            saved.attribute(&chip(i), "aria-pressed") == "true"
        };
        (0..HEADS).filter(|&i| pressed(self, i)).collect()
    }

    /// The colors on the canvas, as one number that changes when the drawing does.
    pub fn drawing(&mut self, part: &str) -> Value {
        self.comes_to(part, 1);
        self.frame();
        let script = format!(
            "(() => {{ const [host, inner] = {}.split(' >>> '); \
             const canvas = document.querySelector(host).shadowRoot.querySelector(inner); \
             const copy = Object.assign(document.createElement('canvas'), {{ width: canvas.width, height: canvas.height }}); \
             const context = copy.getContext('2d', {{ willReadFrequently: true }}); \
             context.drawImage(canvas, 0, 0); \
             const {{ data }} = context.getImageData(0, 0, canvas.width, canvas.height); \
             let hash = 0; let ink = 0; \
             for (let i = 0; i < data.length; i++) {{ hash = (hash * 31 + data[i]) | 0; ink += data[i] > 0; }} \
             return [hash, ink]; }})()",
            json!(self.here(part))
        );
        self.tab.evaluate(&script)
    }

    /// How well the heads' colors are told apart: the distance in OKLab of the closest
    /// two, and the least contrast to the view's paper.
    fn colors(&mut self) -> (f64, f64) {
        let here = json!(self.here(".view"));
        let found = self.tab.probe(&format!("headColors({here})"));
        serde_json::from_value(found).expect("two numbers")
    }

    /// The file that an entry of the menu of the view saves.
    pub fn download(&mut self, menu: &str, action: &str, name: &str) -> Vec<u8> {
        let folder = self.folder.path().join(action);
        let behavior = json!({ "behavior": "allow", "downloadPath": folder });
        self.tab.devtools("Page.setDownloadBehavior", &behavior);
        // Chromium makes an empty file of that name first: only its word says that it is whole.
        let whole = |event: &Value| {
            let progress = &event["params"];
            let whole = event["method"] == "Page.downloadProgress"
                && progress["state"] == "completed";
            whole.then(|| progress["guid"].clone())
        };
        let others: Vec<Value> = self.tab.events().iter().filter_map(whole).collect();
        if self.attribute(menu, "open").is_null() {
            self.click(&format!("{menu} > summary"));
        }
        self.click(&format!("{menu} [data-action=\"{action}\"]"));
        self.tab.wait_for_event(&format!("{name} is saved"), |event| {
            whole(event).is_some_and(|download| !others.contains(&download))
        });
        let file = folder.join(name);
        let bytes = fs::read(&file).expect("a file that can be read");
        fs::remove_file(&file).expect("a file that can go"); // for the next of its name
        bytes
    }

    /// Fails if anything was asked of the network, or complained.
    pub fn quiet(&self) {
        let mut findings = Vec::new();
        for event in self.tab.events() {
            let url = event["params"]["request"]["url"].as_str().unwrap_or("data:");
            let own = ["data:", "blob:"].iter().any(|scheme| url.starts_with(scheme))
                || url.split('#').next() == self.url.split('#').next();
            let of_a_file = self.url.starts_with("file:");
            if event["method"] != "Network.requestWillBeSent" || !of_a_file {
                findings.extend(complaint(event));
            } else if !own {
                findings.push(format!("a request leaves the file: {url}"));
            }
            if event["method"] == "Page.javascriptDialogOpening" {
                findings.push("a token ran as a script".to_owned());
            }
        }
        report(&findings);
    }
}

pub fn chip(head: usize) -> String {
    format!(".chip:nth-of-type({})", head + 1)
}

pub fn token(side: &str, index: usize) -> String {
    format!("#{side}-{index}")
}

#[test]
fn a_saved_file_asks_for_nothing_and_tokens_stay_text() {
    let fragments =
        [head().html(), model().html(), neuron().html(), encoder_decoder().html()];
    let mut saved = Saved::open("en", &fragments.map(|html| html.expect("a view")));
    for (index, expected) in TOKENS.iter().enumerate() {
        let shown = saved.text(&format!("{} .text", token("left", index)));
        assert_eq!(&shown, expected);
        saved.hover(&token("left", index));
    }
    saved.hover(".status");
    saved.click(".top > summary");
    saved.says(".top tbody", "alert(1)");
    assert_eq!(saved.tab.evaluate("document.scripts.length"), 4 * 3);
    saved.quiet();
}

#[test]
fn head_view_by_mouse() {
    let mut saved = Saved::open("en", &[head().layer(1).heads([2]).html().unwrap()]);
    assert_eq!(saved.heads(), [2]);
    let all = saved.drawing(".panel canvas");
    assert!(all[1].as_u64() > Some(1000), "no lines are drawn");

    // layer 1, head 2: token 0 looks at token 3
    saved.hover(&token("left", 0));
    saved.says(".status", "[CLS] → gato 0.650");
    saved.says(&format!("{} .number", token("right", 3)), "0.650");
    assert_eq!(saved.attribute(&token("left", 0), "aria-selected"), "true");
    assert_ne!(saved.drawing(".panel canvas"), all);

    saved.hover(&token("right", 3));
    saved.says(".status", "gato ← [CLS] 0.650");
    saved.hover(".status");
    saved.says(".status", "Point at a token");
    assert_eq!(saved.drawing(".panel canvas"), all);

    saved.click(&token("left", 1));
    saved.hover(&token("right", 4));
    saved.says(".status", "→ [SEP] · head 2: 0.6500");
    saved.click(".top > summary");
    saved.says(".top tbody tr:first-child", "[SEP]20.6500");
    saved.click(&token("left", 1));
    saved.hover(".status");
    saved.says(".status", "Point at a token");
    saved.quiet();
}

#[test]
fn heads_toggle_isolate_and_come_back() {
    let mut saved = Saved::open("en", &[head().html().unwrap()]);
    let all: Vec<usize> = (0..HEADS).collect();
    assert_eq!(saved.heads(), all);
    saved.click(&chip(3));
    assert_eq!(saved.heads().len(), 11);
    saved.click(&chip(3));
    assert_eq!(saved.heads(), all);
    saved.tab.double_click("isolate", &saved.at(0, &chip(8)));
    assert_eq!(saved.heads(), [8]);
    saved.click(&chip(8));
    assert_eq!(saved.heads(), [8], "the last head stays on");
    saved.click(&chip(5));
    assert_eq!(saved.heads(), [5, 8]);
    saved.click(&chip(8));
    assert_eq!(saved.heads(), [5]);
    saved.tab.double_click("all", &saved.at(0, &chip(5)));
    assert_eq!(saved.heads(), all);

    // layer 0, head 8: token 0 looks at token 0
    saved.tab.double_click("isolate", &saved.at(0, &chip(8)));
    saved.hover(&token("left", 0));
    saved.says(".status", "[CLS] → [CLS] 0.650");
    saved.click(".every");
    assert_eq!(saved.heads(), all);

    let colors = saved.tab.evaluate(
        "new Set([...document.querySelector('.attention-view').shadowRoot.querySelectorAll('.chip')]\
         .map(chip => getComputedStyle(chip).borderBottomColor)).size",
    );
    assert_eq!(colors, 12, "twelve heads have twelve colors");
    saved.quiet();
}

#[test]
fn head_view_menus_and_threshold() {
    let mut saved = Saved::open("en", &[head().heads([0]).html().unwrap()]);
    saved.select(".controls label:nth-of-type(1) select", "2");
    saved.hover(&token("left", 0));
    saved.says(".status", "[CLS] → \"'&amp; 0.650");
    saved.select(".controls label:nth-of-type(2) select", "A → B");
    assert_eq!(saved.count(".left .token"), 5);
    assert_eq!(saved.count(".right .token"), 3);
    saved.hover(&token("left", 3));
    saved.says(".status", "gato → <!-- \u{2028} 0.650");
    saved.select(".controls label:nth-of-type(2) select", "B → A");
    assert_eq!(saved.count(".left .token"), 3);
    saved.select(".controls label:nth-of-type(2) select", "All");
    let all = saved.drawing(".panel canvas");
    saved.tab_to(".slider input");
    for _ in 0..60 {
        saved.tab.press("ArrowRight");
    }
    assert_eq!(saved.text(".slider output"), "0.090");
    let strong = saved.drawing(".panel canvas");
    assert!(strong[1].as_u64() < all[1].as_u64(), "the slider takes lines away");
    saved.quiet();
}

#[test]
fn encoder_and_decoder_share_a_menu() {
    let mut saved = Saved::open("en", &[encoder_decoder().html().unwrap()]);
    let menu = ".controls label:nth-of-type(2) select";
    assert_eq!(saved.text(menu), "EncoderDecoderCross-attention");
    assert_eq!(saved.count(".left .token"), 3);
    saved.select(menu, "Cross-attention");
    assert_eq!((saved.count(".left .token"), saved.count(".right .token")), (2, 3));
    saved.click(&chip(1));
    saved.hover(&token("left", 1));
    saved.says(".status", "cat → gato 0.650");
    saved.select(menu, "Decoder");
    assert_eq!((saved.count(".left .token"), saved.count(".right .token")), (2, 2));
    saved.quiet();
}

#[test]
fn head_view_by_keyboard() {
    let mut saved = Saved::open("en", &[head().heads([2]).html().unwrap()]);
    saved.tab.evaluate(
        "window.stray = []; document.addEventListener('keydown', event => stray.push(event.key))",
    );
    saved.tab_to(".tokens.left");
    saved.says(".status", "[CLS] → \"'&amp; 0.650");
    saved.tab.press("ArrowDown");
    saved.says(".status", "→ gato 0.650");
    saved.tab.press("End");
    assert_eq!(saved.attribute(&token("left", 7), "aria-selected"), "true");
    assert_eq!(saved.attribute(".tokens.left", "aria-activedescendant"), "left-7");
    saved.tab.press("ArrowRight");
    assert!(saved.focused(".tokens.right"));
    saved.says(".status", "[SEP] ← <!--"); // 5 + 2
    saved.tab.press("Home");
    saved.says(".status", "[CLS] ← =gata 0.650");
    saved.tab.press("Enter");
    assert_eq!(saved.attribute(&token("right", 0), "class"), "token pinned");
    saved.tab.press("Escape");
    saved.says(".status", "Point at a token");

    saved.tab_to(&chip(2));
    saved.tab.press("ArrowRight");
    assert!(saved.focused(&chip(3)));
    saved.tab.press(" ");
    assert_eq!(saved.heads(), [2, 3]);
    saved.tab.press_shifted("Enter");
    assert_eq!(saved.heads(), [3]);
    saved.tab.press_shifted("Enter");
    assert_eq!(saved.heads().len(), HEADS);
    let stray = saved.tab.evaluate("stray.filter(key => key !== 'Tab')");
    assert_eq!(stray, json!([]), "keys of the view reach the page around");
    saved.quiet();
}

#[test]
fn a_finger_pins_a_token() {
    let mut saved = Saved::open("en", &[head().heads([2]).html().unwrap()]);
    saved.tap(&token("left", 1));
    saved.says(".status", "→ gato 0.650");
    assert_eq!(saved.attribute(&token("left", 1), "class"), "token pinned");
    saved.tap(&token("left", 1));
    saved.says(".status", "Point at a token");
    saved.quiet();
}

#[test]
fn a_finger_opens_a_head_and_looks_inside_another() {
    let views = [model().html().unwrap(), neuron().html().unwrap()];
    let mut saved = Saved::open("en", &views);
    let thumbnail = ".row:nth-child(3) .cell:nth-of-type(3)";
    saved.tab.tap("a thumbnail", &saved.at(0, thumbnail));
    saved.says(".detail .title", "Layer 1, head 2");
    let first = format!(".detail {}", token("left", 0));
    saved.tab.tap("a token", &saved.at(0, &first));
    saved.says(".detail .status", "[CLS] → gato 0.650");
    saved.tab.tap("close", &saved.at(0, ".detail .close"));
    assert_eq!(saved.attribute(".detail", "hidden"), "");
    saved.view = 1;
    saved.tab.tap("q and k", &saved.at(1, ".expand"));
    saved.tab.tap("a token", &saved.at(1, "#inside-left-1"));
    saved.says("#inside-right-3 .number", "88.00");
    saved.quiet();
}

#[test]
fn model_view_by_mouse_and_keyboard() {
    let mut saved = Saved::open("en", &[model().html().unwrap()]);
    assert_eq!(saved.count(".cell"), 3 * 12);
    let second = ".row:nth-child(3) .cell:nth-of-type(3)"; // layer 1, head 2
    saved.frame();
    saved.hover(second);
    saved.says(".status", "Layer 1, head 2: [CLS] → gato 0.650");
    let ink = saved.drawing(".thumbnails canvas.drawn");
    assert!(ink[1].as_u64() > Some(10_000), "the thumbnails are drawn");
    saved.click(second);
    assert_eq!(saved.text(".detail .title"), "Layer 1, head 2");
    assert_eq!(saved.attribute(second, "aria-selected"), "true");
    saved.hover(&format!(".detail {}", token("left", 0)));
    saved.says(".detail .status", "[CLS] → gato 0.650");
    saved.click(second);
    assert_eq!(saved.attribute(".detail", "hidden"), "");
    saved.select(".controls label select", "A → A");
    saved.click(second);
    assert_eq!(saved.count(".detail .left .token"), 5);
    saved.click(".detail .close");
    assert_eq!(saved.attribute(".detail", "hidden"), "");
    saved.select(".controls label select", "All");

    saved.tab_to(".cell");
    saved.tab.press("Home");
    saved.tab.press("ArrowUp");
    saved.tab.press("ArrowUp");
    saved.says(".status", "Layer 0, head 0");
    saved.tab.press("ArrowDown");
    saved.tab.press("ArrowRight");
    saved.tab.press("ArrowRight");
    saved.tab.press("Enter");
    assert_eq!(saved.text(".detail .title"), "Layer 1, head 2");
    saved.tab.press("Escape");
    assert_eq!(saved.attribute(".detail", "hidden"), "");
    assert!(saved.focused(second));
    saved.tab.press("End");
    saved.says(".status", "Layer 1, head 11");
    saved.quiet();
}

#[test]
fn layers_and_heads_left_out_keep_their_numbers() {
    let some = model().include_layers([2]).include_heads([3, 7]);
    let head = head().include_layers([1, 2]).layer(2).heads([2]);
    let mut saved = Saved::open("en", &[some.html().unwrap(), head.html().unwrap()]);
    assert_eq!(saved.count(".cell"), 2);
    saved.click(".cell:nth-of-type(2)");
    assert_eq!(saved.text(".detail .title"), "Layer 2, head 7");
    saved.hover(&format!(".detail {}", token("left", 0)));
    saved.says(".detail .status", "[CLS] → <script>"); // (0 + 7 + 2) mod 8
    assert_eq!(saved.text_in(1, ".controls label:nth-of-type(1) select"), "12");
    saved.tab.point_at("a token", &saved.at(1, &token("left", 0)));
    saved.frame();
    assert!(saved.text_in(1, ".status").starts_with("[CLS] → [SEP] 0.650"));
    saved.quiet();
}

#[test]
fn neuron_view_shows_how_a_weight_is_made() {
    let view = neuron().sentence_b_start(STARTER).layer(1).head(1);
    let mut saved = Saved::open("en", &[view.html().unwrap()]);
    saved.hover(&token("left", 0)); // layer 1, head 1: looks at token 2
    saved.says(".lines .status", "[CLS] → \"'&amp; 0.650");
    saved.click(".expand");
    saved.becomes(".expand", "aria-expanded", "true");
    let inside = |side, index| format!(".inside #inside-{side}-{index}");
    let plain = saved.drawing(".inside canvas");
    saved.hover(&inside("left", 1));
    // q = 2 (1, 2, 3, 4), k = 4 (1, −2, 3, 4): q·k / √4 = 8 (1 − 4 + 9 + 16) / 2 = 88
    saved.says(&format!("{} .number", inside("right", 3)), "88.00  0.650");
    saved.says(".inside .status", "→ gato: q·k / √d = 88.000, softmax = 0.650");
    saved.is_drawn_anew(".inside canvas", &plain);
    saved.click(&inside("left", 1));
    saved.hover(&inside("right", 0));
    saved.says(".inside .status", "→ [CLS]: q·k / √d = 22.0000, softmax = 0.0500");
    saved.select(".controls label:nth-of-type(3) select", "A → B");
    saved.comes_to(".inside .right .token", 3);
    saved.tab_to(".expand");
    saved.tab.press("Enter");
    saved.becomes(".inside", "hidden", "");
    saved.quiet();
}

#[test]
fn neuron_view_hides_what_comes_after() {
    let mut saved = Saved::open("en", &[neuron().causal(true).html().unwrap()]);
    saved.click(".expand");
    saved.tab_to(".inside .tokens.left");
    saved.tab.press("ArrowDown");
    saved.says(".inside #inside-right-1 .number", "44.00"); // 4 · 22 / 2
    assert_eq!(saved.text(".inside #inside-right-2 .number"), "·");
    saved.quiet();
}

#[test]
fn what_is_seen_can_be_saved() {
    let mut saved = Saved::open("en", &[head().heads([2]).html().unwrap()]);
    let json = saved.download(".save", "json", "attention-head.json");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["left_text"], json!(TOKENS));
    assert_eq!(json["heads"], json!([2]));
    assert_eq!(json["attn"][0][0][0][2].as_f64(), Some(f64::from(0.65_f32)));
    let csv = saved.download(".save", "csv", "attention-head.csv");
    let csv = String::from_utf8(csv).expect("UTF-8");
    assert_eq!(
        csv.lines().next(),
        Some("layer,head,from_index,from,to_index,to,weight")
    );
    assert!(
        csv.contains("\r\n0,2,0,[CLS],2,\"\"\"'&amp;\",0.6499999761581421\r\n"),
        "{csv}"
    );
    assert!(csv.contains(",'=gata,"), "a cell that would be a formula");
    let svg = saved.download(".save", "svg", "attention-head.svg");
    let svg = String::from_utf8(svg).expect("UTF-8");
    assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;</text>"));
    assert_eq!(svg.matches("<path").count(), 64, "a line for each pair");
    let parsed = format!(
        "new DOMParser().parseFromString({}, 'image/svg+xml').querySelector('parsererror') === null",
        json!(svg)
    );
    assert_eq!(saved.tab.evaluate(&parsed), true);
    let png = saved.download(".save", "png", "attention-head.png");
    assert!(png.starts_with(b"\x89PNG\r\n"));
    saved.quiet();
}

#[test]
fn the_whole_grid_can_be_saved() {
    let mut saved = Saved::open("en", &[model().html().unwrap()]);
    let menu = ".overview-controls .save";
    let json = saved.download(menu, "json", "attention-model.json");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["layers"], json!([0, 1, 2]));
    // (0 + 11 + 2) mod 8
    assert_eq!(json["attn"][2][11][0][5].as_f64(), Some(f64::from(0.65_f32)));
    let csv = saved.download(menu, "csv", "attention-model.csv");
    let csv = String::from_utf8(csv).expect("UTF-8");
    assert_eq!(csv.matches("\r\n").count(), 1 + 3 * HEADS * 8 * 8);
    assert!(csv.contains("\r\n2,11,0,[CLS],5,<!-- \u{2028},0.6499999761581421\r\n"));
    let svg = saved.download(menu, "svg", "attention-model.svg");
    let svg = String::from_utf8(svg).expect("UTF-8");
    assert_eq!(svg.matches("<path").count(), 3 * HEADS * 8 * 8);
    assert_eq!(svg.matches("</text>").count(), 3 + HEADS, "their numbers");
    let png = saved.download(menu, "png", "attention-model.png");
    assert!(png.starts_with(b"\x89PNG\r\n"));
    saved.quiet();
}

#[test]
fn what_would_not_fit_in_a_file_is_not_offered() {
    let tokens: Vec<String> = (0..200).map(|i| format!("t{i}")).collect();
    let stack = attentions(12, 12, 200, 200);
    let view = ModelView::new(&stack, &tokens).expect("they fit");
    let mut saved = Saved::open("en", &[view.html().unwrap()]);
    let menu = ".overview-controls .save";
    saved.click(&format!("{menu} > summary"));
    saved.comes_to(&format!("{menu} :disabled"), 3); // the menu's toggle event comes later
    for (action, refused) in
        [("copy", 1), ("json", 1), ("csv", 1), ("svg", 0), ("png", 0)]
    {
        let disabled = format!("{menu} [data-action=\"{action}\"]:disabled");
        assert_eq!(saved.count(&disabled), refused, "{action}");
    }
    saved.quiet();
}

#[test]
fn twelve_heads_are_told_apart_on_light_and_on_dark() {
    let views = [Theme::Light, Theme::Dark];
    let views = views.map(|theme| head().theme(theme).html().unwrap());
    let mut saved = Saved::open("en", &views);
    for view in 0..2 {
        saved.view = view;
        let (nearest, faintest) = saved.colors();
        assert!(nearest > 0.18, "view {view}: two colors are {nearest} apart in OKLab");
        assert!(faintest >= 3.0, "view {view}: a color has contrast {faintest}");
    }
}

#[test]
fn a_view_can_be_linked() {
    let fragment = head().html().unwrap();
    let mut saved = Saved::open("en", &[fragment.clone(), fragment]); // twins
    saved.tab.double_click("isolate", &saved.at(0, &chip(8)));
    saved.select(".controls label:nth-of-type(1) select", "2");
    saved.click(&token("left", 3));
    saved.tab.wait("the address follows", "location.hash.includes('token:left3')");
    let address = saved.tab.evaluate("location.href");
    let address = address.as_str().expect("an address").to_owned();
    assert_eq!(saved.text_in(1, ".status"), saved.text_in(1, ".status"));
    saved.load(&address);
    assert_eq!(saved.heads(), [8]);
    assert_eq!(saved.attribute(&token("left", 3), "class"), "token pinned");
    saved.says(".status", "gato → <!--"); // (3 + 8 + 2) mod 8
    assert!(
        saved.text_in(1, ".status").starts_with("Point at a token"),
        "its twin stays"
    );
    let broken = address.replace("left3", "left99").replace("layer:2", "layer:77");
    saved.load(&broken);
    saved.says(".status", "Point at a token");
    saved.quiet();
}

#[test]
fn views_follow_the_theme_and_the_language_around_them() {
    let plain = || HeadView::new(&attentions(1, 2, 8, 8), TOKENS).expect("they fit");
    let dark = plain().theme(Theme::Dark).language(Language::English);
    let fragments = [plain().html().unwrap(), dark.html().unwrap()];
    let mut saved = Saved::open("pt-BR", &fragments);
    saved.says(".status", "Passe o ponteiro");
    assert!(saved.text_in(1, ".status").starts_with("Point at a token"));
    let theme = |saved: &mut Saved, view| {
        let part = json!(saved.at(view, ".view"));
        saved.tab.probe(&format!("attribute({part}, 'data-theme')"))
    };
    assert_eq!(
        (theme(&mut saved, 0), theme(&mut saved, 1)),
        (json!("light"), json!("dark"))
    );
    let before = saved.drawing(".panel canvas");
    let scheme =
        json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    saved.tab.devtools("Emulation.setEmulatedMedia", &scheme);
    let condition = "document.querySelector('.attention-view').shadowRoot\
                     .querySelector('.view').dataset.theme === 'dark'";
    saved.tab.wait("the view turns dark", condition);
    assert_ne!(saved.drawing(".panel canvas"), before, "lines take the theme's colors");
    saved.quiet();
}

#[test]
fn five_hundred_tokens_stay_usable() {
    let tokens: Vec<String> = (0..512).map(|i| format!("t{i}")).collect();
    let stack = attentions(1, 12, 512, 512); // 3 million weights: rounded
    let view = HeadView::new(&stack, &tokens).expect("they fit");
    let html = view.language(Language::English).html().unwrap();
    let mut saved = Saved::open("en", &[html]);
    saved.says(".status", "of 3145728 lines");
    saved.says(".note", "rounded");
    let height = saved.tab.evaluate(
        "document.querySelector('.attention-view').shadowRoot.querySelector('.panel canvas').height",
    );
    assert!(height.as_u64() < Some(1000), "the canvas is as tall as what is seen");
    saved.tab_to(".tokens.left");
    saved.tab.press("End");
    saved.says("#left-511 .text", "t511");
    let scrolled = "document.querySelector('.attention-view').shadowRoot\
                    .querySelector('.panel').scrollTop > 10000";
    saved.tab.wait("the panel scrolls to the token", scrolled);
    saved.says(".status", "t511 → ");
    saved.says("#right-511 .number", "0.055"); // (0.65 + 11 · 0.35 / 511) / 12
    saved.quiet();
}
