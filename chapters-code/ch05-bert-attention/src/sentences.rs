//! The sentences that this chapter measures on, written for it: everyday words, none of
//! them in the texts that `bertinho` was trained on.

/// `(Portuguese, English)`, each the other's translation.
pub fn pairs() -> Vec<(&'static str, &'static str)> {
    include_str!("../data/pairs.tsv")
        .lines()
        .filter_map(|l| l.split_once('\t'))
        .collect()
}

/// The Portuguese sentences of [`pairs`], then the English ones.
pub fn both_languages() -> Vec<&'static str> {
    let pairs = pairs();
    let portuguese = pairs.iter().map(|&(portuguese, _)| portuguese);
    portuguese.chain(english()).collect()
}

/// The English sentences of [`pairs`].
pub fn english() -> Vec<&'static str> {
    pairs().iter().map(|&(_, english)| english).collect()
}

/// A subject and its verb, side by side in one sentence and apart in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// `pt` or `en`.
    pub language: &'static str,
    /// The noun.
    pub noun: &'static str,
    /// Its verb.
    pub verb: &'static str,
    /// A sentence where the verb is the word after the noun.
    pub near: &'static str,
    /// A sentence where other words stand between them.
    pub far: &'static str,
}

/// Subjects and their verbs, in Portuguese and then in English.
pub fn subjects() -> Vec<Subject> {
    let subject = |line: &'static str| {
        let mut parts = line.split('\t');
        let mut part = || parts.next();
        Some(Subject {
            language: part()?,
            noun: part()?,
            verb: part()?,
            near: part()?,
            far: part()?,
        })
    };
    include_str!("../data/subjects.tsv").lines().filter_map(subject).collect()
}

/// The English ones of [`subjects`].
pub fn english_subjects() -> Vec<Subject> {
    let mut subjects = subjects();
    subjects.retain(|subject| subject.language == "en");
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sentence: &str) -> Vec<&str> {
        sentence.split([' ', '.', ',', '?', '\'']).collect()
    }

    #[test]
    fn every_line_is_read() {
        assert_eq!(pairs().len(), include_str!("../data/pairs.tsv").lines().count());
        assert_eq!(both_languages().len(), 2 * pairs().len());
        assert_eq!(both_languages()[pairs().len()], pairs()[0].1);
        let lines = include_str!("../data/subjects.tsv").lines().count();
        assert_eq!(subjects().len(), lines);
        assert_eq!(2 * english_subjects().len(), lines);
    }

    #[test]
    fn subjects_and_verbs_stand_as_they_say() {
        for Subject { language, noun, verb, near, far } in subjects() {
            assert!(["pt", "en"].contains(&language));
            for (sentence, apart) in [(near, false), (far, true)] {
                let words = words(sentence);
                let once = |wanted: &str| {
                    let mut places = (0..words.len()).filter(|&i| words[i] == wanted);
                    let place = places.next();
                    assert!(place.is_some() && places.next().is_none(), "{sentence}");
                    place.unwrap()
                };
                let distance = once(verb) - once(noun);
                assert_eq!(distance > 1, apart, "{noun} … {verb}: {sentence}");
            }
        }
    }
}
