//! Refuses settings that have no effect in a run, if they were set to another value.
//!
//! Default values pass, so that a run file with all of them written out can be read back.

use super::check::contradict;
use super::{
    ArchitectureSettings, Estimator, Kind, LossSettings, Mode, OptimiserSettings, RouterSettings,
    Run, RunError, ScheduleSettings, System,
};

impl Run {
    pub(super) fn check_unused(&self) -> Result<(), RunError> {
        self.check_unused_router()?;
        self.check_unused_losses()?;
        self.check_unused_layers()?;
        self.check_unused_lanes()?;
        self.check_unused_data()
    }

    fn check_unused_router(&self) -> Result<(), RunError> {
        let system = self.architecture.system;
        let mixes = self.router.estimator == Estimator::Mixture;
        let reason = "no run without a router uses: leave it out, or choose another `system`";
        let rate = self.optimiser.router_rate;
        contradict("optimiser.router_rate", rate, rate.is_some() && !system.routes(), reason)?;
        match system {
            System::Fastlane if !mixes => Ok(()),
            System::Fastlane => self.check_picks(
                "the mixture does not use: leave it out, or set `router.estimator = \"gumbel\"`",
            ),
            System::FastlaneSoft => self.check_picking(
                "the soft lane does not use, for it picks none: leave it out, or set `system = \"fastlane\"`",
            ),
            _ => self.check_picking(reason),
        }
    }

    /// Checks the number of lanes that are picked, and how.
    fn check_picking(&self, reason: &'static str) -> Result<(), RunError> {
        let (it, usual) = (&self.router, RouterSettings::default());
        contradict("router.estimator", it.estimator, it.estimator != usual.estimator, reason)?;
        contradict("router.lanes", it.lanes, it.lanes != usual.lanes, reason)?;
        self.check_picks(reason)
    }

    /// Checks the settings of random picks.
    fn check_picks(&self, reason: &'static str) -> Result<(), RunError> {
        let (it, usual) = (&self.router, RouterSettings::default());
        contradict("router.epsilon", it.epsilon, it.epsilon != usual.epsilon, reason)?;
        contradict("router.mask", it.mask, it.mask != usual.mask, reason)?;
        contradict("router.noise", it.noise, it.noise != usual.noise, reason)?;
        let (through, straight) = (it.straight_through, usual.straight_through);
        contradict("router.straight_through", through, through != straight, reason)?;
        let (tau, by_default) = (&it.tau, &usual.tau);
        contradict("router.tau.start", tau.start, tau.start != by_default.start, reason)?;
        contradict("router.tau.end", tau.end, tau.end != by_default.end, reason)?;
        contradict("router.tau.shape", tau.shape, tau.shape != by_default.shape, reason)
    }

    fn check_unused_losses(&self) -> Result<(), RunError> {
        let (it, usual) = (&self.loss, LossSettings::default());
        let late = self.architecture.system == System::SumMax;
        let reason = "late interaction does not use: set `loss.sum_max_temperature`";
        let chosen = it.temperature != usual.temperature;
        contradict("loss.temperature", it.temperature, late && chosen, reason)?;
        let reason = "no run without late interaction uses: leave it out, or set `loss.sum_max`";
        let chosen = it.sum_max_temperature != usual.sum_max_temperature;
        let none = !late && it.sum_max == 0.0;
        contradict("loss.sum_max_temperature", it.sum_max_temperature, none && chosen, reason)
    }

    fn check_unused_lanes(&self) -> Result<(), RunError> {
        let it = &self.architecture;
        let reason = "no run without document lanes uses: leave it out, or set `architecture.document_lanes`";
        let chosen = it.document_windows != ArchitectureSettings::default().document_windows;
        let none = it.document_lanes == 0;
        contradict("architecture.document_windows", it.document_windows, none && chosen, reason)
    }

    /// Checks a frozen run in which no layer is trained.
    fn check_unused_layers(&self) -> Result<(), RunError> {
        if self.mode == Mode::Full || self.architecture.tuned_layers > 0 {
            return Ok(());
        }
        let reason = "no run uses in which no layer learns: leave it out, or set `architecture.tuned_layers`";
        // nothing is dropped, so 0 is accepted
        let dropout = self.architecture.dropout;
        let chosen = ![0.0, ArchitectureSettings::default().dropout].contains(&dropout);
        contradict("architecture.dropout", dropout, chosen, reason)?;
        let decay = self.optimiser.layer_decay;
        let chosen = decay != OptimiserSettings::default().layer_decay;
        contradict("optimiser.layer_decay", decay, chosen, reason)?;
        let texts = self.schedule.checkpoint_texts;
        let chosen = texts != ScheduleSettings::default().checkpoint_texts;
        contradict("schedule.checkpoint_texts", texts, chosen, reason)
    }

    fn check_unused_data(&self) -> Result<(), RunError> {
        let reason = "is for `kind = \"beir\"` alone: leave it out";
        for source in &self.data {
            let chosen = source.kind != Kind::Beir && source.split != "train";
            contradict("data.split", &source.split, chosen, reason)?;
        }
        let it = &self.negatives;
        let ways = [
            ("negatives.bm25_skip", it.bm25_skip, it.bm25_depth),
            ("negatives.model_skip", it.model_skip, it.model_depth),
        ];
        for (key, skip, depth) in ways {
            let reason = "is not used without a depth to mine from: set that too, or leave it out";
            contradict(key, skip, skip > 0 && depth == 0, reason)?;
        }
        Ok(())
    }
}
