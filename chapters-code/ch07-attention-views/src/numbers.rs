//! Numbers on their way into a page: few bytes, exact if they are not too many.

use std::io::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;

use crate::stack::Stack;

/// From this many numbers on, weights are rounded to 1/65535.
const ROUNDED_FROM: usize = 1 << 20;

/// A stack as text: base64 of zlib of byte planes.
#[derive(Debug, Serialize)]
pub(crate) struct Encoded {
    shape: [usize; 4],
    /// `f32`, exact, or `u16`, in units of 1/65535.
    kind: &'static str,
    data: String,
}

/// Packs a stack. The bytes stand in planes: first the most significant byte of every
/// number, then the next. Bytes of one rank resemble each other, and compress.
///
/// Numbers are exact, unless there are a million or more and they may be rounded: then
/// weights from 0 to 1 are kept to 1/65535.
pub(crate) fn encode(stack: &Stack, may_round: bool) -> Encoded {
    let values = stack.values();
    let weights = || values.iter().all(|value| (0.0..=1.0).contains(value));
    let (kind, bytes) = if may_round && values.len() >= ROUNDED_FROM && weights() {
        ("u16", planes(values, |value| rounded(value).to_be_bytes()))
    } else {
        ("f32", planes(values, f32::to_be_bytes))
    };
    Encoded {
        shape: stack.shape(),
        kind,
        data: BASE64_STANDARD.encode(deflated(&bytes)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a weight is from 0 to 1"
)]
fn rounded(weight: f32) -> u16 {
    (weight * 65535.0).round() as u16
}

fn planes<const N: usize>(values: &[f32], bytes: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    let mut planes = vec![0; N * values.len()];
    for (i, &value) in values.iter().enumerate() {
        for (plane, byte) in bytes(value).into_iter().enumerate() {
            planes[plane * values.len() + i] = byte;
        }
    }
    planes
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let written = encoder.write_all(bytes);
    debug_assert!(written.is_ok(), "writing to memory: {written:?}");
    encoder.finish().unwrap_or_default()
}
