//! Learns encoders and routers.

mod architecture;
pub mod backend;
mod checkpoint;
mod data;
mod error;
mod examples;
mod inputs;
mod judged;
mod learner;
mod loss;
mod memory;
mod metrics;
mod optimiser;
mod origins;
mod picks;
mod prepare;
mod report;
mod router;
pub mod run;
mod schedule;
mod signs;
mod step;
mod storage;
mod test;
mod trainer;
mod watch;

pub use data::DataError;
pub use error::TrainError;
pub use picks::Choice;
pub use report::report;
pub use signs::Sign;
pub use trainer::{Outcome, Places, train};
pub use watch::{Event, Measurement, Phase, Ready, StepReport, TestReport, Watch};
