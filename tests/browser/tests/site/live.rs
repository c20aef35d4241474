//! The live elements: the chapters' crates, in the page.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::host::{Fault, Host};
use crate::server::{Page, page};
use crate::tab::Tab;
use crate::{CHAPTER, LANGUAGES, ROOT, on, reading, report};

/// An element, and the page that it is on.
#[derive(Clone, Copy)]
struct Live {
    page: &'static str,
    name: &'static str,
}

const SELF_ATTENTION: Live = Live { page: CHAPTER, name: "self-attention" };
const POSITIONS: Live = Live { page: "ch02-whole-transformer.html", name: "positions" };
const MULTI_HEAD: Live =
    Live { page: "ch02-whole-transformer.html", name: "multi-head" };
const REVERSER: Live = Live { page: "ch03-training.html", name: "reverser" };
const SENTIMENT: Live = Live { page: "ch04-sentiment.html", name: "sentiment" };
const BERT: Live = Live { page: "ch05-bert-attention.html", name: "bert-attention" };
const VIEW: Live = Live { page: "ch07-attention-views.html", name: "attention-view" };
const ABLATION: Live = Live { page: "ch07-attention-views.html", name: "ablation" };
const NEXT_TOKEN: Live = Live { page: "ch09-generation.html", name: "next-token" };

const ALL: [Live; 9] = [
    SELF_ATTENTION,
    POSITIONS,
    MULTI_HEAD,
    REVERSER,
    SENTIMENT,
    BERT,
    VIEW,
    ABLATION,
    NEXT_TOKEN,
];

impl Live {
    fn page(self, language: &str) -> &'static Page {
        page(language, self.page)
    }

    fn label(self, language: &str) -> String {
        format!("{} ({language})", self.name)
    }

    /// The selector of the button that opens it.
    fn button(self) -> String {
        format!(".live[data-live={}] > button", self.name)
    }

    /// The element, in JavaScript.
    fn element(self) -> String {
        format!("document.querySelector('live-{}')", self.name)
    }

    /// Waits until the newest question is answered.
    fn wait(self, tab: &mut Tab, label: &str) {
        tab.wait_to_be(
            label,
            &format!("{}?.dataset.state", self.element()),
            &json!("ready"),
        );
    }

    /// Loads its page from a host, and asks for it.
    fn ask(self, tab: &mut Tab, host: &Host, label: &str) {
        tab.load(&format!("{}{}", host.address, self.page));
        tab.click(label, &self.button());
    }

    fn open_by_keyboard(self, tab: &mut Tab, label: &str) {
        tab.evaluate(&format!("document.querySelector('{}').focus()", self.button()));
        tab.press("Enter");
        self.wait(tab, label);
    }

    fn open(self, tab: &mut Tab, language: &str) {
        tab.load(&self.page(language).url);
        tab.click(&self.label(language), &self.button());
        self.wait(tab, &self.label(language));
    }

    /// Shows what an address says.
    fn show(self, tab: &mut Tab, label: &str, state: &[(&str, Value)]) {
        let said = state.iter().map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{key}:${{encodeURIComponent({})}}", json!(text))
        });
        let said = said.collect::<Vec<_>>().join(",");
        let shown = tab.evaluate(&format!(
            "new Promise(done => {{
               const live = {};
               new MutationObserver((_, me) => {{
                 if (live.dataset.state !== 'working') {{ me.disconnect(); done(live.dataset.state); }}
               }}).observe(live, {{ attributes: true }});
               location.hash = `live-{}={said}`;
             }})",
            self.element(),
            self.name
        ));
        assert_eq!(shown, "ready", "{label}");
    }
}

/// Numbers and words, drawn anew from each seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        // Knuth's multiplier, as in MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A number of two decimals, from -2 to 2.
    fn number(&mut self) -> Value {
        let hundredths = i32::try_from(self.below(401)).unwrap() - 200;
        json!(f64::from(hundredths) / 100.0)
    }
}

/// What a chapter's command line answers, in JSON. `cargo test` builds it.
fn command_line(name: &str, arguments: &[&str]) -> Value {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    let program = target.join("debug").join(name);
    let output = Command::new(&program)
        .args(arguments)
        .arg("--json")
        .current_dir(ROOT)
        .output()
        .unwrap_or_else(|error| {
            panic!("{}: {error}: run `cargo test` first", program.display())
        });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The numbers of nested lists, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn assert_close(found: &Value, expected: &Value, tolerance: f64, what: &str) {
    let (found, expected) = (numbers(found), numbers(expected));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let apart = (found - expected).abs() / expected.abs().max(1.0);
        assert!(apart <= tolerance, "{what}, number {i}: {found} is not {expected}");
    }
}

#[test]
fn nothing_live_is_loaded_before_it_is_asked_for() {
    let _site = reading();
    let mut tab = Tab::open();
    let mut findings = Vec::new();
    for live in ALL {
        let page = live.page("pt-BR");
        tab.load(&page.url);
        tab.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
        tab.click(&page.label(), &live.button().replace(" > button", "")); // beside the button
        let asked = tab.events().iter().filter_map(|event| {
            let url = event["params"]["request"]["url"].as_str()?;
            url.contains("/live/").then(|| url.to_owned())
        });
        findings.extend(on(&page.label(), asked.collect()));
    }
    report(&findings);
}

#[test]
fn chapter_1_computes_what_its_command_line_does() {
    let _site = reading();
    let mut tab = Tab::open();
    let live = SELF_ATTENTION;
    live.open(&mut tab, "pt-BR");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("embeddings.json");
    let mut draw = Draw(1);
    for round in 0..6 {
        let n = 1 + draw.below(12);
        let rows: Vec<Vec<Value>> =
            (0..n).map(|_| (0..4).map(|_| draw.number()).collect()).collect();
        let words: Vec<String> = (0..n).map(|i| format!("w{i}<&\"")).collect();
        let (seed, d_k) = (draw.below(1 << 31), 1 + draw.below(64));
        let label = format!("round {round}: seed {seed}, d_k {d_k}, {rows:?}");
        live.show(
            &mut tab,
            &label,
            &[
                ("seed", json!(seed)),
                ("dk", json!(d_k)),
                ("words", json!(json!(words).to_string())),
                ("embeddings", json!(json!(rows).to_string())),
            ],
        );
        std::fs::write(&file, json!(rows).to_string()).unwrap();
        let mut arguments = vec!["--embeddings", file.to_str().unwrap()];
        let (seed, d_k) = (seed.to_string(), d_k.to_string());
        arguments.extend(["--seed", &seed, "--d-k", &d_k, "--words"]);
        arguments.extend(words.iter().map(String::as_str));
        let expected = command_line("ch01-self-attention", &arguments);
        let found = tab.evaluate(&format!("{}.found", live.element()));
        for name in [
            "w_query", "w_key", "w_value", "q", "k", "v", "scores", "weights", "output",
        ] {
            assert_close(
                &found[name],
                &expected[name],
                1e-12,
                &format!("{label}: {name}"),
            );
        }
        let shown = tab.evaluate(
            "[...document.querySelectorAll('live-self-attention .heat thead th')].map(head => head.textContent)",
        );
        assert_eq!(shown, json!(words), "{label}");
    }
}

#[test]
fn chapter_1_answers_keyboard_mouse_and_finger() {
    let _site = reading();
    let mut tab = Tab::open();
    let live = SELF_ATTENTION;
    let first =
        "document.querySelector('live-self-attention .heat tbody td').textContent";
    for language in LANGUAGES {
        let label = live.label(language);
        tab.load(&live.page(language).url);
        live.open_by_keyboard(&mut tab, &label);
        let comma = if language == "en" { "." } else { "," };
        tab.wait_to_be(&label, first, &json!(format!("0{comma}28")));
        // By keyboard: another seed.
        tab.tab_to(&label, "live-self-attention [name=seed]");
        tab.press("End");
        tab.type_text("7");
        tab.wait(&label, &format!("{first} !== '0{comma}28'"));
        tab.wait(&label, "location.hash.includes('seed:427')");
        // By mouse: the page's values again.
        tab.click(&label, "live-self-attention .live-reset");
        tab.wait_to_be(&label, first, &json!(format!("0{comma}28")));
        // By finger: one word less.
        tab.tap(&label, "live-self-attention tr:nth-child(2) .live-remove");
        tab.wait_to_be(
            &label,
            "document.querySelectorAll('live-self-attention .heat tbody td').length",
            &json!(4),
        );
        // And back to the figure, which has its place and the focus again.
        tab.click(&label, "live-self-attention .live-close");
        tab.wait(&label, &format!("{} === null", live.element()));
        tab.wait(&label, "document.getElementById('fig-heatmap').checkVisibility()");
        tab.wait(
            &label,
            &format!("document.activeElement.matches('{}')", live.button()),
        );
    }
}

#[test]
fn a_field_that_is_wrong_says_so_and_the_last_answer_stays() {
    let _site = reading();
    let mut tab = Tab::open();
    let live = SELF_ATTENTION;
    live.open(&mut tab, "pt-BR");
    let label = live.label("pt-BR");
    tab.evaluate(
        "{ const seed = document.querySelector('live-self-attention [name=seed]');
           seed.value = ''; seed.dispatchEvent(new Event('input')); }",
    );
    let state = format!("{}.dataset.state", live.element());
    tab.wait_to_be(&label, &state, &json!("invalid"));
    let said = tab.evaluate(
        "document.querySelector('live-self-attention .live-status').textContent",
    );
    assert!(said.as_str().unwrap().contains("“Semente”"), "{said}");
    let cells =
        "document.querySelectorAll('live-self-attention .heat tbody td').length";
    assert_eq!(tab.evaluate(cells), 9, "{label}");
}

#[test]
fn elements_work_on_a_static_host_at_its_root_and_in_a_folder() {
    let _site = reading();
    let mut tab = Tab::open();
    for folder in ["", "some/book/"] {
        let host = Host::start(folder);
        for language in LANGUAGES {
            let edition = if language == "en" { "en/" } else { "" };
            let live = SELF_ATTENTION;
            let label = format!("{folder}{}", live.label(language));
            tab.load(&format!("{}{edition}{}", host.address, live.page));
            tab.click(&label, &live.button());
            live.wait(&mut tab, &label);
        }
    }
}

#[test]
fn a_module_that_does_not_come_leaves_the_page_whole() {
    let _site = reading();
    let mut tab = Tab::open();
    let live = SELF_ATTENTION;
    let host = Host::start("");
    for (file, state) in [
        ("live/self-attention.js", None),
        ("live/live_ndarray_bg.wasm", Some("failed")),
        ("live/worker.js", Some("failed")),
    ] {
        host.set(&[(file, Fault::Missing)]);
        live.ask(&mut tab, &host, file);
        match state {
            None => tab.wait(file, &format!("document.querySelector('{}').textContent.includes('tente de novo')", live.button())),
            Some(state) => tab.wait_to_be(file, &format!("{}?.dataset.state", live.element()), &json!(state)),
        }
        host.set(&[]);
        match state {
            None => tab.click(file, &live.button()),
            Some(_) => tab.click(file, "live-self-attention .live-reset"), // asks again
        }
        live.wait(&mut tab, file);
    }
}

/// Sentences of words that the models' vocabularies have, and of some that they don't.
fn sentence(draw: &mut Draw, most: u64) -> String {
    const WORDS: [&str; 12] = [
        "o",
        "gato",
        "sentou",
        "the",
        "movie",
        "was",
        "terrible",
        "porque",
        "ela",
        "azulzinho",
        "<b>&",
        "ótimo",
    ];
    let count = 2 + draw.below(most - 1);
    let mut words = (0..count).map(|_| WORDS[usize::try_from(draw.below(12)).unwrap()]);
    let first = words.next().unwrap().to_owned();
    words.fold(first, |text, word| text + " " + word)
}

#[test]
fn chapters_4_and_5_compute_what_their_command_lines_do() {
    let _site = reading();
    let mut tab = Tab::open();
    let mut draw = Draw(2);
    BERT.open(&mut tab, "pt-BR");
    for round in 0..4 {
        let text = sentence(&mut draw, 12);
        let pair = (round % 2 == 1).then(|| sentence(&mut draw, 6));
        let label = format!("{text:?}, {pair:?}");
        let said = pair.clone().unwrap_or_default();
        BERT.show(&mut tab, &label, &[("text", json!(text)), ("pair", json!(said))]);
        let mut arguments = vec![text.as_str()];
        if let Some(pair) = &pair {
            arguments.extend(["--pair", pair]);
        }
        let expected = command_line("ch05-bert-attention", &arguments);
        let found = format!("{}.found", BERT.element());
        assert_eq!(
            tab.evaluate(&format!("{found}.tokens")),
            expected["tokens"],
            "{label}"
        );
        let numbers = tab.evaluate(&format!("[...{found}.numbers]"));
        assert_close(&numbers, &expected["attentions"], 2e-5, &label);
    }
    SENTIMENT.open(&mut tab, "en");
    for _ in 0..4 {
        let text = sentence(&mut draw, 10);
        SENTIMENT.show(&mut tab, &text, &[("text", json!(text))]);
        let expected = command_line("ch04-sentiment", &[&text]);
        let found = tab.evaluate(&format!("{}.found", SENTIMENT.element()));
        for name in ["label", "tokens"] {
            assert_eq!(found[name], expected[0][name], "{text}: {name}");
        }
        assert_close(&found["score"], &expected[0]["score"], 2e-5, &text);
    }
}

#[test]
fn chapter_9_writes_what_its_command_line_does() {
    let _site = reading();
    let mut tab = Tab::open();
    NEXT_TOKEN.open(&mut tab, "pt-BR");
    for text in ["<|pt|>O gato", "<|en|>She said that", "<|pt|>Você está"] {
        NEXT_TOKEN.show(&mut tab, text, &[("text", json!(text))]);
        let expected =
            command_line("ch09-generation", &[text, "--max-new-tokens", "6"]);
        let found = tab.evaluate(&format!("{}.found", NEXT_TOKEN.element()));
        let first = expected["logprobs"][0].as_f64().unwrap().exp();
        assert_close(&found["guesses"][0]["probability"], &json!(first), 2e-5, text);
        let tokens = expected["tokens"].as_array().unwrap();
        for (i, token) in tokens.iter().enumerate() {
            let guess = tab
                .evaluate(&format!("{}.found.guesses[0].token", NEXT_TOKEN.element()));
            assert_eq!(&guess, token, "{text}: token {i}");
            tab.evaluate("document.querySelector('.next-guess').click()");
            NEXT_TOKEN.wait(&mut tab, text);
        }
    }
}

#[test]
fn chapter_3_trains_as_its_recipe_says() {
    let _site = reading();
    let mut tab = Tab::open();
    let label = REVERSER.label("en");
    REVERSER.open(&mut tab, "en");
    let run = format!("{}.run", REVERSER.element());
    tab.wait_to_be(
        &label,
        "document.querySelector('.reverser-pair').textContent",
        &json!("cabide → ddddddd"),
    );
    tab.click(&label, ".reverser-one");
    tab.wait_to_be(&label, &format!("{run}.at"), &json!(1));
    // What the crate's own first step is, to the printed digit (`reverse::ReverserTraining`).
    let loss = tab.evaluate(&format!("{run}.losses[0].toFixed(3)"));
    assert_eq!(loss, "4.025", "{label}");
    tab.click(&label, ".reverser-train");
    tab.wait(&label, &format!("{run}.at > 20"));
    tab.click(&label, ".reverser-train");
    REVERSER.wait(&mut tab, &label);
    let at = tab.evaluate(&format!("{run}.at"));
    let mean = tab
        .evaluate(&format!("{run}.losses.slice(0, 20).reduce((a, b) => a + b) / 20"));
    assert!(mean.as_f64().unwrap() < 4.0, "{label}: {mean} after {at} steps");
}

#[test]
fn chapter_7_s_views_follow_the_reader_s_sentence_and_let_go_of_the_old_ones() {
    let _site = reading();
    let mut tab = Tab::open();
    let label = VIEW.label("pt-BR");
    VIEW.open(&mut tab, "pt-BR");
    let shown = "[...document.querySelector('live-attention-view .attention-view')?.shadowRoot\
                  ?.querySelectorAll('.tokens.left .token') ?? []].map(token => token.textContent.trim()).join(' ')";
    for kind in ["head", "neuron"] {
        let text = "o gato dorme";
        VIEW.show(
            &mut tab,
            &label,
            &[("text", json!(text)), ("pair", json!("")), ("kind", json!(kind))],
        );
        tab.wait(&label, &format!("{shown}.includes('o gato dorme')"));
    }
    let hosts =
        "document.querySelectorAll('live-attention-view .attention-view').length";
    tab.wait_to_be(&label, hosts, &json!(1));
}

#[test]
fn chapter_7_takes_heads_out_as_chapter_5_s_command_line_does() {
    let _site = reading();
    let mut tab = Tab::open();
    let mut draw = Draw(7);
    ABLATION.open(&mut tab, "en");
    for round in 0..3 {
        let text = sentence(&mut draw, 8);
        let pair = if round == 1 { String::new() } else { sentence(&mut draw, 6) };
        let removed = [0; 2].map(|_| format!("{}.{}", draw.below(12), draw.below(12)));
        let (typed, removed) = (removed.join("-"), removed.join(","));
        let place = 1 + draw.below(20); // perhaps behind the end
        let label = format!("{text:?}, {pair:?}, {place}, {removed}");
        ABLATION.show(
            &mut tab,
            &label,
            &[
                ("text", json!(text)),
                ("pair", json!(pair)),
                ("place", json!(place)),
                ("removed", json!(typed)),
            ],
        );
        let live = ABLATION.element();
        let found = tab.evaluate(&format!("{live}.found"));
        let place = found["place"].to_string();
        let mut arguments =
            vec![text.as_str(), "--hide", &place, "--without", &removed];
        if !pair.is_empty() {
            arguments.extend(["--pair", &pair]);
        }
        let expected = command_line("ch05-bert-attention", &arguments);
        assert_close(&found["change"], &expected["change"], 2e-5, &label);
        for name in ["whole", "without"] {
            let of = |guesses: &Value, what: &str| -> Value {
                guesses
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|guess| guess[what].clone())
                    .collect()
            };
            let [ours, theirs] = [&found[name], &expected[name]];
            assert_eq!(of(ours, "piece"), of(theirs, "piece"), "{label}: {name}");
            let [ours, theirs] = [of(ours, "probability"), of(theirs, "probability")];
            assert_close(&ours, &theirs, 2e-5, &label);
        }
        for name in ["changes", "looks"] {
            let ours = tab.evaluate(&format!("[...{live}.{name}]"));
            assert_close(&ours, &expected[name], 2e-5, &format!("{label}: {name}"));
        }
    }
}

#[test]
fn chapter_7_s_heads_are_taken_out_by_mouse_and_keyboard_and_in_an_address() {
    let _site = reading();
    let mut tab = Tab::open();
    let label = ABLATION.label("pt-BR");
    ABLATION.open(&mut tab, "pt-BR");
    let live = ABLATION.element();
    let removed = format!("{live}.values().removed");
    let first_piece = format!("{live}.found.without[0].piece");
    let first = format!("{live}.found.without[0].probability");
    let whole = tab.evaluate(&first);

    tab.evaluate("document.querySelector('live-ablation canvas').focus()");
    tab.press("Enter"); // the first head of the first layer
    tab.press("ArrowRight");
    tab.press("Enter");
    ABLATION.wait(&mut tab, &label);
    assert_eq!(tab.evaluate(&removed), json!("0.0-0.1"));
    assert_ne!(tab.evaluate(&first), whole, "{label}");
    tab.press("Enter"); // and back
    ABLATION.wait(&mut tab, &label);
    assert_eq!(tab.evaluate(&removed), json!("0.0"));

    tab.click(&label, "live-ablation .ablation-back");
    ABLATION.wait(&mut tab, &label);
    assert_eq!(tab.evaluate(&removed), json!(""));
    assert_eq!(tab.evaluate(&first), whole, "{label}");

    tab.click(&label, "live-ablation .ablation-tokens button:nth-of-type(5)");
    ABLATION.wait(&mut tab, &label);
    assert_eq!(tab.evaluate(&format!("{live}.found.place")), json!(5));
    let pressed =
        "document.querySelector('live-ablation [aria-pressed=true]').textContent";
    assert_eq!(tab.evaluate(pressed), json!("cama"));

    // The page's own link: sixteen heads of the figure's pair.
    tab.evaluate(&format!("{live}.reset()"));
    ABLATION.wait(&mut tab, &label);
    tab.click(&label, "main a[href^='#live-ablation=']");
    tab.wait_to_be(&label, &format!("{removed}.split('-').length"), &json!(16));
    ABLATION.wait(&mut tab, &label);
    assert_ne!(tab.evaluate(&first_piece), json!("gato"), "{label}");

    // Heads that there are not are left out.
    let none = [("removed", json!("12.3-1.12-99.99-1.1-x"))];
    ABLATION.show(&mut tab, &label, &none);
    assert_eq!(tab.evaluate(&removed), json!("1.1"));
}

#[test]
fn a_field_that_becomes_wrong_while_heads_are_measured_is_what_is_told() {
    let _site = reading();
    let mut tab = Tab::open();
    let label = ABLATION.label("pt-BR");
    ABLATION.open(&mut tab, "pt-BR");
    let live = ABLATION.element();
    let typed = |text: &str| {
        format!(
            "{{ const field = {live}.text.input; field.value = {text:?}; \
             field.dispatchEvent(new Event('input')); }}"
        )
    };
    // The guesses are there, and the heads are being measured.
    tab.evaluate(&typed(
        "uma frase bem mais longa do que a outra, que o modelo demora a ler",
    ));
    tab.wait(&label, &format!("{live}.measured !== {live}.guessed"));
    tab.evaluate(&typed(""));
    tab.wait(&label, &format!("!{live}.working"));
    let status = tab.evaluate(&format!("{live}.status.textContent"));
    assert!(status.as_str().unwrap().contains("vazia"), "{status}");
    let told = tab.evaluate(&format!("{live}.most.textContent"));
    assert!(!told.as_str().unwrap().contains("medindo"), "{told}");
}

#[test]
fn two_hundred_sentences_take_no_more_memory_than_twenty() {
    let _site = reading();
    let mut tab = Tab::open();
    let label = BERT.label("pt-BR");
    BERT.open(&mut tab, "pt-BR");
    let ask = |from: u64, to: u64| {
        format!(
            "import('/live/engine.js').then(async ({{ engine }}) => {{
               const models = engine('live_models');
               for (let i = {from}; i < {to}; i++) {{
                 await models.ask('attentions', {{ text: `o gato número ${{i}} sentou`.repeat(1 + i % 5) }}, {{ model: 'bertinho' }});
               }}
               return models.memory;
             }})"
        )
    };
    let after_20 = tab.evaluate(&ask(0, 20));
    assert!(after_20.as_u64().unwrap() > 1 << 20, "{label}: {after_20}");
    assert_eq!(tab.evaluate(&ask(20, 200)), after_20, "{label}");
}

#[test]
fn a_model_that_comes_broken_is_refused_and_the_next_try_is_whole() {
    let _site = reading();
    let mut tab = Tab::open();
    let host = Host::start("");
    let weights = "bertinho-sentiment/model.safetensors";
    for (fault, words) in [
        (Fault::Missing, "O modelo não veio inteiro"),
        (Fault::Cut, "O modelo não veio inteiro"),
        (Fault::Damaged, "O modelo veio com defeito"),
    ] {
        let label = format!("{fault:?}");
        host.set(&[(weights, fault)]);
        SENTIMENT.ask(&mut tab, &host, &label);
        tab.wait_to_be(
            &label,
            &format!("{}?.dataset.state", SENTIMENT.element()),
            &json!("failed"),
        );
        let said = tab.evaluate(
            "document.querySelector('live-sentiment .live-status').textContent",
        );
        assert!(said.as_str().unwrap().starts_with(words), "{label}: {said}");
    }
    host.set(&[]);
    tab.click("again", "live-sentiment .live-reset");
    SENTIMENT.wait(&mut tab, "again");
    // It is kept: the next page needs no host for it.
    host.set(&[(weights, Fault::Missing)]);
    SENTIMENT.ask(&mut tab, &host, "kept");
    SENTIMENT.wait(&mut tab, "kept");
}

#[test]
fn a_full_cache_is_no_fault() {
    let _site = reading();
    let mut tab = Tab::open();
    let host = Host::start("");
    let origin = host.address.trim_end_matches('/');
    tab.load(&format!("{}{}", host.address, SENTIMENT.page));
    tab.devtools(
        "Storage.overrideQuotaForOrigin",
        &json!({ "origin": origin, "quotaSize": 1000 }),
    );
    tab.click("full", &SENTIMENT.button());
    SENTIMENT.wait(&mut tab, "full");
}

#[test]
fn a_worker_that_stops_is_started_again() {
    let _site = reading();
    let mut tab = Tab::open();
    let label = SENTIMENT.label("pt-BR");
    SENTIMENT.open(&mut tab, "pt-BR");
    tab.evaluate("import('/live/engine.js').then(({ engine }) => { engine('live_models').stop(); })");
    tab.click(&label, "live-sentiment .live-reset");
    SENTIMENT.wait(&mut tab, &label);
}

#[test]
fn a_text_that_is_too_long_is_refused_in_the_page_s_language() {
    let _site = reading();
    let mut tab = Tab::open();
    for (language, words) in [("pt-BR", "encurte o texto"), ("en", "shorten the text")]
    {
        let label = BERT.label(language);
        BERT.open(&mut tab, language);
        let before = tab.evaluate(&format!("{}.found.tokens", BERT.element()));
        tab.evaluate(
            "{ const text = document.querySelector('live-bert-attention [name=text]');
               text.value = 'a '.repeat(511); text.dispatchEvent(new Event('input')); }",
        );
        tab.wait_to_be(
            &label,
            &format!("{}.dataset.state", BERT.element()),
            &json!("failed"),
        );
        let said = tab.evaluate(
            "document.querySelector('live-bert-attention .live-status').textContent",
        );
        assert!(said.as_str().unwrap().contains(words), "{label}: {said}");
        let after = tab.evaluate(&format!("{}.found.tokens", BERT.element()));
        assert_eq!(after, before, "{label}: the last answer stays");
    }
}

#[test]
fn every_element_can_be_read_light_and_dark_wide_and_narrow() {
    let _site = reading();
    let mut tab = Tab::open_live();
    let folder = Path::new(ROOT).join("target/screenshots");
    let mut findings = Vec::new();
    for (language, theme, width) in [("pt-BR", "light", 1400), ("en", "navy", 400)] {
        tab.resize(width, 1000);
        for live in ALL {
            let label = format!("{}, {theme}, {width} px", live.label(language));
            tab.load(&live.page(language).url);
            tab.choose_theme(&label, theme);
            live.open_by_keyboard(&mut tab, &label);
            tab.settle(&label);
            findings.extend(on(&label, tab.findings("faintTexts(4.5)")));
            findings.extend(on(&label, tab.findings("tooWide()")));
            let complaints = tab.events().iter().filter_map(crate::complaint).collect();
            findings.extend(on(&label, complaints));
            tab.evaluate(&format!("{}.scrollIntoView()", live.element()));
            tab.photograph_here(
                &folder,
                &format!("live-{}-{language}-{theme}", live.name),
            );
        }
    }
    report(&findings);
}
