//! Reads one file: its first bytes tell whether it is text, then the rest is read.

use std::io::Read as _;

use super::KINDS;
use super::encoding::{self, Encoding};
use super::kind::{Head, Kind, Reader, Text};
use crate::error::{Packing, ReadError};
use crate::source::Source;

/// The largest file, in bytes once unpacked: 64 MiB.
const LIMIT: u64 = 64 << 20;
/// The bytes that tell the kind of a file: 8 KiB.
const HEAD: u64 = 8 << 10;

/// How files begin that have no text, and could be taken for one in an old encoding.
const BINARY: [&[u8]; 6] =
    [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"RIFF", b"\xca\xfe\xba\xbe"];

/// Reads the text of a file; `name` is that of the file without its packing.
///
/// Returns the encoding too, if it is not UTF-8.
pub(super) fn read(
    mut source: Source,
    name: &str,
) -> Result<(Text, Option<&'static str>), ReadError> {
    let mut bytes = Vec::new();
    fill(&mut source, &mut bytes, HEAD)?;
    let is_binary = BINARY.iter().any(|magic| bytes.starts_with(magic));
    let encoding = if is_binary { None } else { Encoding::of(&bytes) };
    let name = name.to_lowercase();
    let Some(reader) = reader(&bytes, encoding, &name) else {
        return Err(ReadError::NoText { path: source.path().into(), reason: "no text" });
    };
    rest(&mut source, &mut bytes)?;
    match reader {
        Reader::Text(read) => {
            let (text, foreign) = encoding::decode(bytes, encoding.unwrap_or(Encoding::Utf8));
            Ok((read(text, &name), foreign))
        }
        Reader::Bytes(read) => match read(&bytes) {
            Ok(text) => Ok((text, None)),
            Err(unreadable) => Err(unreadable.at(source.path())),
        },
    }
}

/// The reader of a file that begins like this; none if the file has no text.
fn reader(bytes: &[u8], encoding: Option<Encoding>, name: &str) -> Option<Reader> {
    let text = encoding.map(|encoding| encoding.decode(bytes));
    let head = Head { bytes, text: text.as_deref().unwrap_or_default(), name };
    let reads = |kind: &&&Kind| match kind.read {
        Reader::Text(_) => text.is_some() && (kind.is)(&head),
        Reader::Bytes(_) => (kind.is)(&head),
    };
    KINDS.iter().find(reads).map(|kind| kind.read)
}

/// Reads all that is left, within the limit.
fn rest(source: &mut Source, bytes: &mut Vec<u8>) -> Result<(), ReadError> {
    let plain = (source.packing() == Packing::Plain).then(|| source.progress().total()).flatten();
    if plain.is_none_or(|total| total <= LIMIT) {
        fill(source, bytes, LIMIT + 1)?;
        if bytes.len() as u64 <= LIMIT {
            return Ok(());
        }
    }
    Err(ReadError::TooLarge { path: source.path().into(), limit: LIMIT })
}

/// Reads up to so many bytes in all.
fn fill(source: &mut Source, bytes: &mut Vec<u8>, most: u64) -> Result<(), ReadError> {
    let more = most - bytes.len() as u64;
    let read = source.take(more).read_to_end(bytes);
    read.map_err(|error| source.fault(line_after(bytes), error))?;
    Ok(())
}

/// The number of the line after these bytes.
fn line_after(bytes: &[u8]) -> u64 {
    1 + bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
