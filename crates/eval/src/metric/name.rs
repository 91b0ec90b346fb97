//! The names of measures: ir_measures' spelling, trec_eval's accepted.
//!
//! `nDCG@10`, `RR@10`, `AP(rel=2)`, `nDCG(dcg='exp-log2')@10`: a name, parameters in parentheses,
//! a cutoff. trec_eval's `ndcg_cut_10`, `map`, `recip_rank`, `recall_100`, `P_30` and the usual
//! aliases (`MRR`, `MAP`, `Recall`, `Precision`) mean the same; case does not matter.

use std::fmt;
use std::str::FromStr;

use super::{AveragePrecision, Gains, Metric, Ndcg, Precision, Recall, ReciprocalRank, Success};
use crate::judged::Judged;

/// One measure with its parameters, as named on a command line.
///
/// ```
/// let measure: fastlane_eval::Measure = "ndcg_cut_10".parse()?;
/// assert_eq!(measure.to_string(), "nDCG@10");
/// # Ok::<(), fastlane_eval::ParseMeasureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Measure(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Ndcg(Ndcg),
    ReciprocalRank(ReciprocalRank),
    AveragePrecision(AveragePrecision),
    Recall(Recall),
    Precision(Precision),
    Success(Success),
}

impl Measure {
    /// The value for one query, between 0 and 1.
    ///
    /// An empty ranking gives 0, and so does a query without any relevant document; neither is an
    /// error, because trec_eval counts such queries in its means.
    pub fn value(&self, judged: &Judged) -> f64 {
        let metric: &dyn Metric = match &self.0 {
            Kind::Ndcg(metric) => metric,
            Kind::ReciprocalRank(metric) => metric,
            Kind::AveragePrecision(metric) => metric,
            Kind::Recall(metric) => metric,
            Kind::Precision(metric) => metric,
            Kind::Success(metric) => metric,
        };
        metric.value(judged)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, parameter, cutoff) = match self.0 {
            Kind::Ndcg(m) => ("nDCG", dcg(m.gains), m.cutoff),
            Kind::ReciprocalRank(m) => ("RR", rel(m.level), m.cutoff),
            Kind::AveragePrecision(m) => ("AP", rel(m.level), m.cutoff),
            Kind::Recall(m) => ("R", rel(m.level), Some(m.cutoff)),
            Kind::Precision(m) => ("P", rel(m.level), Some(m.cutoff)),
            Kind::Success(m) => ("Success", rel(m.level), Some(m.cutoff)),
        };
        write!(f, "{name}{parameter}")?;
        cutoff.map_or(Ok(()), |k| write!(f, "@{k}"))
    }
}

fn rel(level: i32) -> String {
    if level == 1 { String::new() } else { format!("(rel={level})") }
}

fn dcg(gains: Gains) -> String {
    match gains {
        Gains::Linear => String::new(),
        Gains::Exponential => "(dcg='exp-log2')".to_owned(),
    }
}

/// A text is not the name of a measure.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseMeasureError {
    /// The name is unknown.
    #[error(
        "unknown measure `{measure}`, wanted nDCG@k, RR@k, AP, R@k, P@k or Success@k, \
         with parameters as in `AP(rel=2)` and `nDCG(dcg='exp-log2')@10`"
    )]
    Unknown {
        /// The measure as written.
        measure: String,
    },
    /// The measure needs a cutoff.
    #[error("measure `{measure}` needs a cutoff, such as `{measure}@10`")]
    NoCutoff {
        /// The measure as written.
        measure: String,
    },
    /// The cutoff is not a positive whole number.
    #[error("cutoff `{found}` of measure `{measure}` is not a positive whole number")]
    Cutoff {
        /// The measure as written.
        measure: String,
        /// The text in place of the cutoff.
        found: String,
    },
    /// A parameter that the measure does not have, or an invalid value.
    #[error("parameter `{found}` of measure `{measure}` is not understood, wanted {wanted}")]
    Parameter {
        /// The measure as written.
        measure: String,
        /// The parameter as written.
        found: String,
        /// The parameters of the measure.
        wanted: &'static str,
    },
}

impl FromStr for Measure {
    type Err = ParseMeasureError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Spelling::new(text)?.measure()
    }
}

/// The parsed text of a measure.
struct Spelling<'a> {
    text: &'a str,
    name: String,
    parameters: Vec<&'a str>,
    cutoff: Option<usize>,
}

impl<'a> Spelling<'a> {
    fn new(text: &'a str) -> Result<Self, ParseMeasureError> {
        let text = text.trim();
        let (head, cutoff) = split_cutoff(text);
        let (name, parameters) = match head.split_once('(') {
            None => (head, ""),
            Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(|| unknown(text))?),
        };
        let cutoff = match cutoff {
            None => None,
            Some(found) => Some(positive(found).ok_or_else(|| ParseMeasureError::Cutoff {
                measure: text.to_owned(),
                found: found.to_owned(),
            })?),
        };
        let parameters = parameters.split(',').map(str::trim).filter(|p| !p.is_empty()).collect();
        Ok(Self { text, name: name.to_ascii_lowercase(), parameters, cutoff })
    }

    fn measure(&self) -> Result<Measure, ParseMeasureError> {
        let cutoff = self.cutoff;
        let kind = match self.name.as_str() {
            "ndcg" | "ndcg_cut" => Kind::Ndcg(Ndcg { cutoff, gains: self.gains()? }),
            "rr" | "mrr" | "recip_rank" => {
                Kind::ReciprocalRank(ReciprocalRank { cutoff, level: self.level()? })
            }
            "ap" | "map" | "map_cut" => {
                Kind::AveragePrecision(AveragePrecision { cutoff, level: self.level()? })
            }
            "r" | "recall" => Kind::Recall(Recall { level: self.level()?, cutoff: self.needed()? }),
            "p" | "precision" => {
                Kind::Precision(Precision { level: self.level()?, cutoff: self.needed()? })
            }
            "success" => Kind::Success(Success { level: self.level()?, cutoff: self.needed()? }),
            _ => return Err(unknown(self.text)),
        };
        Ok(Measure(kind))
    }

    fn needed(&self) -> Result<usize, ParseMeasureError> {
        self.cutoff.ok_or_else(|| ParseMeasureError::NoCutoff { measure: self.text.to_owned() })
    }

    fn level(&self) -> Result<i32, ParseMeasureError> {
        let read = |value: &str| value.parse().ok().filter(|&level| level >= 1);
        self.parameter("rel", read, 1, "`rel=N`, N a grade from 1 up")
    }

    fn gains(&self) -> Result<Gains, ParseMeasureError> {
        let read = |value: &str| match value.trim_matches(['\'', '"']) {
            "log2" => Some(Gains::Linear),
            "exp-log2" => Some(Gains::Exponential),
            _ => None,
        };
        self.parameter("dcg", read, Gains::Linear, "`dcg='log2'` or `dcg='exp-log2'`")
    }

    /// The value of the measure's only parameter; anything else in the parentheses is an error.
    fn parameter<T>(
        &self,
        key: &str,
        read: impl Fn(&str) -> Option<T>,
        default: T,
        wanted: &'static str,
    ) -> Result<T, ParseMeasureError> {
        let mut value = default;
        for &found in &self.parameters {
            let given = found.split_once('=').filter(|(name, _)| name.trim() == key);
            value = given.and_then(|(_, given)| read(given.trim())).ok_or_else(|| {
                let (measure, found) = (self.text.to_owned(), found.to_owned());
                ParseMeasureError::Parameter { measure, found, wanted }
            })?;
        }
        Ok(value)
    }
}

/// `nDCG@10` and trec_eval's `ndcg_cut_10` and `ndcg_cut.10`; a name without a number has none.
fn split_cutoff(text: &str) -> (&str, Option<&str>) {
    if let Some((head, cutoff)) = text.rsplit_once('@') {
        return (head, Some(cutoff));
    }
    match text.rsplit_once(['_', '.']) {
        Some((head, cutoff)) if cutoff.bytes().all(|b| b.is_ascii_digit()) => (head, Some(cutoff)),
        _ => (text, None),
    }
}

fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&cutoff| cutoff > 0)
}

fn unknown(measure: &str) -> ParseMeasureError {
    ParseMeasureError::Unknown { measure: measure.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        text.parse::<Measure>().map_or_else(|e| e.to_string(), |m| m.to_string())
    }

    #[test]
    fn canonical_names_come_back_as_they_went_in() {
        for name in [
            "nDCG@10",
            "nDCG",
            "nDCG(dcg='exp-log2')@10",
            "RR",
            "RR@10",
            "RR(rel=2)@10",
            "AP",
            "AP(rel=2)",
            "AP(rel=2)@100",
            "R@100",
            "R(rel=3)@5",
            "P@5",
            "P(rel=2)@5",
            "Success@1",
        ] {
            assert_eq!(read(name), name);
        }
    }

    #[test]
    fn other_spellings_mean_the_same() {
        for (spelling, name) in [
            ("ndcg_cut_10", "nDCG@10"),
            ("ndcg_cut.10", "nDCG@10"),
            ("map", "AP"),
            ("map_cut_100", "AP@100"),
            ("recip_rank", "RR"),
            ("recall_100", "R@100"),
            ("P_30", "P@30"),
            ("success_1", "Success@1"),
            ("MRR@10", "RR@10"),
            ("Recall@5", "R@5"),
            ("nDCG(dcg=\"log2\")@5", "nDCG@5"),
            ("AP( rel = 2 )", "AP(rel=2)"),
            ("P(rel=1)@5", "P@5"),
            (" AP ", "AP"),
        ] {
            assert_eq!(read(spelling), name);
        }
    }

    #[test]
    fn wrong_names_say_what_was_wanted() {
        let unknown = read("nDGC@10");
        assert!(unknown.starts_with("unknown measure `nDGC@10`, wanted nDCG@k, RR@k"), "{unknown}");
        for (text, message) in [
            ("P", "measure `P` needs a cutoff, such as `P@10`"),
            ("P@0", "cutoff `0` of measure `P@0` is not a positive whole number"),
            ("R@ten", "cutoff `ten` of measure `R@ten` is not a positive whole number"),
            (
                "AP(rel=0)",
                "parameter `rel=0` of measure `AP(rel=0)` is not understood, \
                 wanted `rel=N`, N a grade from 1 up",
            ),
            (
                "nDCG(rel=2)@10",
                "parameter `rel=2` of measure `nDCG(rel=2)@10` is not understood, \
                 wanted `dcg='log2'` or `dcg='exp-log2'`",
            ),
        ] {
            assert_eq!(read(text), message);
        }
        for text in ["", "@10", "AP(rel=2", "AP)rel=2(", "bpref", "ndcg_p"] {
            assert!(read(text).starts_with("unknown measure"), "{text}: {}", read(text));
        }
    }
}
