//! Executes chapters' notebooks, a progress bar per cell.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use nbformat::v4::{MultilineString, Output};

use crate::cells;
use crate::i18n;
use crate::kernel::{Answer, Kernel};
use crate::notebook::{self, Outputs};
use crate::page::{self, Cell, Located};
use crate::workspace::{Chapter, Language, Workspace};

/// What an execution took.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Kernel start, in seconds.
    pub startup: Duration,
    /// The setup cell, which compiles the crates.
    pub setup: Duration,
    /// Each other cell.
    pub cells: Vec<Duration>,
}

impl Timing {
    /// The middle cell.
    #[must_use]
    pub fn median(&self) -> Duration {
        let mut cells = self.cells.clone();
        cells.sort();
        cells.get(cells.len() / 2).copied().unwrap_or_default()
    }

    /// From the kernel's start to the last cell's end.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.startup + self.setup + self.cells.iter().sum::<Duration>()
    }
}

/// Executes a chapter's cells in a fresh kernel, in the notebook's folder.
///
/// # Errors
///
/// If evcxr is missing or dies; if a cell fails: page, line and the kernel's own
/// message.
pub async fn execute(
    workspace: &Workspace,
    chapter: &Chapter,
) -> Result<(Outputs, Timing)> {
    let blocks = i18n::blocks(workspace, chapter, Language::Portuguese)?;
    let cells: Vec<(usize, &Cell)> = page::cells(&blocks).collect();
    let bar = progress(chapter, cells.len() + 2)?;
    let folder = workspace.root.join("notebooks");
    std::fs::create_dir_all(&folder)?;
    bar.set_message("kernel");
    let start = std::time::Instant::now();
    let mut kernel = Kernel::start(&folder).await?;
    let startup = start.elapsed();
    bar.inc(1);
    bar.set_message("setup (compiles the crates the first time)");
    let code = notebook::setup_code(workspace, chapter, Language::Portuguese)?;
    let answer = kernel.run(&code).await?;
    ensure!(
        answer.error.is_none(),
        "{}: the setup cell fails:\n{code}\n\n{}",
        chapter.page().display(),
        answer.error.unwrap_or_default()
    );
    bar.inc(1);
    let mut timing = Timing { startup, setup: answer.took, cells: Vec::new() };
    let mut answers = Vec::new();
    for (line, cell) in cells {
        bar.set_message(cell.id.clone());
        let answer = kernel.run(&cells::as_run(&cell.code)).await?;
        timing.cells.push(answer.took);
        let stop = answer.error.is_some() && !cell.fails;
        answers.push((line, cell, answer));
        bar.inc(1);
        if stop {
            break;
        }
    }
    kernel.settle().await?;
    bar.finish_and_clear();
    let mut outputs = Outputs::new();
    for (line, cell, answer) in answers {
        let said = kernel.stderr_of(&answer.id);
        outputs.insert(cell.id.clone(), judge(chapter, line, cell, answer, said)?);
    }
    check_figures(chapter, &blocks, &outputs)?;
    Ok((outputs, timing))
}

/// A cell must fail if and only if it is there to show an error. Gives its outputs.
fn judge(
    chapter: &Chapter,
    line: usize,
    cell: &Cell,
    answer: Answer,
    said: Option<String>,
) -> Result<Vec<Output>> {
    let at = format!("{}:{line}: cell {:?}", chapter.page().display(), cell.id);
    let wrote = said.as_ref().map(|text| format!("written to standard error: {text}"));
    let error =
        [answer.error, wrote].into_iter().flatten().reduce(|a, b| a + "\n" + &b);
    match (error, cell.fails) {
        (Some(error), false) => bail!("{at} fails:\n{}\n\n{error}", cell.code),
        (None, true) => bail!("{at} is marked as one that fails, and it does not"),
        _ => {}
    }
    let mut outputs = answer.outputs;
    ensure!(
        !outputs.iter().any(notebook::is_unit),
        "{at} shows (): end it with a semicolon"
    );
    outputs.extend(said.map(|text| Output::Stream {
        name: "stderr".into(),
        text: MultilineString(text),
    }));
    Ok(outputs)
}

/// A cell shows one figure, and every figure has a caption after its cell.
fn check_figures(
    chapter: &Chapter,
    blocks: &[Located],
    outputs: &Outputs,
) -> Result<()> {
    use Output::{DisplayData, ExecuteResult};
    for (i, located) in blocks.iter().enumerate() {
        let page::Block::Cell(cell) = &located.block else {
            continue;
        };
        ensure!(
            cell.code.matches(".show()").count() < 2,
            "{}:{}: cell {:?} shows two figures, and evcxr passes on only the last of a \
             kind: give each a cell of its own",
            chapter.page().display(),
            located.line,
            cell.id
        );
        let captioned = matches!(
            blocks.get(i + 1).map(|next| &next.block),
            Some(page::Block::Caption(_))
        );
        let drawn = outputs.get(&cell.id).into_iter().flatten().any(|output| {
            let media = match output {
                DisplayData(display) => &display.data,
                ExecuteResult(result) => &result.data,
                _ => return false,
            };
            let mut kinds = media.content.iter();
            kinds.any(|kind| kind.mime_type() == "image/svg+xml")
        });
        ensure!(
            captioned || !drawn,
            "{}:{}: cell {:?} draws a figure: write {{{{#caption …}}}} after it",
            chapter.page().display(),
            located.line,
            cell.id
        );
    }
    Ok(())
}

fn progress(chapter: &Chapter, steps: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template(
        "{prefix} [{bar:30}] {pos}/{len} {elapsed} {msg}",
    )?;
    let bar = ProgressBar::new(steps as u64)
        .with_style(style)
        .with_prefix(chapter.short().to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    Ok(bar)
}
