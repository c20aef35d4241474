//! Other programs: what they say while they run.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How many lines of a program's output are kept, to explain a failure.
const KEPT: usize = 400;

/// What a program wrote, line by line, and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Its last lines, of standard output and standard error together.
    pub lines: Vec<String>,
}

/// Runs a program to its end with nothing to read. Each line that it writes goes to `see`
/// and to the file `log`; the program dies if this future is dropped.
///
/// # Errors
///
/// If the program can't be started, or the log can't be written.
pub async fn watch(
    command: &mut Command,
    log: &Path,
    see: impl FnMut(&str),
) -> Result<Ended> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let file =
        File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let sink = RefCell::new(Sink { file, lines: Vec::new(), see });
    tokio::try_join!(
        pump(child.stdout.take(), &sink),
        pump(child.stderr.take(), &sink)
    )
    .with_context(|| format!("cannot follow what {name} says"))?;
    let status = child.wait().await?;
    Ok(Ended { status, lines: sink.into_inner().lines })
}

/// Where lines go.
struct Sink<F> {
    file: File,
    lines: Vec<String>,
    see: F,
}

impl<F: FnMut(&str)> Sink<F> {
    fn take(&mut self, line: String) -> io::Result<()> {
        writeln!(self.file, "{line}")?;
        (self.see)(&line);
        if self.lines.len() == KEPT {
            self.lines.remove(0);
        }
        self.lines.push(line);
        Ok(())
    }
}

async fn pump<F: FnMut(&str)>(
    source: Option<impl AsyncRead + Unpin>,
    sink: &RefCell<Sink<F>>,
) -> io::Result<()> {
    let Some(mut source) = source else {
        return Ok(());
    };
    let (mut buffer, mut cut) = ([0; 4096], Cutter::default());
    loop {
        let count = source.read(&mut buffer).await?;
        let lines = if count == 0 { cut.rest() } else { cut.push(&buffer[..count]) };
        for line in lines {
            sink.borrow_mut().take(line)?;
        }
        if count == 0 {
            return Ok(());
        }
    }
}

/// Cuts bytes into lines. A carriage return, by which a progress bar is drawn over, ends
/// a line, too; blank lines are left out.
#[derive(Default)]
struct Cutter {
    pending: Vec<u8>,
}

impl Cutter {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' || byte == b'\r' {
                lines.extend(self.rest());
            } else {
                self.pending.push(byte);
            }
        }
        lines
    }

    fn rest(&mut self) -> Vec<String> {
        let bytes = std::mem::take(&mut self.pending);
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if line.is_empty() { Vec::new() } else { vec![line] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_either_return_wherever_the_pieces_end() {
        let mut cut = Cutter::default();
        assert_eq!(cut.push(b"   Compi"), Vec::<String>::new());
        assert_eq!(
            cut.push(b"ling a v1\n  Building 1/2\r\r\nCaf\xc3"),
            ["   Compiling a v1", "  Building 1/2"]
        );
        assert_eq!(cut.push(b"\xa9"), Vec::<String>::new());
        assert_eq!(cut.rest(), ["Café"]);
        assert_eq!(cut.rest(), Vec::<String>::new());
    }
}
