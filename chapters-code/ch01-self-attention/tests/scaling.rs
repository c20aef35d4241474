//! The experiment behind the division by √d_k.

use ndarray::{Array1, array};
use self_attention::numpy::NumpyRandom;
use self_attention::scaling::{dot_products, largest_weights, unit_variance};

fn mean_and_variance(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let values: Array1<f64> = values.into_iter().collect();
    (values.mean().unwrap(), values.var(0.0))
}

#[test]
fn numbers_have_mean_0_and_variance_1_and_stay_within_the_root_of_3() {
    let x = unit_variance(&mut NumpyRandom::seed(1), 100, 200);
    assert_eq!(x.dim(), (100, 200));
    let bound = 3_f64.sqrt();
    assert!(x.iter().all(|value| (-bound..bound).contains(value)));
    // Five standard errors of 20 000 draws: 5 / √20 000 < 0.036, of the variance less.
    let (mean, variance) = mean_and_variance(x);
    assert!(mean.abs() < 0.036 && (variance - 1.0).abs() < 0.036, "{mean} {variance}");
}

#[test]
fn a_dot_product_s_variance_is_its_width() {
    for d_k in [1, 4, 64] {
        let products = dot_products(d_k, 4000, 2);
        assert_eq!(products.len(), 4000);
        let (mean, variance) = mean_and_variance(products);
        let ratio = variance / d_k as f64;
        assert!((0.85..1.15).contains(&ratio), "d_k {d_k}: {ratio}");
        assert!(mean.abs() < 0.1 * (d_k as f64).sqrt(), "d_k {d_k}: {mean}");
    }
}

#[test]
fn the_largest_weight_is_each_row_s_own() {
    let weights = array![[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]];
    assert_eq!(largest_weights(&weights), array![0.7, 0.5]);
}
