//! Attention, shared out among threads, beside a recurrence: `cargo bench -p
//! a1-attention-cost --bench parallel`.
//!
//! Each time is the shortest of many, since what else the machine does only adds to it. At
//! the end, a table, and the same in `target/a1-parallel.json`: what the book's page shows is
//! such a file.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use attention_cost::parallel::{Parallel, Times, attention_in_threads, recurrence};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::unit_variance;

mod machine;

const WIDTH: usize = 256;
const TOKENS: [usize; 5] = [64, 256, 512, 1024, 4096];

fn main() -> Result<(), Box<dyn Error>> {
    let threads = available_parallelism().map_or(1, NonZero::get);
    let mut random = NumpyRandom::seed(0);
    let u = unit_variance(&mut random, WIDTH, WIDTH) / (WIDTH as f64).sqrt();
    let words = unit_variance(&mut random, WIDTH, WIDTH); // [n, d]
    let one_by_one = shortest(|| {
        words.rows().into_iter().map(|word| u.dot(&word)).collect::<Vec<_>>()
    });
    let together = shortest(|| words.dot(&u.t()));
    let mut times = Vec::new();
    for tokens in TOKENS {
        let x = unit_variance(&mut random, tokens, WIDTH); // [n, d]
        let attention =
            |threads| shortest(|| attention_in_threads(&x, &x, &x, threads));
        times.push(Times {
            tokens,
            recurrence: shortest(|| recurrence(&x, &u)),
            one_thread: attention(1),
            all_threads: attention(threads),
        });
    }
    let machine = machine::machine();
    let found =
        Parallel { machine, threads, width: WIDTH, one_by_one, together, times };
    print(&found);
    let file = machine::target_directory()?.join("a1-parallel.json");
    fs::write(&file, serde_json::to_string_pretty(&found)? + "\n")?;
    println!("\nwritten to {}", file.display());
    Ok(())
}

/// The shortest of the times, in seconds, that `work` takes: at least 5, and as many as fit
/// in half a second.
fn shortest<T>(work: impl Fn() -> T) -> f64 {
    let begun = Instant::now();
    let mut shortest = f64::INFINITY;
    let mut runs = 0;
    while runs < 5 || begun.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        black_box(work());
        shortest = shortest.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    shortest
}

fn print(found: &Parallel) {
    println!("\n{}, {} threads\n", found.machine, found.threads);
    let [one_by_one, together] = [found.one_by_one, found.together].map(|s| s * 1e3);
    println!("one by one {one_by_one:.3} ms, together {together:.3} ms\n");
    println!("tokens   recurrence   one thread   all threads (ms)");
    for one in &found.times {
        let Times { tokens, recurrence, one_thread, all_threads } = *one;
        let [a, b, c] = [recurrence, one_thread, all_threads].map(|s| s * 1e3);
        println!("{tokens:6}   {a:10.3}   {b:10.3}   {c:11.3}");
    }
}
