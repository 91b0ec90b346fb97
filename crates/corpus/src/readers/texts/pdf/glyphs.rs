//! The characters of encodings and of names of glyphs.

use super::super::encoding::windows_1252;

/// An encoding that fonts begin with.
#[derive(Clone, Copy)]
pub(super) enum Base {
    Standard,
    Windows,
    Mac,
}

/// The upper half of Mac OS Roman.
const MAC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// Where Adobe's standard encoding differs from Latin-1.
const STANDARD: [(u8, char); 32] = [
    (0x27, '’'),
    (0x60, '‘'),
    (0xa4, '⁄'),
    (0xa6, 'ƒ'),
    (0xa8, '¤'),
    (0xa9, '\''),
    (0xaa, '“'),
    (0xac, '‹'),
    (0xad, '›'),
    (0xae, 'ﬁ'),
    (0xaf, 'ﬂ'),
    (0xb1, '–'),
    (0xb2, '†'),
    (0xb3, '‡'),
    (0xb4, '·'),
    (0xb7, '•'),
    (0xb8, '‚'),
    (0xb9, '„'),
    (0xba, '”'),
    (0xbc, '…'),
    (0xbd, '‰'),
    (0xc1, '`'),
    (0xc2, '´'),
    (0xd0, '—'),
    (0xe1, 'Æ'),
    (0xe8, 'Ł'),
    (0xe9, 'Ø'),
    (0xea, 'Œ'),
    (0xf1, 'æ'),
    (0xf8, 'ł'),
    (0xf9, 'ø'),
    (0xfb, 'ß'),
];

/// Names that do not follow from the character: ASCII, marks, ligatures.
const NAMES: [(&str, char); 84] = [
    ("space", ' '),
    ("exclam", '!'),
    ("quotedbl", '"'),
    ("numbersign", '#'),
    ("dollar", '$'),
    ("percent", '%'),
    ("ampersand", '&'),
    ("quotesingle", '\''),
    ("parenleft", '('),
    ("parenright", ')'),
    ("asterisk", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("hyphen", '-'),
    ("period", '.'),
    ("slash", '/'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("less", '<'),
    ("equal", '='),
    ("greater", '>'),
    ("question", '?'),
    ("at", '@'),
    ("bracketleft", '['),
    ("backslash", '\\'),
    ("bracketright", ']'),
    ("asciicircum", '^'),
    ("underscore", '_'),
    ("grave", '`'),
    ("braceleft", '{'),
    ("bar", '|'),
    ("braceright", '}'),
    ("asciitilde", '~'),
    ("quoteleft", '‘'),
    ("quoteright", '’'),
    ("quotedblleft", '“'),
    ("quotedblright", '”'),
    ("quotesinglbase", '‚'),
    ("quotedblbase", '„'),
    ("guillemotleft", '«'),
    ("guillemotright", '»'),
    ("guilsinglleft", '‹'),
    ("guilsinglright", '›'),
    ("endash", '–'),
    ("emdash", '—'),
    ("bullet", '•'),
    ("ellipsis", '…'),
    ("dagger", '†'),
    ("daggerdbl", '‡'),
    ("fi", 'ﬁ'),
    ("fl", 'ﬂ'),
    ("ff", 'ﬀ'),
    ("ffi", 'ﬃ'),
    ("ffl", 'ﬄ'),
    ("germandbls", 'ß'),
    ("ae", 'æ'),
    ("AE", 'Æ'),
    ("oe", 'œ'),
    ("OE", 'Œ'),
    ("oslash", 'ø'),
    ("Oslash", 'Ø'),
    ("lslash", 'ł'),
    ("Lslash", 'Ł'),
    ("dotlessi", 'ı'),
    ("copyright", '©'),
    ("registered", '®'),
    ("trademark", '™'),
    ("section", '§'),
    ("degree", '°'),
    ("multiply", '×'),
    ("minus", '−'),
    ("plusminus", '±'),
    ("Euro", '€'),
    ("mu", 'µ'),
];

/// Letters with accents, by the ends of their names.
const ACCENTS: [(&str, &str, &str); 9] = [
    ("grave", "AEIOUaeiou", "ÀÈÌÒÙàèìòù"),
    ("acute", "AEIOUYaeiouyCcNnSsZz", "ÁÉÍÓÚÝáéíóúýĆćŃńŚśŹź"),
    ("circumflex", "AEIOUaeiou", "ÂÊÎÔÛâêîôû"),
    ("tilde", "ANOano", "ÃÑÕãñõ"),
    ("dieresis", "AEIOUaeiouy", "ÄËÏÖÜäëïöüÿ"),
    ("ring", "Aa", "Åå"),
    ("cedilla", "CcSs", "ÇçŞş"),
    ("caron", "CcSsZzEeRr", "ČčŠšŽžĚěŘř"),
    ("ogonek", "AaEe", "ĄąĘę"),
];

impl Base {
    /// The characters of all codes.
    pub(super) fn characters(self) -> [Option<char>; 256] {
        std::array::from_fn(|code| u8::try_from(code).ok().and_then(|code| self.character(code)))
    }

    fn character(self, code: u8) -> Option<char> {
        let standard = || STANDARD.iter().find(|(place, _)| *place == code).map(|(_, c)| *c);
        match self {
            _ if code < 0x20 => None,
            Self::Standard => standard().or_else(|| Some(windows_1252(code))),
            Self::Mac if code >= 0x80 => MAC.chars().nth(usize::from(code - 0x80)),
            Self::Windows | Self::Mac => Some(windows_1252(code)),
        }
    }
}

/// The character of a glyph with this name, as far as it is a usual one.
pub(super) fn character(name: &str) -> Option<char> {
    // variants are named after a dot: `a.sc`
    let name = name.split('.').next().unwrap_or(name);
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Some(c);
    }
    let hex = name.strip_prefix("uni").or(name.strip_prefix('u'));
    let coded = hex.filter(|hex| hex.len() >= 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let named = || NAMES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    coded.and_then(char::from_u32).or_else(named).or_else(|| accented(name))
}

fn accented(name: &str) -> Option<char> {
    ACCENTS.iter().find_map(|(accent, letters, characters)| {
        let letter = name.strip_suffix(accent)?;
        let place = letters.chars().position(|c| letter.chars().eq([c]))?;
        characters.chars().nth(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_have_characters() {
        let names = ["A", "eacute", "Scaron", "fi", "uni20AC", "u1F600", "a.sc", "quoteright"];
        let found: String = names.into_iter().filter_map(character).collect();
        assert_eq!(found, "AéŠﬁ€😀a’");
        assert_eq!(character("g123"), None);
        let upper = |base: Base| base.characters()[0xd0];
        assert_eq!((upper(Base::Standard), upper(Base::Windows)), (Some('—'), Some('Ð')));
        assert_eq!((upper(Base::Mac), MAC.chars().count()), (Some('–'), 128));
    }
}
