//! What can go wrong in a map of attention, by name: for an exercise.

// ANCHOR: fault
/// What went wrong in a map of attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The scores were not divided by `√d_k`.
    NotScaled,
    /// The softmax ran down the columns, not along the rows.
    Columns,
    /// One softmax was taken of all scores together.
    AllTogether,
    /// Queries and keys changed places.
    Swapped,
}
// ANCHOR_END: fault
