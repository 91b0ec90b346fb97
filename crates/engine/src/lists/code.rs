//! One-bit codes (RaBitQ): a view's residual as one sign per dimension and a factor.
//!
//! Let r be the difference of a view and the centroid of its list, after a random rotation, and s
//! the vector of its signs, 1 or -1. The code is s and the factor |r|² / <r, s>. Then for a query q
//! with the same rotation, factor * <s, q> estimates <r, q>. The estimate is exact for q along r,
//! and elsewhere errs in either direction by about |r| |q| / d^1/2 for d dimensions (Gao and Long,
//! *RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for approximate
//! nearest neighbor search*, SIGMOD 2024).
//!
//! Codes lie in blocks of [`BLOCK`], laid out for the scan: 16 bytes for each four dimensions
//! (a nibble, the first dimension in its lowest bit), where byte i has the nibble of code i in
//! its low half and that of code i + 16 in its high half.

pub(crate) use fastlane_kernels::search::BLOCK;

/// Encodes a rotated residual as one bit per dimension, 1 for values above 0, and returns the
/// factor.
///
/// A residual of zeros has the factor 0; the factor of one that is not finite is not finite.
///
/// # Panics
///
/// `bits` does not have one byte per 8 dimensions.
pub(crate) fn encode(rotated: &[f32], bits: &mut [u8]) -> f32 {
    let (eights, rest) = rotated.as_chunks::<8>();
    assert!(rest.is_empty() && bits.len() == eights.len());
    let (mut squares, mut sizes) = ([0.0_f32; 8], [0.0_f32; 8]);
    for (byte, values) in bits.iter_mut().zip(eights) {
        *byte = signs(values);
        for (lane, value) in values.iter().enumerate() {
            squares[lane] += value * value;
            sizes[lane] += value.abs();
        }
    }
    let (square, size): (f32, f32) = (squares.iter().sum(), sizes.iter().sum());
    if size == 0.0 { 0.0 } else { square / size }
}

/// The signs as bits, the first value in the lowest bit.
fn signs(values: &[f32; 8]) -> u8 {
    (0..8).fold(0, |byte, place| byte | u8::from(values[place] > 0.0) << place)
}

/// The size of a block of codes in bytes.
pub(crate) fn block_bytes(dim: usize) -> usize {
    BLOCK * dim / 8
}

/// Writes a code at a position.
///
/// # Panics
///
/// The position is beyond the blocks, or the code does not have `dim` bits.
pub(crate) fn put(blocks: &mut [u8], dim: usize, place: usize, bits: &[u8]) {
    assert_eq!(bits.len() * 8, dim);
    let (block, byte, shift) = find(dim, place);
    let block = &mut blocks[block..][..block_bytes(dim)];
    for (pair, bits) in block.as_chunks_mut::<32>().0.iter_mut().zip(bits) {
        for (at, nibble) in [(byte, bits & 15), (byte + 16, bits >> 4)] {
            pair[at] = pair[at] & !(15 << shift) | nibble << shift;
        }
    }
}

/// Reads the code at a position.
///
/// # Panics
///
/// As [`put`].
#[cfg(test)]
pub(crate) fn get(blocks: &[u8], dim: usize, place: usize, bits: &mut [u8]) {
    assert_eq!(bits.len() * 8, dim);
    let (block, byte, shift) = find(dim, place);
    let block = &blocks[block..][..block_bytes(dim)];
    for (pair, bits) in block.as_chunks::<32>().0.iter().zip(bits) {
        *bits = pair[byte] >> shift & 15 | (pair[byte + 16] >> shift & 15) << 4;
    }
}

/// The start of a position's block, its byte among 16, and the shift of its half of the byte.
fn find(dim: usize, place: usize) -> (usize, usize, usize) {
    (place / BLOCK * block_bytes(dim), place % 16, place % BLOCK / 16 * 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn a_code_by_hand() {
        // squares 1 + 4 + 9 + 0 + 1 + 1 + 0 + 9 = 25, sizes 1 + 2 + 3 + 0 + 1 + 1 + 0 + 3 = 11
        let mut bits = [0];
        let factor = encode(&[1.0, -2.0, 3.0, 0.0, -1.0, 1.0, -0.0, 3.0], &mut bits);
        assert_eq!((bits, factor), ([0b1010_0101], 25.0 / 11.0));
    }

    #[test]
    fn nothing_has_the_factor_0() {
        let mut bits = [255; 4];
        assert_eq!(encode(&[0.0; 32], &mut bits), 0.0);
        assert_eq!(bits, [0; 4]);
    }

    #[test]
    fn what_is_no_number_has_no_factor() {
        assert!(encode(&[f32::NAN; 8], &mut [0]).is_nan());
        assert!(encode(&[f32::INFINITY; 8], &mut [0]).is_nan());
    }

    #[test]
    fn codes_lie_as_the_scan_wants_them() {
        let mut blocks = [0; 64];
        put(&mut blocks, 8, 33, &[0x21]);
        put(&mut blocks, 8, 49, &[0x43]);
        // the second block: nibbles of codes 1 and 17 in byte 1, then in byte 17
        assert_eq!((blocks[32 + 1], blocks[32 + 17]), (0x31, 0x42));
        assert_eq!(blocks.iter().filter(|&&byte| byte != 0).count(), 2);
    }

    fn all_codes() -> impl Strategy<Value = (usize, Vec<Vec<u8>>)> {
        (1..=40_usize, 1..100_usize).prop_flat_map(|(bytes, count)| {
            let code = prop::collection::vec(any::<u8>(), bytes);
            (Just(8 * bytes), prop::collection::vec(code, count))
        })
    }

    proptest! {
        #[test]
        fn what_was_put_is_got((dim, codes) in all_codes(), backwards in any::<bool>()) {
            let mut blocks = vec![0xa5; codes.len().div_ceil(BLOCK) * block_bytes(dim)];
            let mut places: Vec<usize> = (0..codes.len()).collect();
            if backwards {
                places.reverse();
            }
            for place in places {
                put(&mut blocks, dim, place, &codes[place]);
            }
            for (place, code) in codes.iter().enumerate() {
                let mut bits = vec![0; dim / 8];
                get(&blocks, dim, place, &mut bits);
                prop_assert_eq!(&bits, code);
            }
        }
    }

    /// A random direction: sums of 8 uniform numbers are close enough to normal.
    fn direction(dim: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut uniform = || rng.next_u32() as f32 / 2.0_f32.powi(31) - 1.0;
        let values: Vec<f32> = (0..dim).map(|_| (0..8).map(|_| uniform()).sum()).collect();
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.iter().map(|value| value / length).collect()
    }

    #[test]
    fn estimates_err_little_and_either_way() {
        for dim in [32, 128, 384] {
            let mut rng = ChaCha8Rng::seed_from_u64(dim as u64);
            let (mut sum, mut squares, pairs) = (0.0, 0.0, 4000);
            for _ in 0..pairs {
                let (view, query) = (direction(dim, &mut rng), direction(dim, &mut rng));
                let error = estimate(&view, &query)
                    - view.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
                (sum, squares) = (sum + f64::from(error), squares + f64::from(error * error));
            }
            // <r, s> / |r| is near (2 d / pi)^1/2: the part of r that s misses makes an error of
            // ((pi / 2 - 1) / d)^1/2, which is 0.76 / d^1/2.
            let (mean, typical) = (sum / f64::from(pairs), (squares / f64::from(pairs)).sqrt());
            let unit = 1.0 / (dim as f64).sqrt();
            assert!(mean.abs() < 0.05 * unit, "mean error {mean} at {dim}");
            assert!((0.70..0.82).contains(&(typical / unit)), "error {typical} at {dim}");
        }
    }

    fn estimate(view: &[f32], query: &[f32]) -> f32 {
        let mut bits = vec![0; view.len() / 8];
        let factor = encode(view, &mut bits);
        let sign = |place: usize| if bits[place / 8] >> (place % 8) & 1 == 1 { 1.0 } else { -1.0 };
        factor * query.iter().enumerate().map(|(place, q)| sign(place) * q).sum::<f32>()
    }
}
