//! `report.html`: the results of a run, in one file without dependencies.
//!
//! It is made from `metrics.jsonl` and `examples.json` alone, so it can be made at any time, also
//! while the run goes on.

mod page;
mod plot;
mod series;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::TrainError;
use crate::events::metrics;
use crate::storage::put;
use series::Series;

pub(crate) const EXAMPLES: &str = "examples.json";

/// A query with the router's shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleQuery {
    /// Its tokens, each with its share.
    pub(crate) tokens: Vec<(String, f32)>,
}

/// The data of a report.
#[derive(Debug, Default)]
struct ReportData {
    run: String,
    /// By name, the values over the steps.
    series: BTreeMap<String, Series>,
    /// By the set and the measure.
    measures: BTreeMap<String, Vec<(f64, f64)>>,
    /// How often each position was picked in the second half of the steps.
    positions: BTreeMap<u64, usize>,
    tokens: BTreeMap<u64, usize>,
    signs: Vec<(u64, String)>,
    examples: Vec<SampleQuery>,
    /// The text of picked tokens.
    spellings: BTreeMap<u64, String>,
}

/// Writes the report of a run from its files so far.
///
/// # Errors
///
/// The directory does not have a run, or cannot be written.
pub fn report(output: &Path) -> Result<PathBuf, TrainError> {
    let data = read(output)?;
    let path = output.join("report.html");
    put(&path, page::page(&data).as_bytes())?;
    Ok(path)
}

fn read(output: &Path) -> Result<ReportData, TrainError> {
    let path = output.join(metrics::FILE);
    let broken = |source| TrainError::NoRun { path: path.clone(), source };
    // line by line, and twice: the file of a long run is larger than the network in training
    let last = lines::<StepField>(&path).map_err(broken)?.map(|line| line.step).max().unwrap_or(0);
    let mut data = ReportData::default();
    lines::<Value>(&path).map_err(broken)?.for_each(|line| data.add(&line, last));
    if let Ok(bytes) = fs::read(output.join(EXAMPLES))
        && let Ok(saved) = serde_json::from_slice::<SampleQueries>(&bytes)
    {
        (data.examples, data.spellings) = (saved.queries, saved.spellings);
    }
    data.run = fs::read_to_string(output.join("run.toml")).unwrap_or_default();
    Ok(data)
}

/// The field of a line that has its step.
#[derive(Debug, Deserialize)]
struct StepField {
    step: u64,
}

/// The complete lines of a file.
fn lines<T: DeserializeOwned>(path: &Path) -> io::Result<impl Iterator<Item = T>> {
    let lines = BufReader::new(File::open(path)?).lines().map_while(Result::ok);
    Ok(lines.filter_map(|line| serde_json::from_str(&line).ok()))
}

/// The content of `examples.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SampleQueries {
    pub(crate) queries: Vec<SampleQuery>,
    pub(crate) spellings: BTreeMap<u64, String>,
}

impl ReportData {
    /// Adds a line of the metrics.
    fn add(&mut self, line: &Value, last: u64) {
        let step = line["step"].as_u64().unwrap_or(0);
        let it = &line["is"];
        match line["kind"].as_str() {
            Some("step") => self.step(step, it, 2 * step > last),
            Some("measurement") => self.measurement(step, it),
            Some("sign") => {
                self.signs.push((step, line["words"].as_str().unwrap_or_default().to_owned()));
            }
            _ => {}
        }
    }

    fn step(&mut self, step: u64, it: &Value, late: bool) {
        let mut add = |name: String, value: &Value| {
            if let Some(value) = value.as_f64() {
                self.series.entry(name).or_default().add(step as f64, value);
            }
        };
        for name in ["loss", "rate", "tau", "gradient", "entropy", "tokens_per_second"] {
            add(name.to_owned(), &it[name]);
        }
        for term in it["terms"].as_array().into_iter().flatten() {
            add(format!("term {}", term[0].as_str().unwrap_or_default()), &term[1]);
        }
        if late {
            count(&mut self.positions, &it["positions"]);
            count(&mut self.tokens, &it["tokens"]);
        }
    }

    fn measurement(&mut self, step: u64, it: &Value) {
        for set in it["sets"].as_array().into_iter().flatten() {
            let path = Path::new(set[0].as_str().unwrap_or_default());
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            for measure in set[1].as_array().into_iter().flatten() {
                let name = format!(
                    "{} {}",
                    name.as_deref().unwrap_or("dev"),
                    measure[0].as_str().unwrap_or_default()
                );
                if let Some(value) = measure[1].as_f64() {
                    self.measures.entry(name).or_default().push((step as f64, value));
                }
            }
        }
    }
}

fn count(counts: &mut BTreeMap<u64, usize>, numbers: &Value) {
    for number in numbers.as_array().into_iter().flatten().filter_map(Value::as_u64) {
        *counts.entry(number).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;
