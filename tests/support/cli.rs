//! A chapter's program under test: `#[path = "../../../tests/support/cli.rs"] mod cli;`
//! in the chapter's own `tests/`, which knows the program's name.
#![allow(dead_code, missing_docs, reason = "each chapter uses its part")]

use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The path of a chapter's program.
#[derive(Debug, Clone, Copy)]
pub struct Program(pub &'static str);

impl Program {
    /// The program with arguments, and with nobody's models and nobody's token.
    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0);
        let nobodys = concat!(env!("CARGO_TARGET_TMPDIR"), "/nobodys-hub");
        command.args(arguments).env("HF_HOME", nobodys).env("HF_HUB_OFFLINE", "1");
        command
    }

    pub fn run(self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// What it prints to standard output.
    #[track_caller]
    pub fn text(self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// What it prints with `--json`.
    #[track_caller]
    pub fn json(self, arguments: &[&str]) -> Value {
        let text = self.text(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).expect("one JSON value")
    }

    /// Asserts that it prints nothing but an error, with exit code `code` and all of
    /// `parts`; gives the error.
    #[track_caller]
    pub fn assert_refused(
        self,
        arguments: &[&str],
        code: i32,
        parts: &[&str],
    ) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(output.stdout.is_empty(), "it printed a result");
        assert!(error.starts_with("error: "), "{error}");
        assert!(!error.contains("panicked"), "{error}");
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
        error.into_owned()
    }

    /// Asserts that a reader that leaves before anything is printed is no error.
    #[track_caller]
    pub fn assert_minds_no_closed_output(self, arguments: &[&str]) {
        let mut command = self.command(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }
}
