//! A filter means the same on one document and in an index, and its print parses back.

use std::num::NonZero;

use fastlane_corpus::{Document, Filter, LexicalReader, LexicalSettings, LexicalWriter, Metadata};
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_index_selects_what_matches(
        metadata in prop::collection::vec(metadata(), 1..40),
        filters in prop::collection::vec(filter(), 40),
    ) {
        let documents: Vec<Document> = metadata
            .into_iter()
            .enumerate()
            .map(|(id, metadata)| Document { id: format!("{id:03}"), metadata, ..Default::default() })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let threads = NonZero::<usize>::MIN;
        let mut writer =
            LexicalWriter::create(directory.path(), LexicalSettings::default(), threads).unwrap();
        documents.iter().for_each(|document| writer.add(document).unwrap());
        writer.finish().unwrap();
        let reader = LexicalReader::open(directory.path()).unwrap();
        for filter in filters {
            let expected: Vec<&str> = documents
                .iter()
                .filter(|document| filter.matches(&document.metadata))
                .map(|document| document.id.as_str())
                .collect();
            prop_assert_eq!(reader.matching(&filter).unwrap(), expected, "{}", filter);
        }
    }

    #[test]
    fn a_print_parses_back(filter in filter()) {
        prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
    }

    #[test]
    fn no_text_panics(text in "[ab.\"'\\\\()=!<>,0-9 ]{0,20}|.{0,20}|(not |\\(|a=1 |and |or |in ){0,9}") {
        if let Ok(filter) = text.parse::<Filter>() {
            prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
        }
    }
}

const KEYS: [&str; 7] = ["a", "b", "a.b", "key x", "ü", "", "\u{2}"];
const TEXTS: [&str; 14] = [
    "",
    "en",
    "EN",
    "true",
    "False",
    "2020",
    "2020.0",
    "-1",
    "007",
    "1e3",
    "2024-01-15",
    "2024-01-15T00:00:00Z",
    "b \"c\" \\",
    "東京",
];
const NUMBERS: [&str; 12] = [
    "0",
    "-0.0",
    "1",
    "-1",
    "2020",
    "2020.0",
    "1000",
    "0.5",
    "9007199254740992",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
];

fn metadata() -> impl Strategy<Value = Metadata> {
    prop::collection::vec((prop::sample::select(&KEYS[..]), value()), 0..5).prop_map(|entries| {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(&NUMBERS[..]).prop_map(|number| serde_json::from_str(number).unwrap()),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        (990_usize..1100).prop_map(|length| Value::from("x".repeat(length))),
        any::<f64>()
            .prop_filter("json has no others", |float| float.is_finite())
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(&KEYS[..]), inner), 0..3).prop_map(
                |entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            ),
        ]
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    filter_text().prop_map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn filter_text() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(&["=", "!=", "<", "<=", ">", ">="][..]);
    let equality = prop::sample::select(&["=", "!="][..]);
    let test = prop_oneof![
        path().prop_map(|path| format!("exists {path}")),
        (path(), sign, ordered())
            .prop_map(|(path, sign, literal)| format!("{path} {sign} {literal}")),
        (path(), equality, any::<bool>())
            .prop_map(|(path, sign, is)| format!("{path} {sign} {is}")),
        (path(), prop::collection::vec(ordered(), 1..4))
            .prop_map(|(path, literals)| format!("{path} in ({})", literals.join(", "))),
    ];
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|filter| format!("not ({filter})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} or ({b})")),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    let key = prop::sample::select(&KEYS[..]).prop_map(quoted);
    prop::collection::vec(key, 1..4).prop_map(|keys| keys.join("."))
}

fn ordered() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&NUMBERS[..]).prop_map(str::to_owned),
        prop::sample::select(&TEXTS[..]).prop_map(quoted),
        (985_usize..1000).prop_map(|length| "x".repeat(length)),
    ]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn dates_and_numbers_in_strings_stay_strings() {
    let metadata = json!({"date": "2024-01-15T10:00:00+02:00", "code": "1e3"});
    let matches =
        |filter: &str| filter.parse::<Filter>().unwrap().matches(metadata.as_object().unwrap());
    assert!(matches("date = '2024-01-15T10:00:00+02:00'"));
    assert!(!matches("date = '2024-01-15T08:00:00Z'"));
    assert!(matches("code = '1e3' and code = 1000 and code != '1000'"));
}
