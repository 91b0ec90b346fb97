//! The views of one text: one vector per token, consecutive in memory.

/// Vectors of one length, in order; one row for each token of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenMatrix {
    dim: usize,
    values: Vec<f32>,
}

impl TokenMatrix {
    /// Takes consecutive rows of `dim` values.
    ///
    /// # Panics
    ///
    /// `dim` is 0, or the values do not fill whole rows.
    pub fn new(dim: usize, values: Vec<f32>) -> Self {
        assert!(dim > 0 && values.len().is_multiple_of(dim), "{} values, dim {dim}", values.len());
        Self { dim, values }
    }

    /// The dimension of each vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns one vector.
    ///
    /// # Panics
    ///
    /// An index is out of range.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.dim..][..self.dim]
    }

    /// Iterates over the vectors in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dim)
    }

    /// Returns all values, vector after vector.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Copies some of the vectors.
    ///
    /// # Panics
    ///
    /// An index is out of range.
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { dim: self.dim, values }
    }

    /// The late-interaction score (sum-max) of a document for this query: the largest inner product
    /// with a vector of the document for each vector of the query, added up.
    ///
    /// # Panics
    ///
    /// The vectors differ in length.
    pub fn sum_max(&self, document: &TokenMatrix) -> f32 {
        assert_eq!(self.dim, document.dim, "a query and a document of one encoder");
        self.rows().map(|query| document.max(query)).sum()
    }

    /// Finds the largest inner product of a vector with one of these, 0 when there are none.
    fn max(&self, query: &[f32]) -> f32 {
        let products = self.rows().map(|row| row.iter().zip(query).map(|(a, b)| a * b).sum());
        products.reduce(f32::max).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sum_max_by_hand() {
        let query = TokenMatrix::new(2, vec![1.0, 0.0, 0.0, -1.0]);
        let document = TokenMatrix::new(2, vec![3.0, 4.0, 2.0, 1.0]);
        // 3 by the first vector of the document, -1 by the second
        assert_eq!(query.sum_max(&document), 2.0);
        assert_eq!(query.sum_max(&TokenMatrix::new(2, Vec::new())), 0.0);
        assert_eq!(TokenMatrix::new(2, Vec::new()).sum_max(&document), 0.0);
    }

    fn matrices() -> impl Strategy<Value = (TokenMatrix, TokenMatrix)> {
        (1..9_usize, 0..6_usize, 0..9_usize).prop_flat_map(|(dim, query, document)| {
            let rows = |count: usize| {
                let values = prop::collection::vec(-1.0..1.0_f32, count * dim);
                values.prop_map(move |values| TokenMatrix::new(dim, values))
            };
            (rows(query), rows(document))
        })
    }

    proptest! {
        #[test]
        fn sum_max_is_the_plain_one((query, document) in matrices()) {
            let mut wanted = 0.0_f64;
            for asked in query.rows().filter(|_| !document.is_empty()) {
                let mut best = f64::NEG_INFINITY;
                for row in document.rows() {
                    let mut product = 0.0;
                    for place in 0..row.len() {
                        product += f64::from(asked[place]) * f64::from(row[place]);
                    }
                    best = best.max(product);
                }
                wanted += best;
            }
            prop_assert!((f64::from(query.sum_max(&document)) - wanted).abs() < 1e-5);
        }
    }
}
