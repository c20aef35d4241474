//! Views answer as their data says, in a saved file and on the book's own page: what is shown is
//! computed again from the numbers in the page.

use std::io::Read;

use attention_views::{EncoderDecoder, HeadView, ModelView, NeuronView, Stack};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::ZlibDecoder;
use serde_json::{Value, json};

use crate::views::{Saved, chip, token};
use crate::{LANGUAGES, reading, server};

/// The page with every view.
const PAGE: &str = "ch07-attention-views.html";

/// A matrix for each head of each layer, read from a page.
struct Numbers {
    shape: [usize; 4],
    values: Vec<f64>,
}

impl Numbers {
    /// From base64 of zlib of byte planes.
    fn read(encoded: &Value) -> Self {
        let shape = serde_json::from_value(encoded["shape"].clone()).expect("a shape");
        assert_eq!(encoded["kind"], "f32", "larger views have a test of their own");
        let data = BASE64_STANDARD.decode(encoded["data"].as_str().expect("data"));
        let mut planes = Vec::new();
        let data = data.expect("base64");
        ZlibDecoder::new(&data[..]).read_to_end(&mut planes).expect("zlib");
        let count = planes.len() / 4;
        let number =
            |i| f32::from_be_bytes([0, 1, 2, 3].map(|p| planes[p * count + i]));
        let values = (0..count).map(|i| f64::from(number(i))).collect();
        Self { shape, values }
    }

    fn at(&self, layer: usize, head: usize, row: usize, column: usize) -> f64 {
        let [_, heads, rows, columns] = self.shape;
        self.values[((layer * heads + head) * rows + row) * columns + column]
    }
}

/// What a view's page holds: its numbers and tokens, and which part of them it shows.
struct Shown {
    kind: String,
    panes: Value,
    heads: usize,
    layers: usize,
    stacks: Vec<(Numbers, Vec<String>, Vec<String>)>,
    vectors: Option<[Numbers; 2]>,
    /// Places in the menus.
    pane: usize,
    layer: usize,
    on: Vec<usize>,
}

fn texts(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).expect("texts")
}

impl Shown {
    fn read(saved: &mut Saved) -> Self {
        let data: Value = serde_json::from_str(&saved.data()).expect("JSON");
        let place = |list: &str, wanted: &Value| {
            data[list].as_array().and_then(|all| all.iter().position(|x| x == wanted))
        };
        let count = |list: &str| data[list].as_array().map_or(0, Vec::len);
        let heads = count("heads");
        let visible = data["visible"].as_array().map_or_else(
            || (0..heads).collect(),
            |all| all.iter().filter_map(|head| place("heads", head)).collect(),
        );
        let stacks = data["stacks"].as_array().expect("stacks").iter();
        let stacks = stacks.map(|stack| {
            let numbers = Numbers::read(&stack["weights"]);
            (numbers, texts(&stack["left"]), texts(&stack["right"]))
        });
        let vectors = data["queries"]
            .is_object()
            .then(|| ["queries", "keys"].map(|name| Numbers::read(&data[name])));
        Self {
            kind: data["view"].as_str().expect("a kind").to_owned(),
            panes: data["panes"].clone(),
            heads,
            layers: count("layers"),
            stacks: stacks.collect(),
            vectors,
            pane: 0,
            layer: place("layers", &data["layer"]).unwrap_or(0),
            on: visible,
        }
    }

    fn start(&self, axis: &str) -> usize {
        usize::try_from(self.panes[self.pane][axis][0].as_u64().expect("a start"))
            .expect("it fits")
    }

    fn stack(&self) -> &(Numbers, Vec<String>, Vec<String>) {
        let index = self.panes[self.pane]["stack"].as_u64().expect("an index");
        &self.stacks[usize::try_from(index).expect("it fits")]
    }

    /// The tokens of a side, as the menu cuts them.
    fn tokens(&self, side: &str) -> &[String] {
        let (_, left, right) = self.stack();
        let (axis, all) =
            if side == "left" { ("rows", left) } else { ("columns", right) };
        let end = self.panes[self.pane][axis][1].as_u64().expect("an end");
        &all[self.start(axis)..usize::try_from(end).expect("it fits")]
    }

    /// A head's weight between two of the tokens shown.
    fn weight(&self, layer: usize, head: usize, row: usize, column: usize) -> f64 {
        let (row, column) = (row + self.start("rows"), column + self.start("columns"));
        self.stack().0.at(layer, head, row, column)
    }

    /// The mean over some heads.
    fn mean(&self, heads: &[usize], row: usize, column: usize) -> f64 {
        let weight = |&head| self.weight(self.layer, head, row, column);
        heads.iter().map(weight).sum::<f64>() / heads.len() as f64
    }

    /// From or to a token: the weights to or from every other one.
    fn weights(&self, side: &str, index: usize, heads: &[usize]) -> Vec<f64> {
        let other = if side == "left" { "right" } else { "left" };
        let weight = |place| match side {
            "left" => self.mean(heads, index, place),
            _ => self.mean(heads, place, index),
        };
        (0..self.tokens(other).len()).map(weight).collect()
    }

    /// What the view says of a chosen token: `gato → tapete 0.238`.
    fn sentence(&self, side: &str, index: usize, heads: &[usize]) -> String {
        let weights = self.weights(side, index, heads);
        let best = first_largest(&weights);
        let (arrow, other) =
            if side == "left" { ('→', "right") } else { ('←', "left") };
        let (token, other) = (&self.tokens(side)[index], &self.tokens(other)[best]);
        format!("{token} {arrow} {other} {:.3}", weights[best])
    }

    /// q · k / √d of a pair.
    fn score(&self, head: usize, row: usize, column: usize) -> f64 {
        let [queries, keys] = self.vectors.as_ref().expect("queries and keys");
        let (row, column) = (row + self.start("rows"), column + self.start("columns"));
        let width = queries.shape[3];
        let sum: f64 = (0..width)
            .map(|i| {
                queries.at(self.layer, head, row, i)
                    * keys.at(self.layer, head, column, i)
            })
            .sum();
        sum / (width as f64).sqrt()
    }
}

fn first_largest(weights: &[f64]) -> usize {
    let mut best = 0;
    for (place, weight) in weights.iter().enumerate() {
        if *weight > weights[best] {
            best = place;
        }
    }
    best
}

/// As JavaScript writes a number.
fn digits(number: f64, count: usize) -> String {
    format!("{number:.count$}").replace('-', "−")
}

fn stack(shape: [usize; 4], seed: u64) -> Stack {
    let mut state = seed;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32 + 0.01
    };
    let [layers, heads, rows, columns] = shape;
    let mut values = Vec::new();
    for _ in 0..layers * heads * rows {
        let row: Vec<f32> = (0..columns).map(|_| noise()).collect();
        let sum: f32 = row.iter().sum();
        values.extend(row.iter().map(|weight| weight / sum));
    }
    Stack::new(shape, values).expect("all weights are there")
}

/// A saved file with every kind of view.
fn saved() -> Saved {
    let tokens = ["[CLS]", "o", "<b>gato</b>", "[SEP]", "the", "cat", "[SEP]"];
    let n = tokens.len();
    let attentions = stack([3, 12, n, n], 1);
    let head = HeadView::new(&attentions, tokens).expect("they fit");
    let model = ModelView::new(&attentions, tokens).expect("they fit");
    let vectors = [2, 3].map(|seed| stack([3, 12, n, 4], seed));
    let neuron = NeuronView::new(&attentions, &vectors[0], &vectors[1], tokens);
    let two = EncoderDecoder::new(["o", "gato"], ["<s>", "the", "cat"])
        .encoder(&stack([2, 2, 2, 2], 4))
        .and_then(|two| two.decoder(&stack([2, 2, 3, 3], 5)))
        .and_then(|two| two.cross(&stack([2, 2, 3, 2], 6)));
    let fragments = [
        head.sentence_b_start(4).heads([8]).html(),
        model.sentence_b_start(4).html(),
        neuron.expect("they fit").sentence_b_start(4).layer(1).head(2).html(),
        HeadView::encoder_decoder(two.expect("they fit")).html(),
    ];
    Saved::open("en", &fragments.map(|html| html.expect("a view")))
}

/// A test of every view of a page: of a saved file, and of the book's page in some languages, which
/// differ in their words alone.
fn everywhere(languages: &[&str], test: impl Fn(&mut Saved, &mut Shown)) {
    let _site = reading();
    let pages = languages.iter().map(|language| server::page(language, PAGE));
    let pages = pages.map(|page| Saved::page(&page.url));
    for mut saved in std::iter::once(saved()).chain(pages) {
        let mut kinds = Vec::new();
        for view in 0..saved.len() {
            saved.view = view;
            let mut shown = Shown::read(&mut saved);
            test(&mut saved, &mut shown);
            kinds.push(shown.kind);
        }
        for kind in ["head", "model", "neuron"] {
            assert!(
                kinds.iter().any(|found| found == kind),
                "no {kind} in {}",
                saved.url
            );
        }
        saved.quiet();
    }
}

#[test]
fn views_answer_the_mouse() {
    everywhere(&["pt-BR"], |saved, shown| match shown.kind.as_str() {
        "head" => head_by_mouse(saved, shown),
        "model" => model_by_mouse(saved, shown),
        _ => neuron_by_mouse(saved, shown),
    });
}

#[test]
fn views_answer_the_keyboard() {
    everywhere(&["en"], |saved, shown| {
        let before = saved.tab.evaluate("location.pathname");
        match shown.kind.as_str() {
            "head" => head_by_keyboard(saved, shown),
            "model" => model_by_keyboard(saved, shown),
            _ => neuron_by_keyboard(saved, shown),
        }
        menu_by_keyboard(saved);
        // the book turns pages with the arrows
        assert_eq!(saved.tab.evaluate("location.pathname"), before);
    });
}

/// A finger pins a token (in the model view, opens a head); the address says so, and
/// brings it back.
#[test]
fn views_answer_a_finger_and_can_be_linked() {
    everywhere(&["pt-BR"], |saved, shown| {
        let (touched, mark) = match shown.kind.as_str() {
            "model" => (cell(1, 2), ("aria-selected", "true")),
            _ => (token("left", 1), ("class", "token pinned")),
        };
        let begin = saved.attribute(&touched, mark.0);
        saved.tap(&touched);
        assert_eq!(saved.attribute(&touched, mark.0), mark.1);
        if shown.kind == "model" {
            shown.layer = 1;
            saved.tap(&format!(".detail {}", token("left", 1)));
            saved.says(".detail .status", &shown.sentence("left", 1, &[2]));
        } else {
            let status =
                if shown.kind == "head" { ".status" } else { ".lines .status" };
            saved.says(status, &shown.sentence("left", 1, &shown.on));
        }
        let address = saved.address_with("token:left1");
        saved.load(&address);
        assert_eq!(saved.attribute(&touched, mark.0), mark.1, "brought back");
        saved.tap(&touched);
        assert_eq!(saved.attribute(&touched, mark.0), begin, "let go");
    });
}

/// The numbers shown, as JSON and CSV; the drawing, as SVG and PNG.
#[test]
fn what_views_show_can_be_saved() {
    everywhere(&["en"], |saved, shown| {
        let page = saved.url.clone();
        saved.load(&page); // Chromium lets no page save more than ten files
        let menu =
            if shown.kind == "model" { ".overview-controls .save" } else { ".save" };
        let name = |end: &str| format!("attention-{}.{end}", shown.kind);
        let json = saved.download(menu, "json", &name("json"));
        let json: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(texts(&json["left_text"]), shown.tokens("left"));
        assert_eq!(texts(&json["right_text"]), shown.tokens("right"));
        let (layer, heads) = match shown.kind.as_str() {
            "model" => (0, (0..shown.heads).collect()),
            "neuron" => (shown.layer, vec![shown.on[0]]),
            _ => (shown.layer, shown.on.clone()),
        };
        for (place, head) in heads.iter().enumerate() {
            let weight = &json["attn"][0][place][0][1];
            shown.layer = layer;
            assert_eq!(
                weight.as_f64(),
                Some(shown.mean(&[*head], 0, 1)),
                "head {head}"
            );
        }
        let csv = String::from_utf8(saved.download(menu, "csv", &name("csv")));
        let lines = csv.expect("UTF-8").matches("\r\n").count();
        let layers = if shown.kind == "model" { shown.layers } else { 1 };
        let pairs = shown.tokens("left").len() * shown.tokens("right").len();
        assert_eq!(lines, 1 + layers * heads.len() * pairs);
        let svg = String::from_utf8(saved.download(menu, "svg", &name("svg")));
        let svg = svg.expect("UTF-8");
        assert!(svg.starts_with("<svg") && svg.contains("<path"), "{svg:.80}");
        assert!(saved.download(menu, "png", &name("png")).starts_with(b"\x89PNG\r\n"));
    });
}

#[test]
fn everything_that_takes_the_focus_has_a_name() {
    everywhere(&LANGUAGES, |saved, _| {
        let nodes = saved.tab.devtools("Accessibility.getFullAXTree", &json!({}));
        let nodes = nodes["nodes"].as_array().expect("nodes");
        let mut roles = Vec::new();
        for node in nodes.iter().filter(|node| node["ignored"] != true) {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let properties = node["properties"].as_array().cloned().unwrap_or_default();
            let focusable = properties.iter().any(|property| {
                property["name"] == "focusable" && property["value"]["value"] == true
            });
            let name = node["name"]["value"].as_str().unwrap_or_default();
            if focusable && !["RootWebArea", "generic"].contains(&role) {
                assert!(!name.is_empty(), "a {role} without a name: {node}");
            }
            roles.push(role.to_owned());
        }
        for role in
            ["listbox", "option", "slider", "combobox", "status", "grid", "gridcell"]
        {
            assert!(roles.iter().any(|found| found == role), "nothing is a {role}");
        }
    });
}

/// Tokens of either side, hovered: what is said, and the numbers on the other side.
fn tokens_by_mouse(saved: &mut Saved, shown: &Shown, heads: &[usize], inside: &str) {
    for (side, other) in [("left", "right"), ("right", "left")] {
        for index in 0..shown.tokens(side).len().min(3) {
            saved.hover(&format!("{inside}{}", token(side, index)));
            saved
                .says(&format!("{inside}.status"), &shown.sentence(side, index, heads));
            saved.frame();
            for (place, weight) in shown.weights(side, index, heads).iter().enumerate()
            {
                let number = format!("{inside}{} .number", token(other, place));
                assert_eq!(
                    saved.text(&number),
                    digits(*weight, 3),
                    "{side} {index}, {place}"
                );
            }
        }
    }
}

/// Every entry of the menu of parts, by mouse.
fn panes_by_mouse(
    saved: &mut Saved,
    shown: &mut Shown,
    menu: &str,
    look: impl Fn(&mut Saved, &Shown),
) {
    for pane in (0..shown.panes.as_array().map_or(0, Vec::len)).rev() {
        shown.pane = pane;
        saved.select_place(menu, pane);
        look(saved, shown);
    }
}

fn head_by_mouse(saved: &mut Saved, shown: &mut Shown) {
    let all: Vec<usize> = (0..shown.heads).collect();
    let first = shown.on.clone();
    panes_by_mouse(saved, shown, PANES[0], |saved, shown| {
        tokens_by_mouse(saved, shown, &shown.on, "");
    });
    for layer in [shown.layers - 1, shown.layer] {
        shown.layer = layer;
        saved.select_place(".controls label:nth-of-type(1) select", layer);
        saved.hover(&token("left", 1));
        saved.says(".status", &shown.sentence("left", 1, &first));
    }
    let other = usize::from(first == [0]);
    if !first.contains(&other) {
        saved.click(&chip(other));
        let both: Vec<usize> =
            all.iter().copied().filter(|h| first.contains(h) || *h == other).collect();
        saved.hover(&token("left", 0));
        saved.says(".status", &shown.sentence("left", 0, &both));
    }
    saved.double_click(&chip(other));
    saved.hover(&token("left", 0));
    saved.says(".status", &shown.sentence("left", 0, &[other]));
    saved.click(".every");
    saved.hover(&token("left", 0));
    saved.says(".status", &shown.sentence("left", 0, &all));

    saved.click(&token("left", 1));
    assert_eq!(saved.attribute(&token("left", 1), "class"), "token pinned");
    saved.click(".top > summary");
    let weights = shown.weights("left", 1, &all);
    saved.says(".top tbody tr:first-child td:first-child", &shown.tokens("left")[1]);
    let strongest = all.iter().flat_map(|head| shown.weights("left", 1, &[*head]));
    let strongest = strongest.fold(0.0, f64::max);
    saved.says(".top tbody tr:first-child td:last-child", &digits(strongest, 4));
    saved.hover(&token("right", first_largest(&weights)));
    saved.says(".status", "· head ");
    saved.click(&token("left", 1));
    saved.click(".top > summary");
}

fn model_by_mouse(saved: &mut Saved, shown: &mut Shown) {
    panes_by_mouse(saved, shown, PANES[1], |saved, shown| {
        for (layer, head) in [(0, 0), (shown.layers - 1, shown.heads - 1)] {
            let cell = cell(layer, head);
            saved.hover(&cell);
            saved
                .says(".overview > div > .status", &strongest_pair(shown, layer, head));
        }
    });
    let (layer, head) = (shown.layers - 1, shown.heads / 2);
    saved.click(&cell(layer, head));
    assert_eq!(saved.attribute(&cell(layer, head), "aria-selected"), "true");
    shown.layer = layer;
    tokens_by_mouse(saved, shown, &[head], ".detail ");
    saved.click(".detail .close");
    assert_eq!(saved.attribute(".detail", "hidden"), "");
}

/// `gato → tapete 0.238` for a head's largest weight.
fn strongest_pair(shown: &Shown, layer: usize, head: usize) -> String {
    let (rows, columns) = (shown.tokens("left"), shown.tokens("right"));
    let pairs = (0..rows.len())
        .flat_map(|row| (0..columns.len()).map(move |column| (row, column)));
    let all: Vec<(usize, usize)> = pairs.collect();
    let weight = |&(row, column)| shown.weight(layer, head, row, column);
    let weights: Vec<f64> = all.iter().map(weight).collect();
    let best = first_largest(&weights);
    format!(
        ": {} → {} {}",
        rows[all[best].0],
        columns[all[best].1],
        digits(weights[best], 3)
    )
}

fn neuron_by_mouse(saved: &mut Saved, shown: &mut Shown) {
    let head = shown.on[0];
    panes_by_mouse(saved, shown, PANES[2], |saved, shown| {
        tokens_by_mouse(saved, shown, &[head], ".lines ");
    });
    saved.click(".expand");
    for row in 0..shown.tokens("left").len().min(3) {
        saved.hover(&format!("#inside-left-{row}"));
        saved.frame();
        for (column, weight) in shown.weights("left", row, &[head]).iter().enumerate() {
            let expected =
                [digits(shown.score(head, row, column), 2), digits(*weight, 3)];
            let number = saved.text(&format!("#inside-right-{column} .number"));
            let wide = number.split_whitespace().count() > 1; // narrow ones have no score
            let expected = if wide { expected.join("  ") } else { expected[1].clone() };
            assert_eq!(number, expected, "row {row}, column {column}");
        }
    }
    saved.click(".inside .top > summary");
    saved.click("#inside-left-1");
    let weights = shown.weights("left", 1, &[head]);
    let best = first_largest(&weights);
    let score = digits(shown.score(head, 1, best), 4);
    saved.says(".inside .top tbody tr:first-child td:nth-child(3)", &score);
    saved.says(
        ".inside .top tbody tr:first-child td:last-child",
        &digits(weights[best], 4),
    );
    saved.click("#inside-left-1");
    saved.click(".expand");
    assert_eq!(saved.attribute(".inside", "hidden"), "");
}

/// The menu of parts, in each view.
const PANES: [&str; 3] = [
    ".controls label:nth-of-type(2) select",
    ".controls label:nth-of-type(1) select",
    ".controls label:nth-of-type(3) select",
];

fn cell(layer: usize, head: usize) -> String {
    format!(".row:nth-child({}) .cell:nth-of-type({})", layer + 2, head + 1)
}

/// Tokens by arrows, on both sides.
fn tokens_by_keyboard(saved: &mut Saved, shown: &Shown, heads: &[usize], inside: &str) {
    let (left, status) = (format!("{inside}.tokens.left"), format!("{inside}.status"));
    saved.tab_to(&left);
    saved.tab.press("Home");
    saved.tab.press("ArrowDown");
    saved.says(&status, &shown.sentence("left", 1, heads));
    saved.tab.press("ArrowRight");
    assert!(saved.focused(&format!("{inside}.tokens.right")));
    saved.tab.press("End");
    let last = shown.tokens("right").len() - 1;
    saved.says(&status, &shown.sentence("right", last, heads));
    saved.tab.press("Enter");
    let pinned = format!("{inside}{}", token("right", last));
    assert_eq!(saved.attribute(&pinned, "class"), "token pinned");
    saved.tab.press("Escape");
    assert_eq!(saved.attribute(&pinned, "class"), "token");
}

/// Goes to a menu and chooses the entry at a place.
fn menu_entry_by_keyboard(saved: &mut Saved, menu: &str, place: usize) {
    saved.tab_to(menu);
    saved.tab.press("Home");
    for _ in 0..place {
        saved.tab.press("ArrowDown");
    }
}

/// Every line below the threshold goes.
fn slider_by_keyboard(saved: &mut Saved, canvas: &str) {
    let all = saved.drawing(canvas);
    saved.tab_to(".slider input");
    saved.tab.press("End");
    saved.says(".slider output", "1.000");
    let none = saved.drawing(canvas);
    assert!(
        none[1].as_u64() < all[1].as_u64(),
        "{canvas}: the threshold takes lines away"
    );
    saved.tab.press("Home");
    saved.says(".slider output", "0.000");
    assert_eq!(saved.drawing(canvas), all, "{canvas}");
}

fn head_by_keyboard(saved: &mut Saved, shown: &mut Shown) {
    let panes = shown.panes.as_array().map_or(0, Vec::len);
    if panes > 1 {
        shown.pane = panes - 1;
        menu_entry_by_keyboard(saved, PANES[0], panes - 1);
    }
    shown.layer = shown.layers - 1;
    menu_entry_by_keyboard(saved, ".controls label:nth-of-type(1) select", shown.layer);
    tokens_by_keyboard(saved, shown, &shown.on, "");
    slider_by_keyboard(saved, ".lines canvas");
    saved.tab_to(&chip(0));
    saved.tab.press("ArrowRight");
    assert!(saved.focused(&chip(1)));
    saved.tab.press_shifted("Enter");
    tokens_by_keyboard(saved, shown, &[1], "");
    saved.tab_to(&chip(0));
    saved.tab.press(" ");
    tokens_by_keyboard(saved, shown, &[0, 1], "");
}

fn model_by_keyboard(saved: &mut Saved, shown: &mut Shown) {
    let panes = shown.panes.as_array().map_or(0, Vec::len);
    if panes > 1 {
        shown.pane = panes - 1;
        menu_entry_by_keyboard(saved, PANES[1], panes - 1);
    }
    slider_by_keyboard(saved, ".thumbnails canvas.drawn");
    saved.tab_to(&cell(0, 0));
    saved.tab.press("ArrowRight");
    saved.tab.press("ArrowDown");
    saved.says(".overview > div > .status", &strongest_pair(shown, 1, 1));
    saved.tab.press("Enter");
    shown.layer = 1;
    tokens_by_keyboard(saved, shown, &[1], ".detail ");
    saved.tab.press("Escape");
    assert_eq!(saved.attribute(".detail", "hidden"), "");
    assert!(saved.focused(&cell(1, 1)));
}

fn neuron_by_keyboard(saved: &mut Saved, shown: &mut Shown) {
    shown.on = vec![1];
    menu_entry_by_keyboard(saved, ".controls label:nth-of-type(2) select", 1);
    tokens_by_keyboard(saved, shown, &[1], ".lines ");
    slider_by_keyboard(saved, ".lines canvas");
    saved.tab_to(".expand");
    saved.tab.press("Enter");
    saved.tab_to(".inside .tokens.left");
    saved.tab.press("Home");
    saved.tab.press("ArrowDown");
    let weights = shown.weights("left", 1, &[1]);
    let best = first_largest(&weights);
    let score = digits(shown.score(1, 1, best), 3);
    let (from, to) = (&shown.tokens("left")[1], &shown.tokens("right")[best]);
    let said = format!(
        "{from} → {to}: q·k / √d = {score}, softmax = {}",
        digits(weights[best], 3)
    );
    saved.says(".inside .status", &said);
    saved.tab_to(".expand");
    saved.tab.press(" ");
    assert_eq!(saved.attribute(".inside", "hidden"), "");
}

/// The menu that saves: opened, walked through and closed.
fn menu_by_keyboard(saved: &mut Saved) {
    saved.tab_to(".save > summary");
    saved.tab.press("Enter");
    saved.tab.press("Tab");
    assert!(saved.focused(".save [data-action=\"copy\"]"));
    saved.tab.press("Escape");
    assert!(saved.focused(".save > summary"));
    assert!(saved.attribute(".save", "open").is_null());
}
