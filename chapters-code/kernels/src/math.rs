//! exp and the activations made of it, on whole vectors.
//!
//! libm computes one value a call, with branches. Softmax and GELU need millions, so
//! here both are polynomials without a branch: every lane does the same steps.

use std::f32::consts::{LN_2, LOG2_E};

use pulp::Simd;

/// c₀ + c₁x + c₂x² + …, by Horner's rule; `coefficients` from the highest power down.
#[inline(always)]
fn polynomial<S: Simd>(s: S, x: S::f32s, coefficients: &[f32]) -> S::f32s {
    let mut sum = s.splat_f32s(0.0);
    for &c in coefficients {
        sum = s.mul_add_e_f32s(sum, x, s.splat_f32s(c));
    }
    sum
}

// pulp's own `select_f32s` and `abs_f32s` are not always inlined, and then cost a call.

/// Each lane of `a` where the mask is set, of `b` elsewhere.
#[inline(always)]
pub(crate) fn select<S: Simd>(s: S, mask: S::m32s, a: S::f32s, b: S::f32s) -> S::f32s {
    let (a, b) = (s.transmute_u32s_f32s(a), s.transmute_u32s_f32s(b));
    s.transmute_f32s_u32s(s.select_u32s(mask, a, b))
}

/// |x|, whose sign bit is 0.
#[inline(always)]
fn abs<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    let bits = s.and_u32s(s.transmute_u32s_f32s(x), s.splat_u32s(0x7fff_ffff));
    s.transmute_f32s_u32s(bits)
}

/// eˣ with a relative error below 1e-7; 0 below −87.33 (where f32 has only subnormals
/// left), ∞ above 88.72.
///
/// eˣ = 2ⁿ · eʳ with n = round(x / ln 2), so |r| ≤ ln 2 / 2, where a polynomial of
/// degree 6 is exact to rounding (the coefficients are those of Cephes' `expf`).
#[inline(always)]
pub fn exp<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    // Adding 1.5 · 2²³ leaves no bits for a fraction: the sum is rounded to an integer,
    // which can be read off its last bits.
    let shift = s.splat_f32s(12_582_912.0);
    let shifted = s.mul_add_e_f32s(x, s.splat_f32s(LOG2_E), shift);
    let n = s.sub_f32s(shifted, shift);
    // r = x − n ln 2, with ln 2 in two parts: the first has few bits, so that its
    // product with n is exact.
    let r = s.mul_add_e_f32s(n, s.splat_f32s(-0.693_359_4), x);
    let r = s.mul_add_e_f32s(n, s.splat_f32s(2.121_944_4e-4), r);
    #[rustfmt::skip]
    let p = polynomial(s, r, &[
        1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5,
        1.0, 1.0,
    ]);
    // Times 2ⁿ: n is added to the exponent's bits. (pulp names a cast by its result.)
    let n = s.wrapping_dyn_shl_u32s(s.transmute_u32s_f32s(shifted), s.splat_u32s(23));
    let y = s.transmute_f32s_u32s(s.add_u32s(s.transmute_u32s_f32s(p), n));
    let low = s.less_than_f32s(x, s.splat_f32s(-87.336_54));
    let high = s.greater_than_f32s(x, s.splat_f32s(88.722_84));
    let y = select(s, low, s.splat_f32s(0.0), y);
    select(s, high, s.splat_f32s(f32::INFINITY), y)
}

/// max(x, 0). The maximum that processors have loses a NaN on one side; this does not.
#[inline(always)]
pub fn relu<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    let zero = s.splat_f32s(0.0);
    select(s, s.less_than_f32s(x, zero), zero, x)
}

/// GELU(x) = x · Φ(x), within 1.2e-7 · max(1, |x|): `torch.nn.functional.gelu`.
///
/// With Q(a) = 1 − Φ(a) = erfc(a/√2)/2, the tail of the normal distribution, it is
/// max(x, 0) − |x| · Q(|x|), which needs one half of one function.
#[inline(always)]
pub fn gelu<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    let a = at_most_14(s, abs(s, x));
    s.sub_f32s(relu(s, x), s.mul_f32s(a, tail(s, a)))
}

/// GELU′(x) = Φ(x) + x · φ(x), with the normal density φ(x) = e^(−x²/2) / √(2π): what a
/// gradient is multiplied by on its way back through GELU.
#[inline(always)]
pub fn gelu_slope<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    let a = at_most_14(s, abs(s, x));
    let half = s.mul_f32s(a, s.splat_f32s(-0.5));
    let density = exp(s, s.mul_f32s(a, half));
    // For a ≥ 0: Φ(−a) = Q(a) and Φ(a) = 1 − Q(a), so the slopes at −a and a are
    // Q(a) − a φ(a) and 1 minus that.
    let a_density = s.mul_f32s(s.mul_f32s(a, s.splat_f32s(0.398_942_3)), density);
    let slope = s.sub_f32s(tail(s, a), a_density);
    let negative = s.less_than_f32s(x, s.splat_f32s(0.0));
    select(s, negative, slope, s.sub_f32s(s.splat_f32s(1.0), slope))
}

/// Beyond 14, tail and density are 0 in f32 and their polynomials need not hold.
#[inline(always)]
fn at_most_14<S: Simd>(s: S, a: S::f32s) -> S::f32s {
    let end = s.splat_f32s(14.0);
    select(s, s.greater_than_f32s(a, end), end, a)
}

/// Q(a) for a in [0, 14].
///
/// ln Q is smooth, so Q is exp of a polynomial: the one whose largest error a · |ΔQ(a)| on
/// [0, 6] is least (9e-9 before rounding), with −ln 2 at 0 given. From 6 on, a · Q(a) <
/// 6e-9 and the polynomial only falls; at 14 all has long been 0.
#[inline(always)]
fn tail<S: Simd>(s: S, a: S::f32s) -> S::f32s {
    #[rustfmt::skip]
    let log_tail = polynomial(s, a, &[
        -1.318_411_4e-6, 1.944_758_7e-5, -9.113_029e-5, -1.885_885_4e-4, 5.022_143_5e-3,
        -3.647_868e-2, -0.318_266_96, -0.797_889_35, -LN_2,
    ]);
    exp(s, log_tail)
}

/// GELU by its tanh approximation: `gelu(x, approximate="tanh")`.
///
/// x/2 · (1 + tanh u) is x / (1 + e⁻²ᵘ), which needs only exp.
#[inline(always)]
pub fn gelu_tanh<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    let x2 = s.mul_f32s(x, x);
    // −2u = −2 √(2/π) (x + 0.044715 x³)
    let inner = s.mul_add_e_f32s(x2, s.splat_f32s(0.044_715), s.splat_f32s(1.0));
    let minus_2u = s.mul_f32s(s.mul_f32s(x, inner), s.splat_f32s(-1.595_769));
    s.div_f32s(x, s.add_f32s(s.splat_f32s(1.0), exp(s, minus_2u)))
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::isa::Isa;

    /// One of the functions above, over a slice.
    struct Map<'a, const FUNCTION: char>(&'a mut [f32]);

    impl<const FUNCTION: char> WithSimd for Map<'_, FUNCTION> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, s: S) {
            for part in self.0.chunks_mut(S::F32_LANES) {
                let x = s.partial_load_f32s(part);
                let y = match FUNCTION {
                    'x' => exp(s, x),
                    'g' => gelu(s, x),
                    't' => gelu_tanh(s, x),
                    's' => gelu_slope(s, x),
                    _ => relu(s, x),
                };
                s.partial_store_f32s(part, y);
            }
        }
    }

    /// Every 509th number of the whole range of f32, about eight million: all
    /// exponents, both signs, subnormals, infinities.
    fn all() -> Vec<f32> {
        (0..=u32::MAX)
            .step_by(509)
            .map(f32::from_bits)
            .filter(|x| !x.is_nan())
            .collect()
    }

    /// The largest error of a function, with any instruction set, as `measure` has it.
    #[expect(
        clippy::float_cmp,
        clippy::cast_possible_truncation,
        reason = "f32 itself"
    )]
    fn worst<const FUNCTION: char>(
        exact: impl Fn(f64) -> f64,
        measure: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        let mut worst = 0.0_f64;
        let given = all();
        for isa in Isa::available() {
            let mut got = given.clone();
            isa.run(Map::<FUNCTION>(&mut got));
            for (&x, &y) in given.iter().zip(&got) {
                let exact = exact(f64::from(x));
                if y != exact as f32 {
                    let error = measure(f64::from(y), exact);
                    assert!(
                        !error.is_nan(),
                        "{isa:?} {FUNCTION}({x}) = {y}, not {exact}"
                    );
                    worst = worst.max(error);
                }
            }
        }
        println!("{FUNCTION}: {worst:e}");
        worst
    }

    #[test]
    fn exp_has_a_relative_error_below_1e_7() {
        let error = |y: f64, exact: f64| {
            // What f32 has only as subnormals may be 0.
            if y == 0.0 && exact < f64::from(f32::MIN_POSITIVE) * 1.000_01 {
                return 0.0;
            }
            (y - exact).abs() / exact
        };
        let worst = worst::<'x'>(f64::exp, error);
        assert!(worst < 1e-7, "{worst:e}");
    }

    /// Absolute up to 1, relative to |x| beyond.
    fn error(y: f64, exact: f64) -> f64 {
        (y - exact).abs() / exact.abs().max(1.0)
    }

    #[test]
    fn gelu_is_within_a_rounding() {
        let exact = |x: f64| x.max(0.0) - x.abs().min(40.0) * exact_tail(x.abs());
        let worst = worst::<'g'>(exact, error);
        assert!(worst < 1.2e-7, "{worst:e}");
    }

    fn exact_tail(a: f64) -> f64 {
        libm::erfc(a / std::f64::consts::SQRT_2) / 2.0
    }

    #[test]
    fn gelus_slope_is_within_2e_7() {
        let exact = |x: f64| {
            let a = x.abs().min(40.0);
            let density = (-a * a / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let slope = exact_tail(a) - a * density;
            if x < 0.0 { slope } else { 1.0 - slope }
        };
        let worst = worst::<'s'>(exact, error);
        assert!(worst < 2e-7, "{worst:e}");
    }

    #[test]
    fn gelu_tanh_is_within_2e_7() {
        let exact = |x: f64| {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            if u < -20.0 { 0.0 } else { 0.5 * x * (1.0 + u.tanh()) }
        };
        let worst = worst::<'t'>(exact, error);
        assert!(worst < 2e-7, "{worst:e}");
    }

    #[test]
    fn nan_stays_nan() {
        for isa in Isa::available() {
            let mut x = [[f32::NAN; 20]; 5];
            isa.run(Map::<'x'>(&mut x[0]));
            isa.run(Map::<'g'>(&mut x[1]));
            isa.run(Map::<'t'>(&mut x[2]));
            isa.run(Map::<'r'>(&mut x[3]));
            isa.run(Map::<'s'>(&mut x[4]));
            assert!(x.as_flattened().iter().all(|x| x.is_nan()), "{isa:?}: {x:?}");
        }
    }
}
