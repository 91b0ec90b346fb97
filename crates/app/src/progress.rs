//! Bars on stderr for whatever takes longer than a second, when a person watches.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(1);

/// What a bar counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Bytes, shown as MiB.
    Bytes,
    /// Things, called so.
    Things(&'static str),
}

/// A bar that stays invisible for its first second, and is gone when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    visible: Cell<bool>,
    wanted: bool,
}

impl Progress {
    pub(crate) fn new(
        what: &'static str,
        total: Option<u64>,
        unit: Unit,
        settings: Settings,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        bar.set_style(style(unit, total.is_some()));
        bar.set_message(what);
        let wanted = settings.stderr_is_terminal;
        Self { bar, started: Instant::now(), visible: Cell::new(false), wanted }
    }

    /// Moves the bar to `done`.
    pub(crate) fn set(&self, done: u64) {
        if self.wanted && !self.visible.get() && self.started.elapsed() > PATIENCE {
            self.visible.set(true);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(unit: Unit, bounded: bool) -> ProgressStyle {
    let count = match (unit, bounded) {
        (Unit::Bytes, true) => "{bytes} of {total_bytes}, {bytes_per_sec}".to_owned(),
        (Unit::Bytes, false) => "{bytes}, {bytes_per_sec}".to_owned(),
        (Unit::Things(name), true) => format!("{{human_pos}} of {{human_len}} {name}, {{per_sec}}"),
        (Unit::Things(name), false) => format!("{{human_pos}} {name}, {{per_sec}}"),
    };
    let template = match bounded {
        true => format!("{{msg:<18}} {{bar:30}} {count}, {{eta}} left"),
        false => format!("{{msg:<18}} {{spinner}} {count}, {{elapsed}}"),
    };
    ProgressStyle::with_template(&template).expect("the templates above are well-formed")
}
