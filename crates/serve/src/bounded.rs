//! JSON lists with a maximum length.

use std::fmt::{self, Formatter};
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// A list of which at most `MOST` + 1 elements are kept, so that a list that is too long is
/// detected without taking memory.
#[derive(Debug)]
pub(crate) struct Bounded<T, const MOST: usize>(pub(crate) Vec<T>);

impl<T, const MOST: usize> Default for Bounded<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MOST: usize> Deref for Bounded<T, MOST> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements::<T, MOST>(PhantomData))
    }
}

struct Elements<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Elements<T, MOST> {
    type Value = Bounded<T, MOST>;

    fn expecting(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() <= MOST {
            match from.next_element()? {
                Some(element) => kept.push(element),
                None => break,
            }
        }
        while from.next_element::<IgnoredAny>()?.is_some() {}
        kept.shrink_to_fit();
        Ok(Bounded(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defect_s6_what_is_too_long_is_seen_to_be_so_and_not_kept() {
        let read = |text: &str| serde_json::from_str::<Bounded<u8, 3>>(text).map(|it| it.0);
        assert!(read("[]").unwrap().is_empty());
        assert_eq!(read("[1,2,3]").unwrap(), [1, 2, 3]);
        assert_eq!(read(&format!("[{}1]", "1,".repeat(10_000))).unwrap(), [1; 4]);
        assert!(read("[1,2,3,4,5,6,]").is_err() && read("7").is_err());
        let nested =
            serde_json::from_str::<Bounded<Bounded<f32, 2>, 2>>("[[1,2,3,4],[1.5]]").unwrap();
        assert_eq!(nested.iter().map(|it| it.len()).collect::<Vec<_>>(), [3, 1]);
    }
}
