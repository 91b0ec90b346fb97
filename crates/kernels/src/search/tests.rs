//! Every kernel against the portable one, and the portable one against values computed by hand.

use proptest::prelude::*;

use super::{Kernel, f16};

fn floats(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.0_f32..1.0, count)
}

fn halves(values: &[f32]) -> Vec<f16> {
    values.iter().map(|&value| f16::from_f32(value)).collect()
}

/// Vectors and rows of the same, arbitrary length.
fn shapes() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>)> {
    let dims = prop_oneof![1..70_usize, Just(128), Just(384), Just(1032)];
    (dims, 1..15_usize, 0..15_usize).prop_flat_map(|(dim, vectors, rows)| {
        (Just(dim), floats(vectors * dim), floats(rows * dim))
    })
}

/// The product in f64, and the error that sums of f32 may have.
fn naive(vector: &[f32], row: &[f32]) -> (f64, f64) {
    let terms = vector.iter().zip(row).map(|(&a, &b)| f64::from(a) * f64::from(b));
    let size: f64 = terms.clone().map(f64::abs).sum();
    (terms.sum(), 1e-6 * size + 1e-30)
}

/// The largest score, and the first row that has it.
fn first_best(scores: &[f32]) -> (f32, u32) {
    let nothing = (f32::NEG_INFINITY, 0);
    scores.iter().zip(0..).fold(
        nothing,
        |best, (&score, row)| {
            if score > best.0 { (score, row) } else { best }
        },
    )
}

fn bits(scores: &[f32]) -> Vec<u32> {
    // + 0 makes 0 of -0, which equals it
    scores.iter().map(|score| (score + 0.0).to_bits()).collect()
}

#[test]
fn products_by_hand() {
    for kernel in Kernel::available() {
        let mut scores = [9.0; 3];
        kernel.dots(&[1.0, 2.0], &[3.0, 4.0, -1.0, 0.5, 0.0, 1.0], &mut scores);
        assert_eq!(scores, [11.0, 0.0, 2.0], "{kernel:?}");
        let rows = halves(&[3.0, 4.0, -1.0, 0.5, 0.0, 1.0]);
        kernel.dots_half(&[1.0, 2.0], &rows, &mut scores);
        assert_eq!(scores, [11.0, 0.0, 2.0], "{kernel:?}");
    }
}

#[test]
fn the_first_of_equal_rows_is_the_best() {
    let rows = halves(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, -1.0, 0.0]);
    let nothing = (f32::NEG_INFINITY, 7);
    for kernel in Kernel::available() {
        let mut best = [nothing, nothing, (5.0, 7)];
        kernel.best_rows(&[1.0, 0.0, 0.0, 2.0, 1.0, 1.0], 2, &rows, &mut best);
        assert_eq!(best, [(1.0, 1), (2.0, 0), (5.0, 7)], "{kernel:?}");
        kernel.best_rows(&[1.0, 0.0, 0.0, 2.0, 1.0, 1.0], 2, &[], &mut best);
        assert_eq!(best, [(1.0, 1), (2.0, 0), (5.0, 7)], "{kernel:?}");
    }
}

#[test]
fn a_product_that_is_no_number_is_never_best() {
    let rows = [f16::NAN, f16::ZERO, f16::ONE, f16::ONE];
    for kernel in Kernel::available() {
        let mut best = [(f32::NEG_INFINITY, 0)];
        kernel.best_rows(&[1.0, 0.0], 2, &rows, &mut best);
        assert_eq!(best, [(1.0, 1)], "{kernel:?}");
    }
}

#[test]
fn every_half_widens_and_rounds_to_itself() {
    let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    for kernel in Kernel::available() {
        let (mut wide, mut narrow) = (vec![0.0; all.len()], vec![f16::ZERO; all.len()]);
        kernel.to_floats(&all, &mut wide);
        kernel.to_halves(&wide, &mut narrow);
        for ((half, wide), narrow) in all.iter().zip(&wide).zip(&narrow) {
            let equal =
                half.to_f32().to_bits() == wide.to_bits() && half.to_bits() == narrow.to_bits();
            assert!(
                equal || (half.is_nan() && wide.is_nan() && narrow.is_nan()),
                "{kernel:?} {half}"
            );
        }
    }
}

#[test]
fn halves_are_rounded_to_nearest_even() {
    // halves near 1 are 2^-10 apart, and 65520 is half way from the largest to 2^16
    let step = 2.0_f32.powi(-10);
    let floats = [1.0 + 0.5 * step, 1.0 + 1.5 * step, 1.0 + 0.51 * step, 65519.0, 65520.0, -1e9];
    let floats: Vec<f32> = floats.into_iter().cycle().take(40).collect();
    let wanted = [1.0, 1.0 + 2.0 * step, 1.0 + step, 65504.0, f32::INFINITY, f32::NEG_INFINITY];
    for kernel in Kernel::available() {
        let mut rounded = vec![f16::ZERO; floats.len()];
        kernel.to_halves(&floats, &mut rounded);
        for (half, wanted) in rounded.iter().zip(wanted.iter().cycle()) {
            assert_eq!(half.to_f32(), *wanted, "{kernel:?}");
        }
    }
}

#[test]
fn a_hadamard_transform_by_hand() {
    for kernel in Kernel::available() {
        let mut values = [1.0, 2.0, 3.0, 4.0];
        kernel.hadamard(&mut values);
        // sums with signs + + + +, + - + -, + + - -, + - - +
        assert_eq!(values, [10.0, -2.0, -4.0, 0.0], "{kernel:?}");
    }
}

proptest! {
    #[test]
    fn products_are_right((dim, vectors, rows) in shapes()) {
        let vector = &vectors[..dim];
        for kernel in Kernel::available() {
            let mut scores = vec![0.0; rows.len() / dim];
            kernel.dots(vector, &rows, &mut scores);
            for (&score, row) in scores.iter().zip(rows.chunks(dim)) {
                let (exact, bound) = naive(vector, row);
                prop_assert!((f64::from(score) - exact).abs() <= bound, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn a_row_scores_the_same_wherever_it_is_multiplied((dim, vectors, rows) in shapes()) {
        let rows = halves(&rows);
        for kernel in Kernel::available() {
            let mut wide = vec![0.0; rows.len()];
            kernel.to_floats(&rows, &mut wide);
            let mut best = vec![(f32::NEG_INFINITY, 0); vectors.len() / dim];
            kernel.best_rows(&vectors, dim, &rows, &mut best);
            for (vector, best) in vectors.chunks(dim).zip(best) {
                let mut of_wide = vec![0.0; wide.len() / dim];
                let mut of_halves = of_wide.clone();
                kernel.dots(vector, &wide, &mut of_wide);
                kernel.dots_half(vector, &rows, &mut of_halves);
                prop_assert_eq!(bits(&of_wide), bits(&of_halves), "{:?}", kernel);
                let wanted = first_best(&of_halves);
                prop_assert_eq!(best, wanted, "{:?}", kernel);
                let mut alone = [0.0];
                if let Some(row) = rows.chunks(dim).last() {
                    kernel.dots_half(vector, row, &mut alone);
                    prop_assert_eq!(bits(&alone), bits(&of_halves[of_halves.len() - 1..]));
                }
            }
        }
    }

    #[test]
    fn all_kernels_with_fused_instructions_agree((dim, vectors, rows) in shapes()) {
        let scores = |kernel: Kernel| {
            let mut scores = vec![0.0; rows.len() / dim];
            kernel.dots(&vectors[..dim], &rows, &mut scores);
            bits(&scores)
        };
        let fused = Kernel::available().into_iter().filter(|&kernel| kernel != Kernel::Portable);
        let all: Vec<_> = fused.map(scores).collect();
        prop_assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn hadamard_transforms_are_the_same_bits(power in 0..11_u32, values in floats(1024)) {
        let transformed = |kernel: Kernel| {
            let mut values = values[..1 << power].to_vec();
            kernel.hadamard(&mut values);
            values
        };
        let all: Vec<_> = Kernel::available().into_iter().map(transformed).collect();
        prop_assert!(all.iter().all(|values| *values == all[0]));
    }

    #[test]
    fn a_hadamard_transform_twice_is_a_multiple(power in 0..11_u32, values in floats(1024)) {
        let mut twice = values[..1 << power].to_vec();
        Kernel::Portable.hadamard(&mut twice);
        Kernel::Portable.hadamard(&mut twice);
        for (twice, once) in twice.iter().zip(&values) {
            prop_assert!((twice / (1 << power) as f32 - once).abs() < 1e-5);
        }
    }
}
