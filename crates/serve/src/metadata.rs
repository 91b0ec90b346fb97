//! Metadata as JSON text, parsed only when needed: parsed values take up to 64 times the memory
//! (`[[[]]]` has a list with a capacity of four for each two bytes).

use std::fmt::{self, Formatter};

use fastlane::Metadata;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An object of JSON, as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentMetadata(Option<Box<RawValue>>);

impl SentMetadata {
    pub(crate) fn new(metadata: &Metadata) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(metadata).map(|text| Self(Some(text)))
    }

    fn text(&self) -> &str {
        self.0.as_ref().map_or("{}", |text| text.get())
    }

    /// Counts its bytes.
    pub(crate) fn len(&self) -> usize {
        self.text().len()
    }

    /// Counts the values that a filter can ask for, without keeping them.
    ///
    /// # Errors
    ///
    /// It is not an object, or is nested too deep.
    pub(crate) fn values(&self) -> Result<usize, serde_json::Error> {
        serde_json::from_str::<Object>(self.text()).map(|object| object.0)
    }

    /// Reads it.
    pub(crate) fn read(&self) -> Result<Metadata, serde_json::Error> {
        serde_json::from_str(self.text())
    }
}

impl PartialEq for SentMetadata {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Serialize for SentMetadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(text) => text.serialize(serializer),
            None => Metadata::new().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SentMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(|text| Self(Some(text)))
    }
}

/// How many values an object has.
struct Object(usize);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Values(count) = deserializer.deserialize_map(Count)?;
        Ok(Self(count - 1))
    }
}

/// How many values a value is: a list as many as it has, an object one more.
struct Values(usize);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Count)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = Values;

    fn expecting(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_str<E>(self, _: &str) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_unit<E>(self) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Values, A::Error> {
        let mut sum = 0;
        while let Some(Values(count)) = from.next_element()? {
            sum += count;
        }
        Ok(Values(sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Values, A::Error> {
        let mut sum = 1;
        while let Some((_, Values(count))) = from.next_entry::<String, Values>()? {
            sum += count;
        }
        Ok(Values(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_without_being_kept() {
        let sent = |text: &str| serde_json::from_str::<SentMetadata>(text).unwrap();
        let count = |text: &str| sent(text).values().ok();
        assert_eq!(SentMetadata::default().values().unwrap(), 0);
        assert_eq!(count(r#"{"a": 1, "b": [1.5, null, "x"], "c": {"d": true, "e": []}}"#), Some(6));
        for text in ["[]", "7", "null", "\"x\""] {
            assert_eq!(count(text), None, "{text}");
        }
        // what can be counted can be read
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for text in [&deep, r#"{"a": 1e999}"#, r#"{"a": "\ud800"}"#] {
            assert_eq!(count(text), None, "{text}");
            assert!(sent(text).read().is_err());
        }
    }

    #[test]
    fn it_is_sent_on_as_it_came() {
        let text = r#"{ "a": [ 1, 2.50 ] }"#;
        let sent: SentMetadata = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&sent).unwrap(), text);
        assert_eq!(sent.read().unwrap()["a"][1], 2.5);
        assert_eq!(serde_json::to_string(&SentMetadata::default()).unwrap(), "{}");
    }
}
