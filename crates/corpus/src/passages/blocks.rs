//! Blocks of a text, which are not split if they fit: headings, paragraphs, fenced code.

use std::ops::Range;

use crate::outline::Outline;

/// Kinds of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first line of a section.
    Heading,
    /// Code between fences.
    Code,
    /// Anything else.
    Prose,
}

/// What stands together, without white space around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) kind: Kind,
    /// Whether a passage should rather begin here.
    pub(super) is_break: bool,
    pub(super) range: Range<usize>,
}

/// Walks over the blocks of a text. None reaches beyond a heading or break of the outline.
pub(super) struct Blocks<'t> {
    text: &'t str,
    at: usize,
    /// Where sections begin, sorted, and whether with a heading.
    starts: Vec<(usize, bool)>,
    passed: usize,
}

impl<'t> Blocks<'t> {
    /// Places of the outline that are not in this text are ignored.
    pub(super) fn new(text: &'t str, outline: &Outline) -> Self {
        let headings = outline.headings.iter().map(|h| (h.at, !h.title.is_empty()));
        let breaks = outline.breaks.iter().map(|at| (*at, false));
        let mut starts: Vec<_> =
            headings.chain(breaks).filter(|(at, _)| text.is_char_boundary(*at)).collect();
        starts.sort_unstable();
        Self { text, at: 0, starts, passed: 0 }
    }

    /// Passes the starts up to here; returns whether there was any, and whether a heading.
    fn pass_starts(&mut self) -> (bool, bool) {
        let rest = &self.starts[self.passed..];
        let here = &rest[..rest.partition_point(|(at, _)| *at <= self.at)];
        self.passed += here.len();
        (!here.is_empty(), here.iter().any(|(_, heading)| *heading))
    }

    /// The text up to the next start.
    fn section(&self) -> &'t str {
        let end = self.starts.get(self.passed).map_or(self.text.len(), |(at, _)| *at);
        &self.text[self.at..end]
    }

    fn take_lines(&mut self, kind: Kind, length: usize, is_break: bool) -> Block {
        let start = self.at;
        self.at += length;
        let end = start + self.text[start..self.at].trim_end().len();
        Block { kind, is_break, range: start..end }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        self.at += blank(&self.text[self.at..]);
        if self.at == self.text.len() {
            return None;
        }
        let (is_break, is_heading) = self.pass_starts();
        let mut lines = self.section().split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        let fence = Fence::of(first);
        let (kind, length) = if is_heading {
            let line = lines.next().filter(|line| is_underline(line));
            (Kind::Heading, first.len() + line.map_or(0, str::len))
        } else if let Some(fence) = fence {
            (Kind::Code, first.len() + fenced(lines, fence))
        } else {
            let more = lines.take_while(|line| goes_on(line));
            (Kind::Prose, first.len() + more.map(str::len).sum::<usize>())
        };
        Some(self.take_lines(kind, length, is_break))
    }
}

/// How many bytes of white space a text begins with.
pub(super) fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Whether a line goes on with the paragraph above it.
fn goes_on(line: &str) -> bool {
    !line.trim().is_empty() && Fence::of(line).is_none()
}

/// Whether a line underlines a heading: one punctuation mark, repeated.
fn is_underline(line: &str) -> bool {
    let line = line.trim();
    let mark = line.chars().next();
    mark.is_some_and(|mark| mark.is_ascii_punctuation() && line.chars().all(|c| c == mark))
}

/// The length of the lines up to the one that closes a fence, or of all.
fn fenced<'l>(lines: impl Iterator<Item = &'l str>, fence: Fence) -> usize {
    let mut length = 0;
    for line in lines {
        length += line.len();
        if fence.is_closed_by(line) {
            break;
        }
    }
    length
}

/// The marks that open fenced code: three or more backticks or tildes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence {
    mark: char,
    count: usize,
}

impl Fence {
    /// The fence that a line opens.
    pub(crate) fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        let mark = line.chars().next().filter(|&c| c == '`' || c == '~')?;
        let rest = line.trim_start_matches(mark);
        let count = line.len() - rest.len();
        (count >= 3 && !rest.contains('`')).then_some(Self { mark, count })
    }

    /// Whether a line closes it: with as many marks or more, and nothing else.
    pub(crate) fn is_closed_by(self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.count && line.chars().all(|c| c == self.mark)
    }
}
