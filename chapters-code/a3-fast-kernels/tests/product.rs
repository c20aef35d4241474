//! The tiles give what the formula gives, and the bits that `kernels` gives.

use std::time::Duration;

use fast_kernels::measure::{Measured, intensity};
use fast_kernels::sums::{by_blocks, error, exact};
use fast_kernels::{FastError, Packed, Result, Weight};
use kernels::{Epilogue, PackedLinear};

fn values(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.61 + seed).sin()).collect()
}

#[test]
fn tiles_of_any_height_give_kernels_bits() -> Result<()> {
    for (rows, k, outputs) in [(1, 64, 1), (5, 128, 37), (13, 192, 64), (24, 64, 33)] {
        let (x, w) = (values(rows * k, 0.1), values(outputs * k, 0.2));
        let layer = PackedLinear::new(&w, None, k, outputs)?;
        let mut expected = vec![f32::NAN; rows * outputs];
        layer.forward(&x, rows, Epilogue::None, &mut expected)?;
        let weight = Weight::new(w, k)?;
        let packed = Packed::new(&weight)?;
        for y in [
            packed.forward::<1>(&x)?,
            packed.forward::<2>(&x)?,
            packed.forward::<6>(&x)?,
            packed.forward::<8>(&x)?,
        ] {
            assert_eq!(y, expected, "{rows} rows, {k} → {outputs}");
        }
        let y = weight.one_by_one(&x)?;
        assert_eq!(y.len(), rows * outputs);
        for (y, expected) in y.iter().zip(&expected) {
            assert!((y - expected).abs() < 1e-4, "{y}, not {expected}");
        }
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() {
    let message = |error: FastError| error.to_string();
    let depth = |k| Weight::new(vec![0.0; 640], k).map(|_| ()).map_err(message);
    assert_eq!(depth(0).unwrap_err(), "k is 0: give a multiple of 64 above 0");
    assert_eq!(depth(100).unwrap_err(), "k is 100: give a multiple of 64 above 0");
    let expected = "W has 640 values: give whole rows of 192, at least one";
    assert_eq!(depth(192).unwrap_err(), expected);
    let weight = Weight::new(vec![0.0; 640], 64).unwrap();
    let expected = "x has 65 values: give whole rows of 64, at least one";
    let packed = Packed::new(&weight).unwrap();
    assert_eq!(message(packed.forward::<4>(&[0.0; 65]).unwrap_err()), expected);
    assert_eq!(message(weight.one_by_one(&[0.0; 65]).unwrap_err()), expected);
    assert!(matches!(weight.one_by_one(&[]), Err(FastError::Rows { found: 0, .. })));
}

#[test]
fn a_sum_by_blocks_is_that_of_the_blocks() {
    let (a, b) = (values(10, 0.3), values(10, 0.4));
    let part = |range: std::ops::Range<usize>| {
        a[range.clone()].iter().zip(&b[range]).fold(0.0, |sum, (a, b)| sum + a * b)
    };
    let expected = part(0..4) + part(4..8) + part(8..10);
    assert_eq!(by_blocks(&a, &b, 4).unwrap().to_bits(), expected.to_bits());
    assert!((exact(&a, &b).unwrap() - f64::from(expected)).abs() < 1e-6);
    assert!(matches!(by_blocks(&a, &b, 0), Err(FastError::BlockSize)));
    assert!(matches!(by_blocks(&a, &b[1..], 4), Err(FastError::Lengths(10, 9))));
    assert!(matches!(exact(&a, &b[1..]), Err(FastError::Lengths(10, 9))));
}

/// The control of the page's claim: fewer roundings in a row, smaller errors.
#[test]
fn blocks_make_long_sums_more_exact() {
    let [one, blocks] = [3072, 64].map(|block| error(3072, block, 200).unwrap());
    assert!(blocks < 0.5 * one, "{blocks} beside {one}");
    assert!(error(64, 1, 1).unwrap() < 1e-5);
}

#[test]
fn the_record_is_a_whole_one() {
    let record = Measured::of_the_book().unwrap();
    assert!(record.machine.contains(", "), "{}", record.machine);
    assert!((record.roof(1e9) - record.steps.peak).abs() < 1e-9);
    assert!((record.roof(0.5) - 0.5 * record.bandwidth).abs() < 1e-9);
    assert!((intensity(16) - 8.0).abs() < 1e-12);
    let [heights, rows] = [&record.steps.tiles, &record.rows];
    assert_eq!(
        heights.iter().map(|one| one.0).collect::<Vec<_>>(),
        [1, 2, 4, 6, 8, 12]
    );
    assert_eq!((rows.len(), rows[9].0), (10, 512));
}

#[test]
fn steps_can_be_measured() {
    let steps = fast_kernels::measure::Steps::here(Duration::ZERO).unwrap();
    let speeds = steps.tiles.iter().map(|one| one.1).chain([steps.peak, steps.kernels]);
    assert!(speeds.chain([steps.one_by_one]).all(|speed| speed > 0.0), "{steps:?}");
}
