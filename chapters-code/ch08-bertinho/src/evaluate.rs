//! How well hidden words are guessed, on sentences never trained on.

use bert_attention::BertForMaskedLm;
use candle_core::{D, Tensor};
use sentiment::{Batch, ForwardOptions, PackedEncoder};
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use crate::batches::{Sequence, both_orders, pieces, singles};
use crate::corpus::Corpus;
use crate::error::{PretrainingError, Result};
use crate::masking::{MaskedBatch, Masking};
use crate::wordpiece::FIRST_PIECE;
use training::random::{Purpose, generator};

/// The seed of the masks: the same for every model.
const SEED: u64 = 2026;
/// Tokens in a batch.
const TOKENS: usize = 4000;

/// How many of the hidden pieces were guessed, first guess only.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Hidden pieces.
    pub hidden: usize,
    /// The share that the model guessed.
    pub model: f64,
    /// The share that is guessed by always saying the piece that is most frequent in
    /// the training part.
    pub unigram: f64,
}

/// What an [`EvalSet`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Everyday English sentences, alone.
    pub english: Accuracy,
    /// Everyday Portuguese sentences, alone.
    pub portuguese: Accuracy,
    /// Pairs, both orders; hidden are English pieces, with the translation whole
    /// beside.
    pub english_beside: Accuracy,
    /// Pairs, both orders; hidden are Portuguese pieces.
    pub portuguese_beside: Accuracy,
    /// The last two together.
    pub beside: Accuracy,
}

/// Sentences with hidden pieces, and the piece that is most frequent where they come
/// from.
#[derive(Debug, Clone)]
pub struct EvalBatches {
    batches: Vec<MaskedBatch>,
    most_frequent: u32,
}

impl EvalBatches {
    /// Hides 15 % of the `allowed` places of each sequence, the same ones in each run.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`](training::TrainingError::Setting) if there is no sequence.
    pub fn new(
        mut sequences: Vec<Sequence>,
        allowed: impl Fn(&Sequence) -> Vec<usize>,
        most_frequent: u32,
        vocab_size: u32,
    ) -> Result<Self> {
        if sequences.is_empty() {
            let expected = "at least one: the corpus is too small to hold any out";
            return Err(PretrainingError::setting(
                "held-out sentences",
                "none",
                expected,
            ));
        }
        sequences.sort_by_key(Sequence::len);
        let masking = Masking::hiding(vocab_size);
        let mut random = generator(SEED, Purpose::Evaluation, 0);
        let mut batches = Vec::new();
        let longest = sequences.last().map_or(1, Sequence::len);
        for rows in sequences.chunks((TOKENS / longest).max(1)) {
            let rows: Vec<&Sequence> = rows.iter().collect();
            batches.push(masking.apply_where(&rows, &allowed, &mut random)?);
        }
        Ok(Self { batches, most_frequent })
    }

    /// Evaluates a model.
    ///
    /// # Errors
    ///
    /// If it has another vocabulary.
    pub fn evaluate(&self, predictor: &Predictor) -> Result<Accuracy> {
        let (mut hidden, mut model, mut unigram) = (0, 0, 0);
        for batch in &self.batches {
            let predictions = predictor.predict(batch)?;
            hidden += predictions.len();
            for (predicted, label) in predictions.iter().zip(&batch.labels) {
                model += usize::from(predicted == label);
                unigram += usize::from(self.most_frequent == *label);
            }
        }
        let rate = |right| right as f64 / hidden as f64;
        Ok(Accuracy { hidden, model: rate(model), unigram: rate(unigram) })
    }
}

/// A masked language model on packed weights: to predict, not to train.
#[derive(Debug)]
pub struct Predictor {
    encoder: PackedEncoder,
    head: BertForMaskedLm,
}

impl Predictor {
    /// Packs a model.
    ///
    /// # Errors
    ///
    /// If the heads don't divide `d_model`.
    pub fn new(model: BertForMaskedLm) -> Result<Self> {
        Ok(Self { encoder: PackedEncoder::pack(model.bert.clone())?, head: model })
    }

    /// The encoder alone.
    pub fn encoder(&self) -> &PackedEncoder {
        &self.encoder
    }

    /// The likeliest piece for each hidden token.
    ///
    /// # Errors
    ///
    /// If a piece is unknown to the model.
    pub fn predict(&self, batch: &MaskedBatch) -> Result<Vec<u32>> {
        if batch.positions.is_empty() {
            return Ok(Vec::new());
        }
        let logits = self.logits(&batch.inputs, &batch.positions)?;
        Ok(logits.argmax(D::Minus1)?.to_vec1()?)
    }

    /// A number for each piece, at some places of the `batch · n` tokens, text after
    /// text: `[places, vocabulary]`.
    fn logits(&self, inputs: &Batch, places: &[u32]) -> Result<Tensor> {
        let x =
            self.encoder.forward(inputs, ForwardOptions::default())?.last_hidden_state;
        let places = Tensor::new(places, x.device())?;
        // [batch, n, d_model] -> [batch · n, d_model] -> [places, d_model]
        let hidden = x.flatten(0, 1)?.index_select(&places, 0)?;
        Ok(self.head.predict(&hidden)?) // [places, vocabulary]
    }
}

/// The held-out sentences of a corpus, with hidden pieces.
#[derive(Debug, Clone)]
pub struct EvalSet {
    english: EvalBatches,
    portuguese: EvalBatches,
    english_beside: EvalBatches,
    portuguese_beside: EvalBatches,
}

impl EvalSet {
    /// The held-out pairs, each side alone and with the other beside.
    pub fn new(tokenizer: &Tokenizer, corpus: &Corpus, limit: usize) -> Result<Self> {
        let vocab_size =
            u32::try_from(tokenizer.get_vocab_size(true)).unwrap_or(u32::MAX);
        let (train, held_out) = (&corpus.pairs.train, &corpus.pairs.held_out);
        let most_english =
            most_frequent(tokenizer, train.iter().map(|pair| pair.english.as_str()))?;
        let most_portuguese = most_frequent(
            tokenizer,
            train.iter().map(|pair| pair.portuguese.as_str()),
        )?;
        let everywhere = |sequence: &Sequence| (0..sequence.len()).collect();
        let alone = |texts: Vec<&str>, most| {
            let sequences = singles(tokenizer, texts, limit)?;
            EvalBatches::new(sequences, everywhere, most, vocab_size)
        };
        let orders = both_orders(tokenizer, held_out, limit)?;
        let [en_pt, pt_en]: [Vec<Sequence>; 2] =
            [0, 1].map(|order| orders.iter().map(|pair| pair[order].clone()).collect());
        let beside = |[first_of, second_of]: [&[Sequence]; 2], most| {
            let first =
                EvalBatches::new(first_of.to_vec(), sentence_a, most, vocab_size)?;
            let second =
                EvalBatches::new(second_of.to_vec(), sentence_b, most, vocab_size)?;
            let batches = [first.batches, second.batches].concat();
            Ok::<_, PretrainingError>(EvalBatches { batches, most_frequent: most })
        };
        Ok(Self {
            english: alone(
                held_out.iter().map(|pair| pair.english.as_str()).collect(),
                most_english,
            )?,
            portuguese: alone(
                held_out.iter().map(|pair| pair.portuguese.as_str()).collect(),
                most_portuguese,
            )?,
            english_beside: beside([&en_pt, &pt_en], most_english)?,
            portuguese_beside: beside([&pt_en, &en_pt], most_portuguese)?,
        })
    }

    /// Evaluates a model on all four.
    pub fn evaluate(&self, predictor: &Predictor) -> Result<Evaluation> {
        let english_beside = self.english_beside.evaluate(predictor)?;
        let portuguese_beside = self.portuguese_beside.evaluate(predictor)?;
        Ok(Evaluation {
            english: self.english.evaluate(predictor)?,
            portuguese: self.portuguese.evaluate(predictor)?,
            english_beside,
            portuguese_beside,
            beside: together(english_beside, portuguese_beside),
        })
    }
}

fn sentence_a(sequence: &Sequence) -> Vec<usize> {
    (0..sequence.second.unwrap_or(sequence.len())).collect()
}

fn sentence_b(sequence: &Sequence) -> Vec<usize> {
    (sequence.second.unwrap_or(sequence.len())..sequence.len()).collect()
}

/// The two as one, each hidden piece counting the same.
fn together(a: Accuracy, b: Accuracy) -> Accuracy {
    let hidden = a.hidden + b.hidden;
    let mean =
        |x: f64, y: f64| (x * a.hidden as f64 + y * b.hidden as f64) / hidden as f64;
    Accuracy {
        hidden,
        model: mean(a.model, b.model),
        unigram: mean(a.unigram, b.unigram),
    }
}

/// The piece that is most frequent in some texts.
fn most_frequent<'a>(
    tokenizer: &Tokenizer,
    texts: impl Iterator<Item = &'a str>,
) -> Result<u32> {
    let mut counts = vec![0_u64; tokenizer.get_vocab_size(true)];
    for id in pieces(tokenizer, texts)?.into_iter().flatten() {
        if let Some(count) = counts.get_mut(id as usize) {
            *count += u64::from(id >= FIRST_PIECE);
        }
    }
    let most = (0..).zip(&counts).max_by_key(|&(_, count)| count);
    Ok(most.map_or(FIRST_PIECE, |(id, _)| id))
}
