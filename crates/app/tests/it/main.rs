//! The binary as people meet it, and the shape of the workspace.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../../../tests/reference_page.rs"]
mod reference_page;
#[path = "../../../../tests/shared_data.rs"]
mod shared_data;

mod arrows;
mod bad_files;
mod bm25;
mod compat;
mod convert;
mod damage;
mod damaged_words;
mod encode;
mod encode_places;
mod eval;
mod explain;
mod fastlane;
mod index;
mod model;
mod modules;
mod passages;
mod readme;
mod reference;
mod search;
mod serve;
mod surface;
mod train;
