//! The library that notebooks' cells link against: how cargo makes it, and where it is. The
//! build script beside this file and `cargo book lab` make the same one. On Windows, where a dynamic
//! library has at most 65,535 symbols and candle's would have more, it is a static one.

use std::collections::hash_map::DefaultHasher;
use std::env::consts::DLL_SUFFIX;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// Which crates it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crates {
    /// Those of the chapters without candle: compiled in seconds.
    Ndarray,
    /// Those of all chapters.
    Candle,
}

/// What cargo and evcxr set for a build script and for a kernel's cells, by its beginning: the
/// library is not of theirs.
const OF_A_CELL: [&str; 13] = [
    "CARGO",
    "DEBUG",
    "DEP_",
    "EVCXR_",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "TARGET",
];

/// What of that is the machine's.
const OF_THE_MACHINE: [&str; 4] =
    ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];

impl Crates {
    /// The folder in which cargo compiles it. Each has one of its own: chapter 1 runs while
    /// candle is still being compiled.
    pub fn target(self, root: &Path) -> PathBuf {
        root.join("target/notebook").join(match self {
            Self::Ndarray => "ndarray",
            Self::Candle => "candle",
        })
    }

    /// The library, once it is compiled.
    pub fn file(self, root: &Path) -> PathBuf {
        let suffix = if cfg!(windows) { ".rlib" } else { DLL_SUFFIX };
        self.target(root).join(format!("debug/libbook_prelude{suffix}"))
    }

    /// The copy that cells link against and their process loads, while the sources are as they
    /// are; each version is in a folder of its own.
    ///
    /// # Errors
    ///
    /// If a source can't be read.
    pub fn copy(self, root: &Path) -> io::Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        for source in sources(root)? {
            hash(&source, &mut hasher)?;
        }
        let version = format!("versions/{:016x}", hasher.finish());
        Ok(self.target(root).join(version).join(format!("libbook_prelude{DLL_SUFFIX}")))
    }

    /// The command that compiles it, to be known by its [`Crates::copy`].
    pub fn command(self, root: &Path, cargo: OsString, copy: &Path) -> Command {
        let mut command = Command::new(cargo);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let begins = |with: &[&str]| with.iter().any(|it| name.starts_with(it));
            if begins(&OF_A_CELL) && !begins(&OF_THE_MACHINE) {
                command.env_remove(&*name);
            }
        }
        command.current_dir(root).args(["rustc", "--lib", "--package", "book-prelude"]);
        let kind = if cfg!(windows) { "lib" } else { "dylib" };
        command.args(["--crate-type", kind, "--target-dir"]).arg(self.target(root));
        if self == Self::Candle {
            command.args(["--features", "candle"]);
        }
        // Two copies of the standard library would not go together.
        command.args(["--", "-Cprefer-dynamic", "-Cstrip=debuginfo"]);
        // A cell's library names this one by its path: evcxr moves the cell's after it is linked,
        // and a way from the one to the other would lead elsewhere.
        let option =
            if cfg!(target_os = "macos") { "-install_name" } else { "-soname" };
        if !cfg!(windows) {
            for part in [Path::new(option), copy] {
                let part = format!("-Clink-arg={}", part.display());
                command.args(["-Clink-arg=-Xlinker", &part]);
            }
        }
        command
    }

    /// Links to the sources of the crates of others that cells name, for rust-analyzer, whose
    /// manifests in `tools/notebook/view` look for them here: rustc's lists of what it has
    /// read tell where they are.
    ///
    /// # Errors
    ///
    /// If a list can't be read, or a link made. A system without links has none.
    pub fn link_sources(self, root: &Path) -> io::Result<()> {
        let deps = self.target(root).join("debug/deps");
        if !deps.is_dir() {
            return Ok(()); // nothing is compiled
        }
        let links = root.join("target/notebook/sources");
        fs::create_dir_all(&links)?;
        let mut lists = Vec::new();
        for list in entries(&deps)? {
            if list.extension() == Some("d".as_ref()) {
                lists.push((list.metadata()?.modified()?, list));
            }
        }
        lists.sort(); // the last of two is of the version in use
        for (_, list) in lists {
            let file = list.file_stem().unwrap_or_default().to_string_lossy();
            if let Some((library, _hash)) = file.rsplit_once('-')
                && let name = library.replace('_', "-")
                && root.join("tools/notebook/view").join(&name).is_dir()
                && let Some(folder) = crate_folder(&fs::read_to_string(&list)?)
                && folder.is_absolute()
            {
                link(&folder, &links.join(name))?;
            }
        }
        Ok(())
    }
}

/// The folder of a crate, from rustc's list of what it has read: each file has a line. That of
/// a crate of the workspace is relative to its root.
fn crate_folder(list: &str) -> Option<PathBuf> {
    let mut folders = list.lines().filter_map(|line| line.strip_suffix("/src/lib.rs:"));
    folders.next().map(|folder| folder.replace("\\ ", " ").into())
}

/// Makes a link, or turns it to another folder.
#[cfg(unix)]
fn link(folder: &Path, link: &Path) -> io::Result<()> {
    if fs::read_link(link).is_ok_and(|there| there == folder) {
        return Ok(());
    }
    let made = link.with_extension(std::process::id().to_string());
    std::os::unix::fs::symlink(folder, &made)?;
    fs::rename(&made, link)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// What the library is made of: files and folders.
///
/// # Errors
///
/// If the crates can't be listed.
pub fn sources(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut sources =
        ["Cargo.toml", "Cargo.lock", "tools/prelude"].map(|it| root.join(it)).to_vec();
    // A reader may be solving an exercise beside the notebook: that is no part of it.
    let crates = entries(&root.join("chapters-code"))?.into_iter();
    let other = |folder: &PathBuf| {
        folder.ends_with("exercises") || folder.ends_with("solutions")
    };
    for folder in crates.filter(|folder| !other(folder)) {
        sources.extend([folder.join("Cargo.toml"), folder.join("src")]);
    }
    sources.retain(|source| source.exists());
    Ok(sources)
}

/// What is in a folder, in order.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn hash(source: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if source.is_dir() {
        return entries(source)?.iter().try_for_each(|entry| hash(entry, hasher));
    }
    source.hash(hasher);
    fs::read(source)?.hash(hasher);
    Ok(())
}
