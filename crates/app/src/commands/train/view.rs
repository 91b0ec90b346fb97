//! Shows the progress of a run.

use fastlane_train::{Event, Measurement, Observer, Phase, Ready, StepReport, TestReport};

use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};

/// Steps between two log lines without a terminal.
const QUIET: u32 = 50;

/// Shows a run.
pub(super) struct View<'a> {
    printer: &'a Printer,
    bar: Option<Progress>,
    steps: u32,
    /// The result of the last evaluation.
    dev: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn new(printer: &'a Printer) -> Self {
        Self { printer, bar: None, steps: 0, dev: None }
    }

    fn phase(&mut self, phase: Phase, total: u64) {
        let name = match phase {
            Phase::Reading => "reading",
            Phase::Mining => "mining negatives",
            Phase::EncodingQueries => "encoding queries",
            Phase::EncodingDocuments => "encoding texts",
            Phase::EncodingJudged => "encoding dev and test sets",
            Phase::Measuring => return,
            Phase::Testing => "measuring on test sets",
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
            "{queries} queries, {documents} documents, {:.2}M parameters to train, at most {:.2} \
             GB of memory",
            *parameters as f64 / 1e6,
            *memory as f64 / 1e9,
        ));
        if *resumed > 0 {
            self.printer.note(&format!("resuming after step {resumed} of {steps}"));
        }
        let bar = Progress::new(
            "learning",
            Some(u64::from(*steps)),
            Unit::Steps,
            self.printer.settings(),
        );
        bar.set(u64::from(*resumed));
        bar.start_here();
        self.bar = Some(bar);
    }

    fn step(&mut self, report: &StepReport) {
        if let Some(bar) = &self.bar {
            bar.set(u64::from(report.step));
            bar.say(|| self.lines(report));
        }
        let watched = self.printer.settings().stderr_is_terminal;
        if !watched && (report.step.is_multiple_of(QUIET) || report.step == self.steps) {
            self.printer.note(&line(report));
        }
    }

    /// The lines below the progress bar.
    fn lines(&self, report: &StepReport) -> String {
        let StepReport { loss, rate, gradient, tokens_per_second, .. } = report;
        let router = report.entropy.map(|it| format!("  router {:.0} % even", it * 100.0));
        let mut lines = format!(
            "\n  loss {loss:.3}  {}\n  rate {rate:.2}  gradient {gradient:.2}{}{}  {tokens_per_second:.0} tokens/s",
            terms(report),
            tau(report),
            router.unwrap_or_default(),
        );
        if let Some(dev) = &self.dev {
            lines += &format!("\n  dev  {dev}");
        }
        lines
    }

    fn measured(&mut self, it: &Measurement) {
        let best = if it.best { ", the best so far" } else { "" };
        self.dev = Some(format!("nDCG@10 {:.4} at step {}{best}", it.value, it.step));
        for (path, measures) in &it.sets {
            let (step, path) = (it.step, path.display());
            self.printer.note(&format!("step {step} on {path}: {}{best}", listed(measures)));
        }
    }

    fn tested(&self, it: &TestReport) {
        let path = it.path.display();
        self.printer.note(&format!("test on {path}: {}", listed(&it.measures)));
        if let Some(choice) = &it.choice {
            self.printer.note(&format!(
                "router on {path}: shares {:.0} % even, picks of {:.1} bits, position {} in {:.0} %, \
                 `{}` in {:.0} %",
                choice.evenness * 100.0,
                choice.position_bits,
                choice.position,
                choice.position_share * 100.0,
                choice.token,
                choice.token_share * 100.0,
            ));
        }
    }
}

fn listed(measures: &[(String, f64)]) -> String {
    let measures = measures.iter().map(|(name, value)| format!("{name} {value:.4}"));
    measures.collect::<Vec<_>>().join(", ")
}

/// A step in a line, for logs.
fn line(report: &StepReport) -> String {
    let StepReport { step, loss, rate, gradient, tokens_per_second, .. } = report;
    let (terms, tau) = (terms(report), tau(report));
    format!(
        "step {step} loss {loss:.3} ({terms}){tau} rate {rate:.2} gradient {gradient:.2} {tokens_per_second:.0} tokens/s"
    )
}

fn terms(report: &StepReport) -> String {
    let terms = report.terms.iter().map(|(name, value)| format!("{name} {value:.3}"));
    terms.collect::<Vec<_>>().join(", ")
}

fn tau(report: &StepReport) -> String {
    report.tau.map_or(String::new(), |tau| format!(" tau {tau:.2}"))
}

impl Observer for View<'_> {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Phase(phase, total) => self.phase(*phase, *total),
            Event::Progress(done) => self.bar.iter().for_each(|bar| bar.set(*done)),
            Event::Ready(ready) => self.ready(ready),
            Event::Step(report) => self.step(report),
            Event::Measured(measurement) => self.measured(measurement),
            Event::Tested(report) => self.tested(report),
            Event::Saved(_) => {}
            Event::Warning(warning) => self.printer.note(&format!("warning: {warning}")),
        }
    }

    fn stops(&self) -> bool {
        interrupt::check().is_err()
    }
}
