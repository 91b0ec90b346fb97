//! Progress bars on stderr for work that takes longer than a second, on a terminal only.

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
    /// Bytes or files as a measure of the work: shown as a percentage, with the text of
    /// [`Progress::say`].
    Share,
    /// Steps, above the lines of [`Progress::say`].
    Steps,
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

    /// Sets the extra text of the bar, if the unit has room for it.
    pub(crate) fn say(&self, words: impl FnOnce() -> String) {
        if self.visible.get() {
            self.bar.set_prefix(words());
        }
    }

    /// Starts the rate here: work done earlier does not count.
    pub(crate) fn start_here(&self) {
        self.bar.reset_eta();
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
        (Unit::Share, true) => "{percent} %{prefix}".to_owned(),
        (Unit::Share | Unit::Steps, false) => "at work{prefix}".to_owned(),
        (Unit::Steps, true) => "step {pos} of {len}".to_owned(),
    };
    // the extra text takes the room of a longer bar
    let (name, bar) = if matches!(unit, Unit::Share) { (8, 20) } else { (18, 30) };
    let below = if matches!(unit, Unit::Steps) { "{prefix}" } else { "" };
    let template = match bounded {
        true => format!("{{msg:<{name}}} {{bar:{bar}}} {count}, {{eta}} left{below}"),
        false => format!("{{msg:<{name}}} {{spinner}} {count}, {{elapsed}}"),
    };
    ProgressStyle::with_template(&template).expect("the templates above are well-formed")
}
