//! Checks for the exercises of chapter 8.

#![allow(clippy::float_cmp, reason = "what must not change is compared exactly")]

use ndarray::{Array1, Array2, array};

use super::assert_close;

/// Asserts that a number is the expected one, to a part in 10¹².
#[track_caller]
fn assert_number(found: f64, expected: f64, hint: &str) {
    let scale = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= 1e-12 * scale,
        "expected {expected}, but found {found}: {hint}"
    );
}

type Hidden = (Vec<u32>, Vec<Option<u32>>);

pub fn hide_pieces(
    hide_pieces: impl Fn(&[u32], &[(f64, f64)], u32, u32, &[u32]) -> Hidden,
) {
    const MASK: u32 = 4;
    const FIRST: u32 = 5; // not special itself
    let ids = [2, FIRST, 11, 12, 13, 14, 15, 3]; // [CLS] … [SEP]
    let other = [30, 31, 32, 33, 34, 35, 36, 37];
    let hide = |drawn: &[(f64, f64)]| hide_pieces(&ids, drawn, FIRST, MASK, &other);

    // Nothing is asked: 0.15 isn't below 0.15, whatever the second number is.
    let (shown, asked) =
        hide(&[0.15, 0.9, 0.3, 0.15, 0.5, 0.85, 0.99, 0.2].map(|first| (first, 0.1)));
    let hint = "only places whose first number is below 0.15 are asked";
    assert!(
        asked.iter().all(Option::is_none),
        "{hint}: here none is, but found {asked:?}"
    );
    assert_eq!(shown, ids, "a place that is not asked is shown as it is; {hint}");

    // Every place is drawn: all but the special ones are asked.
    let second = [0.1, 0.79, 0.8, 0.89, 0.9, 0.99, 0.0, 0.85];
    let (shown, asked) = hide(&second.map(|second| (0.149, second)));
    for (i, &id) in ids.iter().enumerate() {
        let special = id < FIRST;
        let not = if special { "" } else { " not" };
        assert!(
            asked.get(i).is_some_and(|asked| asked.is_none() == special),
            "piece {id} is{not} special, which are those below {FIRST}: special pieces \
             are never asked, the others wherever the first number is below 0.15, \
             whether or not they are changed. Found {asked:?}"
        );
    }
    let labels: Vec<_> = ids.map(|id| (id >= FIRST).then_some(id)).to_vec();
    assert_eq!(
        asked, labels,
        "what is asked is the piece that stood there, not what is shown"
    );
    let hint = "below 0.8 an asked piece is shown as `mask`, from there to below 0.9 as \
                `other`, from 0.9 on as it is: the second number alone decides, once";
    for (i, expected) in
        [(1, MASK), (6, MASK), (2, 32), (3, 33), (4, 13), (5, 14), (0, 2), (7, 3)]
    {
        let (found, second) = (shown[i], second[i]);
        assert!(
            !(found != expected && other.contains(&found) && other.contains(&expected)),
            "place {i} takes other[{i}] = {expected}, not {found}: `other` has one piece \
             for each place"
        );
        assert!(
            found == expected,
            "place {i}, with {second}, is shown as {expected}, but found {found}: {hint}"
        );
    }

    let drawn = [0.5, 0.1, 0.5, 0.1, 0.5, 0.5, 0.5, 0.1].map(|first| (first, 0.85));
    let (shown, asked) = hide(&drawn);
    let hint = "only places 1 and 3 are drawn and not special";
    assert_eq!(shown, [2, 31, 11, 33, 13, 14, 15, 3], "{hint}");
    let labels = [None, Some(5), None, Some(12), None, None, None, None];
    assert_eq!(asked, labels, "{hint}");
}

pub fn masked_loss(masked_loss: impl Fn(&Array2<f64>, &[Option<usize>]) -> f64) {
    let level = Array2::zeros((3, 4));
    let found = masked_loss(&level, &[Some(0), Some(3), Some(1)]);
    let hint = "with 4 equal logits, p is 1/4 and the loss −ln p = ln 4 = 1.386…: the \
                natural logarithm, with a minus, and the mean of the places, not the sum";
    assert_number(found, 4_f64.ln(), hint);

    let logits = array![[0.0, 3_f64.ln()], [0.0, 0.0], [7.0, -7.0], [0.0, 0.0]];
    let found = masked_loss(&logits, &[Some(1), None, None, Some(0)]);
    let hint = "p is 3/4 and 1/2 in the two places that are asked: the mean is over \
                these 2, not over all 4 places, and the others add nothing";
    assert_number(found, f64::midpoint((4_f64 / 3.0).ln(), 2_f64.ln()), hint);

    let found = masked_loss(&logits, &[None; 4]);
    assert!(found == 0.0, "nothing is asked: 0, not {found} (0 / 0 is NaN)");

    let large = array![[1000.0, 1000.0], [-1000.0, -1000.0]];
    for asked in [[Some(0), None], [None, Some(1)], [Some(0), Some(1)]] {
        let found = masked_loss(&large, &asked);
        let hint = "exp overflows from 710 on, and is 0 below −745: subtract each row's \
                    own maximum first";
        assert_number(found, 2_f64.ln(), hint);
    }
    let found = masked_loss(&array![[1000.0, 0.0]], &[Some(1)]);
    let hint = "p is e^−1000, which is 0 to a computer, but −ln p is 1000: don't take \
                the logarithm of a softmax, subtract logarithms";
    assert_number(found, 1000.0, hint);
    let found = masked_loss(&array![[1000.0, 999.0, 0.0]], &[Some(0)]);
    let hint = "−ln p is ln Σ exp(z − max) − (z[i] − max)";
    assert_number(found, (1.0 + (-1_f64).exp()).ln(), hint);
}

type Vectors<'a> = (&'a mut Array1<f64>, &'a mut Array1<f64>);

pub fn adamw_step(
    adamw_step: impl Fn(&mut Array1<f64>, &Array1<f64>, Vectors, i32, f64),
) {
    let assert_near = |found: f64, expected: f64, hint: &str| {
        let near = (found - expected).abs() < 1e-3;
        assert!(near, "expected about {expected}, but found {found}: {hint}");
    };
    // One weight at a time: (theta, m, v) after the step.
    let step = |(theta, m, v): (f64, f64, f64), gradient: f64, steps, rate| {
        let (mut theta, mut m, mut v) = (array![theta], array![m], array![v]);
        adamw_step(&mut theta, &array![gradient], (&mut m, &mut v), steps, rate);
        (theta[0], m[0], v[0])
    };

    let (theta, m, v) = step((2.0, 0.0, 0.0), 0.0, 0, 0.5);
    assert!(
        !theta.is_nan(),
        "a gradient of 0 gives 0 / 0: the first step has t = steps + 1 = 1 (1 − β⁰ is 0), \
         and ε is added to the root"
    );
    let hint = "the decay is decoupled: λ θ is no part of the gradient, and with a \
                gradient of 0 m and v stay 0";
    assert_number(m, 0.0, hint);
    assert_number(v, 0.0, hint);
    let hint = "with a gradient of 0 only the decay is left: θ − η λ θ = 2 − 0.5 · 0.01 \
                · 2, with the learning rate as a factor";
    assert_number(theta, 1.99, hint);

    let (theta, m, v) = step((0.0, 0.0, 0.0), -4.0, 0, 0.1);
    assert!(
        theta.is_finite(),
        "1 − β⁰ is 0: the first step has t = steps + 1 = 1, but found θ = {theta}"
    );
    let hint = "m is 0.9 m + 0.1 g, here 0.1 · (−4), and is kept so: only a copy is \
                divided by 1 − β₁ᵗ";
    assert_number(m, -0.4, hint);
    let hint = "v is 0.999 v + 0.001 g², here 0.001 · 16: of the square of the gradient, \
                with β₂, and kept so, as only a copy is divided by 1 − β₂ᵗ";
    assert_number(v, 0.016, hint);
    let hint = "the first step is as long as the learning rate, whatever the gradient, \
                and against it: m / (1 − β₁) is g, and v / (1 − β₂) is g². Without these \
                divisions it is three times as long; without the root, another length";
    assert_near(theta, 0.1, hint); // ε and the order of the lines: below

    let (theta, _, _) = step((10.0, 0.0, 0.0), 2.0, 0, 0.5);
    let hint = "the decay comes first, of the weight as it was: 10 − 0.5 · 0.01 · 10, and \
                only then the step of 0.5";
    assert_near(theta, 9.45, hint);

    let (theta, _, _) = step((0.0, 0.0, 0.0), 1e-8, 0, 1.0);
    let hint = "ε = 1e-8 is added to the root of the corrected v, not inside the root \
                and not before the correction: with g = 1e-8 the step is halved";
    assert_number(theta, -0.5, hint);

    // A later step: t = 3.
    let (theta, m, v) = step((1.0, 0.5, 0.04), 2.0, 2, 0.1);
    assert_number(m, 0.65, "m is 0.9 m + 0.1 g, here 0.45 + 0.2");
    assert_number(v, 0.04396, "v is 0.999 v + 0.001 g², here 0.03996 + 0.004");
    let mean = 0.65 / (1.0 - 0.9 * 0.9 * 0.9);
    let square: f64 = 0.04396 / (1.0 - 0.999 * 0.999 * 0.999);
    let hint = "after 2 steps this is the third: t = 3, and the divisions are by 1 − 0.9³ \
                and 1 − 0.999³, of m and v with this gradient taken in";
    assert_number(theta, 0.999 - 0.1 * mean / (square.sqrt() + 1e-8), hint);

    let mut theta = array![1.0, 0.0, -1.0];
    let (mut m, mut v) = (Array1::zeros(3), Array1::zeros(3));
    let gradient = array![1e3, 0.0, -1e-3];
    adamw_step(&mut theta, &gradient, (&mut m, &mut v), 0, 1e-2);
    let moved = 1e-3 / (1e-3 + 1e-8) * 1e-2;
    let expected = array![0.9999 - 1e3 / (1e3 + 1e-8) * 1e-2, 0.0, -0.9999 + moved];
    let hint = "each weight has its own m and v: a small gradient moves its weight as \
                far as a large one.";
    assert_close(&theta, &expected, hint);
}

pub fn learning_rate(learning_rate: impl Fn(u64, f64, u64, u64) -> f64) {
    let rate = |step| learning_rate(step, 2.0, 4, 12);
    let hint =
        "the first step, 0, has the rate 0: step / warmup, not (step + 1) / warmup";
    assert_number(rate(0), 0.0, hint);
    let hint = "the warm-up is peak · step / warmup: half of the peak at half of it, as \
                a division of f64, not of whole numbers, which gives 0";
    assert_number(rate(2), 1.0, hint);
    assert_number(rate(3), 1.5, hint);
    let hint = "the peak is reached at step `warmup`, and from there the way down is \
                counted: (total − step) / (total − warmup)";
    assert_number(rate(4), 2.0, hint);
    let hint = "half of the way down, at step 8 of 4 to 12, is half of the peak: a \
                straight line";
    assert_number(rate(8), 1.0, hint);
    let hint = "the way down is one straight line, an eighth of the peak each step";
    assert_number(rate(5), 1.75, hint);
    assert_number(rate(11), 0.25, hint);
    for step in [12, 13, 20] {
        let hint = "0 from step `total` on, and never negative";
        assert_number(rate(step), 0.0, hint);
    }

    for (step, expected) in [(0, 3.0), (1, 2.25), (3, 0.75), (4, 0.0)] {
        let found = learning_rate(step, 3.0, 0, 4);
        let hint = "with a warm-up of 0 the way down begins at once, with the peak at \
                    step 0: don't divide by warmup = 0";
        assert_number(found, expected, hint);
    }
    for (step, expected) in [(0, 0.0), (1, 1.5), (2, 0.0), (3, 0.0)] {
        let found = learning_rate(step, 3.0, 2, 2);
        let hint = "with warmup = total the way up is all there is, and step `total` has \
                    0: don't divide by total − warmup = 0";
        assert_number(found, expected, hint);
    }
}

pub fn clip(clip: impl Fn(&mut [Array1<f64>], f64) -> f64) {
    // PyTorch's clip_grad_norm_ divides by the length + 1e-6: that is as good.
    #[track_caller]
    fn assert_gradients(found: &[Array1<f64>], expected: &[Array1<f64>], hint: &str) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * b.abs();
        let all = |(a, b): (&Array1<f64>, &Array1<f64>)| a.iter().zip(b).all(near);
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(all),
            "expected {expected:?}, but found {found:?}: {hint}"
        );
    }
    let long = || [array![3.0, 4.0], array![-12.0]]; // √(9 + 16 + 144) = 13

    let mut gradients = long();
    let length = clip(&mut gradients, 100.0);
    let hint = "together they are 13 long, less than 100: shorter gradients are left \
                alone, not lengthened";
    assert!(gradients == long(), "{hint}. Found {gradients:?}");
    let hint = "the length is √(3² + 4² + 12²) = 13: the root of the sum of all squares, \
                not the sum of the gradients' own lengths, nor the largest number";
    assert_number(length, 13.0, hint);

    let mut gradients = long();
    let length = clip(&mut gradients, 6.5);
    let hint = "they are 13 long together, twice the limit of 6.5: all are divided by 2, \
                so that their direction stays; no gradient and no number is cut alone";
    assert_gradients(&gradients, &[array![1.5, 2.0], array![-6.0]], hint);
    let hint = "the answer is how long they were, 13, and not how long they are now";
    assert_number(length, 13.0, hint);

    let mut gradients = [array![6.0], array![6.0], array![7.0]];
    clip(&mut gradients, 10.0);
    let hint = "each is shorter than 10 alone, but together they are 11";
    let expected = [6.0, 6.0, 7.0].map(|number| array![number * 10.0 / 11.0]);
    assert_gradients(&gradients, &expected, hint);

    let mut gradients = [array![0.3], array![0.4]];
    let length = clip(&mut gradients, 0.4);
    let hint =
        "0.5 is more than 0.4, even if the square, 0.25, is not: compare the length";
    assert_gradients(&gradients, &[array![0.24], array![0.32]], hint);
    assert_number(length, 0.5, hint);

    let mut gradients = [array![0.0, 0.0], array![0.0]];
    let length = clip(&mut gradients, 1.0);
    let still = gradients.iter().flatten().all(|&number| number == 0.0);
    assert!(still && length == 0.0, "zeros stay zeros (0 / 0 is NaN): {gradients:?}");
}

pub fn gained_beside(
    gained_beside: impl Fn(&[u32], &[u32], &[u32]) -> (f64, f64, f64),
) {
    // Right with both, right alone, right beside (twice), wrong with both (thrice), and
    // right alone again.
    let labels = [10, 11, 12, 13, 14, 15, 16, 17];
    let alone = [10, 11, 0, 0, 1, 2, 3, 17];
    let beside = [10, 0, 12, 13, 1, 3, 2, 0];
    let (right_alone, right_beside, gained) = gained_beside(&labels, &alone, &beside);
    let hint = "3 of the 8 pieces are guessed alone: a share of all pieces, from 0 to 1, \
                as a division of f64. The first of the three is alone";
    assert_number(right_alone, 3.0 / 8.0, hint);
    let hint = "3 of the 8 pieces are guessed with the translation beside";
    assert_number(right_beside, 3.0 / 8.0, hint);
    let hint = "2 of the 8 pieces are right beside and wrong alone. The difference of \
                the shares is 0 here, as 2 others were lost; those wrong both times, or \
                right both times, don't count; and the share is of all 8 pieces";
    assert_number(gained, 2.0 / 8.0, hint);

    let found = gained_beside(&[7, 8, 9, 9], &[1, 1, 1, 9], &[7, 8, 1, 1]);
    let hint = "of 4 pieces 1 is right alone, 2 are beside, and the same 2 are gained";
    assert_number(found.0, 1.0 / 4.0, hint);
    assert_number(found.1, 2.0 / 4.0, hint);
    assert_number(found.2, 2.0 / 4.0, hint);
    let found = gained_beside(&[7, 8], &[7, 1], &[1, 1]);
    let hint =
        "what is lost with the translation is not gained: a share isn't negative";
    assert_number(found.2, 0.0, hint);
    let found = gained_beside(&[], &[], &[]);
    assert!(found == (0.0, 0.0, 0.0), "none is hidden: all 0, not {found:?}");
}

pub fn anti_diagonal(anti_diagonal: impl Fn(&Array2<f64>) -> f64) {
    // Two letters and the end.
    let weights = array![[0.25, 0.75, 0.0], [0.375, 0.5, 0.125], [0.0, 0.0, 1.0]];
    let hint = "2 letters, so n = 2: the first letter written looks at the last one read, \
                0.75, the second at the first, 0.375, and the mean is 0.5625. The last row \
                and column are the end's; the main diagonal is what copying looks at";
    assert_number(anti_diagonal(&weights), 0.5625, hint);

    let perfect = array![
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ];
    let hint = "3 letters that look where they should: 1, a mean over 3, not over 4";
    assert_number(anti_diagonal(&perfect), 1.0, hint);
    let level = Array2::from_elem((5, 5), 0.2);
    let hint = "attention spread over 5 places gives each a fifth: count the shares as \
                they are, not the largest ones, nor shares of what is left without the end";
    assert_number(anti_diagonal(&level), 0.2, hint);
    let one = array![[0.875, 0.125], [0.5, 0.5]];
    assert_number(anti_diagonal(&one), 0.875, "one letter looks at itself");
}
