//! Metadata as terms, so that a filter is answered from the inverted index.
//!
//! Every value that a path leads to becomes a *fact*, a term of bytes:
//!
//! ```text
//! author FF name FE   03 Ada        path, kind, value
//! ```
//!
//! `FF` and `FE` never occur in UTF-8, so no key can imitate a path. The kinds are 0 "there is
//! something", 1 boolean, 2 number (ten bytes, exact, in order), 3 string. Facts of one path and
//! kind are neighbours in the term dictionary and sorted by value: a comparison is one look-up or
//! one range, and the union of the lists found there. `and`, `or`, `not` work on bitmaps. Sound
//! because [`Filter::matches`](crate::Filter::matches) asks whether *any* value at the path passes.
//!
//! Strings are cut to 1024 bytes; literals are shorter, so a cut string still compares as the whole
//! one. Longer paths than a filter can ask for are left out.
//!
//! Costs: one term per distinct value, at most two lists entries per value and document; a
//! comparison reads the lists in its range, so `<` on a value that differs in each of a million
//! documents takes some tenths of a second, `=` on a frequent one about a millisecond.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use serde_json::Value;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;

use super::bits::Bits;
use super::error::LexicalSearchError;
use super::pace::Pace;
use crate::Metadata;
use crate::filter::{Exact, LONGEST_PATH, LONGEST_TEXT, Literal, Node, Order, Test};
use crate::filter::{spelled_boolean, spelled_number};

const KEY_END: u8 = 0xff;
const PATH_END: u8 = 0xfe;
const LONGEST_STORED_TEXT: usize = 1024;
const _: () = assert!(LONGEST_TEXT < LONGEST_STORED_TEXT);

const PRESENT: u8 = 0;
const BOOLEAN: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;

/// Calls `emit` with each fact of a document; some may come more than once.
pub(super) fn for_each(metadata: &Metadata, emit: &mut dyn FnMut(&[u8])) {
    of_object(metadata, &mut Vec::new(), emit);
}

fn of_object(object: &Metadata, path: &mut Vec<u8>, emit: &mut dyn FnMut(&[u8])) {
    for (key, value) in object {
        let parent = path.len();
        push_key(path, key);
        if path.len() <= LONGEST_PATH {
            of_value(value, path, emit);
        }
        path.truncate(parent);
    }
}

fn of_value(value: &Value, path: &mut Vec<u8>, emit: &mut dyn FnMut(&[u8])) {
    let mut emit_here = |kind, value: &[u8]| emit(&fact(path, kind, value));
    match value {
        Value::Null => return,
        Value::Array(elements) => {
            return elements.iter().for_each(|element| of_value(element, path, emit));
        }
        Value::Object(object) => {
            emit_here(PRESENT, &[]);
            return of_object(object, path, emit);
        }
        Value::Bool(value) => emit_here(BOOLEAN, &[u8::from(*value)]),
        Value::Number(value) => emit_here(NUMBER, &Exact::of(value).to_bytes()),
        Value::String(value) => {
            emit_here(TEXT, &value.as_bytes()[..value.len().min(LONGEST_STORED_TEXT)]);
            if let Some(number) = spelled_number(value) {
                emit_here(NUMBER, &Exact::of(&number).to_bytes());
            }
            if let Some(boolean) = spelled_boolean(value) {
                emit_here(BOOLEAN, &[u8::from(boolean)]);
            }
        }
    }
    emit_here(PRESENT, &[]);
}

/// Keys are ended, not separated, so that the path may grow; [`fact`] turns the last end.
fn push_key(path: &mut Vec<u8>, key: &str) {
    path.extend_from_slice(key.as_bytes());
    path.push(KEY_END);
}

fn fact(path: &[u8], kind: u8, value: &[u8]) -> Vec<u8> {
    let (_, path) = path.split_last().expect("a path has a key");
    [path, &[PATH_END, kind], value].concat()
}

/// The documents of a segment, deleted ones included, that pass a filter.
pub(super) fn select(
    node: &Node,
    facts: &InvertedIndexReader,
    (len, pace): (u32, &Pace<'_>),
) -> Result<Bits, LexicalSearchError> {
    Selection { facts, len, pace, repeated: repeated(node) }.select(node)
}

/// The comparisons that stand in a filter more than once, none of them evaluated yet.
fn repeated(node: &Node) -> Vec<(&Node, Option<Bits>)> {
    let (mut once, mut more) = (Vec::new(), Vec::new());
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Node::And(nodes) | Node::Or(nodes) => open.extend(nodes),
            Node::Not(node) => open.push(node),
            Node::Test { .. } if !once.contains(&node) => once.push(node),
            Node::Test { .. } => more.push(node),
        }
    }
    let mut all: Vec<(&Node, Option<Bits>)> = Vec::new();
    for node in more {
        if all.iter().all(|(other, _)| *other != node) {
            all.push((node, None));
        }
    }
    all
}

/// The evaluation of a filter on one segment.
struct Selection<'a> {
    facts: &'a InvertedIndexReader,
    len: u32,
    pace: &'a Pace<'a>,
    /// Comparisons that are asked more than once, and what was found the first time.
    repeated: Vec<(&'a Node, Option<Bits>)>,
}

impl Selection<'_> {
    fn select(&mut self, node: &Node) -> Result<Bits, LexicalSearchError> {
        match node {
            Node::And(nodes) => self.joined(nodes, Bits::intersect),
            Node::Or(nodes) => self.joined(nodes, Bits::unite),
            Node::Not(node) => Ok(self.select(node)?.complement()),
            Node::Test { path, test } => {
                let place = self.repeated.iter().position(|(other, _)| *other == node);
                let known = place.and_then(|place| self.repeated[place].1.clone());
                if let Some(found) = known {
                    return Ok(found);
                }
                let found = self.passing(path, test)?;
                if let Some(place) = place {
                    self.repeated[place].1 = Some(found.clone());
                }
                Ok(found)
            }
        }
    }

    fn joined(
        &mut self,
        nodes: &[Node],
        join: fn(&mut Bits, &Bits),
    ) -> Result<Bits, LexicalSearchError> {
        let (first, rest) = nodes.split_first().expect("the parser joins two or more");
        let mut all = self.select(first)?;
        for node in rest {
            join(&mut all, &self.select(node)?);
        }
        Ok(all)
    }

    fn passing(&self, path: &[String], test: &Test) -> Result<Bits, LexicalSearchError> {
        self.pace.look()?;
        let mut encoded = Vec::new();
        path.iter().for_each(|key| push_key(&mut encoded, key));
        let (facts, pace) = (self.facts, self.pace);
        Lookup { path: encoded, facts, pace, found: Bits::new(self.len) }.passing(test)
    }
}

struct Lookup<'a> {
    path: Vec<u8>,
    facts: &'a InvertedIndexReader,
    pace: &'a Pace<'a>,
    found: Bits,
}

impl Lookup<'_> {
    fn passing(mut self, test: &Test) -> Result<Bits, LexicalSearchError> {
        match test {
            Test::Exists => self.add_exact(PRESENT, &[])?,
            Test::Equal(literal) => self.add_equal(literal)?,
            Test::NotEqual(literal) => {
                self.add_equal(literal)?;
                return Ok(self.found.complement());
            }
            Test::In(literals) => {
                let known = |place: usize| literals[..place].contains(&literals[place]);
                for (place, literal) in literals.iter().enumerate() {
                    if !known(place) {
                        self.add_equal(literal)?;
                    }
                }
            }
            Test::Order(order, literal) => self.add_range(*order, literal)?,
        }
        Ok(self.found)
    }

    fn add_equal(&mut self, literal: &Literal) -> Result<(), LexicalSearchError> {
        let (kind, value) = encoded(literal);
        self.add_exact(kind, &value)
    }

    fn add_exact(&mut self, kind: u8, value: &[u8]) -> Result<(), LexicalSearchError> {
        match self.facts.terms().get(fact(&self.path, kind, value))? {
            Some(info) => self.add_list(&info),
            None => Ok(()),
        }
    }

    fn add_range(&mut self, order: Order, literal: &Literal) -> Result<(), LexicalSearchError> {
        let (kind, value) = encoded(literal);
        let pivot = fact(&self.path, kind, &value);
        let first = fact(&self.path, kind, &[]);
        let last = fact(&self.path, kind + 1, &[]);
        match order {
            Order::Less => self.add_between(Included(first), Excluded(pivot)),
            Order::LessOrEqual => self.add_between(Included(first), Included(pivot)),
            Order::Greater => self.add_between(Excluded(pivot), Excluded(last)),
            Order::GreaterOrEqual => self.add_between(Included(pivot), Excluded(last)),
        }
    }

    fn add_between(
        &mut self,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
    ) -> Result<(), LexicalSearchError> {
        let range = self.facts.terms().range();
        let range = match from {
            Included(from) => range.ge(from),
            Excluded(from) => range.gt(from),
            Unbounded => range,
        };
        let range = match to {
            Included(to) => range.le(to),
            Excluded(to) => range.lt(to),
            Unbounded => range,
        };
        let mut terms = range.into_stream()?;
        while let Some((_, info)) = terms.next() {
            self.add_list(info)?;
        }
        Ok(())
    }

    fn add_list(&mut self, info: &TermInfo) -> Result<(), LexicalSearchError> {
        self.pace.step()?;
        let mut list =
            self.facts.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        while !list.docs().is_empty() {
            list.docs().iter().for_each(|doc| self.found.insert(*doc));
            list.advance();
        }
        Ok(())
    }
}

fn encoded(literal: &Literal) -> (u8, Vec<u8>) {
    match literal {
        Literal::Boolean(value) => (BOOLEAN, vec![u8::from(*value)]),
        Literal::Number(value) => (NUMBER, Exact::of(value).to_bytes().to_vec()),
        Literal::Text(value) => (TEXT, value.as_bytes().to_vec()),
    }
}
