//! Runs a chapter's walkthrough, its notebook's cells as one program, and compares what
//! it prints with what the notebook records.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::compare::{self, Agreement};
use crate::notebook;
use crate::workspace::{Chapter, Language, Workspace};

/// The cargo that runs this tool, or the one on the `PATH`, without what it told the tool of
/// its own package (`CARGO_PKG_NAME` and the like): ring's build script takes a change of
/// these for a reason to compile ring anew, and with it every chapter that stands on `hub`.
fn cargo(environment: impl Iterator<Item = (OsString, OsString)>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    for (name, _) in environment {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| text.starts_with(of)) {
            command.env_remove(name);
        }
    }
    command
}

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
    let mut command = cargo(std::env::vars_os());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_not_told_of_the_tools_own_package() {
        let names = ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_HOME", "PATH"];
        let command = cargo(names.map(|name| (name.into(), "x".into())).into_iter());
        let removed = command.get_envs().map(|(name, value)| (name.to_owned(), value));
        let expected = ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"];
        assert!(removed.eq(expected.map(|name| (name.into(), None))), "{command:?}");
    }
}
