//! Corpora, vocabulary, batches and masks, on the sample.
#![allow(missing_docs)]

mod common;

use std::collections::HashSet;
use std::fs;

use bertinho::batches::{
    Batches, Mixture, Position, Sequence, both_orders, cut_batches, singles,
    training_sequences,
};
use bertinho::masking::Masking;
use bertinho::wordpiece::{
    FIRST_PIECE, MASK, SPECIAL_TOKENS, WordPieceOptions, everyday_vocabulary,
    read_tokenizer, save_tokenizer,
};
use bertinho::{Corpus, PretrainingError};
use common::{sample, sample_folder, tokenizer};
use hub::{Config, Truncate};
use training::random::{Purpose, generator};

#[test]
fn held_out_sentences_are_in_no_training_part() {
    let corpus = sample();
    let report = corpus.report;
    let sizes = [report.english, report.portuguese, report.pairs, report.reviews];
    assert_eq!(sizes, [210, 200, 200, 60]);
    assert_eq!(corpus.pairs.held_out.len(), 2); // lines 100 and 200
    assert_eq!(corpus.english.held_out.len(), 2);
    assert_eq!(corpus.reviews.held_out.len(), 12); // the last fifth
    let held_out: HashSet<&str> = corpus.held_out_texts().collect();
    assert!(corpus.training_texts().all(|text| !held_out.contains(text)));
    // en.txt has the reviews too: those that are held out were left out of it.
    assert!(report.left_out >= 12, "{report:?}");
    let lines = report.english + report.portuguese + report.pairs;
    let kept = corpus.english.train.len()
        + corpus.portuguese.train.len()
        + corpus.pairs.train.len();
    assert_eq!(kept + report.left_out + 6, lines);
}

/// The sample with one file replaced.
fn with_file(name: &str, text: &str) -> Result<Corpus, PretrainingError> {
    let folder = tempfile::tempdir().unwrap();
    for file in ["en.txt", "pt.txt", "tatoeba.en-pt.tsv", "sentiment.tsv"] {
        fs::copy(sample_folder().join(file), folder.path().join(file)).unwrap();
    }
    fs::write(folder.path().join(name), text).unwrap();
    Corpus::read(folder.path())
}

#[test]
fn faults_are_named_with_their_file_and_line() {
    let cases = [
        ("en.txt", "One.\n\nThree.\n", "en.txt, line 2: the line is empty"),
        ("tatoeba.en-pt.tsv", "a\tb\nc\n", "line 2: 1 columns, expected 2"),
        ("tatoeba.en-pt.tsv", "a\tb\td\n", "line 1: 3 columns"),
        ("tatoeba.en-pt.tsv", "a\t \n", "the Portuguese column is empty"),
        ("sentiment.tsv", "1\tgood\n", "line 1: expected the header"),
        ("sentiment.tsv", "label\tsentence\n2\tx\n", "line 2: label \"2\""),
        ("sentiment.tsv", "", "line 1: expected the header"),
    ];
    for (file, text, expected) in cases {
        let error = with_file(file, text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    let error = Corpus::read(empty.path()).unwrap_err().to_string();
    assert!(error.contains("has no en.txt"), "{error}");
}

/// As editors on Windows save text: a byte-order mark first, lines that end in `\r\n`.
#[test]
fn a_byte_order_mark_is_no_part_of_a_corpus() {
    for file in ["en.txt", "pt.txt", "tatoeba.en-pt.tsv", "sentiment.tsv"] {
        let text = fs::read_to_string(sample_folder().join(file)).unwrap();
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let found = with_file(file, &marked).unwrap();
        assert_eq!(found, with_file(file, &text).unwrap(), "{file}");
    }
    let error = with_file("en.txt", "\u{feff}\nOne.\n").unwrap_err().to_string();
    assert!(error.contains("en.txt, line 1: the line is empty"), "{error}");
}

#[test]
fn a_corpus_in_another_encoding_says_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["en.txt", "pt.txt", "tatoeba.en-pt.tsv", "sentiment.tsv"] {
        fs::copy(sample_folder().join(file), folder.path().join(file)).unwrap();
    }
    let utf16 = "\u{feff}One.\n".encode_utf16().flat_map(u16::to_le_bytes);
    let latin1 = b"Informa\xe7\xe3o.\n".to_vec();
    for bytes in [utf16.collect(), latin1] {
        fs::write(folder.path().join("pt.txt"), bytes).unwrap();
        let error = Corpus::read(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("pt.txt") && error.contains("save it as UTF-8"),
            "{error}"
        );
    }
}

#[test]
fn the_pairs_are_fixed_and_counted() {
    let pairs = "The dogs are in the park.\tOs cães estão não parque.\n";
    let corpus = with_file("tatoeba.en-pt.tsv", pairs).unwrap();
    assert_eq!(corpus.pairs.train[0].portuguese, "Os cachorros estão no parque.");
    assert_eq!(corpus.report.fixes.cao, 1);
    assert_eq!(corpus.report.fixes.contractions, 1);
}

#[test]
fn the_vocabulary_is_the_same_in_every_run() {
    let corpus = sample();
    let [a, b] = [(); 2].map(|()| tokenizer(&corpus).to_string(false).unwrap());
    let [a, b] = [a, b].map(|text| serde_json::from_str::<serde_json::Value>(&text));
    assert_eq!(a.unwrap(), b.unwrap());
    let tokenizer = tokenizer(&corpus);
    assert_eq!(tokenizer.get_vocab_size(true), 300);
    for (id, token) in (0..).zip(SPECIAL_TOKENS) {
        assert_eq!(tokenizer.token_to_id(token), Some(id));
    }
    for word in ["gato", "cachorro", "tapete", "sentou", "correu", "cat", "rug"] {
        assert!(tokenizer.token_to_id(word).is_some(), "{word}");
    }
}

#[test]
fn a_vocabulary_without_room_for_letters_is_refused() {
    let options = WordPieceOptions { vocab_size: 20, ..Default::default() };
    let corpus = sample();
    let error = everyday_vocabulary(&corpus, options).unwrap_err();
    assert!(error.to_string().contains("vocab_size is 20"), "{error}");
}

#[test]
fn the_saved_tokenizer_reads_as_models_reads_it() {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    save_tokenizer(&tokenizer, path, 64, &["input_ids", "attention_mask"]).unwrap();
    let again = read_tokenizer(&path.join("tokenizer.json")).unwrap();
    let config = Config { vocab_size: 300, ..Config::bert() };
    let read = hub::Tokenizer::from_folder(path, &config).unwrap();
    let (a, b) = ("O gato sentou no tapete.", "e\u{301} A\u{303}ção ☃ [MASK]");
    let encoded = read.encode(a, Some(b), Truncate::Error).unwrap();
    let ours = again.encode((a, b), true).unwrap();
    assert_eq!(encoded.ids, ours.get_ids());
    assert_eq!(encoded.tokens[0], "[CLS]");
    assert_eq!(encoded.tokens[1..3], ["O", "gato"]);
    assert!(encoded.ids.contains(&MASK));
    // A decomposed accent is composed: no [UNK] but the snowman's.
    let unknown = encoded.tokens.iter().filter(|token| *token == "[UNK]").count();
    assert!(encoded.tokens.iter().any(|token| token == "é"), "{:?}", encoded.tokens);
    assert!(unknown <= 2, "{:?}", encoded.tokens);
    let vocabulary = fs::read_to_string(path.join("vocab.txt")).unwrap();
    assert_eq!(vocabulary.lines().take(5).collect::<Vec<_>>(), SPECIAL_TOKENS);
    assert_eq!(vocabulary.lines().count(), 300);
}

#[test]
fn sequences_are_what_the_tokenizer_makes_of_pairs() {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    let pairs = &corpus.pairs.train[..5];
    for (pair, [en_pt, pt_en]) in
        pairs.iter().zip(both_orders(&tokenizer, pairs, 64).unwrap())
    {
        let (en, pt) = (&*pair.english, &*pair.portuguese);
        for (sequence, (a, b)) in [(en_pt, (en, pt)), (pt_en, (pt, en))] {
            let encoding = tokenizer.encode((a, b), true).unwrap();
            assert_eq!(sequence.ids, encoding.get_ids());
            assert_eq!(sequence.token_types(), encoding.get_type_ids());
        }
    }
    let single = &singles(&tokenizer, ["The cat sat."], 64).unwrap()[0];
    let encoding = tokenizer.encode("The cat sat.", true).unwrap();
    assert_eq!(single.ids, encoding.get_ids());
}

#[test]
fn long_sequences_are_cut_to_the_limit() {
    let (long, short): (Vec<u32>, Vec<u32>) = ((10..40).collect(), (50..53).collect());
    let pair = Sequence::pair(&long, &short, 12);
    assert_eq!(pair.len(), 12);
    assert_eq!(pair.second, Some(8));
    assert_eq!(pair.ids[8..11], [50, 51, 52]); // the longer one was cut
    assert_eq!(Sequence::single(&long, 12).len(), 12);
    assert_eq!(Sequence::single(&[], 12).len(), 2);
}

#[test]
fn batches_hold_every_sequence_once_with_little_padding() {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    let mixture = Mixture::default();
    let sequences = training_sequences(&tokenizer, &corpus, mixture, 64).unwrap();
    let budget = 400;
    let batches = cut_batches(&sequences, budget, 7, 0);
    let mut seen = vec![0; sequences.len()];
    for batch in &batches {
        let longest = batch.iter().map(|&i| sequences[i].len()).max().unwrap();
        assert!(longest * batch.len() <= budget);
        for &i in batch {
            seen[i] += 1;
        }
    }
    assert!(seen.iter().all(|&times| times == 1));
    assert_ne!(batches, cut_batches(&sequences, budget, 7, 1));
    assert_ne!(batches, cut_batches(&sequences, budget, 8, 0));
    let begin = Position::default();
    let statistics =
        Batches::resume(sequences.clone(), budget, 7, begin).unwrap().statistics();
    assert_eq!(statistics.rows, sequences.len());
    assert_eq!(statistics.tokens, sequences.iter().map(Sequence::len).sum::<usize>());
    assert!(statistics.padding < 0.1, "{statistics:?}");
}

#[test]
fn batches_go_on_from_any_position() {
    let sequences: Vec<Sequence> =
        (0..50).map(|i| Sequence::single(&vec![9; i % 7 + 1], 32)).collect();
    let begin = Position::default();
    let mut all = Batches::resume(sequences.clone(), 60, 3, begin).unwrap();
    let steps = all.batches_per_epoch() * 2 + 3;
    for _ in 0..steps {
        let position = all.position();
        let mut resumed = Batches::resume(sequences.clone(), 60, 3, position).unwrap();
        assert_eq!(resumed.next_batch(), all.next_batch());
        assert_eq!(resumed.position(), all.position());
    }
    assert_eq!(all.position().epoch, 2);
    let beyond = Position { epoch: 0, batch: 999 };
    assert!(Batches::resume(sequences, 60, 3, beyond).is_err());
    assert!(Batches::resume(Vec::new(), 60, 3, begin).is_err());
}

/// 2,000 sentences of 20 pieces between the special tokens.
fn sentences() -> Vec<Sequence> {
    let pieces: Vec<u32> = (100..120).collect();
    (0..2000).map(|_| Sequence::single(&pieces, 64)).collect()
}

#[test]
fn fifteen_percent_are_asked_eighty_ten_ten() {
    let sequences = sentences();
    let rows: Vec<&Sequence> = sequences.iter().collect();
    let mut random = generator(1, Purpose::Masking, 0);
    let batch = Masking::bert(8000).apply(&rows, &mut random).unwrap();
    let inputs = batch.inputs.ids();
    let all = 2000.0 * 20.0;
    let asked = batch.labels.len() as f64;
    // 40,000 tokens: a standard deviation of the share is below 0.002, of the parts
    // 0.005; the tolerances are more than four of them.
    assert!((asked / all - 0.15).abs() < 0.008, "{}", asked / all);
    let (mut masked, mut kept) = (0.0, 0.0);
    for (&position, &label) in batch.positions.iter().zip(&batch.labels) {
        let (row, column) = (position as usize / 22, position as usize % 22);
        assert_eq!(label, sequences[row].ids[column]);
        let shown = inputs[position as usize];
        masked += f64::from(u8::from(shown == MASK));
        kept += f64::from(u8::from(shown == label));
        assert!(shown == MASK || shown >= FIRST_PIECE);
    }
    assert!((masked / asked - 0.8).abs() < 0.025, "{}", masked / asked);
    assert!((kept / asked - 0.1).abs() < 0.02, "{}", kept / asked);
    // What isn't asked for is as it was.
    let asked: HashSet<usize> = batch.positions.iter().map(|&p| p as usize).collect();
    let whole = sequences.iter().flat_map(|sequence| &sequence.ids);
    for (i, (shown, piece)) in inputs.iter().zip(whole).enumerate() {
        assert!(asked.contains(&i) || shown == piece);
    }
}

#[test]
fn special_tokens_are_never_asked_and_each_row_is() {
    let corpus = sample();
    let tokenizer = tokenizer(&corpus);
    let pairs = both_orders(&tokenizer, &corpus.pairs.train, 64).unwrap().concat();
    let short = Sequence::single(&[77], 64);
    let nothing = Sequence::single(&[], 64);
    let mut rows: Vec<&Sequence> = pairs.iter().collect();
    rows.extend([&short, &nothing]);
    let mut random = generator(1, Purpose::Masking, 5);
    let batch = Masking::bert(300).apply(&rows, &mut random).unwrap();
    assert!(batch.labels.iter().all(|&label| label >= FIRST_PIECE));
    let n = batch.inputs.n();
    let asked: HashSet<usize> =
        batch.positions.iter().map(|&position| position as usize / n).collect();
    assert_eq!(asked.len(), rows.len() - 1); // all but `nothing`
    // Special tokens and padding stand where they stood.
    let special = |&id: &u32| id < FIRST_PIECE && id != MASK;
    for (row, sequence) in rows.iter().enumerate() {
        let shown = &batch.inputs.ids()[row * n..(row + 1) * n];
        for (i, id) in sequence.ids.iter().enumerate().filter(|(_, id)| special(id)) {
            assert_eq!(shown[i], *id);
        }
        assert!(shown[sequence.len()..].iter().all(|&id| id == 0));
    }
}

#[test]
fn masks_are_of_their_seed_and_step() {
    let sequences = &sentences()[..20];
    let rows: Vec<&Sequence> = sequences.iter().collect();
    let masks = |seed, step| {
        let mut random = generator(seed, Purpose::Masking, step);
        Masking::bert(8000).apply(&rows, &mut random).unwrap()
    };
    assert_eq!(masks(1, 7), masks(1, 7));
    assert_ne!(masks(1, 7), masks(1, 8));
    assert_ne!(masks(1, 7), masks(2, 7));
}

#[test]
fn impossible_masks_are_refused() {
    let sequence = Sequence::single(&[9], 8);
    let mut random = generator(0, Purpose::Masking, 0);
    let wrong = [
        Masking { rate: 1.5, ..Masking::bert(300) },
        Masking { masked: 0.8, replaced: 0.3, ..Masking::bert(300) },
        Masking { rate: f64::NAN, ..Masking::bert(300) },
        Masking::bert(5),
    ];
    for masking in wrong {
        assert!(masking.apply(&[&sequence], &mut random).is_err(), "{masking:?}");
    }
    assert!(Masking::bert(300).apply(&[], &mut random).is_err());
}
