//! Detects the four ways in which a router fails.
//!
//! | warning | condition |
//! |---|---|
//! | collapse | one position, or one token, wins nearly always |
//! | frozen | shares stay as even as they began |
//! | unstable tau | the loss jumps while tau falls |
//! | coverage | many documents are cut |

use std::collections::{BTreeMap, VecDeque};

use crate::events::observer::StepReport;
use crate::events::warning::Warning;

/// The number of steps that are examined together.
const WINDOW: usize = 50;
/// A position or token that wins more often than this dominates.
const TAKEN_OVER: f64 = 0.9;
/// Shares with an entropy above this fraction of the maximum are uniform.
const EVEN: f64 = 0.97;
/// A loss has jumped if it is this many times the median of recent steps.
const JUMP: f64 = 2.0;
/// Above this share of cut documents, answers may lie past the cut.
const CUT: f64 = 0.2;

/// Examines the last steps.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    recent: VecDeque<StepReport>,
    /// The reported warnings by name, with the step.
    pub(crate) reported: BTreeMap<String, u32>,
    warm_up: u32,
}

impl Diagnostics {
    /// Starts after the warm-up.
    pub(crate) fn new(warm_up: u32) -> Self {
        Self { warm_up, ..Self::default() }
    }

    /// A warning for the documents of a run, if many are cut.
    pub(crate) fn coverage(cut: usize, documents: usize) -> Option<Warning> {
        let share = cut as f64 / documents.max(1) as f64;
        (share > CUT).then_some(Warning::Coverage { share })
    }

    /// Examines one more step; reports the same warning again only after many steps.
    pub(crate) fn observe(&mut self, report: &StepReport) -> Vec<Warning> {
        // a router that has hardly been trained yet is not frozen
        if report.step <= self.warm_up {
            return Vec::new();
        }
        let jump = self.jump(report);
        self.recent.push_back(report.clone());
        if self.recent.len() > WINDOW {
            self.recent.pop_front();
        }
        if self.recent.len() < WINDOW {
            return Vec::new();
        }
        let all = [self.frozen(), self.collapse(), jump];
        all.into_iter().flatten().filter(|warning| self.is_new(warning, report.step)).collect()
    }

    /// Marks a warning as reported; returns whether it was not reported recently.
    fn is_new(&mut self, warning: &Warning, step: u32) -> bool {
        let again = 10 * WINDOW as u32;
        let new = self.reported.get(warning.name()).is_none_or(|&before| step >= before + again);
        if new {
            self.reported.insert(warning.name().to_owned(), step);
        }
        new
    }

    /// Marks a warning as reported; returns whether it was never reported before.
    pub(crate) fn is_first(&mut self, warning: &Warning, step: u32) -> bool {
        !self.reported.contains_key(warning.name()) && self.is_new(warning, step)
    }

    fn frozen(&self) -> Option<Warning> {
        let entropies: Vec<f64> = self.recent.iter().filter_map(|it| it.entropy).collect();
        let entropy = entropies.iter().sum::<f64>() / entropies.len().max(1) as f64;
        (!entropies.is_empty() && entropy > EVEN).then_some(Warning::FrozenRouter { entropy })
    }

    fn collapse(&self) -> Option<Warning> {
        let most = |of: fn(&StepReport) -> &[u32]| {
            let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
            let all = self.recent.iter().flat_map(of);
            all.for_each(|&it| *counts.entry(it).or_default() += 1);
            let sum: usize = counts.values().sum();
            let (&it, &count) = counts.iter().max_by_key(|(_, count)| **count)?;
            Some((it, count as f64 / sum as f64)).filter(|(_, share)| *share > TAKEN_OVER)
        };
        let position = most(|it| &it.positions);
        let token = most(|it| &it.tokens);
        position
            .map(|(position, share)| Warning::CollapseToPosition { position, share })
            .or(token.map(|(token, share)| Warning::CollapseToToken { token, share }))
    }

    fn jump(&self, report: &StepReport) -> Option<Warning> {
        let mut losses: Vec<f64> = self.recent.iter().map(|it| it.loss).collect();
        losses.sort_by(f64::total_cmp);
        let usual = *losses.get(losses.len() / 2)?;
        let falls =
            self.recent.back().is_some_and(|it| it.tau > report.tau && report.tau.is_some());
        let losses = [report.loss, usual];
        (falls && report.loss > JUMP * usual.max(0.1))
            .then_some(Warning::UnstableTau { step: report.step, losses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(step: u32) -> StepReport {
        StepReport {
            step,
            loss: 1.0,
            terms: Vec::new(),
            rate: 1.0,
            tau: Some(1.0 / f64::from(step) as f32),
            gradient: 1.0,
            tokens_per_second: 1.0,
            entropy: Some(0.5),
            positions: vec![step % 7, step % 5],
            tokens: vec![step % 11],
        }
    }

    fn warnings(change: impl Fn(&mut StepReport)) -> Vec<String> {
        let mut diagnostics = Diagnostics::new(10);
        let mut all = Vec::new();
        for step in 1..=120 {
            let mut report = report(step);
            change(&mut report);
            all.extend(diagnostics.observe(&report).iter().map(ToString::to_string));
        }
        all
    }

    #[test]
    fn a_healthy_run_shows_none() {
        assert!(warnings(|_| {}).is_empty());
    }

    #[test]
    fn the_warm_up_is_not_examined() {
        let even = |until| {
            warnings(move |it| it.entropy = Some(if it.step <= until { 0.99 } else { 0.9 }))
        };
        assert!(even(10).is_empty());
        // the window that begins after the warm-up, at step 11
        assert_eq!(even(60), ["frozen router: shares are 99 % even"]);
    }

    #[test]
    fn each_warning_is_reported_once_by_name() {
        let even = warnings(|it| it.entropy = Some(0.99));
        assert_eq!(even, ["frozen router: shares are 99 % even"]);
        let first = warnings(|it| it.positions = vec![0, 0]);
        assert_eq!(first, ["router collapse: position 0 wins 100 %"]);
        let token = warnings(|it| it.tokens = vec![102]);
        assert_eq!(token, ["router collapse: token 102 wins 100 %"]);
        let jump = warnings(|it| it.loss = if it.step == 90 { 5.0 } else { 1.0 });
        assert_eq!(jump, ["unstable tau: the loss jumped to 5.000 from 1.000 at step 90"]);
        // a loss that jumps while tau stays has another reason
        assert!(warnings(|it| (it.tau, it.loss) = (Some(1.0), f64::from(it.step % 60))).is_empty());
        assert!(warnings(|it| (it.tau, it.loss) = (None, f64::from(it.step % 60))).is_empty());
        assert_eq!(Diagnostics::coverage(10, 100), None);
        let cut = Diagnostics::coverage(30, 100).unwrap().to_string();
        assert_eq!(cut, "coverage: 30 % of the documents are cut");
    }
}
