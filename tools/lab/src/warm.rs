//! The library that the notebooks' cells link against, compiled before a reader needs it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use book::kernel::Kernel;
use book::notebook::{self, INSTALL};
use book::workspace::{Chapter, Language, Workspace};
use tokio::process::Command;

use crate::Folders;
use crate::cargo;
use crate::library::Crates;
use crate::step::Step;

/// The chapters whose notebooks need a library.
///
/// # Errors
///
/// If a manifest can't be read.
pub fn chapters(workspace: &Workspace, crates: Crates) -> Result<Vec<Chapter>> {
    let mut chapters = Vec::new();
    for chapter in workspace.chapters()? {
        if workspace.needs_candle(&chapter)? == (crates == Crates::Candle) {
            chapters.push(chapter);
        }
    }
    Ok(chapters)
}

/// What a library is called to a reader: `the crates of ch01, ch02`; nothing, if no notebook
/// needs it.
///
/// # Errors
///
/// If a manifest can't be read.
pub fn name(workspace: &Workspace, crates: Crates) -> Result<Option<String>> {
    let chapters = chapters(workspace, crates)?;
    let names: Vec<&str> = chapters.iter().map(Chapter::short).collect();
    Ok((!names.is_empty()).then(|| format!("the crates of {}", names.join(", "))))
}

/// Compiles a library; in an instant, if it is up to date. In the background, without a bar.
/// What does not compile is told of: the notebooks can be opened all the same.
///
/// # Errors
///
/// If a manifest can't be read, or what happens can't be said.
pub async fn compile(
    workspace: &Workspace,
    folders: &Folders,
    crates: Crates,
    background: bool,
) -> Result<()> {
    let Some(what) = name(workspace, crates)? else {
        return Ok(());
    };
    let step = if background { Step::in_background } else { Step::begin };
    let step = step(&format!("{what}: compiling"))?;
    let copy = crates.copy(&workspace.root)?;
    let command = crates.command(&workspace.root, cargo::program().into(), &copy);
    let log = folders.file(&format!("{crates:?}.log").to_lowercase())?;
    match cargo::follow(Command::from(command), step, &log, "2 GB").await {
        Ok(step) => {
            crates.link_sources(&workspace.root)?;
            step.end(&format!("{what} are compiled"))
        }
        Err(error) => {
            eprintln!("warning: {what} are not compiled: {error:#}");
            Ok(())
        }
    }
}

/// Runs the first notebook's first two code cells, to see that the kernel works.
///
/// # Errors
///
/// If it does not start, or a cell fails.
pub async fn try_kernel(
    workspace: &Workspace,
    language: Language,
    program: &Path,
) -> Result<()> {
    let notebooks = workspace.chapters()?.into_iter();
    let mut paths =
        notebooks.map(|chapter| workspace.root.join(chapter.notebook(language)));
    let Some(path) = paths.find(|path| path.is_file()) else {
        return Ok(());
    };
    let step = Step::begin("the kernel's first cell")?;
    let notebook = notebook::read(&path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut kernel = Kernel::start_program(program, folder).await.context(
        "the notebooks cannot run (`--no-warm` opens JupyterLab without this check)",
    )?;
    let cells = notebook::code_cells(&notebook).filter(|(id, ..)| *id != INSTALL);
    for (id, code, _) in cells.take(2) {
        if let Some(error) = kernel.run(&code).await?.error {
            bail!("{}: cell {id:?} fails:\n{error}", path.display());
        }
    }
    step.end("the kernel answers")
}
