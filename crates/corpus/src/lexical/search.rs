//! Ranks the documents of a segment: MaxScore, and an exhaustive reference.
//!
//! A word can add at most its weight `idf(t) · repetitions`, since `tf / (tf + …) < 1`. With the
//! words sorted by falling weight, the last of them together often cannot lift a document over the
//! k-th best score found so far. Then documents on their lists alone need not be looked at
//! (Turtle and Flood, 1995), and the long lists of frequent words are only sought into:
//!
//! ```text
//! words by weight   w1 ≥ w2 | ≥ w3 ≥ w4        w3 + w4 < k-th best score
//!                   required  optional         candidates come from w1 and w2 only
//! ```
//!
//! Required lists are added up in windows of 4096 documents, which keeps the sums in the cache and
//! the inner loop free of branches over lists. Each candidate then takes the optional words, in
//! order, and is dropped once the rest cannot lift it.
//!
//! Both ways add a document's words in the same order, so their scores are the same bits. Sums are
//! of 64 bits; an upper bound is raised by one part in 10¹² before it is compared, more than the
//! rounding of any such sum.
//!
//! The gain grows with the lists and shrinks with `k` (queries per second and thread against the
//! twin, by the bench `lexical`): with a million short documents 8.6 times at `k` 10, 3.1 at 100, 1.6
//! at 1000; with 15,809 of MedQuAD 1.2 to 1.7 at 10 and nothing at 1000, where most of the time
//! goes into looking up ids.
//!
//! Rejected: block-max bounds. tantivy stores them for its own `k1` and `b` only.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings as _, SegmentPostings};
use tantivy::{DocSet as _, TERMINATED};

use super::bits::Bits;
use super::bm25::{self, Bm25};
use super::error::LexicalSearchError;
use super::pace::Pace;
use super::segment::Segment;
use super::top::{Ranked, Top};

const WINDOW: usize = 4096;

/// One word of a query in one segment.
pub(super) struct List {
    pub(super) postings: SegmentPostings,
    pub(super) weight: f32,
}

/// The length normalisation: a factor for each of the 256 stored lengths.
pub(super) struct Damping([f32; 256]);

impl Damping {
    pub(super) fn new(bm25: Bm25, average: f64) -> Self {
        Damping(std::array::from_fn(|id| {
            bm25.damping(FieldNormReader::id_to_fieldnorm(id as u8), average)
        }))
    }
}

/// One query on one segment.
pub(super) struct Ranking<'a> {
    pub(super) segment: &'a Segment,
    pub(super) damping: &'a Damping,
    pub(super) allowed: Option<&'a Bits>,
    pub(super) pace: &'a Pace<'a>,
}

impl Ranking<'_> {
    /// Offers every document that could be among the best. Lists are sorted by falling weight.
    pub(super) fn max_score(
        &self,
        lists: &mut [List],
        top: &mut Top,
    ) -> Result<(), LexicalSearchError> {
        let bounds = bounds(lists);
        let mut window = Window::new();
        let mut required = lists.len();
        loop {
            self.pace.look()?;
            while required > 0 && !reaches(bounds[required - 1], top.bar()) {
                required -= 1;
            }
            let (required, lists) = lists.split_at_mut(required);
            let Some(start) = self.next_candidate(required) else { return Ok(()) };
            window.fill(start, required, |list, doc| self.earned(list, doc));
            let mut optional = Optional { lists, bounds: &bounds[required.len()..] };
            window.drain(|doc, score| self.complete(doc, score, &mut optional, top));
        }
    }

    /// Offers every document on the lists.
    pub(super) fn exhaustive(&self, lists: &mut [List], top: &mut Top) {
        let mut scores = vec![0.0; self.segment.len() as usize];
        for list in lists {
            while list.postings.doc() != TERMINATED {
                let doc = list.postings.doc();
                scores[doc as usize] += self.earned(list, doc);
                list.postings.advance();
            }
        }
        for (doc, score) in (0..).zip(scores) {
            if self.allows(doc) {
                self.offer(doc, score as f32, top);
            }
        }
    }

    /// The first allowed document that may be on a required list; the lists move up to it.
    fn next_candidate(&self, required: &mut [List]) -> Option<u32> {
        let first = required.iter().map(|list| list.postings.doc()).min()?;
        if first == TERMINATED {
            return None;
        }
        let start = self.allowed.map_or(Some(first), |allowed| allowed.next(first))?;
        required.iter_mut().for_each(|list| {
            list.seek(start);
        });
        Some(start)
    }

    fn complete(&self, doc: u32, mut score: f64, optional: &mut Optional<'_>, top: &mut Top) {
        if !self.allows(doc) {
            return;
        }
        for (list, bound) in optional.lists.iter_mut().zip(optional.bounds) {
            if !reaches(score + bound, top.bar()) {
                return;
            }
            if list.seek(doc) == doc {
                score += self.earned(list, doc);
            }
        }
        self.offer(doc, score as f32, top);
    }

    /// The contribution of the word to the score of `doc`, the current document of its list.
    fn earned(&self, list: &List, doc: u32) -> f64 {
        let damping = self.damping.0[usize::from(self.segment.lengths.fieldnorm_id(doc))];
        f64::from(list.weight * bm25::saturation(list.postings.term_freq(), damping))
    }

    fn allows(&self, doc: u32) -> bool {
        self.allowed.is_none_or(|allowed| allowed.contains(doc))
    }

    fn offer(&self, doc: u32, score: f32, top: &mut Top) {
        if score > 0.0 && score >= top.bar() {
            top.offer(Ranked { score, ord: self.segment.id_ord(doc) });
        }
    }
}

/// The lists that cannot make a candidate, with the most that each and the ones after it can add.
struct Optional<'a> {
    lists: &'a mut [List],
    bounds: &'a [f64],
}

impl List {
    fn seek(&mut self, doc: u32) -> u32 {
        match self.postings.doc() {
            here if here < doc => self.postings.seek(doc),
            here => here,
        }
    }
}

/// For each list, the most that it and the ones after it can add.
fn bounds(lists: &[List]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut bounds: Vec<f64> = lists
        .iter()
        .rev()
        .map(|list| {
            sum += f64::from(list.weight);
            sum
        })
        .collect();
    bounds.reverse();
    bounds
}

fn reaches(bound: f64, bar: f32) -> bool {
    (bound * (1.0 + 1e-12)) as f32 >= bar
}

/// Sums of scores for a run of documents.
struct Window {
    start: u32,
    scores: Box<[f64; WINDOW]>,
    seen: [u64; WINDOW / 64],
}

impl Window {
    fn new() -> Self {
        Window { start: 0, scores: Box::new([0.0; WINDOW]), seen: [0; WINDOW / 64] }
    }

    fn fill(&mut self, start: u32, lists: &mut [List], earned: impl Fn(&List, u32) -> f64) {
        self.start = start;
        for list in lists {
            loop {
                let doc = list.postings.doc();
                let place = (doc - start) as usize;
                if place >= WINDOW {
                    break;
                }
                self.scores[place] += earned(list, doc);
                self.seen[place / 64] |= 1 << (place % 64);
                list.postings.advance();
            }
        }
    }

    /// Visits and clears the sums, by rising document.
    fn drain(&mut self, mut visit: impl FnMut(u32, f64)) {
        for (row, seen) in self.seen.iter_mut().enumerate() {
            while *seen != 0 {
                let place = row * 64 + seen.trailing_zeros() as usize;
                *seen &= *seen - 1;
                visit(self.start + place as u32, std::mem::take(&mut self.scores[place]));
            }
        }
    }
}
