//! Headings of Markdown, by CommonMark's rules for lines.
//!
//! Road not taken: a parser of the whole of Markdown. Only lines decide where headings are, apart
//! from containers: a heading in a quotation or in a list item is not taken for one.

use super::Heading;
use crate::passages::Fence;

/// The most lines that an underlined heading has: what is longer is a paragraph above a rule.
const LINES: usize = 3;

/// All headings of a text, in order.
pub(super) fn headings(text: &str) -> Vec<Heading> {
    let mut reader = Reader { at: front_matter(text), ..Reader::default() };
    for line in text[reader.at..].split_inclusive('\n') {
        reader.take(text, line);
        reader.at += line.len();
    }
    reader.headings
}

/// Whether a text of unknown kind is Markdown without doubt: a line has an ATX heading, follows a
/// blank line or nothing, and is not in code.
pub(crate) fn is_plainly_markdown(text: &str) -> bool {
    let is_alone = |heading: &Heading| {
        let before = text[..heading.at].trim_end_matches([' ', '\t', '\r']);
        before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n")
    };
    let is_marked = |heading: &Heading| text[heading.at..].starts_with('#');
    text.contains('#')
        && headings(text).iter().any(|heading| is_marked(heading) && is_alone(heading))
}

/// Where the text begins below its front matter: lines of YAML between two `---`.
fn front_matter(text: &str) -> usize {
    if !text.starts_with("---\n") && !text.starts_with("---\r\n") {
        return 0;
    }
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        if number > 0 && matches!(line.trim_end(), "---" | "...") {
            return at;
        }
    }
    0
}

/// Reads a text line by line.
#[derive(Default)]
struct Reader {
    at: usize,
    fence: Option<Fence>,
    /// Where the paragraph begins that the line may go on with, and its lines.
    paragraph: Option<(usize, usize)>,
    headings: Vec<Heading>,
}

impl Reader {
    fn take(&mut self, text: &str, line: &str) {
        if let Some(fence) = self.fence {
            if fence.is_closed_by(line) {
                self.fence = None;
            }
            return;
        }
        let above = self.paragraph.take();
        if is_indented(line) {
            self.paragraph = above.map(|(start, lines)| (start, lines + 1));
        } else if let Some(fence) = Fence::of(line) {
            self.fence = Some(fence);
        } else if let Some((level, title)) = atx(line) {
            self.push(self.at, level, title.to_owned());
        } else if let Some((level, (start, _))) =
            underline(line).zip(above.filter(|(_, lines)| *lines <= LINES))
        {
            let words: Vec<_> = text[start..self.at].split_whitespace().collect();
            self.push(start, level, words.join(" "));
        } else if is_paragraph(line) {
            self.paragraph = Some(above.map_or((self.at, 1), |(start, lines)| (start, lines + 1)));
        }
    }

    fn push(&mut self, at: usize, level: u8, title: String) {
        if !title.is_empty() {
            self.headings.push(Heading { at, level, title });
        }
    }
}

/// Whether a line has four blanks or a tab before its text: code, unless it goes on with a
/// paragraph.
fn is_indented(line: &str) -> bool {
    let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
    !line.trim().is_empty() && (blank >= 4 || line[..blank].contains('\t'))
}

/// Whether a line is, or may go on with, a paragraph of words outside of lists, quotations and
/// tables.
fn is_paragraph(line: &str) -> bool {
    let line = line.trim();
    let is_item = ["- ", "* ", "+ ", ">", "|"].iter().any(|mark| line.starts_with(mark));
    !line.is_empty() && !is_item && underline(line).is_none()
}

/// The level and title of an ATX heading.
fn atx(line: &str) -> Option<(u8, &str)> {
    let line = line.trim();
    let rest = line.trim_start_matches('#');
    let level =
        u8::try_from(line.len() - rest.len()).ok().filter(|level| (1..=6).contains(level))?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim();
    let bare = rest.trim_end_matches('#');
    // marks that close a heading stand apart, unlike that of `C#`
    let is_closed = bare.is_empty() || bare.ends_with([' ', '\t']);
    Some((level, if is_closed { bare.trim_end() } else { rest }))
}

/// The level that a line of `=` or `-` gives to the paragraph above it.
fn underline(line: &str) -> Option<u8> {
    let line = line.trim();
    let is_all = |mark: char| !line.is_empty() && line.chars().all(|c| c == mark);
    if is_all('=') { Some(1) } else { is_all('-').then_some(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, u8, String)> {
        headings(text).into_iter().map(|h| (h.at, h.level, h.title)).collect()
    }

    fn titles(text: &str) -> Vec<String> {
        headings(text).into_iter().map(|heading| heading.title).collect()
    }

    #[test]
    fn both_kinds_of_headings_are_found_at_their_lines() {
        let text = "One\n===\n\ntwo\nlines\n---\n### Three ###\ntext\n";
        // "One\n===\n\n" has 9 bytes; "two\nlines\n---\n" 14 more.
        let wanted =
            [(0, 1, "One".to_owned()), (9, 2, "two lines".into()), (23, 3, "Three".into())];
        assert_eq!(found(text), wanted);
        assert_eq!(titles("# C#\r\n"), ["C#"]);
        assert_eq!(titles("#no\n####### no\n#\n  ## yes\n"), ["yes"]);
    }

    #[test]
    fn code_hides_headings() {
        assert!(titles("```sh\n# no\nno\n==\n```\n").is_empty());
        assert!(titles("~~~\n```\n# no\n~~~~\n").is_empty());
        assert!(titles("text\n\n    # no\n\n\t# no\n").is_empty());
        assert_eq!(titles("```\n# no\n```\n#\n## Yes ##\n"), ["Yes"]);
    }

    #[test]
    fn rules_lists_tables_and_front_matter_are_not_headings() {
        assert!(titles("a\n\n---\n- item\n---\n> quoted\n---\n").is_empty());
        assert!(titles("| a | b |\n---\n").is_empty());
        assert!(titles("one\ntwo\nthree\nfour\n---\n").is_empty(), "a paragraph above a rule");
        assert_eq!(titles("---\ntitle: x\n---\n# Yes\n"), ["Yes"]);
    }

    #[test]
    fn one_heading_that_stands_alone_makes_markdown() {
        assert!(is_plainly_markdown("# Apples\nThey fall."));
        assert!(is_plainly_markdown("Intro.\r\n\r\n## Apples\r\n"));
        for text in ["", "He is #1.", "x = 1\n# a comment\n", "```\n\n# no\n```", "Title\n=====\n"]
        {
            assert!(!is_plainly_markdown(text), "{text:?}");
        }
    }
}
