//! The lines of a file with their numbers, checked to be UTF-8.

use std::io::Read;

use super::error::{Fault, FileKind, ReadError, excerpt};

/// The text of one file, with its name for messages.
pub(super) struct Text<'a> {
    file: &'a str,
    text: String,
}

impl<'a> Text<'a> {
    pub(super) fn read(mut reader: impl Read, file: &'a str) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        if let Err(source) = reader.read_to_end(&mut bytes) {
            let line = count_lines(&bytes);
            return Err(ReadError::Io { file: file.to_owned(), line, source });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { file, text }),
            Err(error) => {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = count_lines(before) + 1;
                let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
                let byte = before.len() - start + 1;
                Err(ReadError::Line { file: file.to_owned(), line, fault: Fault::NotUtf8 { byte } })
            }
        }
    }

    /// The lines with content and their numbers: no blank ones, no `#` comments.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).zip(1..);
        lines
            .filter(|(line, _)| !line.trim_ascii().is_empty() && !line.starts_with('#'))
            .map(|(line, number)| (number, line))
    }

    pub(super) fn fault(&self, line: usize, fault: Fault) -> ReadError {
        ReadError::Line { file: self.file.to_owned(), line, fault }
    }

    pub(super) fn empty(&self, wanted: FileKind) -> ReadError {
        ReadError::Empty { file: self.file.to_owned(), wanted }
    }

    /// The error for a document that occurs twice; `ids` reads a line's query and document.
    ///
    /// The two lines are searched only when the file is refused, so valid files do not pay for it.
    pub(super) fn duplicate(
        &self,
        query: &str,
        document: &str,
        ids: impl Fn(&str) -> Option<(&str, &str)>,
    ) -> ReadError {
        let mut twice = self.lines().filter(|(_, line)| ids(line) == Some((query, document)));
        let mut next = || twice.next().map_or(0, |(number, _)| number);
        let (first, second) = (next(), next());
        let (query, document) = (excerpt(query), excerpt(document));
        self.fault(second, Fault::Duplicate { query, document, first })
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b == b'\n').count()
}

/// The `N` columns of `line`, or the number of columns if it differs.
pub(super) fn columns<const N: usize>(line: &str) -> Result<[&str; N], usize> {
    let mut found = [""; N];
    let mut count = 0;
    for column in line.split_ascii_whitespace() {
        if let Some(slot) = found.get_mut(count) {
            *slot = column;
        }
        count += 1;
    }
    if count == N { Ok(found) } else { Err(count) }
}
