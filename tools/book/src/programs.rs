//! Where other programs are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every program of that name on the `PATH`, in order, each once.
#[must_use]
pub fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = Vec::new();
    for file in std::env::split_paths(&path).map(|folder| program_in(&folder, name)) {
        if file.is_file() && !found.contains(&file) {
            found.push(file);
        }
    }
    found
}

/// The file of a program in a folder, by this system's ending (`.exe` on Windows).
#[must_use]
pub fn program_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The folder in which `cargo install` puts programs.
#[must_use]
pub fn cargo_bin() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let root = set("CARGO_INSTALL_ROOT").or_else(|| set("CARGO_HOME"));
    let root = root.map(PathBuf::from);
    let root = root.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
    Some(root.join("bin"))
}

/// The cargo that runs this tool, or the one on the `PATH`, without what it told the tool of
/// its own package (`CARGO_PKG_NAME` and the like): ring's build script takes a change of
/// these for a reason to compile ring anew, and with it every chapter that stands on `hub`.
#[must_use]
pub fn cargo() -> Command {
    cargo_in(std::env::vars_os())
}

fn cargo_in(environment: impl Iterator<Item = (OsString, OsString)>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    for (name, _) in environment {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| text.starts_with(of)) {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_not_told_of_the_tools_own_package() {
        let names = ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_HOME", "PATH"];
        let command = cargo_in(names.map(|name| (name.into(), "x".into())).into_iter());
        let removed = command.get_envs().map(|(name, value)| (name.to_owned(), value));
        let expected = ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"];
        assert!(removed.eq(expected.map(|name| (name.into(), None))), "{command:?}");
    }
}
