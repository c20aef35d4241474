//! Builds the modules that pages run in the reader's browser, all or those that are named, and
//! writes them to `live/`: `cargo book live [MODULE…]`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use book::live;
use book::programs;
use book::workspace::Workspace;
use wasm_bindgen_cli_support::Bindgen;

/// The processor of a browser.
const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> ExitCode {
    cli::exit_code(build(&std::env::args().skip(1).collect::<Vec<_>>()))
}

fn build(named: &[String]) -> Result<()> {
    let workspace = Workspace::find()?;
    let modules = live::modules(named)?;
    let compiled = workspace.root.join("target/live");
    compile(&workspace.root, &compiled)?;
    for module in &modules {
        let file = module.replace('-', "_");
        let input = compiled.join(format!("{TARGET}/live/{file}.wasm"));
        Bindgen::new()
            .input_path(&input)
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(workspace.root.join(live::FOLDER))
            .with_context(|| format!("cannot bind {}", input.display()))?;
    }
    live::record(&workspace, &modules)
}

/// Compiles all modules, `target/live/wasm32-unknown-unknown/live/*.wasm`: together, since what one asks of
/// a library both get, and the same sources are to give the same bytes.
fn compile(root: &Path, target: &Path) -> Result<()> {
    // A module tells where it was compiled in its messages: not in whose folder.
    let home = std::env::home_dir().unwrap_or_default();
    let cargo =
        std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), Into::into);
    let remap =
        |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = [
        "-Ctarget-feature=+simd128".to_owned(),
        remap(root, "book"),
        remap(&cargo, "cargo"),
    ];
    let mut cargo = programs::cargo();
    cargo.current_dir(root).args(["build", "--profile", "live", "--target", TARGET]);
    for module in live::MODULES {
        cargo.args(["--package", module]);
    }
    cargo.arg("--target-dir").arg(target);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let status = cargo.status().context("cannot start cargo")?;
    ensure!(
        status.success(),
        "the modules don't compile; if {TARGET} is what is missing: rustup target add {TARGET}"
    );
    Ok(())
}
