//! A stub put back in the place of an answer, of which a copy is kept.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use book::exercises::{Exercise, FOLDER};
use book::include::without_errors;
use book::workspace::Workspace;

/// The folder of the answers that were taken out, beside the exercises: `cargo clean` leaves it.
const KEPT: &str = "kept";

/// Puts an exercise's stub back; gives the file, relative to the root, that keeps the answer, if
/// there was one.
///
/// # Errors
///
/// If the exercise's anchors are gone from the file, the stub can't be found, or a file can't be
/// read or written. The answer is then where it was.
pub fn reset(workspace: &Workspace, exercise: &Exercise) -> Result<Option<PathBuf>> {
    let file = exercise.file();
    let path = workspace.root.join(&file);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let stub = exercise.stub(workspace)?;
    let Some(part) = exercise.part(&text) else {
        bail!(
            "{}: the lines `// ANCHOR: …` and `// ANCHOR_END: …` around `pub fn {}` are gone: put \
             this between them by hand:\n\n{stub}",
            file.display(),
            exercise.function
        );
    };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let answer = &text[part.clone()];
    let shipped = with_docs(exercise, &stub, answer).replace('\n', line_end) + line_end;
    if answer == shipped {
        return Ok(None);
    }
    let kept = keep(workspace, exercise, answer)?;
    let new = [&text[..part.start], &shipped, &text[part.end..]].concat();
    replace(&path, &new).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Some(kept))
}

/// The stub with the answer's docs, where these only say more: pages leave out which errors a
/// function gives.
fn with_docs(exercise: &Exercise, stub: &str, answer: &str) -> String {
    let answer = answer.replace("\r\n", "\n");
    let begin = format!("pub fn {}", exercise.function);
    match (stub.split_once(&begin), answer.split_once(&begin)) {
        (Some((head, tail)), Some((own, _)))
            if without_errors(&format!("{own}{begin}")) == format!("{head}{begin}") =>
        {
            format!("{own}{begin}{tail}")
        }
        _ => stub.to_owned(),
    }
}

/// Writes the answer to a file of its own; none that is there is overwritten.
fn keep(workspace: &Workspace, exercise: &Exercise, answer: &str) -> Result<PathBuf> {
    let folder = Path::new(FOLDER).join(KEPT);
    let at = |path: &Path| workspace.root.join(path);
    fs::create_dir_all(at(&folder))
        .with_context(|| format!("cannot make {}", folder.display()))?;
    for number in 1.. {
        let kept = folder.join(format!("{}-{number}.rs", exercise.test));
        match OpenOptions::new().write(true).create_new(true).open(at(&kept)) {
            Ok(mut file) => {
                file.write_all(answer.as_bytes())
                    .with_context(|| format!("cannot write {}", kept.display()))?;
                return Ok(kept);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot write {}", kept.display()));
            }
        }
    }
    bail!("no name is left in {}", folder.display())
}

/// Writes a file whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("rs.new~");
    fs::write(&new, text)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use book::exercises;

    use super::*;

    /// What is read of the book: its exercises' files are a copy, to be written.
    fn copy() -> (tempfile::TempDir, Workspace) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = |name: &Path| folder.path().join(name);
        let files = |name: &str| {
            let entries = fs::read_dir(root.join(name)).unwrap();
            entries
                .map(|e| e.unwrap().path())
                .filter(|path| path.is_file())
                .collect::<Vec<_>>()
        };
        let mut all = vec![root.join("Cargo.toml"), root.join("book.toml")];
        for name in ["src", "notebooks", "chapters-code/exercises/tests"] {
            all.extend(files(name));
        }
        all.extend(files("chapters-code/exercises/src"));
        all.extend(files("chapters-code/solutions/src"));
        for chapter in Workspace::at(&root).unwrap().chapters().unwrap() {
            all.push(root.join(chapter.crate_folder()).join("Cargo.toml"));
        }
        for path in all {
            let to = to(path.strip_prefix(&root).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(path, to).unwrap();
        }
        let workspace = Workspace::at(folder.path()).unwrap();
        (folder, workspace)
    }

    /// Each solution takes its stub's place, and each stub comes back, to the byte.
    #[test]
    fn every_stub_comes_back_as_it_was_and_every_answer_is_kept() {
        let (_folder, workspace) = copy();
        for exercise in exercises::all(&workspace).unwrap() {
            let path = workspace.root.join(exercise.file());
            let found = fs::read_to_string(&path).unwrap();
            let kept = reset(&workspace, &exercise).unwrap();
            // A reader who has solved it has something to keep.
            assert_eq!(kept.is_none(), exercise.is_open(&found), "{}", exercise.name());
            let shipped = fs::read_to_string(&path).unwrap();
            assert!(kept.is_some() || shipped == found);
            let part = exercise.part(&shipped).unwrap();
            let answer = shipped[part.clone()].replace("todo!(", "panic!(");
            let solved =
                [&shipped[..part.start], &answer, &shipped[part.end..]].concat();
            fs::write(&path, &solved).unwrap();
            let kept = reset(&workspace, &exercise).unwrap().unwrap();
            assert_eq!(
                fs::read_to_string(&path).unwrap(),
                shipped,
                "{}",
                exercise.name()
            );
            assert_eq!(workspace.read(&kept).unwrap(), answer, "{}", exercise.name());
        }
    }

    #[test]
    fn an_answer_that_was_kept_before_is_not_overwritten() {
        let (_folder, workspace) = copy();
        let exercise = exercises::all(&workspace).unwrap().remove(0);
        let path = workspace.root.join(exercise.file());
        reset(&workspace, &exercise).unwrap(); // a reader may have solved it
        let shipped = fs::read_to_string(&path).unwrap();
        let mut kept = Vec::new();
        for answer in ["one();", "two();"] {
            let line = "todo!(\"exercise 1: its statement and its hints are on the page of chapter 1\")";
            // A signature that was changed comes back, too, and so do Windows' line ends.
            let solved = shipped.replacen(line, answer, 1).replacen(
                "softmax(scores:",
                "softmax(s:",
                1,
            );
            fs::write(&path, solved.replace('\n', "\r\n")).unwrap();
            kept.push(reset(&workspace, &exercise).unwrap().unwrap());
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text, shipped.replace('\n', "\r\n"));
        }
        for (path, answer) in kept.iter().zip(["one();", "two();"]) {
            assert!(
                workspace.read(path).unwrap().contains(answer),
                "{}",
                path.display()
            );
        }
        assert_ne!(kept[0], kept[1]);
    }

    #[test]
    fn without_its_anchors_nothing_is_touched_and_the_stub_is_told() {
        let (_folder, workspace) = copy();
        let exercise = exercises::all(&workspace).unwrap().remove(0);
        let path = workspace.root.join(exercise.file());
        fs::write(&path, "pub fn softmax() {}\n").unwrap();
        let error = reset(&workspace, &exercise).unwrap_err().to_string();
        assert!(error.contains("todo!(\"exercise 1:"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "pub fn softmax() {}\n");
    }
}
