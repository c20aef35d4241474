//! What a reader sees: bars, verdicts, hints.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use book::exercises::{self, Exercise, Lesson, Titles};
use book::workspace::{Language, Workspace};
use console::style;

use crate::board::{Board, State};
use crate::judge::{Refusal, Verdict, Wrong};
use crate::text::plain;
use crate::words::Words;

/// Columns of a chapter's title in front of its bar.
const TITLE: usize = 40;

/// What the pages say, and the words of the language to say it in.
pub struct Show<'a> {
    workspace: &'a Workspace,
    /// The language's words.
    pub words: &'static Words,
    language: Language,
    /// What the exercises are called, by their chapters' short names.
    titles: BTreeMap<String, Titles>,
}

impl<'a> Show<'a> {
    /// Reads what the exercises are called.
    ///
    /// # Errors
    ///
    /// If a page can't be read, or its page has no heading for an exercise.
    pub fn read(
        workspace: &'a Workspace,
        exercises: &[Exercise],
        language: Language,
    ) -> Result<Self> {
        let titles = exercises::titles(workspace, language)?.into_iter();
        let titles =
            titles.map(|(chapter, titles)| (chapter.short().to_owned(), titles));
        let (words, titles) = (Words::of(language), titles.collect());
        let show = Self { workspace, words, language, titles };
        for exercise in exercises {
            let (page, number) = (exercise.chapter.page().display(), exercise.number);
            ensure!(
                show.titles[exercise.chapter.short()].of.contains_key(&number),
                "{page} has no heading `### {number}. …`"
            );
        }
        Ok(show)
    }

    /// What an exercise is called.
    fn title(&self, exercise: &Exercise) -> String {
        let titles = self.titles.get(exercise.chapter.short());
        let title = titles.and_then(|titles| titles.of.get(&exercise.number));
        title.map(|title| plain(title)).unwrap_or_default()
    }

    /// What the page says under an exercise's heading.
    fn lesson(&self, exercise: &Exercise) -> Result<Lesson> {
        let (workspace, chapter) = (self.workspace, &exercise.chapter);
        let lessons = exercises::lessons(workspace, chapter, self.language)?;
        Ok(lessons.get(&exercise.number).cloned().unwrap_or_default())
    }

    /// `1.3 Four wrong maps`.
    fn name(&self, exercise: &Exercise) -> String {
        let title = self.title(exercise);
        style(format!("{} {title}", exercise.name())).bold().to_string()
    }

    /// A bar for each chapter, and how many are solved in all.
    #[must_use]
    pub fn bars(&self, board: &Board) -> String {
        let bars = chapters(board).into_iter().map(|short| self.bar(board, short));
        let (bars, total) = (bars.collect::<String>(), self.total(board));
        format!("{}\n\n{bars}\n{total}\n", style(self.words.exercises).bold())
    }

    /// A chapter's bar: a box for each exercise.
    fn bar(&self, board: &Board, short: &str) -> String {
        let places = board.places(|exercise, _| exercise.chapter.short() == short);
        let states: Vec<State> =
            places.iter().map(|&place| board.states[place]).collect();
        let solved = states.iter().filter(|&&state| state == State::Solved).count();
        let boxes: String = states.iter().copied().map(mark).collect();
        let number = places.first().map(|&place| board.exercises[place].name());
        let number = number.unwrap_or_default();
        let number = number.split('.').next().unwrap_or_default();
        let title = self.titles.get(short).map_or("", |titles| &titles.chapter);
        let title = fitted(&plain(title), TITLE);
        let space = " ".repeat(10_usize.saturating_sub(states.len()));
        format!("{number:>3}  {title}  {boxes}{space} {solved}/{}\n", states.len())
    }

    /// `3 of 64 solved`.
    #[must_use]
    pub fn total(&self, board: &Board) -> String {
        let Words { of, solved, .. } = self.words;
        format!("{} {of} {} {solved}", board.solved(), board.exercises.len())
    }

    /// Every exercise on a line, with its file and line.
    #[must_use]
    pub fn list(&self, board: &Board) -> String {
        let chapters = chapters(board).into_iter().map(|short| {
            let places = board.places(|exercise, _| exercise.chapter.short() == short);
            let lines = places.into_iter().map(|place| self.line(board, place));
            format!("{}{}\n", self.bar(board, short), lines.collect::<String>())
        });
        chapters.collect::<String>() + &self.total(board)
    }

    /// An exercise's line in the list.
    fn line(&self, board: &Board, place: usize) -> String {
        let exercise = &board.exercises[place];
        let (mark, name) = (mark(board.states[place]), exercise.name());
        let title = fitted(&self.title(exercise), TITLE);
        format!("     {mark} {name:<4} {title}  {}\n", style(at(board, place)).dim())
    }

    /// What a reader is to do now: the exercise, its statement, its file, where help is.
    ///
    /// # Errors
    ///
    /// If the page can't be read, or its translation is broken.
    pub fn task(&self, board: &Board, place: usize) -> Result<String> {
        let exercise = &board.exercises[place];
        let statement = plain(&self.lesson(exercise)?.statement.join("\n\n"));
        let (name, help) = (self.name(exercise), self.help(board, place));
        Ok(format!("{name}\n\n{statement}\n\n{help}"))
    }

    /// The file to open, and the commands that help.
    fn help(&self, board: &Board, place: usize) -> String {
        let Words { file, hint, answer, .. } = self.words;
        let name = board.exercises[place].name();
        let width = [file, hint, answer].iter().map(|word| word.chars().count()).max();
        let width = width.unwrap_or(0);
        let line = |what: &str, how: String| format!("  {what:width$}  {how}\n");
        [
            line(file, style(at(board, place)).cyan().to_string()),
            line(hint, format!("cargo book exercises hint {name}")),
            line(answer, format!("cargo book exercises solution {name}")),
        ]
        .concat()
    }

    /// What a test says of an answer.
    ///
    /// # Errors
    ///
    /// As for [`Show::task`], which follows a solved exercise.
    pub fn verdict(
        &self,
        board: &Board,
        place: usize,
        verdict: &Verdict,
        took: Duration,
    ) -> Result<String> {
        let words = self.words;
        let name = self.name(&board.exercises[place]);
        let time = format!("{:.1} s", took.as_secs_f64()).replace('.', words.decimal);
        let time = style(time).dim();
        let text = match verdict {
            Verdict::Solved => {
                let passes = style(format!("✓ {}", words.passes)).green().bold();
                let mut text = format!("{passes}  {name}  {time}\n\n");
                text += &self.bar(board, board.chapter(place));
                return Ok(text + "\n" + &self.onward(board, place)?);
            }
            Verdict::Open => {
                format!("{name}  {time}\n\n  {}\n", words.open)
            }
            Verdict::Endless => {
                let fails = style(format!("✗ {}", words.fails)).red().bold();
                format!("{fails}  {name}\n\n  {}\n", words.endless)
            }
            Verdict::Wrong(wrong) => {
                let fails = style(format!("✗ {}", words.fails)).red().bold();
                format!("{fails}  {name}  {time}\n\n{}", self.wrong(wrong))
            }
        };
        Ok(format!("{text}\n{}", self.help(board, place)))
    }

    /// What comes after a solved exercise.
    fn onward(&self, board: &Board, place: usize) -> Result<String> {
        let Some(next) = board.next(place) else {
            return Ok(format!("{}\n", style(self.words.all_done).green().bold()));
        };
        let task = self.task(board, next)?;
        Ok(format!("{}: {task}", self.words.next))
    }

    fn wrong(&self, wrong: &Wrong) -> String {
        let Words { says, stopped, printed, .. } = self.words;
        let mut parts = vec![format!("  {says}\n\n{}", indented(&wrong.message))];
        if !wrong.place.is_empty() {
            let place = format!("{stopped} {}", wrong.place);
            parts.push(format!("  {}\n", style(place).dim()));
        }
        if !wrong.printed.is_empty() {
            parts.push(format!("  {printed}\n\n{}", indented(&wrong.printed)));
        }
        parts.join("\n")
    }

    /// Why an answer does not compile; `shipped` is its stub.
    #[must_use]
    pub fn refusal(
        &self,
        board: &Board,
        place: usize,
        refusal: &Refusal,
        shipped: Option<&str>,
    ) -> String {
        let Words { refused, more_errors, signature: changed, .. } = self.words;
        let name = self.name(&board.exercises[place]);
        let refused = style(format!("✗ {refused}")).red().bold();
        let mut parts = vec![format!("{refused}  {name}\n")];
        if let (true, Some(shipped)) = (refusal.is_in_tests(), shipped) {
            // Where a test does not compile, the rest is about macros that no reader wrote.
            parts.push(
                refusal.text.lines().next().unwrap_or_default().to_owned() + "\n",
            );
            parts.push(format!("  {changed}\n\n{}", indented(signature(shipped))));
        } else {
            parts.push(refusal.text.clone() + "\n");
        }
        if refusal.more > 0 {
            parts.push(format!("  {more_errors} {}\n", refusal.more));
        }
        parts.push(self.help(board, place));
        parts.join("\n")
    }

    /// An exercise's first hint, or all of them.
    ///
    /// # Errors
    ///
    /// If the page can't be read, or its translation is broken.
    pub fn hint(&self, exercise: &Exercise, all: bool) -> Result<String> {
        let hints = self.lesson(exercise)?.hints;
        let count = if all { hints.len() } else { 1 };
        let mut parts = vec![self.name(exercise)];
        parts.extend(hints.iter().take(count).map(|hint| plain(hint)));
        if count < hints.len() {
            let (more, name) = (self.words.more_hints, exercise.name());
            let command = format!("{more}: cargo book exercises hint {name} --more");
            parts.push(style(command).dim().to_string());
        }
        Ok(parts.join("\n\n"))
    }

    /// One answer to an exercise, with what the page says of it.
    ///
    /// # Errors
    ///
    /// If the page can't be read, or its translation is broken.
    pub fn solution(&self, exercise: &Exercise) -> Result<String> {
        let solution = plain(&self.lesson(exercise)?.solution);
        let file =
            format!("chapters-code/solutions/src/{}.rs", exercise.chapter.short());
        let place = style(format!("{} {file}", self.words.in_full)).dim();
        Ok(format!("{}\n\n{solution}\n\n{place}", self.name(exercise)))
    }
}

/// The chapters on the board, by their short names, in its order.
fn chapters(board: &Board) -> Vec<&str> {
    let mut chapters: Vec<&str> =
        board.exercises.iter().map(|exercise| exercise.chapter.short()).collect();
    chapters.dedup();
    chapters
}

/// A box of a bar.
fn mark(state: State) -> String {
    match state {
        State::Solved => style("■").green().to_string(),
        State::Tried => style("◪").yellow().to_string(),
        State::Open => style("□").dim().to_string(),
    }
}

/// `file:line` of an exercise's function.
fn at(board: &Board, place: usize) -> String {
    format!("{}:{}", board.exercises[place].file().display(), board.line(place))
}

/// A stub without its docs and its body.
fn signature(stub: &str) -> &str {
    let start = stub.rfind("pub fn ").unwrap_or(0);
    let end = stub[start..].find(" {\n").map_or(stub.len(), |end| start + end);
    &stub[start..end]
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// A text cut or filled up to a number of columns.
fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:<width$}");
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_stub_the_signature_is_told() {
        let stub =
            "/// Docs.\npub fn one(\n    x: f64,\n) -> f64 {\n    todo!(\"x\")\n}";
        assert_eq!(signature(stub), "pub fn one(\n    x: f64,\n) -> f64");
    }

    #[test]
    fn a_title_has_its_columns() {
        assert_eq!(fitted("até", 5), "até  ");
        assert_eq!(fitted("até já", 5), "até …");
    }
}
