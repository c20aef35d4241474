//! A connection that speaks the Chrome DevTools Protocol, as untyped JSON.
//!
//! The typed clients (`headless_chrome`, `chromiumoxide`) silently drop the events of a browser
//! newer than they are, and an event not seen is a failed request not seen.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

/// How long the browser, or a page, may take to do what it should: the machine may be busy, and a
/// view of 512 tokens is megabytes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// One socket: to the browser, or to one of its tabs.
pub struct Connection {
    socket: WebSocket<TcpStream>,
    calls: u64,
    /// What happened, in order: `{"method": …, "params": …}`.
    pub events: Vec<Value>,
}

impl Connection {
    /// Connects to `ws://host:port/…`.
    pub fn open(address: &str) -> Self {
        let host = address.split('/').nth(2).expect("a ws:// address");
        let stream = TcpStream::connect(host).expect("the browser listens");
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default()
            .max_frame_size(None) // screenshots
            .max_message_size(None);
        let (socket, _) =
            tungstenite::client::client_with_config(address, stream, Some(config))
                .expect("the browser speaks WebSocket");
        Self { socket, calls: 0, events: Vec::new() }
    }

    /// Calls a method and waits for its result; the error is the browser's own words.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        self.calls += 1;
        let id = self.calls;
        let call = json!({ "id": id, "method": method, "params": params });
        self.socket
            .send(Message::text(call.to_string()))
            .expect("the browser is there");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let Some(mut message) = self.receive(PATIENCE) else {
                continue;
            };
            if message["id"] != id {
                self.events.push(message);
            } else if message["error"].is_object() {
                return Err(format!("{method}: {}", message["error"]["message"]));
            } else {
                return Ok(message["result"].take());
            }
        }
        Err(format!("{method}: no answer in {PATIENCE:?}"))
    }

    /// Lets events come in until one is as wanted, or it takes too long.
    pub fn wait(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> bool {
        let deadline = Instant::now() + patience;
        let mut seen = 0;
        loop {
            if self.events[seen..].iter().any(&wanted) {
                return true;
            }
            seen = self.events.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            if let Some(event) = self.receive(left) {
                self.events.push(event);
            }
        }
    }

    fn receive(&mut self, patience: Duration) -> Option<Value> {
        let stream = self.socket.get_mut();
        stream.set_read_timeout(Some(patience)).expect("a positive time");
        match self.socket.read() {
            Ok(Message::Text(text)) => Some(serde_json::from_str(&text).expect("JSON")),
            Ok(_) => None,
            Err(Error::Io(error))
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock
                        | ErrorKind::TimedOut
                        | ErrorKind::Interrupted // the test was stopped, and goes on
                ) =>
            {
                None
            }
            Err(error) => panic!("the browser went away: {error}"),
        }
    }
}
