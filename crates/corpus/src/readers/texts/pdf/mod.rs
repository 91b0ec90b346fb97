//! The text layer of PDF, page by page.
//!
//! A PDF places glyphs. Their characters come from the `ToUnicode` map of a font, or else from its
//! encoding; words and lines come from gaps between the glyphs, in the order of the file. A scan has
//! no glyphs, so no text layer: it is left out.
//!
//! Not read: text of composite fonts without `ToUnicode`, annotations, forms that are filled in.

mod font;
mod glyphs;
mod layout;
mod matrix;
mod page;

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_syntax::{LoadPdfError, Pdf};

use super::encoding::{Encoding, windows_1252};
use super::kind::{Head, Kind, Reader, Text, Unreadable};
use crate::outline::Outline;
use page::Reading;

pub(super) static KIND: Kind = Kind { is, read: Reader::Bytes(read) };

/// The most bytes of one stream once it is unpacked: 128 MiB.
const STREAM: u64 = 128 << 20;

fn is(head: &Head<'_>) -> bool {
    head.bytes[..head.bytes.len().min(1024)].windows(5).any(|at| at == b"%PDF-")
}

fn read(bytes: &[u8]) -> Result<Text, Unreadable> {
    if has_bomb(bytes) {
        return Err(Unreadable::Damaged("a stream has more than 128 MiB".to_owned()));
    }
    // the parser has been fuzzed, but files of strangers must not end a run of hours
    catch_unwind(AssertUnwindSafe(|| text(bytes)))
        .unwrap_or_else(|_| Err(Unreadable::Damaged("the PDF cannot be parsed".to_owned())))
}

fn text(bytes: &[u8]) -> Result<Text, Unreadable> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Unreadable::NoText("encrypted"),
        LoadPdfError::Invalid => Unreadable::Damaged("not a valid PDF".to_owned()),
    })?;
    let mut reading = Reading::default();
    let mut outline = Outline { rendered: true, ..Outline::default() };
    let mut text = String::new();
    for page in pdf.pages().iter() {
        let found = reading.page(page);
        if !text.is_empty() && !found.is_empty() {
            text.push_str("\n\n");
        }
        outline.pages.push(text.len());
        text.push_str(&found);
    }
    if text.is_empty() {
        return Err(Unreadable::NoText("no text layer"));
    }
    text.push('\n');
    let title = pdf.metadata().title.as_deref().and_then(title);
    Ok(Text { title, text, outline })
}

/// A title that a person has written, rather than a program.
fn title(bytes: &[u8]) -> Option<String> {
    let title: String = match bytes {
        [0xfe, 0xff, ..] => Encoding::Utf16Big.decode(bytes),
        _ => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    };
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_name = title.contains(".doc") || title.contains(".dvi") || title.contains(".tex");
    (title.chars().count() > 3 && !is_name && !title.contains(char::is_control)).then_some(title)
}

/// Whether some packed stream is far larger than any text. The parser has no limit of its own.
fn has_bomb(bytes: &[u8]) -> bool {
    let starts = bytes.windows(6).enumerate().filter(|(_, word)| *word == b"stream");
    starts.map(|(at, _)| bytes[at + 6..].trim_ascii_start()).any(|data| {
        let is_packed = matches!(data, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]);
        is_packed && unpacked_length(data) >= STREAM
    })
}

fn unpacked_length(data: &[u8]) -> u64 {
    let mut length = 0;
    let mut unpacked = flate2::read::ZlibDecoder::new(data).take(STREAM);
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = unpacked.read(&mut buffer) {
        length += read as u64;
    }
    length
}

#[cfg(test)]
mod tests;
