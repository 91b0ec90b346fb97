//! Any other text. Headings that are underlined with `=`, `-` or `~` are read, as NEWS files have
//! them.

use super::kind::{Head, Kind, Reader, Text};
use super::structured::headings;
use crate::outline::Outline;

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

fn is(_: &Head<'_>) -> bool {
    true
}

fn read(text: String, _: &str) -> Text {
    let headings = headings(&text, |mark| matches!(mark, '=' | '-' | '~'));
    let outline = Outline { headings, ..Outline::default() };
    Text { title: None, outline, text }
}
