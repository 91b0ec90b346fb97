//! Trains encoders and routers.

mod architecture;
pub mod backend;
mod data;
mod error;
mod evaluation;
mod events;
mod loss;
mod report;
mod router;
pub mod run;
mod storage;
mod training;

pub use data::DataError;
pub use error::TrainError;
pub use events::observer::{Event, Measurement, Observer, Phase, Ready, StepReport, TestReport};
pub use events::router_stats::RouterStats;
pub use events::warning::Warning;
pub use report::report;
pub use training::trainer::{Outcome, RunPaths, train};
