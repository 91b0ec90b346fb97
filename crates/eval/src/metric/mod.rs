//! The measures, one per file, and their names.
//!
//! To add one: its file, a line here, and a line in [`Measure`]'s matches in `name.rs`.

mod average_precision;
mod name;
mod ndcg;
mod precision;
mod recall;
mod reciprocal_rank;
mod success;

use average_precision::AveragePrecision;
pub use name::{Measure, ParseMeasureError};
use ndcg::{Gains, Ndcg};
use precision::Precision;
use recall::Recall;
use reciprocal_rank::ReciprocalRank;
use success::Success;

use crate::judged::Judged;

/// A number between 0 and 1 for one judged ranking; see [`Measure::value`] for empty rankings.
trait Metric {
    fn value(&self, judged: &Judged) -> f64;
}

/// `part / whole`, and 0 if `whole` is 0.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A sum that is 0 when there is nothing to add; `Iterator::sum` gives -0.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}
