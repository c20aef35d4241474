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
use notify_debouncer_mini::{
    DebounceEventResult, new_debouncer, notify::RecursiveMode,
};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tower_http::services::ServeDir;
use walkdir::WalkDir;

use crate::build::{self, BuildOptions, LIVE_RELOAD};
use crate::say;
use crate::workspace::Workspace;

/// The sources whose changes rebuild the book, relative to the root.
const WATCHED: [&str; 7] =
    ["book.toml", "Cargo.toml", "src", "po", "theme", "chapters-code", "notebooks"];

/// How long a burst of changes (a save in an editor) may last.
const BURST: Duration = Duration::from_millis(200);

/// Builds the book and serves it on loopback until interrupted.
///
/// # Errors
///
/// If the first build fails, or the port is taken.
pub async fn serve(workspace: Workspace, port: u16, open: bool) -> Result<()> {
    let listener = bind(port).await?;
    let options = BuildOptions { live: true, allow_stale: true };
    let seen = snapshot(&workspace); // before the build: what is saved meanwhile counts
    let site = build::site(&workspace, options)?;
    let (reload, _) = broadcast::channel::<()>(16);
    let app = Router::new()
        .route(&format!("/{LIVE_RELOAD}"), get(live_reload))
        .fallback_service(ServeDir::new(&site))
        .with_state(reload.clone());
    let address = format!("http://{}/", listener.local_addr()?);
    say(&format!(
        "the book is at {address}  (English: {address}en/); Ctrl+C stops the server"
    ))?;
    if open && let Err(error) = opener::open_browser(&address) {
        eprintln!("no browser could be opened ({error}): go to {address}");
    }
    tokio::spawn(rebuild_on_change(workspace, options, reload, seen));
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
    seen: Snapshot,
) {
    if let Err(error) = watch(workspace, options, reload, seen).await {
        eprintln!("changes are no longer followed: {error:#}");
    }
}

async fn watch(
    workspace: Workspace,
    options: BuildOptions,
    reload: broadcast::Sender<()>,
    mut seen: Snapshot,
) -> Result<()> {
    let (changed, mut changes) = mpsc::unbounded_channel();
    let mut debouncer = new_debouncer(BURST, move |events: DebounceEventResult| {
        if events.is_ok_and(|events| events.iter().any(|event| is_source(&event.path)))
        {
            let _ = changed.send(());
        }
    })?;
    for name in WATCHED {
        let path = workspace.root.join(name);
        debouncer.watcher().watch(&path, RecursiveMode::Recursive)?;
    }
    loop {
        // The build itself reads the sources, which the watcher reports, too.
        let now = snapshot(&workspace);
        if now != seen {
            seen = now;
            rebuild(&workspace, options, &reload).await?;
        }
        if changes.recv().await.is_none() {
            return Ok(());
        }
        while changes.try_recv().is_ok() {} // one build for all that came meanwhile
    }
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
fn snapshot(workspace: &Workspace) -> Snapshot {
    let roots = WATCHED.iter().map(|name| workspace.root.join(name));
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
