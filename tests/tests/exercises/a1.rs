//! Wrong answers to appendix 1's exercises.

use super::assert_caught;
use super::checks::a1 as check;

const HIDDEN: f64 = f64::NEG_INFINITY;

/// The largest of the scores and `maximum`.
fn larger(maximum: f64, block: &[f64]) -> f64 {
    block.iter().fold(maximum, |a, &b| a.max(b))
}

/// The block's sum of exponentials.
fn exponentials(block: &[f64], maximum: f64) -> f64 {
    block.iter().map(|score| (score - maximum).exp()).sum()
}

#[test]
fn a1_1_wrong_running_sum() {
    assert_caught("is multiplied by exp(old maximum", || {
        check::absorb(|(maximum, sum), block| {
            let larger = larger(maximum, block);
            (larger, sum + exponentials(block, larger))
        });
    });
    assert_caught("the block's maximum", || {
        check::absorb(|(maximum, sum), block| {
            (maximum, sum + exponentials(block, maximum))
        });
    });
    // The first block's maximum is kept.
    assert_caught("when the maximum grows", || {
        check::absorb(|(maximum, sum), block| {
            let first = if sum == 0.0 { larger(maximum, block) } else { maximum };
            (first, sum + exponentials(block, first))
        });
    });
    assert_caught("overflows", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(maximum, block);
            let before = if sum == 0.0 { 0.0 } else { sum * maximum.exp() };
            (new, (before + exponentials(block, 0.0)) / new.exp())
        });
    });
    // The new scores are counted from the old maximum, and only then brought down.
    assert_caught("overflows", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(maximum, block);
            let old = if sum == 0.0 { new } else { maximum };
            (new, (sum + exponentials(block, old)) * (old - new).exp())
        });
    });
    assert_caught("leaves the maximum and adds", || {
        check::absorb(|(maximum, _), block| {
            let new = larger(maximum, block);
            (new, exponentials(block, new))
        });
    });
    // The block's maximum replaces the old one even if it is smaller.
    assert_caught("leaves the maximum and adds", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(HIDDEN, block);
            (new, sum * (maximum - new).exp() + exponentials(block, new))
        });
    });
    // Rescaled the wrong way round.
    assert_caught("exp(old maximum − new maximum)", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(maximum, block);
            let before = if sum == 0.0 { 0.0 } else { sum * (new - maximum).exp() };
            (new, before + exponentials(block, new))
        });
    });
    // Each block's sum counted from the block's own maximum.
    assert_caught("leaves the maximum and adds", || {
        check::absorb(|(maximum, sum), block| {
            let (new, own) = (larger(maximum, block), larger(HIDDEN, block));
            (new, sum * (maximum - new).exp() + exponentials(block, own))
        });
    });
}

#[test]
fn a1_1_wrong_minus_infinity() {
    assert_caught("−∞ − −∞ is NaN", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(maximum, block);
            (new, sum * (maximum - new).exp() + exponentials(block, new))
        });
    });
    // The guard looks at the old maximum alone, or at the block's alone.
    assert_caught("−∞ − −∞ is NaN", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(maximum, block);
            let before =
                if maximum == HIDDEN { 0.0 } else { sum * (maximum - new).exp() };
            (new, before + exponentials(block, new))
        });
    });
    assert_caught("changes nothing", || {
        check::absorb(|(maximum, sum), block| {
            if larger(HIDDEN, block) == HIDDEN {
                return (HIDDEN, 0.0);
            }
            let new = larger(maximum, block);
            (new, sum * (maximum - new).exp() + exponentials(block, new))
        });
    });
    assert_caught("leaves (−∞, 0)", || {
        check::absorb(|(maximum, sum), block| {
            let new = larger(maximum, block);
            if new == HIDDEN {
                return (0.0, 0.0);
            }
            (new, sum * (maximum - new).exp() + exponentials(block, new))
        });
    });
    // The maximum starts at 0: wrong only while all scores are negative.
    assert_caught("counts as if it came first", || {
        check::absorb(|(maximum, sum), block| {
            if larger(maximum, block) == HIDDEN {
                return (HIDDEN, 0.0);
            }
            let new = larger(maximum.max(0.0), block);
            (new, sum * (maximum - new).exp() + exponentials(block, new))
        });
    });
    assert_caught("−∞ among other scores", || {
        check::absorb(|(maximum, sum), block| {
            if block.contains(&HIDDEN) {
                return (maximum, sum);
            }
            let new = larger(maximum, block);
            (new, sum * (maximum - new).exp() + exponentials(block, new))
        });
    });
}

/// The slope of the least squares line through points, with sums about `(x, y)`.
fn slope(points: &[(f64, f64)], (x, y): (f64, f64)) -> f64 {
    let both: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let own: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    both / own
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let sum = points.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (sum.0 / points.len() as f64, sum.1 / points.len() as f64)
}

fn logs(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect()
}

#[test]
fn a1_2_wrong_exponents() {
    check::exponent(|points| slope(&logs(points), mean(&logs(points))));
    assert_caught("logarithm of both", || {
        check::exponent(|points| slope(points, mean(points)));
    });
    // One scale logarithmic, the other not.
    assert_caught("logarithm of both", || {
        check::exponent(|points| {
            let half: Vec<_> = points.iter().map(|&(x, y)| (x, y.ln())).collect();
            slope(&half, mean(&half))
        });
    });
    // Through the origin: as if the factor were 1.
    assert_caught("the factor", || {
        check::exponent(|points| slope(&logs(points), (0.0, 0.0)));
    });
    assert_caught("which axis", || {
        check::exponent(|points| {
            let turned: Vec<_> = logs(points).iter().map(|&(x, y)| (y, x)).collect();
            slope(&turned, mean(&turned))
        });
    });
    // The right fit of the wrong line: distances along x, not along y.
    assert_caught("least squares", || {
        check::exponent(|points| {
            let turned: Vec<_> = logs(points).iter().map(|&(x, y)| (y, x)).collect();
            1.0 / slope(&turned, mean(&turned))
        });
    });
    // The first point and the last alone, or the middle of each step's slope.
    assert_caught("least squares", || {
        check::exponent(|points| {
            let logs = logs(points);
            let (first, last) = (logs[0], logs[logs.len() - 1]);
            (last.1 - first.1) / (last.0 - first.0)
        });
    });
    assert_caught("least squares", || {
        check::exponent(|points| {
            let logs = logs(points);
            let steps = logs.windows(2);
            let slopes = steps.map(|two| (two[1].1 - two[0].1) / (two[1].0 - two[0].0));
            slopes.sum::<f64>() / (logs.len() - 1) as f64
        });
    });
    assert_caught("sign", || {
        check::exponent(|points| slope(&logs(points), mean(&logs(points))).abs());
    });
    assert_caught("whole number", || {
        check::exponent(|points| slope(&logs(points), mean(&logs(points))).round());
    });
}
