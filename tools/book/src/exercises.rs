//! The exercises: which there are, what a reader's file has of each, and what a page says of it.
//!
//! An exercise is a line of `chapters-code/exercises/tests/NAME.rs`, which names its test and the
//! function under test; the function is in `src/NAME.rs` there, between two anchors. What stands
//! on the page under the exercise's heading are its title, its hints and its solution. The stub
//! as the book ships it is in the notebook, too, which a reader's own answer doesn't change.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow, ensure};
use mdbook_markdown::pulldown_cmark::HeadingLevel;
use regex::Regex;
use serde::Deserialize;

use crate::i18n;
use crate::include::{self, slice_range};
use crate::markdown::{self, Heading, headings};
use crate::page::{self, Block, Listing, Located};
use crate::workspace::{Chapter, Language, Workspace};

/// The folder of the exercises' crate, relative to the root.
pub const FOLDER: &str = "chapters-code/exercises";

/// The folders of the stubs and of the answers.
const STUBS: &str = "chapters-code/exercises/src";
const SOLUTIONS: &str = "chapters-code/solutions";

/// One exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// Whose exercise it is.
    pub chapter: Chapter,
    /// Its number in the chapter, from 1.
    pub number: usize,
    /// Its test: `ch01_1_softmax`.
    pub test: String,
    /// The function that a reader writes: `softmax`.
    pub function: String,
}

impl Exercise {
    /// What readers call it: `1.3` is chapter 1's third, `A1.2` appendix 1's second.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", page::chapter_number(self.chapter.page()), self.number)
    }

    /// The file that a reader edits, relative to the root.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        Path::new(FOLDER).join(format!("src/{}.rs", self.chapter.short()))
    }

    /// What a reader's file has of the exercise: the bytes between its anchors, if these are
    /// around its function.
    #[must_use]
    pub fn part(&self, text: &str) -> Option<Range<usize>> {
        include::anchors(text).find_map(|(_, anchor)| {
            let range = slice_range(text, anchor)?;
            self.starts(&text[range.clone()]).map(|_| range)
        })
    }

    /// The line at which its function begins, from 1.
    #[must_use]
    pub fn line(&self, text: &str) -> Option<usize> {
        self.starts(text).map(|byte| markdown::line_of(text, byte))
    }

    /// Where its function begins.
    fn starts(&self, text: &str) -> Option<usize> {
        let begin = format!("pub fn {}", self.function);
        let ends = |byte: usize| {
            let next = text[byte + begin.len()..].chars().next();
            next.is_some_and(|c| c == '(' || c == '<')
        };
        text.match_indices(&begin).map(|(byte, _)| byte).find(|&byte| ends(byte))
    }

    /// Whether the `todo!` that the book ships still stands in a reader's file.
    #[must_use]
    pub fn is_open(&self, text: &str) -> bool {
        let todo = format!("todo!(\"exercise {}:", self.number);
        text.lines().any(|line| line.trim_start().starts_with(&todo))
    }

    /// The exercise as the book ships it: what stood between its anchors.
    ///
    /// # Errors
    ///
    /// If the chapter's notebook can't be read, or does not show the stub.
    pub fn stub(&self, workspace: &Workspace) -> Result<String> {
        let path = self.chapter.notebook(Language::Portuguese);
        let notebook: Notebook = serde_json::from_str(&workspace.read(&path)?)
            .with_context(|| format!("{} is no notebook", path.display()))?;
        let prose = notebook.cells.iter().filter(|cell| cell.cell_type == "markdown");
        let stub = prose.map(|cell| cell.source.concat()).find_map(|text| {
            let codes = text.split("```rust\n").skip(1);
            let mut codes = codes.filter_map(|code| code.split("\n```").next());
            let is_stub =
                |code: &&str| self.starts(code).is_some() && self.is_open(code);
            codes.find(is_stub).map(str::to_owned)
        });
        stub.with_context(|| {
            format!("{} no longer shows the stub of {}", path.display(), self.name())
        })
    }
}

/// What is read of a notebook here: not its outputs, which are most of it.
#[derive(Deserialize)]
struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    source: Vec<String>,
}

static TEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*([a-z]+\d+)_(\d+)_(\w+): (\w+),")
        .expect("the pattern is valid")
});

/// All exercises, in the order of the chapters.
///
/// # Errors
///
/// If the chapters can't be listed, or a test file can't be read or has none of its chapter's.
pub fn all(workspace: &Workspace) -> Result<Vec<Exercise>> {
    let mut exercises = Vec::new();
    for chapter in workspace.chapters()? {
        let tests = Path::new(FOLDER).join(format!("tests/{}.rs", chapter.short()));
        if !workspace.root.join(&tests).is_file() {
            continue;
        }
        let text = workspace.read(&tests)?;
        let before = exercises.len();
        for found in TEST.captures_iter(&text) {
            let [short, number, name, function] = found.extract().1;
            ensure!(
                short == chapter.short(),
                "{}: {short}_{number}_{name} is another chapter's",
                tests.display()
            );
            exercises.push(Exercise {
                chapter: chapter.clone(),
                number: number.parse()?,
                test: format!("{short}_{number}_{name}"),
                function: function.to_owned(),
            });
        }
        ensure!(exercises.len() > before, "{}: no exercise", tests.display());
    }
    Ok(exercises)
}

/// The exercise that a reader names: `1.3`, `ch01_3`, or its whole test.
///
/// # Errors
///
/// If there is none, naming what there is.
pub fn find<'a>(exercises: &'a [Exercise], name: &str) -> Result<&'a Exercise> {
    let wanted = name.to_lowercase();
    let is_it = |exercise: &&Exercise| {
        let short = format!("{}_{}", exercise.chapter.short(), exercise.number);
        [exercise.name().to_lowercase(), short, exercise.test.clone()].contains(&wanted)
    };
    exercises.iter().find(is_it).ok_or_else(|| {
        let first = exercises.first().map(Exercise::name).unwrap_or_default();
        let last = exercises.last().map(Exercise::name).unwrap_or_default();
        anyhow!(
            "no exercise {name:?}: they are called {first} to {last}, or as their tests, like \
             ch01_3 (`cargo book exercises list` shows all)"
        )
    })
}

/// What a chapter and its exercises are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles {
    /// The chapter.
    pub chapter: String,
    /// Its exercises, by their numbers.
    pub of: BTreeMap<usize, String>,
}

/// What the chapters and their exercises are called in a language, in the chapters' order.
///
/// # Errors
///
/// If a page or the catalog can't be read.
pub fn titles(
    workspace: &Workspace,
    language: Language,
) -> Result<Vec<(Chapter, Titles)>> {
    let catalog = match language {
        Language::Portuguese => None,
        Language::English => Some(i18n::catalog(workspace, language)?),
    };
    let translated = |title: String| {
        let message =
            catalog.as_ref().and_then(|it| it.find_message(None, &title, None));
        let found =
            message.and_then(|message| message.msgstr().ok().map(str::to_owned));
        found.filter(|text| !text.is_empty()).unwrap_or(title)
    };
    let mut all = Vec::new();
    for chapter in workspace.chapters()? {
        let mut titles = Titles::default();
        for Heading { level, title, .. } in headings(&workspace.read(chapter.page())?) {
            match (level, numbered(&title)) {
                (HeadingLevel::H1, _) => titles.chapter = translated(title),
                (HeadingLevel::H3, Some(number)) => {
                    let title = translated(title);
                    let words =
                        title.split_once(". ").map_or(&*title, |(_, words)| words);
                    titles.of.insert(number, words.to_owned());
                }
                _ => {}
            }
        }
        all.push((chapter, titles));
    }
    Ok(all)
}

/// What a page says under an exercise's heading, as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lesson {
    /// What to do, part by part, with the listings beside the stub.
    pub statement: Vec<String>,
    /// Its hints, the broadest first.
    pub hints: Vec<String>,
    /// One answer, with what the page says of it.
    pub solution: String,
}

/// What a chapter's page says under the heading of each exercise, by their numbers.
///
/// # Errors
///
/// If the page can't be read, cut or translated.
pub fn lessons(
    workspace: &Workspace,
    chapter: &Chapter,
    language: Language,
) -> Result<BTreeMap<usize, Lesson>> {
    Ok(gather(&i18n::blocks(workspace, chapter, language)?))
}

fn gather(blocks: &[Located]) -> BTreeMap<usize, Lesson> {
    let mut lessons = BTreeMap::<usize, Lesson>::new();
    let mut number = None; // of the exercise whose heading was last
    let mut fold: Option<Fold> = None;
    for located in blocks {
        let told = match (&located.block, &mut fold) {
            (Block::Details(_), _) => {
                fold = Some(Fold::default());
                None
            }
            (Block::EndDetails, _) => {
                if let (Some(number), Some(fold)) = (number, fold.take()) {
                    fold.into_lesson(lessons.entry(number).or_default());
                }
                None
            }
            (block, Some(fold)) => {
                fold.add(block);
                None
            }
            (Block::Markdown(text), None) => {
                let last = headings(text).pop();
                let start = last.as_ref().map_or(0, |heading| heading.end);
                if let Some(Heading { level, title, .. }) = last {
                    let is_exercise = level == HeadingLevel::H3;
                    number = numbered(&title).filter(|_| is_exercise);
                }
                Some(text[start..].trim().to_owned())
            }
            (Block::Code(listing), None) if is_of(listing, STUBS) => None,
            (block @ (Block::Code(_) | Block::Math(_)), None) => as_markdown(block),
            _ => None,
        };
        let told = told.filter(|told| !told.is_empty());
        if let (Some(number), Some(told)) = (number, told) {
            lessons.entry(number).or_default().statement.push(told);
        }
    }
    lessons
}

/// Whether a listing is of a folder's file.
fn is_of(listing: &Listing, folder: &str) -> bool {
    listing.file.as_deref().is_some_and(|file| file.starts_with(folder))
}

/// What a block shows, as Markdown, if it shows anything.
fn as_markdown(block: &Block) -> Option<String> {
    match block {
        Block::Code(listing) => {
            Some(markdown::code_block(&listing.language, &listing.code))
        }
        Block::Math(formula) => Some(format!("$`{}`$", formula.tex)),
        block => block.words().map(str::to_owned),
    }
}

/// The exercise that a heading begins, `3. Title`; none if it begins none.
fn numbered(heading: &str) -> Option<usize> {
    heading.split_once(". ")?.0.parse().ok()
}

/// What is folded under an exercise.
#[derive(Default)]
struct Fold {
    parts: Vec<String>,
    solves: bool,
}

impl Fold {
    fn add(&mut self, block: &Block) {
        if let Block::Code(listing) = block {
            self.solves |= is_of(listing, SOLUTIONS);
        }
        self.parts.extend(as_markdown(block));
    }

    fn into_lesson(self, lesson: &mut Lesson) {
        let text = self.parts.join("\n\n");
        if self.solves {
            lesson.solution = text;
        } else {
            lesson.hints.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Workspace::at(&root).unwrap()
    }

    #[test]
    fn every_exercise_has_its_title_its_hints_and_its_solution() {
        let workspace = workspace();
        let exercises = all(&workspace).unwrap();
        assert!(exercises.len() > 60, "{}", exercises.len());
        for language in Language::ALL {
            for (chapter, titles) in titles(&workspace, language).unwrap() {
                assert!(!titles.chapter.is_empty(), "{}", chapter.name);
                for exercise in exercises.iter().filter(|e| e.chapter == chapter) {
                    let (name, number) = (exercise.name(), exercise.number);
                    assert!(titles.of.contains_key(&number), "{name}");
                }
            }
        }
        for chapter in workspace.chapters().unwrap() {
            let lessons = lessons(&workspace, &chapter, Language::Portuguese).unwrap();
            for exercise in exercises.iter().filter(|e| e.chapter == chapter) {
                let (name, lesson) = (exercise.name(), &lessons[&exercise.number]);
                let statement = lesson.statement.concat();
                assert!(statement.chars().count() > 40, "{name}: {lesson:?}");
                assert!(!lesson.hints.is_empty(), "{name}");
                let solved = format!("pub fn {}", exercise.function);
                assert!(lesson.solution.contains(&solved), "{name}");
            }
        }
        let english = titles(&workspace, Language::English).unwrap().remove(0).1;
        assert_eq!(english.chapter, "Self-attention, from scratch");
        assert_eq!(english.of[&6], "Unshuffle");
    }

    #[test]
    fn a_stub_is_shipped_in_the_notebook_whatever_the_file_has() {
        let workspace = workspace();
        for exercise in all(&workspace).unwrap() {
            let stub = exercise.stub(&workspace).unwrap();
            assert!(exercise.is_open(&stub), "{stub}");
            let text = workspace.read(&exercise.file()).unwrap();
            let part = exercise.part(&text).expect("anchors");
            assert!(exercise.starts(&text[part]).is_some());
            let line = text.lines().nth(exercise.line(&text).unwrap() - 1).unwrap();
            assert!(
                line.starts_with(&format!("pub fn {}", exercise.function)),
                "{line}"
            );
        }
    }

    #[test]
    fn an_exercise_is_found_by_each_of_its_names() {
        let exercises = all(&workspace()).unwrap();
        for name in ["1.3", "ch01_3", "ch01_3_diagnose"] {
            assert_eq!(find(&exercises, name).unwrap().function, "diagnose");
        }
        for name in ["A1.2", "a1.2", "a1_2"] {
            assert_eq!(find(&exercises, name).unwrap().function, "exponent");
        }
        for name in ["", "1", "1.0", "9.9", "ch01", "diagnose"] {
            let error = find(&exercises, name).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{name:?}: they are called 1.1 to ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_todo_that_is_commented_out_is_gone() {
        let exercise = all(&workspace()).unwrap().remove(0);
        assert!(exercise.is_open("{\n    todo!(\"exercise 1: try\")\n}"));
        for text in
            ["// todo!(\"exercise 1: try\")", "todo!(\"exercise 11: try\")", "1"]
        {
            assert!(!exercise.is_open(text), "{text}");
        }
    }

    #[test]
    fn folds_and_headings_that_are_no_exercise_s_are_left_out() {
        let text = "# A *b*\n\n{{#details X}}\n\nx\n\n{{#enddetails}}\n\n### 1. One\n\nDo it.\n\n\
                    {{#details H}}\n\nh\n\n{{#enddetails}}\n\n## End\n\n{{#details Y}}\n\ny\n\n\
                    {{#enddetails}}\n\n### Other\n";
        let blocks =
            page::parse(&workspace(), Path::new("src/ch01-a.md"), text).unwrap();
        let one = Lesson {
            statement: vec!["Do it.".into()],
            hints: vec!["h".into()],
            solution: String::new(),
        };
        assert_eq!(gather(&blocks), BTreeMap::from([(1, one)]));
    }
}
