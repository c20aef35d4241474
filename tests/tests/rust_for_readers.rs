//! The code of `src/rust.md`. Each listing of the page is compiled and run here, and prints what the
//! page says that it prints.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;

use book_tests::root;
use ndarray::{Array, Array2, ArrayView1, Axis, Dimension, array, s};

thread_local! {
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what a listing prints.
macro_rules! println {
    ($($part:tt)*) => {
        PRINTED.with_borrow_mut(|printed| {
            writeln!(printed, $($part)*).expect("a string takes all");
        })
    };
}

// ANCHOR: function
fn mean(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    sum / values.len() as f64
}
// ANCHOR_END: function

// ANCHOR: borrow
fn double(row: &mut [f64]) {
    for value in row {
        *value *= 2.0;
    }
}
// ANCHOR_END: borrow

// ANCHOR: result
fn width(text: &str) -> Result<usize, String> {
    let number: usize =
        text.parse().map_err(|_| format!("width {text}: expected a whole number"))?;
    if number == 0 {
        return Err("width 0: expected 1 or more".to_owned());
    }
    Ok(number)
}
// ANCHOR_END: result

// ANCHOR: trait
trait Layer {
    fn forward(&self, x: &Array2<f64>) -> Array2<f64>;
}

struct Scale {
    factor: f64,
}

impl Layer for Scale {
    fn forward(&self, x: &Array2<f64>) -> Array2<f64> {
        x * self.factor
    }
}

fn twice(layer: &impl Layer, x: &Array2<f64>) -> Array2<f64> {
    layer.forward(&layer.forward(x))
}
// ANCHOR_END: trait

// ANCHOR: generic
fn largest<D: Dimension>(x: &Array<f64, D>) -> f64 {
    x.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
// ANCHOR_END: generic

fn calls() {
    // ANCHOR: calls
    let values = vec![1.0, 2.0, 6.0];
    let average = mean(&values);
    println!("{average} of {}", values.len());
    // ANCHOR_END: calls
}

fn moves() {
    // ANCHOR: moves
    let a = vec![1.0, 2.0];
    let b = a; // the list has a new owner: `a` can't be used any more
    let mut c = b.clone(); // a copy of its own
    double(&mut c); // lent, to be changed
    println!("{b:?} {c:?}");
    // ANCHOR_END: moves
}

fn results() {
    // ANCHOR: results
    for text in ["3", "0", "três"] {
        match width(text) {
            Ok(number) => println!("{number} columns"),
            Err(problem) => println!("error: {problem}"),
        }
    }
    // ANCHOR_END: results
}

fn options() {
    // ANCHOR: options
    let words = ["pense", "sobre", "máquinas"];
    let place = words.iter().position(|word| *word == "sobre");
    if let Some(row) = place {
        println!("row {row}");
    }
    println!("{:?}", words.iter().position(|word| *word == "gato"));
    // ANCHOR_END: options
}

fn iterators() {
    // ANCHOR: iterators
    let scores = [2.0, -1.0, 0.5];
    let factor = 10.0;
    let scaled = |score: &f64| factor * score;
    let positive: Vec<f64> =
        scores.iter().filter(|score| **score > 0.0).map(scaled).collect();
    println!("{positive:?}");
    for (row, score) in scores.iter().enumerate() {
        println!("{row}: {score}");
    }
    // ANCHOR_END: iterators
}

fn layers() {
    // ANCHOR: layers
    let x = array![[1.0, 2.0], [3.0, 4.0]];
    let y = twice(&Scale { factor: 0.5 }, &x);
    println!("{y}");
    println!("{}", largest(&y));
    // ANCHOR_END: layers
}

fn printed() {
    // ANCHOR: printed
    let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    println!("{x}");
    println!("{:.2}", &x / 3.0);
    println!("{:?}", x.dim());
    println!("{x:?}");
    // ANCHOR_END: printed
}

fn views() {
    // ANCHOR: views
    let mut x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let row: ArrayView1<f64> = x.row(1);
    println!("{row} {}", x.column(0));
    println!("{}", x.slice(s![.., 1..]));
    x.row_mut(0).fill(0.0);
    println!("{}", x.t());
    // ANCHOR_END: views
}

fn axes() {
    // ANCHOR: axes
    let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    println!("{}", x.sum_axis(Axis(0)));
    println!("{}", x.sum_axis(Axis(1)));
    for row in x.rows() {
        println!("{}", row.sum());
    }
    // ANCHOR_END: axes
}

/// Each listing that prints, with what runs it.
const LISTINGS: [(&str, fn()); 9] = [
    ("calls", calls),
    ("moves", moves),
    ("results", results),
    ("options", options),
    ("iterators", iterators),
    ("layers", layers),
    ("printed", printed),
    ("views", views),
    ("axes", axes),
];

#[test]
fn each_listing_prints_what_the_page_says() -> Result<(), Box<dyn Error>> {
    let page = fs::read_to_string(root().join("src/rust.md"))?.replace("\r\n", "\n");
    for (name, listing) in LISTINGS {
        listing();
        let printed = PRINTED.take();
        let code =
            format!("{{{{#include ../tests/tests/rust_for_readers.rs:{name}}}}}");
        let shown = format!("{code}\n```\n\n```text\n{printed}```\n");
        assert!(page.contains(&shown), "{name} prints\n{printed}");
    }
    Ok(())
}
