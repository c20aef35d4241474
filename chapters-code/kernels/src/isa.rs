//! Which vector instructions the kernels use.

use std::fmt;

use pulp::{Arch, Simd, WithSimd};

/// A set of vector instructions that this machine has.
///
/// Every kernel is written once, over the vectors of the [`pulp`] crate, and compiled
/// for each set: AVX-512 (16 floats a vector), AVX2 with FMA (8), NEON (4), and plain
/// scalar code for the rest. The set is chosen at run time, so no compiler flag is
/// needed and one binary runs everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Arch);

impl Isa {
    /// The fastest set this machine has.
    pub fn best() -> Self {
        Self(Arch::new())
    }

    /// Every set this machine has, the slowest (scalar) first: for tests.
    pub fn available() -> Vec<Self> {
        let mut sets = vec![Self(Arch::Scalar)];
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(pulp::x86::V3::try_new().map(|v3| Self(Arch::V3(v3))));
            sets.extend(pulp::x86::V4::try_new().map(|v4| Self(Arch::V4(v4))));
        }
        #[cfg(not(target_arch = "x86_64"))]
        sets.push(Self::best());
        sets
    }

    /// Runs `op`, compiled for this set.
    pub fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.0.dispatch(op)
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "AVX2",
            Arch::Scalar => "scalar",
            _ => "vectors",
        })
    }
}

impl Default for Isa {
    fn default() -> Self {
        Self::best()
    }
}

/// A vector from `values`, which hold one or less; the lanes without a value are 0.
///
/// The test for a whole vector is one the processor predicts; loading a part of one is
/// a call and several instructions.
#[inline(always)]
pub fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values) {
        ([whole], []) => *whole,
        _ => simd.partial_load_f32s(values),
    }
}

/// Stores as much of `vector` as `values` hold.
#[inline(always)]
pub fn store<S: Simd>(simd: S, values: &mut [f32], vector: S::f32s) {
    match S::as_mut_simd_f32s(values) {
        ([whole], []) => *whole = vector,
        _ => simd.partial_store_f32s(values, vector),
    }
}
