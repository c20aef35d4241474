//! Runs a chapter's walkthrough, its notebook's cells as one program, and compares what
//! it prints with what the notebook records.

use anyhow::{Context, Result, ensure};

use crate::compare::{self, Agreement};
use crate::notebook;
use crate::programs;
use crate::workspace::{Chapter, Language, Workspace};

/// Runs the walkthrough in the notebooks' folder, told to print figures as for the
/// kernel; `under` a program with arguments, if one is given.
///
/// # Errors
///
/// If it can't be built, fails, or prints or draws something else than the notebook.
pub fn check(
    workspace: &Workspace,
    chapter: &Chapter,
    under: Option<&str>,
) -> Result<Agreement> {
    let mut command = programs::cargo();
    let example = format!("{}-walkthrough", chapter.short());
    command
        // All default members, as `cargo test` builds them: nothing is compiled twice.
        .args(["run", "--quiet", "--example", &example])
        .current_dir(workspace.root.join("notebooks"))
        .env("EVCXR_IS_RUNTIME", "1");
    if let Some(program) = under {
        command
            .args(["--config", &format!("target.'cfg(all())'.runner = {program:?}")]);
    }
    let output = command.output().context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "{}: its walkthrough fails ({}):\n{}",
        chapter.name,
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let recorded =
        notebook::read(&workspace.root.join(chapter.notebook(Language::Portuguese)))?;
    compare::walkthrough(&recorded, str::from_utf8(&output.stdout)?)
        .with_context(|| chapter.name.clone())
}
