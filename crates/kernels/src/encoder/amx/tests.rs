//! The kernel and its emulator against values computed by hand, and against plain Rust.
//!
//! On a machine with AMX the same tests run on the CPU.

#![expect(unsafe_code, reason = "instructions of the CPU by assembly")]

use std::arch::asm;
use std::ops::Range;

use proptest::prelude::*;

use super::super::lines::{Pair, PanelLine, Product, WIDTH};
use super::super::portable;
use super::emulator::{self, Code, Tiles};
use super::here::multiply_by_tiles;

/// Shapes of the first three tiles: rows, and bytes in a row.
fn shapes(shapes: [(u8, u8); 3]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    for (index, (rows, width)) in shapes.into_iter().enumerate() {
        (bytes[48 + index], bytes[16 + 2 * index]) = (rows, width);
    }
    bytes
}

#[test]
fn instructions_by_hand() {
    emulator::install();
    // (1 2) and (3 4), with two pairs between them that are not read
    let left = [Pair::new(1., 2.), Pair::default(), Pair::default(), Pair::new(3., 4.)];
    // the columns (5 7) and (6 8)
    let lines = [Pair::new(5., 7.), Pair::new(6., 8.)];
    let start = [0.0_f32, 100., 1000.];
    let mut output = [-1.0_f32; 6];
    // SAFETY: the tiles are 2 x 2, 2 x 1 and 1 x 2 lanes, which is what there is.
    unsafe {
        asm!(
            // ldtilecfg [rdi]
            ".byte 0xc4, 0xe2, 0x78, 0x49, 0x07",
            // tileloadd tmm1, [rsi + 4 * rdx]
            ".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x96",
            // tileloadd tmm2, [r8 + rdx]
            ".byte 0xc4, 0xc2, 0x7b, 0x4b, 0x14, 0x10",
            // tileloadd tmm0, [r9 + 4]: no index, both rows are (100 1000)
            ".byte 0xc4, 0xc2, 0x7b, 0x4b, 0x44, 0x21, 0x04",
            // tdpbf16ps tmm0, tmm1, tmm2
            ".byte 0xc4, 0xe2, 0x6a, 0x5c, 0xc1",
            // tilestored [rcx + 2 * r10 - 4], tmm0
            ".byte 0xc4, 0xa2, 0x7a, 0x4b, 0x84, 0x51, 0xfc, 0xff, 0xff, 0xff",
            // tilerelease
            ".byte 0xc4, 0xe2, 0x78, 0x49, 0xc0",
            in("rdi") &shapes([(2, 8), (2, 4), (1, 8)]),
            in("rsi") &left,
            in("rdx") 3,
            in("r8") &lines,
            in("r9") &start,
            in("rcx") output.as_mut_ptr().add(1),
            in("r10") 8,
            clobber_abi("sysv64"),
        );
    }
    // 1 x 5 + 2 x 7 and 1 x 6 + 2 x 8; 3 x 5 + 4 x 7 and 3 x 6 + 4 x 8
    assert_eq!(output, [119., 1022., -1., -1., 143., 1050.]);
}

#[test]
fn forbidden_instructions_are_refused() {
    let carry_out = |tiles: &mut Tiles, bytes: &[u8], shapes: &[u8; 64]| {
        let numbered = [shapes.as_ptr() as usize; 16];
        // SAFETY: the instructions reach 64 bytes at most where all registers point to.
        unsafe { tiles.carry_out(Code { at: bytes.as_ptr(), numbered }) }
    };
    let (load_shapes, multiply) = ([0xc4, 0xe2, 0x78, 0x49, 0x07], [0xc4, 0xe2, 0x6a, 0x5c, 0xc1]);
    let load = [0xc4, 0xe2, 0x7b, 0x4b, 0x04, 0x21];
    let mut tiles = Tiles::default();
    // no shapes yet
    assert_eq!(carry_out(&mut tiles, &load, &[0; 64]), None);
    // shapes that are not: too many rows, too wide rows, no palette
    assert_eq!(carry_out(&mut tiles, &load_shapes, &shapes([(17, 64), (1, 4), (1, 4)])), None);
    assert_eq!(carry_out(&mut tiles, &load_shapes, &shapes([(16, 65), (1, 4), (1, 4)])), None);
    assert_eq!(carry_out(&mut tiles, &load_shapes, &[0; 64]), None);
    // 2 x 1 pairs times 1 x 2 is not 1 x 2, nor is 2 x 1 times 2 x 2
    for wrong in [[(1, 8), (2, 4), (1, 8)], [(2, 8), (2, 4), (2, 8)]] {
        assert_eq!(carry_out(&mut tiles, &load_shapes, &shapes(wrong)), Some(5));
        assert_eq!(carry_out(&mut tiles, &multiply, &[0; 64]), None);
    }
    let right = shapes([(1, 64), (1, 4), (1, 64)]);
    assert_eq!(carry_out(&mut tiles, &load_shapes, &right), Some(5));
    assert_eq!(carry_out(&mut tiles, &load, &right), Some(6));
    assert_eq!(carry_out(&mut tiles, &multiply, &right), Some(5));
    // another instruction: ud2, and `tdpbssd`, of the same tiles but int8
    assert_eq!(carry_out(&mut tiles, &[0x0f, 0x0b, 0, 0, 0], &right), None);
    assert_eq!(carry_out(&mut tiles, &[0xc4, 0xe2, 0x6b, 0x5e, 0xc1], &right), None);
}

/// The product of one row with one column, of at most 32 numbers.
fn product_of_one(row: &[f32], column: &[f32], bias: f32) -> f32 {
    let mut case = Case { rows: 1, columns: 1, depth: 16, ..Case::default() };
    case.left = pairs(row, 16);
    case.lines = vec![PanelLine::default(); 16];
    portable::transpose(&pairs(column, 16), 16, 1, &mut case.lines);
    case.bias = vec![bias; WIDTH];
    case.multiply(0, 1)[0]
}

#[test]
fn sums_are_made_in_the_order_of_the_manual() {
    let large = 2.0_f32.powi(24);
    // at even places 2^24 + 1 - 2^24, where the 1 is lost; at odd ones 1 + 1 + 1; and the bias
    let row = [large, 1., 1., 1., -large, 1.];
    assert_eq!(product_of_one(&row, &[1.; 6], 0.5), 3.5);
    // the sum of a step is complete before it is added to the bias: 2^24 + (1 + 1), and not
    // 2^24 + 1 + 1
    assert_eq!(product_of_one(&[1., 1.], &[1., 1.], large), large + 2.0);
}

#[test]
fn subnormal_numbers_are_zeros() {
    let power = |exponent| 2.0_f32.powi(exponent);
    assert_eq!(product_of_one(&[power(-130)], &[power(100)], 0.0), 0.0);
    assert_eq!(product_of_one(&[power(-70)], &[power(-70)], 0.0), 0.0);
    assert_eq!(product_of_one(&[], &[], power(-130)), 0.0);
    assert_eq!(product_of_one(&[power(-60)], &[power(-60)], 0.0), power(-120));
}

/// A product as `Panels` would request it.
#[derive(Debug, Clone, Default)]
struct Case {
    rows: usize,
    columns: usize,
    depth: usize,
    /// Unused pairs and outputs between rows.
    room: usize,
    left: Vec<Pair>,
    lines: Vec<PanelLine<Pair>>,
    bias: Vec<f32>,
}

impl Case {
    fn any() -> impl Strategy<Value = Self> {
        (1..70_usize, 1..90_usize, 1..6_usize, 0..5_usize).prop_flat_map(
            |(rows, columns, steps, room)| {
                let (depth, panels) = (16 * steps, columns.div_ceil(WIDTH));
                let number = || -1.0..1.0_f32;
                let left = prop::collection::vec(number(), 2 * rows * (depth + room));
                let lines = prop::collection::vec(number(), 2 * panels * depth * WIDTH);
                let bias = prop::collection::vec(number(), panels * WIDTH);
                (left, lines, bias).prop_map(move |(left, lines, bias)| {
                    let left = pairs(&left, rows * (depth + room));
                    let lines = lines.chunks_exact(2 * WIDTH);
                    let line = |line| {
                        PanelLine(pairs(line, WIDTH).try_into().expect("as many pairs as columns"))
                    };
                    let lines = lines.map(line).collect();
                    Self { rows, columns, depth, room, left, lines, bias }
                })
            },
        )
    }

    fn product<'a>(
        &'a self,
        first: usize,
        rows: usize,
        output: &'a mut [f32],
    ) -> Product<'a, Pair> {
        let left_stride = self.depth + self.room;
        Product {
            left: &self.left[first * left_stride..],
            left_stride,
            rows,
            lines: &self.lines,
            depth: self.depth,
            bias: &self.bias,
            columns: self.columns,
            output,
            output_stride: self.columns + self.room,
        }
    }

    /// Multiplies some of the rows; what is not written stays NaN.
    fn multiply(&self, first: usize, rows: usize) -> Vec<f32> {
        emulator::install();
        emulator::loads();
        let count = rows * (self.columns + self.room);
        let mut output = vec![f32::NAN; count + WIDTH];
        // SAFETY: the instructions are there or emulated.
        unsafe { multiply_by_tiles(&mut self.product(first, rows, &mut output[..count])) };
        assert!(output.split_off(count).iter().all(|value| value.is_nan()), "written beyond");
        let slices = [bytes(&self.left), bytes(&self.lines), bytes(&self.bias)];
        for load in emulator::loads() {
            let holds = |slice: &Range<usize>| slice.start <= load.start && load.end <= slice.end;
            assert!(slices.iter().any(holds), "{load:?} is outside of {slices:?}");
        }
        output
    }

    fn multiply_portably(&self) -> Vec<f32> {
        let mut output = vec![f32::NAN; self.rows * (self.columns + self.room)];
        portable::multiply(&mut self.product(0, self.rows, &mut output));
        output
    }

    /// One output, computed as the documentation of the kernel describes it.
    fn by_the_book(&self, row: usize, column: usize) -> f32 {
        let left = &self.left[row * (self.depth + self.room)..][..self.depth];
        let lines = &self.lines[column / WIDTH * self.depth..][..self.depth];
        let steps = left.chunks_exact(16).zip(lines.chunks_exact(16));
        steps.fold(self.bias[column], |sum, (left, lines)| {
            let (mut even, mut odd) = (0.0_f32, 0.0_f32);
            for (left, line) in left.iter().zip(lines) {
                let ((a, b), (c, d)) = (left.values(), line.0[column % WIDTH].values());
                (even, odd) = (a.mul_add(c, even), b.mul_add(d, odd));
            }
            sum + (even + odd)
        })
    }
}

fn pairs(values: &[f32], count: usize) -> Vec<Pair> {
    let mut pairs = vec![Pair::default(); count];
    portable::to_pairs(values, &mut pairs);
    pairs
}

fn bytes<T>(slice: &[T]) -> Range<usize> {
    let ends = slice.as_ptr_range();
    ends.start as usize..ends.end as usize
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_equal_their_twin(case in Case::any()) {
        let stride = case.columns + case.room;
        let (found, wanted) = (case.multiply(0, case.rows), case.multiply_portably());
        for (row, (found, wanted)) in found.chunks(stride).zip(wanted.chunks(stride)).enumerate() {
            for column in 0..case.columns {
                prop_assert_eq!(found[column], case.by_the_book(row, column));
                prop_assert!((found[column] - wanted[column]).abs() < 1e-4);
            }
            prop_assert!(found[case.columns..].iter().all(|value| value.is_nan()));
        }
    }

    #[test]
    fn a_row_gives_the_same_bits_in_any_company(
        (case, first) in (Case::any(), any::<prop::sample::Index>()),
    ) {
        let (first, stride) = (first.index(case.rows), case.columns + case.room);
        let bits = |row: &[f32]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let all = case.multiply(0, case.rows);
        let some = case.multiply(first, case.rows - first);
        prop_assert_eq!(bits(&all[first * stride..]), bits(&some));
        let alone = case.multiply(first, 1);
        prop_assert_eq!(bits(&all[first * stride..][..case.columns]), bits(&alone[..case.columns]));
    }
}
