//! Two clauses, two verbs: does a head find the verb of the subject that looks, and does
//! it from the subject alone?

use ndarray::Array2;
use sentiment::Pretrained;
use serde::{Deserialize, Serialize};

use crate::attentions::Result;
use crate::choices::{Choices, Tally};
use crate::sentences::TwoClauses;

/// Which verb some words choose: the one of their own clause, or of the other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VerbLooks {
    /// The verb of the clause that they stand in.
    pub own: Tally,
    /// The verb of the other clause.
    pub other: Tally,
}

/// What each head does in sentences of two clauses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Clauses {
    /// From the subjects.
    pub subjects: VerbLooks,
    /// The strict control: from the other noun of each clause, which stands between its
    /// subject and its verb.
    pub nouns: VerbLooks,
    /// The other control: from all words and signs of a clause but its subject and verb.
    pub words: VerbLooks,
    /// How often the subject chose their clause's verb, and the noun did not.
    pub only_subject: Tally,
    /// How often the noun did, and the subject did not.
    pub only_noun: Tally,
    /// For each subject, the chance that a blind choice is its verb.
    pub chances: Vec<f64>,
}

/// A clause of a sentence that has been read: the places of its words.
struct Clause {
    subject: usize,
    noun: usize,
    verb: usize,
    other_verb: usize,
    words: std::ops::Range<usize>,
}

/// Where the two clauses stand: `None` if one of the words doesn't stand there once, or
/// no "e" or "and" between the clauses.
fn find(choices: &Choices, sentence: &TwoClauses) -> Option<[Clause; 2]> {
    let [first, second] = sentence.clauses;
    let place = |word| choices.find(word);
    let verbs = (place(first.verb)?, place(second.verb)?);
    let subjects = (place(first.subject)?, place(second.subject)?);
    let nouns = (place(first.noun)?, place(second.noun)?);
    let and =
        (verbs.0..subjects.1).find(|&i| matches!(&*choices.tokens[i], "e" | "and"))?;
    let words = choices.words();
    Some([
        Clause {
            subject: subjects.0,
            noun: nouns.0,
            verb: verbs.0,
            other_verb: verbs.1,
            words: words.start..and,
        },
        Clause {
            subject: subjects.1,
            noun: nouns.1,
            verb: verbs.1,
            other_verb: verbs.0,
            words: and + 1..words.end,
        },
    ])
}

impl Clauses {
    /// Counts one clause.
    fn add(&mut self, choices: &Choices, clause: &Clause) {
        let Clause { subject, noun, verb, other_verb, .. } = *clause;
        let look = |looks: &mut VerbLooks, word: usize| {
            looks.own.add(&choices.hits(word, verb)); // [layers, heads]
            looks.other.add(&choices.hits(word, other_verb));
        };
        look(&mut self.subjects, subject);
        look(&mut self.nouns, noun);
        let others = clause.words.clone().filter(|&i| i != subject && i != verb);
        others.for_each(|word| look(&mut self.words, word));

        let (hits, control) = (choices.hits(subject, verb), choices.hits(noun, verb));
        self.only_subject.add(&(&hits & &control.mapv(|hit| !hit)));
        self.only_noun.add(&(&control & &hits.mapv(|hit| !hit)));
        self.chances.push(choices.blind());
    }
}

impl Clauses {
    /// What a model's heads do in each half of the sentences, the first, third, fifth …
    /// and the others: a head is chosen in one half and judged in the other. Sentences
    /// whose words the model cuts in pieces are left out.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if a sentence is
    /// empty or too long.
    pub fn halves(model: &Pretrained, sentences: &[TwoClauses]) -> Result<[Self; 2]> {
        let mut halves = [Self::default(), Self::default()];
        let texts: Vec<&str> = sentences.iter().map(|one| one.text).collect();
        let read = Choices::of_all(model, &texts)?;
        for (i, (sentence, choices)) in sentences.iter().zip(read).enumerate() {
            for clause in find(&choices, sentence).into_iter().flatten() {
                halves[i % 2].add(&choices, &clause);
            }
        }
        Ok(halves)
    }

    /// How much more often a clause's verb is chosen by its subject than by the other
    /// noun: `[layers, heads]`, from −1 to 1.
    pub fn lead(&self) -> Array2<f64> {
        self.subjects.own.map() - self.nouns.own.map()
    }

    /// The sentences of both together; `other` has to be of the same model.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        let both = |looks: VerbLooks, more: &VerbLooks| VerbLooks {
            own: looks.own.with(&more.own),
            other: looks.other.with(&more.other),
        };
        self.subjects = both(self.subjects, &other.subjects);
        self.nouns = both(self.nouns, &other.nouns);
        self.words = both(self.words, &other.words);
        self.only_subject = self.only_subject.with(&other.only_subject);
        self.only_noun = self.only_noun.with(&other.only_noun);
        self.chances.extend(&other.chances);
        self
    }

    /// How often a blind choice would be the subject's verb.
    pub fn blind(&self) -> f64 {
        self.chances.iter().sum::<f64>() / self.chances.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentences::Clause as Words;

    const SENTENCE: TwoClauses = TwoClauses {
        language: "en",
        clauses: [
            Words { subject: "cat", noun: "aunt", verb: "slept" },
            Words { subject: "dog", noun: "boy", verb: "ran" },
        ],
        text: "cat of aunt slept and dog of boy ran .",
    };

    fn read(places: [usize; 12]) -> Choices {
        let words = SENTENCE.text.split(' ');
        let tokens = std::iter::once("[CLS]").chain(words).chain(["[SEP]"]);
        let places =
            ndarray::Array3::from_shape_vec((1, 1, 12), places.to_vec()).unwrap();
        Choices { tokens: tokens.map(String::from).collect(), places }
    }

    #[test]
    fn each_clause_is_counted_by_who_looks() {
        // All of clause one choose "slept" (4), but aunt; of clause two, dog chooses the
        // other clause's verb, boy its own (9), "of" and "." neither.
        let choices = read([0, 4, 4, 1, 1, 9, 4, 1, 9, 1, 1, 0]);
        let clauses = find(&choices, &SENTENCE).unwrap();
        let mut found = Clauses::default();
        for clause in &clauses {
            found.add(&choices, clause);
        }
        let counts = |tally: &Tally| (tally.hits[0][0], tally.looks);
        assert_eq!(counts(&found.subjects.own), (1, 2));
        assert_eq!(counts(&found.subjects.other), (1, 2));
        assert_eq!(counts(&found.nouns.own), (1, 2));
        assert_eq!(counts(&found.nouns.other), (0, 2));
        assert_eq!(counts(&found.words.own), (2, 5)); // of aunt; of boy "."
        assert_eq!(counts(&found.only_subject), (1, 2));
        assert_eq!(counts(&found.only_noun), (1, 2));
        assert!(found.lead()[[0, 0]].abs() < 1e-12);
        assert!((found.blind() - 1.0 / 9.0).abs() < 1e-12);
        let twice = found.clone().with(&found);
        assert_eq!(counts(&twice.words.own), (4, 10));
        assert_eq!(twice.chances.len(), 4);
    }

    #[test]
    fn a_word_that_is_not_there_leaves_the_sentence_out() {
        let mut choices = read([0; 12]);
        choices.tokens[9] = "rest".to_owned();
        assert!(find(&choices, &SENTENCE).is_none());
        let mut choices = read([0; 12]);
        choices.tokens[5] = "but".to_owned();
        assert!(find(&choices, &SENTENCE).is_none());
    }
}
