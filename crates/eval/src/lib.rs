//! Evaluation: retrieval measures that agree with trec_eval to the last printed decimal.
//!
//! A [`Run`] is the output of a system, and [`Qrels`] are relevance judgements. An [`Evaluation`]
//! has the value of every [`Measure`] for every query, and a [`Comparison`] tests whether the
//! difference between two systems is significant.
//!
//! ```
//! use fastlane_eval::{Evaluation, Measure, Missing, Qrels, Run};
//!
//! let run = "q1 Q0 d1 1 9.5 bm25\nq1 Q0 d2 2 7.25 bm25\n";
//! let qrels = "q1 0 d2 1\nq1 0 d3 1\n";
//! let run = Run::read(run.as_bytes(), "bm25.run")?;
//! let qrels = Qrels::read(qrels.as_bytes(), "qrels.txt")?;
//! let measures: Vec<Measure> = vec!["RR@10".parse()?, "R@10".parse()?];
//!
//! let evaluation = Evaluation::new(&run, &qrels, &measures, Missing::Skip)?;
//! assert_eq!(evaluation.mean(0), 0.5); // the first relevant document is second
//! assert_eq!(evaluation.mean(1), 0.5); // one of two relevant documents was found
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod evaluation;
mod judged;
mod metric;
mod qrels;
mod run;
mod significance;
mod trec;

pub use evaluation::{Evaluation, Missing, NothingToEvaluate};
pub use judged::Judged;
pub use metric::{Measure, ParseMeasureError};
pub use qrels::{Judgements, Qrels};
pub use run::{DuplicateDocument, Hit, Ranking, Run, Score};
pub use significance::{Comparison, Resampling, holm};
pub use trec::{Fault, FileKind, QrelsFormat, ReadError, WriteError, check_id};
