//! Questions before results: each chapter asks its reader to predict something, and its form
//! does not give the answer away.

use anyhow::Result;

use crate::i18n;
use crate::page::{Block, Located};
use crate::workspace::{Language, Workspace};

/// Questions that a chapter asks, at least. That each has its answers, [`crate::page::parse`]
/// sees to.
const LEAST: usize = 2;

/// Chapters (appendices apart) that let their reader predict too little, or whose right answers
/// all have the same place among the choices.
///
/// # Errors
///
/// If a page can't be read.
pub fn weak(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for chapter in workspace.chapters()? {
        if chapter.name.starts_with("ch") {
            let blocks = i18n::blocks(workspace, &chapter, Language::Portuguese)?;
            let problem = weakness(&right_places(&blocks));
            let page = chapter.page().display();
            findings.extend(problem.map(|problem| format!("{page}: {problem}")));
        }
    }
    Ok(findings)
}

fn weakness(places: &[usize]) -> Option<String> {
    let count = places.len();
    if count < LEAST {
        return Some(format!(
            "{count} questions before results, and a chapter asks at least {LEAST}: write \
             {{{{#question …}}}}"
        ));
    }
    let first = places[0];
    places.iter().all(|place| *place == first).then(|| {
        format!("choice {} is right in each question: nobody has to think", first + 1)
    })
}

/// For each question, which of its choices is the right one, from 0 on.
fn right_places(blocks: &[Located]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut choices = 0;
    for located in blocks {
        match &located.block {
            Block::Question(_) => choices = 0,
            Block::Choice(choice) => {
                places.extend(choice.right.then_some(choices));
                choices += 1;
            }
            _ => {}
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Choice;

    #[test]
    fn a_chapter_asks_and_does_not_give_itself_away() {
        let question = Block::Question("A?".into());
        let choice = |right| Block::Choice(Choice { text: "b".into(), right });
        let blocks = [
            question.clone(),
            choice(false),
            choice(true),
            question,
            choice(true),
            choice(false),
        ];
        let blocks = blocks.map(|block| Located { line: 1, block });
        assert_eq!(right_places(&blocks), [1, 0]);
        for (places, problem) in [
            (&[1, 0][..], None),
            (&[2, 2, 0], None),
            (&[2, 2, 2], Some("choice 3 is right in each")),
            (&[1], Some("1 questions before results")),
            (&[], Some("0 questions before results")),
        ] {
            let found = weakness(places);
            assert_eq!(found.is_some(), problem.is_some(), "{places:?}");
            assert!(found.unwrap_or_default().starts_with(problem.unwrap_or_default()));
        }
    }
}
