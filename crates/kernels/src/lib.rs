//! Compute kernels: products, scans and transforms with the best instructions of this CPU.
//!
//! | | |
//! |---|---|
//! | [`search`] | products of a vector with rows, scans of one-bit codes, halves, Hadamard transforms |
//! | [`encoder`] | matrix products of a forward pass in f32, bf16 and by AMX, and what stands between them |
//!
//! Nearly all `unsafe` code is here; the rest maps files. Each function is safe: it checks that the
//! CPU has the instructions, and that slices cover every access by pointer. Each has a twin in
//! plain Rust, which tests compare it with, and which every other CPU runs.
//!
//! To add a kernel, add a variant to [`search::Kernel`] or [`encoder::Kernel`]. Their matches name
//! all variants, so the compiler lists what a new one needs.

mod cpu;
pub mod encoder;
pub mod search;
