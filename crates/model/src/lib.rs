//! Text to views in pure Rust.

mod architecture;
mod bert;
mod kernels;

pub use architecture::{Activation, Architecture, Family};
pub use kernels::Precision;
