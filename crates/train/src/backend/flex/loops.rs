//! Loops over numbers that the compiler vectorises for the instructions of this CPU.

use rayon::prelude::*;

/// Runs a loop that is compiled for the instructions of this CPU.
#[inline(always)]
pub(super) fn wide<R>(run: impl FnOnce() -> R) -> R {
    struct Op<F>(F);
    impl<R, F: FnOnce() -> R> pulp::WithSimd for Op<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Op(run))
}

/// Values that one thread works on at a time.
const CHUNK: usize = 1 << 14;

/// Changes each value, on all threads.
pub(super) fn each(values: &mut [f32], change: impl Fn(usize, &mut f32) + Sync) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        wide(
            #[inline(always)]
            || {
                for (at, value) in values.iter_mut().enumerate() {
                    change(chunk * CHUNK + at, value);
                }
            },
        );
    });
}

/// Sums the results of many pieces in order, whatever the number of threads.
pub(super) fn sum_in_order(
    pieces: usize,
    length: usize,
    add: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    // a fixed number of groups: the order of additions must not depend on the threads
    const GROUPS: usize = 16;
    let group = |group: usize| {
        let mut sum = vec![0.0; length];
        let range = group * pieces / GROUPS..(group + 1) * pieces / GROUPS;
        range.for_each(|piece| add(piece, &mut sum));
        sum
    };
    let sums: Vec<Vec<f32>> = (0..GROUPS).into_par_iter().map(group).collect();
    let mut total = vec![0.0; length];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// e^x, within two units in the last place; 0 below -87.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let turns = (x * std::f32::consts::LOG2_E).round_ties_even();
    // ln 2 in two parts, so that the rest is exact
    let rest = turns.mul_add(-0.693_145_75, x);
    let rest = turns.mul_add(-1.428_606_8e-6, rest);
    let mut sum = 1.987_569_1e-4_f32;
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        sum = sum.mul_add(rest, factor);
    }
    let sum = sum.mul_add(rest * rest, rest) + 1.0;
    sum * f32::from_bits(((turns as i32 + 127) as u32) << 23)
}

/// Columns in a block of a product; remaining columns are slow.
pub(super) const COLUMNS: usize = 32;

/// `c += a · b`, where `b` and `c` have rows of `width` values.
///
/// `a` is read at `row * strides[0] + k * strides[1]`. All callers share one function, because its
/// blocks take long to compile.
pub(super) fn add_product(c: &mut [f32], width: usize, a: &[f32], strides: [usize; 2], b: &[f32]) {
    wide(
        #[inline(always)]
        || product(c, width, a, strides, b),
    );
}

#[inline(always)]
fn product(c: &mut [f32], width: usize, a: &[f32], strides: [usize; 2], b: &[f32]) {
    const ROWS: usize = 6;
    let whole = width / COLUMNS * COLUMNS;
    for (block, c) in c.chunks_mut(ROWS * width).enumerate() {
        let a = &a[block * ROWS * strides[0]..];
        let full = c.len() == ROWS * width;
        for start in (0..whole).step_by(COLUMNS) {
            if full {
                tile::<ROWS, COLUMNS>(c, width, start, (a, strides), b);
            } else {
                for row in 0..c.len() / width {
                    let (c, a) = (&mut c[row * width..], &a[row * strides[0]..]);
                    tile::<1, COLUMNS>(c, width, start, (a, strides), b);
                }
            }
        }
        if whole < width {
            for (row, c) in c.chunks_mut(width).enumerate() {
                rest(&mut c[whole..], (&a[row * strides[0]..], strides[1]), &b[whole..], width);
            }
        }
    }
}

/// A block of the product that stays in registers.
#[inline(always)]
fn tile<const ROWS: usize, const COLUMNS: usize>(
    c: &mut [f32],
    width: usize,
    start: usize,
    (a, strides): (&[f32], [usize; 2]),
    b: &[f32],
) {
    let mut sums = [[0.0_f32; COLUMNS]; ROWS];
    for (k, b) in b.chunks_exact(width).enumerate() {
        let b: &[f32; COLUMNS] = b[start..start + COLUMNS].try_into().expect("it is as long");
        for (row, sums) in sums.iter_mut().enumerate() {
            let a = a[row * strides[0] + k * strides[1]];
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = a.mul_add(*b, *sum);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        let c = &mut c[row * width + start..][..COLUMNS];
        c.iter_mut().zip(sums).for_each(|(c, sum)| *c += sum);
    }
}

/// The columns that do not fill a block.
#[inline(always)]
fn rest(c: &mut [f32], (a, stride): (&[f32], usize), b: &[f32], width: usize) {
    for (k, b) in b.chunks(width).enumerate() {
        let a = a[k * stride];
        c.iter_mut().zip(b).for_each(|(c, b)| *c = a.mul_add(*b, *c));
    }
}

/// Transposes rows of `width` values into columns, each padded to `room` values.
pub(super) fn turn(from: &[f32], width: usize, room: usize, into: &mut Vec<f32>) {
    into.resize(width * room, 0.0);
    for (row, values) in from.chunks_exact(width).enumerate() {
        for (column, &value) in values.iter().enumerate() {
            into[column * room + row] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exp_is_exp() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let (found, wanted) = (exp(x), f64::from(x).exp());
            assert!((f64::from(found) / wanted - 1.0).abs() < 3e-7, "{x}: {found}, {wanted}");
        }
        assert!(exp(-1e9) < 1e-37);
    }

    proptest! {
        #[test]
        fn products_are_sums_of_products(
            rows in 0..20_usize, inner in 0..9_usize, width in 1..80_usize, turned in any::<bool>(),
        ) {
            let value = |at: usize| ((at * 7919 + 13) % 101) as f32 / 50.0 - 1.0;
            let a: Vec<f32> = (0..rows * inner).map(value).collect();
            let b: Vec<f32> = (0..inner * width).map(|at| value(at + 5)).collect();
            let strides = if turned { [1, rows] } else { [inner, 1] };
            let mut c = vec![1.0; rows * width];
            if inner > 0 {
                add_product(&mut c, width, &a, strides, &b);
            }
            for (at, c) in c.into_iter().enumerate() {
                let (row, column) = (at / width, at % width);
                let product = |k| a[row * strides[0] + k * strides[1]] * b[k * width + column];
                let wanted = 1.0 + (0..inner).map(product).sum::<f32>();
                prop_assert!((c - wanted).abs() < 1e-5, "{c} {wanted}");
            }
        }
    }
}
