//! JupyterLab: one on the `PATH` that will do, or one in a virtual environment of our own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use book::programs;
use tokio::process::Command;

use crate::Folders;
use crate::step::Step;
use crate::watch;

/// What pip is asked for.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The oldest Python that the pinned JupyterLab runs on.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// The file that says, inside the virtual environment, that pip has finished.
const COMPLETE: &str = "complete.txt";

/// The JupyterLab release that is installed where there is none.
///
/// # Panics
///
/// If `requirements.txt` pins none; a test reads it.
#[must_use]
pub fn pinned() -> &'static str {
    let mut lines = REQUIREMENTS.lines();
    lines
        .find_map(|line| line.strip_prefix("jupyterlab=="))
        .expect("a pinned JupyterLab")
}

/// A JupyterLab that can be started.
#[derive(Debug, PartialEq, Eq)]
pub struct JupyterLab {
    /// Its program.
    pub program: PathBuf,
    /// Its version.
    pub version: String,
}

/// Looks for JupyterLab: on the `PATH`, of the same major version as the pinned one; then
/// in our virtual environment.
pub async fn find(folders: &Folders) -> Option<JupyterLab> {
    for program in programs::on_path("jupyter-lab") {
        // A shim can be there without a JupyterLab behind it: then it fails.
        if let Some(version) = first_line(&program, &["--version"]).await
            && major(&version) == major(pinned())
        {
            return Some(JupyterLab { program, version });
        }
    }
    let venv = folders.venv();
    let complete = fs::read_to_string(venv.join(COMPLETE));
    let python = in_venv(&venv, "python").is_file(); // follows the link: is Python still there?
    let ours = python && complete.is_ok_and(|text| text == mark(&venv));
    ours.then(|| JupyterLab {
        program: in_venv(&venv, "jupyter-lab"),
        version: pinned().to_owned(),
    })
}

/// What the mark of a complete environment says. An environment does not survive being
/// moved, so its place is in it.
fn mark(venv: &Path) -> String {
    format!("{REQUIREMENTS}\n# in {}\n", venv.display())
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// The first line that a program prints, if it succeeds.
async fn first_line(program: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).kill_on_drop(true).output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Makes the virtual environment and fills it.
///
/// # Errors
///
/// If there is no Python, an old one, or one without `venv`; if pip fails. Each names
/// what may help.
pub async fn install(folders: &Folders) -> Result<JupyterLab> {
    let python = python().await?;
    let mut step = Step::begin(&format!("JupyterLab {}", pinned()))?;
    let venv = folders.venv();
    step.tell("making a virtual environment");
    make_venv(&python, &venv, folders).await?;
    fill(&venv, folders, &mut step).await?;
    fs::write(venv.join(COMPLETE), mark(&venv))
        .with_context(|| format!("cannot write in {}", venv.display()))?;
    let program = in_venv(&venv, "jupyter-lab");
    ensure!(
        program.is_file(),
        "pip succeeded, but there is no {}: delete {} and run this again",
        program.display(),
        venv.display()
    );
    step.end(&format!("JupyterLab {} is installed in {}", pinned(), venv.display()))?;
    Ok(JupyterLab { program, version: pinned().to_owned() })
}

fn in_venv(venv: &Path, name: &str) -> PathBuf {
    programs::program_in(
        &venv.join(if cfg!(windows) { "Scripts" } else { "bin" }),
        name,
    )
}

/// The first Python on the `PATH` that is recent enough.
async fn python() -> Result<PathBuf> {
    let names = if cfg!(windows) { ["python", "py"] } else { ["python3", "python"] };
    let mut old = None;
    for program in names.into_iter().flat_map(programs::on_path) {
        let ask = ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"];
        let Some(version) = first_line(&program, &ask).await else {
            continue; // a shim with nothing behind it
        };
        if python_version(&version).is_some_and(|version| version >= OLDEST_PYTHON) {
            return Ok(program);
        }
        old = old.or(Some((program, version)));
    }
    let (major, minor) = OLDEST_PYTHON;
    let remedy = remedy();
    match old {
        Some((program, version)) => bail!(
            "JupyterLab {} needs Python {major}.{minor} or later, and {} is {version}: {remedy}",
            pinned(),
            program.display()
        ),
        None => {
            bail!("JupyterLab needs Python, and there is none on the PATH: {remedy}")
        }
    }
}

fn python_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// How to install Python with `venv` on this system.
fn remedy() -> &'static str {
    if cfg!(target_os = "macos") {
        "install it with `brew install python` (or from python.org), then run this again"
    } else if cfg!(windows) {
        "install it with `winget install Python.Python.3.13`, then run this again in a new \
         terminal"
    } else {
        "install it (Debian and Ubuntu: `sudo apt install python3 python3-venv`; Fedora: \
         `sudo dnf install python3`), then run this again"
    }
}

async fn make_venv(python: &Path, venv: &Path, folders: &Folders) -> Result<()> {
    let log = folders.file("venv.log")?;
    let mut command = Command::new(python);
    command.args(["-m", "venv", "--clear"]).arg(venv);
    let ended = watch::watch(&mut command, &log, |_| {}).await?;
    if ended.status.success() {
        return Ok(());
    }
    let all = ended.lines.join("\n");
    if ["ensurepip", "No module named venv"].iter().any(|sign| all.contains(sign)) {
        bail!(
            "{} cannot make virtual environments (its `venv` module is missing): {}",
            python.display(),
            remedy()
        );
    }
    let cause =
        ended.lines.last().map_or_else(|| ended.status.to_string(), Clone::clone);
    bail!(
        "`{} -m venv` failed: {cause}: can you write in {}? (all it said: {})",
        python.display(),
        venv.display(),
        log.display()
    )
}

async fn fill(venv: &Path, folders: &Folders, step: &mut Step) -> Result<()> {
    let (log, list) = (folders.file("pip.log")?, folders.file("requirements.txt")?);
    fs::write(&list, REQUIREMENTS)
        .with_context(|| format!("cannot write {}", list.display()))?;
    let mut command = Command::new(in_venv(venv, "python"));
    command
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input"])
        .args(["--progress-bar", "off", "--requirement"])
        .arg(&list);
    let mut found = 0;
    let ended = watch::watch(&mut command, &log, |line| match Said::of(line) {
        Said::Collecting(name) => {
            found += 1;
            step.tell(&format!("{found} packages found: {name}"));
        }
        Said::Installing(count) => step.tell(&format!("unpacking {count} packages")),
        Said::Other => {}
    });
    let ended = ended.await?;
    if ended.status.success() {
        return Ok(());
    }
    let cause = ended.lines.iter().find_map(|line| line.strip_prefix("ERROR: "));
    let cause = cause.map_or_else(|| ended.status.to_string(), str::to_owned);
    bail!(
        "pip cannot install JupyterLab {}: {cause}: is the network up, and is there space? \
         Then run this again (all it said: {})",
        pinned(),
        log.display()
    )
}

/// A line of pip's.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    /// `Collecting jupyterlab==4.6.6 (from …)`.
    Collecting(&'a str),
    /// `Installing collected packages: a, b`: how many.
    Installing(usize),
    /// Anything else.
    Other,
}

impl<'a> Said<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("Collecting ") {
            return Said::Collecting(rest.split(' ').next().unwrap_or(rest));
        }
        match line.strip_prefix("Installing collected packages:") {
            Some(names) => Said::Installing(names.split(',').count()),
            None => Said::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major(pinned()), Some(4));
        assert_eq!(pinned().split('.').count(), 3);
        assert_eq!(major("4.0.0rc1"), Some(4));
        assert_eq!(major("3.6.8"), Some(3));
        assert_eq!(major("jupyter-lab: not found"), None);
        assert!(python_version("3.10").is_some_and(|version| version >= OLDEST_PYTHON));
        assert!(python_version("3.9").is_some_and(|version| version < OLDEST_PYTHON));
        assert_eq!(python_version("Python"), None);
    }

    #[test]
    fn pip_s_lines_are_read() {
        assert_eq!(
            Said::of("Collecting arrow>=0.15.0 (from isoduration->jsonschema)"),
            Said::Collecting("arrow>=0.15.0")
        );
        assert_eq!(
            Said::of("Installing collected packages: a, b, c"),
            Said::Installing(3)
        );
        assert_eq!(Said::of("  Downloading lark-1.3.1-py3-none-any.whl"), Said::Other);
    }
}
