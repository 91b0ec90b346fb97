//! A series over steps, thinned to about the number of points that a plot can show.

/// The largest number of points that are stored.
const MOST: usize = 800;

/// Points over steps: single values at first, then means of more and more neighbours.
#[derive(Debug, Default)]
pub(super) struct Series {
    points: Vec<(f64, f64)>,
    /// The number of values per point, as a power of two.
    doubled: u32,
    /// The number of values in the last point.
    inside: usize,
    last: Option<(f64, f64)>,
}

impl Series {
    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.last = Some((x, y));
        let full = self.inside == 0 || self.inside == 1 << self.doubled;
        match self.points.last_mut() {
            Some(point) if !full => {
                self.inside += 1;
                let part = 1.0 / self.inside as f64;
                point.0 += (x - point.0) * part;
                point.1 += (y - point.1) * part;
            }
            _ => {
                if self.points.len() == MOST {
                    self.halve();
                    return self.add(x, y);
                }
                self.points.push((x, y));
                self.inside = 1;
            }
        }
    }

    /// Merges each two points into one.
    fn halve(&mut self) {
        let mean = |two: &[(f64, f64)]| ((two[0].0 + two[1].0) / 2.0, (two[0].1 + two[1].1) / 2.0);
        self.points = self.points.chunks_exact(2).map(mean).collect();
        self.doubled += 1;
        self.inside = 1 << self.doubled;
    }

    pub(super) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The last value that was added.
    pub(super) fn last(&self) -> Option<(f64, f64)> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_become_means_of_their_neighbours() {
        let mut series = Series::default();
        for step in 0..MOST + 3 {
            series.add(step as f64, 2.0 * step as f64);
        }
        // 0 and 1, 2 and 3, …, and the three that came when there was no room
        assert_eq!(series.points().len(), MOST / 2 + 2);
        assert_eq!(series.points()[..2], [(0.5, 1.0), (2.5, 5.0)]);
        let end = MOST as f64;
        assert_eq!(
            series.points()[MOST / 2..],
            [(end + 0.5, 2.0 * end + 1.0), (end + 2.0, 2.0 * end + 4.0)]
        );
        assert_eq!(series.last(), Some((end + 2.0, 2.0 * end + 4.0)));
    }

    #[test]
    fn long_runs_keep_few_points() {
        let mut series = Series::default();
        (0..100_000).for_each(|step| series.add(f64::from(step), 1.0));
        assert!(series.points().len() <= MOST);
        assert!(series.points().is_sorted());
        assert!(series.points().iter().all(|&(_, y)| y == 1.0));
    }
}
