//! The documents that a search may find.

use crate::index::{Bits, Reader};

/// A set of documents of one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSet {
    pub(super) generation: u64,
    /// Identifies the generation of the index.
    pub(super) identity: u32,
    /// One set for each segment.
    pub(super) segments: Vec<Bits>,
}

impl DocumentSet {
    /// The number of documents.
    pub fn len(&self) -> usize {
        self.segments.iter().map(Bits::count).sum()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Reader {
    /// The set of the documents with these ids; unknown ids are skipped.
    pub fn select<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> DocumentSet {
        let mut set = self.select_none();
        for (segment, document) in ids.into_iter().filter_map(|id| self.generation.find(id)) {
            set.segments[segment].add(document);
        }
        set
    }

    /// The set of the documents whose ids are wanted.
    pub fn select_where(&self, wanted: impl Fn(&str) -> bool) -> DocumentSet {
        let mut set = self.select_none();
        for (segment, bits) in self.generation.segments.iter().zip(&mut set.segments) {
            for document in segment.live() {
                if segment.id(document).is_some_and(&wanted) {
                    bits.add(document);
                }
            }
        }
        set
    }

    fn select_none(&self) -> DocumentSet {
        let segments = self.generation.segments.iter();
        let segments = segments.map(|segment| Bits::new(segment.documents())).collect();
        DocumentSet { generation: self.generation(), identity: self.generation.identity, segments }
    }
}
