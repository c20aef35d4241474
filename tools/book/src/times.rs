//! How long each chapter takes: a table that a page makes with `{{#times}}`, counted from the
//! pages as they are.

use anyhow::{Context, Result};
use mdbook_markdown::pulldown_cmark::HeadingLevel;

use crate::i18n;
use crate::markdown::{self, Heading};
use crate::page::{self, Located};
use crate::reading;
use crate::workspace::{Language, Workspace, forward};

/// Minutes that an exercise takes.
const EXERCISE: usize = 20;

/// What a chapter asks of a reader.
#[derive(Debug, PartialEq, Eq)]
struct Chapter {
    title: String,
    /// How long it takes to read.
    minutes: usize,
    exercises: usize,
}

/// The table, as Markdown: each chapter with its reading time and its exercises.
///
/// # Errors
///
/// If a page or the catalog can't be read.
pub fn table(workspace: &Workspace, language: Language) -> Result<String> {
    let catalog = match language {
        Language::Portuguese => None,
        Language::English => Some(i18n::catalog(workspace, language)?),
    };
    let (chapter, reading, exercises) = match language {
        Language::Portuguese => ("capítulo", "leitura", "exercícios"),
        Language::English => ("chapter", "reading", "exercises"),
    };
    let mut rows =
        vec![format!("| {chapter} | {reading} | {exercises} |\n|---|---|---|")];
    for path in workspace.pages()? {
        if workspace.chapter(&path).is_none() {
            continue;
        }
        let mut text = workspace.read(&path)?;
        if let Some(catalog) = &catalog {
            text = i18n::translate(&text, catalog)?;
        }
        let blocks = page::parse(workspace, &path, &text)?;
        let found = Chapter::new(&blocks)
            .with_context(|| format!("{} has no title", path.display()))?;
        let title = &found.title;
        let number = page::chapter_number(&path);
        let file = forward(path.strip_prefix("src").unwrap_or(&path));
        rows.push(format!(
            "| {}. [{title}]({file}) | {} | {} ({}) |",
            number.trim_end_matches('.'),
            duration(found.minutes),
            found.exercises,
            duration(found.exercises * EXERCISE),
        ));
    }
    Ok(rows.join("\n"))
}

impl Chapter {
    fn new(blocks: &[Located]) -> Option<Self> {
        let prose = || blocks.iter().filter_map(|located| located.block.words());
        let headings: Vec<Heading> = prose().flat_map(markdown::headings).collect();
        let title = headings.iter().find(|it| it.level == HeadingLevel::H1)?;
        let exercise = |it: &&Heading| {
            it.level == HeadingLevel::H3
                && it.title.starts_with(|c: char| c.is_ascii_digit())
        };
        let exercises = headings.iter().filter(exercise).count();
        let minutes = reading::minutes(blocks);
        Some(Self { title: title.title.clone(), minutes, exercises })
    }
}

/// `25 min`, `1 h`, `1 h 20`.
fn duration(minutes: usize) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Block;

    #[test]
    fn a_chapter_s_words_and_exercises_are_counted() {
        let words = "a ".repeat(2000);
        let text = format!(
            "# O *custo*\n\n{words}\n\n### Parte\n\n## Exercícios\n\n### 1. Um"
        );
        let more = "### 2. Dois\n\nb".to_owned();
        let blocks =
            [text, more].map(|text| Located { line: 1, block: Block::Markdown(text) });
        let chapter = Chapter::new(&blocks).unwrap();
        assert_eq!((chapter.title.as_str(), chapter.exercises), ("O *custo*", 2));
        assert_eq!(chapter.minutes, 10);
        assert!(Chapter::new(&blocks[1..]).is_none());
    }

    #[test]
    fn a_duration_is_in_hours_and_minutes() {
        let shown = [5, 60, 80, 125].map(duration);
        assert_eq!(shown, ["5 min", "1 h", "1 h 20", "2 h 05"]);
    }
}
