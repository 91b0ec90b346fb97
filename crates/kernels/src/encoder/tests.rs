//! Every kernel against the portable one, and the portable one against values computed by hand.

use proptest::prelude::*;

use super::lines::{Pair, PanelLine, parts};
use super::{Kernel, Norm, Output, PackedRows, Panels, RowBlock, Rows};

#[test]
fn a_product_by_hand() {
    for kernel in Kernel::available() {
        // rows (1 2) and (3 4), weights (1 0), (0 1), (1 1), bias (0 0 10)
        let panels = Panels::of_weights(kernel, &[1., 0., 0., 1., 1., 1.], &[0., 0., 10.]);
        let mut output = [0.0; 6];
        let rows = Rows::all(&[1., 2., 3., 4.], 2);
        panels.multiply(rows, &mut PackedRows::default(), &mut Output::all(&mut output, 3));
        assert_eq!(output, [1., 2., 13., 3., 4., 17.], "{kernel:?}");
    }
}

#[test]
fn parts_are_few_and_alike() {
    assert_eq!(parts(33, 8).collect::<Vec<_>>(), [(0, 6), (6, 7), (13, 6), (19, 7), (26, 7)]);
    assert_eq!(parts(16, 8).collect::<Vec<_>>(), [(0, 8), (8, 8)]);
    assert_eq!(parts(0, 8).count(), 0);
}

#[test]
fn softmax_by_hand() {
    for kernel in Kernel::available() {
        let mut scores = [0.0, 2.0 * 2.0_f32.ln(), f32::NEG_INFINITY];
        // 2 ln 2 at scale one half: twice as much as 0
        let sum = kernel.softmax(&mut scores, 0.5);
        let shares = scores.map(|score| score / sum);
        assert!((shares[0] - 1.0 / 3.0).abs() < 1e-6, "{kernel:?} {shares:?}");
        assert!((shares[1] - 2.0 / 3.0).abs() < 1e-6 && shares[2] < 1e-37, "{kernel:?} {shares:?}");
    }
}

#[test]
fn layer_norm_by_hand() {
    let norm = Norm { scale: vec![1.0, 2.0], shift: vec![0.0, 10.0], epsilon: 0.0 };
    for kernel in Kernel::available() {
        // 1 and 5 have mean 3 and deviation 2
        let mut values = [0.0, 2.0];
        kernel.layer_norm(&mut values, &[1.0, 3.0], &norm);
        assert_eq!(values, [-1.0, 12.0], "{kernel:?}");
    }
}

#[test]
fn gelu_is_exact_enough_everywhere() {
    for kernel in Kernel::available() {
        let inputs: Vec<f32> = (-20_000..=20_000).map(|i| i as f32 / 1000.0).collect();
        let (mut erf, mut tanh) = (inputs.clone(), inputs.clone());
        kernel.gelu(&mut erf);
        kernel.gelu_tanh(&mut tanh);
        for ((&x, erf), tanh) in inputs.iter().zip(erf).zip(tanh) {
            let x = f64::from(x);
            let wanted = (0.5 * x * (1.0 + exact_erf(x / 2_f64.sqrt())), exact_gelu_tanh(x));
            let slack = 1e-6 * x.abs().max(1.0);
            assert!((f64::from(erf) - wanted.0).abs() < slack, "{kernel:?} gelu({x}) = {erf}");
            assert!((f64::from(tanh) - wanted.1).abs() < slack, "{kernel:?} tanh({x}) = {tanh}");
        }
    }
}

#[test]
fn numbers_that_are_not_numbers_stay_so() {
    for kernel in Kernel::available() {
        let mut values = [f32::NAN; 40];
        kernel.gelu(&mut values);
        assert!(values.iter().all(|value| value.is_nan()), "{kernel:?}");
    }
}

/// The error function by its Maclaurin series, or by its continued fraction far out.
fn exact_erf(x: f64) -> f64 {
    if x.abs() < 3.0 {
        let mut term = x;
        let mut sum = x;
        for n in 1..60 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let fraction = (1..60).rev().fold(x.abs(), |below, n| x.abs() + f64::from(n) / 2.0 / below);
    (1.0 - (-x * x).exp() / fraction / std::f64::consts::PI.sqrt()).copysign(x)
}

fn exact_gelu_tanh(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
}

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The sum of products in f64, of the numbers that the kernel sees.
fn naive(kernel: Kernel, row: &[f32], column: &[f32], bias: f32) -> f64 {
    let seen = |value| if kernel.is_bf16() { Pair::new(value, 0.0).values().0 } else { value };
    let product = |(&a, &b): (&f32, &f32)| f64::from(seen(a)) * f64::from(seen(b));
    row.iter().zip(column).map(product).sum::<f64>() + f64::from(bias)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_equal_naive_sums(
        (rows, columns, depth) in (1..70_usize, 1..90_usize, 1..150_usize),
        (room, seed) in (0..5_usize, any::<u64>()),
    ) {
        let weights = numbers(columns * depth, seed);
        let bias = numbers(columns, seed ^ 1);
        let stride = depth + room;
        let left = numbers(rows * stride, seed ^ 2);
        for kernel in Kernel::available() {
            let panels = Panels::of_weights(kernel, &weights, &bias);
            let part = Rows { values: &left, stride, count: rows, width: depth };
            let mut output = vec![f32::NAN; rows * (columns + room)];
            let mut target = Output { values: &mut output, stride: columns + room };
            panels.multiply(part, &mut PackedRows::default(), &mut target);
            for (row, outputs) in output.chunks_exact(columns + room).enumerate() {
                for (column, &found) in outputs[..columns].iter().enumerate() {
                    let weights = &weights[column * depth..][..depth];
                    let wanted = naive(kernel, part.row(row), weights, bias[column]);
                    prop_assert!((f64::from(found) - wanted).abs() < 1e-4, "{kernel:?} {found} {wanted}");
                }
                prop_assert!(outputs[columns..].iter().all(|value| value.is_nan()), "{kernel:?}");
            }
            // the same bits, whatever rows are computed with it
            let last = Rows { values: &left[(rows - 1) * stride..], count: 1, ..part };
            let mut alone = vec![f32::NAN; columns];
            panels.multiply(last, &mut PackedRows::default(), &mut Output::all(&mut alone, columns));
            prop_assert_eq!(&output[(rows - 1) * (columns + room)..][..columns], &alone[..]);
        }
    }

    #[test]
    fn pieces_and_some_panels_give_the_bits_of_the_whole(
        (rows, columns, depth) in (1..40_usize, 1..90_usize, 2..100_usize),
        (row, column, panel) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        seed in any::<u64>(),
    ) {
        let (weights, bias) = (numbers(columns * depth, seed), numbers(columns, seed ^ 1));
        let left = numbers(rows * depth, seed ^ 2);
        let (row, column) = (row.index(rows), column.index(depth) / 2 * 2);
        let piece = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| RowBlock {
            row: rows.start,
            column: columns.start,
            rows: Rows {
                values: &left[rows.start * depth + columns.start..],
                stride: depth,
                count: rows.len(),
                width: columns.len(),
            },
        };
        // empty ones among them
        let pieces = [
            piece(0..row, 0..column), piece(0..row, column..depth),
            piece(row..rows, 0..column), piece(row..rows, column..depth),
        ];
        for kernel in Kernel::available() {
            let panels = Panels::of_weights(kernel, &weights, &bias);
            let mut whole = vec![f32::NAN; rows * columns];
            panels.multiply(Rows::all(&left, depth), &mut PackedRows::default(), &mut Output::all(&mut whole, columns));
            let cut = panel.index(panels.count() + 1);
            for some in [0..cut, cut..panels.count()] {
                let wanted = panels.columns_of(&some);
                let mut part = vec![f32::NAN; rows * wanted.len()];
                let mut output = Output::all(&mut part, wanted.len());
                panels.multiply_some(some, &pieces, &mut PackedRows::default(), &mut output);
                for (whole, part) in whole.chunks(columns).zip(part.chunks(wanted.len().max(1))) {
                    prop_assert_eq!(&whole[wanted.clone()], part, "{:?}", kernel);
                }
            }
        }
    }

    #[test]
    fn panels_of_rows_equal_panels_of_their_transpose(
        (rows, width, seed) in (1..70_usize, 1..70_usize, any::<u64>()),
    ) {
        let values = numbers(rows * width, seed);
        let transposed: Vec<f32> =
            (0..width).flat_map(|x| (0..rows).map(move |y| (x, y))).map(|(x, y)| values[y * width + x]).collect();
        let left = numbers(3 * rows, seed ^ 1);
        for kernel in Kernel::available() {
            let product = |panels: &Panels| {
                let mut output = vec![f32::NAN; 3 * width];
                let mut target = Output::all(&mut output, width);
                panels.multiply(Rows::all(&left, rows), &mut PackedRows::default(), &mut target);
                output
            };
            let (mut as_they_are, mut turned) = (Panels::empty(kernel), Panels::empty(kernel));
            // previous content is overwritten
            as_they_are.fill(Rows::all(&numbers(7 * 9, 1), 9));
            turned.fill_transposed(Rows::all(&numbers(40 * 9, 1), 9));
            as_they_are.fill(Rows::all(&values, width));
            turned.fill_transposed(Rows::all(&transposed, rows));
            prop_assert_eq!(product(&as_they_are), product(&turned), "{:?}", kernel);
        }
    }

    #[test]
    fn lines_are_packed_alike((width, count, seed) in (1..100_usize, 1..17_usize, any::<u64>())) {
        let values = numbers(width * count, seed);
        for kernel in Kernel::available().into_iter().filter(|kernel| kernel.is_bf16()) {
            let mut pairs = [vec![Pair::default(); 64], vec![Pair::default(); 64]];
            kernel.to_pairs(&values[..width], &mut pairs[0]);
            super::portable::to_pairs(&values[..width], &mut pairs[1]);
            prop_assert_eq!(&pairs[0], &pairs[1]);
            let mut lines = [vec![PanelLine::<f32>::default(); width], vec![PanelLine::default(); width]];
            kernel.transpose(&values, width, count, &mut lines[0]);
            super::portable::transpose(&values, width, count, &mut lines[1]);
            let [found, wanted] = lines.map(|lines| lines.into_iter().flat_map(|line| line.0).collect::<Vec<_>>());
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn what_lies_between_products_is_alike(
        (count, scale, seed) in (1..200_usize, 0.01..2_f32, any::<u64>()),
    ) {
        let values = numbers(count, seed);
        let norm = Norm { scale: numbers(count, seed ^ 1), shift: numbers(count, seed ^ 2), epsilon: 1e-12 };
        let run = |kernel: Kernel| {
            let mut parts = [values.clone(), values.clone(), values.clone(), values.clone()];
            kernel.gelu(&mut parts[0]);
            kernel.gelu_tanh(&mut parts[1]);
            kernel.layer_norm(&mut parts[2], &numbers(count, seed ^ 3), &norm);
            let sum = kernel.softmax(&mut parts[3], scale);
            parts[3].iter_mut().for_each(|value| *value /= sum);
            parts.concat()
        };
        let wanted = run(Kernel::Portable);
        for kernel in Kernel::available() {
            for (found, wanted) in run(kernel).into_iter().zip(&wanted) {
                prop_assert!((found - wanted).abs() < 1e-4, "{kernel:?} {found} {wanted}");
            }
        }
    }
}
