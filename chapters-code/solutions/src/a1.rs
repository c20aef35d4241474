//! Exercises of appendix 1, solved.

// ANCHOR: absorb
pub fn absorb((maximum, sum): (f64, f64), block: &[f64]) -> (f64, f64) {
    let larger = block.iter().fold(maximum, |a, &b| a.max(b));
    if larger == f64::NEG_INFINITY {
        return (larger, 0.0); // nothing but −∞ so far
    }
    let before = sum * (maximum - larger).exp(); // 0 after −∞
    let added: f64 = block.iter().map(|score| (score - larger).exp()).sum();
    (larger, before + added)
}
// ANCHOR_END: absorb

// ANCHOR: exponent
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let n = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}
// ANCHOR_END: exponent
