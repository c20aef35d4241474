//! `cargo book exercises` on a copy of the book whose exercises are solved, or wrong, or do not
//! compile: what it says comes from cargo and the tests, as a reader's does.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

const FILE: &str = "chapters-code/exercises/src/ch01.rs";

const SOFTMAX: &str = "let mut weights = scores.clone();
    for mut row in weights.rows_mut() {
        let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        if largest.is_finite() {
            row.mapv_inplace(|score| (score - largest).exp());
            let sum = row.sum();
            row /= sum;
        } else {
            row.fill(0.0);
        }
    }
    weights";

/// Without the row's maximum: it overflows.
const NAIVE: &str = "println!(\"{} rows\", scores.nrows());
    let mut weights = scores.exp();
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    weights";

/// A copy of the book as it was shipped, one test's at a time. Its folder stays from run to run,
/// so that cargo compiles it once.
struct Book {
    root: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

static COPY: Mutex<()> = Mutex::new(());

impl Book {
    fn copy() -> Self {
        let alone = COPY.lock().unwrap_or_else(PoisonError::into_inner);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("practice");
        fs::create_dir_all(&root).unwrap();
        let book = Self { root, _alone: alone };
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for name in [
            "Cargo.toml",
            "Cargo.lock",
            "book.toml",
            "po",
            "src",
            "notebooks",
            "chapters-code",
        ] {
            copy(&from.join(name), &book.root.join(name));
        }
        for name in ["tests", "tools"] {
            copy(&from.join(name), &book.root.join(name));
        }
        let kept = book.root.join("chapters-code/exercises/kept");
        let _ = fs::remove_dir_all(kept); // of the run before
        for number in 1..=6 {
            let reset = book.run(&["reset", &format!("1.{number}")]); // a reader may solve them
            assert!(reset.status.success(), "{}", said(&reset));
        }
        let _ = fs::remove_dir_all(book.root.join("chapters-code/exercises/kept"));
        book
    }

    fn read(&self) -> String {
        fs::read_to_string(self.root.join(FILE)).unwrap()
    }

    /// Saves as editors do: a new file takes the old one's place.
    fn save(&self, text: &str) {
        let path = self.root.join(FILE);
        let new = path.with_extension("rs~");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    /// Puts code in the place of an exercise's `todo!`, which is gone with it.
    fn answer(&self, number: usize, code: &str) {
        let text = self.read();
        let start = text.find(&format!("todo!(\"exercise {number}:")).expect("a stub");
        let end = start + text[start..].find('\n').unwrap();
        self.save(&[&text[..start], code, &text[end..]].concat());
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-book"));
        command
            .args(["exercises", "--lang", "en"])
            .args(options)
            .current_dir(&self.root)
            // Its own: cargo names a member's artifacts by its path in the workspace, so a copy's
            // would take the place of this workspace's, and what is linked to those would be stale.
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, options: &[&str]) -> Output {
        self.command(options).output().unwrap()
    }

    /// What a command that succeeds writes.
    fn says(&self, options: &[&str]) -> String {
        let output = self.run(options);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// Copies what is another, so that cargo sees no change where there is none; a folder's target
/// and what else is in it stays.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            if name != "target" {
                copy(&from.join(&name), &to.join(&name));
            }
        }
        return;
    }
    let bytes = fs::read(from).unwrap();
    if fs::read(to).ok().as_deref() != Some(&bytes) {
        fs::write(to, bytes).unwrap();
    }
}

/// Solved, wrong and open ones; one that does not compile; hints, a solution, and back.
#[test]
fn states_come_from_the_tests_and_the_message_that_matters_is_the_only_one() {
    let book = Book::copy();
    let shipped = book.read();
    let list = book.says(&["list"]);
    assert!(list.contains("  1  Self-attention, from scratch"), "{list}");
    assert!(list.contains("□ 1.1  Softmax "), "{list}");
    assert!(list.contains("\n0 of "), "{list}");
    assert!(book.says(&["next"]).starts_with("1.1 Softmax\n"), "what is first");

    book.answer(1, NAIVE);
    book.answer(4, "(0.0, 0.0)");
    let list = book.says(&["list"]);
    assert!(list.contains("◪□□◪□□"), "{list}");
    let next = book.says(&["next"]);
    assert!(next.starts_with("✗ not yet  1.1 Softmax"), "{next}");
    assert!(next.contains("the test says:\n\n    "), "{next}");
    assert!(next.contains("exp overflows from 710 on"), "{next}");
    assert!(
        next.contains("stopped at chapters-code/exercises/tests/checks/ch01.rs:"),
        "{next}"
    );
    assert!(next.contains("your code printed:\n\n    2 rows\n    1 rows"), "{next}");
    assert!(next.contains(&format!("{FILE}:")), "{next}");
    for noise in
        ["panicked", "RUST_BACKTRACE", "running 1 test", "variance of 1, 3, 5, 7"]
    {
        assert!(!next.contains(noise), "{noise} in {next}");
    }

    let hint = book.says(&["hint"]); // of the one in work
    assert!(hint.starts_with("1.1 Softmax\n\nThe tests use scores"), "{hint}");
    let hints = book.says(&["hint", "1.1", "--more"]);
    assert_eq!(book.says(&["hint", "1", "--more"]), hints, "of the chapter in work");
    assert!(hints.len() > hint.len() && hints.contains("rows_mut"), "{hints}");
    let solution = book.says(&["solution", "1.4"]);
    assert!(solution.contains("pub fn score_variances("), "{solution}");
    assert!(
        !solution.contains("pub fn softmax("),
        "only what was asked for: {solution}"
    );

    book.save(&book.read().replace("(0.0, 0.0)", "(0.0, \"0\")"));
    let next = book.says(&["next"]);
    assert!(next.starts_with("✗ does not compile  1.4 "), "{next}");
    assert!(next.contains("error[E0308]: mismatched types"), "{next}");
    assert!(!next.contains("\"reason\""), "no JSON: {next}");

    book.save(
        &book.read().replace("\"0\"", "0.0").replace("], d_k: usize)", "], d_k: f64)"),
    );
    let next = book.says(&["next"]);
    assert!(next.starts_with("✗ does not compile  1.4 "), "{next}");
    let signature =
        "    pub fn score_variances(dots: &[f64], d_k: usize) -> (f64, f64)\n";
    assert!(next.contains(signature), "{next}");
    assert!(!next.contains("tests!"), "macros that no reader wrote: {next}");

    let before = book.read();
    let reset = book.says(&["reset", "1.4"]);
    let kept = reset.trim_end().rsplit(' ').next().unwrap();
    let kept = fs::read_to_string(book.root.join(kept)).unwrap();
    assert!(before.contains(&kept) && kept.contains("(0.0, 0.0)"), "{reset}");
    book.says(&["reset", "1.1"]);
    assert_eq!(book.read(), shipped);
    assert!(book.says(&["reset", "1.1"]).contains("nothing has changed"));

    let unknown = book.run(&["hint", "9.9"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown).contains("no exercise \"9.9\": they are called 1.1 to A"));
}

/// From the first sight to Ctrl+C: each save gives its verdict, of the exercise that was saved.
#[test]
fn each_save_has_its_verdict() {
    let book = Book::copy();
    let mut child = book.command(&[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut screen = Screen(BufReader::new(child.stdout.take().unwrap()));
    let first = screen.next();
    assert!(first.contains("□□□□□□") && first.contains("1.1 Softmax"), "{first}");

    book.answer(1, NAIVE);
    let wrong = screen.next();
    assert!(wrong.contains("✗ not yet  1.1") && wrong.contains("overflows"), "{wrong}");
    book.save(&book.read().replace(NAIVE, SOFTMAX));
    let solved = screen.next();
    assert!(solved.contains("✓ solved  1.1 Softmax"), "{solved}");
    assert!(solved.contains("■□□□□□") && solved.contains("next: 1.2 "), "{solved}");
    book.answer(6, "rows.clone()"); // not the next one, but where the reader went
    let other = screen.next();
    assert!(other.contains("✗ not yet  1.6"), "{other}");
    book.save(&book.read().replace("rows.clone()", "loop {}"));
    // Twice in a moment: one verdict, of what is there now.
    book.save(&book.read().replace("loop {}", "rows.clone() // again"));
    let last = screen.next();
    assert!(last.contains("✗ not yet  1.6"), "{last}");

    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    let rest = screen.rest();
    assert!(rest.contains("See you: 1 of "), "{rest}");
    assert!(child.wait().unwrap().success());
}

/// What the watch writes.
struct Screen(BufReader<ChildStdout>);

impl Screen {
    /// Up to the words with which it waits for the next save.
    fn next(&mut self) -> String {
        let mut text = String::new();
        while !text.ends_with("Ctrl+C ends.\n") {
            assert!(self.0.read_line(&mut text).unwrap() > 0, "it ended:\n{text}");
        }
        text
    }

    fn rest(&mut self) -> String {
        let mut text = String::new();
        while self.0.read_line(&mut text).unwrap() > 0 {}
        text
    }
}
