//! Sequences of pieces, cut into batches of about the same number of tokens.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use crate::corpus::{Corpus, Pair};
use crate::error::{PretrainingError, Result};
use crate::wordpiece::{CLS, PAD, SEP};
use training::random::{Purpose, generator};

/// What the model reads: `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The pieces' numbers.
    pub ids: Vec<u32>,
    /// Where sentence B begins, if there is one: from there the token type is 1.
    pub second: Option<usize>,
}

impl Sequence {
    /// A sentence between `[CLS]` and `[SEP]`, cut to `limit` tokens in all.
    pub fn single(pieces: &[u32], limit: usize) -> Self {
        let kept = pieces.len().min(limit.saturating_sub(2));
        let ids = [&[CLS], &pieces[..kept], &[SEP]].concat();
        Self { ids, second: None }
    }

    /// Two sentences, cut to `limit` tokens in all, the longer one first.
    pub fn pair(first: &[u32], second: &[u32], limit: usize) -> Self {
        let (mut a, mut b) = (first.len(), second.len());
        while a + b > limit.saturating_sub(3) && a + b > 0 {
            *if a >= b { &mut a } else { &mut b } -= 1;
        }
        let ids = [&[CLS], &first[..a], &[SEP], &second[..b], &[SEP]].concat();
        Self { ids, second: Some(a + 2) }
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none; no sequence made here is empty.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// 0 in sentence A, 1 in B.
    pub fn token_types(&self) -> Vec<u32> {
        let second = self.second.unwrap_or(self.len());
        (0..self.len()).map(|i| u32::from(i >= second)).collect()
    }
}

/// The pieces' numbers of each text, without `[CLS]` and `[SEP]`.
///
/// # Errors
///
/// [`PretrainingError::Tokenizer`] if the tokenizer fails.
pub fn pieces<'a>(
    tokenizer: &Tokenizer,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Vec<u32>>> {
    let texts: Vec<&str> = texts.into_iter().collect();
    let encodings = tokenizer.encode_batch_fast(texts, false)?;
    Ok(encodings.iter().map(|encoding| encoding.get_ids().to_vec()).collect())
}

/// Singles of each text.
pub fn singles<'a>(
    tokenizer: &Tokenizer,
    texts: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Result<Vec<Sequence>> {
    let pieces = pieces(tokenizer, texts)?;
    Ok(pieces.iter().map(|pieces| Sequence::single(pieces, limit)).collect())
}

/// Each pair in both orders: first English–Portuguese, then Portuguese–English.
pub fn both_orders(
    tokenizer: &Tokenizer,
    pairs: &[Pair],
    limit: usize,
) -> Result<Vec<[Sequence; 2]>> {
    let english = pieces(tokenizer, pairs.iter().map(|pair| pair.english.as_str()))?;
    let portuguese = pairs.iter().map(|pair| pair.portuguese.as_str());
    let portuguese = pieces(tokenizer, portuguese)?;
    let orders = |(en, pt): (&Vec<u32>, &Vec<u32>)| {
        [Sequence::pair(en, pt, limit), Sequence::pair(pt, en, limit)]
    };
    Ok(english.iter().zip(&portuguese).map(orders).collect())
}

/// How often an epoch shows each kind of sequence; 0 leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mixture {
    /// Each pair, in both orders.
    pub pairs: usize,
    /// Each side of a pair, alone.
    pub sides: usize,
    /// Each line of `en.txt`.
    pub english: usize,
    /// Each line of `pt.txt`.
    pub portuguese: usize,
}

impl Default for Mixture {
    fn default() -> Self {
        Self { pairs: 2, sides: 2, english: 1, portuguese: 1 }
    }
}

/// An epoch's sequences, from the training parts of a corpus.
///
/// # Errors
///
/// Those of [`pieces`]; [`TrainingError::Setting`](training::TrainingError::Setting) if the mixture is empty.
pub fn training_sequences(
    tokenizer: &Tokenizer,
    corpus: &Corpus,
    mixture: Mixture,
    limit: usize,
) -> Result<Vec<Sequence>> {
    fn texts(lines: &[String]) -> impl Iterator<Item = &str> {
        lines.iter().map(String::as_str)
    }
    let mut sequences = Vec::new();
    let mut add = |times: usize, kind: &dyn Fn() -> Result<Vec<Sequence>>| {
        if times > 0 {
            let kind = kind()?;
            (0..times).for_each(|_| sequences.extend_from_slice(&kind));
        }
        Ok::<_, PretrainingError>(())
    };
    let pairs = &corpus.pairs.train;
    let sides = || pairs.iter().flat_map(|pair| [&*pair.english, &*pair.portuguese]);
    add(mixture.pairs, &|| Ok(both_orders(tokenizer, pairs, limit)?.concat()))?;
    add(mixture.sides, &|| singles(tokenizer, sides(), limit))?;
    let english = || singles(tokenizer, texts(&corpus.english.train), limit);
    add(mixture.english, &english)?;
    let portuguese = || singles(tokenizer, texts(&corpus.portuguese.train), limit);
    add(mixture.portuguese, &portuguese)?;
    if sequences.is_empty() {
        let expected = "at least one kind of sequence that the corpus has";
        return Err(PretrainingError::setting("mixture", "empty", expected));
    }
    Ok(sequences)
}

/// Cuts sequences into batches of at most `tokens` tokens, padding included, each of
/// sequences of about the same length: their numbers, batch by batch.
///
/// Sorted by length, neighbors need almost no padding; shuffled before, equal lengths
/// meet other neighbors in each epoch; shuffled after, short and long batches
/// alternate.
pub fn cut_batches(
    sequences: &[Sequence],
    tokens: usize,
    seed: u64,
    epoch: u64,
) -> Vec<Vec<usize>> {
    let mut random = generator(seed, Purpose::Shuffle, epoch);
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.shuffle(&mut random);
    order.sort_by_key(|&i| sequences[i].len()); // stable: equal lengths stay shuffled
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for i in order {
        let longest = sequences[i].len(); // so far: they come sorted
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= tokens => batch.push(i),
            _ => batches.push(vec![i]),
        }
    }
    batches.shuffle(&mut random);
    batches
}

/// Where a training stands in its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Epochs done.
    pub epoch: u64,
    /// Batches done in this one.
    pub batch: usize,
}

/// Batch after batch, epoch after epoch, without end.
#[derive(Debug)]
pub struct Batches {
    sequences: Vec<Sequence>,
    tokens: usize,
    seed: u64,
    epoch: Vec<Vec<usize>>,
    position: Position,
}

impl Batches {
    /// From `position` on: the same batches as if all those before had been asked for.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) if there is no sequence, or the position lies beyond
    /// its epoch.
    pub fn resume(
        sequences: Vec<Sequence>,
        tokens: usize,
        seed: u64,
        position: Position,
    ) -> Result<Self> {
        if sequences.is_empty() {
            return Err(PretrainingError::setting("sequences", "none", "at least one"));
        }
        let epoch = cut_batches(&sequences, tokens, seed, position.epoch);
        if position.batch > epoch.len() {
            let expected = format!("at most {}: is it the same corpus?", epoch.len());
            return Err(PretrainingError::setting("batch", position.batch, expected));
        }
        Ok(Self { sequences, tokens, seed, epoch, position })
    }

    /// Where the next batch stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many batches this epoch has.
    pub fn batches_per_epoch(&self) -> usize {
        self.epoch.len()
    }

    /// What this epoch is made of.
    pub fn statistics(&self) -> EpochStatistics {
        EpochStatistics::of(&self.sequences, &self.epoch)
    }

    /// The next batch's sequences.
    pub fn next_batch(&mut self) -> Vec<&Sequence> {
        if self.position.batch == self.epoch.len() {
            let epoch = self.position.epoch + 1;
            self.position = Position { epoch, batch: 0 };
            self.epoch = cut_batches(&self.sequences, self.tokens, self.seed, epoch);
        }
        let batch = &self.epoch[self.position.batch];
        self.position.batch += 1;
        batch.iter().map(|&i| &self.sequences[i]).collect()
    }
}

/// What an epoch is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EpochStatistics {
    /// How many batches it has.
    pub batches: usize,
    /// How many sequences, the batches together.
    pub rows: usize,
    /// Tokens, without padding.
    pub tokens: usize,
    /// The share of all places in batches that is padding.
    pub padding: f64,
}

impl EpochStatistics {
    fn of(sequences: &[Sequence], batches: &[Vec<usize>]) -> Self {
        let (mut rows, mut tokens, mut places) = (0, 0, 0);
        for batch in batches {
            let lengths = || batch.iter().map(|&i| sequences[i].len());
            rows += batch.len();
            tokens += lengths().sum::<usize>();
            places += batch.len() * lengths().max().unwrap_or(0);
        }
        let padding = 1.0 - tokens as f64 / places as f64;
        Self { batches: batches.len(), rows, tokens, padding }
    }
}

/// Sequences as rows of equal length, the shorter ones padded; nothing hidden.
///
/// # Errors
///
/// If there is no sequence.
pub fn padded(sequences: &[&Sequence]) -> Result<sentiment::Batch> {
    let n = sequences.iter().map(|sequence| sequence.len()).max().unwrap_or(0);
    let filled = |mut row: Vec<u32>, with| {
        row.resize(n, with);
        row
    };
    let (mut ids, mut types, mut mask) = (Vec::new(), Vec::new(), Vec::new());
    for sequence in sequences {
        ids.push(filled(sequence.ids.clone(), PAD));
        types.push(filled(sequence.token_types(), 0));
        mask.push(filled(vec![1; sequence.len()], 0));
    }
    Ok(sentiment::Batch::new(&ids, Some(&types), Some(&mask))?)
}
