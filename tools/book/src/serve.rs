//! The local server: the site on loopback, rebuilt and reloaded when a source changes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tower_http::services::{ServeDir, ServeFile};
use walkdir::WalkDir;

use crate::build::{self, BuildOptions, LIVE_RELOAD};
use crate::say;
use crate::workspace::Workspace;

/// The sources whose changes rebuild the book, relative to the root.
const WATCHED: [&str; 8] = [
    "book.toml",
    "Cargo.toml",
    "src",
    "po",
    "theme",
    "chapters-code",
    "live",
    "notebooks",
];

/// How long it must be quiet after a change (a save in an editor is a burst of them).
const BURST: Duration = Duration::from_millis(200);

/// Builds the book and serves it on loopback until interrupted.
///
/// # Errors
///
/// If the first build fails, or the port is taken.
pub async fn serve(workspace: Workspace, port: u16, open: bool) -> Result<()> {
    let listener = bind(port).await?;
    let options =
        BuildOptions { live: true, allow_stale: true, ..BuildOptions::default() };
    // Before the build: what is saved meanwhile counts.
    let sources = Sources::follow(&workspace.root, &WATCHED, BURST);
    let site = build::site(&workspace, options)?;
    let (reload, _) = broadcast::channel::<()>(16);
    let not_found = ServeFile::new(site.join("404.html"));
    let files = ServeDir::new(&site).not_found_service(not_found);
    let app = Router::new()
        .route(&format!("/{LIVE_RELOAD}"), get(live_reload))
        .fallback_service(files)
        .with_state(reload.clone());
    let address = format!("http://{}/", listener.local_addr()?);
    say(&format!(
        "the book is at {address}  (English: {address}en/); Ctrl+C stops the server"
    ))?;
    if open && let Err(error) = opener::open_browser(&address) {
        eprintln!("no browser could be opened ({error}): go to {address}");
    }
    tokio::spawn(rebuild_on_change(workspace, options, reload, sources));
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(0); // open live-reload sockets would keep the server up
        })
        .await?;
    Ok(())
}

async fn bind(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot serve at {address}: choose another port with --port (0: any free one)")
    })
}

/// Tells a page to reload when the book has been rebuilt.
async fn live_reload(
    State(reload): State<broadcast::Sender<()>>,
    ws: WebSocketUpgrade,
) -> Response {
    let receiver = reload.subscribe();
    ws.on_upgrade(move |socket| tell(socket, receiver))
}

async fn tell(mut socket: WebSocket, mut reload: broadcast::Receiver<()>) {
    loop {
        tokio::select! {
            rebuilt = reload.recv() => {
                let sent = socket.send(Message::text("reload")).await;
                if rebuilt.is_err() || sent.is_err() {
                    return;
                }
            }
            received = socket.recv() => {
                if !matches!(received, Some(Ok(_))) {
                    return; // the page is gone
                }
            }
        }
    }
}

async fn rebuild_on_change(
    workspace: Workspace,
    options: BuildOptions,
    reload: broadcast::Sender<()>,
    sources: Result<Sources>,
) {
    let follow = async {
        let mut sources = sources?;
        loop {
            sources.changed().await?;
            rebuild(&workspace, options, &reload).await?;
        }
    };
    let ended: Result<()> = follow.await;
    if let Err(error) = ended {
        eprintln!("changes are no longer followed: {error:#}");
    }
}

/// Sources of the book, followed.
pub struct Sources {
    root: PathBuf,
    watched: &'static [&'static str],
    burst: Duration,
    changes: mpsc::UnboundedReceiver<()>,
    /// Whether something has changed that nobody was told of.
    waiting: bool,
    seen: Snapshot,
    /// How many times the folders were walked through.
    pub walks: usize,
    _watcher: RecommendedWatcher,
}

impl Sources {
    /// Follows files and folders below `root`, named relative to it, from now on. A change is
    /// told of once it has been quiet for as long as `burst`.
    ///
    /// # Errors
    ///
    /// If the system watches no more files.
    pub fn follow(
        root: &Path,
        watched: &'static [&'static str],
        burst: Duration,
    ) -> Result<Self> {
        let (changed, changes) = mpsc::unbounded_channel();
        let base = root.to_owned();
        let mut watcher = notify::recommended_watcher(move |event| {
            if matches!(event, Ok(event) if is_change(&base, watched, &event)) {
                let _ = changed.send(());
            }
        })?;
        // Files are watched by their folder: one that takes the place of another, as editors
        // save, would not be seen.
        watcher.watch(root, RecursiveMode::NonRecursive)?;
        for folder in watched.iter().map(|name| root.join(name)) {
            if folder.is_dir() {
                watcher.watch(&folder, RecursiveMode::Recursive)?;
            }
        }
        let (root, seen) = (root.to_owned(), snapshot(root, watched));
        let (waiting, walks) = (false, 1);
        Ok(Self {
            root,
            watched,
            burst,
            changes,
            waiting,
            seen,
            walks,
            _watcher: watcher,
        })
    }

    /// Waits until a source is another than when this was last asked. A wait that is given up
    /// loses no change.
    ///
    /// # Errors
    ///
    /// If the watcher is gone.
    pub async fn changed(&mut self) -> Result<()> {
        loop {
            if !self.waiting {
                self.changes.recv().await.context("the watcher is gone")?;
                self.waiting = true;
            }
            while let Ok(Some(())) = timeout(self.burst, self.changes.recv()).await {}
            self.waiting = false;
            self.walks += 1;
            let now = snapshot(&self.root, self.watched);
            if now != self.seen {
                self.seen = now;
                return Ok(());
            }
        }
    }
}

/// Whether an event may have changed a source. That one is read is no change: the build and
/// the walk through the folders, too, read all of them.
fn is_change(root: &Path, watched: &[&str], event: &Event) -> bool {
    let is_watched = |path: &PathBuf| {
        let path = path.strip_prefix(root).unwrap_or(path);
        watched.iter().any(|name| path.starts_with(name)) && is_source(path)
    };
    let is_read = matches!(event.kind, EventKind::Access(_));
    event.need_rescan() || (!is_read && event.paths.iter().any(is_watched))
}

async fn rebuild(
    workspace: &Workspace,
    options: BuildOptions,
    reload: &broadcast::Sender<()>,
) -> Result<()> {
    let root = workspace.root.clone();
    let build = move || build::site(&Workspace::at(&root)?, options);
    match tokio::task::spawn_blocking(build).await? {
        Ok(_) => {
            say("rebuilt")?;
            let _ = reload.send(()); // nobody may be looking
        }
        Err(error) => {
            eprintln!("error: {error:#}\nthe last good build is still served");
        }
    }
    Ok(())
}

type Snapshot = BTreeMap<PathBuf, (SystemTime, u64)>;

/// When each source was last written, and its size.
fn snapshot(root: &Path, watched: &[&str]) -> Snapshot {
    let roots = watched.iter().map(|name| root.join(name));
    let entries = roots.flat_map(WalkDir::new).filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_type().is_file() && is_source(entry.path()))
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some((entry.into_path(), (metadata.modified().ok()?, metadata.len())))
        })
        .collect()
}

/// Whether a change to this file changes the book.
fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let checkpoint = path.iter().any(|part| part == ".ipynb_checkpoints");
    let temporary =
        name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp");
    !checkpoint && !temporary
}

#[cfg(test)]
mod tests {
    use std::fs;

    use notify::event::{AccessKind, AccessMode, DataChange, Flag, ModifyKind};

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);
    const IDLE: Duration = Duration::from_secs(1);

    fn book() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["src/img", "po", "theme", "chapters-code/a/src", "notebooks/en"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for name in
            ["book.toml", "Cargo.toml", "src/a.md", "chapters-code/a/src/lib.rs"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    /// Saves as editors do: a new file takes the old one's place.
    fn save(path: &Path, text: &str) {
        let new = path.with_file_name(".new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    async fn change(sources: &mut Sources) {
        timeout(PATIENCE, sources.changed()).await.expect("in time").unwrap();
    }

    #[tokio::test]
    async fn the_folders_are_not_walked_through_while_nothing_changes() {
        let folder = book();
        let page = folder.path().join("src/a.md");
        let mut sources = Sources::follow(folder.path(), &WATCHED, BURST).unwrap();
        save(&page, "# A");
        change(&mut sources).await;
        assert!(timeout(IDLE, sources.changed()).await.is_err(), "no second change");
        let walks = sources.walks;
        snapshot(folder.path(), &WATCHED); // somebody reads all folders and a page
        fs::read(&page).unwrap();
        assert!(
            timeout(IDLE, sources.changed()).await.is_err(),
            "reading is no change"
        );
        assert_eq!(sources.walks, walks);
    }

    #[tokio::test]
    async fn a_file_that_takes_the_place_of_another_is_seen_every_time() {
        let folder = book();
        let mut sources = Sources::follow(folder.path(), &WATCHED, BURST).unwrap();
        for name in ["book.toml", "Cargo.toml", "src/a.md", "src/new/b.md"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            for text in ["one", "another"] {
                save(&path, text);
                change(&mut sources).await;
            }
        }
    }

    /// A wait may be given up while a save is still a burst: the next one is told of it.
    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_no_change() {
        let folder = book();
        let mut sources =
            Sources::follow(folder.path(), &WATCHED, Duration::from_mins(2)).unwrap();
        save(&folder.path().join("src/a.md"), "# A");
        assert!(timeout(IDLE, sources.changed()).await.is_err(), "it is not quiet yet");
        sources.burst = Duration::ZERO;
        change(&mut sources).await;
    }

    #[test]
    fn only_what_writes_a_source_is_a_change() {
        let root = Path::new("/book");
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        for (kind, name, expected) in [
            (write, "src/a.md", true),
            (write, "notebooks/a.ipynb", true),
            (write, "book.toml", true),
            (read, "src/a.md", false),
            (write, "Cargo.lock", false),
            (write, "target/book/index.html", false),
            (write, "src/.a.md.swp", false),
            (write, "src/a.md~", false),
            (write, "notebooks/.ipynb_checkpoints/a.ipynb", false),
        ] {
            let event = Event::new(kind).add_path(root.join(name));
            assert_eq!(
                is_change(root, &WATCHED, &event),
                expected,
                "{kind:?} of {name}"
            );
        }
        let missed = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(is_change(root, &WATCHED, &missed), "events were lost");
    }
}
