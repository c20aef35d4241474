//! Words and their stems.

use std::sync::LazyLock;

use pagefind_stem::{Algorithm, Stemmer};
use regex::Regex;

use crate::workspace::Language;

/// The words of a text, in lower case. `theme/search.js` cuts a question the same way.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    static WORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\p{L}\p{M}\p{N}]+").expect("a valid pattern"));
    WORD.find_iter(text).map(|word| word.as_str().to_lowercase())
}

/// Plurals by their ends, which Snowball leaves apart from their singulars.
const PORTUGUESE: &[(&str, &str)] = &[
    ("ões", "ão"),
    ("ães", "ão"),
    ("ãos", "ão"),
    ("ns", "m"),
    ("ais", "al"),
    ("éis", "el"),
    ("veis", "vel"),
    ("óis", "ol"),
];
const ENGLISH: &[(&str, &str)] = &[("trices", "trix"), ("ndices", "ndex")];

/// The shortest word that may be one of these plurals: `mais` is not that of `mal`.
const SHORTEST_PLURAL: usize = 5;

/// The shortest Portuguese stem that says enough: Snowball gives `par` for `para`, `parado` and
/// `pares`, and `cam` for `cama` and `camada`.
const SHORTEST_STEM: usize = 5;

/// Finds the stems of a language's words.
pub struct Stems {
    language: Language,
    snowball: Stemmer,
}

impl Stems {
    pub fn of(language: Language) -> Self {
        let algorithm = match language {
            Language::Portuguese => Algorithm::Portuguese,
            Language::English => Algorithm::English,
        };
        Self { language, snowball: Stemmer::create(algorithm) }
    }

    /// The stem of a word in lower case, accents and all.
    pub fn stem(&self, word: &str) -> String {
        if self.language == Language::English {
            let singular = singular(word, ENGLISH);
            return self
                .snowball
                .stem(singular.as_deref().unwrap_or(word))
                .into_owned();
        }
        let singular = singular(word, PORTUGUESE).unwrap_or_else(|| without_s(word));
        let stem = self.snowball.stem(&singular);
        if stem.chars().count() >= SHORTEST_STEM {
            return stem.into_owned();
        }
        match singular.strip_suffix('e') {
            Some(base) if base.len() > 2 => base.to_owned(), // pares: par
            _ => singular,
        }
    }
}

fn singular(word: &str, ends: &[(&str, &str)]) -> Option<String> {
    let (base, end) = ends
        .iter()
        .find_map(|(plural, end)| Some((word.strip_suffix(plural)?, end)))?;
    let plural = word.chars().count() >= SHORTEST_PLURAL || !word.is_ascii(); // mãos
    plural.then(|| format!("{base}{end}"))
}

/// A word without the `s` behind a vowel.
fn without_s(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(base) if base.ends_with(|letter| "aeiouáéíóúâêôã".contains(letter)) => {
            base
        }
        _ => word,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plural_has_the_stem_of_its_singular_and_no_other() {
        let portuguese = [
            ("camada", "camadas", true),
            ("atenção", "atenções", true),
            ("posição", "posições", true),
            ("mão", "mãos", true),
            ("imagem", "imagens", true),
            ("vetorial", "vetoriais", true),
            ("possível", "possíveis", true),
            ("papel", "papéis", true),
            ("matriz", "matrizes", true),
            ("máscara", "máscaras", true),
            ("pé", "pés", true),
            ("par", "pares", true),
            ("livre", "livres", true),
            ("treino", "treinar", true),
            ("para", "pares", false),
            ("cama", "camada", false),
            ("pé", "pe", false),
            ("mal", "mais", false),
            ("peso", "pessoa", false),
            ("livro", "livre", false),
        ];
        let english = [
            ("layer", "layers", true),
            ("mask", "masking", true),
            ("weight", "weighted", true),
            ("matrix", "matrices", true),
            ("index", "indices", true),
            ("query", "queries", true),
            ("head", "heat", false),
        ];
        for (language, table) in
            [(Language::Portuguese, &portuguese[..]), (Language::English, &english)]
        {
            let stems = Stems::of(language);
            for (one, other, same) in table {
                let [a, b] = [one, other].map(|word| stems.stem(word));
                assert_eq!(a == b, *same, "{one} → {a}, {other} → {b}");
            }
        }
    }

    #[test]
    fn words_keep_their_accents_and_nothing_else() {
        let text = "“O Pé”, d_k: a SOFTMAX (x₂) de 768, auto-atenção…";
        let expected =
            ["o", "pé", "d", "k", "a", "softmax", "x₂", "de", "768", "auto", "atenção"];
        assert_eq!(words(text).collect::<Vec<_>>(), expected);
    }
}
