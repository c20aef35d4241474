//! The controls: bertinho's counts against NumPy's in f64
//! (`tests/reference/ch05_controls.py`), and what has to hold whatever the model.

use bert_attention::likeness::Part;
use bert_attention::profile::{SHARES, shares_of_ends};
use bert_attention::sentences::{self, pronoun_sentences, subjects, two_clauses};
use bert_attention::translation::{find_nouns, noun_looks, sentence_end};
use bert_attention::{
    Attentions, Choices, Clauses, Likeness, Pretrained, Profiles, Pronouns, Tally,
    Verbs, nouns::NOUNS,
};
use hub::{HubOptions, Truncate};
use serde::Deserialize;

type Counts = Vec<Vec<usize>>;

#[derive(Deserialize)]
struct Reference {
    near: VerbCounts,
    far: VerbCounts,
    clauses: [ClauseCounts; 2],
    pronouns: PronounCounts,
    likeness: [[f64; 3]; 2],
}

#[derive(Deserialize)]
struct VerbCounts {
    subject: Counts,
    others: Counts,
    between: Counts,
}

#[derive(Deserialize)]
struct ClauseCounts {
    subjects: Counts,
    nouns: Counts,
    words: Counts,
}

#[derive(Deserialize)]
struct PronounCounts {
    right: Counts,
    wrong: Counts,
}

fn reference() -> Reference {
    let text = include_str!("../../../tests/fixtures/ch05-controls.json");
    serde_json::from_str(text).unwrap()
}

fn bertinho() -> Pretrained {
    let folder = hub::resolve("bertinho", &HubOptions::from_env()).unwrap();
    Pretrained::load(&folder).unwrap()
}

/// The counts are equal, but for a choice by a hair in f32.
#[track_caller]
fn assert_counts(name: &str, found: &Tally, expected: &Counts) {
    let mut off = 0;
    for (found, expected) in found.hits.iter().zip(expected) {
        for (found, expected) in found.iter().zip(expected) {
            off += found.abs_diff(*expected);
        }
    }
    assert_eq!(found.hits.len(), expected.len(), "{name}");
    assert!(off <= 1, "{name}: {off} choices differ");
}

#[test]
fn verbs_are_numpys() {
    let (found, expected) = (Verbs::of(&bertinho(), &subjects()).unwrap(), reference());
    assert_eq!(found.subjects, subjects().len());
    for (name, found, expected) in
        [("near", found.near, expected.near), ("far", found.far, expected.far)]
    {
        assert_counts(name, &found.subject, &expected.subject);
        assert_counts(name, &found.others, &expected.others);
        if found.between.looks > 0 {
            assert_counts(name, &found.between, &expected.between);
        } else {
            assert_eq!(name, "near"); // nothing stands between
        }
    }
}

#[test]
fn clauses_are_numpys() {
    let halves = Clauses::halves(&bertinho(), &two_clauses()).unwrap();
    for (found, expected) in halves.iter().zip(&reference().clauses) {
        assert_eq!(found.chances.len(), two_clauses().len());
        assert_counts("subjects", &found.subjects.own, &expected.subjects);
        assert_counts("nouns", &found.nouns.own, &expected.nouns);
        assert_counts("words", &found.words.own, &expected.words);
    }
}

#[test]
fn pronouns_are_numpys() {
    let all = pronoun_sentences();
    let found = Pronouns::of(&bertinho(), &all).unwrap();
    assert_eq!((found.right.looks, found.beside.looks), (all.len(), 2 * all.len()));
    let expected = reference().pronouns;
    assert_counts("right", &found.right, &expected.right);
    assert_counts("wrong", &found.wrong, &expected.wrong);
}

#[test]
fn likeness_is_numpys() {
    let (model, expected) = (bertinho(), reference().likeness);
    let some = sentences::both_languages().into_iter().take(8);
    let of = |sentence| Attentions::of(&model, sentence, None, Truncate::Error);
    let some: Vec<Attentions> = some.map(|sentence| of(sentence).unwrap()).collect();
    for (part, expected) in [Part::Whole, Part::Words].into_iter().zip(expected) {
        let found = Likeness::of(&some, part);
        let means = [
            Likeness::mean(&found.heads),
            found.elsewhere.diag().mean().unwrap_or_default(),
            Likeness::mean(&found.elsewhere),
        ];
        for (mean, expected) in means.into_iter().zip(expected) {
            assert!((mean - expected).abs() < 1e-5, "{part:?}: {mean}, not {expected}");
        }
        assert!(found.heads.diag().iter().all(|itself| (itself - 1.0).abs() < 1e-5));
    }
}

#[test]
fn exchanged_words_leave_lengths_and_special_tokens() {
    let (model, some) =
        (bertinho(), ["O gato dormiu.", "A menina leu o livro na escola."]);
    let (own, others) = (
        Profiles::of(&model, &some).unwrap(),
        Profiles::of_shuffled(&model, &some).unwrap(),
    );
    assert_eq!((own.sentences, own.tokens), (others.sentences, others.tokens));
    let uniform = |of: &Profiles| SHARES.map(|(_, measure)| measure(&of.uniform));
    assert!(uniform(&own).iter().eq(&uniform(&others)));
    assert_ne!(own.heads, others.heads);
}

#[test]
fn shares_of_ends_are_means_over_words_and_heads() {
    let (model, some) =
        (bertinho(), ["O gato dormiu.", "A menina leu o livro na escola."]);
    let (mut sums, mut looks) = ([0.0; 2], 0.0);
    for sentence in some {
        let maps = Attentions::of(&model, sentence, None, Truncate::Error).unwrap();
        let n = maps.tokens.len();
        for (layer, head) in (0..12).flat_map(|layer| (0..12).map(move |h| (layer, h)))
        {
            let map = maps.head(layer, head).unwrap();
            for i in 1..n - 1 {
                sums = [sums[0] + map[[i, 1]], sums[1] + map[[i, n - 2]]];
                looks += 1.0;
            }
        }
    }
    let found = shares_of_ends(&model, &some).unwrap();
    for (found, sum) in found.into_iter().zip(sums) {
        assert!((found - sum / looks).abs() < 1e-6, "{found}, not {}", sum / looks);
    }
}

#[test]
fn a_blind_choice_is_among_the_other_sentence_s_words() {
    let pairs = [("The cat slept.", "O gato dormiu na cama.")];
    let nouns = find_nouns(&bertinho().tokenizer, &pairs, &NOUNS).unwrap();
    assert_eq!(nouns.len(), 2); // one noun, two orders, 13 tokens
    for pair in nouns {
        let found = [pair.blind_from_english(), pair.blind_from_portuguese()].concat();
        for (found, count) in found.into_iter().zip([6.0, 13.0, 4.0, 13.0]) {
            assert!((found - 1.0 / count).abs() < 1e-12, "{found}, not 1 in {count}");
        }
    }
}

#[test]
fn several_texts_are_read_as_each_alone() {
    let model = bertinho();
    let sentences = sentences::both_languages();
    let some: Vec<&str> = sentences.iter().step_by(6).copied().collect(); // over 16
    let found = Attentions::of_all(&model, &some).unwrap();
    assert_eq!(found.len(), some.len());
    for (sentence, found) in some.into_iter().zip(found) {
        let alone = Attentions::of(&model, sentence, None, Truncate::Error).unwrap();
        assert_eq!(found.tokens, alone.tokens);
        assert_eq!(found.attentions.len(), alone.attentions.len());
        for (found, alone) in found.attentions.iter().zip(&alone.attentions) {
            assert_eq!(found.dim(), alone.dim());
            let largest =
                (found - alone).mapv(f32::abs).fold(0.0_f32, |a, &b| a.max(b));
            assert!(largest < 1e-6, "{sentence}: {largest}");
        }
    }
    assert!(Attentions::of_all(&model, &["O gato dormiu.", ""]).is_err());
}

#[test]
fn looks_of_nouns_add_up() {
    let model = bertinho();
    let pairs = [("The cat slept on the bed.", "O gato dormiu na cama.")];
    let nouns = find_nouns(&model.tokenizer, &pairs, &NOUNS).unwrap();
    let looks = noun_looks(&model.encoder, &nouns, (1, 11)).unwrap();
    assert_eq!(looks.len(), 2 * nouns.len()); // two nouns, two orders, both ways
    assert!(looks.iter().all(|look| look.hit && look.place <= 5));
    let error = noun_looks(&model.encoder, &nouns, (12, 0)).unwrap_err().to_string();
    assert!(error.contains("layer 12 does not exist"), "{error}");
    let error = noun_looks(&model.encoder, &nouns, (0, 12)).unwrap_err().to_string();
    assert!(error.contains("head 12 does not exist"), "{error}");
    for (first, stop) in [(true, true), (true, false), (false, true), (false, false)] {
        let end = sentence_end(&model, &pairs, (1, 11), first, stop).unwrap();
        assert_eq!((end.lasts, end.others), (2, 2)); // bed and cama, cat and gato
        assert!(end.last <= 2 && end.elsewhere <= 2);
    }
}

#[test]
fn a_sentence_that_is_empty_is_an_error() {
    assert!(Choices::of(&bertinho(), "").is_err());
}
