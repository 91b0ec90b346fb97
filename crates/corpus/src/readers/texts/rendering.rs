//! Builds the text of a document that has another layout than its file: HTML, docx, manual pages.

use super::kind::Text;
use crate::outline::{Heading, Outline};

/// A text in the making. White space is written before the next word only, so that none is left over.
#[derive(Default)]
pub(super) struct Rendering {
    text: String,
    headings: Vec<Heading>,
    gap: Gap,
    /// What comes before the next word: the mark of an item.
    mark: &'static str,
    /// The level of the heading that is being written, and where it begins.
    heading: Option<(u8, Option<usize>)>,
}

/// The white space between the last word and the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Cell,
    Line,
    Block,
}

impl Rendering {
    /// Ends a block, and a heading that has words: its end may be missing.
    pub(super) fn break_block(&mut self) {
        if self.heading.is_some_and(|(_, at)| at.is_some()) {
            self.end_heading();
        }
        self.widen(Gap::Block);
    }

    pub(super) fn break_line(&mut self) {
        self.widen(Gap::Line);
    }

    pub(super) fn begin_cell(&mut self) {
        self.widen(Gap::Cell);
    }

    pub(super) fn begin_item(&mut self) {
        self.break_line();
        self.mark = "- ";
    }

    /// Begins a heading of a level, or ends one.
    pub(super) fn heading(&mut self, level: Option<u8>) {
        self.end_heading();
        self.heading = level.map(|level| (level, None));
    }

    /// Adds words, with one blank between them.
    pub(super) fn push_words(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.widen(Gap::Space);
        }
        for word in text.split_whitespace() {
            self.begin_word();
            self.text.push_str(word);
            self.gap = Gap::Space;
        }
        if self.gap == Gap::Space && !text.ends_with(char::is_whitespace) {
            self.gap = Gap::None;
        }
    }

    /// Adds lines as they are.
    pub(super) fn push_lines(&mut self, text: &str) {
        if self.gap >= Gap::Line && text.trim().is_empty() {
            return;
        }
        let text = if self.gap >= Gap::Line { text.trim_start_matches(['\n', '\r']) } else { text };
        self.begin_word();
        self.text.push_str(text);
    }

    pub(super) fn finish(mut self) -> Text {
        self.end_heading();
        self.text.truncate(self.text.trim_end().len());
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let outline = Outline { headings: self.headings, rendered: true, ..Outline::default() };
        Text { title: None, text: self.text, outline }
    }

    fn widen(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn begin_word(&mut self) {
        if self.gap >= Gap::Line {
            self.text.truncate(self.text.trim_end().len());
        }
        if !self.text.is_empty() {
            self.text.push_str(match self.gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Cell => " | ",
                Gap::Line => "\n",
                Gap::Block => "\n\n",
            });
        }
        self.gap = Gap::None;
        self.text.push_str(std::mem::take(&mut self.mark));
        if let Some((_, at @ None)) = &mut self.heading {
            *at = Some(self.text.len());
        }
    }

    fn end_heading(&mut self) {
        if let Some((level, Some(at))) = self.heading.take() {
            let title = self.text[at..].split_whitespace().collect::<Vec<_>>().join(" ");
            self.headings.push(Heading { at, level, title });
        }
    }
}
