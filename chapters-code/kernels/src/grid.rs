//! An output matrix cut into parts that threads write at the same time.

/// Values below which another thread costs more than it computes.
pub(crate) const PARALLEL_FROM: usize = 1 << 14;

/// Cuts `out`, rows of `width` values, into blocks of `rows` rows by ranges of
/// `columns` columns: a list of blocks, each the list of its pieces of rows.
///
/// A block of columns is not contiguous in memory; as one slice per row it can still be
/// handed to a thread of its own, and the compiler sees that no two overlap.
pub(crate) fn cut(
    out: &mut [f32],
    width: usize,
    rows: usize,
    columns: usize,
) -> Vec<Vec<&mut [f32]>> {
    let across = width.div_ceil(columns);
    let mut blocks = Vec::new();
    for band in out.chunks_mut(rows * width) {
        let first = blocks.len();
        blocks.resize_with(first + across, || Vec::with_capacity(rows));
        for row in band.chunks_mut(width) {
            for (block, piece) in
                blocks[first..].iter_mut().zip(row.chunks_mut(columns))
            {
                block.push(piece);
            }
        }
    }
    blocks
}
