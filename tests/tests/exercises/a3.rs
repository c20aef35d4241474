//! Wrong answers to appendix 3's exercises.

use super::assert_caught;
use super::checks::a3 as check;

#[test]
fn a3_1_wrong_panels() {
    // The weight as it is.
    assert_caught("the first value of each of its outputs", || {
        check::pack(|weight, _, _| weight.to_vec());
    });
    // Turned as a whole, [k][outputs]: right while there is one panel.
    assert_caught("a panel comes after the other", || {
        check::pack(|weight, k, _| {
            let outputs = weight.len() / k;
            (0..k * outputs).map(|i| weight[i % outputs * k + i / outputs]).collect()
        });
    });
    // The last panel is narrower.
    assert_caught("as wide as the others", || {
        check::pack(|weight, k, width| {
            let mut panels = Vec::new();
            for rows in weight.chunks(k * width) {
                for t in 0..k {
                    panels.extend(rows.chunks(k).map(|row| row[t]));
                }
            }
            panels
        });
    });
    // It repeats its last output.
    assert_caught("0 where there is no output", || {
        check::pack(|weight, k, width| {
            let last = weight.len() / k - 1;
            let mut panels = Vec::new();
            for first in (0..=last).step_by(width) {
                for t in 0..k {
                    let output = |column: usize| (first + column).min(last);
                    panels.extend(
                        (0..width).map(|column| weight[output(column) * k + t]),
                    );
                }
            }
            panels
        });
    });
    // No panel for what is left.
    assert_caught("as wide as the others", || {
        check::pack(|weight, k, width| {
            let mut panels = Vec::new();
            for rows in weight.chunks_exact(k * width) {
                for t in 0..k {
                    panels.extend(rows.chunks(k).map(|row| row[t]));
                }
            }
            panels
        });
    });
}

#[test]
fn a3_2_wrong_tiles() {
    // The first row of x for all.
    assert_caught("at t = 1", || {
        check::tile(|x, panel| {
            let mut sums = [[0.0; 8]; 4];
            for (t, line) in panel.iter().enumerate() {
                for sums in &mut sums {
                    for (sum, w) in sums.iter_mut().zip(line) {
                        *sum += x[0][t] * w;
                    }
                }
            }
            sums
        });
    });
    // The last product instead of the sum.
    assert_caught("all k lines are added up", || {
        check::tile(|x, panel| {
            let mut sums = [[0.0; 8]; 4];
            for (t, line) in panel.iter().enumerate() {
                for (sums, x) in sums.iter_mut().zip(x) {
                    for (sum, w) in sums.iter_mut().zip(line) {
                        if x[t] != 0.0 {
                            *sum = x[t] * w;
                        }
                    }
                }
            }
            sums
        });
    });
    // From the last line to the first.
    assert_caught("add from t = 0 on", || {
        check::tile(|x, panel| {
            let mut sums = [[0.0; 8]; 4];
            for (t, line) in panel.iter().enumerate().rev() {
                for (sums, x) in sums.iter_mut().zip(x) {
                    for (sum, w) in sums.iter_mut().zip(line) {
                        *sum += x[t] * w;
                    }
                }
            }
            sums
        });
    });
    // By blocks, as on the page.
    assert_caught("without blocks", || {
        check::tile(|x, panel| {
            let mut totals = [[0.0; 8]; 4];
            for (t, lines) in panel.chunks(64).enumerate() {
                for (totals, x) in totals.iter_mut().zip(x) {
                    for (c, total) in totals.iter_mut().enumerate() {
                        let products = lines.iter().zip(&x[64 * t..]);
                        *total +=
                            products.fold(0.0, |sum, (line, x)| x * line[c] + sum);
                    }
                }
            }
            totals
        });
    });
    assert_caught("round each product", || {
        check::tile(|x, panel| {
            let mut sums = [[0.0; 8]; 4];
            for (t, line) in panel.iter().enumerate() {
                for (sums, x) in sums.iter_mut().zip(x) {
                    for (sum, w) in sums.iter_mut().zip(line) {
                        *sum = x[t].mul_add(*w, *sum);
                    }
                }
            }
            sums
        });
    });
    // In f64.
    assert_caught("in f32", || {
        check::tile(|x, panel| {
            let sum = |r: usize, c: usize| -> f64 {
                let products = panel.iter().zip(x[r]);
                products.map(|(line, &x)| f64::from(x) * f64::from(line[c])).sum()
            };
            #[expect(clippy::cast_possible_truncation)]
            let sum = |r, c| sum(r, c) as f32;
            std::array::from_fn(|r| std::array::from_fn(|c| sum(r, c)))
        });
    });
}

#[test]
fn a3_3_wrong_heights() {
    // Sums alone.
    assert_caught("A seventh needs 17", || {
        check::tallest(|registers, vectors| registers / vectors);
    });
    // A register for each row's value of x.
    assert_caught("A seventh needs 17", || {
        check::tallest(|registers, vectors| {
            registers.saturating_sub(vectors) / (vectors + 1)
        });
    });
    // The panel's line is forgotten, or has always two vectors.
    assert_caught("A seventh needs 17", || {
        check::tallest(|registers, vectors| (registers - 1) / vectors);
    });
    assert_caught("takes three registers, too", || {
        check::tallest(|registers, vectors| registers.saturating_sub(3) / vectors);
    });
    // At least one row.
    assert_caught("there is no tile", || {
        check::tallest(|registers, vectors| {
            (registers.saturating_sub(vectors + 1) / vectors).max(1)
        });
    });
    assert_caught("may be below 0", || {
        check::tallest(|registers, vectors| {
            registers.wrapping_sub(vectors + 1) / vectors
        });
    });
}

#[test]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn a3_4_wrong_numbers_of_rows() {
    assert_caught("2 operations for 4 bytes", || {
        check::enough_rows(|peak, bandwidth| (peak / bandwidth).ceil() as usize);
    });
    assert_caught("2 operations for 4 bytes", || {
        check::enough_rows(|peak, bandwidth| (4.0 * peak / bandwidth).ceil() as usize);
    });
    assert_caught("memory is still the limit", || {
        check::enough_rows(|peak, bandwidth| (2.0 * peak / bandwidth).round() as usize);
    });
    assert_caught("there are no half rows", || {
        check::enough_rows(|peak, bandwidth| {
            let rows = 2.0 * peak / bandwidth;
            if rows < 1.0 { 0 } else { rows.ceil() as usize }
        });
    });
}

#[test]
fn a3_5_wrong_shares() {
    let cut = |rows: usize, share: usize| -> Vec<usize> {
        (0..rows).step_by(share).map(|first| share.min(rows - first)).collect()
    };
    assert_caught("twice 160", || check::shares(|rows, most, _| cut(rows, most)));
    // Equal shares that cut a tile.
    assert_caught("no whole tiles of 6", || {
        check::shares(|rows, most, _| {
            cut(rows, rows.div_ceil(rows.div_ceil(most).max(1)).max(1))
        });
    });
    // Rounded down: a third task.
    assert_caught("no whole tiles of 6", || {
        check::shares(|rows, most, height| {
            let share = rows.div_ceil(rows.div_ceil(most).max(1));
            cut(rows, (share / height * height).max(height))
        });
    });
    // One task too many where they divide.
    assert_caught("fills every task", || {
        check::shares(|rows, most, height| {
            let share = rows.div_ceil(rows / most + 1).next_multiple_of(height);
            cut(rows, share.max(1))
        });
    });
    // Whole tiles in the last, too.
    assert_caught("the last the rest", || {
        check::shares(|rows, most, height| {
            let tasks = rows.div_ceil(most).max(1);
            let share = rows.div_ceil(tasks).next_multiple_of(height).max(1);
            if rows < height { vec![rows] } else { vec![share; rows.div_ceil(share)] }
        });
    });
    // Whole tiles spread evenly.
    assert_caught("the last has what is left", || {
        check::shares(|rows, most, height| {
            let (tasks, tiles) = (rows.div_ceil(most).max(1), rows / height);
            if rows % height != 0 || rows == 0 {
                let share = rows.div_ceil(tasks).next_multiple_of(height).max(1);
                return cut(rows, share);
            }
            let more = |i: usize| usize::from(i < tiles % tasks);
            (0..tasks).map(|i| (tiles / tasks + more(i)) * height).collect()
        });
    });
    assert_caught("no rows, no task", || {
        check::shares(|rows, most, height| {
            let tasks = rows.div_ceil(most).max(1);
            let share = rows.div_ceil(tasks).next_multiple_of(height).max(1);
            let found = cut(rows, share);
            if found.is_empty() { vec![0] } else { found }
        });
    });
}
