//! Statistics of the router: its picks per query, and how concentrated they are.

use std::collections::BTreeMap;

use serde::Serialize;

/// The router's picks for some queries.
#[derive(Debug, Default)]
pub(crate) struct RouterPicks {
    /// The position with the largest share in each query.
    pub(crate) positions: Vec<u32>,
    /// The token at that position.
    pub(crate) tokens: Vec<u32>,
    entropies: Vec<f64>,
}

impl RouterPicks {
    /// Adds the shares of a query's tokens.
    pub(crate) fn add(&mut self, alpha: &[f32], tokens: &[u32]) {
        let best = (0..alpha.len()).max_by(|&a, &b| alpha[a].total_cmp(&alpha[b]).then(b.cmp(&a)));
        let Some(best) = best else { return };
        self.positions.push(best as u32);
        self.tokens.push(tokens[best]);
        if alpha.len() > 1 {
            self.entropies.push(entropy(alpha.iter().copied()) / (alpha.len() as f64).ln());
        }
    }

    /// The mean entropy of the shares, as a fraction of the maximum.
    pub(crate) fn entropy(&self) -> Option<f64> {
        let count = self.entropies.len();
        (count > 0).then(|| self.entropies.iter().sum::<f64>() / count as f64)
    }

    /// Summarises the picks; `spell` returns the text of a token.
    pub(crate) fn stats(&self, spell: impl Fn(u32) -> String) -> Option<RouterStats> {
        let positions = Counts::of(&self.positions);
        let (position, token) = (positions.most()?, Counts::of(&self.tokens).most()?);
        Some(RouterStats {
            evenness: self.entropy().unwrap_or(0.0),
            position_bits: positions.entropy() / std::f64::consts::LN_2,
            position: position.0,
            position_share: position.1,
            token: spell(token.0),
            token_share: token.1,
        })
    }
}

/// Statistics of a router's choices for many queries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouterStats {
    /// The mean entropy of its shares, as a fraction of the maximum.
    pub evenness: f64,
    /// The entropy of the picked positions, in bits.
    pub position_bits: f64,
    /// The most frequent position.
    pub position: u32,
    /// Its share of the picks.
    pub position_share: f64,
    /// The most frequent token.
    pub token: String,
    /// Its share of the picks.
    pub token_share: f64,
}

struct Counts<T> {
    counts: BTreeMap<T, usize>,
    all: usize,
}

impl<T: Copy + Ord> Counts<T> {
    fn of(values: &[T]) -> Self {
        let mut counts = BTreeMap::new();
        values.iter().for_each(|&value| *counts.entry(value).or_default() += 1);
        Self { counts, all: values.len() }
    }

    fn share(&self, count: usize) -> f64 {
        count as f64 / self.all as f64
    }

    /// The most frequent value and its share.
    fn most(&self) -> Option<(T, f64)> {
        let most = self.counts.iter().max_by_key(|&(_, &count)| count);
        most.map(|(&value, &count)| (value, self.share(count)))
    }

    fn entropy(&self) -> f64 {
        entropy(self.counts.values().map(|&count| self.share(count) as f32))
    }
}

/// The entropy in nats.
fn entropy(shares: impl Iterator<Item = f32>) -> f64 {
    let shares = shares.map(f64::from).filter(|&share| share > 0.0);
    shares.map(|share| -share * share.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_by_hand() {
        let (mut picks, spell) = (RouterPicks::default(), |id: u32| id.to_string());
        assert_eq!(picks.stats(spell), None);
        picks.add(&[0.5, 0.5], &[7, 8]);
        picks.add(&[0.0, 0.0, 1.0], &[7, 8, 9]);
        picks.add(&[0.0, 1.0], &[7, 9]);
        picks.add(&[0.0, 0.0, 0.0, 1.0], &[7, 7, 7, 9]);
        let choice = picks.stats(spell).unwrap();
        assert_eq!(choice.evenness, 0.25);
        assert!((choice.position_bits - 2.0).abs() < 1e-6, "{choice:?}");
        assert_eq!((choice.token.as_str(), choice.token_share), ("9", 0.75));
        assert_eq!(choice.position_share, 0.25);
    }
}
