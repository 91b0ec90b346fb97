//! Whether bytes are text, and in which encoding: UTF-8, UTF-16 or windows-1252.

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Little,
    Utf16Big,
    /// Also Latin-1, of which it is an extension.
    Windows1252,
}

impl Encoding {
    /// The encoding of a text that begins like this; `None` if it is not text.
    ///
    /// UTF-16 is known by its mark, or by the zero bytes of ASCII in it. What is not UTF-8 is taken
    /// for windows-1252 if at most a third of its bytes are not ASCII.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0xff, 0xfe]) {
            return Some(Self::Utf16Little).filter(|it| it.fits(head));
        }
        if head.starts_with(&[0xfe, 0xff]) {
            return Some(Self::Utf16Big).filter(|it| it.fits(head));
        }
        if head.contains(&0) {
            return [Self::Utf16Little, Self::Utf16Big]
                .into_iter()
                .find(|it| it.has_zeros(head) && it.fits(head));
        }
        if has_controls(head) {
            return None;
        }
        let is_utf8 = match std::str::from_utf8(head) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none() || mostly_utf8(head),
        };
        let high = head.iter().filter(|byte| !byte.is_ascii()).count();
        match is_utf8 {
            true => Some(Self::Utf8),
            false => (3 * high <= head.len()).then_some(Self::Windows1252),
        }
    }

    /// Whether the text decodes without damage and without control characters.
    fn fits(self, head: &[u8]) -> bool {
        let text = self.decode(head);
        let odd = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER || is_control(c));
        // one at the end may have been cut
        odd.count() <= 1
    }

    /// Whether the half of the bytes that is zero for ASCII mostly is, and the other is not.
    fn has_zeros(self, head: &[u8]) -> bool {
        let (pairs, _) = head.as_chunks::<2>();
        let zeros = |half: usize| pairs.iter().filter(|pair| pair[half] == 0).count();
        let (zero, other) = if self == Self::Utf16Big { (0, 1) } else { (1, 0) };
        zeros(other) == 0 && 10 * zeros(zero) >= 7 * pairs.len()
    }

    /// The text of all bytes, without a mark; bytes that mean nothing become `�`.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        let text = match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Utf16Little => utf16(bytes, u16::from_le_bytes),
            Self::Utf16Big => utf16(bytes, u16::from_be_bytes),
            Self::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        };
        match text.strip_prefix('\u{feff}') {
            Some(text) => text.to_owned(),
            None => text,
        }
    }

    /// The name, if it is not UTF-8.
    pub(super) fn foreign(self) -> Option<&'static str> {
        match self {
            Self::Utf8 => None,
            Self::Utf16Little | Self::Utf16Big => Some("UTF-16"),
            Self::Windows1252 => Some("windows-1252"),
        }
    }
}

/// Decodes a whole text; returns the name of an encoding that is not UTF-8.
pub(super) fn decode(bytes: Vec<u8>, encoding: Encoding) -> (String, Option<&'static str>) {
    if encoding != Encoding::Utf8 {
        return (encoding.decode(&bytes), encoding.foreign());
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) if mostly_utf8(error.as_bytes()) => {
            (Encoding::Utf8.decode(error.as_bytes()), Some("UTF-8 with invalid bytes"))
        }
        Err(error) => {
            (Encoding::Windows1252.decode(error.as_bytes()), Encoding::Windows1252.foreign())
        }
    }
}

/// Whether there are more characters of several bytes than bytes that mean nothing.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good > bad
}

/// Whether more than one byte in 50 is a control character that texts do not have.
fn has_controls(head: &[u8]) -> bool {
    50 * head.iter().filter(|byte| is_control(char::from(**byte))).count() > head.len()
}

/// A control character of ASCII that texts do not have. They do have tabs, line ends, page feeds,
/// backspaces in manual pages, and escapes in logs.
fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\x07' | '\x0e'..='\x1a' | '\x1c'..='\x1f' | '\x7f')
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The characters 80 to 9F, as WHATWG has them; all others are those of Unicode.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A character of windows-1252.
pub(super) fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<(String, Option<&'static str>)> {
        Encoding::of(bytes).map(|encoding| decode(bytes.to_vec(), encoding))
    }

    fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(read("größe".as_bytes()), Some(("größe".into(), None)));
        // "caf\xe9 \x80" is "café €" in windows-1252
        assert_eq!(read(b"caf\xe9 \x80"), Some(("café €".into(), Some("windows-1252"))));
        for text in ["plain text", "\u{feff}größe in Zürich"] {
            let bare = text.trim_start_matches('\u{feff}').to_owned();
            let wanted = Some((bare, Some("UTF-16")));
            assert_eq!(read(&wide(text, u16::to_le_bytes)), wanted);
            assert_eq!(read(&wide(text, u16::to_be_bytes)), wanted);
        }
    }

    #[test]
    fn one_bad_byte_among_good_ones_is_replaced() {
        let text = [b"gr\xc3\xb6\xc3\x9fe \xff".to_vec()].concat();
        assert_eq!(read(&text), Some(("größe �".into(), Some("UTF-8 with invalid bytes"))));
    }

    #[test]
    fn what_is_not_text_has_no_encoding() {
        let samples: [&[u8]; 6] = [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"\x7fELF\x02\x01\x01\0\0\0",
            b"a\0b\0\0\0c",
            b"\xff\xfe\0\0\x01\0\x02\0",
            b"\xff\xd8\xff\xe0\xf0\xe1\xe2",
            &[1, 2, 3, 4, 5],
        ];
        for bytes in samples {
            assert_eq!(Encoding::of(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_head_may_be_cut_within_a_character() {
        assert_eq!(Encoding::of(b"caf\xc3"), Some(Encoding::Utf8));
        assert_eq!(Encoding::of(b""), Some(Encoding::Utf8));
    }
}
