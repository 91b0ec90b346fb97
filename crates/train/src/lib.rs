//! Learns encoders and routers.

mod architecture;
pub mod backend;
mod checkpoint;
mod data;
mod dev;
mod error;
mod examples;
mod inputs;
mod learner;
mod loss;
mod memory;
mod metrics;
mod optimiser;
mod origins;
mod prepare;
mod report;
mod router;
pub mod run;
mod schedule;
mod signs;
mod step;
mod storage;
mod trainer;
mod watch;

pub use data::DataError;
pub use error::TrainError;
pub use report::report;
pub use signs::Sign;
pub use trainer::{Outcome, Places, train};
pub use watch::{Event, Measurement, Phase, Ready, StepReport, Watch};
