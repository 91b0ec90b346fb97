//! reStructuredText: headings are underlined, and overlined if the author likes, by any punctuation;
//! the order in which the marks appear gives their levels.
//!
//! Plain texts such as NEWS files have underlined headings too, of `=`, `-` or `~`.

use super::kind::{Head, Kind, Reader, Text};
use crate::outline::{Heading, Outline};

/// A rule of so many marks underlines a title of any length.
const LONG: usize = 8;
/// The longest title, in characters.
const LONGEST: usize = 120;

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

fn is(head: &Head<'_>) -> bool {
    head.ends_in(&["rst", "rest"])
}

fn read(text: String, _: &str) -> Text {
    let headings = headings(&text, |mark| mark.is_ascii_punctuation());
    let outline = Outline { headings, ..Outline::default() };
    Text { title: None, outline, text }
}

/// The headings of a text that are underlined by some marks.
pub(super) fn headings(text: &str, is_mark: fn(char) -> bool) -> Vec<Heading> {
    let mut styles: Vec<(char, bool)> = Vec::new();
    let mut headings = Vec::new();
    let mut lines: [Line<'_>; 3] = Default::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines = [lines[1], lines[2], Line { at, text: line.trim_end() }];
        at += line.len();
        let [over, title, under] = lines;
        let Some(mark) = under.rule().filter(|mark| is_mark(*mark)) else { continue };
        if !title.is_underlined_by(under) {
            continue;
        }
        let is_over = over.text == under.text;
        // a paragraph that ends above a rule is not a heading
        if !is_over && !over.text.is_empty() {
            continue;
        }
        let place = styles.iter().position(|style| *style == (mark, is_over));
        let place = place.unwrap_or(styles.len());
        if place == styles.len() {
            styles.push((mark, is_over));
        }
        let level = u8::try_from(place + 1).unwrap_or(u8::MAX);
        let at = if is_over { over.at } else { title.at };
        headings.push(Heading { at, level, title: title.text.trim().to_owned() });
        // its underline is not the overline of the next
        lines = Default::default();
    }
    headings
}

/// A line without its end.
#[derive(Clone, Copy, Default)]
struct Line<'t> {
    at: usize,
    text: &'t str,
}

impl Line<'_> {
    /// The mark of which the line is made, if it is made of three or more of one.
    fn rule(self) -> Option<char> {
        let mark = self.text.chars().next().filter(char::is_ascii_punctuation)?;
        (self.text.len() >= 3 && self.text.chars().all(|c| c == mark)).then_some(mark)
    }

    /// Whether this is a title above a rule that is about as long, or long enough.
    fn is_underlined_by(self, rule: Self) -> bool {
        let length = self.text.trim().chars().count();
        let is_long = rule.text.len() >= LONG || rule.text.len().abs_diff(length) <= 2;
        is_long && (1..=LONGEST).contains(&length) && self.rule().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, u8, String)> {
        let text = read(text.into(), "");
        text.outline.headings.into_iter().map(|h| (h.at, h.level, h.title)).collect()
    }

    #[test]
    fn levels_follow_the_order_of_marks() {
        let text = "=====\nTitle\n=====\n\nOne\n---\ntext\n\nSub\n~~~\n\nTwo\n---\n";
        // 18 bytes to "One", 14 more to "Sub", 9 more to "Two"
        let wanted = [(0, 1, "Title"), (19, 2, "One"), (33, 3, "Sub"), (42, 2, "Two")];
        assert_eq!(found(text), wanted.map(|(at, level, title)| (at, level, title.to_owned())));
    }

    #[test]
    fn rules_and_tables_are_not_headings() {
        assert!(found("a long line of words\n---\n").is_empty());
        assert!(found("one\ntwo\n---\n").is_empty(), "the end of a paragraph");
        assert!(found("===  ===\na    b\n===  ===\n").is_empty());
        assert!(found("---\n---\n---\n\n--\n").is_empty());
    }
}
