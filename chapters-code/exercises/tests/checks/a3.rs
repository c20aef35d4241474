//! Checks for the exercises of appendix 3.

#![allow(clippy::float_cmp, reason = "sums in a given order are exact")]

/// 1, 2, 3 and so on.
fn counted(count: usize) -> Vec<f32> {
    (1..=count).map(|i| i as f32).collect()
}

pub fn pack(pack: impl Fn(&[f32], usize, usize) -> Vec<f32>) {
    #[track_caller]
    fn assert_packed(found: &[f32], expected: &[f32], hint: &str) {
        assert!(found == expected, "expected {expected:?} but found {found:?}: {hint}");
    }
    let hint = "a panel holds the first value of each of its outputs, then the second of \
                each: the columns of W's rows.";
    assert_packed(&pack(&counted(6), 3, 2), &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], hint);
    let hint = "a panel comes after the other, each with its own width outputs.";
    let expected = [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0];
    assert_packed(&pack(&counted(8), 2, 2), &expected, hint);
    let hint = "the last panel is as wide as the others: 0 where there is no output.";
    let expected = [1.0, 3.0, 2.0, 4.0, 5.0, 0.0, 6.0, 0.0];
    assert_packed(&pack(&counted(6), 2, 2), &expected, hint);
    let hint = "one panel may be wider than there are outputs.";
    assert_packed(&pack(&counted(2), 2, 3), &[1.0, 0.0, 0.0, 2.0, 0.0, 0.0], hint);
}

pub fn tile(tile: impl Fn([&[f32]; 4], &[[f32; 8]]) -> [[f32; 8]; 4]) {
    let panel: Vec<[f32; 8]> =
        (0..3).map(|t| std::array::from_fn(|c| (10 * t + c) as f32)).collect();
    let rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]];
    let found = tile([&rows[0], &rows[1], &rows[2], &rows[3]], &panel);
    for (r, row) in found.iter().take(3).enumerate() {
        assert!(
            *row == panel[r],
            "a row of x that is 1 at t = {r} and else 0 must give the panel's line {r}, \
             {:?}, but gave {row:?}: x[r][t] multiplies panel[t][c].",
            panel[r]
        );
    }
    let expected: [f32; 8] = std::array::from_fn(|c| (30 + 3 * c) as f32);
    assert!(
        found[3] == expected,
        "a row of ones must give the sums of the panel's columns, {expected:?}, but gave \
         {:?}: all k lines are added up.",
        found[3]
    );
    // 62 zeros, then four lines around a block's end; backwards the sum is 0 as well.
    let (x, mut panel) = ([1.0_f32; 66], vec![[0.0; 8]; 62]);
    panel.extend([1.0, 16_777_216.0, 1.0, -16_777_215.0].map(|w| [w; 8]));
    let found = tile([&x; 4], &panel)[0][0];
    assert!(
        found == 1.0,
        "1 + 2²⁴ + 1 − (2²⁴ − 1) added up in this order is 1 in f32, where 2²⁴ + 1 is no \
         number, but the sum came out as {found}: add from t = 0 on, in f32, without blocks."
    );
    let (x, w) = (
        [1.0, 1.0 + 2.0_f32.powi(-12)],
        [-1.0 - 2.0_f32.powi(-11), 1.0 + 2.0_f32.powi(-12)],
    );
    let found = tile([&x; 4], &w.map(|w| [w; 8]))[0][0];
    assert!(
        found == 0.0,
        "(1 + 2⁻¹²)² rounded to f32 is 1 + 2⁻¹¹, and the sum 0, but it came out as {found}: \
         round each product before it is added."
    );
    assert!(tile([&[]; 4], &[]) == [[0.0; 8]; 4], "with k = 0 every sum is 0.");
}

pub fn tallest(tallest: impl Fn(usize, usize) -> usize) {
    #[track_caller]
    fn assert_rows(found: usize, expected: usize, hint: &str) {
        assert!(
            found == expected,
            "expected {expected} rows but found {found}: {hint}"
        );
    }
    let hint = "AVX2: 16 registers and two vectors. Six rows need 12 sums, 2 vectors of the \
                panel and 1 of x: 15. A seventh needs 17.";
    assert_rows(tallest(16, 2), 6, hint);
    assert_rows(tallest(32, 2), 14, "AVX-512: 2 · 14 + 2 + 1 is 31 of 32.");
    let hint = "with three vectors the panel's line takes three registers, too.";
    assert_rows(tallest(18, 3), 4, hint);
    assert_rows(tallest(4, 2), 0, "2 + 2 + 1 is 5: in 4 registers there is no tile.");
    assert_rows(tallest(2, 2), 0, "registers − vectors − 1 may be below 0.");
}

pub fn enough_rows(enough_rows: impl Fn(f64, f64) -> usize) {
    #[track_caller]
    fn assert_rows(found: usize, expected: usize, hint: &str) {
        assert!(
            found == expected,
            "expected {expected} rows but found {found}: {hint}"
        );
    }
    let hint = "80 billion operations and 10 billion bytes a second: 8 operations for each \
                byte are enough, and a row brings 2 operations for 4 bytes.";
    assert_rows(enough_rows(80e9, 10e9), 16, hint);
    let hint = "2 · 81 / 10 is 16.2: with 16 rows memory is still the limit.";
    assert_rows(enough_rows(81e9, 10e9), 17, hint);
    let hint = "where memory is fast enough, one row is: there are no half rows.";
    assert_rows(enough_rows(1e9, 10e9), 1, hint);
}

pub fn shares(shares: impl Fn(usize, usize, usize) -> Vec<usize>) {
    #[track_caller]
    fn assert_shares(found: &[usize], expected: &[usize], hint: &str) {
        assert!(found == expected, "expected {expected:?} but found {found:?}: {hint}");
    }
    assert_shares(&shares(96, 256, 8), &[96], "what fits in one task is one task.");
    let hint =
        "320 rows are twice 160: 256 and 64 would leave one thread without work.";
    assert_shares(&shares(320, 256, 8), &[160, 160], hint);
    let hint =
        "129 rows are no whole tiles of 6: the first takes 132, the last the rest.";
    assert_shares(&shares(257, 252, 6), &[132, 125], hint);
    let hint = "a multiple of `most` fills every task.";
    assert_shares(&shares(768, 256, 8), &[256, 256, 256], hint);
    let hint = "104 rows in four tasks are 26 each, in whole tiles of 8 then 32; the last has \
                what is left.";
    assert_shares(&shares(104, 32, 8), &[32, 32, 32, 8], hint);
    assert_shares(&shares(5, 12, 6), &[5], "a task may have less than a tile.");
    assert_shares(&shares(0, 12, 6), &[], "no rows, no task.");
}
