//! Processes that end with the test, however it ends.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a command until its own standard input closes. The test holds the other end, and the
/// system closes it when the test ends: statics are not dropped, and Ctrl+C drops nothing.
const LEASH: &str = r#"
trap '' INT
"$@" 2>&1 &
child=$!
exec >&-
read -r _
kill "$child"
wait "$child"
tries=0
until rm -rf -- "$SCRATCH" || [ $((tries += 1)) -ge 1000 ]; do :; done # its children end, too
"#;

/// A process that ends with the test.
pub struct Leashed {
    shell: Child, // and the pipe to it
}

impl Drop for Leashed {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Starts a program in the repository's root and waits for a line that `ready` understands. The
/// program may leave things in the folder `scratch`, which is removed at the end.
pub fn start<T>(
    program: &OsStr,
    arguments: &[String],
    scratch: &str,
    patience: Duration,
    ready: impl Fn(&str) -> Option<T>,
) -> (Leashed, T) {
    let shell = Command::new("sh")
        .args(["-c", LEASH, "sh"])
        .arg(program)
        .args(arguments)
        .env("SCRATCH", scratch)
        .current_dir(crate::ROOT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null()) // the shell's own: "terminated"
        .spawn()
        .expect("a POSIX shell");
    let mut leashed = Leashed { shell };
    let output = leashed.shell.stdout.take().expect("a piped output");
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line); // read to the end, so that the program never waits for us
        }
    });
    let deadline = Instant::now() + patience;
    let (program, mut said) = (program.display(), String::new());
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                said.push_str(&line);
                said.push('\n');
                if let Some(found) = ready(&line) {
                    return (leashed, found);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                panic!("{program} was not ready after {patience:?}; it said:\n{said}")
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("{program} ended before it was ready; it said:\n{said}")
            }
        }
    }
}
