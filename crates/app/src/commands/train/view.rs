//! What people see of a run while it goes on.

use fastlane_train::{Event, Measurement, Phase, Ready, StepReport, Watch};

use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};

/// Steps between two lines where nobody watches.
const QUIET: u32 = 50;

/// Shows a run.
pub(super) struct View<'a> {
    printer: &'a Printer,
    bar: Option<Progress>,
    steps: u32,
}

impl<'a> View<'a> {
    pub(super) fn new(printer: &'a Printer) -> Self {
        Self { printer, bar: None, steps: 0 }
    }

    fn phase(&mut self, phase: Phase, total: u64) {
        let name = match phase {
            Phase::Reading => "reading",
            Phase::Mining => "mining negatives",
            Phase::EncodingQueries => "encoding queries",
            Phase::EncodingDocuments => "encoding texts",
            Phase::EncodingDev => "encoding dev sets",
            Phase::Measuring => return,
        };
        let (total, unit) = ((total > 0).then_some(total), Unit::Things("texts"));
        self.bar = None;
        self.bar = Some(Progress::new(name, total, unit, self.printer.settings()));
    }

    fn ready(&mut self, ready: &Ready) {
        self.bar = None;
        self.steps = ready.steps;
        let Ready { queries, documents, parameters, memory, resumed, steps, .. } = ready;
        self.printer.note(&format!(
            "{queries} queries, {documents} documents, {:.2}M numbers to learn, at most {:.1} GB of memory",
            *parameters as f64 / 1e6,
            *memory as f64 / 1e9,
        ));
        if *resumed > 0 {
            self.printer.note(&format!("going on after step {resumed} of {steps}"));
        }
        let bar = Progress::new(
            "learning",
            Some(u64::from(*steps)),
            Unit::Share,
            self.printer.settings(),
        );
        bar.set(u64::from(*resumed));
        bar.start_here();
        self.bar = Some(bar);
    }

    fn step(&mut self, report: &StepReport) {
        let terms: Vec<String> =
            report.terms.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
        let line = || {
            format!(
                "step {} loss {:.3} ({}){} rate {:.2} gradient {:.2} {:.0} tokens/s",
                report.step,
                report.loss,
                terms.join(", "),
                report.tau.map_or(String::new(), |tau| format!(" tau {tau:.2}")),
                report.rate,
                report.gradient,
                report.tokens_per_second,
            )
        };
        if let Some(bar) = &self.bar {
            bar.set(u64::from(report.step));
            bar.say(line);
        }
        let watched = self.printer.settings().stderr_is_terminal;
        if !watched && (report.step.is_multiple_of(QUIET) || report.step == self.steps) {
            self.printer.note(&line());
        }
    }

    fn measured(&self, it: &Measurement) {
        for (path, measures) in &it.sets {
            let measures: Vec<String> =
                measures.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
            let best = if it.best { ", the best so far" } else { "" };
            self.printer.note(&format!(
                "step {} on {}: {}{best}",
                it.step,
                path.display(),
                measures.join(", ")
            ));
        }
    }
}

impl Watch for View<'_> {
    fn tell(&mut self, event: &Event) {
        match event {
            Event::Phase(phase, total) => self.phase(*phase, *total),
            Event::Progress(done) => self.bar.iter().for_each(|bar| bar.set(*done)),
            Event::Ready(ready) => self.ready(ready),
            Event::Step(report) => self.step(report),
            Event::Measured(measurement) => self.measured(measurement),
            Event::Saved(_) => {}
            Event::Sign(sign) => self.printer.note(&format!("warning: {sign}")),
        }
    }

    fn stops(&self) -> bool {
        interrupt::check().is_err()
    }
}
