//! The kernel's compile cache, filled before the reader needs it.
//!
//! evcxr keeps what it compiles of crates.io between sessions (`:cache` in a notebook's
//! setup cell), not the crates of this repository, which may change. So what has to be
//! compiled again depends on the manifests, the setup cell, the compiler and the kernel;
//! not on the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use book::evcxr_cache;
use book::kernel::{EVCXR_VERSION, Kernel};
use book::notebook::{self, INSTALL, SETUP};
use book::workspace::{Chapter, Language, Workspace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::Folders;
use crate::step::Step;

/// What was warmed, so that it is not done twice.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    /// Chapters, and what their compilation depended on.
    chapters: BTreeMap<String, String>,
}

impl Stamp {
    /// The stamp in a file. A missing or broken one says nothing; neither does one whose
    /// cache has been deleted.
    fn read(file: &Path, cache: Option<&Path>) -> Self {
        let filled = cache.is_none_or(|cache| {
            fs::read_dir(cache).is_ok_and(|mut entries| entries.next().is_some())
        });
        let text = fs::read_to_string(file).ok().filter(|_| filled);
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(file, text)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn holds(&self, chapter: &Chapter, key: &str) -> bool {
        self.chapters.get(&chapter.name).is_some_and(|known| known == key)
    }
}

/// A chapter whose notebook is to be warmed, and what that depends on.
#[derive(Debug)]
pub struct Cold {
    /// The chapter.
    pub chapter: Chapter,
    key: String,
}

/// The chapters with a notebook whose first cell would have to compile crates.
///
/// # Errors
///
/// If a manifest can't be read.
pub async fn cold(
    workspace: &Workspace,
    folders: &Folders,
    language: Language,
) -> Result<Vec<Cold>> {
    let compiler = compiler().await;
    let stamp =
        Stamp::read(&folders.file("warm.json")?, evcxr_cache::folder().as_deref());
    let mut cold = Vec::new();
    for chapter in workspace.chapters()? {
        let key = key(workspace, &chapter, &compiler)?;
        let notebook = workspace.root.join(chapter.notebook(language));
        if notebook.is_file() && !stamp.holds(&chapter, &key) {
            cold.push(Cold { chapter, key });
        }
    }
    Ok(cold)
}

/// `rustc -vV`, as the kernel will find it; empty if there is none to ask.
async fn compiler() -> String {
    let mut command = Command::new("rustc");
    let output = command.arg("-vV").kill_on_drop(true).output().await;
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

/// Everything on which the compilation of a notebook's crates depends.
fn key(workspace: &Workspace, chapter: &Chapter, compiler: &str) -> Result<String> {
    let setup = notebook::setup_code(workspace, chapter, Language::Portuguese)?;
    let manifests = workspace.manifests_hash(chapter)?;
    let mut hasher = Sha256::new();
    hasher.update([EVCXR_VERSION, compiler, &setup, &manifests].join("\0"));
    Ok(format!("{:x}", hasher.finalize()))
}

/// Runs the setup cell and the first cell of each notebook, so that the crates that they
/// need are compiled. A notebook that fails is told of and left cold: it can be opened
/// all the same.
///
/// # Errors
///
/// If the kernel does not start.
pub async fn warm(
    workspace: &Workspace,
    folders: &Folders,
    language: Language,
    program: &Path,
    cold: Vec<Cold>,
) -> Result<()> {
    let count = cold.len() as u64;
    let mut step = Step::begin("compile cache")?;
    let file = folders.file("warm.json")?;
    let mut stamp = Stamp::read(&file, evcxr_cache::folder().as_deref());
    let mut failed = 0;
    for (done, Cold { chapter, key }) in (0..).zip(cold) {
        let path = workspace.root.join(chapter.notebook(language));
        step.advance(done, count, &format!("{}: kernel", chapter.short()))?;
        let mut report = |what: &str| {
            step.advance(done, count, &format!("{}: {what}", chapter.short()))
        };
        let cells = first_cells(&path, program, &mut report).await?;
        evcxr_cache::mend()?;
        match cells {
            Ok([setup, first]) => {
                step.pass_on(&format!(
                    "  {}: setup cell {:.1} s, first cell {:.1} s",
                    chapter.short(),
                    setup.as_secs_f64(),
                    first.as_secs_f64()
                ));
                stamp.chapters.insert(chapter.name, key);
                stamp.write(&file)?; // now: an interruption keeps what is done
            }
            Err(error) => {
                failed += 1;
                step.pass_on(&format!("warning: {}: {error}", path.display()));
            }
        }
    }
    let warmed = count - failed;
    step.end(&format!("the compile cache is warm for {warmed} of {count} notebooks"))
}

/// The times of a notebook's setup cell and of its first cell after that; or what went
/// wrong in them.
async fn first_cells(
    path: &Path,
    program: &Path,
    report: &mut impl FnMut(&str) -> Result<()>,
) -> Result<Result<[Duration; 2], String>> {
    let notebook = match notebook::read(path) {
        Ok(notebook) => notebook,
        Err(error) => return Ok(Err(format!("{error:#}"))),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut kernel = Kernel::start_program(program, folder).await.context(
        "the notebooks cannot run (`--no-warm` opens JupyterLab without this check)",
    )?;
    let cells = notebook::code_cells(&notebook).filter(|(id, ..)| *id != INSTALL);
    let mut times = [Duration::ZERO; 2];
    for ((id, code, _), time) in cells.take(2).zip(&mut times) {
        report(if id == SETUP { "compiling its crates" } else { "its first cell" })?;
        let answer = match kernel.run(&code).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(format!("cell {id:?}: {error:#}"))),
        };
        if let Some(error) = answer.error {
            return Ok(Err(format!("cell {id:?} fails:\n{error}")));
        }
        *time = answer.took;
    }
    Ok(Ok(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(name: &str) -> Chapter {
        Chapter::of(&Path::new("src").join(name).with_extension("md"))
    }

    #[test]
    fn a_stamp_remembers_what_it_was_given_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (file, cache) =
            (folder.path().join("warm.json"), folder.path().join("cache"));
        let mut stamp = Stamp::default();
        stamp.chapters.insert("ch01-a".into(), "key".into());
        stamp.write(&file).unwrap();

        // The cache is gone, or empty: nothing is warm.
        assert_eq!(Stamp::read(&file, Some(&cache)), Stamp::default());
        fs::create_dir(&cache).unwrap();
        assert_eq!(Stamp::read(&file, Some(&cache)), Stamp::default());
        fs::write(cache.join("entry"), "").unwrap();
        let read = Stamp::read(&file, Some(&cache));
        assert_eq!(read, stamp);
        assert!(read.holds(&chapter("ch01-a"), "key"));
        assert!(!read.holds(&chapter("ch01-a"), "another"));
        assert!(!read.holds(&chapter("ch02-b"), "key"));

        fs::write(&file, "{\"chapters\": {\"ch01").unwrap(); // an interrupted write
        assert_eq!(Stamp::read(&file, Some(&cache)), Stamp::default());
    }

    #[test]
    fn a_key_changes_with_the_compiler_and_the_manifests_and_not_with_the_sources() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let home = root.join("chapters-code/ch01-a");
        fs::create_dir_all(home.join("src")).unwrap();
        fs::write(
            root.join("Cargo.toml"),
            "[workspace.dependencies]\nndarray = \"0.17\"\n",
        )
        .unwrap();
        let manifest =
            "[package]\nname = \"ch01-a\"\n[dependencies]\nndarray.workspace = true\n";
        fs::write(home.join("Cargo.toml"), manifest).unwrap();
        fs::write(home.join("src/lib.rs"), "pub fn one() {}").unwrap();
        let key = |compiler: &str| {
            key(&Workspace::at(root).unwrap(), &chapter("ch01-a"), compiler).unwrap()
        };
        let first = key("rustc 1.95");
        assert_ne!(key("rustc 1.96"), first);
        fs::write(home.join("src/lib.rs"), "pub fn two() {}").unwrap();
        assert_eq!(key("rustc 1.95"), first);
        fs::write(home.join("Cargo.toml"), format!("{manifest}libm = \"0.2\"\n"))
            .unwrap();
        let second = key("rustc 1.95");
        assert_ne!(second, first);
        fs::write(
            root.join("Cargo.toml"),
            "[workspace.dependencies]\nndarray = \"0.18\"\n",
        )
        .unwrap();
        assert_ne!(key("rustc 1.95"), second);
    }
}
