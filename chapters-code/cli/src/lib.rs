//! What the command lines share: printing to a reader that may leave, and the program's end.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::process::ExitCode;

use serde::Serialize;

/// Writes a text to standard output; a reader that has left (`| head`) is no error.
pub fn print(text: &str) -> io::Result<()> {
    write(|out| out.write_all(text.as_bytes()))
}

/// Writes a value to standard output as one line of JSON, piece by piece: a large one is
/// never a string as a whole. A reader that has left is no error.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    write(|out| {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

fn write(
    text: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    reader_may_leave(text(&mut out).and_then(|()| out.flush()))
}

/// What was written, where it is no error that the reader has left.
pub fn reader_may_leave(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The program's end: 0, or that of [`failure`]. (clap gives 2 for wrong usage.)
pub fn exit_code<E: Display>(done: Result<(), E>) -> ExitCode {
    done.map_or_else(failure, |()| ExitCode::SUCCESS)
}

/// The end of a program that failed: 1, and the error on one line of standard error, with
/// its causes if it is `anyhow`'s.
pub fn failure(error: impl Display) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_has_left_is_forgiven() {
        let result = |kind: ErrorKind| reader_may_leave(Err(kind.into()));
        assert!(result(ErrorKind::BrokenPipe).is_ok());
        assert_eq!(
            result(ErrorKind::StorageFull).unwrap_err().kind(),
            ErrorKind::StorageFull
        );
        assert!(reader_may_leave(Ok(())).is_ok());
    }
}
