//! Are the heads of a model different? How alike their maps are, over many sentences.

use hub::Truncate;
use ndarray::{Array2, ArrayRef1, ArrayRef2, Axis};
use self_attention::numpy::NumpyRandom;
use sentiment::Pretrained;

use crate::attentions::{Attentions, Result};

// ANCHOR: overlap
/// The share of attention that two rows give to the same places, `Σ min(a, b)`: 1 if they
/// are equal, 0 if they have no place in common.
pub fn overlap(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| a.min(b)).sum()
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
    /// Each head with itself in another sentence of the same length, `[heads]`.
    pub itself: Vec<f64>,
}

/// What is compared of a row of attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// What goes to words, made to add up to 1.
    Words,
}

/// The rows of a sentence's words, of all heads one below the other: for each word a
/// `[heads, n]`, or `[heads, n − 2]` without the special tokens.
fn rows(model: &Pretrained, sentence: &str, part: Part) -> Result<Vec<Array2<f64>>> {
    let found = Attentions::of(model, sentence, None, Truncate::Error)?;
    let n = found.tokens.len();
    let row = |i: usize| -> Array2<f64> {
        let layers = found.attentions.iter().flat_map(|layer| {
            let heads = layer.index_axis(Axis(0), 0); // [heads, n, n]
            let rows = heads.index_axis(Axis(1), i).mapv(f64::from); // [heads, n]
            rows.outer_iter().map(|row| row.to_vec()).collect::<Vec<_>>()
        });
        let all: Vec<Vec<f64>> = layers.collect();
        let shape = (all.len(), n);
        let rows = Array2::from_shape_fn(shape, |(head, j)| all[head][j]);
        match part {
            Part::Whole => rows,
            Part::Words => {
                let words = rows.select(Axis(1), &(1..n - 1).collect::<Vec<_>>());
                let sums = words.sum_axis(Axis(1)).insert_axis(Axis(1));
                words / sums
            }
        }
    };
    Ok((1..n - 1).map(row).collect())
}

/// Adds the overlap of each two rows of `a` and `b`, `[heads, places]` each.
fn add_overlaps(sums: &mut Array2<f64>, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) {
    for ((i, j), sum) in sums.indexed_iter_mut() {
        *sum += overlap(&a.row(i), &b.row(j));
    }
}

/// The columns of `rows` in another order; those of special tokens, first and last of a
/// whole row, stay.
fn shuffled(rows: &Array2<f64>, part: Part, random: &mut NumpyRandom) -> Array2<f64> {
    let n = rows.ncols();
    let words = if part == Part::Whole { 1..n - 1 } else { 0..n };
    let mut order: Vec<usize> = (0..n).collect();
    shuffle(&mut order[words], random);
    rows.select(Axis(1), &order)
}

/// Puts a list in a random order, each as likely (Fisher and Yates).
pub(crate) fn shuffle<T>(list: &mut [T], random: &mut NumpyRandom) {
    for i in (1..list.len()).rev() {
        list.swap(i, (random.next_f64() * (i + 1) as f64) as usize);
    }
}

impl Likeness {
    /// How alike a model's heads are over sentences, of which each length should occur
    /// twice at least: a sentence alone in its length is compared with itself.
    ///
    /// # Errors
    ///
    /// [`AttentionsError::Encoder`](crate::AttentionsError::Encoder) if a sentence is
    /// empty or too long.
    pub fn of(model: &Pretrained, sentences: &[&str], part: Part) -> Result<Self> {
        let count = model.config.num_hidden_layers * model.config.num_attention_heads;
        let mut random = NumpyRandom::seed(42);
        let mut all: Vec<Vec<Array2<f64>>> = Vec::new();
        for sentence in sentences {
            all.push(rows(model, sentence, part)?);
        }
        all.sort_by_key(Vec::len); // stable: sentences of one length stay in order
        let (mut heads, mut control) =
            (Array2::zeros((count, count)), Array2::zeros((count, count)));
        let (mut itself, mut looks) = (vec![0.0; count], 0.0);
        for group in all.chunk_by(|a, b| a.len() == b.len()) {
            for (s, rows) in group.iter().enumerate() {
                let other = &group[(s + 1) % group.len()];
                for (row, elsewhere) in rows.iter().zip(other) {
                    looks += 1.0;
                    add_overlaps(&mut heads, row, row);
                    add_overlaps(&mut control, row, &shuffled(row, part, &mut random));
                    for (head, sum) in itself.iter_mut().enumerate() {
                        *sum += overlap(&row.row(head), &elsewhere.row(head));
                    }
                }
            }
        }
        itself.iter_mut().for_each(|sum| *sum /= looks);
        Ok(Self { heads: heads / looks, shuffled: control / looks, itself })
    }

    /// The mean of a matrix over each two *different* heads.
    pub fn mean(of: &Array2<f64>) -> f64 {
        let n = of.nrows() as f64;
        (of.sum() - of.diag().sum()) / (n * (n - 1.0))
    }

    /// How alike each head is to the other head that it is most alike to: `[heads]`.
    pub fn nearest(&self) -> Vec<f64> {
        let nearest = |(i, row): (usize, ndarray::ArrayView1<f64>)| {
            let others = row.iter().enumerate().filter(|&(j, _)| j != i);
            others.map(|(_, &likeness)| likeness).fold(0.0, f64::max)
        };
        self.heads.outer_iter().enumerate().map(nearest).collect()
    }

    // ANCHOR: groups
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
    // ANCHOR_END: groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn an_overlap_is_what_two_rows_share() {
        let (a, b) = (array![0.5, 0.5, 0.0], array![0.25, 0.0, 0.75]);
        assert!((overlap(&a, &b) - 0.25).abs() < 1e-12);
        assert!((overlap(&a, &a) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn heads_that_are_alike_are_one_group() {
        let heads = array![[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]];
        let found = Likeness { shuffled: heads.clone(), heads, itself: vec![1.0; 3] };
        assert_eq!([0.95, 0.8, 0.3, 0.1].map(|t| found.groups(t)), [3, 2, 2, 1]);
        assert_eq!(found.nearest(), [0.9, 0.9, 0.4]);
        assert!((Likeness::mean(&found.heads) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_shuffle_keeps_special_tokens_in_place() {
        let rows = array![[9.0, 1.0, 2.0, 3.0, 8.0]];
        let mut random = NumpyRandom::seed(1);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let found = shuffled(&rows, Part::Whole, &mut random);
            assert_eq!((found[[0, 0]], found[[0, 4]]), (9.0, 8.0));
            assert!((found.sum() - 23.0).abs() < 1e-12);
            seen.insert(format!("{found}"));
        }
        assert_eq!(seen.len(), 6);
        let words = shuffled(&array![[1.0, 2.0]], Part::Words, &mut random);
        assert!((words.sum() - 3.0).abs() < 1e-12);
    }
}
