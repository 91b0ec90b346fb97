//! From the codes of a font to characters and widths.

use std::collections::HashMap;

use hayro_cmap::{BfString, CMap};
use hayro_syntax::object::{Array, Dict, Name, Number, Object, Stream};

use super::glyphs::{Base, character};

/// The width of a glyph of which the font says none, in units of its size.
const WIDTH: f64 = 0.5;

/// A font, as far as text needs it.
pub(super) struct Font {
    to_unicode: Option<CMap>,
    codes: Codes,
    widths: HashMap<u32, f64>,
    usual_width: f64,
}

/// How codes are read.
enum Codes {
    /// One byte each, of this encoding.
    Bytes(Box<[Option<char>; 256]>),
    /// Two bytes each, of which only `ToUnicode` tells the character.
    Pairs,
}

/// The text of some codes.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) text: String,
    /// In units of the size of the font.
    pub(super) width: f64,
    pub(super) glyphs: usize,
}

impl Font {
    pub(super) fn of(font: &Dict<'_>) -> Self {
        let to_unicode = font.get::<Stream<'_>>("ToUnicode");
        let to_unicode = to_unicode.and_then(|stream| stream.decoded_data().ok());
        let to_unicode = to_unicode.and_then(|bytes| CMap::parse(&bytes, |_| None));
        let is_composite = font.get::<Name<'_>>("Subtype").is_some_and(|it| &*it == b"Type0");
        if is_composite {
            let below = font.get::<Array<'_>>("DescendantFonts");
            let below = below.and_then(|fonts| fonts.iter::<Dict<'_>>().next()).unwrap_or_default();
            let usual = below.get::<Number>("DW").map_or(1.0, |width| width.as_f64() / 1000.0);
            let widths = below.get::<Array<'_>>("W").map(|array| widths_of_pairs(&array));
            let widths = widths.unwrap_or_default();
            return Self { to_unicode, codes: Codes::Pairs, widths, usual_width: usual };
        }
        let codes = Codes::Bytes(Box::new(encoding(font)));
        Self { to_unicode, codes, widths: widths_of_bytes(font), usual_width: WIDTH }
    }

    pub(super) fn text(&self, codes: &[u8]) -> Shown {
        let mut shown = Shown::default();
        match &self.codes {
            Codes::Bytes(encoding) => {
                for code in codes {
                    let usual = encoding[usize::from(*code)];
                    self.push(u32::from(*code), usual, &mut shown);
                }
            }
            Codes::Pairs => {
                for pair in codes.chunks(2) {
                    let code = pair.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
                    self.push(code, None, &mut shown);
                }
            }
        }
        shown
    }

    fn push(&self, code: u32, usual: Option<char>, shown: &mut Shown) {
        match self.to_unicode.as_ref().and_then(|map| map.lookup_bf_string(code)) {
            Some(BfString::Char(c)) => push_character(c, shown),
            Some(BfString::String(text)) => text.chars().for_each(|c| push_character(c, shown)),
            None => usual.into_iter().for_each(|c| push_character(c, shown)),
        }
        shown.width += self.widths.get(&code).unwrap_or(&self.usual_width);
        shown.glyphs += 1;
    }
}

/// Adds a character; ligatures in letters, so that their words are found.
fn push_character(c: char, shown: &mut Shown) {
    match c {
        'ﬀ' => shown.text.push_str("ff"),
        'ﬁ' => shown.text.push_str("fi"),
        'ﬂ' => shown.text.push_str("fl"),
        'ﬃ' => shown.text.push_str("ffi"),
        'ﬄ' => shown.text.push_str("ffl"),
        '\u{ad}' => shown.text.push('-'),
        c if c.is_whitespace() => shown.text.push(' '),
        c if c.is_control() => {}
        c => shown.text.push(c),
    }
}

/// The encoding of a simple font.
fn encoding(font: &Dict<'_>) -> [Option<char>; 256] {
    let is_true_type = font.get::<Name<'_>>("Subtype").is_some_and(|it| &*it == b"TrueType");
    let usual = if is_true_type { Base::Windows } else { Base::Standard };
    let named = |name: Name<'_>| match &*name {
        b"WinAnsiEncoding" => Base::Windows,
        b"MacRomanEncoding" => Base::Mac,
        _ => usual,
    };
    let Some(dict) = font.get::<Dict<'_>>("Encoding") else {
        return font.get::<Name<'_>>("Encoding").map_or(usual, named).characters();
    };
    let mut characters = dict.get::<Name<'_>>("BaseEncoding").map_or(usual, named).characters();
    let mut code = 0_usize;
    let differences = dict.get::<Array<'_>>("Differences");
    for difference in differences.iter().flat_map(Array::iter::<Object<'_>>) {
        match difference {
            Object::Number(number) => code = usize::try_from(number.as_i64()).unwrap_or(256),
            Object::Name(name) => {
                if let Some(place) = characters.get_mut(code) {
                    *place = character(name.as_str());
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    characters
}

fn widths_of_bytes(font: &Dict<'_>) -> HashMap<u32, f64> {
    let first = font.get::<Number>("FirstChar").map_or(0, |number| number.as_i64());
    let first = u32::try_from(first).unwrap_or(0);
    let widths = font.get::<Array<'_>>("Widths");
    let widths = widths.iter().flat_map(Array::iter::<f64>).take(256);
    (first..).zip(widths.map(|width| width / 1000.0)).collect()
}

/// The widths of a composite font: `first [w w w]`, or `first last w`.
fn widths_of_pairs(array: &Array<'_>) -> HashMap<u32, f64> {
    let mut widths = HashMap::new();
    let mut numbers: Vec<f64> = Vec::new();
    for object in array.iter::<Object<'_>>() {
        match object {
            Object::Number(number) => numbers.push(number.as_f64()),
            Object::Array(each) => {
                let first = numbers.pop().unwrap_or_default() as u32;
                let each = each.iter::<f64>().map(|width| width / 1000.0);
                widths.extend((first..=0xffff).zip(each));
                numbers.clear();
            }
            _ => {}
        }
        if let [first, last, width] = numbers[..] {
            let codes = first as u32..=(last as u32).min(0xffff);
            widths.extend(codes.map(|code| (code, width / 1000.0)));
            numbers.clear();
        }
    }
    widths
}
