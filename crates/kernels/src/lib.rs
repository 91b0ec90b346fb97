//! Products, scans and transforms with the best instructions of this CPU.
//!
//! | | |
//! |---|---|
//! | [`search`] | products of a vector with rows, scans of one-bit codes, halves, Hadamard transforms |
//! | [`encoder`] | matrix products of a forward pass in f32, bf16 and by AMX, and what stands between them |
//!
//! It is where `unsafe` lives, but for the mapping of files. Each function is safe: it checks that the
//! CPU has the instructions, and that slices are as long as pointers will reach. Each has a twin in
//! plain Rust, which tests hold it against, and which every other CPU runs.
//!
//! A kernel is added as a variant of [`search::Kernel`] or [`encoder::Kernel`]. Their matches name all
//! variants, so the compiler lists what a new one needs.

mod cpu;
pub mod encoder;
pub mod search;
