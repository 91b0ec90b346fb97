//! Random operations on an index and on a map: both must hold the same documents.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use fastlane_durable::twin::Unsynced;

use super::{DIM, REDUCTION, THOROUGH, found, lane, open_on, views};
use crate::codec::{Coder, RowScratch};
use crate::{Nominate, Reader, Reduction, Request, Rerank, Store, TokenMatrix, Writer};

#[derive(Debug, Clone)]
enum Operation {
    /// Adds or replaces one of a few documents, with so many views.
    Add(u8, u64, usize),
    Delete(u8),
    Commit,
    /// Drops the writer and its uncommitted changes; the next writer may reduce views.
    Reopen(bool),
    Compact,
    /// Searches for some documents with a view.
    Search(u64, usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    let id = 0..24_u8;
    prop_oneof![
        8 => (id.clone(), any::<u64>(), 0..9_usize).prop_map(|(id, seed, n)| Operation::Add(id, seed, n)),
        3 => id.prop_map(Operation::Delete),
        3 => Just(Operation::Commit),
        1 => any::<bool>().prop_map(Operation::Reopen),
        1 => Just(Operation::Compact),
        3 => (any::<u64>(), 0..30_usize).prop_map(|(seed, k)| Operation::Search(seed, k)),
    ]
}

/// All views of each document as they are decoded, and the positions of those that are kept.
type Documents = BTreeMap<String, (TokenMatrix, Vec<usize>)>;

/// The index and its model, a map.
struct Both<'a> {
    path: &'a Path,
    store: Store,
    writer: Option<Writer>,
    reduction: Reduction,
    reader: Option<Reader>,
    now: Documents,
    committed: Documents,
}

impl<'a> Both<'a> {
    fn new(path: &'a Path, store: Store) -> Self {
        let (now, committed) = (Documents::new(), Documents::new());
        let reduction = Reduction::OFF;
        let mut both = Self { path, store, writer: None, reduction, reader: None, now, committed };
        both.open();
        both
    }

    fn open(&mut self) {
        self.writer = None;
        let storage = Box::new(Unsynced::new(self.path));
        self.writer = Some(open_on(storage, self.path, (self.store, self.reduction)).unwrap());
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().unwrap()
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Add(id, seed, count) => {
                let (id, views) = (format!("d{id}"), views(seed, count));
                self.writer().add(&id, &views, None).unwrap();
                let kept = self.reduction.apply(&views, None);
                self.now.insert(id, (self.stored(&views), kept));
            }
            Operation::Delete(id) => {
                let id = format!("d{id}");
                let was_there = self.now.remove(&id).is_some();
                assert_eq!(self.writer().delete(&id).unwrap(), was_there);
            }
            Operation::Commit => {
                self.writer().commit().unwrap();
                self.commit();
            }
            Operation::Compact => {
                self.writer().compact().unwrap();
                self.commit();
                let reader = self.reader.as_ref().unwrap().statistics();
                assert!(reader.segments <= 1 && reader.deleted == 0);
            }
            Operation::Reopen(reduces) => {
                self.reduction = if reduces { REDUCTION } else { Reduction::OFF };
                self.open();
                self.now = self.committed.clone();
            }
            Operation::Search(seed, k) => self.search(seed, k),
        }
        let count = self.now.len() as u64;
        assert_eq!(self.writer().documents(), count);
    }

    fn commit(&mut self) {
        self.committed = self.now.clone();
        match &mut self.reader {
            Some(reader) => drop(reader.refresh().unwrap()),
            None => self.reader = Some(Reader::open(self.path).unwrap()),
        }
        let mut ids: Vec<&str> = self.reader.as_ref().unwrap().ids().collect();
        ids.sort_unstable();
        assert!(ids.iter().eq(self.committed.keys()));
    }

    /// The decoded values of these views.
    fn stored(&self, views: &TokenMatrix) -> TokenMatrix {
        let (coder, mut rows) = (Coder::new(self.store, DIM), RowScratch::default());
        let mut scratch = RowScratch::default();
        let halves = coder.read(coder.encode(views.values(), &mut rows), &mut scratch);
        TokenMatrix::new(DIM, halves.iter().map(|half| half.to_f32()).collect())
    }

    /// A query, rotated as rows are.
    fn rotated(&self, query: &TokenMatrix) -> TokenMatrix {
        let mut values = query.values().to_vec();
        Coder::new(self.store, DIM).rotate(&mut values);
        TokenMatrix::new(DIM, values)
    }

    fn search(&self, seed: u64, k: usize) {
        let Some(reader) = &self.reader else { return };
        let query = views(seed, 1);
        let all = naive(&self.committed, self.rotated(&query).row(0));
        let wanted = &all[..k.min(all.len())];
        let best = found(reader, query.row(0), k, THOROUGH);
        assert_eq!(best, found(reader, query.row(0), k, Nominate::Scan));
        assert_eq!(best.len(), wanted.len());
        match self.store {
            // products with values of 8 bits have sums that do not depend on the order
            Store::F16 => assert_eq!(best, wanted),
            _ => assert!(best.iter().zip(wanted).all(|(one, other)| is_near(one.1, other.1))),
        }
        self.compare_pairs(&query, k);
        // less effort may miss some, but `k` documents are found as long as there are that many
        let some = found(reader, query.row(0), k, Nominate::Lists { probes: 1, margin: 0.0 });
        assert_eq!(some.len(), wanted.len());
        assert!(some.iter().all(|(id, score)| {
            let best = |(other, best): &(String, f32)| other == id && *score <= best + NEAR;
            all.iter().any(best)
        }));
    }

    /// Checks that a pair names a view that was kept, by its position when it was added.
    fn compare_pairs(&self, query: &TokenMatrix, k: usize) {
        let lanes = [lane(query.row(0))];
        let rerank = Some(Rerank { query, weights: None, documents: k });
        for (nominate, rerank) in [(THOROUGH, None), (Nominate::Scan, None), (THOROUGH, rerank)] {
            let request = Request { nominate, rerank, ..Request::new(&lanes, k) };
            for hit in self.reader.as_ref().unwrap().search(&request).unwrap() {
                let ((views, kept), pair) = (&self.committed[hit.id], hit.pairs[0]);
                assert!(kept.contains(&pair.view), "{pair:?} of {kept:?}");
                let wanted = product(views.row(pair.view), self.rotated(query).row(0));
                assert!(is_near(pair.product, wanted), "{pair:?}, wanted {wanted}");
                assert!(rerank.is_some() || pair.product == hit.score);
            }
        }
    }
}

/// The tolerance for sums in another order.
const NEAR: f32 = 1e-4;

fn is_near(one: f32, other: f32) -> bool {
    (one - other).abs() <= NEAR
}

fn product(view: &[f32], query: &[f32]) -> f32 {
    view.iter().zip(query).map(|(a, b)| a * b).sum()
}

/// All documents by the best product with a view, the last id among equals.
fn naive(documents: &Documents, query: &[f32]) -> Vec<(String, f32)> {
    let mut all: Vec<(String, f32)> = (documents.iter())
        .filter_map(|(id, (views, kept))| {
            let products = kept.iter().map(|&view| product(views.row(view), query));
            Some((id.clone(), products.reduce(f32::max)?))
        })
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| b.0.cmp(&a.0)));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn an_index_does_what_a_map_does(
        store in prop::sample::select(Store::ALL.to_vec()),
        operations in prop::collection::vec(operation(), 1..60)
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut both = Both::new(directory.path(), store);
        for operation in &operations {
            both.apply(operation);
        }
        both.writer = None;
        if let Some(reader) = &both.reader {
            prop_assert!(reader.settings().dim == DIM);
            let checked = Reader::check(directory.path(), |_| true).unwrap();
            prop_assert_eq!(checked.problems, vec![]);
        }
    }
}
