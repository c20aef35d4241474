//! Are the heads of a model different? How alike their maps are, over many sentences.

use ndarray::{Array2, s};
use self_attention::numpy::NumpyRandom;

use crate::attentions::Attentions;

// ANCHOR: overlap
/// The share of attention that two rows give to the same places, `Σ min(a, b)`: 1 if
/// they are equal, 0 if they have no place in common.
pub fn overlap(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| if a < b { a } else { b }).sum()
}
// ANCHOR_END: overlap

/// How alike the heads of a model are: means over the rows of all words of the sentences.
/// Heads are numbered through the layers, head `h` of layer `l` is `l · heads + h`.
#[derive(Debug, Clone, PartialEq)]
pub struct Likeness {
    /// Each two heads in the same sentence, `[heads, heads]`.
    pub heads: Array2<f64>,
    /// The control: the same, with the words of the second head's row in another order.
    pub shuffled: Array2<f64>,
    /// Each head with each in another sentence of the same length, itself among them,
    /// `[heads, heads]`.
    pub elsewhere: Array2<f64>,
}

/// What is compared of a row of attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// What goes to words, made to add up to 1.
    Words,
}

/// The row of one word in every head, head after head: `[heads][places]`.
type Rows = Vec<Vec<f64>>;

/// The rows of a sentence's words.
fn rows(found: &Attentions, part: Part) -> Vec<Rows> {
    let n = found.tokens.len();
    let row = |i: usize| -> Rows {
        let heads = found.attentions.iter().flat_map(|layer| {
            let rows = layer.slice(s![0, .., i, ..]); // [heads, n]
            rows.mapv(f64::from)
                .rows()
                .into_iter()
                .map(|row| row.to_vec())
                .collect::<Rows>()
        });
        heads.map(|row| part.of(row)).collect()
    };
    (1..n - 1).map(row).collect()
}

impl Part {
    /// This part of a row, `[n]` or `[n − 2]`.
    fn of(self, row: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Whole => row,
            Self::Words => {
                let words = &row[1..row.len() - 1];
                let sum: f64 = words.iter().sum();
                words.iter().map(|weight| weight / sum).collect()
            }
        }
    }

    /// The words' places in another order, for rows of `places`; special tokens, the
    /// first and the last of a whole row, stay.
    fn shuffled(self, places: usize, random: &mut NumpyRandom) -> Vec<usize> {
        let words = if self == Self::Whole { 1..places - 1 } else { 0..places };
        let mut order: Vec<usize> = (0..places).collect();
        shuffle(&mut order[words], random);
        order
    }
}

/// Adds the overlaps of each of `a`'s rows with each of `b`'s.
fn add_overlaps(sums: &mut Array2<f64>, a: &Rows, b: &Rows) {
    for (mut sums, row) in sums.rows_mut().into_iter().zip(a) {
        for (sum, other) in sums.iter_mut().zip(b) {
            *sum += overlap(row, other);
        }
    }
}

/// Puts a list in a random order, each as likely (Fisher and Yates).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 ≤ x < i + 1
pub(crate) fn shuffle<T>(list: &mut [T], random: &mut NumpyRandom) {
    for i in (1..list.len()).rev() {
        list.swap(i, (random.next_f64() * (i + 1) as f64) as usize);
    }
}

impl Likeness {
    /// How alike a model's heads are over sentences, of which each length should occur
    /// twice at least: a sentence alone in its length is compared with itself.
    pub fn of(sentences: &[Attentions], part: Part) -> Self {
        let heads =
            |one: &Attentions| one.attentions.iter().map(|layer| layer.dim().1).sum();
        let count = sentences.first().map_or(0, heads);
        let mut random = NumpyRandom::seed(42);
        let mut all: Vec<_> = sentences.iter().map(|one| rows(one, part)).collect();
        all.sort_by_key(Vec::len); // stable: sentences of one length stay in order
        let none = || Array2::zeros((count, count));
        let (mut heads, mut shuffled, mut elsewhere) = (none(), none(), none());
        let mut looks = 0.0;
        for group in all.chunk_by(|a, b| a.len() == b.len()) {
            for (i, sentence) in group.iter().enumerate() {
                let other = &group[(i + 1) % group.len()];
                for (rows, others) in sentence.iter().zip(other) {
                    looks += 1.0;
                    add_overlaps(&mut heads, rows, rows);
                    let order = part.shuffled(rows[0].len(), &mut random);
                    let moved =
                        |row: &Vec<f64>| order.iter().map(|&j| row[j]).collect();
                    let moved: Rows = rows.iter().map(moved).collect();
                    add_overlaps(&mut shuffled, rows, &moved);
                    add_overlaps(&mut elsewhere, rows, others);
                }
            }
        }
        let mean = |sums: Array2<f64>| sums / looks;
        Self {
            heads: mean(heads),
            shuffled: mean(shuffled),
            elsewhere: mean(elsewhere),
        }
    }

    /// The mean of a matrix over each two *different* heads.
    pub fn mean(of: &Array2<f64>) -> f64 {
        let n = of.nrows() as f64;
        (of.sum() - of.diag().sum()) / (n * (n - 1.0))
    }

    /// The *other* head that each head is most alike to, and how alike they are: `[heads]`.
    pub fn nearest(of: &Array2<f64>) -> Vec<(usize, f64)> {
        let nearest = |(i, row): (usize, ndarray::ArrayView1<f64>)| {
            let others = row.iter().copied().enumerate().filter(|&(j, _)| j != i);
            others.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or((i, 0.0))
        };
        of.outer_iter().enumerate().map(nearest).collect()
    }

    /// How many groups there are, if a head joins the first group whose first head it is
    /// alike to by `least`, and otherwise begins one.
    pub fn groups(&self, least: f64) -> usize {
        let mut firsts: Vec<usize> = Vec::new();
        for head in 0..self.heads.nrows() {
            if !firsts.iter().any(|&first| self.heads[[head, first]] >= least) {
                firsts.push(head);
            }
        }
        firsts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn an_overlap_is_what_two_rows_share() {
        let (a, b) = ([0.5, 0.5, 0.0], [0.25, 0.0, 0.75]);
        assert!((overlap(&a, &b) - 0.25).abs() < 1e-12);
        assert!((overlap(&a, &a) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn heads_that_are_alike_are_one_group() {
        let heads = array![[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]];
        let [shuffled, elsewhere] = [heads.clone(), heads.clone()];
        let found = Likeness { heads, shuffled, elsewhere };
        assert_eq!([0.95, 0.8, 0.3, 0.1].map(|t| found.groups(t)), [3, 2, 2, 1]);
        assert_eq!(Likeness::nearest(&found.heads), [(1, 0.9), (0, 0.9), (1, 0.4)]);
        assert!((Likeness::mean(&found.heads) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_shuffle_keeps_special_tokens_in_place() {
        let mut random = NumpyRandom::seed(1);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let order = Part::Whole.shuffled(5, &mut random);
            assert_eq!((order[0], order[4]), (0, 4));
            seen.insert(order);
        }
        assert_eq!(seen.len(), 6); // all orders of three words
        let mut words = Part::Words.shuffled(3, &mut random);
        words.sort_unstable();
        assert_eq!(words, [0, 1, 2]);
        assert_eq!(Part::Words.of(vec![0.25, 0.125, 0.375, 0.25]), [0.25, 0.75]);
    }
}
