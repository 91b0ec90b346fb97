//! A service over real connections: what it answers, what it refuses, what it survives.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../../tests/reference_page.rs"]
mod reference_page;

mod answers;
mod changes;
mod defects;
mod pages;
mod race;
mod refusals;
mod service;
