//! What the command lines share: values checked, printing to a reader that may leave, and the
//! program's end.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PathBufValueParser, TypedValueParser};
use serde::Serialize;

/// For `#[arg(value_parser = …)]`: the name of a file to write, which says one of these formats
/// by its extension, in any case.
pub fn file_of(
    formats: &'static [&'static str],
) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(move |path| {
        let extension = path.extension().unwrap_or_default();
        let extension = extension.to_string_lossy().to_lowercase();
        if formats.contains(&extension.as_str()) {
            return Ok(path);
        }
        let known: Vec<String> =
            formats.iter().map(|format| format!(".{format}")).collect();
        let known = known.join(" or ");
        Err(format!(
            "the format follows the file's name: give one that ends in {known}"
        ))
    })
}

/// The layer or the head (`name`) that was asked for by its number, from 0, of the `count` that
/// the model has.
///
/// # Errors
///
/// If it has none of that number.
pub fn index(name: &str, given: i64, count: usize) -> anyhow::Result<usize> {
    let found = usize::try_from(given).ok().filter(|&index| index < count);
    let last = count.saturating_sub(1);
    found.ok_or_else(|| {
        anyhow::anyhow!(
            "there is no {name} {given}: the model has {count} {name}s, numbered from 0 to {last}"
        )
    })
}

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
