//! Text to views in pure Rust: checkpoints, tokenizer, and a BERT forward pass on FastLane's
//! kernels.
//!
//! A [`Model`] is opened from a directory as Sentence Transformers, PyLate, ColBERT or this
//! project write it, and is an [`Encoder`].
//!
//! ```no_run
//! use fastlane_engine::Encoder as _;
//! use fastlane_model::{Model, Settings};
//!
//! let model = Model::open("models/all-MiniLM-L6-v2", &Settings::default())?;
//! let query = model.encode_query("who keeps the light")?;
//! let lane = &query.lanes(1)[0];
//! println!("searched by `{}`", query.tokens[lane.token].text);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod checkpoint;
mod encoders;
mod error;
mod fingerprint;
mod heads;
mod json;
mod serving;
mod tokenise;

pub use checkpoint::{CheckpointError, Layout};
pub use encoders::architecture::{Activation, Architecture, Family};
pub use encoders::bert::{BertFamily, Names};
pub use error::{NotFinite, OpenError};
pub use fastlane_engine::{Encoder, FingerprintMatch};
pub use fastlane_kernels::encoder::{Precision, peak};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use heads::document_lanes::window;
pub use serving::model::{Model, Settings};
