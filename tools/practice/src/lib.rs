//! `cargo book exercises`: what is solved, and a verdict on each save.
//!
//! Nothing is written down of what a reader has solved: an exercise is open while its `todo!`
//! stands, and else its test is asked.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use book::exercises::{self, Exercise};
use book::say;
use book::serve::Sources;
use book::workspace::{Language, Workspace};
use console::Term;
use indicatif::{ProgressBar, ProgressStyle};

use crate::board::Board;
use crate::judge::{Built, Refusal};
use crate::show::Show;

pub mod board;
pub mod judge;
pub mod reset;
pub mod rounds;
pub mod show;
pub mod text;
pub mod words;

/// What a reader edits.
const WATCHED: [&str; 1] = ["chapters-code/exercises/src"];

/// How long it must be quiet after a save: an editor writes in a burst.
const BURST: Duration = Duration::from_millis(30);

/// What a reader asks of `cargo book exercises`.
#[derive(Debug, Clone)]
pub enum Command {
    /// Watch, from an exercise or a chapter on, if one is named.
    Watch(Option<String>),
    /// Show every exercise.
    List,
    /// Show the exercise to solve now, and what its test says.
    Next,
    /// Show a hint, or all of them, of an exercise: the one in work if none is named.
    Hint {
        /// Which exercise.
        exercise: Option<String>,
        /// Whether to show all its hints.
        more: bool,
    },
    /// Show one answer to an exercise: the one in work if none is named.
    Solution(Option<String>),
    /// Put an exercise's stub back.
    Reset(String),
}

/// The language of the environment: the book's own where it says so or says nothing, else English.
#[must_use]
pub fn language() -> Language {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let name = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find(|name| set(name));
    let value = name.and_then(|name| std::env::var(name).ok()).unwrap_or_default();
    language_of(&value)
}

fn language_of(locale: &str) -> Language {
    let portuguese =
        matches!(locale.split(['_', '.', '-', '@']).next(), Some("pt" | ""));
    if portuguese { Language::Portuguese } else { Language::English }
}

/// Runs the command.
///
/// # Errors
///
/// If a file can't be read or written, cargo does not run, or what is named does not exist.
pub async fn run(
    workspace: &Workspace,
    command: Command,
    language: Language,
) -> Result<ExitCode> {
    let exercises = exercises::all(workspace)?;
    let show = Show::read(workspace, &exercises, language)?;
    let mut desk =
        Desk { workspace, board: Board::set_up(workspace, exercises)?, show, at: None };
    match command {
        Command::Watch(from) => return desk.watch(from.as_deref()).await,
        Command::List => {
            let refusal = desk.judge_all(None).await?;
            say(&desk.show.list(&desk.board))?;
            if let Some(refusal) = refusal {
                desk.at = desk.board.in_work(Some(&refusal), |_| true);
                say(&format!("\n{}", desk.refused(&refusal)))?;
            }
        }
        Command::Next => desk.next().await?,
        Command::Hint { exercise, more } => {
            if let Some(exercise) = desk.asked(exercise.as_deref()).await? {
                say(&desk.show.hint(&exercise, more)?)?;
            }
        }
        Command::Solution(exercise) => {
            if let Some(exercise) = desk.asked(exercise.as_deref()).await? {
                say(&desk.show.solution(&exercise)?)?;
            }
        }
        Command::Reset(exercise) => {
            let exercise = desk.named(&exercise)?;
            let (kept, words) = (reset::reset(workspace, exercise)?, desk.show.words);
            let name = exercise.name();
            say(&match kept {
                None => format!("{name} {}", words.as_shipped),
                Some(file) => {
                    let file = file.display();
                    format!("{name} {}; {} {file}", words.is_back, words.kept)
                }
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a reader works: the exercises, what is said of them, and the one in work.
struct Desk<'a> {
    workspace: &'a Workspace,
    board: Board,
    show: Show<'a>,
    at: Option<usize>,
}

impl Desk<'_> {
    /// Judges every answer, saying what compiles meanwhile.
    async fn judge_all(&mut self, also: Option<&str>) -> Result<Option<Refusal>> {
        let wait = Wait::begin(self.show.words.compiling)?;
        self.board.judge_all(self.workspace, also, |name| wait.tell(name)).await
    }

    /// The exercise that a name means: a number alone, one of the chapter in work.
    fn named(&self, name: &str) -> Result<&Exercise> {
        let at = self.board.in_work(None, |_| true);
        let full = at.filter(|_| name.parse::<usize>().is_ok());
        let full = full.map(|place| format!("{}_{name}", self.board.chapter(place)));
        exercises::find(&self.board.exercises, full.as_deref().unwrap_or(name))
    }

    /// The exercise that is named, or the one in work. If none is left, says so.
    async fn asked(&mut self, name: Option<&str>) -> Result<Option<Exercise>> {
        if let Some(name) = name {
            return Ok(Some(self.named(name)?.clone()));
        }
        let refusal = self.judge_all(None).await?;
        let at = self.board.in_work(refusal.as_ref(), |_| true);
        if at.is_none() {
            say(self.show.words.all_done)?;
        }
        Ok(at.map(|place| self.board.exercises[place].clone()))
    }

    /// The exercise in work, once, with its verdict if it was tried.
    async fn next(&mut self) -> Result<()> {
        let refusal = self.judge_all(None).await?;
        self.at = self.board.in_work(refusal.as_ref(), |_| true);
        match (self.at, refusal) {
            (None, _) => say(self.show.words.all_done),
            (Some(_), Some(refusal)) => say(&self.refused(&refusal)),
            (Some(place), None) if self.board.states[place] == board::State::Open => {
                say(&self.show.task(&self.board, place)?)
            }
            (Some(_), None) => say(&self.verdict().await?),
        }
    }

    /// Shows what is solved, then judges each save until Ctrl+C.
    async fn watch(&mut self, from: Option<&str>) -> Result<ExitCode> {
        // Before the first verdicts: what is saved meanwhile counts.
        let mut sources = Sources::follow(&self.workspace.root, &WATCHED, BURST)?;
        let watched = async {
            self.open(from).await?;
            rounds::rounds(
                async || sources.changed().await,
                async || self.round().await,
            )
            .await
        };
        tokio::select! {
            ended = watched => ended.map(|never| match never {}),
            stop = tokio::signal::ctrl_c() => {
                stop.context("cannot listen for Ctrl+C")?;
                let total = self.show.total(&self.board);
                say(&format!("\n{} {total}", self.show.words.goodbye))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// The first sight: every bar, the exercise in work, and what it lacks.
    async fn open(&mut self, from: Option<&str>) -> Result<()> {
        let among = self.among(from)?;
        let first = self.board.in_work(None, |exercise| among(exercise));
        let chapter = first.map(|place| self.board.chapter(place).to_owned());
        let refusal = self.judge_all(chapter.as_deref()).await?;
        let named = self.board.in_work(refusal.as_ref(), |exercise| among(exercise));
        // If all that is named is solved, on with the others.
        self.at = named.or_else(|| self.board.in_work(refusal.as_ref(), |_| true));
        let bars = self.show.bars(&self.board);
        let task = match (self.at, &refusal) {
            (None, _) => self.show.words.all_done.to_owned() + "\n",
            (Some(_), Some(refusal)) => self.refused(refusal),
            (Some(place), None) if self.board.states[place] == board::State::Open => {
                self.show.task(&self.board, place)?
            }
            (Some(_), None) => self.verdict().await?,
        };
        self.say_and_wait(&format!("{bars}\n{task}"))
    }

    /// Which exercises a name means: one, or a chapter's; all without a name.
    fn among(&self, name: Option<&str>) -> Result<impl Fn(&Exercise) -> bool + use<>> {
        let chapters = self.workspace.chapters()?;
        let name = name.map(str::to_lowercase);
        let chapter = name.as_deref().and_then(|name| {
            chapters.into_iter().find(|chapter| {
                let number = book::page::chapter_number(chapter.page()).to_lowercase();
                [chapter.short(), &chapter.name, number.trim_end_matches('.')]
                    .contains(&name)
            })
        });
        let one = match (&name, &chapter) {
            (Some(name), None) => {
                Some(exercises::find(&self.board.exercises, name)?.clone())
            }
            _ => None,
        };
        Ok(move |exercise: &Exercise| {
            one.as_ref().is_none_or(|one| one == exercise)
                && chapter.as_ref().is_none_or(|chapter| *chapter == exercise.chapter)
        })
    }

    /// A save: the verdict on what was saved.
    async fn round(&mut self) -> Result<()> {
        let texts = board::texts(self.workspace, &self.board.exercises)?;
        let changed = self.board.update(texts);
        if let (Some(&first), false) =
            (changed.first(), self.at.is_some_and(|at| changed.contains(&at)))
        {
            self.at = Some(first); // a reader goes where a reader writes
        }
        if self.at.is_none() {
            return Ok(());
        }
        let text = self.verdict().await?;
        clear()?;
        self.say_and_wait(&text)?;
        self.at = self
            .at
            .filter(|&at| !self.is_solved(at))
            .or_else(|| self.at.and_then(|at| self.board.next(at)));
        Ok(())
    }

    fn is_solved(&self, place: usize) -> bool {
        self.board.states[place] == board::State::Solved
    }

    /// Compiles the chapter in work, and asks the tests of its answers; the one in work gives the
    /// verdict.
    async fn verdict(&mut self) -> Result<String> {
        let place = self.at.context("no exercise is in work")?;
        let began = Instant::now();
        let chapter = self.board.chapter(place).to_owned();
        let wait = Wait::begin(self.show.words.compiling)?;
        let built =
            judge::build(self.workspace, &[&chapter], |name| wait.tell(name)).await?;
        let programs = match built {
            Built::Refused(refusal) => return Ok(self.refused(&refusal)),
            Built::Programs(programs) => programs,
        };
        let program = programs.get(&chapter).with_context(|| {
            format!("cargo names no program for the tests of {chapter}")
        })?;
        let verdict = self.board.judge(self.workspace, program, place).await?;
        let took = began.elapsed();
        for other in self.answers_beside(place) {
            self.board.judge(self.workspace, program, other).await?;
        }
        drop(wait);
        self.show.verdict(&self.board, place, &verdict, took)
    }

    /// The other exercises of a chapter that have an answer.
    fn answers_beside(&self, place: usize) -> Vec<usize> {
        let chapter = &self.board.exercises[place].chapter;
        let texts = &self.board.texts;
        let mut answers = self.board.places(|exercise, _| {
            exercise.chapter == *chapter && !exercise.is_open(&texts[&exercise.file()])
        });
        answers.retain(|&other| other != place);
        answers
    }

    /// Why what stands in the files does not compile.
    fn refused(&self, refusal: &Refusal) -> String {
        let place = self.board.in_work(Some(refusal), |_| true);
        let place = place.or(self.at).unwrap_or(0);
        let stub = self.board.exercises[place].stub(self.workspace).ok();
        self.show.refusal(&self.board, place, refusal, stub.as_deref())
    }

    fn say_and_wait(&self, text: &str) -> Result<()> {
        say(text)?;
        say(&console::style(self.show.words.waiting).dim().to_string())
    }
}

/// On a terminal, each verdict stands alone.
fn clear() -> Result<()> {
    let terminal = Term::stdout();
    if terminal.is_term() {
        terminal.clear_screen()?;
    }
    Ok(())
}

/// A line that moves while cargo compiles, gone with the value.
struct Wait(ProgressBar);

impl Wait {
    fn begin(what: &str) -> Result<Self> {
        let style = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}")?;
        let bar =
            ProgressBar::new_spinner().with_style(style).with_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Ok(Self(bar))
    }

    fn tell(&self, name: &str) {
        self.0.set_message(name.to_owned());
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portuguese_is_spoken_where_the_environment_does_or_names_none() {
        for locale in
            ["en_US.UTF-8", "en", "en_GB@euro", "C", "C.UTF-8", "POSIX", "fr_FR"]
        {
            assert_eq!(language_of(locale), Language::English, "{locale}");
        }
        for locale in ["", "pt_BR.UTF-8", "pt", "pt-PT"] {
            assert_eq!(language_of(locale), Language::Portuguese, "{locale}");
        }
    }
}
