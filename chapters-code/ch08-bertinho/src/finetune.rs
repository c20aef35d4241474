//! A classifier made from a part of the pre-trained model.

use candle_core::{D, DType, Tensor};
use gradients::{AdamW, AdamWOptions, Decay, Schedule};
use hub::{Architecture, Config};
use rand::RngCore;
use sentiment::layers::{BERT, DISTILBERT};
use sentiment::{DistilBertForSequenceClassification, ForwardOptions};
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use crate::batches::{Sequence, cut_batches, padded, singles};
use crate::corpus::{Review, Split};
use crate::fast_model::classifier_loss;
use crate::learner::Trainer;
use crate::naive_bayes::NaiveBayes;
use training::parameters::{Tensors, complete, model};
use training::random::{Purpose, generator};
use training::{TrainingError, softmax};

use crate::error::{PretrainingError, Result};

/// The labels' names, in order of their numbers.
pub const LABELS: [&str; 2] = ["NEGATIVE", "POSITIVE"];

/// How the classifier is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FinetuneOptions {
    /// How often each review is shown.
    pub epochs: u64,
    /// Tokens in a batch.
    pub batch_tokens: usize,
    /// Tokens in a review; longer ones are cut.
    pub sequence_tokens: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// The share of the steps with a rising learning rate.
    pub warmup: f64,
    /// The share of hidden states and attention weights that dropout sets to 0.
    pub dropout: f64,
    /// The seed of everything that is drawn: order, dropout, the new head's weights.
    pub seed: u64,
}

impl Default for FinetuneOptions {
    fn default() -> Self {
        Self {
            epochs: 4,
            batch_tokens: 1000,
            sequence_tokens: 64,
            learning_rate: 3e-4,
            warmup: 0.1,
            dropout: 0.1,
            seed: 42,
        }
    }
}

/// The configuration of the classifier that [`every_other_layer`] makes.
pub fn classifier_config(base: &Config, dropout: f64) -> Config {
    Config {
        architecture: Architecture::DistilBert,
        classes: vec!["DistilBertForSequenceClassification".to_owned()],
        num_hidden_layers: base.num_hidden_layers.div_ceil(2),
        type_vocab_size: 0,
        hidden_dropout: dropout,
        attention_dropout: dropout,
        classifier_dropout: dropout,
        id2label: LABELS.map(str::to_owned).to_vec(),
        ..base.clone()
    }
}

// ANCHOR: every_other_layer
/// BERT's weights as DistilBERT's, layers 0, 2, 4 and so on, as Sanh et al. (2019)
/// start theirs. The vector of sentence A goes into the positions': DistilBERT has no
/// token types, and reads single sentences.
///
/// # Errors
///
/// [`TrainingError::Setting`] if the embeddings are missing.
pub fn every_other_layer(weights: &Tensors) -> Result<Tensors> {
    let [positions, types] = ["position_embeddings", "token_type_embeddings"]
        .map(|table| weights.get(&format!("bert.embeddings.{table}.weight")));
    let (Some(positions), Some(types)) = (positions, types) else {
        return Err(PretrainingError::setting("weights", "not a BERT's", "a BERT's"));
    };
    let folded = positions.broadcast_add(&types.narrow(0, 0, 1)?)?; // + [1, d_model]
    let mut distilled = Tensors::new();
    for (name, tensor) in weights {
        if let Some(new) = distilbert_name(name) {
            distilled.insert(new, tensor.clone());
        }
    }
    distilled.insert("distilbert.embeddings.position_embeddings.weight".into(), folded);
    Ok(distilled)
}

/// What DistilBERT calls a tensor of BERT's; `None` if it doesn't have it.
fn distilbert_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("bert.")?;
    if let Some(part) = name.strip_prefix("embeddings.") {
        let kept = !part.starts_with("token_type");
        return kept.then(|| format!("distilbert.embeddings.{part}"));
    }
    let (layer, part) = name.strip_prefix("encoder.layer.")?.split_once('.')?;
    let layer: usize = layer.parse().ok()?;
    let (part, kind) = part.rsplit_once('.')?;
    let part = distilbert_part(part)?;
    layer
        .is_multiple_of(2)
        .then(|| format!("distilbert.transformer.layer.{}.{part}.{kind}", layer / 2))
}
// ANCHOR_END: every_other_layer

fn distilbert_part(part: &str) -> Option<&'static str> {
    let place = BERT.all().iter().position(|name| *name == part)?;
    Some(DISTILBERT.all()[place])
}

/// Trains a classifier that starts with `start`'s encoder and a new head; returns its
/// weights. `observe` is told of each step, of how many, and its loss.
///
/// # Errors
///
/// [`TrainingError::Setting`] if there is no review; [`TrainingError::Diverged`].
pub fn finetune(
    config: &Config,
    start: &Tensors,
    tokenizer: &Tokenizer,
    reviews: &[Review],
    options: FinetuneOptions,
    observe: &mut dyn FnMut(u64, u64, f64),
) -> Result<Tensors> {
    if reviews.is_empty() {
        return Err(PretrainingError::setting("reviews", "none", "at least one"));
    }
    let FinetuneOptions { epochs, batch_tokens, learning_rate, seed, .. } = options;
    let texts = reviews.iter().map(|review| review.text.as_str());
    let sequences = singles(tokenizer, texts, options.sequence_tokens)?;
    let (parameters, classifier) = complete(start, seed, |vb| {
        DistilBertForSequenceClassification::load(&vb, config)
    })?;
    let optimizer = AdamW::new(&parameters, AdamWOptions::default())?;
    let mut trainer = Trainer { parameters, optimizer, clip: 1.0 };
    let cut = |epoch| cut_batches(&sequences, batch_tokens, seed, epoch);
    let total = (0..epochs).map(|epoch| cut(epoch).len() as u64).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let warmup = (total as f64 * options.warmup) as u64;
    let decay = Decay::Linear;
    let schedule = Schedule { peak: learning_rate, warmup, total, decay };
    let mut step = 0;
    for batch in (0..epochs).flat_map(cut) {
        let rows: Vec<&Sequence> = batch.iter().map(|&i| &sequences[i]).collect();
        let labels = batch.iter().map(|&i| u32::from(reviews[i].positive));
        let labels: Vec<u32> = labels.collect(); // [batch]
        let noise = generator(seed, Purpose::Dropout, step).next_u64();
        let loss = classifier_loss(&classifier, &padded(&rows)?, &labels, Some(noise))?;
        let backward = |loss: &Tensor| Ok(gradients::backward(loss)?);
        let found = trainer.step(&loss, backward, schedule.rate(step))?;
        step += 1;
        if !found.is_finite() {
            return Err(TrainingError::Diverged { step, loss: found }.into());
        }
        observe(step, total, found);
    }
    Ok(trainer.parameters.tensors()?)
}

/// The probability, 0 to 1, that a classifier gives to each text being positive.
///
/// # Errors
///
/// If the configuration and the weights don't fit.
pub fn positive_probability(
    config: &Config,
    weights: &Tensors,
    tokenizer: &Tokenizer,
    texts: &[&str],
    limit: usize,
) -> Result<Vec<f64>> {
    let classifier =
        model(weights, |vb| DistilBertForSequenceClassification::load(&vb, config))?;
    let sequences = singles(tokenizer, texts.iter().copied(), limit)?;
    let mut scores = Vec::new();
    for rows in sequences.chunks(32) {
        let batch = padded(&rows.iter().collect::<Vec<_>>())?;
        let logits = classifier.forward(&batch, ForwardOptions::default())?.logits; // [batch, 2]
        let positive = softmax(&logits)?.narrow(D::Minus1, 1, 1)?.flatten_all()?;
        scores.extend(positive.to_vec1::<f32>()?.into_iter().map(f64::from));
    }
    Ok(scores)
}

/// For each review, whether a classifier gets it right.
pub fn right_answers(
    config: &Config,
    weights: &Tensors,
    tokenizer: &Tokenizer,
    reviews: &[Review],
    limit: usize,
) -> Result<Vec<bool>> {
    let texts: Vec<&str> = reviews.iter().map(|review| review.text.as_str()).collect();
    let scores = positive_probability(config, weights, tokenizer, &texts, limit)?;
    let right = scores.iter().zip(reviews);
    Ok(right.map(|(score, review)| (*score > 0.5) == review.positive).collect())
}

/// The share of the answers that are right, 0 to 1.
pub fn share_right(right: &[bool]) -> f64 {
    right.iter().filter(|&&right| right).count() as f64 / right.len().max(1) as f64
}

/// How two classifiers' answers to the same reviews go together: a count for each of the
/// four ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Agreement {
    /// Reviews that both get right.
    pub both: usize,
    /// Reviews that only the fine-tuned classifier gets right.
    pub only_classifier: usize,
    /// Reviews that only naive Bayes gets right.
    pub only_naive_bayes: usize,
    /// Reviews that neither gets right.
    pub neither: usize,
}

impl Agreement {
    /// Counts the reviews, given what each classifier got right.
    pub fn of(classifier: &[bool], naive_bayes: &[bool]) -> Self {
        let mut found = Self::default();
        for pair in classifier.iter().zip(naive_bayes) {
            *match pair {
                (true, true) => &mut found.both,
                (true, false) => &mut found.only_classifier,
                (false, true) => &mut found.only_naive_bayes,
                (false, false) => &mut found.neither,
            } += 1;
        }
        found
    }
}

/// What came of a fine-tuning, measured with the weights as they are shipped, in f16.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finetuned {
    /// How it was trained.
    pub options: FinetuneOptions,
    /// The share of held-out reviews that the classifier gets right.
    pub held_out: f64,
    /// The share that naive Bayes gets right, which knows words and no order.
    pub naive_bayes: f64,
    /// The same two, review by review.
    pub agreement: Agreement,
    /// The share of the training's reviews that the classifier gets right.
    pub train: f64,
    /// Sentences that are in no corpus, and the probability it gives to their being
    /// positive.
    #[serde(rename = "praise")]
    pub positive_probability: Vec<(String, f64)>,
}

/// The two sentences of chapter 4.
const TEXTS: [&str; 2] = [
    "I love this new movie, it's fantastic!",
    "The service was terrible from start to finish.",
];

/// Measures a classifier on the reviews that it learned from and on those held out, and
/// beside it naive Bayes, which learns from the same.
///
/// # Errors
///
/// If the configuration and the weights don't fit.
pub fn measure(
    config: &Config,
    weights: &Tensors,
    tokenizer: &Tokenizer,
    reviews: &Split<Review>,
    options: FinetuneOptions,
) -> Result<Finetuned> {
    let limit = options.sequence_tokens;
    let answers = |reviews| right_answers(config, weights, tokenizer, reviews, limit);
    let classifier = answers(&reviews.held_out)?;
    let naive_bayes =
        NaiveBayes::train(&reviews.train).right_answers(&reviews.held_out);
    let positive = positive_probability(config, weights, tokenizer, &TEXTS, limit)?;
    Ok(Finetuned {
        options,
        held_out: share_right(&classifier),
        naive_bayes: share_right(&naive_bayes),
        agreement: Agreement::of(&classifier, &naive_bayes),
        train: share_right(&answers(&reviews.train)?),
        positive_probability: TEXTS
            .map(str::to_owned)
            .into_iter()
            .zip(positive)
            .collect(),
    })
}

/// The weights as a file has them, in f16, and again in f32.
pub fn as_stored(weights: &Tensors) -> Result<Tensors> {
    let rounded = |(name, tensor): (&String, &Tensor)| {
        let tensor = tensor.to_dtype(DType::F16)?.to_dtype(DType::F32)?;
        Ok((name.clone(), tensor))
    };
    weights.iter().map(rounded).collect()
}

impl Finetuned {
    /// What came of the fine-tuning that made the shipped `bertinho-sentiment`.
    pub fn of_the_book() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../finetuned.json"))
    }

    /// What came of the same without the pre-training, from random weights: the line that
    /// `ch08-bertinho finetune --from-random` printed.
    pub fn from_random() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../finetuned-from-random.json"))
    }
}
