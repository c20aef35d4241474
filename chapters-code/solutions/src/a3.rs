//! Exercises of appendix 3, solved.

// ANCHOR: pack
pub fn pack(weight: &[f32], k: usize, width: usize) -> Vec<f32> {
    let outputs = weight.len() / k;
    let mut panels = vec![0.0; outputs.next_multiple_of(width) * k];
    for (output, row) in weight.chunks(k).enumerate() {
        let (panel, column) = (output / width, output % width);
        for (t, &w) in row.iter().enumerate() {
            panels[(panel * k + t) * width + column] = w; // [panels][k][width]
        }
    }
    panels
}
// ANCHOR_END: pack

// ANCHOR: tile
pub fn tile(x: [&[f32]; 4], panel: &[[f32; 8]]) -> [[f32; 8]; 4] {
    let mut sums = [[0.0; 8]; 4];
    for (t, line) in panel.iter().enumerate() {
        for (sums, x) in sums.iter_mut().zip(x) {
            for (sum, w) in sums.iter_mut().zip(line) {
                *sum += x[t] * w;
            }
        }
    }
    sums
}
// ANCHOR_END: tile

// ANCHOR: tallest
pub fn tallest(registers: usize, vectors: usize) -> usize {
    let beside = vectors + 1; // the panel's line, and one value of x
    registers.saturating_sub(beside).checked_div(vectors).unwrap_or(0)
}
// ANCHOR_END: tallest

// ANCHOR: enough_rows
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0")]
pub fn enough_rows(peak: f64, bandwidth: f64) -> usize {
    (2.0 * peak / bandwidth).ceil() as usize // rows / 2 operations for each byte
}
// ANCHOR_END: enough_rows

// ANCHOR: shares
pub fn shares(rows: usize, most: usize, height: usize) -> Vec<usize> {
    let tasks = rows.div_ceil(most).max(1);
    let share = rows.div_ceil(tasks).next_multiple_of(height).max(1);
    (0..rows).step_by(share).map(|first| share.min(rows - first)).collect()
}
// ANCHOR_END: shares
