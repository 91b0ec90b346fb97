//! Estimates the peak memory of a run before its first step.
//!
//! The resident memory is read from the system: the program, the data, the parameters twice. To
//! that is added the largest temporary need: the activations of the largest batch, an evaluation,
//! or a checkpoint that is being written. Batches follow from the seed, so the largest is known.

use crate::data::{Batches, TokenTable};
use crate::evaluation::eval_set::PORTION;
use crate::training::prepare::Prepared;

/// The size of a number in bytes.
const NUMBER: f64 = 4.0;
/// Copies of the parameters while a checkpoint is written: numbers, tensors, bytes.
const SAVING: f64 = 3.0;
/// Copies at the end of a run: also the best model, if there were evaluations.
const EXPORTING: f64 = 4.0;
/// The number of relation cells that are searched for the largest batch.
const LOOKED_AT: usize = 20_000_000;
/// Resident bytes where the system reports none, besides tokens, texts and parameters.
const PROGRAM: u64 = 60 << 20;

/// The largest resident memory in bytes that a run should need, from step `from` on.
pub(crate) fn expected(prepared: &Prepared, batches: &Batches<'_>, from: u32) -> u64 {
    let parameters: usize = prepared.parameters.iter().map(|it| it.values.len()).sum();
    let tables = parameters as f64 * NUMBER;
    let writing = if prepared.dev.is_empty() { SAVING } else { EXPORTING } * tables;
    let step = learning(prepared, batches, from).max(tables);
    let passing = [step, measuring(prepared), writing].into_iter().fold(0.0, f64::max);
    let Resident { now, most } = Resident::read().unwrap_or_else(|| assumed(prepared, tables));
    // the first step allocates the optimiser's two tables
    most.max(now + (2.0 * tables + passing) as u64)
}

/// The memory of this process.
struct Resident {
    now: u64,
    most: u64,
}

impl Resident {
    /// The numbers of the system, if available.
    fn read() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let bytes = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let kilobytes = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
            Some(kilobytes << 10)
        };
        Some(Self { now: bytes("VmRSS:")?, most: bytes("VmHWM:")? })
    }
}

/// An estimate of the resident memory without the system's numbers.
fn assumed(prepared: &Prepared, tables: f64) -> Resident {
    let tokens: usize = prepared.tokens.iter().map(TokenTable::tokens).sum();
    let texts = [prepared.pairs.queries.all(), prepared.pairs.documents.all()];
    let letters: usize =
        texts.iter().flat_map(|texts| texts.iter()).map(|text| 2 * text.len() + 120).sum();
    let now = PROGRAM + (4 * tokens + letters) as u64 + (2.0 * tables) as u64;
    Resident { now, most: now }
}

/// The rows of a batch, or of a portion of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Size {
    /// Tokens of queries and documents.
    tokens: [f64; 2],
    /// The same with each text padded to the longest.
    padded: [f64; 2],
    texts: [f64; 2],
}

impl Size {
    fn of(tokens: &[TokenTable; 2], texts: [&[u32]; 2]) -> Self {
        let mut size = Self::default();
        for (side, texts) in texts.into_iter().enumerate() {
            let lengths = texts.iter().map(|&text| tokens[side].of(text).len());
            let longest = lengths.clone().max().unwrap_or(0);
            size.tokens[side] = lengths.sum::<usize>() as f64;
            size.padded[side] = (longest * texts.len()) as f64;
            size.texts[side] = texts.len() as f64;
        }
        size
    }

    fn all(&self) -> f64 {
        self.tokens[0] + self.tokens[1]
    }
}

/// The activations and gradients of the largest batch.
fn learning(prepared: &Prepared, batches: &Batches<'_>, from: u32) -> f64 {
    let schedule = &prepared.run.schedule;
    let accumulate = schedule.accumulate as u64;
    let left = u64::from(schedule.steps - from) * accumulate;
    let mut cells = 0;
    let some = batches.from(u64::from(from) * accumulate).take(left as usize);
    let some = some.take_while(|batch| {
        cells += batch.relations.len();
        cells <= LOOKED_AT + batch.relations.len()
    });
    let bytes = some.map(|batch| {
        let size = Size::of(&prepared.tokens, [&batch.queries, &batch.documents]);
        let heads = heads(prepared, size);
        match schedule.checkpoint_texts {
            0 => inner(prepared, size.all()) + heads,
            // the heads are done before the backward pass of the first portion
            texts => {
                let held = portion(prepared, [&batch.queries, &batch.documents], texts);
                inner(prepared, held).max(heads)
            }
        }
    });
    let batch = bytes.fold(0.0, f64::max);
    // the gradients of one batch are added to those of the others
    let parameters: usize = prepared.parameters.iter().map(|it| it.values.len()).sum();
    let sums = schedule.accumulate > 1 || schedule.checkpoint_texts > 0;
    batch + if sums { parameters as f64 * NUMBER } else { 0.0 }
}

/// The largest number of tokens of `at_a_time` texts.
fn portion(prepared: &Prepared, texts: [&[u32]; 2], at_a_time: usize) -> f64 {
    let sides = texts.into_iter().zip(&prepared.tokens);
    let portions = sides.flat_map(|(texts, tokens)| {
        let tokens = move |texts: &[u32]| texts.iter().map(|&it| tokens.of(it).len()).sum();
        texts.chunks(at_a_time).map(tokens)
    });
    portions.max().unwrap_or(0_usize) as f64
}

/// The activations of the trained layers for some tokens.
fn inner(prepared: &Prepared, tokens: f64) -> f64 {
    let encoder = &prepared.frame.encoders[1];
    let layers = (encoder.layers - prepared.frame.from) as f64;
    let (hidden, wide) = (encoder.hidden as f64, encoder.intermediate as f64);
    // its input, queries, keys and values, the attention context, two normalised states, the state
    // between them, and the intermediate state before and after activation
    let a_layer = 8.0 * hidden + 2.0 * wide;
    // in the backward pass: the gradient that enters the last layer, and that of its intermediate
    // state
    let back = if layers > 0.0 { 2.0 * hidden + wide } else { 0.0 };
    tokens * (layers * a_layer + back) * NUMBER
}

/// The activations of views, router, document lanes and scores for a batch.
fn heads(prepared: &Prepared, size: Size) -> f64 {
    let settings = &prepared.run.architecture;
    let hidden = prepared.frame.encoders[1].hidden as f64;
    let length = |dim: usize| if dim == 0 { hidden } else { dim as f64 };
    let dim = length(settings.dim);
    let lane_dim = if settings.lane_dim == 0 { dim } else { settings.lane_dim as f64 };
    // the map, the unit view, and a gradient
    let views = 3.0 * (size.all() * dim + size.tokens[0] * lane_dim);
    let width = settings.attention as f64;
    let routed =
        if settings.system.routes() { size.padded[0] * (2.0 * hidden + 8.0 * width) } else { 0.0 };
    let slots = settings.document_lanes as f64;
    let learns = prepared.frame.encoders[1].layers > prepared.frame.from;
    let states = if learns { 2.0 } else { 1.0 };
    let pooled = match settings.document_lanes {
        0 => size.tokens[1] * lane_dim * 3.0,
        // states that learn have a gradient
        _ => size.padded[1] * (states * hidden + 3.0 * width + 4.0 * slots),
    };
    // products and the index of the best row, for the lane and for late interaction
    let scores = 6.0 * size.padded[0] * size.texts[1];
    (size.all() * hidden + views + routed + pooled + scores) * NUMBER
}

/// The memory of an evaluation: all queries at once, a portion of the documents, all scores.
fn measuring(prepared: &Prepared) -> f64 {
    let encoder = &prepared.frame.encoders[1];
    let (hidden, wide) = (encoder.hidden as f64, encoder.intermediate as f64);
    let learns = encoder.layers > prepared.frame.from;
    let a_token = if learns { 4.0 * hidden + 2.0 * wide } else { 3.0 * hidden };
    let of_set = |set: &crate::evaluation::eval_set::JudgedSet| {
        let [queries, documents] = [0, 1].map(|side| {
            let table: &TokenTable = &set.tokens[side];
            let all: Vec<u32> = (0..table.len() as u32).collect();
            let at_a_time = if side == 0 { all.len() } else { PORTION };
            let tokens = |texts: &[u32]| texts.iter().map(|&it| table.of(it).len()).sum();
            all.chunks(at_a_time.max(1)).map(tokens).max().unwrap_or(0_usize) as f64
        });
        let products = queries * PORTION as f64 * 5.0;
        let scores = 4.0 * (set.tokens[0].len() * set.tokens[1].len()) as f64;
        let views = 2.0 * hidden * queries;
        (queries.max(documents) * a_token + views + products + scores) * NUMBER
    };
    prepared.dev.iter().chain(&prepared.test).map(of_set).fold(0.0, f64::max)
}
