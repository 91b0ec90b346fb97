//! Lines of text in bounded memory.
//!
//! One buffer is reused for every line. A line ends at `\n` or `\r\n`, as [`str::lines`] has it;
//! one of more than [`LIMIT`] bytes is an error, so a file without line ends cannot fill memory.

use std::io::{BufRead as _, Read as _};

use crate::error::{Fault, Place, ReadError};
use crate::source::Source;

/// The longest line, and the longest CSV record, in bytes: 16 MiB.
pub(super) const LIMIT: usize = 16 << 20;

/// Reads a source line by line, and tracks the position.
pub(super) struct Lines {
    source: Source,
    buffer: Vec<u8>,
    number: u64,
    held: bool,
}

impl Lines {
    pub(super) fn new(source: Source) -> Self {
        Self { source, buffer: Vec::new(), number: 0, held: false }
    }

    /// The next line without its end, or `None` after the last.
    pub(super) fn next_line(&mut self) -> Result<Option<&str>, ReadError> {
        if self.advance()? { self.text().map(Some) } else { Ok(None) }
    }

    /// The next line that holds more than white space.
    pub(super) fn next_filled(&mut self) -> Result<Option<&str>, ReadError> {
        while self.advance()? {
            if !self.buffer.trim_ascii().is_empty() {
                return self.text().map(Some);
            }
        }
        Ok(None)
    }

    /// Makes the next call return the same line once more.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    /// The position of the line returned last.
    pub(super) fn place(&self) -> Place {
        self.source.place(self.number)
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    fn advance(&mut self) -> Result<bool, ReadError> {
        if std::mem::take(&mut self.held) {
            return Ok(!self.buffer.is_empty());
        }
        self.buffer.clear();
        // One byte more than the limit tells a line at the limit from a longer one.
        let mut bounded = (&mut self.source).take(LIMIT as u64 + 1);
        let read = bounded.read_until(b'\n', &mut self.buffer);
        self.number += 1;
        read.map_err(|error| self.source.fault(self.number, error))?;
        if self.buffer.len() > LIMIT {
            return Err(self.place().error(Fault::TooLong { limit: LIMIT }));
        }
        Ok(!self.buffer.is_empty())
    }

    fn text(&self) -> Result<&str, ReadError> {
        let text = std::str::from_utf8(&self.buffer).map_err(|error| {
            self.place().error(Fault::NotUtf8 { column: error.valid_up_to() + 1 })
        })?;
        let Some(line) = text.strip_suffix('\n') else { return Ok(text) };
        Ok(line.strip_suffix('\r').unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read};

    use proptest::prelude::*;

    use super::*;

    fn lines(reader: impl Read + Send + 'static) -> Lines {
        Lines::new(Source::from_reader(reader, "memory").unwrap())
    }

    fn fault(reader: impl Read + Send + 'static) -> (u64, Fault) {
        let mut lines = lines(reader);
        loop {
            match lines.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error"),
                Err(ReadError::Line { place, fault }) => return (place.line, fault),
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_held_line_comes_again_under_its_number() {
        let mut lines = lines(Cursor::new("\none\r\ntwo"));
        assert_eq!(lines.next_filled().unwrap(), Some("one"));
        lines.hold();
        assert_eq!(lines.next_line().unwrap(), Some("one"));
        assert_eq!(lines.place().line, 2);
        assert_eq!(lines.next_line().unwrap(), Some("two"));
        assert_eq!(lines.next_line().unwrap(), None);
    }

    #[test]
    fn a_line_may_reach_the_limit_and_not_pass_it() {
        let exact = io::repeat(b'a').take(LIMIT as u64 - 1).chain(&b"\nb"[..]);
        let mut within = lines(exact);
        assert_eq!(within.next_line().unwrap().unwrap().len(), LIMIT - 1);
        assert_eq!(within.next_line().unwrap(), Some("b"));
        let endless = (&b"a\n"[..]).chain(io::repeat(b'a'));
        assert_eq!(fault(endless), (2, Fault::TooLong { limit: LIMIT }));
    }

    #[test]
    fn the_first_byte_that_is_not_utf8_is_named() {
        // "é" takes two bytes, so 0xff is the fourth of line 2.
        let text = Cursor::new([b"ok\n\xc3\xa9a", &b"\xffb\n"[..]].concat());
        assert_eq!(fault(text), (2, Fault::NotUtf8 { column: 4 }));
    }

    proptest! {
        #[test]
        fn lines_equal_those_of_the_whole_text(text in "([a-c\u{e9} ]{0,3}\r?\n?){0,12}") {
            let mut every = lines(Cursor::new(text.clone()));
            for line in text.lines() {
                prop_assert_eq!(every.next_line().unwrap(), Some(line));
            }
            prop_assert_eq!(every.next_line().unwrap(), None);

            let mut filled = lines(Cursor::new(text.clone()));
            for (number, line) in (1..).zip(text.lines()) {
                if !line.trim_ascii().is_empty() {
                    prop_assert_eq!(filled.next_filled().unwrap(), Some(line));
                    prop_assert_eq!(filled.place().line, number);
                }
            }
            prop_assert_eq!(filled.next_filled().unwrap(), None);
        }
    }
}
