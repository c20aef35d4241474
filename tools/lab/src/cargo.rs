//! Cargo at work: what it says while it compiles, and why it fails.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Result, ensure};
use regex::Regex;
use tokio::process::Command;

use crate::step::Step;
use crate::watch::{self, Ended};

/// The cargo that runs this tool, or the one on the `PATH`.
pub fn program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Runs cargo to its end, the step's line moving with what it compiles; gives the step back.
///
/// # Errors
///
/// If cargo fails: its first error, and what may help (`space`: what it needs on the disk).
pub async fn follow(
    mut command: Command,
    mut step: Step,
    log: &Path,
    space: &str,
) -> Result<Step> {
    command
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100");
    let mut compiled = 0;
    let ended = watch::watch(&mut command, log, |line| {
        let _ = match Said::of(line) {
            Said::Progress { done, of, what } => step.advance(done, of, what),
            Said::Compiling(_) => {
                compiled += 1;
                step.tell(&format!("{compiled} crates begun"));
                Ok(())
            }
            Said::Other => {
                step.tell(line.trim());
                Ok(())
            }
        };
    });
    let ended = ended.await?;
    ensure!(ended.status.success(), "{}", failure(&command, &ended, log, space));
    Ok(step)
}

/// Why cargo failed, in one line, and what may help.
fn failure(command: &Command, ended: &Ended, log: &Path, space: &str) -> String {
    let what = command.as_std().get_args().next().unwrap_or_default().to_string_lossy();
    let mut lines = ended.lines.iter().map(|line| line.trim());
    let cause = lines.find(|line| line.starts_with("error"));
    let cause = cause.map_or_else(|| ended.status.to_string(), str::to_owned);
    let all = ended.lines.join("\n");
    let has = |words: &[&str]| words.iter().any(|word| all.contains(word));
    let remedy = if has(&["linker `", "linking with", "failed to find tool"]) {
        format!("install a C compiler ({}), then run this again", super::c_compiler())
    } else if has(&[
        "failed to download",
        "spurious network",
        "Could not",
        "download of",
    ]) {
        "is the network up? Then run this again".to_owned()
    } else if has(&["No space left", "os error 28"]) {
        format!("it needs about {space} of free space; then run this again")
    } else {
        "run this again; what is compiled is kept".to_owned()
    };
    format!("`cargo {what}` failed: {cause}: {remedy} (all it said: {})", log.display())
}

/// A line of cargo's.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    /// `Building [==>   ] 12/310: serde, syn`: what is done, of what, and what is under way.
    Progress { done: u64, of: u64, what: &'a str },
    /// `Compiling serde v1.0.0`.
    Compiling(&'a str),
    /// Anything else.
    Other,
}

static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*Building \[[=> ]*\] (\d+)/(\d+)(?:: (.*))?$")
        .expect("the pattern is valid")
});

impl<'a> Said<'a> {
    fn of(line: &'a str) -> Self {
        if let Some(found) = PROGRESS.captures(line)
            && let (Ok(done), Ok(of)) = (found[1].parse(), found[2].parse())
        {
            let what = found.get(3).map_or("", |what| what.as_str());
            return Said::Progress { done, of, what };
        }
        match line.trim_start().strip_prefix("Compiling ") {
            Some(name) => Said::Compiling(name),
            None => Said::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_progress_is_read() {
        assert_eq!(
            Said::of("    Building [========>          ] 12/310: serde, syn(build)"),
            Said::Progress { done: 12, of: 310, what: "serde, syn(build)" }
        );
        assert_eq!(
            Said::of("    Building [=================>] 310/310"),
            Said::Progress { done: 310, of: 310, what: "" }
        );
        assert_eq!(
            Said::of("   Compiling serde v1.0.2"),
            Said::Compiling("serde v1.0.2")
        );
        for other in ["    Updating crates.io index", "Building [=> ] x/3: a", ""] {
            assert_eq!(Said::of(other), Said::Other, "{other}");
        }
    }
}
