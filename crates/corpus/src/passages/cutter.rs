//! Fills passages with blocks, from the left.

use std::ops::Range;

use super::blocks::{Block, Kind, blank};
use super::sentence::sentence;
use super::{Length, PassageSettings};

/// The most bytes that are looked at for one unit of length. Tokens and words are shorter.
const BYTES: usize = 64;

/// Fills passages block by block.
pub(super) struct Cutter<'t> {
    text: &'t str,
    limit: usize,
    overlap: usize,
    length: Length<'t>,
    /// The pieces of the passage being filled.
    open: Vec<Piece>,
    filled: usize,
    done: Vec<Range<usize>>,
}

/// A part of a passage.
struct Piece {
    range: Range<usize>,
    /// Where its text begins, below its headings.
    body: usize,
    length: usize,
}

/// Headings that wait for the block below them.
pub(super) struct Above {
    pub(super) range: Range<usize>,
    length: usize,
}

impl<'t> Cutter<'t> {
    pub(super) fn new(text: &'t str, settings: PassageSettings, length: Length<'t>) -> Self {
        let (limit, overlap) = (settings.size.max(1), settings.overlap);
        Self { text, limit, overlap, length, open: Vec::new(), filled: 0, done: Vec::new() }
    }

    /// Splits a text into the passages of its blocks.
    pub(super) fn cut(mut self, blocks: impl Iterator<Item = Block>) -> Vec<Range<usize>> {
        let mut above: Option<Above> = None;
        for block in blocks {
            if block.kind == Kind::Heading {
                above = Some(self.add_heading(above, block.range));
            } else {
                self.add_below(above.take(), block);
            }
        }
        if let Some(Above { range, .. }) = above {
            self.add(range.start, 0, &Block { kind: Kind::Heading, is_break: true, range });
        }
        self.close();
        self.done
    }

    fn add_heading(&self, above: Option<Above>, range: Range<usize>) -> Above {
        let length = self.measure(&self.text[range.clone()]);
        match above {
            Some(above) => {
                Above { range: above.range.start..range.end, length: above.length + length }
            }
            None => Above { range, length },
        }
    }

    /// Adds a block with the headings above it, which stick to it unless they are too long.
    fn add_below(&mut self, above: Option<Above>, block: Block) {
        match above {
            None => self.add(block.range.start, 0, &block),
            Some(above) if above.length <= self.limit / 4 => {
                self.add(above.range.start, above.length, &Block { is_break: true, ..block });
            }
            Some(Above { range, .. }) => {
                self.add(range.start, 0, &Block { kind: Kind::Heading, is_break: true, range });
                self.add(block.range.start, 0, &Block { is_break: false, ..block });
            }
        }
    }

    /// Adds a block whose first piece reaches back to `start`, where its headings begin.
    fn add(&mut self, start: usize, headings: usize, block: &Block) {
        let body = block.range.start;
        match self.fitting(block) {
            Some(length) => {
                self.make_room(headings + length, block.is_break);
                self.push(Piece { range: start..block.range.end, body, length: headings + length });
            }
            None => self.add_in_pieces(start, headings, block),
        }
    }

    fn add_in_pieces(&mut self, start: usize, headings: usize, block: &Block) {
        self.close();
        self.open.clear();
        self.filled = 0;
        let (mut from, mut extra, mut at) = (start, headings, block.range.start);
        while at < block.range.end {
            let (end, length) = self.piece(block.kind, at..block.range.end);
            self.make_room(length, false);
            self.push(Piece { range: from..end, body: at, length: length + extra });
            at = end + blank(&self.text[end..]);
            (from, extra) = (at, 0);
        }
    }

    fn push(&mut self, piece: Piece) {
        self.filled += piece.length;
        self.open.push(piece);
    }

    /// The length of a block, if it fits a passage.
    fn fitting(&self, block: &Block) -> Option<usize> {
        let text = &self.text[block.range.clone()];
        if text.len() <= self.limit.saturating_mul(BYTES) {
            return Some(self.measure(text)).filter(|length| *length <= self.limit);
        }
        // an enormous block is not measured beyond the first piece that does not fit
        let (mut at, mut sum) = (block.range.start, 0);
        while at < block.range.end && sum <= self.limit {
            let (end, length) = self.piece(block.kind, at..block.range.end);
            sum += length;
            at = end + blank(&self.text[end..]);
        }
        (sum <= self.limit).then_some(sum)
    }

    /// Where the first piece of a block ends that is too long for a passage, and its length.
    fn piece(&self, kind: Kind, rest: Range<usize>) -> (usize, usize) {
        let window = clipped(&self.text[rest.clone()], self.limit.saturating_mul(BYTES));
        let end = match kind {
            Kind::Prose => sentence(window),
            Kind::Code | Kind::Heading => window.lines().next().map_or(0, str::len),
        };
        let piece = window[..end].trim_end();
        let length = self.measure(piece);
        if length <= self.limit {
            return (rest.start + piece.len(), length);
        }
        let piece = piece[..self.beginning(piece)].trim_end();
        (rest.start + piece.len(), self.measure(piece))
    }

    /// The longest beginning of a text that fits a passage: up to white space if there is any,
    /// else up to a character, and one character at least.
    fn beginning(&self, text: &str) -> usize {
        let spaces = text.char_indices().filter(|(_, c)| c.is_whitespace());
        let spaces: Vec<usize> = spaces.map(|(at, _)| at).filter(|at| *at > 0).collect();
        if let Some(end) = self.last_fitting(text, &spaces) {
            return end;
        }
        let first = spaces.first().copied().unwrap_or(text.len());
        let chars: Vec<usize> =
            text[..first].char_indices().map(|(at, _)| at).filter(|at| *at > 0).collect();
        let end = self.last_fitting(text, &chars).or(chars.first().copied());
        end.unwrap_or(first)
    }

    /// The last of the places up to which a text fits, if the first does.
    ///
    /// The search begins near the expected place, as a tokenizer takes time for every byte.
    fn last_fitting(&self, text: &str, places: &[usize]) -> Option<usize> {
        let fits = |place: &usize| self.measure(&text[..*place]) <= self.limit;
        let mut end = places.partition_point(|place| *place <= self.limit.saturating_mul(8)).max(1);
        while end < places.len() && fits(&places[end - 1]) {
            end = (2 * end).min(places.len());
        }
        let within = &places[..end.min(places.len())];
        within.partition_point(fits).checked_sub(1).map(|last| within[last])
    }

    /// Closes the open passage if that much does not fit, or if a section should start a new one,
    /// and lets the next one repeat its tail.
    fn make_room(&mut self, need: usize, is_section: bool) {
        let turns = is_section && 2 * self.filled >= self.limit;
        if !turns && self.filled + need <= self.limit {
            return;
        }
        self.close();
        let room = if is_section { 0 } else { self.overlap.min(self.limit.saturating_sub(need)) };
        self.open = self.tail(room);
        self.filled = self.open.iter().map(|piece| piece.length).sum();
    }

    /// The last sentences of the open passage that fit into so much room.
    fn tail(&mut self, mut room: usize) -> Vec<Piece> {
        let mut tail = Vec::new();
        while let Some(piece) = self.open.pop() {
            if piece.length > room {
                self.tail_of(&piece, room, &mut tail);
                break;
            }
            room -= piece.length;
            tail.push(piece);
        }
        tail.reverse();
        tail
    }

    /// The last sentences of a piece that do not fill the room, the last first.
    fn tail_of(&self, piece: &Piece, mut room: usize, tail: &mut Vec<Piece>) {
        if room == 0 {
            return;
        }
        // the first sentence is with its headings, and does not fit without them
        for range in self.sentences(piece.body..piece.range.end).into_iter().skip(1).rev() {
            let length = self.measure(&self.text[range.clone()]);
            if length > room {
                return;
            }
            room -= length;
            tail.push(Piece { body: range.start, range, length });
        }
    }

    fn sentences(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let (mut found, mut at) = (Vec::new(), range.start);
        while at < range.end {
            let rest = &self.text[at..range.end];
            let end = at + rest[..sentence(rest)].trim_end().len();
            found.push(at..end);
            at = end + blank(&self.text[end..]);
        }
        found
    }

    fn close(&mut self) {
        if let (Some(first), Some(last)) = (self.open.first(), self.open.last()) {
            self.done.push(first.range.start..last.range.end);
        }
    }

    fn measure(&self, text: &str) -> usize {
        (self.length)(text)
    }
}

/// The beginning of a text, of at most so many bytes.
fn clipped(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
