//! Dropout by a hash of seed and position, so that no mask is stored.
//!
//! A step drops the same values whatever the number of threads, when it is recomputed to save
//! memory, and after a run was stopped and resumed.

/// Drops some values of a table, and scales up the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// The share that is dropped; 0 drops nothing.
    pub rate: f32,
    /// The seed, which differs between tables.
    pub seed: u32,
}

impl Dropout {
    /// Drops nothing.
    pub const NONE: Self = Self { rate: 0.0, seed: 0 };

    /// The same rate with the seed of another table.
    pub fn of(self, table: u32) -> Self {
        Self { seed: hash(self.seed, table), ..self }
    }

    /// The factor of a value.
    #[inline(always)]
    pub(super) fn factor(self, place: u32) -> f32 {
        // a float has 24 bits of precision
        let uniform = (hash(self.seed, place) >> 8) as f32 * (1.0 / 16_777_216.0);
        if uniform < self.rate { 0.0 } else { 1.0 / (1.0 - self.rate) }
    }
}

/// Mixes two numbers well enough that no pattern is left (the finaliser of MurmurHash3, twice).
#[inline(always)]
pub(crate) fn hash(seed: u32, place: u32) -> u32 {
    #[inline(always)]
    fn mix(mut x: u32) -> u32 {
        x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        x ^ (x >> 16)
    }
    mix(mix(seed ^ 0x9e37_79b9).wrapping_add(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_dropped_and_the_mean_stays() {
        let dropout = Dropout { rate: 0.1, seed: 7 };
        for table in 0..20 {
            let factors: Vec<f32> = (0..100_000).map(|at| dropout.of(table).factor(at)).collect();
            let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
            // 10,000 with a standard deviation of 95
            assert!((9_600..10_400).contains(&dropped), "{dropped} of 100,000 in table {table}");
            let mean = factors.iter().sum::<f32>() / 100_000.0;
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
        }
        assert!((0..1000).all(|at| Dropout::NONE.factor(at) == 1.0));
    }
}
