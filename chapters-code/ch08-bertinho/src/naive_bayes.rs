//! The bag of words that a classifier has to beat.

use std::collections::HashMap;

use crate::corpus::Review;

// ANCHOR: naive_bayes
/// Multinomial naive Bayes over lower-cased words (Manning et al. 2008, chapter 13):
/// each word votes with the logarithm of how much likelier it is in positive texts than
/// in negative ones.
#[derive(Debug, Clone, Default)]
pub struct NaiveBayes {
    /// Before any word is read.
    prior: f64,
    /// Each word's vote.
    votes: HashMap<String, f64>,
}

impl NaiveBayes {
    /// Counts words, each once more than it was seen.
    pub fn train(reviews: &[Review]) -> Self {
        let mut counts: HashMap<String, [f64; 2]> = HashMap::new();
        let mut texts = [1.0, 1.0];
        for review in reviews {
            let class = usize::from(review.positive);
            texts[class] += 1.0;
            for word in words(&review.text) {
                counts.entry(word).or_insert([1.0, 1.0])[class] += 1.0;
            }
        }
        let total =
            |class: usize| counts.values().map(|count| count[class]).sum::<f64>();
        let shift = (total(1) / total(0)).ln();
        let vote = |count: [f64; 2]| (count[1] / count[0]).ln() - shift;
        let prior = f64::ln(texts[1] / texts[0]);
        Self {
            prior: if prior.is_finite() { prior } else { 0.0 },
            votes: counts
                .into_iter()
                .map(|(word, count)| (word, vote(count)))
                .collect(),
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}
// ANCHOR_END: naive_bayes

// ANCHOR: votes
impl NaiveBayes {
    /// Whether a text is positive.
    pub fn is_positive(&self, text: &str) -> bool {
        let votes = words(text).filter_map(|word| self.votes.get(&word));
        self.prior + votes.sum::<f64>() > 0.0
    }

    /// For each review, whether it gets it right.
    pub fn right_answers(&self, reviews: &[Review]) -> Vec<bool> {
        let right = |review: &Review| self.is_positive(&review.text) == review.positive;
        reviews.iter().map(right).collect()
    }
}
// ANCHOR_END: votes
