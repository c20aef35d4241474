//! Compiles the book's crates into one dynamic library, below the repository's `target`, where
//! every kernel finds it: cargo keeps it up to date, and lets two kernels wait for each other.
//!
//! A kernel goes on with the library that it has loaded, also when a source has changed; so
//! each version has a folder of its own.

use std::env::{self, consts::DLL_SUFFIX};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use library::Crates;

mod library;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many versions are kept; one that is gone is compiled again when a kernel asks for it.
const KEPT: usize = 4;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_CFG_NOTEBOOK_CELL").is_none() {
        return Err("write `:build_env RUSTFLAGS=-Cprefer-dynamic --cfg notebook_cell` above this \
                    `:dep`: the book's crates are then compiled for all kernels"
            .into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    for source in library::sources(&root)? {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    let candle = env::var_os("CARGO_FEATURE_CANDLE").is_some();
    let crates = if candle { Crates::Candle } else { Crates::Ndarray };
    let copy = crates.copy(&root)?;
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let status = crates
        .command(&root, cargo, &copy)
        .env("CARGO_TERM_QUIET", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("the book's crates do not compile: {status}").into());
    }
    crates.link_sources(&root)?;
    let folder = if cfg!(windows) {
        crates.target(&root).join("debug/deps")
    } else {
        keep(&crates.file(&root), &copy)?;
        println!("cargo::rerun-if-changed={}", copy.display());
        copy.parent().unwrap_or(&root).to_path_buf()
    };
    for kind in ["crate", "dependency"] {
        println!("cargo::rustc-link-search={kind}={}", folder.display());
    }
    Ok(())
}

/// Keeps the library, and what rustc reads of the crates in it, in a folder of this version's:
/// it is whole, and stays as it is when another kernel compiles what a reader has edited.
fn keep(library: &Path, copy: &Path) -> Result<()> {
    let bytes = fs::read(library)?;
    let folder = copy.parent().unwrap_or(copy);
    if fs::read(copy).ok().as_ref() != Some(&bytes) {
        let half = folder.with_extension(std::process::id().to_string());
        fs::create_dir_all(&half)?;
        for entry in fs::read_dir(library.with_file_name("deps"))? {
            let file = entry?.path();
            let name = file.file_name().unwrap_or_default();
            // Procedural macros are dynamic libraries, too.
            let read = [".rlib", ".rmeta", DLL_SUFFIX]
                .iter()
                .any(|it| name.to_string_lossy().ends_with(it));
            if read && Some(name) != copy.file_name() {
                let linked = half.join(name);
                fs::hard_link(&file, &linked)
                    .or_else(|_| fs::copy(&file, &linked).map(drop))?;
            }
        }
        let file = half.join(copy.file_name().unwrap_or_default());
        fs::write(&file, &bytes)?;
        // Cargo would run this script for every cell, were the file newer than its last run.
        fs::File::options()
            .write(true)
            .open(&file)?
            .set_modified(SystemTime::UNIX_EPOCH)?;
        let is_there = || fs::read(copy).ok().as_ref() == Some(&bytes);
        if fs::rename(&half, folder).is_err() && !is_there() {
            fs::remove_dir_all(folder)?; // of another compiler
            fs::rename(&half, folder)?;
        }
        let _ = fs::remove_dir_all(&half); // another kernel was faster
    }
    prune(folder)
}

/// The oldest versions go.
fn prune(newest: &Path) -> Result<()> {
    let versions = newest.parent().unwrap_or(newest);
    let mut others: Vec<(SystemTime, PathBuf)> = fs::read_dir(versions)?
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path != newest))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(KEPT);
    for (_, folder) in &others[..surplus] {
        let _ = fs::remove_dir_all(folder); // another kernel may have been faster
    }
    Ok(())
}
