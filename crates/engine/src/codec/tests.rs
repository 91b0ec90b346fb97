//! Rows computed by hand, error bounds, and inner products that a rotation preserves.

use proptest::prelude::*;

use super::*;

/// The rotated halves that a row of a view decodes to.
fn read(store: Store, view: &[f32]) -> Vec<f32> {
    let (coder, mut scratch) = (Coder::new(store, view.len()), RowScratch::default());
    let rows = coder.encode(view, &mut scratch);
    assert_eq!(rows.len(), coder.row_bytes());
    coder.read(rows, &mut RowScratch::default()).iter().map(|half| half.to_f32()).collect()
}

fn decoded(store: Store, view: &[f32]) -> Vec<f32> {
    let (coder, mut views) = (Coder::new(store, view.len()), Vec::new());
    coder.decode(coder.encode(view, &mut RowScratch::default()), &mut views);
    views
}

fn length(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn differences(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(a, b)| a - b).collect()
}

#[test]
fn rows_have_the_bytes_that_the_documentation_says() {
    let bytes = |dim| Store::ALL.map(|store| Coder::new(store, dim).row_bytes());
    assert_eq!((bytes(128), bytes(8)), ([256, 130, 66], [16, 10, 6]));
}

#[test]
fn levels_by_hand() {
    // the last point is 7.5 (1 + 0.006 * 56.25) = 10.03125, and a smaller scale errs more
    let mut values = [0.0; 8];
    values[..4].copy_from_slice(&[10.03125, -10.03125, 0.5, -1.5]);
    let levels = ScaledRow::FOUR_BITS;
    let mut row = [0; 6];
    levels.encode(&values, &mut row);
    // 0 is nearest to 0.50075 and -0.50075; -1.5 to -1.52025; the second half lies in high bits
    assert_eq!(row, [0x80, 0x3f, 0x8f, 0x80, 0x88, 0x86]);
    levels.decode(&row, &mut values);
    let middle = 0.50075;
    for (value, wanted) in values.iter().zip([10.03125, -10.03125, middle, -1.52025, middle]) {
        assert!((value - wanted).abs() < 1e-5, "{values:?}");
    }
}

#[test]
fn zeros_stay_zeros() {
    for store in Store::ALL {
        assert_eq!(read(store, &[0.0; 24]), [0.0; 24], "{store}");
    }
}

#[test]
fn the_largest_halves_stay_finite() {
    for store in Store::ALL {
        for dim in [8, 128, 1024] {
            let read = read(store, &vec![65_504.0; dim]);
            assert!(read.iter().all(|value| value.is_finite()), "{store} {dim}");
        }
    }
}

#[test]
fn every_row_of_bytes_can_be_read() {
    let rows: Vec<u8> =
        (0..66 * 300_u32).map(|byte| (byte.wrapping_mul(2_654_435) >> 7) as u8).collect();
    for store in [Store::Bits8, Store::Bits4] {
        let coder = Coder::new(store, 128);
        let mut views = Vec::new();
        coder.decode(&rows[..rows.len() / coder.row_bytes() * coder.row_bytes()], &mut views);
        assert_eq!(views.len() / 128, rows.len() / coder.row_bytes());
    }
}

/// Views of any length from 8 to 1024, tiny, usual or large.
fn views() -> impl Strategy<Value = Vec<f32>> {
    let dims = prop_oneof![(1..=16_usize).prop_map(|eights| 8 * eights), Just(384), Just(1024)];
    (dims, prop_oneof![Just(1e-3_f32), Just(1.0), Just(1e3)]).prop_flat_map(|(dim, size)| {
        prop::collection::vec((-1.0..1.0_f32).prop_map(move |value| size * value), dim)
    })
}

proptest! {
    #[test]
    fn errors_are_within_the_grid(view in views()) {
        for (store, share) in [(Store::Bits8, 0.5 / 127.5), (Store::Bits4, 0.09)] {
            let mut rotated = view.clone();
            Coder::new(store, view.len()).rotate(&mut rotated);
            let largest = rotated.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            // half of the widest gap between points, plus the rounding of scale and halves
            let most = (share + 0.005) * largest * (view.len() as f32).sqrt();
            let error = length(&differences(&read(store, &view), &rotated));
            prop_assert!(error <= most, "{store}: {error} of {most}");
            let back = length(&differences(&decoded(store, &view), &view));
            prop_assert!((back - error).abs() <= 1e-4 * length(&view), "{back} {error}");
        }
    }

    #[test]
    fn halves_are_rounded_values(view in views()) {
        let halves: Vec<f32> = view.iter().map(|&value| f16::from_f32(value).to_f32()).collect();
        prop_assert_eq!(read(Store::F16, &view), &halves[..]);
        prop_assert_eq!(decoded(Store::F16, &view), halves);
    }

    #[test]
    fn products_are_those_of_the_views_that_rows_stand_for(view in views()) {
        for store in Store::ALL {
            let query: Vec<f32> = view.iter().rev().copied().collect();
            let mut rotated = query.clone();
            Coder::new(store, view.len()).rotate(&mut rotated);
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let found = product(&rotated, &read(store, &view));
            let wanted = product(&query, &decoded(store, &view));
            prop_assert!((found - wanted).abs() <= 1e-4 * length(&query) * length(&view));
        }
    }
}

#[test]
fn four_bits_lose_a_tenth_of_a_view_and_eight_less_than_a_hundredth() {
    let mut state = 1_u64;
    let mut view = || -> Vec<f32> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / 2.0_f32.powi(24) - 0.5
        };
        (0..128).map(|_| next()).collect()
    };
    for (store, least, most) in [(Store::Bits8, 0.005, 0.008), (Store::Bits4, 0.085, 0.095)] {
        let (mut errors, mut squares) = (0.0, 0.0);
        for _ in 0..200 {
            let view = view();
            errors += length(&differences(&decoded(store, &view), &view)).powi(2);
            squares += length(&view).powi(2);
        }
        let share = (errors / squares).sqrt();
        assert!((least..most).contains(&share), "{store}: {share}");
    }
}
