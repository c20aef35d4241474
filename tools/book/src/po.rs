//! Where things stand in a PO file, which `polib` does not say; and what it could not
//! read: it panics on some faults and passes over others.

use std::sync::LazyLock;

use regex::Regex;

/// A message with the lines that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The text.
    pub id: String,
    /// Where the text was taken from: `src/page.md:7`.
    pub source: String,
    /// The translation.
    pub text: String,
    /// Whether a translator has to look at it.
    pub fuzzy: bool,
    /// For each line of the file that holds a piece of the translation: the first byte of
    /// [`Entry::text`] that is on it, and its 1-based number.
    lines: Vec<(usize, usize)>,
}

impl Entry {
    /// The line of the file that holds a byte of the translation.
    #[must_use]
    pub fn line_of(&self, byte: usize) -> usize {
        let until = self.lines.partition_point(|(start, _)| *start <= byte);
        self.lines[..until].last().map_or(0, |(_, line)| *line)
    }
}

/// What a PO file can't hold: the 1-based line and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line.
    pub line: usize,
    /// What is wrong, and the remedy.
    pub problem: String,
}

static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(msgid |msgstr |)"((?:[^"\\]|\\["\\nrt])*)"$"#)
        .expect("a valid pattern")
});

/// `polib` reads lines of 64 KiB at most.
const LONGEST: usize = 60_000;

/// The entries of a PO file, its header (with the empty id) first.
///
/// # Errors
///
/// The first line that is none of a PO file of this book: no context, no plurals, blank
/// lines between entries.
pub fn entries(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut reader = Reader::default();
    for (i, line) in text.lines().enumerate() {
        let line_number = i + 1;
        let fault =
            |problem: &str| Fault { line: line_number, problem: problem.to_owned() };
        if line.len() > LONGEST {
            return Err(fault(
                "a line of over 60,000 bytes: break it into several strings",
            ));
        }
        reader.take(line, line_number).map_err(fault)?;
    }
    reader.take("", text.lines().count()).map_err(|problem| Fault {
        line: text.lines().count(),
        problem: problem.to_owned(),
    })?;
    Ok(reader.entries)
}

/// The part of an entry that is being read.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    #[default]
    Comments,
    Id,
    Text,
}

#[derive(Default)]
struct Reader {
    entries: Vec<Entry>,
    part: Part,
    open: Option<Entry>,
}

impl Reader {
    fn take(&mut self, line: &str, number: usize) -> Result<(), &'static str> {
        if line.is_empty() {
            return self.end();
        }
        if line.starts_with('#') {
            if self.part != Part::Comments {
                return Err("a comment inside an entry: put a blank line above it");
            }
            self.comment(line);
            return Ok(());
        }
        let Some(found) = QUOTED.captures(line) else {
            return Err(
                "this is no line of a PO file: msgid or msgstr and one string in quotes, \
                        in which \\\", \\\\, \\n, \\r and \\t are the only escapes",
            );
        };
        self.string(&found[1], &unescape(&found[2]), number)
    }

    fn comment(&mut self, line: &str) {
        let open = self.open.get_or_insert_with(|| Entry {
            id: String::new(),
            source: String::new(),
            text: String::new(),
            fuzzy: false,
            lines: Vec::new(),
        });
        if let Some(source) = line.strip_prefix("#: ") {
            open.source.push_str(source);
            open.source.push(' ');
        } else if let Some(flags) = line.strip_prefix("#, ") {
            open.fuzzy |= flags.contains("fuzzy");
        }
    }

    fn string(
        &mut self,
        keyword: &str,
        text: &str,
        line: usize,
    ) -> Result<(), &'static str> {
        let part = match keyword {
            "msgid " => Part::Id,
            "msgstr " => Part::Text,
            _ => self.part,
        };
        let in_order = match keyword {
            "msgid " => self.part == Part::Comments,
            "msgstr " => self.part == Part::Id,
            _ => self.part != Part::Comments,
        };
        if !in_order {
            return Err(
                "out of order: an entry is one msgid, then one msgstr, then a blank line",
            );
        }
        self.comment("#"); // an entry may have no comment
        let Some(open) = &mut self.open else { return Ok(()) };
        self.part = part;
        if part == Part::Id {
            open.id.push_str(text);
        } else {
            open.lines.push((open.text.len(), line));
            open.text.push_str(text);
        }
        Ok(())
    }

    /// A blank line ends an entry; one of comments alone is none.
    fn end(&mut self) -> Result<(), &'static str> {
        let open = self.open.take();
        let part = std::mem::take(&mut self.part);
        match part {
            Part::Comments => {}
            Part::Id => return Err("a msgid without its msgstr"),
            Part::Text => self.entries.extend(open),
        }
        Ok(())
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                other => other.unwrap_or('\\'),
            },
            c => c,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_knows_the_lines_of_its_translation() {
        let text = "msgid \"\"\nmsgstr \"\"\n\"Language: en\\n\"\n\n# a\n#: src/a.md:1\n#, fuzzy\n\
                    msgid \"u\"\n\"m\"\nmsgstr \"\"\n\"one \"\n\"\\\"é\\\"\\n\"\n\"\"\n\"two\"\n\n#~ msgid \"b\"\n";
        let found = entries(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].id.as_str(), found[0].text.as_str()),
            ("", "Language: en\n")
        );
        let entry = &found[1];
        assert_eq!((entry.id.as_str(), entry.text.as_str()), ("um", "one \"é\"\ntwo"));
        assert_eq!((entry.source.as_str(), entry.fuzzy), ("src/a.md:1 ", true));
        let lines = ["one", "\"é", "two"]
            .map(|part| entry.line_of(entry.text.find(part).unwrap()));
        assert_eq!(lines, [11, 12, 14]);
    }

    /// `polib` panics on some of these; of others it loses a part without a word.
    #[test]
    fn what_polib_can_t_read_is_refused_with_its_line() {
        let long = format!("msgid \"a\"\nmsgstr \"{}\"\n", "b".repeat(LONGEST));
        for (text, line, problem) in [
            ("msgid a\n", 1, "this is no line of a PO file"),
            ("\n\"\n", 2, "this is no line of a PO file"),
            ("msgid \"a\"b\"\n", 1, "this is no line of a PO file"),
            ("msgid \"a\\\"\n", 1, "this is no line of a PO file"),
            ("msgid \"a\\q\"\n", 1, "this is no line of a PO file"),
            ("msgid \"a\"\nmsgstr \"b\"\n  \"c\"\n", 3, "this is no line of a PO file"),
            ("msgid \"a\"\nmsgid_plural \"b\"\n", 2, "this is no line of a PO file"),
            ("msgctxt \"a\"\nmsgid \"b\"\n", 1, "this is no line of a PO file"),
            ("\u{feff}msgid \"a\"\n", 1, "this is no line of a PO file"),
            ("msgid \"a\"\nmsgstr \"b\"\nmsgid \"c\"\n", 3, "out of order"),
            ("msgstr \"b\"\n", 1, "out of order"),
            ("\"b\"\n", 1, "out of order"),
            ("msgid \"a\"\n#, fuzzy\nmsgstr \"b\"\n", 2, "a comment inside an entry"),
            ("msgid \"a\"\n\nmsgstr \"b\"\n", 2, "a msgid without its msgstr"),
            ("msgid \"a\"", 1, "a msgid without its msgstr"),
            (&long, 2, "a line of over 60,000 bytes"),
        ] {
            let fault = entries(text).unwrap_err();
            assert_eq!(fault.line, line, "{text}");
            assert!(fault.problem.starts_with(problem), "{text}: {}", fault.problem);
        }
    }
}
