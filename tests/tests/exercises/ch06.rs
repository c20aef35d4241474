//! Wrong answers to chapter 6's exercises.

use ndarray::{Array2, Array3, Axis, s};

use super::assert_caught;
use super::checks::ch06 as check;

#[test]
fn ch06_1_wrong_count_params() {
    let right = |v: usize, p: usize, d: usize| (v + p) * d + 11 * d * d + 8 * d + 2 * d;
    assert_caught("biases in all five", || {
        check::count_params(|v, p, d| right(v, p, d) - 8 * d);
    });
    assert_caught("both gamma and beta", || {
        check::count_params(|v, p, d| right(v, p, d) - d);
    });
    assert_caught("not the notes'", || check::count_params(|_, _, _| 6_518_784));
}

type Axes = Vec<Option<usize>>;

fn shape(a: &[Option<usize>], b: &[Option<usize>]) -> Result<Axes, String> {
    match (a, b) {
        ([others @ .., n, d], [rest @ .., d_b, m]) if d == d_b && others == rest => {
            Ok(others.iter().chain([n, m]).copied().collect())
        }
        _ => Err(format!("{a:?} {b:?}")),
    }
}

#[test]
fn ch06_2_wrong_matmul_shape() {
    assert_caught("is […, n, m]", || {
        check::matmul_shape(|a, b| {
            shape(a, b).map(|mut s| {
                s.swap(1, 2);
                s
            })
        });
    });
    assert_caught("however many they are", || {
        check::matmul_shape(|a, b| match (a, b) {
            ([batch, n, d], [_, d_b, m]) if d == d_b => Ok(vec![*batch, *n, *m]),
            _ => Err(format!("{a:?} {b:?}")),
        });
    });
    assert_caught("was the transposition forgotten", || {
        check::matmul_shape(|a, b| match (a, b) {
            ([others @ .., n, _], [.., m]) => {
                Ok(others.iter().chain([n, m]).copied().collect())
            }
            _ => Err(format!("{a:?} {b:?}")),
        });
    });
    assert_caught("the other axes must be equal", || {
        check::matmul_shape(|a, b| match (a, b) {
            ([others @ .., n, d], [.., d_b, m]) if d == d_b && a.len() == b.len() => {
                Ok(others.iter().chain([n, m]).copied().collect())
            }
            _ => Err(format!("{a:?} {b:?}")),
        });
    });
    assert_caught("the message must have", || {
        check::matmul_shape(|a, b| shape(a, b).map_err(|_| "wrong shapes".into()));
    });
}

fn attention(
    x: &[Option<usize>],
    memory: &[Option<usize>],
    heads: usize,
    units: usize,
) -> Result<[Axes; 2], String> {
    match (x, memory) {
        (&[batch, n, _], &[other, m, _])
            if batch == other && heads > 0 && units.is_multiple_of(heads) =>
        {
            Ok([vec![batch, Some(heads), n, m], vec![batch, n, Some(units)]])
        }
        _ => Err(format!("{x:?} {memory:?}")),
    }
}

#[test]
fn ch06_3_wrong_attention_shape() {
    check::attention_shape(attention);
    // n and m exchanged, in the map or in the output.
    assert_caught("[batch, heads, n, m]", || {
        check::attention_shape(|x, memory, heads, units| {
            attention(memory, x, heads, units)
        });
    });
    assert_caught("gets `units` numbers", || {
        check::attention_shape(|x, memory, heads, units| {
            let [weights, mut output] = attention(x, memory, heads, units)?;
            output[2] = x[2];
            Ok([weights, output])
        });
    });
    assert_caught("nor a head's part of them", || {
        check::attention_shape(|x, memory, heads, units| {
            let [weights, mut output] = attention(x, memory, heads, units)?;
            output[2] = Some(units / heads);
            Ok([weights, output])
        });
    });
    // The same width asked of both, as in self-attention.
    assert_caught("fit", || {
        check::attention_shape(|x, memory, heads, units| {
            if x.last() == memory.last() {
                attention(x, memory, heads, units)
            } else {
                Err(format!("{x:?} {memory:?}"))
            }
        });
    });
    // No axis of heads where there is one.
    assert_caught("one head has a map, too", || {
        check::attention_shape(|x, memory, heads, units| {
            let [mut weights, output] = attention(x, memory, heads, units)?;
            if heads == 1 {
                weights.remove(1);
            }
            Ok([weights, output])
        });
    });
    assert_caught("can't be shared among 5", || {
        check::attention_shape(|x, memory, heads, units| match (x, memory) {
            (&[batch, n, _], &[other, m, _]) if batch == other => {
                Ok([vec![batch, Some(heads), n, m], vec![batch, n, Some(units)]])
            }
            _ => Err(format!("{x:?} {memory:?}")),
        });
    });
    assert_caught("isn't a batch of 4", || {
        check::attention_shape(|x, memory, heads, units| match (x, memory) {
            (&[batch, n, _], &[_, m, _]) if heads > 0 && units % heads == 0 => {
                Ok([vec![batch, Some(heads), n, m], vec![batch, n, Some(units)]])
            }
            _ => Err(format!("{x:?} {memory:?}")),
        });
    });
    assert_caught("the message must have", || {
        check::attention_shape(|x, memory, heads, units| {
            attention(x, memory, heads, units).map_err(|_| "wrong".into())
        });
    });
}

/// The last axis along which `whole` says that the sums are right.
fn axis(weights: &Array3<f64>, whole: impl Fn(f64) -> bool) -> Option<usize> {
    (0..3)
        .rev()
        .find(|&axis| weights.sum_axis(Axis(axis)).iter().all(|&sum| whole(sum)))
}

fn near(sum: f64) -> bool {
    (sum - 1.0).abs() < 1e-9
}

#[test]
fn ch06_4_wrong_softmax_axis() {
    check::softmax_axis(|weights| axis(weights, near));
    assert_caught("over those that look", || check::softmax_axis(|_| Some(2)));
    assert_caught("along the last axis", || {
        check::softmax_axis(|weights| axis(weights, near).map(|axis| 2 - axis));
    });
    assert_caught("different sequences", || {
        check::softmax_axis(|weights| axis(weights, near).filter(|&axis| axis > 0));
    });
    // The first row alone; the mean of all sums.
    assert_caught("*every* sum", || {
        check::softmax_axis(|weights| {
            (0..3).rev().find(|&axis| {
                weights.sum_axis(Axis(axis)).first().is_some_and(|&sum| near(sum))
            })
        });
    });
    // Whatever the rows add up to, as long as it is the same.
    assert_caught("are no softmax", || {
        check::softmax_axis(|weights| {
            (0..3).rev().find(|&axis| {
                let sums = weights.sum_axis(Axis(axis));
                sums.iter().all(|&sum| (sum - sums[[0, 0]]).abs() < 1e-9)
            })
        });
    });
    assert_caught("the last axis counts", || {
        check::softmax_axis(|weights| {
            (0..3)
                .find(|&axis| weights.sum_axis(Axis(axis)).iter().all(|&sum| near(sum)))
        });
    });
    #[allow(clippy::float_cmp)]
    let exact = |sum: f64| sum == 1.0;
    assert_caught("", || check::softmax_axis(|weights| axis(weights, exact)));
}

fn grouped(dim: usize, heads: usize, groups: usize, n: usize) -> (usize, usize) {
    let shared = groups * dim / heads;
    let products = 2 * dim * dim + 2 * dim * shared;
    (products + 2 * dim + 2 * shared, n * products + 2 * n * n * dim)
}

#[test]
fn ch06_5_wrong_grouped_attention() {
    check::grouped_attention(grouped);
    assert_caught("four layers", || {
        check::grouped_attention(|dim, heads, groups, n| {
            let (parameters, products) = grouped(dim, heads, groups, n);
            (parameters - dim * dim - dim, products) // no output layer
        });
    });
    assert_caught("each with its bias", || {
        check::grouped_attention(|dim, heads, groups, n| {
            let (_, products) = grouped(dim, heads, groups, n);
            (2 * dim * dim + 2 * dim * groups * dim / heads, products)
        });
    });
    // Groups forgotten, or queries grouped, too.
    assert_caught("with 3 groups", || {
        check::grouped_attention(|dim, heads, _, n| grouped(dim, heads, heads, n));
    });
    assert_caught("queries and output are as before", || {
        check::grouped_attention(|dim, heads, groups, n| {
            let shared = groups * dim / heads;
            (
                3 * (dim * shared + shared) + shared * dim + dim,
                grouped(dim, heads, groups, n).1,
            )
        });
    });
    // Biases counted as products; the values' product forgotten; a map per group.
    assert_caught("5 tokens in four layers", || {
        check::grouped_attention(|dim, heads, groups, n| {
            let (parameters, _) = grouped(dim, heads, groups, n);
            (parameters, n * parameters + 2 * n * n * dim)
        });
    });
    assert_caught("weights times the values", || {
        check::grouped_attention(|dim, heads, groups, n| {
            let (parameters, products) = grouped(dim, heads, groups, n);
            (parameters, products - n * n * dim)
        });
    });
    assert_caught("a map of its own", || {
        check::grouped_attention(|dim, heads, groups, n| {
            let (parameters, products) = grouped(dim, heads, groups, n);
            (parameters, products - 2 * n * n * (dim - groups * dim / heads))
        });
    });
}

/// One-hot numbers and positions, in columns of their own, and the kernels that pair them.
fn pointer(scale: f64, shift: usize) -> [Array2<f64>; 4] {
    let (mut tokens, mut positions) =
        (Array2::zeros((20, 20)), Array2::zeros((10, 20)));
    let (mut query, mut key) = (Array2::zeros((20, 10)), Array2::zeros((20, 10)));
    for i in 0..10 {
        tokens[[i, i]] = 1.0;
        positions[[i, 10 + i]] = 1.0;
        query[[i, i]] = scale;
        key[[10 + i, (i + shift) % 10]] = 1.0;
    }
    [tokens, positions, query, key]
}

#[test]
fn ch06_6_wrong_pointer_by_hand() {
    check::pointer_by_hand(|| pointer(40.0, 0));
    assert_caught("0.99 is asked", || check::pointer_by_hand(|| pointer(1.0, 0)));
    assert_caught("0.99 is asked", || check::pointer_by_hand(|| pointer(20.0, 0)));
    assert_caught("it should be 1", || check::pointer_by_hand(|| pointer(40.0, 1)));
    assert_caught("it should be", || check::pointer_by_hand(|| pointer(-40.0, 0)));
    // Numbers and positions in the same columns: position 0 and the letters meddle.
    assert_caught("it should be", || {
        check::pointer_by_hand(|| {
            let [tokens, positions, query, key] = pointer(40.0, 0);
            let positions = positions.slice(s![.., 10..]).to_owned();
            let (tokens, query) = (tokens.slice(s![.., ..10]).to_owned(), query);
            let query = query.slice(s![..10, ..]).to_owned();
            let key = key.slice(s![10.., ..]).to_owned();
            [tokens, positions, query, key]
        });
    });
    // Letters that stand for places.
    assert_caught("it should be", || {
        check::pointer_by_hand(|| {
            let [mut tokens, positions, query, key] = pointer(40.0, 0);
            for i in 0..10 {
                tokens[[10 + i, 10 + i]] = 2.0;
            }
            [tokens, positions, query, key]
        });
    });
    assert_caught("`width`", || {
        check::pointer_by_hand(|| {
            let [tokens, positions, query, key] = pointer(40.0, 0);
            [tokens, positions.slice(s![.., 10..]).to_owned(), query, key]
        });
    });
}
