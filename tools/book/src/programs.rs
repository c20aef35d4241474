//! Where other programs are.

use std::path::{Path, PathBuf};

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
