//! `cargo book`: builds, serves and checks the book and its notebooks.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use book::build::{self, BuildOptions};
use book::preprocess::{BookPreprocessor, Options};
use book::volume::{Offers, pdf};
use book::workspace::{Chapter, Language, Workspace};
use book::{
    cells, check, compare, i18n, new, notebook, programs, run, say, serve, walkthrough,
};
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand};
use mdbook_preprocessor::Preprocessor;

/// Builds, serves and checks the book and its notebooks.
#[derive(Parser)]
#[command(bin_name = "cargo book")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Build both editions and serve them on this machine, reloading on change (the
    /// default)
    Serve(Serve),
    /// Build the static site in target/book
    Build {
        /// Build although outputs are older than the code
        #[arg(long)]
        allow_stale: bool,
    },
    /// Build the static site with the whole book in one file, in both languages: a PDF for
    /// paper, which Chromium prints, and an EPUB for e-readers
    Print {
        /// Build although outputs are older than the code
        #[arg(long)]
        allow_stale: bool,
    },
    /// Execute notebooks through the evcxr kernel and write them, in both languages
    Notebooks {
        /// Chapters by their beginnings (ch01); all of them if none is given
        chapters: Vec<String>,
        /// Execute and compare with the committed notebooks; write nothing
        #[arg(long, conflicts_with = "text")]
        check: bool,
        /// Keep the recorded outputs: prose or translation changed, code did not
        #[arg(long)]
        text: bool,
    },
    /// Install what notebooks need, where it is missing, and open JupyterLab on them
    Lab(Lab),
    /// Solve the exercises: what is solved, and a verdict on each save
    Exercises(Exercises),
    /// Compare the outputs of two executed notebooks
    Compare {
        /// The notebook whose outputs are right
        expected: PathBuf,
        /// The notebook to judge
        actual: PathBuf,
    },
    /// Run chapters' walkthroughs and compare what they print with the notebooks: a check
    /// of the same cells without a kernel, for instance with KERNELS_ISA=scalar
    Walkthroughs {
        /// Chapters by their beginnings (ch01); all of them if none is given
        chapters: Vec<String>,
        /// A program to run them under, with its arguments: an emulator of another
        /// processor
        #[arg(long, value_name = "PROGRAM")]
        under: Option<String>,
    },
    /// Check freshness, links, alternative texts, translation, the numbers in the prose and
    /// of figures, citations, terms, and the length and folds of listings, their anchors and docs
    Check {
        /// Only list the cells that print numbers of which their section's prose takes up none:
        /// a list to judge
        #[arg(long)]
        outputs: bool,
    },
    /// Build the modules that pages run in the reader's browser
    Live {
        /// Which; all of them if none is given
        modules: Vec<String>,
    },
    /// Bring po/en.po up to date with the pages
    Messages,
    /// Make the skeleton of something new
    New {
        #[command(subcommand)]
        what: New,
    },
    /// Speak mdBook's preprocessor protocol on standard input and output
    Preprocess {
        #[command(subcommand)]
        query: Option<Query>,
    },
}

#[derive(Subcommand)]
enum New {
    /// A chapter or an appendix in all its lives: page, crate, exercises, and its lines in every
    /// list that names chapters
    Chapter {
        /// `ch09-two-words`, or `a4-two-words` for an appendix
        name: String,
        /// Its title, in Portuguese
        #[arg(long, default_value = "Título do capítulo")]
        title: String,
        /// Its title in English, for the README
        #[arg(long, default_value = "Title of the chapter")]
        title_en: String,
    },
}

#[derive(Subcommand)]
enum Query {
    /// Whether a renderer is supported
    Supports {
        /// The renderer's name
        renderer: String,
    },
}

#[derive(Args, Clone)]
struct Serve {
    /// Port on 127.0.0.1 (0: any free one)
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Open the book in the browser
    #[arg(long)]
    open: bool,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Lab {
    /// Only say what is there and what is missing (exit code 1 if something is)
    #[arg(long)]
    check: bool,
    /// Whose notebooks
    #[arg(long, value_parser = language(), default_value = Language::Portuguese.tag())]
    lang: Language,
    /// Port on 127.0.0.1 (0: any free one)
    #[arg(long, default_value_t = 8888)]
    port: u16,
    /// Open JupyterLab in the browser (the default)
    #[arg(long, overrides_with = "no_open")]
    open: bool,
    /// Do not open the browser
    #[arg(long, visible_alias = "no-browser", overrides_with = "open")]
    no_open: bool,
    /// Compile nothing before JupyterLab opens: the first cell of a notebook may then take
    /// minutes
    #[arg(long)]
    no_warm: bool,
}

#[derive(Args)]
struct Exercises {
    /// The language to speak: Portuguese if that of the environment (LC_ALL, LC_MESSAGES, LANG) is
    /// or if none is set, else English
    #[arg(long, global = true, value_parser = language())]
    lang: Option<Language>,
    /// Where to begin: an exercise (1.3, or ch01_3) or a chapter (1, or ch01)
    from: Option<String>,
    #[command(subcommand)]
    command: Option<ExercisesCommand>,
}

#[derive(Subcommand)]
enum ExercisesCommand {
    /// Show every exercise: solved (■), tried (◪) or open (□), with its file and line
    List,
    /// Show the exercise to solve now, and what its test says
    Next,
    /// Show the first hint of an exercise
    Hint {
        /// Which: 1.3, or ch01_3, or 3 of the chapter in work; the one to solve now if none is given
        exercise: Option<String>,
        /// All its hints: the last one is almost the recipe
        #[arg(long)]
        more: bool,
    },
    /// Show one answer to an exercise
    Solution {
        /// Which: 1.3, or ch01_3, or 3 of the chapter in work; the one to solve now if none is given
        exercise: Option<String>,
    },
    /// Put an exercise back as it came; the answer is kept in a file of its own
    Reset {
        /// Which: 1.3, or ch01_3, or 3 of the chapter in work
        exercise: String,
    },
}

impl Exercises {
    fn command(self) -> practice::Command {
        match self.command {
            None => practice::Command::Watch(self.from),
            Some(ExercisesCommand::List) => practice::Command::List,
            Some(ExercisesCommand::Next) => practice::Command::Next,
            Some(ExercisesCommand::Hint { exercise, more }) => {
                practice::Command::Hint { exercise, more }
            }
            Some(ExercisesCommand::Solution { exercise }) => {
                practice::Command::Solution(exercise)
            }
            Some(ExercisesCommand::Reset { exercise }) => {
                practice::Command::Reset(exercise)
            }
        }
    }
}

fn language() -> impl clap::builder::TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::ALL.map(Language::tag))
        .try_map(|tag| Language::from_tag(&tag).ok_or("no such edition"))
}

#[tokio::main]
async fn main() -> ExitCode {
    dispatch(Arguments::parse()).await.unwrap_or_else(cli::failure)
}

async fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(Serve { port, open }) => {
            serve::serve(workspace, port, open).await?;
        }
        Command::Build { allow_stale } => {
            let options = BuildOptions { allow_stale, ..BuildOptions::default() };
            say(&build::site(&workspace, options)?.display().to_string())?;
        }
        Command::Print { allow_stale } => print_volumes(&workspace, allow_stale)?,
        Command::Notebooks { chapters, check, text } => {
            for chapter in workspace.select(&chapters)? {
                notebooks(&workspace, &chapter, check, text).await?;
            }
        }
        Command::Lab(Lab { check, lang, port, open: _, no_open, no_warm }) => {
            let (open, warm) = (!no_open, !no_warm);
            let options = lab::Options { check, language: lang, port, open, warm };
            return lab::run(&workspace, options).await;
        }
        Command::Exercises(exercises) => {
            let language = exercises.lang.unwrap_or_else(practice::language);
            return practice::run(&workspace, exercises.command(), language).await;
        }
        Command::Compare { expected, actual } => {
            let (expected, actual) =
                (notebook::read(&expected)?, notebook::read(&actual)?);
            say(&compare::notebooks(&expected, &actual)?.to_string())?;
        }
        Command::Walkthroughs { chapters, under } => {
            for chapter in workspace.select(&chapters)? {
                let agreement =
                    walkthrough::check(&workspace, &chapter, under.as_deref())?;
                say(&format!("{}: {agreement}", chapter.name))?;
            }
        }
        Command::Check { outputs: false } => check_all(&workspace)?,
        Command::Check { outputs: true } => {
            for cell in check::outputs::unread(&workspace)? {
                say(&cell)?;
            }
        }
        Command::Live { modules } => live(&workspace, &modules)?,
        Command::Messages => {
            let waiting = i18n::update(&workspace, Language::English)?;
            say(&format!(
                "po/en.po is up to date; {waiting} messages await a translation"
            ))?;
        }
        Command::New { what: New::Chapter { name, title, title_en } } => {
            new_chapter(&workspace, &new::Chapter { name, title, title_en })?;
        }
        Command::Preprocess { query } => return preprocess(workspace, query),
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the modules by a program of its own, which takes minutes to compile.
fn live(workspace: &Workspace, modules: &[String]) -> Result<()> {
    let mut build = programs::cargo();
    build
        .current_dir(&workspace.root)
        .args(["run", "--quiet", "--package", "live-build", "--"])
        .args(modules);
    let status = build.status().context("cannot start cargo")?;
    ensure!(status.success(), "the modules are not built");
    Ok(())
}

async fn notebooks(
    workspace: &Workspace,
    chapter: &Chapter,
    check: bool,
    text: bool,
) -> Result<()> {
    let outputs = if text {
        notebook::fresh_outputs(workspace, chapter)?
    } else {
        let (outputs, timing) = run::execute(workspace, chapter).await?;
        say(&format!(
            "{}: {:.1} s in all: kernel {:.1} s, setup {:.1} s, {} cells of {:.2} s (median)",
            chapter.name,
            timing.total().as_secs_f64(),
            timing.startup.as_secs_f64(),
            timing.setup.as_secs_f64(),
            timing.cells.len(),
            timing.median().as_secs_f64(),
        ))?;
        outputs
    };
    for (path, built) in notebook::editions(workspace, chapter, &outputs)? {
        let path = workspace.root.join(path);
        if check {
            let agreement = compare::notebooks(&notebook::read(&path)?, &built)?;
            say(&format!("{}: {agreement}", path.display()))?;
        } else {
            notebook::write(&built, &path)?;
        }
    }
    Ok(())
}

/// The site with its volumes. Without Chromium there is no PDF, and no link to one.
fn print_volumes(workspace: &Workspace, allow_stale: bool) -> Result<()> {
    let pdf = pdf::chromium()?.is_some();
    if !pdf {
        eprintln!(
            "no Chromium on the PATH: no PDF (Debian, Ubuntu: apt-get install chromium; or \
             CHROME=/path/to/it)"
        );
    }
    let offers = Offers { epub: true, pdf };
    let options = BuildOptions { live: false, allow_stale, offers };
    let site = build::site(workspace, options)?;
    for language in Language::ALL {
        for (file, _) in offers.files(language) {
            say(&site.join(language.folder()).join(file).display().to_string())?;
        }
    }
    Ok(())
}

fn check_all(workspace: &Workspace) -> Result<()> {
    let mut findings = check::freshness(workspace)?;
    for check in [
        check::listings::long,
        check::listings::wide,
        check::listings::drawings,
        check::listings::unused_anchors,
        check::docs::riddles,
        check::unlisted_pages,
        check::questions::weak,
        check::numbers::unsourced,
        check::figures::misnumbered,
        check::citations::unsound,
        check::graph::unfaithful,
        check::release::miscited,
        check::roundtrip::altered,
        cells::unfaithful,
        check::terms::early,
        check::rivals::used,
        check::english::faults,
        check::english::in_code,
    ] {
        findings.extend(check(workspace)?);
    }
    findings.extend(i18n::findings(workspace, Language::English)?);
    let site = tempfile::tempdir()?;
    let allow_stale = true; // said above, if so
    let options = BuildOptions { allow_stale, ..BuildOptions::default() };
    build::site_in(workspace, site.path(), options)?;
    findings.extend(check::site::findings(site.path())?);
    for finding in &findings {
        eprintln!("error: {finding}");
    }
    ensure!(findings.is_empty(), "{} findings", findings.len());
    say("the book is in order")
}

fn new_chapter(workspace: &Workspace, chapter: &new::Chapter) -> Result<()> {
    let [new, changed] = new::chapter(workspace, chapter)?;
    for (what, paths) in [("new", new), ("changed", changed)] {
        for path in paths {
            say(&format!("{what:<8} {}", path.display()))?;
        }
    }
    let name = &chapter.name;
    say(&format!(
        "\nNext:\n\
         1. cargo test -p {name} -p solutions         the skeleton compiles, and its exercise is solved\n\
         2. write the page and the crate             CONTRIBUTING.md says in which order\n\
         3. cargo book notebooks {name}\n\
         4. cargo book messages                      then translate in po/en.po: TRANSLATING.md\n\
         5. cargo book notebooks --text {name}\n\
         6. cargo book check"
    ))
}

fn preprocess(workspace: Workspace, query: Option<Query>) -> Result<ExitCode> {
    let preprocessor = BookPreprocessor::new(workspace, Options::default());
    if let Some(Query::Supports { renderer }) = query {
        let supported = preprocessor.supports_renderer(&renderer)?;
        return Ok(ExitCode::from(u8::from(!supported)));
    }
    let (context, book) = mdbook_preprocessor::parse_input(std::io::stdin())?;
    let book = preprocessor.run(&context, book)?;
    serde_json::to_writer(std::io::stdout().lock(), &book)?;
    Ok(ExitCode::SUCCESS)
}
