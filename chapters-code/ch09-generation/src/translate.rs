//! Translation as continuation: a sentence, the other language's mark, and the model goes on.

use tokenizers::Tokenizer;

use crate::beam::{BeamOptions, beam_search};
use crate::error::Result;
use crate::generate::{GenerateOptions, generate};
use crate::gpt::Gpt;
use crate::texts::{alone, encode, ends};

/// What the model says behind `sentence` and the mark of the other language, up to its end or the
/// next mark; `marks` are the sentence's and the other one's. With one beam the likeliest token
/// is always taken, with more the likeliest text is looked for.
///
/// A translation of more than twice the prompt's tokens, and 20, is cut there.
///
/// # Errors
///
/// As [`generate`](crate::generate()) and [`beam_search`]; if the tokenizer has no such marks.
pub fn translate(
    model: &Gpt,
    tokenizer: &Tokenizer,
    sentence: &str,
    marks: [&str; 2],
    beams: usize,
) -> Result<String> {
    let ends = ends(tokenizer)?;
    let [from, to] = marks;
    let text = format!("{}{to}", alone(from, sentence));
    let prompt = encode(tokenizer, &[text])?.concat();
    let max_new_tokens = 2 * prompt.len() + 20;
    let ids = if beams == 1 {
        let options = GenerateOptions { max_new_tokens, ends, ..Default::default() };
        generate(model, &prompt, &options, |_, _| {})?.ids
    } else {
        let options = BeamOptions { beams, max_new_tokens, ends, ..Default::default() };
        let found = beam_search(model, &prompt, &options)?;
        found.into_iter().next().map(|best| best.ids).unwrap_or_default()
    };
    let text = tokenizer.decode(&ids, true).map_err(candle_core::Error::wrap)?;
    Ok(text.trim().to_owned())
}
