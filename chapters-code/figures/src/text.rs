//! What a figure says, in the book's two languages.

use crate::fonts;
use crate::svg::printable;

/// A language that figures speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The book's own.
    Portuguese,
    /// That of its translation.
    English,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::Portuguese, Self::English];
}

/// A text of a figure, in Portuguese and in English: `("época", "epoch")`, or one string
/// that is the same in both.
///
/// ```
/// use figures::Text;
///
/// assert_eq!(Text::from("loss"), Text::from(("loss", "loss")));
/// let title = Text::from((format!("camada {}", 3), "layer 3"));
/// assert_ne!(title, Text::from("layer 3"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    portuguese: String,
    english: String,
}

impl Text {
    /// A text made for each language.
    pub(crate) fn both(of: impl Fn(Language) -> String) -> Self {
        let [portuguese, english] = Language::ALL.map(of);
        Self { portuguese, english }
    }

    pub(crate) fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Portuguese => &self.portuguese,
            Language::English => &self.english,
        }
    }

    /// For messages, which are in English.
    pub(crate) fn english(&self) -> String {
        self.english.clone()
    }

    /// The same text, changed in both languages.
    pub(crate) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        match self.common() {
            Some(text) => change(text).into(),
            None => Self::both(|language| change(self.in_language(language))),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.portuguese.is_empty() && self.english.is_empty()
    }

    /// One text, if it is the same in both languages.
    pub(crate) fn common(&self) -> Option<&str> {
        (self.portuguese == self.english).then_some(&self.portuguese)
    }

    /// How wide it is in the language in which it is wider.
    pub(crate) fn width(&self, size: f64, bold: bool) -> f64 {
        let width = |language| fonts::width(self.in_language(language), size, bold);
        Language::ALL.map(width).into_iter().fold(0.0, f64::max)
    }

    /// As [`fonts::elide`], in both languages.
    pub(crate) fn elide(&self, size: f64, bold: bool, room: f64) -> Self {
        self.map(|text| fonts::elide(text, size, bold, room))
    }

    /// As [`fonts::wrap`], line by line in both languages; the one with fewer lines has empty
    /// ones below them.
    pub(crate) fn wrap(
        &self,
        size: f64,
        bold: bool,
        room: f64,
        most: usize,
    ) -> Vec<Self> {
        let wrapped = Language::ALL
            .map(|it| fonts::wrap(self.in_language(it), size, bold, room, most));
        let [portuguese, english] = &wrapped;
        let line =
            |lines: &[String], i: usize| lines.get(i).cloned().unwrap_or_default();
        (0..portuguese.len().max(english.len()))
            .map(|i| Self {
                portuguese: line(portuguese, i),
                english: line(english, i),
            })
            .collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        (text, text).into()
    }
}

impl From<&&str> for Text {
    fn from(text: &&str) -> Self {
        (*text).into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl<P: AsRef<str>, E: AsRef<str>> From<(P, E)> for Text {
    fn from((portuguese, english): (P, E)) -> Self {
        let portuguese = printable(portuguese.as_ref());
        Self { portuguese, english: printable(english.as_ref()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_language_has_room() {
        let text = Text::from(("camada", "layer"));
        assert!(
            (text.width(13.0, false) - fonts::width("camada", 13.0, false)).abs()
                < 1e-9
        );
        assert_eq!(text.elide(13.0, false, 1000.0), text);
        assert_eq!((text.common(), Text::from("q").common()), (None, Some("q")));
    }

    #[test]
    fn both_languages_have_the_same_number_of_lines() {
        let lines = Text::from(("a bb cc", "a")).wrap(10.0, false, 30.0, 4);
        assert_eq!(lines, [Text::from(("a bb", "a")), Text::from(("cc", ""))]);
    }
}
