//! One copy of what both editions have: a reader who turns to the other language has it already.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::{Captures, Regex};
use walkdir::WalkDir;

use super::{read, write};

/// Removes from an edition, a folder of the site, what the site's root has, too, and leads its
/// pages to the root's copy.
///
/// # Errors
///
/// If a file can't be read, written or removed.
pub fn with_root(site: &Path, folder: &str) -> Result<()> {
    let edition = site.join(folder);
    let (mut pages, mut shared) = (Vec::new(), HashSet::new());
    for entry in WalkDir::new(&edition).sort_by_file_name() {
        let entry =
            entry.with_context(|| format!("cannot list {}", edition.display()))?;
        let name = entry.path().strip_prefix(&edition)?.to_owned();
        if name.extension().is_some_and(|extension| extension == "html") {
            pages.push(name);
        } else if entry.file_type().is_file()
            && same(&edition.join(&name), &site.join(&name))?
        {
            fs::remove_file(edition.join(&name))
                .with_context(|| format!("cannot remove {}", entry.path().display()))?;
            shared.insert(name);
        }
    }
    for page in pages {
        let path = edition.join(&page);
        write(&path, &led_up(&read(&path)?, &page, &shared))?;
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> Result<bool> {
    let bytes = |path: &Path| {
        fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    };
    Ok(other.is_file() && bytes(one)? == bytes(other)?)
}

/// A page whose addresses of shared files go one folder higher.
fn led_up(html: &str, page: &Path, shared: &HashSet<PathBuf>) -> String {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r##" (src|href|data-drawing|data-view-data|data-view-code)="([^"#?:]+)([#?][^"]*)?""##,
        )
        .expect("a valid pattern")
    });
    let folder = page.parent().unwrap_or(Path::new(""));
    let led = ADDRESS.replace_all(html, |address: &Captures<'_>| {
        let (name, target) = (&address[1], &address[2]);
        if shared.contains(&resolved(folder, target)) {
            let part = address.get(3).map_or("", |part| part.as_str());
            format!(" {name}=\"../{target}{part}\"")
        } else {
            address[0].to_owned()
        }
    });
    led.into_owned()
}

/// The file of the edition that an address in a file of `folder` leads to.
pub(super) fn resolved(folder: &Path, address: &str) -> PathBuf {
    let mut path = folder.to_path_buf();
    for part in address.split('/') {
        match part {
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_editions_have_is_there_once() {
        let site = tempfile::tempdir().unwrap();
        let at = |name: &str| site.path().join(name);
        fs::create_dir_all(at("en/css")).unwrap();
        fs::create_dir_all(at("css")).unwrap();
        fs::create_dir_all(at("en/part/one")).unwrap();
        let page = "<link href=\"css/a.css\"><script src=\"toc.js\"></script>\
                    <a href=\"b.html\">b</a><a href=\"css/a.css#x\">c</a>";
        for (name, text) in [
            ("css/a.css", "a"),
            ("en/css/a.css", "a"),
            ("toc.js", "Sumário"),
            ("en/toc.js", "Contents"),
            ("b.html", page),
            ("en/b.html", page),
            ("en/part/one/c.html", "<link href=\"../../css/a.css\">"),
        ] {
            fs::write(at(name), text).unwrap();
        }
        with_root(site.path(), "en").unwrap();
        assert!(!at("en/css/a.css").exists() && at("en/toc.js").exists());
        assert_eq!(fs::read_to_string(at("b.html")).unwrap(), page);
        let led = page.replace("\"css/a.css", "\"../css/a.css");
        assert_eq!(fs::read_to_string(at("en/b.html")).unwrap(), led);
        let inside = fs::read_to_string(at("en/part/one/c.html")).unwrap();
        assert_eq!(inside, "<link href=\"../../../css/a.css\">");
    }
}
