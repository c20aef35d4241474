//! evcxr's cache of compiled crates, and a fault of it that we mend from outside.
//!
//! With `:cache`, evcxr keeps what it compiles of crates.io for other sessions, with
//! rustc's list of the files that each crate was made from (`*.d`). A crate with a build
//! script may include a file that the script wrote, and the list then names that file in
//! the temporary folder of the kernel that compiled it, which is gone. A later kernel
//! gets the list from the cache, and its cargo finds a file missing: for *every* cell it
//! compiles that crate again, and each crate that stands on it. `serde_core` and
//! `thiserror` are such crates, so that is nearly all of them.
//!
//! The build script's own files need not be in the list: cargo runs the script again, and
//! compiles its crate again, when the script changes. So [`mend`] leaves them out.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::Regex;
use walkdir::WalkDir;

/// Where evcxr keeps its cache: nothing, if this machine's user has no home.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    let folder = if cfg!(target_os = "macos") {
        std::env::home_dir()?.join("Library/Caches")
    } else if cfg!(windows) {
        set("LOCALAPPDATA")?
    } else {
        set("XDG_CACHE_HOME").or_else(|| Some(std::env::home_dir()?.join(".cache")))?
    };
    Some(folder.join("evcxr"))
}

/// Mends evcxr's cache, if there is one: takes the files that build scripts wrote out of
/// all lists. Gives how many lists had any.
///
/// # Errors
///
/// If a list can't be replaced.
pub fn mend() -> Result<usize> {
    folder().map_or(Ok(0), |cache| mend_in(&cache))
}

/// Mends the cache in a folder; one that isn't there has nothing to mend.
fn mend_in(cache: &Path) -> Result<usize> {
    let mut mended = 0;
    for entry in WalkDir::new(cache).min_depth(2).max_depth(2).into_iter().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "d") {
            continue;
        }
        let Ok(list) = fs::read_to_string(path) else {
            continue; // evicted just now, or not rustc's
        };
        let kept = without_written_files(&list);
        if kept != list {
            replace(path, &kept)
                .with_context(|| format!("cannot mend {}", path.display()))?;
            mended += 1;
        }
    }
    Ok(mended)
}

/// Replaces a file whole: a kernel that is copying it has the old one or the new one.
fn replace(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// A list without the files below a build script's `OUT_DIR`. Its lines are `target: file
/// file …` and, for each file, `file:`; a space in a path is written `\ `.
fn without_written_files(list: &str) -> String {
    static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
        let path = r"(?:[^\s\\]|\\[^\r\n])*[/\\]build[/\\][^/\\\s]+[/\\]out[/\\](?:[^\s\\]|\\[^\r\n])*";
        Regex::new(&format!(r"(?m)^{path}:\r?\n|[ ]{path}")).expect("a valid pattern")
    });
    WRITTEN.replace_all(list, "").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
/tmp/.tmpA/target/debug/deps/thiserror-6.d: /reg/thiserror-2/src/lib.rs \
/reg/thiserror-2/src/build/out.rs /tmp/.tmpA/target/debug/build/thiserror-3/out/private.rs

/reg/thiserror-2/src/lib.rs:
/reg/thiserror-2/src/build/out.rs:
/tmp/.tmpA/target/debug/build/thiserror-3/out/private.rs:

# env-dep:OUT_DIR=/tmp/.tmpA/target/debug/build/thiserror-3/out
";

    const KEPT: &str = "\
/tmp/.tmpA/target/debug/deps/thiserror-6.d: /reg/thiserror-2/src/lib.rs \
/reg/thiserror-2/src/build/out.rs

/reg/thiserror-2/src/lib.rs:
/reg/thiserror-2/src/build/out.rs:

# env-dep:OUT_DIR=/tmp/.tmpA/target/debug/build/thiserror-3/out
";

    #[test]
    fn files_of_build_scripts_go_and_all_others_stay() {
        assert_eq!(without_written_files(LIST), KEPT);
        assert_eq!(without_written_files(KEPT), KEPT);
        let spaces = |text: &str| text.replace("/tmp/", "/tmp/my\\ folder/");
        assert_eq!(without_written_files(&spaces(LIST)), spaces(KEPT));
        let windows = |text: &str| {
            text.replace("/tmp/", "C:\\Temp\\").replace('\n', "\r\n").replace('/', "\\")
        };
        assert_eq!(without_written_files(&windows(LIST)), windows(KEPT));
    }

    #[test]
    fn a_cache_is_mended_once() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(mend_in(&cache.path().join("none")).unwrap(), 0);
        let entry = cache.path().join("123");
        fs::create_dir(&entry).unwrap();
        fs::write(entry.join("thiserror-6.d"), LIST).unwrap();
        fs::write(entry.join("stderr"), LIST).unwrap();
        assert_eq!(mend_in(cache.path()).unwrap(), 1);
        assert_eq!(mend_in(cache.path()).unwrap(), 0);
        assert_eq!(fs::read_to_string(entry.join("thiserror-6.d")).unwrap(), KEPT);
        assert_eq!(fs::read_to_string(entry.join("stderr")).unwrap(), LIST);
        assert_eq!(fs::read_dir(&entry).unwrap().count(), 2);
    }
}
