//! Whole pages, of searches made by hand.

mod contract;
mod escapes;
mod made;
mod states;
