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

/// The words of a clause that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// The noun whose verb it is.
    pub subject: &'static str,
    /// Another noun, between the subject and the verb.
    pub noun: &'static str,
    /// The verb.
    pub verb: &'static str,
}

/// A sentence of two clauses, with "e" or "and" between them. The second subject stands
/// nearer to the first verb than to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwoClauses {
    /// `pt` or `en`.
    pub language: &'static str,
    /// The first and the second clause.
    pub clauses: [Clause; 2],
    /// The sentence.
    pub text: &'static str,
}

/// Sentences of two clauses, in Portuguese and then in English.
pub fn two_clauses() -> Vec<TwoClauses> {
    let sentence = |line: &'static str| {
        let mut parts = line.split('\t');
        let mut part = || parts.next();
        let language = part()?;
        let first = Clause { subject: part()?, noun: part()?, verb: part()? };
        let second = Clause { subject: part()?, noun: part()?, verb: part()? };
        Some(TwoClauses { language, clauses: [first, second], text: part()? })
    };
    include_str!("../data/clauses.tsv").lines().filter_map(sentence).collect()
}

/// The English ones of [`two_clauses`].
pub fn english_clauses() -> Vec<TwoClauses> {
    let mut sentences = two_clauses();
    sentences.retain(|sentence| sentence.language == "en");
    sentences
}

/// A sentence in which a pronoun's gender says which of two nouns it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PronounSentence {
    /// The sentence.
    pub text: String,
    /// `ela` or `ele`.
    pub pronoun: &'static str,
    /// The noun of its gender.
    pub right: &'static str,
    /// The noun of the other gender.
    pub wrong: &'static str,
    /// What is said of it, the same word for both genders.
    pub adjective: &'static str,
}

/// Portuguese sentences like chapter 1's, four of each two nouns: both orders of the
/// nouns, both pronouns. The right noun is first as often as second, masculine as often
/// as feminine.
pub fn pronoun_sentences() -> Vec<PronounSentence> {
    let four = |line: &'static str| {
        let mut parts = line.split('\t');
        let mut part = || parts.next();
        Some([part()?, part()?, part()?, part()?])
    };
    let lines = include_str!("../data/pronouns.tsv").lines().filter_map(four);
    let sentences = lines.flat_map(|[masculine, feminine, verb, adjective]| {
        let orders = [
            format!("O {masculine} {verb} a {feminine}"),
            format!("A {feminine} {verb} o {masculine}"),
        ];
        orders.into_iter().flat_map(move |start| {
            let nouns = [("ela", feminine, masculine), ("ele", masculine, feminine)];
            nouns.map(|(pronoun, right, wrong)| PronounSentence {
                text: format!("{start} porque {pronoun} estava {adjective}."),
                pronoun,
                right,
                wrong,
                adjective,
            })
        })
    });
    sentences.collect()
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

    #[test]
    fn two_clauses_stand_as_they_say() {
        let all = two_clauses();
        let lines = include_str!("../data/clauses.tsv").lines().count();
        assert_eq!((all.len(), 2 * english_clauses().len()), (lines, lines));
        assert!(all.len() >= 32);
        for TwoClauses { clauses: [first, second], text, .. } in all {
            let words = words(text);
            let place = |wanted: &str| {
                let places: Vec<usize> =
                    (0..words.len()).filter(|&i| words[i] == wanted).collect();
                assert_eq!(places.len(), 1, "{wanted} in {text}");
                places[0]
            };
            let [a, b] = [first, second].map(|clause| {
                let Clause { subject, noun, verb } = clause;
                let places = [place(subject), place(noun), place(verb)];
                assert!(places.is_sorted(), "{text}");
                places
            });
            assert!(["e", "and"].contains(&words[a[2] + 1]), "{text}");
            // The other verb is nearer than its own.
            assert!(b[0] - a[2] < b[2] - b[0], "{text}");
        }
    }

    #[test]
    fn pronouns_are_balanced() {
        let all = pronoun_sentences();
        assert_eq!(all.len(), 4 * include_str!("../data/pronouns.tsv").lines().count());
        assert_eq!(all[0].text, "O menino viu a menina porque ela estava triste.");
        assert_eq!(all[3].text, "A menina viu o menino porque ele estava triste.");
        let place = |one: &PronounSentence, wanted: &str| {
            words(&one.text).iter().position(|&word| word == wanted)
        };
        let first = |one: &&PronounSentence| {
            place(one, one.right).unwrap() < place(one, one.wrong).unwrap()
        };
        assert_eq!(2 * all.iter().filter(first).count(), all.len());
    }
}
