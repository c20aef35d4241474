//! `cargo book lab`: from a bare machine to an open JupyterLab in which every notebook
//! runs. What is there already is left alone, so that a second start takes seconds.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use book::kernel::EVCXR_VERSION;
use book::say;
use book::workspace::{Language, Workspace};

use crate::evcxr::{Found, Registered};
use crate::jupyter::JupyterLab;
use crate::library::Crates;
use crate::stop::Stop;

mod cargo;
pub mod evcxr;
pub mod jupyter;
#[path = "../../notebook/library.rs"]
pub mod library;
pub mod server;
pub mod step;
pub mod stop;
pub mod warm;
pub mod watch;

/// What a reader asks of `cargo book lab`.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Only say what is missing.
    pub check: bool,
    /// Whose notebooks to open.
    pub language: Language,
    /// The port on loopback; 0 for any free one.
    pub port: u16,
    /// Whether to open the browser.
    pub open: bool,
    /// Whether to compile what the notebooks' cells link against.
    pub warm: bool,
}

/// Where the command keeps what is its own, below the repository's `target`.
#[derive(Debug, Clone)]
pub struct Folders {
    target: PathBuf,
}

impl Folders {
    /// The folders of a repository.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        Self { target: workspace.root.join("target") }
    }

    /// The virtual environment that holds JupyterLab.
    #[must_use]
    pub fn venv(&self) -> PathBuf {
        self.target.join("lab-venv")
    }

    /// A file of the command's own, in a folder that is there.
    ///
    /// # Errors
    ///
    /// If the folder can't be made.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("lab");
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder.join(name))
    }
}

/// Runs the command; gives JupyterLab's exit code.
///
/// # Errors
///
/// If a step fails: what, and what may help.
pub async fn run(workspace: &Workspace, options: Options) -> Result<ExitCode> {
    if options.check {
        return check(workspace, options).await;
    }
    let port = server::port(options.port)?; // before the minutes of an installation
    let mut stop = Stop::listen()?;
    let lab = tokio::select! {
        lab = prepare(workspace, options) => lab?,
        () = stop.asked() => {
            eprintln!("stopped: the next `cargo book lab` goes on from here");
            return Ok(ExitCode::from(130));
        }
    };
    let folder = workspace.root.join("notebooks").join(options.language.folder());
    let folder: PathBuf = folder.components().collect(); // no slash at its end
    let server = server::run(&lab, &folder, port, options.open, &mut stop);
    let folders = Folders::of(workspace);
    let rest = async {
        if options.warm {
            warm::compile(workspace, &folders, Crates::Candle, true).await?;
        }
        std::future::pending().await
    };
    tokio::select! {
        code = server => code,
        error = rest => error,
    }
}

/// Sees to it that everything is there that notebooks need.
async fn prepare(workspace: &Workspace, options: Options) -> Result<JupyterLab> {
    let folders = Folders::of(workspace);
    let program = match evcxr::find().await? {
        Found::Ours(program) => {
            say(&format!("evcxr_jupyter {EVCXR_VERSION} is at {}", program.display()))?;
            program
        }
        Found::Other { program, version } => {
            say(&format!(
                "evcxr_jupyter at {} is of version {version}: the notebooks need {EVCXR_VERSION}",
                program.display()
            ))?;
            evcxr::install(&folders).await?
        }
        Found::Missing => evcxr::install(&folders).await?,
    };
    let spec = match evcxr::registered(&program)? {
        Registered::Yes(spec) => spec,
        Registered::Not(folder) => evcxr::register(&program, &folder).await?,
    };
    say(&format!("Jupyter knows the Rust kernel by {}", spec.display()))?;
    let lab = match jupyter::find(&folders).await {
        Some(lab) => {
            say(&format!(
                "JupyterLab {} is at {}",
                lab.version,
                lab.program.display()
            ))?;
            lab
        }
        None => jupyter::install(&folders).await?,
    };
    if options.warm {
        let cold = !Crates::Ndarray.file(&workspace.root).exists();
        warm::compile(workspace, &folders, Crates::Ndarray, false).await?;
        if cold {
            warm::try_kernel(workspace, options.language, &program).await?;
        }
    }
    Ok(lab)
}

/// Says what is there and what is missing; fails if something is.
async fn check(workspace: &Workspace, options: Options) -> Result<ExitCode> {
    let folders = Folders::of(workspace);
    let mut missing = 0;
    let mut line = |found: Result<String, String>| {
        missing += usize::from(found.is_err());
        let (mark, text) = match &found {
            Ok(text) => ("ok     ", text),
            Err(text) => ("missing", text),
        };
        say(&format!("{mark}  {text}"))
    };
    let kernel = evcxr::find().await?;
    line(match &kernel {
        Found::Ours(program) => {
            Ok(format!("evcxr_jupyter {EVCXR_VERSION} ({})", program.display()))
        }
        Found::Other { program, version } => Err(format!(
            "evcxr_jupyter {EVCXR_VERSION} ({} is of version {version})",
            program.display()
        )),
        Found::Missing => Err(format!("evcxr_jupyter {EVCXR_VERSION}")),
    })?;
    line(match kernel {
        Found::Ours(program) => match evcxr::registered(&program)? {
            Registered::Yes(spec) => {
                Ok(format!("its registration ({})", spec.display()))
            }
            Registered::Not(folder) => Err(format!(
                "its registration in {}",
                folder.join("kernels/rust").display()
            )),
        },
        _ => Err("its registration".to_owned()),
    })?;
    line(match jupyter::find(&folders).await {
        Some(lab) => {
            Ok(format!("JupyterLab {} ({})", lab.version, lab.program.display()))
        }
        None => Err(format!("JupyterLab {}", jupyter::pinned())),
    })?;
    for crates in [Crates::Ndarray, Crates::Candle] {
        if let (true, Some(name)) = (options.warm, warm::name(workspace, crates)?) {
            let there = crates.file(&workspace.root).exists();
            line(if there { Ok(name) } else { Err(name) })?;
        }
    }
    if missing > 0 {
        eprintln!("`cargo book lab` sees to what is missing");
    }
    Ok(ExitCode::from(u8::from(missing > 0)))
}

/// How to install a C compiler, which linking needs.
fn c_compiler() -> &'static str {
    if cfg!(target_os = "macos") {
        "`xcode-select --install`"
    } else if cfg!(windows) {
        "Visual Studio's Build Tools, with C++"
    } else {
        "Debian and Ubuntu: `sudo apt install build-essential`; Fedora: `sudo dnf install gcc`"
    }
}
