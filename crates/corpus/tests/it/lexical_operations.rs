//! After any history of writes, an index answers like one built afresh from what survived.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use fastlane_corpus::{
    Analyzer, Document, Filter, Hit, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter,
};
use proptest::prelude::*;

const SETTINGS: LexicalSettings = LexicalSettings { analyzer: Analyzer::Plain };

#[derive(Debug, Clone)]
enum Operation {
    Add(Document),
    Replace(Document),
    Delete(String),
    Commit,
    Reopen(NonZero<usize>),
}

type Survivors = BTreeMap<String, Document>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_history_ends_in_what_survived(history in prop::collection::vec(operation(), 1..60)) {
        let directory = tempfile::tempdir().unwrap();
        let survivors = replay(&history, directory.path());
        let fresh = tempfile::tempdir().unwrap();
        let mut writer = LexicalWriter::create(fresh.path(), SETTINGS, NonZero::<usize>::MIN).unwrap();
        survivors.values().for_each(|document| writer.add(document).unwrap());
        writer.finish().unwrap();

        let reader = LexicalReader::open(directory.path()).unwrap();
        let fresh = LexicalReader::open(fresh.path()).unwrap();
        prop_assert_eq!(reader.len(), survivors.len() as u64);
        prop_assert_eq!(answers(&reader), answers(&fresh));
        for id in (0..20).map(|id| id.to_string()) {
            prop_assert_eq!(reader.get(&id).unwrap(), survivors.get(&id).cloned());
        }
        let filter: Filter = "even = true".parse().unwrap();
        let expected: Vec<&str> = survivors
            .iter()
            .filter(|(_, document)| filter.matches(&document.metadata))
            .map(|(id, _)| id.as_str())
            .collect();
        prop_assert_eq!(reader.matching(&filter).unwrap(), expected);
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => document().prop_map(Operation::Add),
        2 => document().prop_map(Operation::Replace),
        2 => (0..20_u8).prop_map(|id| Operation::Delete(id.to_string())),
        2 => Just(Operation::Commit),
        1 => (1_usize..3).prop_map(|threads| Operation::Reopen(NonZero::new(threads).unwrap())),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    (0..20_u8, "[abcde]( [abcde]){0,60}").prop_map(|(id, text)| Document {
        id: id.to_string(),
        text,
        metadata: [("even".to_owned(), (id % 2 == 0).into())].into_iter().collect(),
        ..Default::default()
    })
}

fn replay(history: &[Operation], path: &Path) -> Survivors {
    let mut writer = Some(LexicalWriter::create(path, SETTINGS, NonZero::<usize>::MIN).unwrap());
    let (mut committed, mut pending) = (Survivors::new(), Survivors::new());
    for operation in history {
        let open = writer.as_mut().expect("a writer is open between operations");
        match operation {
            Operation::Add(document) => {
                let is_new = !pending.contains_key(&document.id);
                assert_eq!(open.add(document).is_ok(), is_new, "{}", document.id);
                pending.entry(document.id.clone()).or_insert_with(|| document.clone());
            }
            Operation::Replace(document) => {
                open.replace(document).unwrap();
                pending.insert(document.id.clone(), document.clone());
            }
            Operation::Delete(id) => {
                open.delete(id);
                pending.remove(id);
            }
            Operation::Commit => {
                open.commit().unwrap();
                committed = pending.clone();
            }
            Operation::Reopen(threads) => {
                drop(writer.take());
                writer = Some(LexicalWriter::open(path, *threads).unwrap());
                pending = committed.clone();
            }
        }
    }
    // not `finish`: what deletions leave behind stays in the segments
    writer.expect("a writer is open at the end").commit().unwrap();
    pending
}

fn answers(reader: &LexicalReader) -> Vec<Vec<Hit>> {
    let queries = ["a", "b", "a b", "a b c d e", "e e d", "z a"];
    let search = |query: &&str, k, filter: Option<&str>| {
        let filter = filter.map(|filter| filter.parse().unwrap());
        let search = LexicalSearch { k, filter, ..Default::default() };
        let hits = reader.search(query, &search).unwrap();
        assert_eq!(hits, reader.search_exhaustively(query, &search).unwrap());
        hits
    };
    queries
        .iter()
        .flat_map(|query| [search(query, 3, None), search(query, 100, Some("even = true"))])
        .collect()
}
/// A writer that went away while its segments merged could still save their list, and delete
/// the old ones, after the next writer had read it.
#[test]
fn a_writer_opened_after_another_finds_all_its_segments() {
    for pause in (0..20).map(Duration::from_millis) {
        let directory = tempfile::tempdir().unwrap();
        let mut writer =
            LexicalWriter::create(directory.path(), SETTINGS, NonZero::<usize>::MIN).unwrap();
        // eight segments of one size start a merge
        for id in (0..8).map(|id| id.to_string()) {
            writer.add(&Document { id, ..Default::default() }).unwrap();
            writer.commit().unwrap();
        }
        std::thread::sleep(pause);
        drop(writer);
        let mut writer = LexicalWriter::open(directory.path(), NonZero::<usize>::MIN).unwrap();
        writer.delete("3");
        writer.commit().unwrap();
        assert_eq!(LexicalReader::open(directory.path()).unwrap().len(), 7);
    }
}
