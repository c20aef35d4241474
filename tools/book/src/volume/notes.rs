//! What a page folds away, put where a reader of paper finds it.

use super::tree::{self, Element, Node};
use super::{Page, SOLUTIONS, Words, file_name};

/// A page whose folds are taken out.
pub struct Taken {
    /// What stands on it, with its notes at the end.
    pub body: Vec<Node>,
    /// The solutions of its exercises.
    pub solutions: Vec<Note>,
}

/// What was folded, with the place that it comes from.
pub struct Note {
    id: String,
    title: Vec<Node>,
    /// The address of the place that it comes from.
    from: String,
    body: Vec<Node>,
}

impl Note {
    /// Under a heading that leads back to where the note comes from.
    fn section(self, level: &str) -> Vec<Node> {
        let heading =
            Element::new(level, "", vec![Element::link(&self.from, self.title).into()]);
        let mut section = vec![heading.with("id", &self.id).into()];
        section.extend(self.body);
        section
    }
}

/// Takes the folds out of a page's body.
#[must_use]
pub fn take(page: &str, body: Vec<Node>, words: &Words) -> Taken {
    let mut taker = Taker {
        page,
        words,
        exercise: None,
        figure: None,
        body: Vec::new(),
        answers: Vec::new(),
        hints: Vec::new(),
        drawings: Vec::new(),
        solutions: Vec::new(),
    };
    for node in body {
        match node {
            Node::Text(_) => taker.body.push(node),
            Node::Element(element) => taker.element(element),
        }
    }
    taker.finish()
}

/// The page with the solutions of all exercises, each chapter's under its heading.
#[must_use]
pub fn appendix(chapters: Vec<(String, Vec<Note>)>, words: &Words) -> Page {
    let title = Element::of_text("h1", "", words.solutions).with("id", SOLUTIONS);
    let mut body = vec![title.into()];
    for (number, (heading, solutions)) in chapters.into_iter().enumerate() {
        let heading = Element::of_text("h2", "", &heading);
        body.push(heading.with("id", &format!("of-{}", number + 1)).into());
        body.extend(solutions.into_iter().flat_map(|note| note.section("h3")));
    }
    let title = words.solutions.to_owned();
    Page { name: SOLUTIONS.to_owned(), label: None, title, body }
}

/// An exercise, from its heading on.
struct Exercise {
    id: String,
    title: Vec<Node>,
    /// Whether it says already where its hints and its solution are.
    led: bool,
}

struct Taker<'a> {
    page: &'a str,
    words: &'a Words,
    exercise: Option<Exercise>,
    /// Where in the body the last figure stands that has a name.
    figure: Option<usize>,
    body: Vec<Node>,
    answers: Vec<Note>,
    hints: Vec<Note>,
    drawings: Vec<Note>,
    solutions: Vec<Note>,
}

impl Taker<'_> {
    fn element(&mut self, element: Element) {
        if element.heading().is_some() {
            self.heading(&element);
        }
        if element.has_class("question") {
            return self.question(element);
        }
        if element.name == "details" {
            return self.fold(element);
        }
        if element.name == "figure" && element.attr("id").is_some() {
            self.figure = Some(self.body.len());
        }
        self.body.push(element.into());
    }

    /// An exercise begins at a heading with a number, and ends at the next heading.
    fn heading(&mut self, heading: &Element) {
        let text = tree::text(&heading.children);
        let number = text.split_once(". ").map(|(number, _)| number);
        let numbered = number.is_some_and(|number| number.parse::<u32>().is_ok());
        self.exercise = heading.attr("id").filter(|_| numbered).map(|id| Exercise {
            id: id.to_owned(),
            title: heading.children.clone(),
            led: false,
        });
    }

    fn here(&self, id: &str) -> String {
        format!("{}#{id}", file_name(self.page))
    }

    fn fold(&mut self, details: Element) {
        if details.has_class("drawing-code") {
            return self.drawing(details);
        }
        let Some(exercise) = &self.exercise else {
            return self.body.push(aside(details).into());
        };
        let (id, from) = (exercise.id.clone(), self.here(&exercise.id));
        let title = exercise.title.clone();
        self.lead(&id);
        let (summary, body) = opened(details);
        if shows_solution(&body) {
            let id = solution_id(self.page, &id);
            return self.solutions.push(Note { id, title, from, body });
        }
        let hint = Element::new("p", "hint-title", summary);
        let body = std::iter::once(hint.into()).chain(body).collect();
        match self.hints.last_mut().filter(|note| note.from == from) {
            Some(note) => note.body.extend(body),
            None => {
                self.hints.push(Note { id: format!("hints-{id}"), title, from, body });
            }
        }
    }

    /// Says below an exercise where its hints and its solution are.
    fn lead(&mut self, id: &str) {
        let hints = self.here(&format!("hints-{id}"));
        let solution =
            format!("{}#{}", file_name(SOLUTIONS), solution_id(self.page, id));
        let words = self.words;
        let Some(exercise) = &mut self.exercise else { return };
        if !std::mem::replace(&mut exercise.led, true) {
            let links = [(hints, words.hint), (solution, words.solution)];
            self.body.push(see(&links).into());
        }
    }

    /// The code of the figure above goes to the end; without a figure it stays.
    fn drawing(&mut self, details: Element) {
        let place = self.figure.take();
        let Some(Node::Element(figure)) = place.and_then(|at| self.body.get_mut(at))
        else {
            return self.body.push(aside(details).into());
        };
        let id = figure.attr("id").unwrap_or_default().to_owned();
        let caption = figure.children.iter_mut().find_map(|part| match part {
            Node::Element(part) if part.name == "figcaption" => Some(part),
            _ => None,
        });
        let mut title = vec![Node::text(self.words.drawing)];
        let code = format!("{}#code-{id}", file_name(self.page));
        if let Some(caption) = caption {
            let number = caption.find(&|part| part.name == "strong");
            title = number.map_or(title, |number| number.children.clone());
            let link = Element::link(&code, vec![Node::text(self.words.drawing)]);
            caption.children.push(Node::text(" "));
            caption.children.push(link.into());
            caption.children.push(Node::text("."));
        }
        let from = self.here(&id);
        let (_, body) = opened(details);
        self.drawings.push(Note { id: format!("code-{id}"), title, from, body });
    }

    /// A question shows its choices; what explains them goes to the end.
    fn question(&mut self, mut question: Element) {
        let id = format!("answer-{}", self.answers.len() + 1);
        let from = format!("question-{}", self.answers.len() + 1);
        let is_choice = |node: &Node| {
            node.element().is_some_and(|element| element.has_class("choice"))
        };
        let (choices, mut asked): (Vec<Node>, Vec<Node>) =
            question.children.into_iter().partition(is_choice);
        let words = asked.iter().filter_map(Node::element);
        let words = words.rev().find(|p| !p.has_class("question-title"));
        let title = words.map(|words| words.children.clone()).unwrap_or_default();
        let (mut offered, mut explained) = (Vec::new(), Vec::new());
        for choice in choices {
            let Node::Element(choice) = choice else { continue };
            let (summary, body) = opened(choice);
            offered.push(Element::new("li", "", summary.clone()).into());
            let mut item = vec![Element::new("p", "choice", summary).into()];
            item.extend(body);
            explained.push(Element::new("li", "", item).into());
        }
        let list = |items| Element::new("ol", "choices", items).with("type", "a");
        asked.push(list(offered).into());
        asked.push(see(&[(self.here(&id), self.words.answer)]).into());
        question.children = asked;
        question.set("id", &from);
        let (from, body) = (self.here(&from), vec![list(explained).into()]);
        self.body.push(question.into());
        self.answers.push(Note { id, title, from, body });
    }

    /// The page with its notes at the end.
    fn finish(self) -> Taken {
        let mut body = self.body;
        for (id, title, notes) in [
            ("answers", self.words.answers, self.answers),
            ("hints", self.words.hints, self.hints),
            ("drawings", self.words.drawings, self.drawings),
        ] {
            if notes.is_empty() {
                continue;
            }
            let heading = Element::of_text("h2", "notes", title);
            let id = format!("{id}-of-{}", self.page);
            body.push(heading.with("id", &id).into());
            body.extend(notes.into_iter().flat_map(|note| note.section("h3")));
        }
        Taken { body, solutions: self.solutions }
    }
}

fn solution_id(page: &str, exercise: &str) -> String {
    let chapter = page.split('-').next().unwrap_or(page);
    format!("{chapter}-{exercise}")
}

/// A line of links to notes.
fn see(links: &[(String, &str)]) -> Element {
    let mut parts = Vec::new();
    for (href, text) in links {
        if !parts.is_empty() {
            parts.push(Node::text(" · "));
        }
        parts.push(Element::link(href, vec![Node::text(*text)]).into());
    }
    Element::new("p", "see", parts)
}

/// A fold's title and what it folds away.
fn opened(details: Element) -> (Vec<Node>, Vec<Node>) {
    let (mut summary, mut body) = (Vec::new(), Vec::new());
    for node in details.children {
        match node {
            Node::Element(part) if part.name == "summary" => summary = part.children,
            _ => body.push(node),
        }
    }
    (summary, body)
}

/// A fold that stays where it is, open.
fn aside(details: Element) -> Element {
    let (summary, mut body) = opened(details);
    body.insert(0, Element::new("p", "aside-title", summary).into());
    Element::new("div", "aside", body)
}

/// Whether a fold shows code of the crate of solutions.
fn shows_solution(body: &[Node]) -> bool {
    let named = |element: &Element| {
        element.has_class("listing-file")
            && tree::text(&element.children).starts_with("solutions/")
    };
    tree::find(body, &named).is_some()
}

#[cfg(test)]
mod tests {
    use scraper::Html;

    use super::*;
    use crate::workspace::Language;

    fn taken(html: &str) -> (String, String) {
        let words = Words::of(Language::English);
        let body = tree::read(Html::parse_fragment(html).root_element());
        let taken = take("ch01-a", body, &words);
        let appendix = appendix(vec![("C".to_owned(), taken.solutions)], &words);
        (tree::write(&taken.body), tree::write(&appendix.body))
    }

    #[test]
    fn an_exercise_leads_to_its_hints_and_its_solution() {
        let (body, solutions) = taken(
            "<h3 id=\"1-x\">1. X</h3><p>Do.</p><details><summary>Hint</summary>h</details>\
             <details><summary>More</summary>m</details><details><summary>Solution</summary>\
             <p class=\"listing-file\">solutions/src/ch01.rs</p>s</details>",
        );
        let see = "<p>Do.</p><p class=\"see\"><a href=\"ch01-a.xhtml#hints-1-x\">Hints</a> · \
                   <a href=\"solutions.xhtml#ch01-1-x\">Solution</a></p><h2";
        assert!(body.contains(see), "{body}");
        let hints = "<h3 id=\"hints-1-x\"><a href=\"ch01-a.xhtml#1-x\">1. X</a></h3>\
                     <p class=\"hint-title\">Hint</p>h<p class=\"hint-title\">More</p>m";
        assert!(body.ends_with(hints), "{body}");
        assert!(
            solutions.ends_with(
                "<h3 id=\"ch01-1-x\"><a href=\"ch01-a.xhtml#1-x\">1. X</a></h3>\
                 <p class=\"listing-file\">solutions/src/ch01.rs</p>s"
            ),
            "{solutions}"
        );
    }

    #[test]
    fn a_question_shows_choices_and_keeps_what_explains_them_for_the_end() {
        let (body, _) = taken(
            "<div class=\"question\"><p class=\"question-title\">Q</p><p>Is it?</p>\
             <details class=\"choice\"><summary>Yes</summary><p class=\"verdict\">Right.</p>\
             </details><details class=\"choice\"><summary>No</summary>no</details></div><p>b</p>",
        );
        let (asked, answered) = body.split_once("<p>b</p>").unwrap();
        assert!(asked.contains("<li>Yes</li><li>No</li></ol>"), "{asked}");
        assert!(!asked.contains("Right."), "{asked}");
        let answer =
            "<li><p class=\"choice\">Yes</p><p class=\"verdict\">Right.</p></li>";
        assert!(answered.contains(answer), "{answered}");
    }

    #[test]
    fn the_code_of_a_figure_goes_to_the_end_and_other_folds_stay() {
        let (body, _) = taken(
            "<details><summary>T</summary>t</details><figure id=\"fig-a\"><figcaption>\
             <strong>Figure 1.</strong> A.</figcaption></figure>\
             <details class=\"drawing-code\"><summary>How</summary>code</details><p>b</p>",
        );
        let stays = "<div class=\"aside\"><p class=\"aside-title\">T</p>t</div><figure";
        assert!(body.starts_with(stays), "{body}");
        let end = "<h3 id=\"code-fig-a\"><a href=\"ch01-a.xhtml#fig-a\">Figure 1.</a></h3>code";
        assert!(body.ends_with(end), "{body}");
    }
}
