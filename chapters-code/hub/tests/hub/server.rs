//! A Hub on loopback: files of one repository by the Hub's protocol, with faults on demand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use sha2::{Digest, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const NAME: &str = "someone/tiny-bert";

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub token: Option<String>,
}

/// What the server is to do.
#[derive(Default)]
pub struct Plan {
    /// The repository's files.
    pub files: BTreeMap<&'static str, Vec<u8>>,
    /// Bodies sent before a cut, one entry per GET of a large file; then whole ones.
    pub cuts: Vec<usize>,
    /// Answered to everything.
    pub status: Option<u16>,
    /// Instead of a large file's bytes.
    pub body: Option<Vec<u8>>,
    /// Where large files are: this server if `None`.
    pub storage: Option<String>,
    /// The server doesn't know ranges.
    pub no_ranges: bool,
    /// Headers to answer with instead of the Hub's.
    pub etag: Option<String>,
    pub commit: Option<String>,
}

/// A running server; its thread ends with the process.
pub struct Hub {
    pub address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// An answer.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Close the connection after so many bytes.
    cut: Option<usize>,
}

impl Hub {
    pub fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (plan, seen) = (Arc::new(Mutex::new(plan)), Arc::default());
        let hub = Self { address, plan, seen };
        let (plan, seen) = (hub.plan.clone(), hub.seen.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (plan, seen) = (plan.clone(), seen.clone());
                thread::spawn(move || serve(&stream.expect("a client"), &plan, &seen));
            }
        });
        hub
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    /// The requests since the last call.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One request per connection.
fn serve(stream: &TcpStream, plan: &Mutex<Plan>, seen: &Mutex<Vec<Seen>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let mut words = first.split(' ').map(str::to_string);
    let mut request = Seen {
        method: words.next().unwrap(),
        path: words.next().unwrap(),
        range: None,
        token: None,
    };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.to_string()),
            "authorization" => request.token = Some(value.to_string()),
            _ => {}
        }
    }
    seen.lock().unwrap().push(request.clone());
    let reply = answer(&request, &mut plan.lock().unwrap());
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    let _ = write!(head, "Content-Length: {}\r\n", reply.body.len());
    for (name, value) in reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let body = &reply.body[..reply.cut.unwrap_or(reply.body.len())];
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes());
    if request.method == "GET" {
        let _ = stream.write_all(body);
    }
    let _ = stream.shutdown(Shutdown::Write);
}

fn answer(request: &Seen, plan: &mut Plan) -> Reply {
    if let Some(status) = plan.status {
        return Reply::of(status);
    }
    if let Some(hash) = request.path.strip_prefix("/large/") {
        return large(request, plan, hash);
    }
    // A repository that has moved.
    if let Some(rest) = request.path.strip_prefix("/old-name/") {
        return Reply::of(307).with("Location", format!("/{NAME}/{rest}"));
    }
    let commit = plan.commit.clone().unwrap_or_else(|| COMMIT.to_string());
    let Some(rest) = request.path.strip_prefix(&format!("/{NAME}/resolve/")) else {
        return Reply::of(404).with("X-Error-Code", "RepoNotFound".to_string());
    };
    let (revision, file) = rest.split_once('/').unwrap();
    if revision != "main" && revision != commit {
        return Reply::of(404).with("X-Error-Code", "RevisionNotFound".to_string());
    }
    let Some(bytes) = plan.files.get(file) else {
        return Reply::of(404)
            .with("X-Error-Code", "EntryNotFound".to_string())
            .with("X-Repo-Commit", commit);
    };
    let hash = sha256(bytes);
    if file.ends_with(".safetensors") {
        let storage = plan.storage.clone().unwrap_or_default();
        let etag = plan.etag.clone().unwrap_or_else(|| hash.clone());
        return Reply::of(302)
            .with("Location", format!("{storage}/large/{hash}"))
            .with("ETag", "\"of-the-pointer\"".to_string())
            .with("X-Linked-ETag", format!("\"{etag}\""))
            .with("X-Linked-Size", bytes.len().to_string())
            .with("X-Repo-Commit", commit);
    }
    Reply { body: bytes.clone(), ..Reply::of(200) }
        .with("ETag", format!("W/\"{}\"", &hash[..40]))
        .with("X-Repo-Commit", commit)
}

/// A large file's bytes, from a byte on if asked.
fn large(request: &Seen, plan: &mut Plan, hash: &str) -> Reply {
    let known = plan.files.values().find(|bytes| sha256(bytes) == hash).cloned();
    let bytes = plan.body.clone().or(known).unwrap_or_default();
    let is_get = request.method == "GET";
    let cut = (is_get && !plan.cuts.is_empty()).then(|| plan.cuts.remove(0));
    let range = request.range.as_ref().filter(|_| !plan.no_ranges);
    let Some(range) = range else {
        return Reply { body: bytes, cut, ..Reply::of(200) };
    };
    let from: usize =
        range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
    if from >= bytes.len() {
        return Reply::of(416);
    }
    let place = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
    Reply { body: bytes[from..].to_vec(), cut, ..Reply::of(206) }
        .with("Content-Range", place)
}

impl Reply {
    fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}
