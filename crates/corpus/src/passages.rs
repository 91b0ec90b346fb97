//! Splits a long text into overlapping passages that fit an encoder.
//!
//! The text is a sequence of blocks: paragraphs between blank lines, fenced code, and Markdown
//! headings (`#` to `######`), which stick to the block below them. Passages are filled block by
//! block. A block that does not fit opens the next passage, as does a heading once the passage is
//! half full. Only a block that is longer than a passage on its own is cut: paragraphs at sentence
//! ends, code at line ends, and what is still too long at white space, then between characters.
//! A new passage repeats the last sentences of the one before, unless a heading begins it.
//!
//! Size is counted in [`words`], which follow what sub-word tokenizers do: a word counts one for
//! every started 8 characters, and Chinese, Japanese or Korean characters count one each. Of one
//! such word all-MiniLM-L6-v2's tokenizer makes 1.09 (SciTLDR) to 1.25 (SciFact) tokens, so the
//! default of 150 comes to 161 to 187 tokens, which leaves room for a title within 200.
//!
//! Every decision looks only at the text before it and at the block it is about. So lines added at
//! the end of a file leave all its passages but the last as they are.
//!
//! Road not taken: Markdown by the letter (setext headings, lists, tables). Taken for paragraphs,
//! they are cut no worse than prose.

use std::ops::Range;

/// The length of passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassageSettings {
    /// The most [`words`] of a passage; headings may add a quarter. At least 1 is taken.
    pub words: usize,
    /// The most words that a passage repeats from the one before.
    pub overlap: usize,
}

impl Default for PassageSettings {
    /// 150 words, of which up to 22 (15 %) repeat.
    fn default() -> Self {
        Self { words: 150, overlap: 22 }
    }
}

/// Finds the passages of a text, as ranges of its bytes, in order.
///
/// Every byte that is not white space is in one of them, none begins or ends with white space, and
/// a paragraph that fits a passage is whole in one.
///
/// ```
/// use fastlane_corpus::{PassageSettings, passages};
///
/// let text = "# Light\n\nIt is fast.\n\n# Sound\n\nIt is slower.\n";
/// let settings = PassageSettings { words: 8, overlap: 2 };
/// let found: Vec<&str> = passages(text, settings).into_iter().map(|range| &text[range]).collect();
/// assert_eq!(found, ["# Light\n\nIt is fast.", "# Sound\n\nIt is slower."]);
/// ```
pub fn passages(text: &str, settings: PassageSettings) -> Vec<Range<usize>> {
    let mut cutter = Cutter::new(text, settings);
    let mut headings: Option<Range<usize>> = None;
    for Block { kind, range } in (Blocks { text, at: 0 }) {
        if kind == Kind::Heading {
            headings = Some(headings.map_or(range.start, |above| above.start)..range.end);
        } else {
            cutter.add_below(headings.take(), kind, range);
        }
    }
    if let Some(last) = headings {
        cutter.add(last.start, Kind::Heading, last);
    }
    cutter.close();
    cutter.passages
}

/// The first heading of a Markdown text.
pub(crate) fn title(text: &str) -> Option<&str> {
    Blocks { text, at: 0 }
        .filter(|block| block.kind == Kind::Heading)
        .map(|block| heading_text(&text[block.range]))
        .find(|title| !title.is_empty())
}

/// A heading without its marks; those that close it stand apart, unlike that of `C#`.
fn heading_text(heading: &str) -> &str {
    let marked = heading.trim_start_matches('#').trim();
    let bare = marked.trim_end_matches('#');
    if bare.is_empty() || bare.ends_with([' ', '\t']) { bare.trim() } else { marked }
}

/// The size of a text: a word counts one for every started 8 characters, and characters of scripts
/// that put no spaces between words count one each.
pub fn words(text: &str) -> usize {
    let mut size = Size::default();
    text.chars().for_each(|c| size.push(c));
    size.total()
}

/// [`words`], character by character.
#[derive(Default)]
struct Size {
    before: usize,
    wide: usize,
    narrow: usize,
}

impl Size {
    fn push(&mut self, c: char) {
        match c {
            c if c.is_whitespace() => *self = Self { before: self.total(), ..Self::default() },
            // From here on: Chinese, Japanese and Korean, then symbols and emoji.
            '\u{2e80}'.. => self.wide += 1,
            _ => self.narrow += 1,
        }
    }

    fn total(&self) -> usize {
        self.before + self.wide + self.narrow.div_ceil(8)
    }
}

/// The longest beginning of a text that has at most `limit` words: up to white space if it has
/// any, else up to a character.
fn beginning(text: &str, limit: usize) -> usize {
    let mut size = Size::default();
    let mut space = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            space = Some(at);
        }
        size.push(c);
        if size.total() > limit {
            return space.unwrap_or(at);
        }
    }
    text.len()
}

/// Up to the first `.`, `!` or `?` before white space, or the first `。`, with closing marks.
fn sentence(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        let wide = matches!(c, '。' | '！' | '？');
        if !wide && !matches!(c, '.' | '!' | '?') {
            continue;
        }
        while chars.next_if(|&(_, c)| is_closing(c)).is_some() {}
        match chars.peek() {
            Some(&(at, next)) if wide || next.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '*' | '_' | '»' | '”' | '’' | '」' | '』' | '）')
}

/// Fills passages from the left.
struct Cutter<'t> {
    text: &'t str,
    limit: usize,
    overlap: usize,
    /// The pieces of the passage being filled, and their words.
    open: Vec<(Range<usize>, usize)>,
    filled: usize,
    passages: Vec<Range<usize>>,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str, PassageSettings { words, overlap }: PassageSettings) -> Self {
        let (limit, open, passages) = (words.max(1), Vec::new(), Vec::new());
        Self { text, limit, overlap, open, filled: 0, passages }
    }

    /// Adds a block with the headings above it, which stick to it unless they are too long.
    fn add_below(&mut self, headings: Option<Range<usize>>, kind: Kind, body: Range<usize>) {
        match headings {
            None => self.add(body.start, kind, body),
            Some(headings) if words(&self.text[headings.clone()]) <= self.limit / 4 => {
                self.add(headings.start, kind, body);
            }
            Some(headings) => {
                self.add(headings.start, Kind::Heading, headings);
                self.add(body.start, kind, body);
            }
        }
    }

    /// Adds a block whose first piece reaches back to `start`, where its headings begin.
    fn add(&mut self, start: usize, kind: Kind, body: Range<usize>) {
        let too_long = words(&self.text[body.clone()]) > self.limit;
        if too_long {
            self.close();
            self.open.clear();
            self.filled = 0;
        } else {
            let is_section = kind == Kind::Heading || start < body.start;
            self.make_room(words(&self.text[start..body.end]), is_section);
        }
        let (mut from, mut at) = (start, body.start);
        while at < body.end {
            let mut rest = &self.text[at..body.end];
            if too_long {
                rest = rest[..beginning(rest, self.limit)].trim_end();
            }
            let length = match kind {
                Kind::Prose => sentence(rest),
                Kind::Code | Kind::Heading if too_long => rest.lines().next().map_or(0, str::len),
                Kind::Code | Kind::Heading => rest.len(),
            };
            let piece = from..at + rest[..length].trim_end().len();
            let size = words(&self.text[piece.clone()]);
            if too_long {
                self.make_room(size, false);
            }
            at = piece.end + blank(&self.text[piece.end..]);
            from = at;
            self.open.push((piece, size));
            self.filled += size;
        }
    }

    /// Closes the open passage if that many words do not fit, or if a section should start a new
    /// one, and lets the next one repeat its tail.
    fn make_room(&mut self, need: usize, is_section: bool) {
        let turns = is_section && 2 * self.filled >= self.limit;
        if !turns && self.filled + need <= self.limit {
            return;
        }
        self.close();
        let room = if is_section { 0 } else { self.overlap.min(self.limit.saturating_sub(need)) };
        let mut kept = 0;
        let fits = |&&(_, size): &&(Range<usize>, usize)| {
            kept += size;
            kept <= room
        };
        let tail = self.open.iter().rev().take_while(fits).count();
        self.open.drain(..self.open.len() - tail);
        self.filled = self.open.iter().map(|(_, size)| size).sum();
    }

    fn close(&mut self) {
        if let (Some((first, _)), Some((last, _))) = (self.open.first(), self.open.last()) {
            self.passages.push(first.start..last.end);
        }
    }
}

/// How many bytes of white space a text begins with.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Heading,
    Code,
    Prose,
}

/// What stands together, without white space around it.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    kind: Kind,
    range: Range<usize>,
}

/// Walks over the blocks of a text.
struct Blocks<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Blocks<'t> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        self.at += blank(&self.text[self.at..]);
        let start = self.at;
        let first = self.take_line()?;
        let kind = if let Some(fence) = fence(first) {
            while self.take_line().is_some_and(|line| !closes(fence, line)) {}
            Kind::Code
        } else if is_heading(first) {
            Kind::Heading
        } else {
            while self.line().is_some_and(goes_on) {
                self.take_line();
            }
            Kind::Prose
        };
        let length = self.text[start..self.at].trim_end().len();
        Some(Block { kind, range: start..start + length })
    }
}

impl<'t> Blocks<'t> {
    fn line(&self) -> Option<&'t str> {
        self.text[self.at..].split_inclusive('\n').next()
    }

    fn take_line(&mut self) -> Option<&'t str> {
        let line = self.line()?;
        self.at += line.len();
        Some(line)
    }
}

/// Whether a line goes on with the paragraph above it.
fn goes_on(line: &str) -> bool {
    !line.trim().is_empty() && fence(line).is_none() && !is_heading(line)
}

fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let rest = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - rest.len()))
        && (rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// The marks that open fenced code: three or more backticks or tildes.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim();
    let mark = line.chars().next().filter(|&c| c == '`' || c == '~')?;
    let rest = line.trim_start_matches(mark);
    let marks = &line[..line.len() - rest.len()];
    (marks.len() >= 3 && !rest.contains('`')).then_some(marks)
}

fn closes(fence: &str, line: &str) -> bool {
    let line = line.trim();
    line.starts_with(fence) && line.trim_start_matches(&fence[..1]).is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, words: usize, overlap: usize) -> Vec<&str> {
        let settings = PassageSettings { words, overlap };
        passages(text, settings).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn size_follows_sub_word_tokenizers() {
        // "retrieval" has 9 letters, so 2; "is" 1; "検索" 2; "v2" 1; a comma joins its word.
        assert_eq!(words("retrieval is 検索, v2"), 2 + 1 + (2 + 1) + 1);
        assert_eq!(words(" \n\t"), 0);
    }

    #[test]
    fn a_paragraph_that_does_not_fit_opens_the_next_passage_after_a_repeated_sentence() {
        // 3 + 3 words fit in 8, the next 4 do not; the last sentence "g." fits an overlap of 1.
        assert_eq!(
            cut("a b c.\n\nd e f. g.\n\nh i j k.", 8, 1),
            ["a b c.\n\nd e f. g.", "g.\n\nh i j k."]
        );
        assert_eq!(
            cut("a b c.\n\nd e f. g.\n\nh i j k.", 8, 0),
            ["a b c.\n\nd e f. g.", "h i j k."]
        );
    }

    #[test]
    fn what_is_too_long_is_cut_at_sentences_then_words_then_characters() {
        assert_eq!(cut("a b. c d (e.) f g h i j", 4, 0), ["a b.", "c d (e.)", "f g h i", "j"]);
        // Eight characters are one word: 17 make three.
        assert_eq!(cut("éééééééééééééééée", 2, 0), ["éééééééééééééééé", "e"]);
        assert_eq!(cut("一二三。四五」六", 4, 0), ["一二三。", "四五」六"]);
    }

    #[test]
    fn a_heading_begins_a_passage_once_half_is_full_and_is_never_left_alone() {
        let text = "a b\n# H\nc d\n\n## I\n### J\nk l m n o p";
        // "# H" is 2 words and comes after 2 of 8: it stays. "## I" comes after 6: it turns.
        assert_eq!(cut(text, 16, 9), ["a b\n# H\nc d\n\n## I\n### J\nk l m n o p"]);
        assert_eq!(cut(text, 12, 9), ["a b\n# H\nc d", "## I\n### J\nk l m n o p"]);
    }

    #[test]
    fn fenced_code_that_fits_is_not_torn_and_hides_headings() {
        let text = "a b c\n\n```sh\n# no\n\nheading. x\n```\nd";
        assert_eq!(cut(text, 8, 0), ["a b c", "```sh\n# no\n\nheading. x\n```\nd"]);
        assert_eq!(cut("~~~\na b\nc d\n~~~", 3, 0), ["~~~\na b", "c d\n~~~"]);
        assert_eq!(title("```\n# no\n```\n#\n## Yes ##\n"), Some("Yes"));
        assert_eq!(title("# C#\r\n"), Some("C#"));
        assert_eq!(title("#no\n\n    text"), None);
    }

    fn lines() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            4 => "([a-c]{1,20}[.!?]?[ ]{1,2}){0,12}",
            2 => Just(String::new()),
            1 => "#{1,7} [a-c ]{0,30}",
            1 => "(```|~~~)[a]?",
            1 => "[一-十。\u{3000} é]{0,30}",
            1 => "[ \r\u{2028}\u{feff}]{0,3}",
        ];
        proptest::collection::vec(line, 0..24)
            .prop_map(|lines| lines.into_iter().flat_map(|line| [line, "\n".to_string()]).collect())
    }

    fn settings() -> impl Strategy<Value = PassageSettings> {
        (0_usize..40, 0_usize..20).prop_map(|(words, overlap)| PassageSettings { words, overlap })
    }

    proptest! {
        #[test]
        fn passages_cover_the_text_in_order_and_within_the_limit(
            text in lines(),
            settings in settings(),
        ) {
            let found = passages(&text, settings);
            let mut covered = 0;
            for range in &found {
                let passage = &text[range.clone()];
                prop_assert_eq!(passage.trim(), passage);
                prop_assert!(!passage.is_empty());
                prop_assert!(words(passage) <= settings.words.max(1) + settings.words / 4);
                if range.start > covered {
                    prop_assert_eq!(text[covered..range.start].trim(), "");
                }
                prop_assert!(range.end > covered);
                covered = range.end;
            }
            prop_assert!(found.windows(2).all(|pair| pair[0].start < pair[1].start));
            prop_assert_eq!(text[covered..].trim(), "");
        }

        #[test]
        fn a_block_that_fits_is_whole_in_some_passage(text in lines(), settings in settings()) {
            let found = passages(&text, settings);
            for Block { range, .. } in (Blocks { text: &text, at: 0 }) {
                let whole = found.iter().any(|p| p.start <= range.start && range.end <= p.end);
                prop_assert!(whole || words(&text[range]) > settings.words);
            }
        }

        #[test]
        fn added_lines_change_the_last_passage_at_most(
            text in lines(),
            more in lines(),
            settings in settings(),
        ) {
            let before = passages(&text, settings);
            let after = passages(&(text + &more), settings);
            let kept = before.len().saturating_sub(1);
            prop_assert!(after.len() >= kept);
            prop_assert_eq!(&before[..kept], &after[..kept]);
        }
    }
}
