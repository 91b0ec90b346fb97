//! Identifies a model: the fingerprint that indexes, journals and caches store.
//!
//! A fingerprint is the BLAKE3 hash of a list of fields, cut to 128 bits:
//!
//! ```text
//! version                                   1 byte: 1
//! for each field, in a fixed order
//!   length of the name    u32               little-endian, as all numbers
//!   name                  UTF-8             `document.layers`
//!   kind of the value     1 byte            flag 1, number 2, float 3, text 4, numbers 5, digest 6
//!   length of the value   u64
//!   value                                   1, 8, 4, any, 8 each, or 32 bytes
//! ```
//!
//! Names and values follow their lengths, so the encoding is unambiguous. A setting that has its
//! default is left out, so that a new setting does not change the fingerprint of models that do not
//! use it. Nothing else may change: indexes compare fingerprints with those from other versions of
//! this program. If a new version must hash something differently, it uses another version byte,
//! and both forms are computed until the older one is dropped.
//!
//! [`of_checkpoint`] lists the fields.

pub(crate) mod earlier;
mod of_checkpoint;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The first byte of the hashed data, and the number in front of the digits.
const VERSION: u8 = 1;

/// The start of every fingerprint.
const PREFIX: &str = "f1-";

/// Identifies a model: its weights, its tokenizer, and the settings that affect its views.
///
/// It does not depend on the directory, the computer or the version of this program. It guards
/// against mistakes, not against attacks: at 128 bits, a deliberate collision may be feasible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Its 128 bits.
    pub fn bytes(&self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a fingerprint, wanted `f1-` and 32 hexadecimal digits in lower case")]
pub struct FingerprintError {
    /// The text.
    pub found: String,
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let parse = || {
            let digits = text.strip_prefix(PREFIX)?.as_bytes();
            let mut bytes = [0; 16];
            if digits.len() != 2 * bytes.len() {
                return None;
            }
            for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
                *byte = digit(pair[0])? << 4 | digit(pair[1])?;
            }
            Some(Self(bytes))
        };
        parse().ok_or_else(|| FingerprintError { found: text.to_owned() })
    }
}

/// Each fingerprint has one spelling, because they are compared as texts.
fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Flag(bool),
    Number(u64),
    Float(f32),
    Text(&'a str),
    Numbers(Vec<u64>),
    /// The BLAKE3 hash of bytes.
    Digest([u8; 32]),
}

impl Value<'_> {
    fn kind(&self) -> u8 {
        match self {
            Self::Flag(_) => 1,
            Self::Number(_) => 2,
            Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Numbers(_) => 5,
            Self::Digest(_) => 6,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Flag(flag) => vec![u8::from(*flag)],
            Self::Number(number) => number.to_le_bytes().to_vec(),
            Self::Float(float) => float.to_bits().to_le_bytes().to_vec(),
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Numbers(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Self::Digest(digest) => digest.to_vec(),
        }
    }
}

/// The encoded list of fields.
#[derive(Debug)]
struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    fn new() -> Self {
        Self { bytes: vec![VERSION] }
    }

    fn put(&mut self, name: &str, value: &Value<'_>) {
        self.bytes.extend((name.len() as u32).to_le_bytes());
        self.bytes.extend(name.as_bytes());
        self.bytes.push(value.kind());
        let value = value.bytes();
        self.bytes.extend((value.len() as u64).to_le_bytes());
        self.bytes.extend(value);
    }

    fn fingerprint(&self) -> Fingerprint {
        let hash = blake3::hash(&self.bytes);
        let (first, _) = hash.as_bytes().split_first_chunk().expect("32 bytes begin with 16");
        Fingerprint(*first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(fields: &[(String, Value<'_>)]) -> Fields {
        let mut all = Fields::new();
        fields.iter().for_each(|(name, value)| all.put(name, value));
        all
    }

    #[test]
    fn the_bytes_of_fields_by_hand() {
        let mut fields = Fields::new();
        fields.put("ab", &Value::Number(3));
        let wanted = [1, 2, 0, 0, 0, b'a', b'b', 2, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(fields.bytes, wanted);
        let mut fields = Fields::new();
        fields.put("", &Value::Text("é"));
        assert_eq!(fields.bytes, [1, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0xa9]);
        // by `printf '\x01' | b3sum`
        let none = Fields::new().fingerprint().to_string();
        assert_eq!(none, "f1-48fc721fbbc172e0925fa27af1671de2");
    }

    #[test]
    fn a_fingerprint_reads_back_as_it_is_written() {
        let text = "f1-000102030405060708090a0b0c0d0eff";
        let fingerprint: Fingerprint = text.parse().unwrap();
        assert_eq!(fingerprint.bytes()[14..], [0x0e, 0xff]);
        assert_eq!(fingerprint.to_string(), text);
        let json = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
        let upper = text.to_uppercase();
        for other in ["", "f1-", &text[1..], &text[..33], &format!("{text}0"), &upper, "f2-00"] {
            let error = other.parse::<Fingerprint>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{other}` is not a fingerprint")));
            assert!(serde_json::from_str::<Fingerprint>(&format!("\"{other}\"")).is_err());
        }
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            any::<bool>().prop_map(Value::Flag),
            any::<u64>().prop_map(Value::Number),
            any::<f32>().prop_map(Value::Float),
            prop_oneof![Just(""), Just("a"), Just("ab"), Just("\0")].prop_map(Value::Text),
            prop::collection::vec(0..3_u64, 0..4).prop_map(Value::Numbers),
            any::<u8>().prop_map(|byte| Value::Digest([byte; 32])),
        ]
    }

    fn fields() -> impl Strategy<Value = Vec<(String, Value<'static>)>> {
        prop::collection::vec(("[ab.]{0,3}", value()), 0..6)
    }

    /// Compares floats by their bits: -0 is not 0 here.
    fn same(one: &[(String, Value<'_>)], other: &[(String, Value<'_>)]) -> bool {
        format!("{one:?}") == format!("{other:?}")
    }

    proptest! {
        #[test]
        fn lists_with_the_same_bytes_are_the_same(one in fields(), other in fields()) {
            let equal = of(&one).bytes == of(&other).bytes;
            prop_assert_eq!(equal, same(&one, &other));
        }

        #[test]
        fn any_change_to_a_field_changes_the_fingerprint(
            mut all in fields(),
            at: prop::sample::Index,
            (name, value) in ("[ab.]{0,3}", value()),
            how in 0..4,
        ) {
            prop_assume!(!all.is_empty());
            let before = (all.clone(), of(&all).fingerprint());
            let at = at.index(all.len());
            match how {
                0 => all[at].0 = name,
                1 => all[at].1 = value,
                2 => drop(all.remove(at)),
                _ => all.insert(at, (name, value)),
            }
            prop_assert_eq!(of(&all).fingerprint() == before.1, same(&all, &before.0));
        }
    }
}
