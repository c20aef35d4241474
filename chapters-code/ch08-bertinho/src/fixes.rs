//! Two faults of the translated sentences, fixed.
//!
//! The Portuguese of `tatoeba.en-pt.tsv` is a machine's. It says "cão" where Brazil
//! says "cachorro"; and somewhere on its way every "no" ("in the") became "não"
//! ("not"): the file has 13,571 "não" and 2 "no", where `pt.txt` has 10,081 and 12,965.
//! A model that is to read "O gato sentou no tapete" has to see "no" in such sentences.

use std::collections::HashMap;

/// How often each word of `pt.txt` follows "no" and "não": `[no, não]`.
#[derive(Debug, Clone, Default)]
pub struct Neighbors(HashMap<String, [u32; 2]>);

impl Neighbors {
    /// Counts over sentences that say "no" and "não" where they mean them.
    pub fn count<'a>(sentences: impl IntoIterator<Item = &'a str>) -> Self {
        let mut counts = HashMap::new();
        for sentence in sentences {
            let words: Vec<_> = sentence.split_whitespace().collect();
            for pair in words.windows(2) {
                let which = match pair[0].to_lowercase().as_str() {
                    "no" => 0,
                    "não" => 1,
                    _ => continue,
                };
                let after = counts.entry(bare(pair[1])).or_insert([0, 0]);
                after[which] += 1;
            }
        }
        Self(counts)
    }

    fn of(&self, word: &str) -> [u32; 2] {
        self.0.get(&bare(word)).copied().unwrap_or_default()
    }
}

/// How many words were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Fixes {
    /// "cão" and "cães".
    #[serde(rename = "dogs")]
    pub cao: usize,
    /// "não" that was "no".
    pub contractions: usize,
}

/// "cão" → "cachorro" and "cães" → "cachorros", as whole words, with their capitals.
/// Returns how many.
///
/// Both words are masculine and form their plural with an s, so that articles,
/// adjectives and verbs stay as they are: "os cães estão" → "os cachorros estão". A
/// part of a compound ("cão-guia") stays, and so does the female ("cadela").
pub fn fix_cao(sentence: &str) -> (String, usize) {
    let mut count = 0;
    let fixed = map_words(sentence, |word| {
        let (singular, plural) = ("cachorro", "cachorros");
        let new = match word.to_lowercase().as_str() {
            "cão" => singular,
            "cães" => plural,
            _ => return None,
        };
        count += 1;
        Some(with_capitals_of(word, new))
    });
    (fixed, count)
}

/// "não" → "no" where "no" was meant. Returns how many.
///
/// The word after it decides, by its neighbors in `pt.txt`: "no jardim" is common
/// there and "não jardim" isn't; "não quero" is and "no quero" isn't. A word that
/// `pt.txt` doesn't have after either is decided by the English: without a negation
/// there is nothing that "não" could translate. Where the English has one, the
/// neighbors must be clear (at least 3, and 4 to 1), and a "não" that begins the
/// sentence stays.
pub fn fix_contractions(
    portuguese: &str,
    english: &str,
    neighbors: &Neighbors,
) -> (String, usize) {
    let negated = is_negated(english);
    let mut words: Vec<String> = portuguese.split(' ').map(str::to_owned).collect();
    let mut count = 0;
    for i in 0..words.len().saturating_sub(1) {
        let bare_no = words[i].trim_start_matches(|c: char| !c.is_alphanumeric());
        if bare_no.to_lowercase() != "não" {
            continue; // "não," and "não." too: a contraction stands before its noun
        }
        let [no, not] = neighbors.of(&words[i + 1]);
        let meant = if negated {
            i > 0 && no >= 3 && no > 4 * not
        } else {
            no > not || (no == not && words[i + 1].starts_with(char::is_alphanumeric))
        };
        if meant {
            let opening = &words[i][..words[i].len() - bare_no.len()];
            words[i] = format!("{opening}{}", with_capitals_of(bare_no, "no"));
            count += 1;
        }
    }
    (words.join(" "), count)
}

/// Whether an English sentence denies something.
fn is_negated(english: &str) -> bool {
    const WORDS: [&str; 13] = [
        "not", "no", "never", "nothing", "nobody", "none", "neither", "nor", "cannot",
        "without", "nowhere", "dont", "non",
    ];
    let english = english.to_lowercase().replace('’', "'");
    english.contains("n't")
        || english
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| WORDS.contains(&word))
}

/// In lower case, without the punctuation around it.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Maps each run of letters and hyphens; what `map` doesn't change stays.
fn map_words(sentence: &str, mut map: impl FnMut(&str) -> Option<String>) -> String {
    let in_word = |c: char| c.is_alphanumeric() || c == '-';
    let mut fixed = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while !rest.is_empty() {
        let word = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(word);
        fixed.push_str(&map(head).unwrap_or_else(|| head.to_owned()));
        let gap = tail.find(in_word).unwrap_or(tail.len());
        fixed.push_str(&tail[..gap]);
        rest = &tail[gap..];
    }
    fixed
}

/// `word` with the capitals of `model`: all, the first, or none.
fn with_capitals_of(model: &str, word: &str) -> String {
    let upper = |c: char| c.is_uppercase();
    if model.chars().all(upper) {
        return word.to_uppercase();
    }
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if model.starts_with(upper) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cao_keeps_number_and_capitals() {
        let cases = [
            ("O cão está no jardim.", "O cachorro está no jardim.", 1),
            ("Os cães latem.", "Os cachorros latem.", 1),
            ("Cães! CÃO? \"cão\"", "Cachorros! CACHORRO? \"cachorro\"", 3),
            ("O cão-guia late no balcão.", "O cão-guia late no balcão.", 0),
            ("A cadela e o falcão.", "A cadela e o falcão.", 0),
            ("", "", 0),
        ];
        for (given, expected, count) in cases {
            assert_eq!(fix_cao(given), (expected.to_owned(), count));
        }
    }

    #[test]
    fn contractions_are_told_from_negations() {
        let neighbors = Neighbors::count([
            "Ele está no jardim, no meio, no Japão, no Japão e no Japão.",
            "Não quero. Ela não gosta. No final não é.",
        ]);
        let cases = [
            ("He is in the garden.", "Ele está não jardim.", "Ele está no jardim.", 1),
            ("I don't want it.", "Eu não quero isso.", "Eu não quero isso.", 0),
            ("He dislikes it.", "Ele não gosta.", "Ele não gosta.", 0),
            // unknown words: the English decides
            ("The bread is in the oven.", "Está não forno.", "Está no forno.", 1),
            ("It isn't burning.", "Isso não arde.", "Isso não arde.", 0),
            // both in one sentence
            (
                "I'm not in Japan.",
                "Eu não estou não Japão.",
                "Eu não estou no Japão.",
                1,
            ),
            ("In the end he left.", "Não final ele saiu.", "No final ele saiu.", 1),
            ("No, thanks.", "Não, obrigado.", "Não, obrigado.", 0),
            ("Really?", "Ah, não – sério?", "Ah, não – sério?", 0),
        ];
        for (english, given, expected, count) in cases {
            let found = fix_contractions(given, english, &neighbors);
            assert_eq!(found, (expected.to_owned(), count), "{english}");
        }
    }
}
