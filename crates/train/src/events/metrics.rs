//! `metrics.jsonl`: a line per step, evaluation and warning, for plots and other programs.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::TrainError;
use crate::events::observer::{Measurement, StepReport, TestReport};
use crate::events::warning::Warning;
use crate::storage::put;

pub(crate) const FILE: &str = "metrics.jsonl";
/// The kind of line that a finished run writes again.
const TEST: &str = "test";

/// The file of a run's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Metrics {
    /// Opens the file, and drops lines of steps after `step`, which will be repeated.
    pub(crate) fn open(output: &Path, step: u32) -> Result<Self, TrainError> {
        let path = output.join(FILE);
        let failed = |source| TrainError::Write { path: path.clone(), source };
        fs::create_dir_all(output).map_err(failed)?;
        // before the first checkpoint, every line will be repeated
        let kept = if step == 0 { String::new() } else { lines(&path, step) };
        put(&path, kept.as_bytes())?;
        let file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        Ok(Self { file: BufWriter::new(file), path })
    }

    pub(crate) fn step(&mut self, report: &StepReport) -> Result<(), TrainError> {
        self.write(&json!({ "kind": "step", "step": report.step, "is": report }))
    }

    pub(crate) fn measurement(&mut self, it: &Measurement) -> Result<(), TrainError> {
        self.write(&json!({ "kind": "measurement", "step": it.step, "is": it }))
    }

    pub(crate) fn test(&mut self, step: u32, it: &TestReport) -> Result<(), TrainError> {
        self.write(&json!({ "kind": TEST, "step": step, "is": it }))
    }

    pub(crate) fn warning(&mut self, step: u32, warning: &Warning) -> Result<(), TrainError> {
        let words = warning.to_string();
        self.write(&json!({ "kind": "sign", "step": step, "is": warning, "words": words }))
    }

    pub(crate) fn finish(&mut self) -> Result<(), TrainError> {
        let failed = |source| TrainError::Write { path: self.path.clone(), source };
        self.file.get_ref().sync_all().map_err(failed)
    }

    fn write(&mut self, line: &Value) -> Result<(), TrainError> {
        // written at once, as another program may follow the file
        let written = writeln!(self.file, "{line}").and_then(|()| self.file.flush());
        written.map_err(|source| TrainError::Write { path: self.path.clone(), source })
    }
}

/// The complete lines of steps up to `step`.
fn lines(path: &Path, step: u32) -> String {
    let Ok(file) = File::open(path) else { return String::new() };
    let known = |line: &String| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.is_some_and(|line| {
            line["kind"] != TEST && line["step"].as_u64().is_some_and(|it| it <= u64::from(step))
        })
    };
    let lines = BufReader::new(file).lines().map_while(Result::ok).filter(known);
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        put(&path, b"{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":1").unwrap();
        Metrics::open(folder.path(), 2).unwrap();
        let kept = "{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), kept);
        Metrics::open(folder.path(), 0).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }
}
