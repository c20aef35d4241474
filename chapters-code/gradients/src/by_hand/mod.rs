//! Forward and backward passes on plain slices. Shapes are the callers' to check.

pub mod attention;
pub mod cross_entropy;
pub mod dropout;
pub mod each;
pub mod layer_norm;
pub mod linear;
pub mod product;
pub mod rows;
