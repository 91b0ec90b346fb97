//! Metrics, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastlane::Times;

/// The upper ends of a histogram's buckets, in seconds.
const ENDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];
/// The stages of a search.
const STAGES: [&str; 7] = ["wait", "encode", "route", "probe", "rerank", "words", "show"];

/// Counters and histograms.
#[derive(Default)]
pub(crate) struct Metrics {
    stages: [Histogram; 7],
    requests: Mutex<BTreeMap<(String, String, u16), Histogram>>,
}

#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; 13],
    microseconds: AtomicU64,
}

impl Histogram {
    fn record(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = ENDS.iter().position(|&end| seconds <= end).unwrap_or(ENDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String, name: &str, labels: &str) {
        let mut sum = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            sum += bucket.load(Ordering::Relaxed);
            let end = ENDS.get(at).map_or("+Inf".to_owned(), ToString::to_string);
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{end}\"}} {sum}");
        }
        let seconds = self.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_sum{{{labels}}} {seconds}");
        let _ = writeln!(out, "{name}_count{{{labels}}} {sum}");
    }
}

impl Metrics {
    /// Records a search and its wait for a thread.
    pub(crate) fn record_search(&self, waited: Duration, times: &Times) {
        let Times { encode, route, probe, rerank, words, show } = *times;
        for (stage, time) in
            self.stages.iter().zip([waited, encode, route, probe, rerank, words, show])
        {
            stage.record(time);
        }
    }

    /// Records a request under its route, so that the number of series is bounded.
    pub(crate) fn record_request(&self, method: &str, route: &str, status: u16, time: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = (method.to_owned(), route.to_owned(), status);
        requests.entry(labels).or_default().record(time);
    }

    /// Writes all metrics; `gauges` are lines from other modules.
    pub(crate) fn write(&self, gauges: &str) -> String {
        let mut out = String::new();
        head(
            &mut out,
            "fastlane_stage_seconds",
            "histogram",
            "How long the stages of searches took.",
        );
        for (stage, name) in self.stages.iter().zip(STAGES) {
            stage.write(&mut out, "fastlane_stage_seconds", &format!("stage=\"{name}\""));
        }
        head(&mut out, "fastlane_request_seconds", "histogram", "How long requests took.");
        for ((method, route, status), times) in
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            times.write(&mut out, "fastlane_request_seconds", &labels);
        }
        out + gauges
    }
}

/// Writes the HELP and TYPE lines of a metric.
pub(crate) fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_by_hand() {
        let histogram = Histogram::default();
        for time in [0.0004, 0.0015, 0.004, 9.0] {
            histogram.record(Duration::from_secs_f64(time));
        }
        let mut out = String::new();
        histogram.write(&mut out, "x", "a=\"b\"");
        for line in [
            "x_bucket{a=\"b\",le=\"0.0005\"} 1",
            "x_bucket{a=\"b\",le=\"0.001\"} 1",
            "x_bucket{a=\"b\",le=\"0.002\"} 2",
            "x_bucket{a=\"b\",le=\"5\"} 3",
            "x_bucket{a=\"b\",le=\"+Inf\"} 4",
            "x_sum{a=\"b\"} 9.0059",
            "x_count{a=\"b\"} 4",
        ] {
            assert!(out.lines().any(|found| found == line), "{line} in\n{out}");
        }
    }
}
