//! Numbers and names as people read them.

use maud::{Markup, html};

/// `1284` as `1,284`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and the noun it counts: `1 result`, `8 results`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(number))
}

/// A small number as a word, in a sentence.
pub(super) fn small(number: usize) -> String {
    const WORDS: [&str; 10] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(number).map_or_else(|| number.to_string(), ToString::to_string)
}

/// Microseconds as milliseconds; short times keep two decimals, or they would read as none.
pub(super) fn milliseconds(us: u128) -> String {
    let ms = us as f64 / 1000.0;
    if (5..100).contains(&us) { format!("{ms:.2}") } else { format!("{ms:.1}") }
}

/// A score; those of ranks are small and close together.
pub(super) fn score(score: f32) -> String {
    if score.abs() < 0.1 { format!("{score:.5}") } else { format!("{score:.3}") }
}

/// Bytes with a unit.
pub(super) fn bytes(count: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = units.iter().find(|(size, _)| count as f64 >= *size);
    unit.map_or_else(
        || format!("{count} bytes"),
        |(size, name)| format!("{:.1} {name}", count as f64 / size),
    )
}

/// The first bytes of a text, whole characters only, and whether that is all of it.
pub(super) fn clipped(text: &str, most: usize) -> (&str, bool) {
    if text.len() <= most {
        return (text, true);
    }
    (&text[..text.floor_char_boundary(most)], false)
}

/// A message with `code` where it has backticks.
pub(super) fn ticked(message: &str) -> Markup {
    let parts: Vec<&str> = message.split('`').collect();
    // an odd backtick is one that somebody typed
    let paired = parts.len() % 2 == 1;
    html! {
        @if paired {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else { (message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let wanted = [(0, "0"), (999, "999"), (1284, "1,284"), (1_000_000, "1,000,000")];
        wanted.iter().for_each(|(number, text)| assert_eq!(grouped(*number), *text));
        assert_eq!(counted(1, "result"), "1 result");
        assert_eq!(counted(2000, "document"), "2,000 documents");
        assert_eq!((small(2), small(12)), ("two".to_owned(), "12".to_owned()));
    }

    #[test]
    fn short_times_are_not_none() {
        let wanted = [
            (0, "0.0"),
            (4, "0.0"),
            (40, "0.04"),
            (110, "0.1"),
            (4340, "4.3"),
            (1_240_000, "1240.0"),
        ];
        wanted.iter().for_each(|(us, text)| assert_eq!(milliseconds(*us), *text));
    }

    #[test]
    fn small_scores_have_more_digits() {
        assert_eq!((score(5.6581), score(0.016_393)), ("5.658".to_owned(), "0.01639".to_owned()));
    }

    #[test]
    fn bytes_have_units() {
        let wanted = [(12, "12 bytes"), (2_000, "2.0 kB"), (27_400_000, "27.4 MB")];
        wanted.iter().for_each(|(count, text)| assert_eq!(bytes(*count), *text));
    }

    #[test]
    fn a_clip_keeps_characters_whole() {
        assert_eq!(clipped("größe", 9), ("größe", true));
        assert_eq!(clipped("größe", 3), ("gr", false));
        assert_eq!(clipped("größe", 4), ("grö", false));
    }

    #[test]
    fn backticks_become_code_if_they_pair() {
        assert_eq!(ticked("found `<b>`.").into_string(), "found <code>&lt;b&gt;</code>.");
        assert_eq!(ticked("found ` only").into_string(), "found ` only");
    }
}
