//! Quotes input in messages.

use std::fmt;

/// An excerpt of input, safe to print: quoted, short, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    const LONGEST: usize = 60;

    /// Quotes the first 60 characters, control characters escaped.
    pub(crate) fn of(found: &str) -> Self {
        let mut shown = String::from("`");
        for c in found.chars().take(Self::LONGEST) {
            if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
        }
        let whole = found.chars().nth(Self::LONGEST).is_none();
        shown.push_str(if whole { "`" } else { "…`" });
        Self(shown)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Up to ten names as part of a sentence: "`a`, `b` or `c`".
pub(super) fn names(all: &[String], joiner: &str) -> String {
    const MOST: usize = 10;
    let mut quoted: Vec<_> =
        all.iter().take(MOST).map(|name| Excerpt::of(name).to_string()).collect();
    if all.len() > MOST {
        quoted.push(format!("{} more", all.len() - MOST));
    }
    match quoted.split_last() {
        None => "no columns".into(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {joiner} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(Excerpt::of("a\tb\u{1b}[2J").to_string(), "`a\\tb\\u{1b}[2J`");
        assert_eq!(Excerpt::of(&"é".repeat(60)).to_string().chars().count(), 62);
        assert_eq!(Excerpt::of(&"é".repeat(61)).to_string().chars().count(), 63);
    }

    #[test]
    fn names_read_as_a_sentence() {
        let all: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert_eq!(names(&all[..0], "or"), "no columns");
        assert_eq!(names(&all[..1], "or"), "`0`");
        assert_eq!(names(&all[..3], "or"), "`0`, `1` or `2`");
        assert!(names(&all, "and").ends_with("`9` and 2 more"));
    }
}
