//! What is solved: each exercise's state, as its test gives it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use book::exercises::Exercise;
use book::workspace::Workspace;

use crate::judge::{self, Built, LIMIT, Refusal, Verdict};

/// How far an exercise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its test passes.
    Solved,
    /// There is an answer, and its test fails.
    Tried,
    /// Its `todo!` still stands.
    Open,
}

/// All exercises, with how far each is.
#[derive(Debug, Clone)]
pub struct Board {
    /// In the order of the book.
    pub exercises: Vec<Exercise>,
    /// How far each of these is.
    pub states: Vec<State>,
    /// The readers' files, by their paths.
    pub texts: Texts,
}

/// The readers' files, by their paths relative to the root.
pub type Texts = BTreeMap<PathBuf, String>;

/// Reads the files that the exercises are in.
///
/// # Errors
///
/// If one can't be read.
pub fn texts(workspace: &Workspace, exercises: &[Exercise]) -> Result<Texts> {
    let files: BTreeSet<PathBuf> = exercises.iter().map(Exercise::file).collect();
    files.into_iter().map(|file| Ok((file.clone(), workspace.read(&file)?))).collect()
}

impl Board {
    /// A board on which nothing is judged yet: what has lost its `todo!` was tried.
    ///
    /// # Errors
    ///
    /// If a file can't be read.
    pub fn set_up(workspace: &Workspace, exercises: Vec<Exercise>) -> Result<Self> {
        let texts = texts(workspace, &exercises)?;
        let mut board = Self { states: Vec::new(), exercises, texts };
        board.states = board.unjudged();
        Ok(board)
    }

    /// What the files alone say of each exercise.
    fn unjudged(&self) -> Vec<State> {
        let of = |exercise: &Exercise| {
            let open = exercise.is_open(&self.texts[&exercise.file()]);
            if open { State::Open } else { State::Tried }
        };
        self.exercises.iter().map(of).collect()
    }

    /// Asks the tests about every answer. What compiles nothing is told of by `see`. `also`
    /// names a chapter to compile, whether or not it has an answer.
    ///
    /// # Errors
    ///
    /// If cargo or a test can't be run.
    pub async fn judge_all(
        &mut self,
        workspace: &Workspace,
        also: Option<&str>,
        see: impl FnMut(&str),
    ) -> Result<Option<Refusal>> {
        self.states = self.unjudged();
        let tried = self.places(|_, state| state != State::Open);
        let mut chapters: BTreeSet<String> =
            also.map(str::to_owned).into_iter().collect();
        chapters.extend(tried.iter().map(|&i| self.chapter(i).to_owned()));
        if chapters.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = chapters.iter().map(String::as_str).collect();
        match judge::build(workspace, &names, see).await? {
            Built::Refused(refusal) => Ok(Some(refusal)),
            Built::Programs(programs) => {
                for place in tried {
                    let program = &programs[self.chapter(place)];
                    self.judge(workspace, program, place).await?;
                }
                Ok(None)
            }
        }
    }

    /// Asks an exercise's test, and takes down what it says.
    ///
    /// # Errors
    ///
    /// If the test can't be run.
    pub async fn judge(
        &mut self,
        workspace: &Workspace,
        program: &std::path::Path,
        place: usize,
    ) -> Result<Verdict> {
        let exercise = &self.exercises[place];
        let verdict = judge::run(workspace, program, exercise, LIMIT).await?;
        self.states[place] = match verdict {
            Verdict::Solved => State::Solved,
            Verdict::Open => State::Open,
            Verdict::Wrong(_) | Verdict::Endless => State::Tried,
        };
        Ok(verdict)
    }

    /// The short name of an exercise's chapter.
    #[must_use]
    pub fn chapter(&self, place: usize) -> &str {
        self.exercises[place].chapter.short()
    }

    /// The line of an exercise's file at which its function begins.
    #[must_use]
    pub fn line(&self, place: usize) -> usize {
        let exercise = &self.exercises[place];
        exercise.line(&self.texts[&exercise.file()]).unwrap_or(1)
    }

    /// The places of some exercises.
    pub fn places(&self, wanted: impl Fn(&Exercise, State) -> bool) -> Vec<usize> {
        let all = self.exercises.iter().zip(&self.states).enumerate();
        all.filter(|(_, (exercise, state))| wanted(exercise, **state))
            .map(|(place, _)| place)
            .collect()
    }

    /// How many are solved.
    #[must_use]
    pub fn solved(&self) -> usize {
        self.states.iter().filter(|&&state| state == State::Solved).count()
    }

    /// The exercise that a reader is at, of those that `among` names: the one that does not
    /// compile, else the first that was tried, else the first that is open.
    pub fn in_work(
        &self,
        refusal: Option<&Refusal>,
        among: impl Fn(&Exercise) -> bool,
    ) -> Option<usize> {
        let first = |wanted: State| {
            let places =
                self.places(|exercise, state| state == wanted && among(exercise));
            places.first().copied()
        };
        let refused = refusal.and_then(|refusal| self.refused(refusal));
        let refused = refused.filter(|&place| among(&self.exercises[place]));
        refused.or_else(|| first(State::Tried)).or_else(|| first(State::Open))
    }

    /// The exercise that an error is about: the last to begin before it, or, if it stands in the
    /// tests, the one that it names.
    fn refused(&self, refusal: &Refusal) -> Option<usize> {
        if refusal.is_in_tests() {
            // “a bound in `checks::softmax`”, “cannot find value `softmax`”
            let says = |exercise: &Exercise, before: &str| {
                refusal.text.contains(&format!("{before}{}`", exercise.function))
            };
            let named = self.places(|exercise, _| {
                let file = format!("tests/{}.rs", exercise.chapter.short());
                let is_named = says(exercise, "checks::") || says(exercise, "`");
                is_named && refusal.text.contains(&file)
            });
            return named.first().copied();
        }
        let (file, line) = refusal.place.as_ref()?;
        let before = self.places(|exercise, _| exercise.file() == *file);
        before.into_iter().rev().find(|&place| self.line(place) <= *line)
    }

    /// The next exercise that isn't solved, from behind a place on, and from the beginning of
    /// the book if none is left there.
    #[must_use]
    pub fn next(&self, after: usize) -> Option<usize> {
        let left = self.places(|_, state| state != State::Solved);
        let later = left.iter().find(|&&place| place > after);
        later.or(left.first()).copied()
    }

    /// Takes in new texts of the files; gives the exercises that are other than they were.
    pub fn update(&mut self, texts: Texts) -> Vec<usize> {
        let before = std::mem::replace(&mut self.texts, texts);
        let part = |exercise: &Exercise, texts: &Texts| {
            let text = texts.get(&exercise.file())?;
            Some(text[exercise.part(text)?].to_owned())
        };
        self.places(|exercise, _| {
            part(exercise, &before) != part(exercise, &self.texts)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use book::workspace::Chapter;

    use super::*;

    /// Two exercises of chapter 1, one of chapter 2.
    fn board() -> Board {
        let exercise = |chapter: &str, number: usize, function: &str| Exercise {
            chapter: Chapter::of(Path::new(&format!("src/{chapter}-a.md"))),
            number,
            test: format!("{chapter}_{number}_{function}"),
            function: function.to_owned(),
        };
        let exercises = vec![
            exercise("ch01", 1, "one"),
            exercise("ch01", 2, "two"),
            exercise("ch02", 1, "a"),
        ];
        let stub = |exercise: &Exercise| {
            let (name, number) = (&exercise.function, exercise.number);
            format!(
                "// ANCHOR: {name}\npub fn {name}() {{\n    todo!(\"exercise {number}: x\")\n}}\n// ANCHOR_END: {name}\n"
            )
        };
        let mut texts = Texts::new();
        for exercise in &exercises {
            *texts.entry(exercise.file()).or_default() += &stub(exercise);
        }
        let mut board = Board { states: Vec::new(), exercises, texts };
        board.states = board.unjudged();
        board
    }

    fn refusal(line: usize) -> Refusal {
        let place = Some(("chapters-code/exercises/src/ch01.rs".into(), line));
        Refusal { text: String::new(), more: 0, place }
    }

    #[test]
    fn one_is_at_what_does_not_compile_then_at_what_was_tried_then_at_what_is_open() {
        let mut board = board();
        assert_eq!(board.states, [State::Open; 3]);
        assert_eq!(board.in_work(None, |_| true), Some(0));
        assert_eq!(board.in_work(None, |e| e.chapter.short() == "ch02"), Some(2));
        board.states[2] = State::Tried;
        assert_eq!(board.in_work(None, |_| true), Some(2));
        assert_eq!(board.in_work(None, |e| e.number == 2), Some(1));
        // Lines 1 to 5 are the first exercise's, from 6 on the second's.
        for (line, place) in [(3, 0), (8, 1)] {
            assert_eq!(board.in_work(Some(&refusal(line)), |_| true), Some(place));
        }
        let in_tests = Refusal {
            text: "tests/ch01.rs:9: required by a bound in `checks::two`".into(),
            more: 0,
            place: Some(("chapters-code/exercises/tests/checks/asserts.rs".into(), 15)),
        };
        assert_eq!(board.in_work(Some(&in_tests), |_| true), Some(1));
        board.states = vec![State::Solved; 3];
        assert_eq!(board.in_work(None, |_| true), None);
    }

    #[test]
    fn the_next_one_is_behind_and_then_from_the_beginning() {
        let mut board = board();
        board.states[2] = State::Solved;
        assert_eq!(
            [0, 1, 2].map(|place| board.next(place)),
            [Some(1), Some(0), Some(0)]
        );
        board.states = vec![State::Solved; 3];
        assert_eq!(board.next(0), None);
    }

    #[test]
    fn what_changed_is_the_exercise_whose_part_is_another() {
        let mut board = board();
        let mut texts = board.texts.clone();
        let file = board.exercises[1].file();
        let text = texts[&file].replace("todo!(\"exercise 2: x\")", "2;");
        texts.insert(file.clone(), format!("use a::b;\n{text}"));
        assert_eq!(
            board.update(texts.clone()),
            [1],
            "what stands above it has only moved it"
        );
        assert_eq!(board.unjudged(), [State::Open, State::Tried, State::Open]);
        assert_eq!(board.line(1), 8);
        assert_eq!(board.update(texts), Vec::<usize>::new());
    }
}
