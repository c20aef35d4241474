//! A tab, with a reader's hands: it loads pages, clicks, types, and looks.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::cdp::{Connection, PATIENCE};
use crate::chromium;

/// What is looked at inside a page: an object of functions.
const PROBES: &str = include_str!("probes.js");

/// Tall pages are photographed in parts: Chromium repeats what exceeds a texture.
const PART: u64 = 6000;

/// A tab of its own browser context: no theme, history or cache is shared with another test.
pub struct Tab {
    connection: Connection,
    context: String,
    /// Whether the pages' scripts run, frames' callbacks among them.
    scripts: bool,
}

impl Tab {
    /// Opens an empty tab, 1400 × 1000, that live reload does not reach: somebody may be saving a
    /// source while the tests run.
    pub fn open() -> Self {
        let mut tab = Self::open_live();
        let deaf = json!({ "source": "window.WebSocket = class { close() {} };" });
        tab.call("Page.addScriptToEvaluateOnNewDocument", &deaf);
        tab
    }

    /// Opens an empty tab, 1400 × 1000.
    pub fn open_live() -> Self {
        let (connection, context) = chromium::open_tab();
        let mut tab = Self { connection, context, scripts: true };
        for domain in ["Page", "Network", "Runtime", "Log"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        tab.call("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }));
        tab.resize(1400, 1000);
        tab
    }

    /// From now on, no page's script runs.
    pub fn without_scripts(&mut self) {
        self.scripts = false;
        self.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.connection.call(method, params).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What happened since the last page was asked for.
    pub fn events(&self) -> &[Value] {
        &self.connection.events
    }

    /// Sets the size of the viewport, in CSS pixels.
    pub fn resize(&mut self, width: u64, height: u64) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Loads a page and waits until its network has been idle for half a second.
    pub fn load(&mut self, url: &str) {
        self.connection.events.clear();
        let loading = self.call("Page.navigate", &json!({ "url": url }));
        assert_eq!(loading["errorText"], Value::Null, "{url}");
        let loader = loading["loaderId"].clone();
        let idle = self.connection.wait(PATIENCE, |event| {
            event["method"] == "Page.lifecycleEvent"
                && event["params"]["name"] == "networkIdle"
                && event["params"]["loaderId"] == loader
        });
        let arrivals = self
            .events()
            .iter()
            .filter(|e| e["method"] == "Page.frameNavigated")
            .count();
        assert!(
            idle,
            "{url}: not at rest after {PATIENCE:?}; it was loaded {arrivals} times"
        );
    }

    /// Asks for a page, and waits for nothing.
    pub fn start_loading(&mut self, url: &str) {
        self.connection.events.clear();
        let loading = self.call("Page.navigate", &json!({ "url": url }));
        assert_eq!(loading["errorText"], Value::Null, "{url}");
    }

    /// Waits for an event of the protocol.
    pub fn wait_for_event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let came = self.connection.wait(PATIENCE, wanted);
        assert!(came, "{what}: did not happen in {PATIENCE:?}");
    }

    /// The value of a JavaScript expression, which may be a promise.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        self.try_evaluate(expression)
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn try_evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let params = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let mut answer = self.connection.call("Runtime.evaluate", &params)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].take()),
            thrown => Err(thrown["exception"]["description"].to_string()),
        }
    }

    /// What a function of `probes.js` finds on the page.
    pub fn probe(&mut self, call: &str) -> Value {
        self.try_evaluate(&format!("({PROBES}).{call}"))
            .unwrap_or_else(|error| panic!("{call}: {error}"))
    }

    /// The lines that a function of `probes.js` finds on the page.
    pub fn findings(&mut self, call: &str) -> Vec<String> {
        serde_json::from_value(self.probe(call))
            .unwrap_or_else(|error| panic!("{call}: {error}"))
    }

    /// Waits until a JavaScript condition holds; a page on its way to another holds nothing.
    pub fn wait(&mut self, what: &str, condition: &str) {
        self.wait_to_be(what, &format!("Boolean({condition})"), &Value::Bool(true));
    }

    /// Waits until a JavaScript expression has a value.
    pub fn wait_to_be(&mut self, what: &str, expression: &str, expected: &Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let last = self.try_evaluate(expression);
            if last.as_ref() == Ok(expected) {
                return;
            }
            let in_time = Instant::now() < deadline;
            assert!(
                in_time,
                "{what}: {expression} is not {expected} after {PATIENCE:?}, but {last:?}"
            );
            self.let_the_page_work();
        }
    }

    /// Gives the page's own tasks a turn; a page on its way to another needs none.
    fn let_the_page_work(&mut self) {
        if !self.scripts {
            std::thread::sleep(Duration::from_millis(50)); // some frames
            return;
        }
        let _ = self.try_evaluate("new Promise(done => requestAnimationFrame(done))");
    }

    /// Waits until the page is the one at `url`, loaded.
    pub fn wait_for_page(&mut self, what: &str, url: &str) {
        let condition = format!(
            "location.href.split('?')[0] === {} && document.readyState === 'complete'",
            json!(url)
        );
        self.wait(what, &condition);
    }

    /// Clicks the middle of an element, which must be what lies there.
    pub fn click(&mut self, what: &str, selector: &str) {
        let mut event = self.point_at(what, selector);
        event["button"] = json!("left");
        event["clickCount"] = json!(1);
        for kind in ["mousePressed", "mouseReleased"] {
            event["type"] = json!(kind);
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Clicks twice, as fast as one does.
    pub fn double_click(&mut self, what: &str, selector: &str) {
        let mut event = self.point_at(what, selector);
        event["button"] = json!("left");
        for count in [1, 2] {
            event["clickCount"] = json!(count);
            for kind in ["mousePressed", "mouseReleased"] {
                event["type"] = json!(kind);
                self.call("Input.dispatchMouseEvent", &event);
            }
        }
    }

    /// Touches the middle of an element with a finger.
    pub fn tap(&mut self, what: &str, selector: &str) {
        let found = self.at_rest(what, selector);
        let point = json!({ "x": found["x"], "y": found["y"] });
        let touch = json!({ "type": "touchStart", "touchPoints": [point] });
        self.call("Input.dispatchTouchEvent", &touch);
        let lift = json!({ "type": "touchEnd", "touchPoints": [] });
        self.call("Input.dispatchTouchEvent", &lift);
    }

    /// Calls a method of the protocol that has no name of its own here.
    pub fn devtools(&mut self, method: &str, params: &Value) -> Value {
        self.call(method, params)
    }

    /// Moves the pointer to the middle of an element.
    pub fn point_at(&mut self, what: &str, selector: &str) -> Value {
        let found = self.at_rest(what, selector);
        let event = json!({ "x": found["x"], "y": found["y"], "type": "mouseMoved" });
        self.call("Input.dispatchMouseEvent", &event);
        event
    }

    /// Where the middle of an element is, once a reader can reach it and it stays where it is.
    fn at_rest(&mut self, what: &str, selector: &str) -> Value {
        let target = format!("target({})", json!(selector));
        let deadline = Instant::now() + PATIENCE;
        let (mut found, mut before) = (self.probe(&target), Value::Null);
        while !found["problem"].is_null() || found != before {
            let late = Instant::now() > deadline;
            assert!(!late, "{what}: cannot reach {selector}: {found}");
            // `content-visibility`: in one frame the browser sees what has come near, in the next it
            // gives it its size, and moves what lies below.
            self.let_the_page_work();
            self.let_the_page_work();
            before = std::mem::replace(&mut found, self.probe(&target));
        }
        found
    }

    /// Presses and releases a key, by its name in the DOM: `Tab`, `Enter`, `s`, …
    pub fn press(&mut self, key: &str) {
        self.press_with(key, 0);
    }

    /// The same while Shift is held.
    pub fn press_shifted(&mut self, key: &str) {
        self.press_with(key, 8);
    }

    fn press_with(&mut self, key: &str, modifiers: u8) {
        let (code, number, text) = match key {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            "Escape" => ("Escape", 27, ""),
            " " => ("Space", 32, " "),
            "End" => ("End", 35, ""),
            "Home" => ("Home", 36, ""),
            "ArrowLeft" => ("ArrowLeft", 37, ""),
            "ArrowRight" => ("ArrowRight", 39, ""),
            "ArrowUp" => ("ArrowUp", 38, ""),
            "ArrowDown" => ("ArrowDown", 40, ""),
            other => ("", 0, other),
        };
        let mut event = json!({
            "type": "keyDown", "key": key, "code": code, "windowsVirtualKeyCode": number,
            "modifiers": modifiers,
        });
        if !text.is_empty() {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", &event);
        event["type"] = json!("keyUp");
        event["text"] = json!("");
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// Presses a key for each character.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.press(&character.to_string());
        }
    }

    /// Presses Tab until the focus is where it should be.
    pub fn tab_to(&mut self, what: &str, selector: &str) {
        let there = format!("focused({})", json!(selector));
        for _ in 0..400 {
            self.press("Tab");
            if self.probe(&there) == true {
                return;
            }
        }
        panic!("{what}: Tab never reaches {selector}");
    }

    /// Chooses a theme as a reader does, in mdBook's own menu.
    pub fn choose_theme(&mut self, what: &str, theme: &str) {
        self.evaluate("scrollTo(0, 0)"); // the menu bar hides while one scrolls down
        self.click(what, "#mdbook-theme-toggle");
        self.click(what, &format!("#mdbook-theme-{theme}"));
        self.wait(
            what,
            &format!("document.documentElement.classList.contains('{theme}')"),
        );
        self.press("Escape");
        self.settle(what);
    }

    /// Scrolls to every drawing that comes when it is about to be seen, and back to the top; how many
    /// there were.
    pub fn see_drawings(&mut self, what: &str) -> u64 {
        let all = "document.querySelectorAll('main svg[data-drawing]')";
        let count = self.evaluate(&format!("{all}.length")).as_u64().unwrap();
        for i in 0..count {
            let one = format!("{all}[{i}]");
            self.evaluate(&format!(
                "{one}.closest('figure').scrollIntoView({{ behavior: 'instant' }})"
            ));
            self.wait(what, &format!("!{one}.matches(':empty')"));
        }
        self.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
        count
    }

    /// Waits for the end of every transition.
    pub fn settle(&mut self, what: &str) {
        self.wait(
            what,
            "document.getAnimations().every(animation => animation.playState !== 'running')",
        );
    }

    /// Photographs what is above the fold into `NAME.png`.
    pub fn photograph_top(&mut self, folder: &Path, name: &str) {
        fs::create_dir_all(folder).expect("a writable target folder");
        self.evaluate("document.activeElement.blur(); scrollTo(0, 0)");
        let away = json!({ "type": "mouseMoved", "x": 2, "y": 2 });
        self.call("Input.dispatchMouseEvent", &away);
        self.settle(name);
        self.capture(&folder.join(format!("{name}.png")), &json!({}));
    }

    /// Photographs what is to be seen where the page stands.
    pub fn photograph_here(&mut self, folder: &Path, name: &str) {
        fs::create_dir_all(folder).expect("a writable target folder");
        self.settle(name);
        self.capture(&folder.join(format!("{name}.png")), &json!({}));
    }

    /// As [`Tab::photograph_top`], and the whole page into `NAME-full-1.png`, `NAME-full-2.png`…
    pub fn photograph(&mut self, folder: &Path, name: &str) {
        self.see_drawings(name);
        self.photograph_top(folder, name);
        let size = self.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollHeight]",
        );
        let (width, height) = (size[0].as_u64().unwrap(), size[1].as_u64().unwrap());
        for part in 0..height.div_ceil(PART) {
            let (x, y) = (0, part * PART);
            let height = PART.min(height - y);
            let clip =
                json!({ "x": x, "y": y, "width": width, "height": height, "scale": 1 });
            let params = json!({ "clip": clip, "captureBeyondViewport": true });
            self.capture(
                &folder.join(format!("{name}-full-{}.png", part + 1)),
                &params,
            );
        }
    }

    fn capture(&mut self, file: &Path, params: &Value) {
        let image = self.call("Page.captureScreenshot", params);
        let data = image["data"].as_str().expect("an image");
        let png = BASE64_STANDARD.decode(data).expect("base64");
        fs::write(file, png).expect("a writable target folder");
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        chromium::close(&self.context);
    }
}
