//! The judge: cargo compiles an exercise's tests, and the tests say what an answer is worth.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use book::exercises::{Exercise, FOLDER};
use book::workspace::Workspace;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// How long an answer may take: the slowest solution takes a tenth of a second.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What cargo made.
#[derive(Debug)]
pub enum Built {
    /// The tests' programs, by the chapters' short names.
    Programs(BTreeMap<String, PathBuf>),
    /// The compiler's first error.
    Refused(Refusal),
}

/// Why an answer does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The compiler's first error, as it writes it for people.
    pub text: String,
    /// How many errors follow it.
    pub more: usize,
    /// The file, relative to the root, and the line that it is at.
    pub place: Option<(PathBuf, usize)>,
}

impl Refusal {
    /// Whether it is a test that does not compile: it calls the function as it was shipped.
    #[must_use]
    pub fn is_in_tests(&self) -> bool {
        let tests = Path::new(FOLDER).join("tests");
        self.place.as_ref().is_some_and(|(file, _)| file.starts_with(tests))
    }
}

/// What an exercise's test says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Solved,
    /// It meets a `todo!`.
    Open,
    /// It fails.
    Wrong(Wrong),
    /// It is still running after [`LIMIT`].
    Endless,
}

/// How a test fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wrong {
    /// What the check says, or the panic.
    pub message: String,
    /// `file:line`, relative to the root, of what stopped.
    pub place: String,
    /// What the answer printed before.
    pub printed: String,
}

/// Compiles the tests of some chapters; `see` is told of each crate on the way.
///
/// # Errors
///
/// If cargo can't be started, or fails for another reason than the exercises' code.
pub async fn build(
    workspace: &Workspace,
    chapters: &[&str],
    see: impl FnMut(&str),
) -> Result<Built> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ansi = if console::colors_enabled() { "-diagnostic-rendered-ansi" } else { "" };
    let mut command = Command::new(cargo);
    command
        .args(["test", "--no-run", "--package", "exercises"])
        // With the features of `cargo test` and `cargo book`: what they compiled is there.
        .args(["--package", "book-tests", "--package", "cargo-book"])
        .arg(format!("--message-format=json{ansi}"))
        .args(chapters.iter().flat_map(|chapter| ["--test", chapter]))
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let (mut out, mut errors) = (String::new(), Vec::new());
    let stdout = child.stdout.take().context("cargo has no output")?;
    let stderr = child.stderr.take().context("cargo has no output")?;
    let mut stdout = BufReader::new(stdout);
    tokio::try_join!(stdout.read_to_string(&mut out), follow(stderr, &mut errors, see))
        .context("cannot follow what cargo says")?;
    let status = child.wait().await?;
    let messages = out.lines().filter_map(|line| serde_json::from_str(line).ok());
    let messages: Vec<Value> = messages.collect();
    if status.success() {
        return Ok(Built::Programs(programs(&messages)));
    }
    let Some(refusal) = refusal(&messages) else {
        bail!("cargo compiles no test: {}", errors.join("\n").trim());
    };
    Ok(Built::Refused(refusal))
}

/// Cargo's own lines: those that say what compiles are passed on, the others kept.
async fn follow(
    stderr: impl tokio::io::AsyncRead + Unpin,
    kept: &mut Vec<String>,
    mut see: impl FnMut(&str),
) -> std::io::Result<usize> {
    let mut lines = BufReader::new(stderr).lines();
    while let Some(line) = lines.next_line().await? {
        match line.trim_start().strip_prefix("Compiling ") {
            Some(name) => see(name.split(' ').next().unwrap_or_default()),
            None => kept.push(line),
        }
    }
    Ok(kept.len())
}

fn programs(messages: &[Value]) -> BTreeMap<String, PathBuf> {
    let tests =
        messages.iter().filter(|message| message["target"]["kind"][0] == "test");
    let named = tests.filter_map(|message| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, message["executable"].as_str()?.into()))
    });
    named.collect()
}

/// The first error among cargo's messages.
fn refusal(messages: &[Value]) -> Option<Refusal> {
    let errors = messages
        .iter()
        .filter(|message| message["reason"] == "compiler-message")
        .map(|message| &message["message"])
        // The last of a crate has no place: “aborting due to 2 previous errors”.
        .filter(|error| error["level"] == "error" && is_placed(error));
    let errors: Vec<&Value> = errors.collect();
    let first = errors.first()?;
    let spans = first["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true);
    let place = span.and_then(|span| {
        let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
        Some((span["file_name"].as_str()?.into(), line))
    });
    let text = first["rendered"].as_str()?.trim_end().to_owned();
    Some(Refusal { text, more: errors.len() - 1, place })
}

fn is_placed(error: &Value) -> bool {
    let spans = error["spans"].as_array();
    let linker =
        error["message"].as_str().is_some_and(|text| text.starts_with("linking"));
    linker || spans.is_some_and(|spans| !spans.is_empty())
}

/// Runs an exercise's test. It ends if this is dropped.
///
/// # Errors
///
/// If the program can't be started.
pub async fn run(
    workspace: &Workspace,
    program: &Path,
    exercise: &Exercise,
    limit: Duration,
) -> Result<Verdict> {
    let mut command = Command::new(program);
    command
        .args([&exercise.test, "--exact", "--show-output", "--color=never"])
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUST_LIB_BACKTRACE")
        .current_dir(workspace.root.join(FOLDER))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let Ok(ended) = timeout(limit, command.output()).await else {
        return Ok(Verdict::Endless);
    };
    let ended = ended.with_context(|| format!("cannot run {}", program.display()))?;
    let [out, errors] =
        [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    if ended.status.success() && out.contains("test result: ok. 1 passed;") {
        return Ok(Verdict::Solved);
    }
    let wrong = match said(&out, &exercise.test) {
        Some(said) => wrong(said),
        // It was ended from outside, as by an overflow of the stack.
        None => Wrong {
            message: format!("{}\n{}", errors.trim(), ended.status).trim().to_owned(),
            ..Wrong::default()
        },
    };
    let open = wrong.message.starts_with("not yet implemented");
    Ok(if open { Verdict::Open } else { Verdict::Wrong(wrong) })
}

/// What a test said, out of what its program writes.
fn said<'a>(out: &'a str, test: &str) -> Option<&'a str> {
    let (_, said) = out.split_once(&format!("---- {test} stdout ----\n"))?;
    let end = said.rfind(&format!("\nfailures:\n    {test}\n"))?;
    Some(&said[..end])
}

/// A panic, out of what a test said.
fn wrong(said: &str) -> Wrong {
    let lines: Vec<&str> = said.lines().collect();
    let panic = lines.iter().position(|line| panicked_at(line).is_some());
    let (printed, rest) = lines.split_at(panic.unwrap_or(0));
    let place = rest.first().and_then(|line| panicked_at(line)).unwrap_or_default();
    let message = rest
        .iter()
        .skip(usize::from(panic.is_some()))
        .take_while(|line| !line.starts_with("note: run with `RUST_BACKTRACE"));
    Wrong {
        message: message.copied().collect::<Vec<_>>().join("\n").trim().to_owned(),
        // without the column
        place: place.split(':').take(2).collect::<Vec<_>>().join(":"),
        printed: printed.join("\n").trim().to_owned(),
    }
}

/// Where a thread panicked, if the line says so: `file:line:column`.
fn panicked_at(line: &str) -> Option<&str> {
    let (_, place) = line.strip_prefix("thread '")?.split_once(" panicked at ")?;
    Some(place.trim_end_matches(':'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OUT: &str = "\nrunning 1 test\ntest ch01_1_softmax ... FAILED\n\nfailures:\n\n\
        ---- ch01_1_softmax stdout ----\nx = 3\n\n\
        thread 'ch01_1_softmax' (812) panicked at chapters-code/exercises/tests/checks/ch01.rs:36:5:\n\
        large scores give [[NaN]]: exp overflows\nfrom 710 on\n\
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\n\
        failures:\n    ch01_1_softmax\n\ntest result: FAILED. 0 passed; 1 failed;\n";

    #[test]
    fn the_message_of_a_panic_stands_alone() {
        let expected = Wrong {
            message: "large scores give [[NaN]]: exp overflows\nfrom 710 on".into(),
            place: "chapters-code/exercises/tests/checks/ch01.rs:36".into(),
            printed: "x = 3".into(),
        };
        let unnumbered = OUT.replace(" (812)", "");
        for out in [OUT, &unnumbered] {
            assert_eq!(wrong(said(out, "ch01_1_softmax").unwrap()), expected);
        }
        assert_eq!(said(OUT, "ch01_2_previous_word"), None);
    }

    #[test]
    fn of_several_errors_the_first_is_shown_and_warnings_are_not() {
        let message = |level: &str, text: &str, line: u64| {
            let span =
                json!({"is_primary": true, "file_name": "a.rs", "line_start": line});
            let spans = if line == 0 { json!([]) } else { json!([span]) };
            let said = json!({
                "level": level, "message": text, "rendered": format!("{text}\n"), "spans": spans,
            });
            json!({"reason": "compiler-message", "message": said})
        };
        let messages = [
            message("warning", "unused", 3),
            message("error", "mismatched types", 7),
            message("error", "no such name", 9),
            message("error", "aborting due to 2 previous errors", 0),
        ];
        let first = refusal(&messages).unwrap();
        assert_eq!(first.text, "mismatched types");
        assert_eq!(first.place, Some(("a.rs".into(), 7)));
        assert_eq!(first.more, 1);
        assert_eq!(refusal(&messages[..1]), None);
    }
}
