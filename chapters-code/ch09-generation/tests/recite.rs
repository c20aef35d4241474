//! What stands word for word in what was read.

use generation::recite::{Memory, RUNS, Recital};

const READ: [&str; 4] = [
    "o gato sentou no tapete e dormiu",
    "o cachorro sentou no sofá",
    "ela leu o livro que ele escreveu no ano passado inteiro",
    "bom dia",
];

fn recital(texts: &[&str]) -> Recital {
    Memory::new(READ).recital(texts.iter().copied())
}

#[test]
fn a_run_is_as_long_as_one_sentence_has_it() {
    let memory = Memory::new(READ);
    assert_eq!(memory.runs("o gato sentou no sofá"), [4, 3, 3, 2, 1]);
    assert_eq!(memory.runs("bom gato"), [1, 1]);
    assert_eq!(memory.runs("Bom dia ."), [0, 1, 0]); // capitals and punctuation count
    assert_eq!(memory.runs("  "), [0; 0]);
    // No run goes from one sentence to the next, whatever the order they were read in.
    assert_eq!(memory.runs("dormiu o cachorro"), [1, 2, 1]);
    assert_eq!(memory.runs("inteiro bom dia"), [1, 2, 1]);
    assert_eq!(Memory::new([]).runs("bom dia"), [0, 0]);
}

/// Beside every run looked for in every sentence.
#[test]
fn runs_are_those_of_a_search_from_end_to_end() {
    let words = ["a", "b", "c"];
    let text = |mut seed: usize, length: usize| {
        let mut found = Vec::new();
        for _ in 0..length {
            seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
            found.push(words[seed / 65_536 % 3]);
        }
        found
    };
    let read: Vec<Vec<&str>> = (0..30).map(|i| text(i, 3 + i % 9)).collect();
    let joined: Vec<String> = read.iter().map(|sentence| sentence.join(" ")).collect();
    let memory = Memory::new(joined.iter().map(String::as_str));
    for seed in 100..150 {
        let asked = text(seed, 12);
        let stands = |run: &[&str]| {
            read.iter().any(|sentence| sentence.windows(run.len()).any(|at| at == run))
        };
        let longest = |at: usize| {
            (1..=asked.len() - at)
                .take_while(|&n| stands(&asked[at..at + n]))
                .last()
                .unwrap_or(0)
        };
        let expected: Vec<usize> = (0..asked.len()).map(longest).collect();
        assert_eq!(memory.runs(&asked.join(" ")), expected);
    }
}

#[test]
fn what_is_copied_is_found_and_what_is_new_is_not() {
    let copied = recital(&READ);
    assert_eq!((copied.texts, copied.words), (4, 25));
    assert!((copied.whole - 1.0).abs() < 1e-12);
    assert!((copied.whole_words - 25.0 / 4.0).abs() < 1e-12);
    assert!((copied.longest_mean - 25.0 / 4.0).abs() < 1e-12);
    assert_eq!(copied.longest, READ[2]);
    assert!(copied.found.values().all(|&share| (share - 1.0).abs() < 1e-12));
    assert!(copied.found.keys().copied().eq(RUNS));

    let new = recital(&["quem vem lá agora mesmo", "ontem choveu muito"]);
    assert_eq!((new.whole, new.longest_mean), (0.0, 0.0));
    assert!(new.longest.is_empty() && new.found.values().all(|&share| share == 0.0));

    // Three of its six runs of three words, two of five of four.
    let half = recital(&["ela leu o livro que eu vi ontem", ""]);
    assert_eq!((half.texts, half.whole), (1, 0.0));
    assert_eq!(half.longest, "ela leu o livro que");
    assert!((half.found[&3] - 3.0 / 6.0).abs() < 1e-12);
    assert!((half.found[&4] - 2.0 / 5.0).abs() < 1e-12);
    // A part of a sentence is not a whole one.
    assert!(recital(&["o gato sentou no tapete"]).whole == 0.0);
}
