//! `cargo book new chapter NAME`: the skeleton of a chapter or an appendix in all its lives, and
//! its lines in every list that names chapters.
//!
//! The files come from `new/templates`, with `@NAME@` and the like filled in. All is made before
//! anything is written: a name that does not fit leaves the repository as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;

use crate::workspace::Workspace;

/// The chapter to make.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// `ch09-generation` or `a4-more`: what its page, crate and notebook are called.
    pub name: String,
    /// Its title, in Portuguese.
    pub title: String,
    /// Its title in the README, which is English.
    pub title_en: String,
}

impl Chapter {
    /// `ch09`, `a4`: what its exercises are called.
    fn short(&self) -> &str {
        self.name.split('-').next().unwrap_or(&self.name)
    }

    fn is_appendix(&self) -> bool {
        self.name.starts_with('a')
    }

    /// Its number, as it is spoken of.
    fn number(&self) -> &str {
        self.short().trim_start_matches(char::is_alphabetic).trim_start_matches('0')
    }

    /// What its crate is called in Rust: its name without the number.
    fn library(&self) -> String {
        let name = self.name.split_once('-').map_or("", |(_, name)| name);
        name.replace('-', "_")
    }

    fn check(&self) -> Result<()> {
        let form =
            Regex::new(r"^(?:ch(?:0[1-9]|[1-9]\d)|a[1-9]\d?)(?:-[a-z][a-z0-9]*)+$")?;
        ensure!(
            form.is_match(&self.name),
            "{:?} names no chapter: a name is ch09-two-words, or a4-two-words for an appendix",
            self.name
        );
        for title in [&self.title, &self.title_en] {
            ensure!(
                !title.trim().is_empty() && !title.contains(['\n', '[', ']', '|', '"']),
                "{title:?} is no title: give one line, without brackets, quotes and |"
            );
        }
        Ok(())
    }

    /// A template with the chapter's names in it.
    fn fill(&self, template: &str) -> String {
        let kind = if self.is_appendix() { "appendix" } else { "chapter" };
        let label = format!("{kind} {}", self.number());
        let capital = label[..1].to_uppercase() + &label[1..];
        // Chapters ask their reader to predict something; appendices may.
        let question = |text| if self.is_appendix() { "\n" } else { text };
        let library = self.library();
        let mut uses =
            [format!("use {library}::mean;"), "use ndarray::{Array1, array};".into()];
        uses.sort(); // as rustfmt wants them
        template
            .replace("@USES@", &uses.join("\n"))
            .replace("@FIRST_QUESTION@\n", question(FIRST_QUESTION))
            .replace("@SECOND_QUESTION@\n", question(SECOND_QUESTION))
            .replace("@NAME@", &self.name)
            .replace("@SHORT@", self.short())
            .replace(
                "@EXERCISES@",
                if self.is_appendix() { self.short() } else { self.number() },
            )
            .replace("@LIB@", &library)
            .replace("@TITLE@", &self.title)
            .replace("@TITLE_EN@", &self.title_en)
            .replace("@label@", &label)
            .replace("@Label@", &capital)
    }

    /// The files that the chapter brings, with their templates.
    fn templates(&self) -> [(String, &'static str); 11] {
        let (name, short) = (&self.name, self.short());
        let own = |file: &str| format!("chapters-code/{name}/{file}");
        [
            (own("Cargo.toml"), include_str!("new/templates/Cargo.toml.txt")),
            (own("src/lib.rs"), include_str!("new/templates/lib.rs.txt")),
            (own("src/main.rs"), include_str!("new/templates/main.rs.txt")),
            (
                own("examples/walkthrough.rs"),
                include_str!("new/templates/walkthrough.rs.txt"),
            ),
            (format!("src/{name}.md"), include_str!("new/templates/page.md.txt")),
            (
                format!("chapters-code/exercises/src/{short}.rs"),
                include_str!("new/templates/exercises.rs.txt"),
            ),
            (
                format!("chapters-code/exercises/tests/{short}.rs"),
                include_str!("new/templates/exercises_test.rs.txt"),
            ),
            (
                format!("chapters-code/exercises/tests/checks/{short}.rs"),
                include_str!("new/templates/checks.rs.txt"),
            ),
            (
                format!("chapters-code/solutions/src/{short}.rs"),
                include_str!("new/templates/solutions.rs.txt"),
            ),
            (
                format!("tests/tests/exercises/{short}.rs"),
                include_str!("new/templates/wrong.rs.txt"),
            ),
            (
                format!("tools/notebook/view/{name}/Cargo.toml"),
                include_str!("new/templates/view.toml.txt"),
            ),
        ]
    }
}

const FIRST_QUESTION: &str = include_str!("new/templates/first_question.md.txt");
const SECOND_QUESTION: &str = include_str!("new/templates/second_question.md.txt");

/// Makes a chapter's skeleton. Returns the files that are new, then those that have changed.
///
/// # Errors
///
/// If the name or a title does not fit, a file of it is there, or a list that names chapters is not
/// where it was: nothing is written then.
pub fn chapter(workspace: &Workspace, chapter: &Chapter) -> Result<[Vec<PathBuf>; 2]> {
    chapter.check()?;
    ensure!(
        !workspace.chapters()?.iter().any(|other| other.short() == chapter.short()),
        "there is a {} already: take the next number",
        chapter.short()
    );
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (path, template) in chapter.templates() {
        let is_there = workspace.root.join(&path).exists();
        ensure!(!is_there, "{path} is there already: remove it, or take another name");
        files.insert(path.into(), chapter.fill(template));
    }
    let new = files.keys().cloned().collect();
    let mut changed = Vec::new();
    for (path, edits) in edits(chapter) {
        let mut text = workspace.read(path.as_ref())?;
        for edit in edits {
            text = edit.apply(&text).with_context(|| {
                format!("{path}: the list of chapters is not where it was")
            })?;
        }
        files.insert(path.into(), text);
        changed.push(path.into());
    }
    for (path, text) in files {
        let path = workspace.root.join(path);
        let folder = path.parent().context("a file has a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok([new, changed])
}

/// What a list of chapters gains.
enum Edit {
    /// A line in a list that begins with a line, in the book's order (chapters, then
    /// appendices) or by name.
    Line { list: &'static str, line: String, in_order: bool },
    /// Text right before a line.
    Before { line: String, text: String },
    /// Text right after the last line that begins so.
    After { start: &'static str, text: String },
    /// A name between the braces of the first `pub use { … };`.
    Use(String),
    /// One more in the number between two texts.
    Count { before: &'static str, after: &'static str },
}

/// The lists that name chapters, by their files.
fn edits(chapter: &Chapter) -> Vec<(&'static str, Vec<Edit>)> {
    let (name, short) = (&chapter.name, chapter.short());
    let by_name = |list, line| Edit::Line { list, line, in_order: false };
    let in_order = |list, line| Edit::Line { list, line, in_order: true };
    let member = format!("    \"chapters-code/{name}\",");
    let shared = format!("{name}.workspace = true");
    let module = |list| vec![by_name(list, format!("pub mod {short};"))];
    let dependency = format!("{name} = {{ path = \"chapters-code/{name}\" }}");
    let beside = format!("{name} = {{ path = \"../{name}\" }}");
    vec![
        ("Cargo.toml", vec![
            in_order("members = [", member.clone()),
            in_order("default-members = [", member),
            by_name("# our own", dependency),
        ]),
        ("README.md", vec![row(chapter)]),
        ("src/SUMMARY.md", vec![in_summary(chapter)]),
        ("chapters-code/exercises/src/lib.rs", module("pub mod a1;")),
        ("chapters-code/exercises/tests/checks/mod.rs", module("pub mod a1;")),
        ("chapters-code/solutions/src/lib.rs", module("pub mod a1;")),
        ("chapters-code/solutions/Cargo.toml", vec![Edit::Before {
            line: "[lints]".into(),
            text: chapter.fill(include_str!("new/templates/solutions_test.toml.txt")),
        }]),
        ("tests/tests/exercises/main.rs", vec![by_name("mod a1;", format!("mod {short};"))]),
        ("tests/tests/stubs.rs", vec![
            Edit::Before {
                line: "/// The chapters and appendices above, with how many stubs each has there."
                    .into(),
                text: chapter.fill(include_str!("new/templates/stubs.rs.txt")),
            },
            Edit::After { start: "    (\"", text: format!("    (\"{short}\", 1),\n") },
            Edit::Count { before: "const ASSERTED: [(&str, usize); ", after: "] = [" },
        ]),
        ("tools/prelude/Cargo.toml", vec![by_name("[dependencies]", shared)]),
        ("tools/prelude/src/lib.rs", vec![Edit::Use(chapter.library())]),
        ("tools/notebook/view/book-prelude/Cargo.toml", vec![by_name(
            "[dependencies]",
            beside,
        )]),
    ]
}

/// The chapter's row in the README's table.
fn row(chapter: &Chapter) -> Edit {
    let Chapter { name, title_en, .. } = chapter;
    let number = if chapter.is_appendix() { chapter.short() } else { chapter.number() };
    let row =
        format!("| {number} | [{title_en}](src/{name}.md) | what one builds here |\n");
    if chapter.is_appendix() {
        Edit::After { start: "| a", text: row }
    } else {
        Edit::Before { line: "| a1 | ".into(), text: row }
    }
}

/// The chapter's line in the summary.
fn in_summary(chapter: &Chapter) -> Edit {
    let Chapter { name, title, .. } = chapter;
    if chapter.is_appendix() {
        Edit::Before {
            line: "[Notação e pré-requisitos](notation.md)".into(),
            text: format!("[{title}]({name}.md)\n\n"),
        }
    } else {
        Edit::After { start: "- [", text: format!("- [{title}]({name}.md)\n") }
    }
}

impl Edit {
    /// A text with the edit made.
    fn apply(&self, text: &str) -> Result<String> {
        match self {
            Self::Line { list, line, in_order } => in_list(text, list, line, *in_order),
            Self::Before { line, text: new } => {
                let at = text.find(&format!("\n{line}"));
                let at = at.with_context(|| format!("no line {line:?}"))? + 1;
                Ok(format!("{}{new}{}", &text[..at], &text[at..]))
            }
            Self::After { start, text: new } => {
                let last = text.rfind(&format!("\n{start}"));
                let last =
                    last.with_context(|| format!("no line begins {start:?}"))? + 1;
                let end =
                    text[last..].find('\n').map_or(text.len(), |end| last + end + 1);
                Ok(format!("{}{new}{}", &text[..end], &text[end..]))
            }
            Self::Use(name) => in_use(text, name),
            Self::Count { before, after } => {
                let start =
                    text.find(before).with_context(|| format!("no {before:?}"))?;
                let start = start + before.len();
                let end = text[start..].find(after);
                let end = start + end.with_context(|| format!("no {after:?}"))?;
                let count: usize = text[start..end].parse()?;
                Ok(format!("{}{}{}", &text[..start], count + 1, &text[end..]))
            }
        }
    }
}

/// Puts a line into the list that begins with the line `list` (or after it) and ends with a
/// blank line, `]` or an attribute, which belongs to what is below it.
fn in_list(text: &str, list: &str, line: &str, in_order: bool) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|other| *other == list);
    let start = start.with_context(|| format!("no line {list:?}"))?;
    let ends = |other: &&str| ["", "]"].contains(other) || other.starts_with("#[");
    let length = lines[start..].iter().position(ends);
    let end = length.map_or(lines.len(), |length| start + length);
    let rank = |line: &str| {
        let name: String = line
            .trim()
            .trim_start_matches("pub mod ")
            .trim_start_matches("mod ")
            .trim_start_matches("\"chapters-code/")
            .chars()
            .take_while(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect();
        let is_chapter =
            name.starts_with("ch") && name[2..].starts_with(char::is_numeric);
        let is_appendix =
            name.starts_with('a') && name[1..].starts_with(char::is_numeric);
        // In the book's order the crates that are no chapters come last.
        let group = match (in_order, is_chapter, is_appendix) {
            (false, ..) | (true, true, _) => 0,
            (true, _, true) => 1,
            _ => 2,
        };
        (group, name)
    };
    let wanted = rank(line);
    let first = start + usize::from(!list.ends_with(';')); // else it is an item itself
    let greater = |other: &&str| rank(other) > wanted;
    let place = lines[first..end].iter().position(greater).map_or(end, |i| first + i);
    lines.insert(place, line);
    Ok(lines.join("\n") + "\n")
}

/// Puts a name among those of the first `pub use { … };`, formatted as rustfmt has it.
fn in_use(text: &str, name: &str) -> Result<String> {
    const WIDTH: usize = 88;
    let Some((before, rest)) = text.split_once("pub use {") else {
        bail!("no `pub use {{`");
    };
    let (names, after) = rest.split_once("};").context("no `};`")?;
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut names: Vec<&str> = names.chain([name]).collect();
    names.sort_unstable();
    let line = format!("pub use {{{}}};", names.join(", "));
    if line.len() <= WIDTH {
        return Ok(format!("{before}{line}{after}"));
    }
    let mut lines = vec![String::from("   ")];
    for name in names {
        let last = lines.last_mut().context("there is a line")?;
        if last.len() + name.len() + 2 > WIDTH {
            lines.push(format!("    {name},"));
        } else {
            last.extend([" ", name, ","]);
        }
    }
    Ok(format!("{before}pub use {{\n{}\n}};{after}", lines.join("\n")))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use walkdir::WalkDir;

    use super::*;
    use crate::check;

    pub fn named(name: &str) -> Chapter {
        let title = "Um título".to_owned();
        Chapter { name: name.into(), title, title_en: "A title".into() }
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// What of the repository names chapters, in a folder of its own.
    pub fn copy() -> (tempfile::TempDir, Workspace) {
        let root = root();
        let folder = tempfile::tempdir().unwrap();
        let files = ["Cargo.toml", "README.md", "book.toml"].map(PathBuf::from);
        let folders = [
            "src",
            "po",
            "chapters-code",
            "tests/tests",
            "tests/reference",
            "tools/prelude",
            "tools/notebook/view",
        ];
        let inside = folders.iter().flat_map(|inside| {
            let entries =
                WalkDir::new(root.join(inside)).into_iter().map(Result::unwrap);
            let files = entries.filter(|entry| entry.file_type().is_file());
            files.map(|entry| entry.into_path().strip_prefix(&root).unwrap().to_owned())
        });
        for file in files.into_iter().chain(inside.collect::<Vec<_>>()) {
            let to = folder.path().join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root.join(&file), to).unwrap();
        }
        let workspace = Workspace::at(folder.path()).unwrap();
        (folder, workspace)
    }

    #[test]
    fn a_new_chapter_passes_the_checks_of_pages_and_code() {
        for name in ["ch98-new-words", "a9-new-words"] {
            let (_folder, workspace) = copy();
            let [new, changed] = chapter(&workspace, &named(name)).unwrap();
            assert_eq!((new.len(), changed.len()), (11, 12));
            for file in &changed {
                let read = |root: &Path| fs::read_to_string(root.join(file)).unwrap();
                let (before, after) = (read(&root()), read(&workspace.root));
                let after: Vec<&str> = after.lines().collect();
                // All lines stay, but one that counts and one that rustfmt breaks anew.
                let changes = |line: &&str| {
                    line.starts_with("const ASSERTED: ")
                        || line.starts_with("    attention_cost, ")
                };
                let mut lost = before
                    .lines()
                    .filter(|line| !after.contains(line) && !changes(line));
                assert_eq!(lost.next(), None, "{}", file.display());
            }
            let workspace = Workspace::at(&workspace.root).unwrap();
            let pages = workspace.pages().unwrap();
            let place = |name: &str| {
                let page = Path::new("src").join(name).with_extension("md");
                pages.iter().position(|other| *other == page).unwrap()
            };
            assert!(place(name) > place("ch08-bertinho"));
            assert_eq!(
                place(name) < place("a1-attention-cost"),
                name.starts_with("ch")
            );
            assert!(place(name) < place("notation"));
            for check in [
                check::listings::long,
                check::listings::wide,
                check::listings::drawings,
                check::listings::unused_anchors,
                check::unlisted_pages,
                check::questions::weak,
                check::terms::early,
                check::rivals::used,
                check::english::in_code,
                check::docs::riddles,
            ] {
                let findings = check(&workspace).unwrap();
                let own: Vec<_> = findings
                    .iter()
                    .filter(|finding| finding.contains("new-words"))
                    .collect();
                assert!(own.is_empty(), "{own:?}");
            }
            let manifest = workspace.read(Path::new("Cargo.toml")).unwrap();
            assert_eq!(manifest.matches(name).count(), 4, "{manifest}");
        }
    }

    /// What stands around the exercises of a chapter that is there, word for word: a skeleton that
    /// has fallen behind it would not compile.
    #[test]
    fn a_new_chapters_exercises_are_set_as_the_other_chapters_are() {
        let (_folder, workspace) = copy();
        chapter(&workspace, &named("ch98-new-words")).unwrap();
        let beginning = |path: &str, until: &str| {
            let text = workspace.read(Path::new(path)).unwrap();
            let end =
                text.find(until).unwrap_or_else(|| panic!("{path}: no {until:?}"));
            text[..end].replace("ch08", "ch98").replace("chapter 8", "chapter 98")
        };
        let both = |old: &str, new: &str, until: &str| {
            assert_eq!(beginning(new, until), beginning(old, until), "{new}");
        };
        let exercises = "chapters-code/exercises/tests";
        let [old, new] = ["ch08", "ch98"].map(|it| format!("{exercises}/{it}.rs"));
        both(&old, &new, "tests! {");
        let checks = beginning(&format!("{exercises}/checks/ch98.rs"), "pub fn");
        assert!(checks.contains("use super::asserts::"), "{checks}");
        let page = workspace.read(Path::new("src/ch98-new-words.md")).unwrap();
        assert!(
            page.contains("\ncargo book exercises 98\ncargo test -p exercises ch98\n")
        );
    }

    #[test]
    fn a_name_that_does_not_fit_changes_nothing() {
        let (_folder, workspace) = copy();
        for (name, problem) in [
            ("ch9-words", "\"ch9-words\" names no chapter"),
            ("generation", "\"generation\" names no chapter"),
            ("ch09", "\"ch09\" names no chapter"),
            ("ch09-../a", "\"ch09-../a\" names no chapter"),
            ("ch01-again", "there is a ch01 already"),
        ] {
            let error = chapter(&workspace, &named(name)).unwrap_err();
            assert!(format!("{error:#}").starts_with(problem), "{error:#}");
        }
        let title = "a | b".to_owned();
        let chapter_of = Chapter { title, ..named("ch98-new") };
        assert!(chapter(&workspace, &chapter_of).is_err());
        fs::write(workspace.root.join("tools/prelude/src/lib.rs"), "").unwrap();
        let error =
            format!("{:#}", chapter(&workspace, &named("ch98-new")).unwrap_err());
        assert!(error.starts_with("tools/prelude/src/lib.rs: the list"), "{error}");
        assert!(!workspace.root.join("src/ch98-new.md").exists());
    }

    #[test]
    fn a_line_finds_its_place_in_a_list() {
        let text = "members = [\n    \"chapters-code/ch01-a\",\n    \"chapters-code/a1-b\",\n    \
                    \"chapters-code/cli\",\n]\n";
        let line = |name: &str| format!("    \"chapters-code/{name}\",");
        for (name, before) in [("ch02-x", "a1-b"), ("a2-x", "cli")] {
            let found = in_list(text, "members = [", &line(name), true).unwrap();
            assert!(
                found.contains(&format!("{}\n{}", line(name), line(before))),
                "{found}"
            );
        }
        let last = "mod ch01;\n#[path = \"a.rs\"]\nmod checks;\n";
        let found = in_list(last, "mod ch01;", "mod ch09;", false).unwrap();
        assert_eq!(found, last.replace("#[", "mod ch09;\n#["));
        let modules = "pub mod a1;\npub mod ch01;\n\nuse a;\n";
        let found = in_list(modules, "pub mod a1;", "pub mod ch02;", false).unwrap();
        assert_eq!(found, "pub mod a1;\npub mod ch01;\npub mod ch02;\n\nuse a;\n");
        let found = in_list(modules, "pub mod a1;", "pub mod a2;", false).unwrap();
        assert_eq!(found, "pub mod a1;\npub mod a2;\npub mod ch01;\n\nuse a;\n");
    }

    #[test]
    fn a_name_finds_its_place_in_a_use() {
        let found = in_use("a\npub use {b, d};\npub use e;\n", "c").unwrap();
        assert_eq!(found, "a\npub use {b, c, d};\npub use e;\n");
        let long = ["k".repeat(30), "l".repeat(30), "m".repeat(30)];
        let found =
            in_use(&format!("pub use {{{}, {}}};\n", long[0], long[2]), &long[1]);
        let expected = format!(
            "pub use {{\n    {}, {},\n    {},\n}};\n",
            long[0], long[1], long[2]
        );
        assert_eq!(found.unwrap(), expected);
    }
}
