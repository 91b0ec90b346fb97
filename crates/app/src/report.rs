//! The results of `fastlane eval`, as a table for people and as JSON for programs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use fastlane_eval::{Comparison, Evaluation};
use serde::Serialize;

use crate::args::EvalArgs;
use crate::table::{Align, Table};

/// One run with its values.
pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) tag: String,
    pub(crate) evaluation: Evaluation,
}

/// One run against the baseline by one measure.
pub(crate) struct Compared {
    /// The run's place among the systems; the baseline is at 0.
    pub(crate) system: usize,
    /// The measure's place among those asked for.
    pub(crate) measure: usize,
    pub(crate) comparison: Comparison,
    /// The p-value, corrected for the number of runs.
    pub(crate) p_holm: f64,
}

/// The content of the report.
pub(crate) struct Report<'a> {
    pub(crate) args: &'a EvalArgs,
    pub(crate) systems: Vec<System>,
    pub(crate) compared: Vec<Compared>,
}

impl Report<'_> {
    /// Warnings that affect how the means are read.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let incomplete = self.systems.iter().filter(|system| system.evaluation.unanswered() > 0);
        let warning = |System { name, evaluation, .. }: &System| {
            let (counted, missing) = (evaluation.queries().len(), evaluation.unanswered());
            let (judged, fate) = match self.args.complete {
                true => (counted, "they count as 0"),
                false => (counted + missing, "they are left out (--complete counts them as 0)"),
            };
            format!("run `{name}` does not answer {missing} of {judged} judged queries; {fate}")
        };
        incomplete.map(warning).collect()
    }

    /// One table: values of each run, of each query, or each difference to the baseline.
    pub(crate) fn table(&self) -> Table {
        match (self.args.per_query, self.args.baseline.is_some()) {
            (true, _) => self.query_table(),
            (false, true) => self.comparison_table(),
            (false, false) => self.mean_table(),
        }
    }

    fn mean_table(&self) -> Table {
        let mut header = vec![left(&"run"), right(&"queries")];
        header.extend(self.args.measure.iter().map(right));
        let mut table = Table::new(header);
        for system in &self.systems {
            let mut row = vec![system.name.clone(), system.evaluation.queries().len().to_string()];
            row.extend(self.measures().map(|measure| digits(system.evaluation.mean(measure))));
            table.row(row);
        }
        table
    }

    fn query_table(&self) -> Table {
        let mut header = vec![left(&"run"), left(&"query")];
        for measure in &self.args.measure {
            header.push(right(measure));
            if self.args.baseline.is_some() {
                header.push(right(&format!("{measure} difference")));
            }
        }
        let mut table = Table::new(header);
        for (system, System { name, evaluation, .. }) in self.systems.iter().enumerate() {
            for (place, query) in evaluation.queries().enumerate() {
                let cells = self.measures().flat_map(|measure| {
                    let value = evaluation.values(measure)[place];
                    let base = self.systems[0].evaluation.value(query, measure);
                    self.with_difference(value, base.map(|base| value - base))
                });
                table.row([name.clone(), query.to_owned()].into_iter().chain(cells).collect());
            }
            let means = self.measures().flat_map(|measure| {
                let difference = self.compared(system, measure).map_or(0.0, |c| c.difference);
                self.with_difference(evaluation.mean(measure), Some(difference))
            });
            table.row([name.clone(), "all".to_owned()].into_iter().chain(means).collect());
        }
        table
    }

    fn compared(&self, system: usize, measure: usize) -> Option<&Comparison> {
        let here = |compared: &&Compared| (compared.system, compared.measure) == (system, measure);
        self.compared.iter().find(here).map(|compared| &compared.comparison)
    }

    /// A value, and with a baseline the difference to it, blank where the baseline has no value.
    fn with_difference(&self, value: f64, difference: Option<f64>) -> Vec<String> {
        let difference = difference.map_or_else(String::new, |d| format!("{d:+.4}"));
        let wanted = self.args.baseline.as_ref().map(|_| difference);
        std::iter::once(digits(value)).chain(wanted).collect()
    }

    /// Means and differences over the queries that both sides count, so that they add up.
    fn comparison_table(&self) -> Table {
        let mut header = vec![left(&"measure"), left(&"run")];
        let numbers = ["mean", "baseline", "difference", "95 % interval", "p", "p (Holm)"];
        header.extend(numbers.iter().map(right));
        header.extend(["better", "worse", "queries"].iter().map(right));
        let mut table = Table::new(header);
        for compared in &self.compared {
            table.row(self.comparison_row(compared));
        }
        table
    }

    fn comparison_row(&self, compared: &Compared) -> Vec<String> {
        let comparison = &compared.comparison;
        let (low, high) = comparison.interval;
        vec![
            self.args.measure[compared.measure].to_string(),
            self.systems[compared.system].name.clone(),
            digits(comparison.system),
            digits(comparison.baseline),
            format!("{:+.4}", comparison.difference),
            format!("{low:+.4} to {high:+.4}"),
            p_digits(comparison.p_value),
            p_digits(compared.p_holm),
            comparison.wins.to_string(),
            comparison.losses.to_string(),
            comparison.queries.to_string(),
        ]
    }

    fn measures(&self) -> std::ops::Range<usize> {
        0..self.args.measure.len()
    }

    /// The same and more for programs: all digits, all runs, all differences.
    pub(crate) fn json(&self) -> impl Serialize + '_ {
        JsonReport {
            qrels: self.args.qrels.to_string_lossy(),
            complete: self.args.complete,
            measures: self.args.measure.iter().map(ToString::to_string).collect(),
            runs: self.systems.iter().map(|system| self.json_run(system)).collect(),
            baseline: self.args.baseline.as_ref().map(|_| &*self.systems[0].name),
            comparisons: self
                .compared
                .iter()
                .map(|compared| self.json_comparison(compared))
                .collect(),
        }
    }

    fn json_run<'a>(&self, system: &'a System) -> JsonRun<'a> {
        let evaluation = &system.evaluation;
        let named = |value: &dyn Fn(usize) -> f64| {
            let names = self.args.measure.iter().map(ToString::to_string);
            names.zip(self.measures().map(value)).collect()
        };
        let per_query = |(place, query)| (query, named(&|m| evaluation.values(m)[place]));
        JsonRun {
            run: &system.name,
            path: system.path.to_string_lossy(),
            tag: &system.tag,
            queries: evaluation.queries().len(),
            unanswered: evaluation.unanswered(),
            unjudged: evaluation.unjudged(),
            means: named(&|measure| evaluation.mean(measure)),
            per_query: self
                .args
                .per_query
                .then(|| evaluation.queries().enumerate().map(per_query).collect()),
        }
    }

    fn json_comparison(&self, compared: &Compared) -> JsonComparison<'_> {
        let comparison = &compared.comparison;
        JsonComparison {
            run: &self.systems[compared.system].name,
            measure: self.args.measure[compared.measure].to_string(),
            queries: comparison.queries,
            mean: comparison.system,
            baseline: comparison.baseline,
            difference: comparison.difference,
            interval: comparison.interval,
            p_value: comparison.p_value,
            p_holm: compared.p_holm,
            better: comparison.wins,
            worse: comparison.losses,
        }
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    qrels: Cow<'a, str>,
    complete: bool,
    measures: Vec<String>,
    runs: Vec<JsonRun<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    comparisons: Vec<JsonComparison<'a>>,
}

#[derive(Serialize)]
struct JsonRun<'a> {
    run: &'a str,
    path: Cow<'a, str>,
    tag: &'a str,
    queries: usize,
    unanswered: usize,
    unjudged: usize,
    means: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_query: Option<BTreeMap<&'a str, BTreeMap<String, f64>>>,
}

#[derive(Serialize)]
struct JsonComparison<'a> {
    run: &'a str,
    measure: String,
    queries: usize,
    mean: f64,
    baseline: f64,
    difference: f64,
    interval: (f64, f64),
    p_value: f64,
    p_holm: f64,
    better: usize,
    worse: usize,
}

/// trec_eval's four decimals.
fn digits(value: f64) -> String {
    format!("{value:.4}")
}

/// A p-value is never 0, and must not look so.
fn p_digits(value: f64) -> String {
    if value < 0.000_05 { "<0.0001".to_owned() } else { digits(value) }
}

fn left(name: &impl ToString) -> (String, Align) {
    (name.to_string(), Align::Left)
}

fn right(name: &impl ToString) -> (String, Align) {
    (name.to_string(), Align::Right)
}
