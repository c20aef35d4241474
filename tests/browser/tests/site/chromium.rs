//! The browser: one for all tests, headless, with a profile of its own.

use std::env;
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::cdp::Connection;
use crate::leash::{self, Leashed};

const NAMES: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const FLAGS: [&str; 11] = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-default-browser-check",
    "--no-first-run",
];

struct Chromium {
    _process: Leashed,
    connection: Connection,
    /// `ws://host:port`
    address: String,
}

static CHROMIUM: LazyLock<Mutex<Chromium>> = LazyLock::new(|| {
    let profile = env::temp_dir().join(format!("browser-tests-{}", process::id()));
    let profile = profile.to_str().expect("a temporary folder with a UTF-8 name");
    let mut flags: Vec<String> = FLAGS.map(str::to_owned).into();
    flags.push(format!("--user-data-dir={profile}"));
    if is_root() {
        flags.push("--no-sandbox".to_owned()); // the sandbox refuses root
    }
    let ready =
        |line: &str| Some(line.strip_prefix("DevTools listening on ")?.to_owned());
    let patience = Duration::from_mins(1);
    let (process, address) =
        leash::start(find().as_os_str(), &flags, profile, patience, ready);
    let (origin, _) = address.split_once("/devtools").expect("a DevTools address");
    Mutex::new(Chromium {
        connection: Connection::open(&address),
        address: origin.to_owned(),
        _process: process,
    })
});

/// The browser that `CHROME` names, or the first on the PATH.
fn find() -> PathBuf {
    if let Some(path) = env::var_os("CHROME") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "CHROME={}: there is no such file", path.display());
        return path;
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "these tests need Chromium and found none of {NAMES:?} on the PATH: install it \
                 (Debian, Ubuntu: apt-get install chromium) or name it with CHROME=/path/to/it"
            )
        })
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Opens a tab in a new browser context; the connection to it, and the context's name.
pub fn open_tab() -> (Connection, String) {
    let mut chromium = CHROMIUM.lock().unwrap_or_else(PoisonError::into_inner);
    let mut call = |method: &str, params| {
        let answer = chromium.connection.call(method, &params);
        answer.unwrap_or_else(|error| panic!("{error}"))
    };
    let context =
        call("Target.createBrowserContext", json!({}))["browserContextId"].clone();
    let blank = json!({ "url": "about:blank", "browserContextId": context });
    let target = call("Target.createTarget", blank)["targetId"].clone();
    let target = target.as_str().expect("a target's name");
    let address = format!("{}/devtools/page/{target}", chromium.address);
    (Connection::open(&address), context.as_str().expect("a context's name").to_owned())
}

/// Closes a context and its tab.
pub fn close(context: &str) {
    let mut chromium = CHROMIUM.lock().unwrap_or_else(PoisonError::into_inner);
    let context = json!({ "browserContextId": context });
    let _ = chromium.connection.call("Target.disposeBrowserContext", &context);
}
