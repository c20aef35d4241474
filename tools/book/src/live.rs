//! What pages run in the reader's browser: modules compiled from the chapters' crates, which are
//! committed as notebooks are, and the scripts around them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::workspace::Workspace;

/// The crates that become modules.
pub const MODULES: [&str; 2] = ["live-models", "live-ndarray"];

/// Where the modules are, relative to the root, and where all of it is on the site.
pub const FOLDER: &str = "live";

/// The scripts and styles around the modules.
const WEB: &str = "chapters-code/live/web";

/// The models that pages may ask for, and their files.
const MODELS: [&str; 3] = ["bertinho", "bertinho-sentiment", "papagaio"];
const MODEL_FILES: [&str; 5] = [
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

/// What the modules were built from: the hash of each one's sources.
const RECORD: &str = "sources.json";

/// The modules of these names; all if none is given.
///
/// # Errors
///
/// If there is none of a name.
pub fn modules(named: &[String]) -> Result<Vec<&'static str>> {
    let find = |name: &String| {
        let found = MODULES.into_iter().find(|module| module == name);
        found.with_context(|| {
            format!("no module {name}: there are {}", MODULES.join(" and "))
        })
    };
    if named.is_empty() {
        Ok(MODULES.to_vec())
    } else {
        named.iter().map(find).collect()
    }
}

/// Writes down what the modules in `live/` were just built from.
///
/// # Errors
///
/// If a source can't be read, or the record not be written.
pub fn record(workspace: &Workspace, modules: &[&str]) -> Result<()> {
    let path = workspace.root.join(FOLDER).join(RECORD);
    let mut record = recorded(workspace)?;
    for module in modules {
        record.insert((*module).to_owned(), workspace.sources_hash_of(module)?);
    }
    let text = serde_json::to_string_pretty(&record)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The modules that were built from other sources than there are, and what mends them.
///
/// # Errors
///
/// If a source or the record can't be read.
pub fn findings(workspace: &Workspace) -> Result<Vec<String>> {
    if !workspace.root.join(WEB).is_dir() {
        return Ok(Vec::new()); // a book without live elements
    }
    let recorded = recorded(workspace)?;
    let mut findings = Vec::new();
    for module in MODULES {
        if recorded.get(module) != Some(&workspace.sources_hash_of(module)?) {
            findings.push(format!(
                "{FOLDER}/: {module} was built from other sources: run `cargo book live {module}`"
            ));
        }
    }
    Ok(findings)
}

fn recorded(workspace: &Workspace) -> Result<BTreeMap<String, String>> {
    let record = Path::new(FOLDER).join(RECORD);
    if !workspace.root.join(&record).exists() {
        return Ok(BTreeMap::new());
    }
    let text = workspace.read(&record)?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no record", record.display()))
}

/// Puts the modules, the scripts and the models into a site.
///
/// # Errors
///
/// If a file can't be read or written; if a module is stale, unless that is allowed.
pub fn copy(workspace: &Workspace, site: &Path, allow_stale: bool) -> Result<()> {
    if let Some(finding) = findings(workspace)?.first().filter(|_| !allow_stale) {
        bail!("{finding}");
    }
    if !workspace.root.join(WEB).is_dir() {
        return Ok(());
    }
    let to = site.join(FOLDER);
    for from in [FOLDER, WEB] {
        for file in files(&workspace.root.join(from))? {
            if file.file_name().is_some_and(|name| name != RECORD) {
                place(&file, &to)?;
            }
        }
    }
    for model in MODELS {
        let (folder, from) = (to.join(model), Path::new("weights").join(model));
        let mut list = Vec::new();
        for name in MODEL_FILES {
            let path = workspace.root.join(&from).join(name);
            place(&path, &folder)?;
            let bytes = fs::read(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let hash = format!("{:x}", Sha256::digest(&bytes));
            list.push(json!({ "name": name, "bytes": bytes.len(), "sha256": hash }));
        }
        fs::write(folder.join("files.json"), serde_json::to_string(&list)?)?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Copies a file to a folder of the site.
fn place(file: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}
