//! The words to reverse, and letters as numbers.

use candle_core::{Device, Tensor};
use gradients::name_hash;
use rand::Rng;

use crate::error::{Result, TrainingError};
use crate::random::{Purpose, generator};

/// Begins what is written.
pub(super) const BOS: u32 = 0;
/// Ends what is read and what is written.
const EOS: u32 = 1;
/// The first letter, a.
const FIRST_LETTER: u32 = 2;
/// How many letters the alphabet has, a to z.
const LETTERS: u32 = 26;
/// Rows of the table of letters.
pub(super) const VOCABULARY: usize = 28;

/// The shortest and the longest string to reverse.
pub const LENGTHS: [usize; 2] = [4, 12];

/// Strings to learn from: the same for a seed and a step. One in ten of all strings
/// that exist, chosen by a hash, is never among them.
pub fn training_strings(seed: u64, step: u64, count: usize) -> Vec<String> {
    let mut random = generator(seed, Purpose::Strings, step);
    let length = random.random_range(LENGTHS[0]..=LENGTHS[1]);
    let strings = std::iter::repeat_with(|| string(&mut random, length));
    strings.filter(|string| !is_held_out(string)).take(count).collect()
}

/// Strings of all lengths that [`training_strings`] never gives.
pub fn held_out_strings(seed: u64, count: usize) -> Vec<String> {
    let mut random = generator(seed, Purpose::Evaluation, 0);
    let strings = std::iter::repeat_with(|| {
        let length = random.random_range(LENGTHS[0]..=LENGTHS[1]);
        string(&mut random, length)
    });
    strings.filter(|string| is_held_out(string)).take(count).collect()
}

/// Held-out strings of one length, which may be one that training never has.
///
/// # Errors
///
/// [`TrainingError::Setting`] for fewer than 3 letters, of which too few are held out.
pub fn strings_of(length: usize, seed: u64, count: usize) -> Result<Vec<String>> {
    if length < 3 {
        return Err(TrainingError::setting("length", length, "3 or more"));
    }
    let mut random = generator(seed, Purpose::Evaluation, length as u64);
    let strings = std::iter::repeat_with(|| string(&mut random, length));
    Ok(strings.filter(|string| is_held_out(string)).take(count).collect())
}

fn is_held_out(string: &str) -> bool {
    name_hash(string).is_multiple_of(10)
}

fn string(random: &mut impl Rng, length: usize) -> String {
    (0..length).map(|_| char::from(b'a' + random.random_range(0..26_u8))).collect()
}

/// A letter's number.
fn number(letter: char) -> Result<u32> {
    if letter.is_ascii_lowercase() {
        return Ok(u32::from(letter) - u32::from('a') + FIRST_LETTER);
    }
    Err(TrainingError::setting("a letter", letter, "from a to z"))
}

/// The letters written, up to the end.
pub(super) fn spell(ids: &[u32]) -> String {
    let letter = |&id: &u32| match id.checked_sub(FIRST_LETTER) {
        Some(i) if i < LETTERS => char::from_u32(u32::from('a') + i).unwrap_or('?'),
        _ => '?', // an untrained model may write its beginning again
    };
    ids.iter().take_while(|&&id| id != EOS).map(letter).collect()
}

// ANCHOR: teacher_forcing
/// What the encoder reads: letters and an end, `[batch, length + 1]`.
///
/// # Errors
///
/// [`TrainingError::Setting`] if a string has other letters than a to z, or another
/// length than the first.
pub fn read(strings: &[&str]) -> Result<Tensor> {
    let row = |string: &&str| -> Result<Vec<u32>> {
        let letters = string.chars().map(number);
        letters.chain([Ok(EOS)]).collect()
    };
    stacked(&strings.iter().map(row).collect::<Result<Vec<_>>>()?)
}

/// What the decoder is given and what it should say: the reversed string behind a
/// beginning, and the reversed string before an end; both `[batch, length + 1]`.
pub fn teach(strings: &[&str]) -> Result<(Tensor, Tensor)> {
    let (mut given, mut expected) = (Vec::new(), Vec::new());
    for string in strings {
        let reversed = string.chars().rev().map(number).collect::<Result<Vec<_>>>()?;
        given.push([&[BOS], &reversed[..]].concat());
        expected.push([&reversed[..], &[EOS]].concat());
    }
    Ok((stacked(&given)?, stacked(&expected)?))
}
// ANCHOR_END: teacher_forcing

fn stacked(rows: &[Vec<u32>]) -> Result<Tensor> {
    let n = rows.first().map_or(0, Vec::len);
    if n < 2 || rows.iter().any(|row| row.len() != n) {
        let lengths: Vec<_> =
            rows.iter().map(|row| row.len().saturating_sub(1)).collect();
        let found = format!("{lengths:?}");
        return Err(TrainingError::setting("lengths", found, "all equal, from 1"));
    }
    Ok(Tensor::from_vec(rows.concat(), (rows.len(), n), &Device::Cpu)?)
}
