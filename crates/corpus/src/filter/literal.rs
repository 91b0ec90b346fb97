//! The values a filter compares with, and the exact order of JSON's numbers.
//!
//! JSON mixes 64-bit integers and floats, and casting either way loses digits. [`Exact`] therefore
//! keeps the nearest float and what rounding to it took away: `n = nearest + rest`. Rounding is
//! monotone, so comparing the pairs compares the numbers, and the pair has a byte form that sorts
//! the same way.

use std::cmp::Ordering;

use serde_json::{Number, Value};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Boolean(bool),
    Number(Number),
    Text(String),
}

impl Literal {
    /// Equality as the filter language defines it; see the module `filter`.
    pub(super) fn equals(&self, value: &Value) -> bool {
        match self {
            Literal::Boolean(wanted) => boolean(value) == Some(*wanted),
            _ => self.compare(value) == Some(Ordering::Equal),
        }
    }

    /// The order of `value` and this literal; `None` if their types do not compare.
    pub(super) fn compare(&self, value: &Value) -> Option<Ordering> {
        match self {
            Literal::Boolean(_) => None,
            Literal::Number(wanted) => Some(Exact::of(&number(value)?).cmp(&Exact::of(wanted))),
            Literal::Text(wanted) => Some(value.as_str()?.cmp(wanted)),
        }
    }
}

fn boolean(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| spelled_boolean(value.as_str()?))
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => spelled_number(text),
        _ => None,
    }
}

/// The boolean that a string spells, in upper or lower case.
pub(crate) fn spelled_boolean(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// The number a string spells by JSON's grammar, without spaces around it.
pub(crate) fn spelled_number(text: &str) -> Option<Number> {
    let starts = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let ends = text.ends_with(|last: char| last.is_ascii_digit());
    if starts && ends { serde_json::from_str(text).ok() } else { None }
}

/// A JSON number in an order without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exact {
    /// The bits of the nearest float, turned so that they sort as the float does.
    nearest: u64,
    /// What rounding took away: at most 1024, half the distance of two floats near 2⁶⁴.
    rest: i16,
}

impl Exact {
    pub(crate) fn of(number: &Number) -> Self {
        let integer = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
        let nearest = number.as_f64().expect("a JSON number has a nearest float");
        let rest = integer.map_or(0, |integer| integer - nearest as i128);
        let rest = i16::try_from(rest).expect("floats below 2⁶⁴ lie at most 2048 apart");
        Exact { nearest: sortable(nearest), rest }
    }

    /// Ten bytes whose order is the order of the numbers.
    pub(crate) fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.nearest.to_be_bytes());
        bytes[8..].copy_from_slice(&(self.rest as u16 ^ 0x8000).to_be_bytes());
        bytes
    }
}

fn sortable(float: f64) -> u64 {
    // adding 0.0 turns -0.0 into 0.0
    let bits = (float + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_exactly_and_so_do_their_bytes() {
        let rising = "-1e300 -9223372036854775808 -9223372036854775807 -2.5 -1 -1e-300 0 5e-324 \
            0.5 1 2020 9007199254740992 9007199254740993 9007199254740994.0 9223372036854775807 \
            9223372036854775808 18446744073709551614 18446744073709551615 18446744073709551616 1e300";
        let keys: Vec<Exact> = rising
            .split_whitespace()
            .map(|text| Exact::of(&spelled_number(text).unwrap()))
            .collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert!(keys.is_sorted_by(|a, b| a.to_bytes() < b.to_bytes()));
    }

    #[test]
    fn integers_equal_floats_of_the_same_value() {
        for (a, b) in [("2020", "2020.0"), ("0", "-0.0"), ("1e3", "1000")] {
            let [a, b] = [a, b].map(|text| Exact::of(&spelled_number(text).unwrap()));
            assert_eq!(a, b);
        }
    }
}
