//! Filters on metadata, in a small expression language: `lang = en and year > 2020`.
//!
//! ```text
//! filter   any of: all "or" all …          all: one "and" one …
//! one      "not" one | "(" filter ")" | "exists" path | path test
//! test     = != < <= > >= literal | ["not"] "in" "(" literal, … ")"
//! path     author.name | "key with space"."key.with.dot"
//! literal  en | 2024-01-15 | 2020 | -0.5 | true | "quoted" | 'quoted'
//! ```
//!
//! Keywords ignore case. Inside quotes, a backslash stands before a quote or a backslash.
//!
//! What a condition means is [`Filter::matches`], by these rules:
//!
//! - A path walks into objects; arrays are transparent, so any of their elements may match.
//! - A missing value and `null` fail every comparison. `a != x` is `not a = x`, hence true there.
//! - Strings order by their characters, which orders ISO dates by time. Dates with offsets compare
//!   as text too: `2024-01-15T00:30+02:00` comes after `2024-01-14T23:00Z`, though it is earlier.
//! - Numbers compare by exact value: 2020 equals 2020.0, and 2⁵³ + 1 differs from 2⁵³. That holds
//!   for integers and floats of 64 bits; longer numbers are rounded to such a float first.
//! - An unquoted number also matches a string that spells one in JSON (`"2020"`, not `"007"`),
//!   and `true` the string `"True"`: values out of CSV files are all strings, and `year > 2020`
//!   should work on them. A quoted literal matches strings only: `"2020"` never equals 2020.
//! - So `date >= 2020` compares numbers and does not match the string `"2024-01-15"`: write
//!   `date >= 2020-01-01`, or quote it, `date >= "2020"`.
//!
//! Rejected: tantivy's query language and JSON fields. They guess dates, coerce numbers and
//! tokenise strings, so the same filter would have another meaning elsewhere.

mod literal;
mod parse;
mod show;

use serde_json::Value;

pub(crate) use literal::{Exact, Literal, spelled_boolean, spelled_number};
pub use parse::FilterError;

use crate::Metadata;

/// Strings in filters end here, so that an index may cut the strings it compares them with.
pub(crate) const LONGEST_TEXT: usize = 1000;
/// Paths in filters end here, in bytes, one more for each key.
pub(crate) const LONGEST_PATH: usize = 1000;

/// A filter: decides from its metadata whether a document may be returned.
///
/// ```
/// use fastlane_corpus::{Filter, Metadata};
///
/// let filter: Filter = "lang = en and year > 2020".parse()?;
/// let metadata: Metadata = serde_json::from_str(r#"{"lang": "en", "year": 2024}"#).unwrap();
/// assert!(filter.matches(&metadata));
/// assert_eq!(filter.to_string(), r#"lang = "en" and year > 2020"#);
/// # Ok::<(), fastlane_corpus::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(pub(crate) Node);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Test { path: Vec<String>, test: Test },
}

/// The test of the values at a path; `!=` is the negation of [`Test::Equal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Exists,
    Equal(Literal),
    NotEqual(Literal),
    Order(Order, Literal),
    In(Vec<Literal>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, found: std::cmp::Ordering) -> bool {
        match self {
            Order::Less => found.is_lt(),
            Order::LessOrEqual => found.is_le(),
            Order::Greater => found.is_gt(),
            Order::GreaterOrEqual => found.is_ge(),
        }
    }
}

impl Filter {
    /// The fields that it uses, each once, with a filter that passes documents with that field.
    pub fn fields(&self) -> Vec<(String, Self)> {
        let mut paths = Vec::new();
        self.0.paths(&mut paths);
        paths.sort_unstable();
        paths.dedup();
        let exists = |path: &[String]| {
            (path.join("."), Self(Node::Test { path: path.to_vec(), test: Test::Exists }))
        };
        paths.into_iter().map(exists).collect()
    }

    /// The number of comparisons, each of which is a lookup in an index; `in` with its list is one.
    pub fn comparisons(&self) -> usize {
        self.0.comparisons()
    }

    /// Whether a document with this metadata passes; every index must agree with it.
    pub fn matches(&self, metadata: &Metadata) -> bool {
        self.0.matches(metadata)
    }
}

impl Node {
    fn paths<'a>(&'a self, into: &mut Vec<&'a [String]>) {
        match self {
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| node.paths(into)),
            Node::Not(node) => node.paths(into),
            Node::Test { path, .. } => into.push(path),
        }
    }

    fn comparisons(&self) -> usize {
        match self {
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().map(Node::comparisons).sum(),
            Node::Not(node) => node.comparisons(),
            Node::Test { .. } => 1,
        }
    }

    fn matches(&self, metadata: &Metadata) -> bool {
        match self {
            Node::And(nodes) => nodes.iter().all(|node| node.matches(metadata)),
            Node::Or(nodes) => nodes.iter().any(|node| node.matches(metadata)),
            Node::Not(node) => !node.matches(metadata),
            Node::Test { path, test: Test::NotEqual(literal) } => {
                !any_below(metadata, path, &|value| literal.equals(value))
            }
            Node::Test { path, test } => any_below(metadata, path, &|value| test.holds(value)),
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Test::Exists => !value.is_null(),
            Test::Equal(literal) => literal.equals(value),
            Test::NotEqual(literal) => !literal.equals(value),
            Test::Order(order, literal) => {
                literal.compare(value).is_some_and(|found| order.holds(found))
            }
            Test::In(literals) => literals.iter().any(|literal| literal.equals(value)),
        }
    }
}

fn any_below(object: &Metadata, path: &[String], holds: &dyn Fn(&Value) -> bool) -> bool {
    let (key, rest) = path.split_first().expect("the parser gives every path a key");
    object.get(key).is_some_and(|value| any_at(value, rest, holds))
}

fn any_at(value: &Value, path: &[String], holds: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(|element| any_at(element, path, holds)),
        value if path.is_empty() => holds(value),
        Value::Object(object) => any_below(object, path, holds),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str, metadata: &str) -> bool {
        let filter: Filter = filter.parse().unwrap();
        filter.matches(&serde_json::from_str(metadata).unwrap())
    }

    #[test]
    fn comparisons_read_strings_numbers_and_booleans() {
        let metadata = r#"{"lang": "en", "year": 2020, "price": -0.5, "open": true,
            "date": "2024-01-15", "n": 9007199254740993}"#;
        for filter in [
            "lang = en",
            "lang != de",
            "year = 2020.0",
            "year >= 2020 and year <= 2020",
            "not year > 2020",
            "price < -0.4",
            "open = true",
            "open != false",
            "date > 2024-01 and date < 2024-02",
            "n != 9007199254740992",
            "lang in (de, en)",
            "lang not in (de, fr)",
        ] {
            assert!(matches(filter, metadata), "{filter}");
        }
    }

    #[test]
    fn dates_compare_as_text_and_years_as_numbers() {
        let metadata = r#"{"date": "2024-01-15", "time": "2024-01-15T00:30+02:00"}"#;
        assert!(!matches("date >= 2020", metadata));
        assert!(matches("date >= 2020-01-01 and date >= '2020'", metadata));
        assert!(matches("time > 2024-01-14T23:00Z", metadata));
        // beyond 64 bits both sides are rounded to the same float
        assert!(matches("n = 36893488147419103233", r#"{"n": 36893488147419103232}"#));
    }

    #[test]
    fn missing_and_null_values_fail_comparisons_but_differ_from_everything() {
        for metadata in ["{}", r#"{"a": null}"#, r#"{"a": []}"#, r#"{"a": [null]}"#] {
            for filter in ["a = 1", "a < 1", "a >= 1", "a in (1, 2)", "exists a", "a.b = 1"] {
                assert!(!matches(filter, metadata), "{filter} on {metadata}");
            }
            assert!(matches("a != 1", metadata), "{metadata}");
        }
    }

    #[test]
    fn arrays_match_when_any_element_does() {
        let metadata = r#"{"tag": ["a", ["b c"]], "authors": [{"name": "X"}, {"name": "Y"}]}"#;
        assert!(matches(r#"tag = "b c" and authors.name = Y"#, metadata));
        assert!(!matches("tag != a", metadata));
        assert!(matches("exists authors and exists authors.name", metadata));
    }

    #[test]
    fn keys_with_dots_and_spaces_are_quoted() {
        let metadata = r#"{"a.b": 1, "key with space": {"c": 2}}"#;
        assert!(matches(r#""a.b" = 1 and "key with space".c = 2"#, metadata));
        assert!(!matches("a.b = 1", metadata));
    }

    #[test]
    fn fields_are_named_once() {
        let filter: Filter = "b.c = 1 or not (a > 2 and b.c in (3)) or exists a".parse().unwrap();
        let shown = |(field, exists): (String, Filter)| format!("{field}: {exists}");
        let fields: Vec<String> = filter.fields().into_iter().map(shown).collect();
        assert_eq!(fields, ["a: exists a", "b.c: exists b.c"]);
    }

    #[test]
    fn unquoted_numbers_and_booleans_match_the_strings_that_spell_them() {
        let metadata = r#"{"year": "2020", "zip": "007", "open": "True"}"#;
        for filter in ["year = 2020", "year < 2021", "year = '2020'", "zip = '007'", "open = true"]
        {
            assert!(matches(filter, metadata), "{filter}");
        }
        assert!(!matches("zip = 7", metadata));
        assert!(!matches(r#"year = "2020""#, r#"{"year": 2020}"#));
        assert!(!matches("year > 'a'", r#"{"year": 2020}"#));
    }
}
