//! Which vector instructions the kernels use.

use std::fmt;
use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};
use thiserror::Error;

/// The environment variable that chooses the set: `scalar`, `avx2`, `avx512`, `neon` or
/// `simd128`.
pub const ISA_VARIABLE: &str = "KERNELS_ISA";

/// A set of vector instructions that this machine has.
///
/// Every kernel is written once, over the vectors of the [`pulp`] crate, and compiled
/// for each set: AVX-512 (16 floats a vector), AVX2 with FMA (8), NEON and a browser's
/// SIMD128 (4), and plain scalar code for the rest. The set is chosen at run time, so no compiler flag is
/// needed and one binary runs everywhere.
///
/// Sums are cut to the width of the vectors, so two sets differ in the last bits of an
/// f32. `KERNELS_ISA=avx2` shows what another machine computes.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Arch);

/// `KERNELS_ISA` names a set that this machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{ISA_VARIABLE} is {given:?}: this machine has {}", .has.join(", "))]
pub struct IsaError {
    given: String,
    has: Vec<&'static str>,
}

impl Isa {
    /// The set that the environment variable [`ISA_VARIABLE`] names, or the fastest this
    /// machine has if it is unset or empty. It is read once.
    ///
    /// # Errors
    /// If the variable names a set that this machine does not have.
    pub fn chosen() -> Result<Self, IsaError> {
        static CHOSEN: OnceLock<Result<Isa, IsaError>> = OnceLock::new();
        CHOSEN.get_or_init(|| Self::named(std::env::var_os(ISA_VARIABLE))).clone()
    }

    /// [`Isa::chosen`], for what can't fail: the fastest set if the variable names none,
    /// which [`linear()`](crate::linear()) and all kernels that can fail refuse.
    pub fn current() -> Self {
        Self::chosen().unwrap_or_else(|_| Self(Arch::new()))
    }

    fn named(name: Option<std::ffi::OsString>) -> Result<Self, IsaError> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Ok(Self(Arch::new()));
        };
        let sets = Self::available();
        let found = sets.iter().find(|set| name.eq_ignore_ascii_case(set.name()));
        found.copied().ok_or_else(|| IsaError {
            given: name.to_string_lossy().into_owned(),
            has: sets.iter().map(|set| set.name()).collect(),
        })
    }

    /// Every set this machine has, the slowest (scalar) first and the fastest last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "a processor may have this set alone")]
        let mut sets = vec![Self(Arch::Scalar)];
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(pulp::x86::V3::try_new().map(|v3| Self(Arch::V3(v3))));
            sets.extend(pulp::x86::V4::try_new().map(|v4| Self(Arch::V4(v4))));
        }
        #[cfg(target_arch = "aarch64")]
        sets.extend(pulp::aarch64::Neon::try_new().map(|neon| Self(Arch::Neon(neon))));
        #[cfg(target_arch = "wasm32")]
        sets.extend(pulp::wasm::Simd128::try_new().map(|set| Self(Arch::Simd128(set))));
        sets
    }

    /// The name that [`ISA_VARIABLE`] knows it by.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "neon",
            #[cfg(target_arch = "wasm32")]
            Arch::Simd128(_) => "simd128",
            _ => "scalar",
        }
    }

    /// Runs `op`, compiled for this set.
    pub fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.0.dispatch(op)
    }
}

impl fmt::Display for Isa {
    /// As people write it: "AVX-512".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.name() {
            "avx512" => "AVX-512",
            "avx2" => "AVX2",
            "neon" => "NEON",
            "simd128" => "SIMD128",
            name => name,
        })
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

#[cfg(test)]
mod tests {
    use super::Isa;

    #[test]
    fn a_set_is_found_by_its_name_or_refused_with_those_there_are() {
        for set in Isa::available() {
            for name in [set.name().to_owned(), set.name().to_uppercase()] {
                assert_eq!(Isa::named(Some(name.into())).unwrap().name(), set.name());
            }
        }
        let names: std::collections::HashSet<_> =
            Isa::available().into_iter().map(Isa::name).collect();
        assert_eq!(names.len(), Isa::available().len(), "{names:?}");
        let best = Isa::available().pop().unwrap().name();
        assert_eq!(Isa::named(None).unwrap().name(), best);
        assert_eq!(Isa::named(Some("".into())).unwrap().name(), best);
        let error = Isa::named(Some("avx1024".into())).unwrap_err().to_string();
        assert!(
            error.starts_with("KERNELS_ISA is \"avx1024\": this machine has scalar")
        );
        assert!(error.contains(best), "{error}");
    }
}
