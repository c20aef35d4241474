//! The Rust kernel: which release is installed, installing ours, telling Jupyter of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use book::kernel::{EVCXR_VERSION, Kernel};
use book::{programs, say};
use serde_json::Value;
use tokio::process::Command;

use crate::Folders;
use crate::cargo;
use crate::step::Step;

const NAME: &str = "evcxr_jupyter";

/// Which kernel is installed.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The release that the notebooks are made with.
    Ours(PathBuf),
    /// Another release.
    Other {
        /// Its program.
        program: PathBuf,
        /// Its version.
        version: String,
    },
    /// No kernel at all.
    Missing,
}

/// Looks for the kernel: among what cargo installed, then on the `PATH`, where a program
/// that cargo does not know is asked for its version.
///
/// # Errors
///
/// If cargo can't be asked.
pub async fn find() -> Result<Found> {
    let bin = programs::cargo_bin();
    let program = bin.as_deref().map(|bin| programs::program_in(bin, NAME));
    let mut other = None;
    if let Some(program) = program.filter(|program| program.is_file())
        && let Some(version) = version_in(&installed_by_cargo().await?)
    {
        if version == EVCXR_VERSION {
            return Ok(Found::Ours(program));
        }
        other = Some((program, version));
    }
    for program in programs::on_path(NAME) {
        if program.parent() == bin.as_deref() && other.is_some() {
            continue; // judged above
        }
        let version = match Kernel::start_program(&program, &std::env::temp_dir()).await
        {
            Ok(kernel) => kernel.version().to_owned(),
            Err(_) => "unknown".to_owned(), // broken: ours will stand before it
        };
        if version == EVCXR_VERSION {
            return Ok(Found::Ours(program));
        }
        other = other.or(Some((program, version)));
    }
    Ok(other
        .map_or(Found::Missing, |(program, version)| Found::Other { program, version }))
}

async fn installed_by_cargo() -> Result<String> {
    let mut command = Command::new(cargo::program());
    command.args(["install", "--list"]).kill_on_drop(true);
    let output = command.output().await.context("cannot run `cargo install --list`")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The kernel's version in what `cargo install --list` writes: `evcxr_jupyter v0.22.0:`.
fn version_in(list: &str) -> Option<String> {
    list.lines().find_map(|line| {
        let mut words = line.strip_suffix(':')?.split(' ');
        (words.next() == Some(NAME)).then_some(())?;
        words.next()?.strip_prefix('v').map(str::to_owned)
    })
}

/// Installs our release: as its authors have compiled it, if `cargo binstall` is there and
/// finds it among their releases; else by compiling it. What is compiled is kept in
/// `target/lab` until it is whole, so that an interrupted install goes on where it stopped.
///
/// # Errors
///
/// If cargo fails: its first error, and what may help.
pub async fn install(folders: &Folders) -> Result<PathBuf> {
    if let Some(program) = download(folders).await? {
        return Ok(program);
    }
    let title = format!("{NAME} {EVCXR_VERSION}");
    let step = Step::begin(&format!("{title}: compiling, about ten minutes, once"))?;
    let target = folders.file("evcxr")?;
    let mut command = Command::new(cargo::program());
    command
        .args(["install", "--locked", "--force", "--target-dir"])
        .arg(&target)
        .arg(format!("{NAME}@{EVCXR_VERSION}"))
        // What takes time in a cell is rustc: a kernel that is optimized more is no faster.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off");
    let step =
        cargo::follow(command, step, &folders.file("cargo.log")?, "2 GB").await?;
    let program = programs::cargo_bin().map(|bin| programs::program_in(&bin, NAME));
    let program = program.filter(|program| program.is_file()).with_context(|| {
        format!(
            "cargo installed {title} elsewhere than its default folder: unset `install.root` \
             in cargo's configuration, or set CARGO_INSTALL_ROOT to the same folder"
        )
    })?;
    let _ = fs::remove_dir_all(&target); // a gigabyte that nothing needs any more
    step.end(&format!("{title} is compiled and installed at {}", program.display()))?;
    Ok(program)
}

/// Our release from its authors' own archive: not from the third parties whom `cargo binstall`
/// would ask next. None if there is none for this machine, or no `cargo binstall`.
async fn download(folders: &Folders) -> Result<Option<PathBuf>> {
    if programs::on_path("cargo-binstall").is_empty() {
        return Ok(None);
    }
    let title = format!("{NAME} {EVCXR_VERSION}");
    let step = Step::begin(&format!("{title}: cargo binstall"))?;
    let mut command = Command::new(cargo::program());
    command
        .args([
            "binstall",
            "--no-confirm",
            "--force",
            "--strategies",
            "crate-meta-data",
        ])
        .arg(format!("{NAME}@{EVCXR_VERSION}"));
    let log = folders.file("binstall.log")?;
    let followed = cargo::follow(command, step, &log, "100 MB").await;
    match (followed, find().await?) {
        (Ok(step), Found::Ours(program)) => {
            step.end(&format!("{title} is installed at {}", program.display()))?;
            Ok(Some(program))
        }
        (Ok(_), _) => {
            say("cargo binstall has brought another kernel: ours is compiled")?;
            Ok(None)
        }
        (Err(error), _) => {
            say(&format!("the kernel is compiled here: {error:#}"))?;
            Ok(None)
        }
    }
}

/// Whether Jupyter starts this program for notebooks in Rust; otherwise where to tell it.
#[derive(Debug, PartialEq, Eq)]
pub enum Registered {
    /// It does: this is its `kernel.json`.
    Yes(PathBuf),
    /// No: the folder whose `kernels/rust` is to say so.
    Not(PathBuf),
}

/// Looks where Jupyter looks: along `JUPYTER_PATH`, then in the reader's data folder. The
/// first kernel named `rust` counts.
///
/// # Errors
///
/// If there is no such folder, which is to say no home.
pub fn registered(program: &Path) -> Result<Registered> {
    let path = std::env::var_os("JUPYTER_PATH").unwrap_or_default();
    let data = data_folder().context(
        "cannot tell where Jupyter keeps its kernels: set HOME, or JUPYTER_DATA_DIR to a folder",
    )?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .chain([data.clone()])
        .collect();
    let spec = |folder: &PathBuf| folder.join("kernels/rust/kernel.json");
    let first =
        folders.into_iter().find(|folder| spec(folder).is_file()).unwrap_or(data);
    let names =
        fs::read_to_string(spec(&first)).is_ok_and(|text| starts(&text, program));
    Ok(if names { Registered::Yes(spec(&first)) } else { Registered::Not(first) })
}

/// Whether a `kernel.json` starts the program, itself or through a shell.
fn starts(spec: &str, program: &Path) -> bool {
    let Ok(spec) = serde_json::from_str::<Value>(spec) else {
        return false; // half written
    };
    let program = program.to_string_lossy();
    let mut words = spec["argv"].as_array().into_iter().flatten();
    words.any(|word| word.as_str().is_some_and(|word| word.contains(&*program)))
}

/// `jupyter_data_dir` of Jupyter.
fn data_folder() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    set("JUPYTER_DATA_DIR").or_else(|| {
        let home = std::env::home_dir()?;
        Some(if cfg!(target_os = "macos") {
            home.join("Library/Jupyter")
        } else if cfg!(windows) {
            set("APPDATA")?.join("jupyter")
        } else {
            set("XDG_DATA_HOME")
                .unwrap_or_else(|| home.join(".local/share"))
                .join("jupyter")
        })
    })
}

/// Tells Jupyter of the kernel: `evcxr_jupyter --install`, into the folder in which
/// Jupyter will look first (evcxr itself does not know `JUPYTER_DATA_DIR`).
///
/// # Errors
///
/// If the program fails, or did not do it.
pub async fn register(program: &Path, folder: &Path) -> Result<PathBuf> {
    let mut command = Command::new(program);
    command.arg("--install").env("JUPYTER_PATH", folder).kill_on_drop(true);
    let output = command
        .output()
        .await
        .with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("without a word").to_owned();
        bail!(
            "`{NAME} --install` failed ({said}): can you write in {}?",
            folder.join("kernels").display()
        );
    }
    match registered(program)? {
        Registered::Yes(spec) => Ok(spec),
        Registered::Not(folder) => bail!(
            "`{NAME} --install` left no kernel in {}: delete {} and run this again",
            folder.display(),
            folder.join("kernels/rust").display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_list_gives_the_version() {
        let list = "cargo-edit v0.13.0:\n    cargo-add\nevcxr_jupyter v0.21.1:\n    evcxr_jupyter\n";
        assert_eq!(version_in(list).as_deref(), Some("0.21.1"));
        assert_eq!(
            version_in("evcxr_jupyter v0.22.0 (/src/evcxr):\n"),
            Some("0.22.0".into())
        );
        assert_eq!(version_in("evcxr v0.22.0:\n    evcxr_jupyter\n"), None);
        assert_eq!(version_in(""), None);
    }

    #[test]
    fn a_kernel_json_names_its_program_or_not() {
        let program = Path::new("/home/ana/.cargo/bin/evcxr_jupyter");
        let own =
            r#"{"argv": ["/home/ana/.cargo/bin/evcxr_jupyter", "--control_file"]}"#;
        let shell =
            r#"{"argv": ["bash", "-c", "exec /home/ana/.cargo/bin/evcxr_jupyter"]}"#;
        let other = r#"{"argv": ["/usr/bin/evcxr_jupyter", "--control_file"]}"#;
        assert!(starts(own, program) && starts(shell, program));
        for spec in [other, "{}", "", &own[..20]] {
            assert!(!starts(spec, program), "{spec}");
        }
    }
}
