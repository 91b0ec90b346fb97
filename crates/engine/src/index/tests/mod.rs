//! Tests of the index: normal operation, errors, damage and crashes.

mod balance;
mod compat;
mod damage;
mod faults;
mod life;
mod operations;
mod power;
mod ranking;
mod requests;
mod weights;

use std::num::NonZero;
use std::path::Path;

use crate::encoder::Lane;
use crate::{
    Hit, IndexSettings, Nominate, OpenIndexError, Reader, Reduction, Request, Store, TokenMatrix,
    Writer, WriterSettings,
};

use fastlane_durable::Storage;
use fastlane_durable::twin::Unsynced;

/// The length of the views in these tests.
const DIM: usize = 8;

/// Leaves out about half of the views that these tests make.
const REDUCTION: Reduction =
    Reduction { near_duplicates: Some(0.3), importance: None, diverse: None };

fn index_settings() -> IndexSettings {
    IndexSettings {
        dim: DIM,
        token_dim: None,
        lanes_only: false,
        model: "test".to_owned(),
        store: Store::F16,
    }
}

/// Lists from 40 views on, so that small indexes have some; all views are kept.
fn settings() -> WriterSettings {
    let threads = NonZero::<usize>::MIN;
    let reduction = Reduction::OFF;
    WriterSettings { threads, lists_from: 40, reduction, ..WriterSettings::default() }
}

/// A writer that does not wait for the disk.
fn open(path: &Path) -> Writer {
    open_on(Box::new(Unsynced::new(path)), path, (Store::F16, Reduction::OFF)).unwrap()
}

fn open_on(
    storage: Box<dyn Storage>,
    path: &Path,
    (store, reduction): (Store, Reduction),
) -> Result<Writer, OpenIndexError> {
    let settings = WriterSettings { reduction, ..settings() };
    let index = IndexSettings { store, ..index_settings() };
    Writer::open_on(storage, path, Some(&index), settings)
}

/// Views of a document, which depend only on a number; halves hold their values exactly.
fn views(seed: u64, count: usize) -> TokenMatrix {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 56) as f32 - 127.5) / 128.0
    };
    TokenMatrix::new(DIM, (0..count * DIM).map(|_| next()).collect())
}

fn lane(view: &[f32]) -> Lane<'_> {
    Lane { token: 3, weight: 1.0, view }
}

/// The ids that a search finds, best first.
fn found(reader: &Reader, view: &[f32], k: usize, nominate: Nominate) -> Vec<(String, f32)> {
    let lanes = [lane(view)];
    let request = Request { nominate, ..Request::new(&lanes, k) };
    let hits = reader.search(&request).unwrap();
    hits.into_iter().map(|Hit { id, score, .. }| (id.to_owned(), score)).collect()
}

/// All lists with an infinite margin: as exact as a scan.
const THOROUGH: Nominate = Nominate::Lists { probes: usize::MAX, margin: f32::INFINITY };
