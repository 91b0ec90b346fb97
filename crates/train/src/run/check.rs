//! Checks a run file for invalid values, and for settings that contradict each other.

use std::fmt::{Debug, Display};
use std::path::PathBuf;

use super::{DeviceSettings, Kind, Mode, Run, RunError, System, TowerSettings};
use crate::backend::Precision;
use crate::loss::Refused;

impl Run {
    /// Refuses invalid values, and settings that contradict each other.
    ///
    /// # Errors
    ///
    /// The first one that is found, by its key.
    pub fn check(&self) -> Result<(), RunError> {
        self.check_architecture()?;
        self.check_router()?;
        self.check_data()?;
        self.check_loss()?;
        self.check_learning()?;
        self.check_contradictions()?;
        self.check_unused()
    }

    fn check_architecture(&self) -> Result<(), RunError> {
        let it = &self.architecture;
        for (key, dim) in [("architecture.dim", it.dim), ("architecture.lane_dim", it.lane_dim)] {
            let fits = dim == 0 || (dim % 8 == 0 && (8..=1024).contains(&dim));
            check(key, dim, fits, "0, or a multiple of 8 up to 1024")?;
        }
        check("architecture.attention", it.attention, it.attention > 0, "at least 1")?;
        let tokens = [
            ("architecture.query_tokens", it.query_tokens),
            ("architecture.document_tokens", it.document_tokens),
        ];
        for (key, tokens) in tokens {
            check(key, tokens, tokens >= 4, "at least 4")?;
        }
        let dropout = (0.0..1.0).contains(&it.dropout);
        check("architecture.dropout", it.dropout, dropout, "at least 0 and below 1")
    }

    fn check_router(&self) -> Result<(), RunError> {
        let it = &self.router;
        check("router.lanes", it.lanes, it.lanes > 0, "at least 1")?;
        let floor = (0.0..1.0).contains(&it.epsilon);
        check("router.epsilon", it.epsilon, floor, "at least 0 and below 1")?;
        positive("router.tau.start", it.tau.start)?;
        positive("router.tau.end", it.tau.end)
    }

    fn check_data(&self) -> Result<(), RunError> {
        check("data", "empty", !self.data.is_empty(), "at least one source")?;
        for source in &self.data {
            positive("data.weight", source.weight)?;
            at_least_one("data.limit", source.limit)?;
            let by_id = source.kind == Kind::IdTriples;
            let paths = source.documents.is_some() && source.queries.is_some();
            check("data.kind", "id-triples", !by_id || paths, "with `documents` and `queries`")?;
            let paths = source.documents.is_some() || source.queries.is_some();
            let reason = "has texts of its own: `documents` and `queries` are for id-triples";
            contradict("data.kind", source.kind, !by_id && paths, reason)?;
        }
        for set in &self.dev {
            at_least_one("dev.queries", set.queries)?;
        }
        for (place, set) in self.test.iter().enumerate() {
            at_least_one("test.queries", set.queries)?;
            let name = set.path.file_name();
            let twice = self.test[..place].iter().any(|before| before.path.file_name() == name);
            let reason = "has the name of another test set, and runs are called after it";
            contradict("test.path", &set.path, twice, reason)?;
        }
        self.check_negatives()
    }

    fn check_negatives(&self) -> Result<(), RunError> {
        let it = &self.negatives;
        let ways = [
            ("negatives.bm25_depth", it.bm25_depth, "negatives.bm25_skip", it.bm25_skip),
            ("negatives.model_depth", it.model_depth, "negatives.model_skip", it.model_skip),
        ];
        for (depth_key, depth, skip_key, skip) in ways {
            let reason = "are never used: set `negatives.per_query`";
            contradict(depth_key, depth, depth > 0 && it.per_query == 0, reason)?;
            let reason = "is not below the depth, so nothing is left";
            contradict(skip_key, skip, depth > 0 && skip >= depth, reason)?;
        }
        let reason = "and `negatives.model` need each other";
        let alone = it.model.is_some() != (it.model_depth > 0);
        contradict("negatives.model_depth", it.model_depth, alone, reason)
    }

    fn check_loss(&self) -> Result<(), RunError> {
        let it = &self.loss;
        it.check_terms()
            .or_else(|Refused { key, found, wanted }| check(key, found, false, wanted))?;
        positive("loss.temperature", it.temperature)?;
        positive("loss.sum_max_temperature", it.sum_max_temperature)?;
        check("loss", "nothing", it.teaches(), "a term whose weight is above 0")
    }

    fn check_learning(&self) -> Result<(), RunError> {
        let it = &self.optimiser;
        positive("optimiser.rate", it.rate)?;
        for (key, rate) in
            [("optimiser.head_rate", it.head_rate), ("optimiser.router_rate", it.router_rate)]
        {
            rate.map_or(Ok(()), |rate| positive(key, rate))?;
        }
        positive("optimiser.epsilon", it.epsilon)?;
        positive("optimiser.clip", it.clip)?;
        let decay = it.layer_decay > 0.0 && it.layer_decay <= 1.0;
        check("optimiser.layer_decay", it.layer_decay, decay, "above 0 and at most 1")?;
        for beta in it.betas {
            check("optimiser.betas", beta, (0.0..1.0).contains(&beta), "at least 0 and below 1")?;
        }
        let decay = (0.0..1.0).contains(&it.weight_decay);
        check("optimiser.weight_decay", it.weight_decay, decay, "at least 0 and below 1")?;
        let it = &self.schedule;
        check("schedule.steps", it.steps, it.steps > 0, "at least 1")?;
        let share = (0.0..=1.0).contains(&it.warm_up);
        check("schedule.warm_up", it.warm_up, share, "between 0 and 1")?;
        check("schedule.batch", it.batch, it.batch >= 2, "at least 2: a query learns from others")?;
        let groups = it.alike > 0 && it.batch.is_multiple_of(it.alike);
        check(
            "schedule.alike",
            it.alike,
            groups,
            "a part of `schedule.batch`: 1, or a divisor of it",
        )?;
        check("schedule.positives", it.positives, it.positives > 0, "at least 1")?;
        check("schedule.accumulate", it.accumulate, it.accumulate > 0, "at least 1")?;
        check("saving.every", self.saving.every, self.saving.every > 0, "at least 1")
    }

    fn check_contradictions(&self) -> Result<(), RunError> {
        let it = &self.architecture;
        let reason = "has towers by its name: leave `architecture.towers` out";
        let named = matches!(it.system, System::StaticTied | System::StaticSplit);
        let differs = named && it.towers.is_some_and(|towers| towers != it.system.towers());
        contradict("architecture.system", it.system, differs, reason)?;
        let reason = "has one vector for a document: `document_lanes` is for systems with views";
        let lanes = it.system == System::Dual && it.document_lanes > 0;
        contradict("architecture.system", it.system, lanes, reason)?;
        let reason = "searches token views: `document_lanes` and `lane_dim` are for one lane";
        let all = matches!(it.system, System::SumMax | System::MaxMax);
        let lanes = it.document_lanes > 0 || it.lane_dim > 0;
        contradict("architecture.system", it.system, all && lanes, reason)?;
        let reason = "is for `mode = \"frozen\"` alone: in a full run all layers learn";
        let tuned = it.tuned_layers > 0 && self.mode == Mode::Full;
        contradict("architecture.tuned_layers", it.tuned_layers, tuned, reason)?;
        let reason = "needs layers that learn: in a frozen run set `architecture.tuned_layers`";
        let split = it.towers == Some(TowerSettings::Split)
            && self.mode == Mode::Frozen
            && it.tuned_layers == 0;
        contradict("architecture.towers", TowerSettings::Split, split, reason)?;
        let reason = "is for `device = \"cuda\"` alone: on a CPU it would be slower";
        let rounds = self.precision == Precision::Bf16 && self.device == DeviceSettings::Cpu;
        contradict("precision", self.precision, rounds, reason)?;
        let reason = "is what the lane of `sum-max` does already: leave it out";
        let late = it.system == System::SumMax;
        contradict("loss.distil", self.loss.distil, self.loss.distil > 0.0 && late, reason)?;
        self.check_views()?;
        let reason = "is for more lanes than the soft one: it is a single view";
        let soft = it.system == System::FastlaneSoft && self.router.lanes > 1;
        contradict("router.lanes", self.router.lanes, soft, reason)?;
        let reason = "needs a router: `system` has none";
        for (key, term) in
            [("loss.entropy", self.loss.entropy), ("loss.balance", self.loss.balance)]
        {
            contradict(key, term, term != 0.0 && !it.system.routes(), reason)?;
        }
        let reason = "never stops without a dev set: add `[[dev]]`";
        let blind = self.schedule.patience > 0 && self.dev.is_empty();
        contradict("schedule.patience", self.schedule.patience, blind, reason)
    }
}

impl Run {
    /// Refuses views of another system without a loss of them, and such a loss without views.
    fn check_views(&self) -> Result<(), RunError> {
        let (needs, system) = (self.loss.needs_views(), self.architecture.system);
        let it = &self.teacher_views;
        let reason = "no loss uses: leave it out, or set `loss.alignment`";
        contradict("teacher_views.queries", &it.queries, it.queries.is_some() && !needs, reason)?;
        let documents = it.documents.is_some();
        contradict("teacher_views.documents", &it.documents, documents && !needs, reason)?;
        let reason = "a loss learns from: name a directory, or one of `teacher_views.documents`";
        contradict("teacher_views.queries", &it.queries, needs && !it.any(), reason)?;
        let reason = "searches all token views: no single one can learn from a view";
        let all = matches!(system, System::SumMax | System::MaxMax);
        contradict("architecture.system", system, needs && all, reason)?;
        let reason = "searches token views of documents: set `architecture.document_lanes`";
        let tokens = documents && self.architecture.document_views().is_none();
        contradict("teacher_views.documents", &it.documents, tokens, reason)
    }
}

fn at_least_one(key: &'static str, count: Option<usize>) -> Result<(), RunError> {
    check(key, 0, count != Some(0), "at least 1")
}

fn positive(key: &'static str, value: f32) -> Result<(), RunError> {
    check(key, value, value > 0.0 && value.is_finite(), "above 0")
}

fn check(key: &'static str, found: impl Display, fits: bool, wanted: &str) -> Result<(), RunError> {
    match fits {
        true => Ok(()),
        false => Err(RunError::Value {
            path: PathBuf::new(),
            key,
            found: found.to_string(),
            wanted: wanted.to_owned(),
        }),
    }
}

pub(super) fn contradict(
    key: &'static str,
    found: impl Debug,
    contradicts: bool,
    reason: &'static str,
) -> Result<(), RunError> {
    match contradicts {
        false => Ok(()),
        true => Err(RunError::Contradiction {
            path: PathBuf::new(),
            key,
            found: format!("{found:?}"),
            reason,
        }),
    }
}
