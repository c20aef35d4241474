//! What the page's own code promises.

mod common;

use std::collections::HashSet;

use candle_core::{Device, Tensor};
use common::{Fixture, LOGITS, assert_close};
use hub::Truncate;
use proptest::prelude::*;
use sentiment::attribution::{
    Word, attention_to_words, last_attention, leave_one_out, margin, mean_of_heads,
    without, words_of,
};
use sentiment::calibration::{
    Answer, answers_at, calibration_error, mean_loss_at, reliability,
};
use sentiment::sentences::{Kind, SENTENCES};
use sentiment::statistics::{
    at_least, at_most, hits_by_chance, only_one_right, rank_correlation, ranks,
    sign_test, wilson,
};
use sentiment::vectors::{beginning, cosine, largest_difference};
use sentiment::wordpiece::{all_pieces, candidates, wordpiece};
use sentiment::{
    Batch, DistilBertForSequenceClassification, EncoderError, ForwardOptions,
    SentimentPipeline,
};
use tokenizers::Model;
use tokenizers::models::wordpiece::WordPiece;

const TEXT: &str = "O gato sentou no tapete e o cachorro correu.";

fn pipeline() -> SentimentPipeline {
    let folder = Fixture::open("bert-distilbert-classifier").folder;
    SentimentPipeline::load(&folder).unwrap()
}

/// What the tokenizers crate makes of a word.
fn of_the_crate(word: &str, vocabulary: &HashSet<String>) -> Vec<String> {
    let mut lines = String::from("[UNK]\n");
    lines.extend(vocabulary.iter().map(|piece| format!("{piece}\n")));
    let ids = WordPiece::read_bytes(lines.as_bytes()).unwrap();
    let model = WordPiece::builder().vocab(ids).unk_token("[UNK]".into());
    let tokens = model.build().unwrap().tokenize(word).unwrap();
    tokens.into_iter().map(|token| token.value).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Few letters and short pieces, so that words of many pieces and words that get
    /// stuck both come.
    #[test]
    fn wordpiece_is_the_tokenizers_crate(
        beginnings in prop::collection::hash_set("[abç日]{1,3}", 0..8),
        continuations in prop::collection::hash_set("##[abç日]{1,3}", 0..12),
        word in "[abç日]{1,12}",
    ) {
        let vocabulary: HashSet<String> = beginnings.into_iter().chain(continuations).collect();
        prop_assert_eq!(wordpiece(&word, &vocabulary), of_the_crate(&word, &vocabulary));
    }
}

#[test]
fn wordpiece_cuts_the_words_of_a_real_vocabulary() {
    let tokenizer = pipeline().model.tokenizer;
    let vocabulary = all_pieces(&tokenizer);
    assert_eq!(vocabulary.len(), tokenizer.vocab_size());
    let mut cut = 0;
    for word in ["gato", "cachorro", "sentou", "tapetes", "correu", "zzz", "a"] {
        let pieces = wordpiece(word, &vocabulary);
        let encoded = tokenizer.encode(word, None, Truncate::Error).unwrap();
        assert_eq!(pieces, encoded.tokens[1..encoded.len() - 1], "{word}");
        cut += usize::from(pieces.len() > 1);
    }
    assert!(cut > 0, "no word was cut");
}

#[test]
fn very_long_words_are_unknown() {
    let vocabulary = ["a", "##a"].map(str::to_owned).into();
    for letters in [100, 101] {
        let word = "a".repeat(letters);
        assert_eq!(wordpiece(&word, &vocabulary), of_the_crate(&word, &vocabulary));
    }
    assert_eq!(wordpiece(&"a".repeat(101), &vocabulary), ["[UNK]"]);
    assert_eq!(candidates("pão", false), ["##pão", "##pã", "##p"]);
    assert!(candidates("", true).is_empty());
}

#[test]
fn padding_is_the_tokenizers_and_its_number_does_not_matter() {
    let pipeline = pipeline();
    let texts = [(TEXT, None), ("O gato.", None)];
    let encoded =
        pipeline.model.tokenizer.encode_batch(&texts, Truncate::Error).unwrap();
    let expected = Batch::from_encoded(&encoded).unwrap();
    let texts: Vec<Vec<u32>> = texts
        .iter()
        .map(|(text, _)| pipeline.model.tokenizer.encode(text, None, Truncate::Error))
        .map(|encoded| encoded.unwrap().ids)
        .collect();
    let pad = pipeline.model.tokenizer.token_to_id("[PAD]").unwrap();
    assert_eq!(Batch::padded(&texts, pad).unwrap(), expected);
    assert!(expected.is_padded());
    let [one, other] = [pad, 5]
        .map(|pad| pipeline.logits(&Batch::padded(&texts, pad).unwrap()).unwrap());
    assert!(largest_difference(&one, &other).unwrap() <= LOGITS);
    assert!(matches!(Batch::padded(&[], 0), Err(EncoderError::NoTokens)));
    let empty = Batch::padded(&[vec![1], vec![]], 0);
    assert!(matches!(empty, Err(EncoderError::Mask { row: 1 })));
}

#[test]
fn logits_of_numbers_are_those_of_the_texts() {
    let (pipeline, fixture) = (pipeline(), Fixture::open("bert-distilbert-classifier"));
    let model = DistilBertForSequenceClassification::open(&fixture.folder).unwrap();
    let ids = pipeline.model.tokenizer.encode(TEXT, None, Truncate::Error).unwrap().ids;
    // More than go through the model at once, of several lengths.
    let texts: Vec<Vec<u32>> =
        (0..40).map(|i| without(&ids, &(1..1 + i % 5))).collect();
    let found = pipeline.logits_of(&texts).unwrap();
    assert_eq!(found.len(), texts.len());
    for (text, found) in texts.iter().zip(found) {
        let batch = Batch::new(std::slice::from_ref(text), None, None).unwrap();
        let expected = model.forward(&batch, ForwardOptions::default()).unwrap().logits;
        let found = Tensor::new(vec![found], &Device::Cpu).unwrap();
        assert_close("logits", &found, &expected, LOGITS);
    }
}

#[test]
fn pieces_are_put_together_to_words() {
    let encoded =
        pipeline().model.tokenizer.encode(TEXT, None, Truncate::Error).unwrap();
    let words = words_of(&encoded);
    let joined: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let expected =
        ["o", "gato", "sentou", "no", "tapete", "e", "o", "cachorro", "correu", "."];
    assert_eq!(joined, expected);
    // One after another, from after [CLS] to before [SEP].
    let mut next = 1;
    for Word { tokens, .. } in &words {
        assert_eq!(tokens.start, next);
        assert!(tokens.end > tokens.start);
        next = tokens.end;
    }
    assert_eq!(next, encoded.len() - 1);
    assert!(words.len() < encoded.len() - 2, "no word of several pieces");
}

/// Leaving a word's numbers out is what leaving the word out of the text gives.
#[test]
fn leaving_out_asks_about_the_text_without_the_word() {
    let pipeline = pipeline();
    let all: Vec<&str> = TEXT.trim_end_matches('.').split(' ').collect();
    let left_out = leave_one_out(&pipeline, TEXT.trim_end_matches('.')).unwrap();
    assert_eq!(left_out.len(), all.len());
    let whole = &pipeline.classify(&[&all.join(" ")], Truncate::Error).unwrap()[0];
    let labels = &pipeline.model.config.id2label;
    let label = labels.iter().position(|label| *label == whole.label).unwrap();
    let ids = |text: &str| {
        pipeline.model.tokenizer.encode(text, None, Truncate::Error).unwrap().ids
    };
    let margin_of =
        |text: &str| margin(&pipeline.logits_of(&[ids(text)]).unwrap()[0], label);
    for (i, found) in left_out.iter().enumerate() {
        assert_eq!(found.word, all[i].to_lowercase());
        let others = [&all[..i], &all[i + 1..]].concat().join(" ");
        let change = margin_of(&all.join(" ")) - margin_of(&others);
        assert!((found.change - change).abs() < 1e-4, "{found:?}, not {change}");
        let score = 1.0 / (1.0 + (-margin_of(&others)).exp());
        assert!((found.score - score).abs() < 1e-4, "{found:?}, not {score}");
    }
    let changes: Vec<f32> = left_out.iter().map(|word| word.change).collect();
    assert!(changes.iter().any(|change| change.abs() > 1e-3), "{changes:?}");
    let error = leave_one_out(&pipeline, "gato").unwrap_err().to_string();
    assert!(error.contains("\"gato\" has a single word"), "{error}");
}

#[test]
fn a_margin_is_the_log_odds_of_the_score() {
    assert!((margin(&[1.0, 3.5], 1) - 2.5).abs() < 1e-6);
    assert!((margin(&[1.0, 3.5], 0) + 2.5).abs() < 1e-6);
    assert!((margin(&[1.0, 3.5, 3.0], 1) - 0.5).abs() < 1e-6);
}

#[test]
fn attention_to_words_and_to_the_rest_adds_up_to_one() {
    let pipeline = pipeline();
    let encoded = pipeline.model.tokenizer.encode(TEXT, None, Truncate::Error).unwrap();
    let words = words_of(&encoded);
    let n = encoded.len();
    let batch = Batch::from_encoded(&[encoded]).unwrap();
    let last = last_attention(&pipeline, &batch).unwrap();
    let heads = attention_to_words(&last, &words).unwrap();
    let rows = last.narrow(2, 0, 1).unwrap().squeeze(2).unwrap().squeeze(0).unwrap();
    let rows = rows.to_vec2::<f32>().unwrap(); // [heads, n]
    assert_eq!(heads.len(), rows.len());
    for (to_words, row) in heads.iter().zip(&rows) {
        let sum = to_words.iter().sum::<f32>() + row[0] + row[n - 1];
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        let second = row[words[1].tokens.clone()].iter().sum::<f32>();
        assert!((to_words[1] - second).abs() < 1e-6);
    }
    let mean = mean_of_heads(&heads);
    let expected: f32 =
        heads.iter().map(|head| head[2]).sum::<f32>() / heads.len() as f32;
    assert!((mean[2] - expected).abs() < 1e-6);
}

/// `scipy.stats.spearmanr`.
#[test]
fn rank_correlation_is_scipys() {
    let close =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
    close(rank_correlation(&[1.0, 2.0, 3.0], &[10.0, 20.0, 1e9]), 1.0);
    close(rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, -5.0]), -1.0);
    close(rank_correlation(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]), 0.8);
    // With ties: ranks 0.5, 0.5, 2, 3 and 0, 1, 2.5, 2.5.
    close(rank_correlation(&[1.0, 1.0, 2.0, 3.0], &[0.0, 5.0, 7.0, 7.0]), 8.0 / 9.0);
    assert!(rank_correlation(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
    assert!(rank_correlation(&[1.0, 2.0, 3.0], &[1.0; 3]).is_nan());
}

#[test]
fn ranks_are_places_and_equal_values_share_them() {
    assert_eq!(ranks(&[0.3, -2.0, 7.5]), [2.0, 1.0, 3.0]);
    assert_eq!(ranks(&[5, 5, 1, 9]), [2.5, 2.5, 1.0, 4.0]);
    assert!(ranks::<f64>(&[]).is_empty());
}

/// Sums of binomial coefficients over 2ⁿ, from Python's `math.comb`; where the chances
/// differ, a count of all outcomes.
#[test]
fn hits_by_chance_are_counted() {
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-12, "{found}");
    };
    close(at_most(3, &[0.5; 10]), 0.171_875);
    close(at_least(6, &[0.5; 10]), 0.376_953_125);
    close(at_most(6, &[0.5; 20]), 0.057_659_149_169_921_875);
    close(at_least(0, &[]), 1.0);
    close(at_least(1, &[]), 0.0);
    close(at_most(99, &[0.5; 3]), 1.0);
    close(hits_by_chance(&vec![0.5; 2132]).iter().sum(), 1.0);
    let chances: [f64; 4] = [0.1, 0.25, 0.5, 0.9];
    let found = hits_by_chance(&chances);
    let mut expected = [0.0; 5];
    for outcome in 0_u32..16 {
        let hit = |i: usize| outcome >> i & 1 == 1;
        let factor = |i: usize| if hit(i) { chances[i] } else { 1.0 - chances[i] };
        expected[outcome.count_ones() as usize] += (0..4).map(factor).product::<f64>();
    }
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(found, expected)| close(*found, expected));
    assert!(at_most(1, &[f64::NAN]).is_nan());
}

/// Twice the smaller tail's binomial coefficients over 2ⁿ, from Python's `math.comb`.
#[test]
fn the_sign_test_is_exact() {
    for (one, other, expected) in [
        (0, 0, 1.0),
        (3, 3, 1.0),
        (4, 1, 0.375),
        (1, 4, 0.375),
        (10, 2, 0.038_574_218_75),
        (0, 8, 0.007_812_5),
        (115, 130, 0.371_126_8),
    ] {
        let found = sign_test(one, other);
        assert!((found - expected).abs() < 5e-8, "{one} and {other}: {found}");
    }
    let cases = [(true, true), (true, false), (true, false), (false, true)];
    assert_eq!(only_one_right(cases), (2, 1));
    assert_eq!(only_one_right([]), (0, 0));
}

#[test]
fn answers_go_to_their_bins() {
    // The first is below the first range, the third on a border.
    let scores = [0.3, 0.55, 0.6, 0.69, 0.95, 1.0];
    let right = [false, true, false, true, true, false];
    let answers = scores.into_iter().zip(right);
    let answers: Vec<_> =
        answers.map(|(score, right)| Answer { score, right }).collect();
    let bins = reliability(&answers, 0.5, 5);
    let counts: Vec<(usize, usize)> =
        bins.iter().map(|bin| (bin.count, bin.right)).collect();
    assert_eq!(counts, [(2, 1), (2, 1), (2, 1)]);
    assert!((bins[0].score - 0.425).abs() < 1e-12);
    assert!((bins[1].score - 0.645).abs() < 1e-12);
    assert!((bins[2].accuracy() - 0.5).abs() < 1e-12);
    let expected = (0.075 + 0.145 + 0.475) / 3.0;
    assert!((calibration_error(&bins) - expected).abs() < 1e-12);
    assert!(reliability(&[], 0.5, 5).is_empty());
}

#[test]
fn a_temperature_divides_the_margins() {
    let margins = [2.0 * 3_f64.ln(), -2.0 * 3_f64.ln()];
    let answers = answers_at(&margins, 2.0);
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12);
    close(answers[0].score, 0.75);
    close(answers[1].score, 0.75); // of the wrong label
    assert!(answers[0].right && !answers[1].right);
    close(answers_at(&margins, 1.0)[0].score, 0.9);
    close(mean_loss_at(&margins, 2.0), -(0.75_f64.ln() + 0.25_f64.ln()) / 2.0);
    close(mean_loss_at(&margins, 1.0), -(0.9_f64.ln() + 0.1_f64.ln()) / 2.0);
}

/// R's `binom.confint(…, methods = "wilson")`, whose z has more digits than 1.96.
#[test]
fn wilsons_interval_is_rs() {
    for (right, count, low, high) in
        [(8, 10, 0.490_162_5, 0.943_317_8), (0, 10, 0.0, 0.277_532_8)]
    {
        let found = wilson(right, count);
        assert!((found.0 - low).abs() < 2e-5, "{right}/{count}: {found:?}");
        assert!((found.1 - high).abs() < 2e-5, "{right}/{count}: {found:?}");
    }
}

#[test]
fn the_sentences_are_balanced_and_differ() {
    for kind in Kind::ALL {
        let of_kind = SENTENCES.iter().filter(|sentence| sentence.kind == kind);
        let praise = of_kind.clone().filter(|sentence| sentence.positive).count();
        assert_eq!((praise, of_kind.count()), (5, 10), "{kind:?}");
    }
    let texts: HashSet<&str> = SENTENCES.iter().map(|sentence| sentence.text).collect();
    assert_eq!(texts.len(), SENTENCES.len());
}

#[test]
fn cosines_of_known_angles() {
    let vector = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    let x = [1.0, 0.0];
    for (y, expected) in
        [([2.0, 0.0], 1.0), ([0.0, 3.0], 0.0), ([-4.0, 0.0], -1.0), ([3.0, 4.0], 0.6)]
    {
        assert!((cosine(&x, &y).unwrap() - expected).abs() < 1e-12);
    }
    let error = cosine(&x, &[1.0; 3]).unwrap_err().to_string();
    assert_eq!(error, "a vector of 2 numbers can't be compared with one of 3");
    assert_eq!(beginning(&vector(&[1.0, -0.5, 7.0]), 2).unwrap(), "  1.0000  -0.5000");
    let rows = Tensor::new(&[[1.0_f32, 2.0], [3.0, 4.0]], &Device::Cpu).unwrap();
    let other = rows.affine(1.0, -0.25).unwrap();
    assert!((largest_difference(&rows, &other).unwrap() - 0.25).abs() < 1e-6);
    assert!(beginning(&rows, 2).is_err());
}
