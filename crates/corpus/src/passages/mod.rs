//! Splits a document into overlapping passages that fit an encoder.
//!
//! The text is a sequence of blocks: headings, paragraphs between blank lines, fenced code. The
//! [`Outline`](crate::Outline) says where headings are, and where passages should rather begin. A
//! heading sticks to the block below it. Passages are filled block by block. A block that does not
//! fit opens the next passage, as does a heading or break once the passage is half full. Only a
//! block that is longer than a passage on its own is cut: paragraphs at the ends of sentences, items
//! and lines of code, fenced code at line ends, and what is still too long at white space, then
//! between characters. A new passage repeats the last sentences of the one before, unless a section
//! begins with it.
//!
//! The caller gives the length of a text, in tokens or in [`words`]. It is asked about once for each
//! block, and for each sentence of a block that is too long or that is repeated. The length of a
//! passage is taken for the sum of its parts, so it must not be more than that, as holds for
//! tokenizers that split at white space.
//!
//! Every decision looks only at the text before it and at the block it is about. So lines added at
//! the end of a file leave all its passages but the last as they are, unless they change its outline.
//!
//! Road not taken: lists and tables by the letter. Taken for paragraphs, they are cut at their items,
//! and no worse than prose.

mod blocks;
mod cutter;
mod sentence;
#[cfg(test)]
mod tests;
mod words;

use std::iter::Peekable;
use std::ops::Range;

pub(crate) use blocks::Fence;
pub use words::words;

use crate::document::Document;
use crate::outline::{Outline, Path};
use blocks::{Blocks, Kind};
use cutter::Cutter;

/// The length of a text, in tokens or words.
type Length<'f> = &'f dyn Fn(&str) -> usize;

/// The most bytes of a word; a longer text is not measured to see whether it is a whole passage.
const BYTES: usize = 64;

/// A part of a document that is retrieved by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its bytes of the text of the document.
    pub bytes: Range<usize>,
    /// Its lines of the text of the document, counted from 1; the end is excluded. They are lines of
    /// the file too, unless the text is [rendered](crate::Outline::rendered).
    pub lines: Range<usize>,
    /// The page on which it begins, counted from 1, if the document has pages.
    pub page: Option<usize>,
    /// The headings that hold for all of it, the outermost first. Those with which it begins do, if
    /// there are no others in it.
    pub headings: Vec<String>,
}

/// The length of passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassageSettings {
    /// The most that a passage has, in units of the length given to [`passages()`]; headings may add
    /// a quarter. At least 1 is taken.
    pub size: usize,
    /// The most that a passage repeats from the one before.
    pub overlap: usize,
    /// A document of at most this length is one passage.
    pub whole: usize,
}

impl Default for PassageSettings {
    /// 150 [`words`], of which up to 22 (15 %) repeat; a document of 300 words is one passage. 150
    /// words come to 161 to 187 tokens of MiniLM, and 300 to 375, so that both leave room for a title
    /// within 200 and 384 tokens.
    fn default() -> Self {
        Self { size: 150, overlap: 22, whole: 300 }
    }
}

/// Finds the passages of a document, in order; none if its text is empty.
///
/// Every byte that is not white space is in one of them, none begins or ends with white space, and
/// a paragraph that fits a passage is whole in one. `length` measures any part of the text. It must
/// not count more for two parts together than for both alone, nor less for a text than for its
/// beginning.
///
/// ```
/// use fastlane_corpus::{Document, Outline, PassageSettings, passages, words};
///
/// let text = "# Light\n\nIt is fast.\n\n# Sound\n\nIt is slower.\n".to_owned();
/// let outline = Outline::markdown(&text);
/// let document = Document { text, outline, ..Document::default() };
/// let settings = PassageSettings { size: 8, overlap: 2, whole: 0 };
/// let found = passages(&document, settings, &words);
/// assert_eq!(&document.text[found[1].bytes.clone()], "# Sound\n\nIt is slower.");
/// assert_eq!((found[1].lines.clone(), &*found[1].headings), (5..8, &["Sound".to_owned()][..]));
/// ```
pub fn passages(
    document: &Document,
    settings: PassageSettings,
    length: &dyn Fn(&str) -> usize,
) -> Vec<Passage> {
    let text = &*document.text;
    let cuts = if is_whole(text, settings, length) {
        let all = blocks::blank(text)..text.trim_end().len();
        vec![all]
    } else {
        let blocks = Blocks::new(text, &document.outline);
        Cutter::new(text, settings, length).cut(blocks)
    };
    let mut places = Places::new(document);
    cuts.into_iter().map(|cut| places.passage(cut)).collect()
}

/// Whether a text is one passage. White space alone is none.
fn is_whole(text: &str, settings: PassageSettings, length: Length<'_>) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.len() <= settings.whole.saturating_mul(BYTES)
        && length(text) <= settings.whole
}

/// Where passages are, found from the left to the right.
struct Places<'d> {
    text: &'d str,
    outline: &'d Outline,
    /// The blocks of text below headings.
    bodies: Peekable<Box<dyn Iterator<Item = Range<usize>> + 'd>>,
    path: Path,
    at: usize,
    /// The line ends before `at`.
    lines: usize,
}

impl<'d> Places<'d> {
    fn new(Document { text, outline, .. }: &'d Document) -> Self {
        let blocks = Blocks::new(text, outline).filter(|block| block.kind != Kind::Heading);
        let bodies: Box<dyn Iterator<Item = _>> = Box::new(blocks.map(|block| block.range));
        let (bodies, path) = (bodies.peekable(), Path::default());
        Self { text, outline, bodies, path, at: 0, lines: 0 }
    }

    fn passage(&mut self, bytes: Range<usize>) -> Passage {
        self.lines += line_ends(&self.text[self.at..bytes.start]);
        self.at = bytes.start;
        let first = self.lines + 1;
        let page = self.outline.pages.partition_point(|page| *page <= bytes.start);
        Passage {
            lines: first..first + line_ends(&self.text[bytes.clone()]) + 1,
            page: (!self.outline.pages.is_empty()).then_some(page.max(1)),
            headings: self.headings(&bytes),
            bytes,
        }
    }

    /// The headings that hold for all of a passage but those that it begins with.
    fn headings(&mut self, bytes: &Range<usize>) -> Vec<String> {
        while self.bodies.next_if(|body| body.end <= bytes.start).is_some() {}
        let body = self.bodies.peek().map_or(bytes.end, |body| body.start);
        self.path.advance(&self.outline.headings, body.clamp(bytes.start, bytes.end - 1));
        let titles = self.path.titles_until(&self.outline.headings, bytes.end);
        titles.into_iter().map(ToOwned::to_owned).collect()
    }
}

fn line_ends(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}
