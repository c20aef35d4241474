//! The Keras block's tests, one program: each more would be one more to link.

mod cli;
mod errors;
#[cfg(feature = "h5")]
mod h5;
mod keras;
mod training;
