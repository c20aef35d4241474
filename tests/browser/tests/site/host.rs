//! A static host, as plain as there are: the site's files in a folder of its own, and faults where a
//! test wants one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::server;

/// What befalls files whose path ends so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It isn't there.
    Missing,
    /// The connection ends in its middle.
    Cut,
    /// One byte is another.
    Damaged,
}

type Faults = Arc<Mutex<Vec<(&'static str, Fault)>>>;

/// A host that answers until the tests end.
pub struct Host {
    /// `http://host:port/FOLDER/`
    pub address: String,
    faults: Faults,
}

impl Host {
    /// Serves the site under a folder's name: `""`, or `"book/"`.
    pub fn start(folder: &'static str) -> Self {
        server::address(); // the site is built
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}/{folder}", listener.local_addr().unwrap());
        let faults = Faults::default();
        let known = Arc::clone(&faults);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let faults =
                    known.lock().unwrap_or_else(PoisonError::into_inner).clone();
                thread::spawn(move || answer(stream, folder, &faults));
            }
        });
        Self { address, faults }
    }

    /// From now on, these faults and no others.
    pub fn set(&self, faults: &[(&'static str, Fault)]) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults.to_vec();
    }
}

/// Answers one request. A browser that has gone away is no fault.
fn answer(mut stream: TcpStream, folder: &str, faults: &[(&str, Fault)]) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let path = path.trim_start_matches('/');
    let fault =
        faults.iter().find(|(end, _)| path.ends_with(end)).map(|(_, fault)| *fault);
    let file = path.strip_prefix(folder).map(file);
    let found = file.and_then(|file| Some((kind(&file), fs::read(file).ok()?)));
    let (Some((kind, mut bytes)), true) = (found, fault != Some(Fault::Missing)) else {
        let _ = write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        return;
    };
    let length = bytes.len();
    match fault {
        Some(Fault::Cut) => bytes.truncate(length / 2),
        Some(Fault::Damaged) => bytes[length / 2] ^= 1,
        _ => {}
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes));
}

fn file(path: &str) -> PathBuf {
    let path = if path.is_empty() || path.ends_with('/') {
        format!("{path}index.html")
    } else {
        path.to_owned()
    };
    server::file(&format!("{}{path}", server::address()))
}

fn kind(file: &std::path::Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
