//! What a lexical index promises: scores, order, documents given back, and clear errors.

use std::fs;
use std::io::Write as _;
use std::num::NonZero;
use std::path::Path;

use fastlane_corpus::{
    Analyzer, Bm25, Document, Filter, Hit, LexicalReader, LexicalSearch, LexicalSearchError,
    LexicalSettings, LexicalWriter,
};
use tempfile::TempDir;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;

fn document(id: &str, text: &str) -> Document {
    Document { id: id.to_owned(), text: text.to_owned(), ..Default::default() }
}

fn with_metadata(id: &str, text: &str, metadata: &str) -> Document {
    Document { metadata: serde_json::from_str(metadata).unwrap(), ..document(id, text) }
}

fn create(directory: &TempDir, analyzer: Analyzer, threads: usize) -> LexicalWriter {
    let threads = NonZero::new(threads).unwrap();
    LexicalWriter::create(directory.path(), LexicalSettings { analyzer }, threads).unwrap()
}

fn index_of(documents: &[Document], analyzer: Analyzer) -> (TempDir, LexicalReader) {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = create(&directory, analyzer, 1);
    documents.iter().for_each(|document| writer.add(document).unwrap());
    writer.finish().unwrap();
    let reader = LexicalReader::open(directory.path()).unwrap();
    (directory, reader)
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.id.as_str()).collect()
}

fn filtered(filter: &str) -> LexicalSearch {
    LexicalSearch { filter: Some(filter.parse().unwrap()), ..Default::default() }
}

#[test]
fn scores_are_those_worked_by_hand() {
    let documents = [
        document("d1", "apple pear"),
        document("d2", "apple apple fig fig"),
        document("d3", "pear"),
    ];
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let search = |query: &str, k1, b| {
        let bm25 = Bm25::new(k1, b).unwrap();
        let hits = reader.search(query, &LexicalSearch { bm25, ..Default::default() }).unwrap();
        hits.iter().map(|hit| format!("{} {:.4}", hit.id, hit.score)).collect::<Vec<_>>()
    };
    // N = 3, df(apple) = 2: idf = ln(1 + 1.5 / 2.5) = 0.47000; lengths 2, 4, 1: avg = 7/3
    // d1: K = 0.9 (0.6 + 0.4 · 2 · 3/7) = 0.84857, 0.47000 · 1 / 1.84857 = 0.2543
    // d2: K = 0.9 (0.6 + 0.4 · 4 · 3/7) = 1.15714, 0.47000 · 2 / 3.15714 = 0.2977
    assert_eq!(search("apple", 0.9, 0.4), ["d2 0.2977", "d1 0.2543"]);
    assert_eq!(search("Apple, apple!", 0.9, 0.4), ["d2 0.5955", "d1 0.5085"]);
    // fig: df = 1, idf = ln(1 + 2.5 / 1.5) = 0.98083; 0.98083 · 0.63348 + 0.2977 = 0.9191
    assert_eq!(search("fig apple", 0.9, 0.4), ["d2 0.9191", "d1 0.2543"]);
    // k1 = 0: a word counts once, so equal scores rank by falling id
    assert_eq!(search("apple", 0.0, 0.4), ["d2 0.4700", "d1 0.4700"]);
    // b = 0: K = 0.9 for all; 1 / 1.9 and 2 / 2.9
    assert_eq!(search("apple", 0.9, 0.0), ["d2 0.3241", "d1 0.2474"]);
}

#[test]
fn queries_without_indexed_words_find_nothing() {
    let (_directory, reader) = index_of(&[document("a", "the cat")], Analyzer::English);
    for query in ["", "  ", "the", "?! …", "dog"] {
        assert!(reader.search(query, &LexicalSearch::default()).unwrap().is_empty(), "{query}");
    }
    let none = LexicalSearch { k: 0, ..Default::default() };
    assert!(reader.search("cat", &none).unwrap().is_empty());
    let (_directory, empty) = index_of(&[], Analyzer::English);
    assert!(empty.is_empty() && empty.search("cat", &LexicalSearch::default()).unwrap().is_empty());
    let (_directory, blank) = index_of(&[document("", "")], Analyzer::English);
    assert_eq!((blank.len(), blank.get("").unwrap().unwrap()), (1, document("", "")));
}

#[test]
fn title_and_text_are_one_field_in_any_script() {
    let documents = [
        Document { title: "Čapek".into(), ..document("č", "R.U.R. — 1920") },
        document("東", "東京の café"),
    ];
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let found = |query: &str| reader.search(query, &LexicalSearch::default()).unwrap().len();
    assert_eq!(
        [found("ČAPEK"), found("1920"), found("京"), found("CAFÉ"), found("cafe")],
        [1, 1, 1, 1, 0]
    );
}

#[test]
fn documents_come_back_exactly() {
    let metadata = r#"{"f": 0.1, "tiny": 5e-324, "n": 18446744073709551615, "neg": -9223372036854775808,
        "third": 0.3333333333333333, "nested": {"a.b": [null, true, "ü\u0000\n"]}, "": []}"#;
    let document =
        Document { title: "T\u{0}itle ".into(), ..with_metadata("id 1", " x\r\n", metadata) };
    let (_directory, reader) = index_of(std::slice::from_ref(&document), Analyzer::English);
    assert_eq!(reader.get("id 1").unwrap().unwrap(), document);
    assert_eq!(reader.get("id").unwrap(), None);
}

#[test]
fn filters_narrow_searches_and_list_documents() {
    let documents = [
        with_metadata("a", "word", r#"{"lang": "en", "year": 2021}"#),
        with_metadata("b", "word word", r#"{"lang": "de", "year": "2022"}"#),
        with_metadata("c", "word", r#"{"lang": ["en", "de"]}"#),
    ];
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let found = |filter: &str| {
        let hits = reader.search("word", &filtered(filter)).unwrap();
        ids(&hits).join(" ")
    };
    assert_eq!(found("lang = de"), "b c");
    assert_eq!(found("year > 2020"), "b a");
    assert_eq!(found("not exists year"), "c");
    assert_eq!(found("lang = fr"), "");
    let filter: Filter = "year != 2022".parse().unwrap();
    assert_eq!(reader.matching(&filter).unwrap(), ["a", "c"]);
}

#[test]
fn many_queries_are_answered_in_order() {
    let documents = [document("a", "one two"), document("b", "two"), document("c", "three")];
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let queries = ["three", "one", "nothing", "two"];
    let search = LexicalSearch::default();
    let found = reader.search_many(&queries, &search, NonZero::new(3).unwrap()).unwrap();
    let found: Vec<_> = found.iter().map(|hits| ids(hits)).collect();
    assert_eq!(found, [vec!["c"], vec!["a"], vec![], vec!["b", "a"]]);
}

#[test]
fn results_do_not_depend_on_threads_or_segments() {
    let documents: Vec<Document> =
        (0..3000).map(|n| document(&format!("{}", n * 7919 % 3000), words_of(n))).collect();
    let build = |threads, commit_every: usize| {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = create(&directory, Analyzer::Plain, threads);
        for (place, document) in documents.iter().enumerate() {
            writer.add(document).unwrap();
            if place % commit_every == commit_every - 1 {
                writer.commit().unwrap();
            }
        }
        writer.finish().unwrap();
        let reader = LexicalReader::open(directory.path()).unwrap();
        let search = LexicalSearch { k: 20, ..Default::default() };
        ["a", "b c", "a b c d", "d e"].map(|query| reader.search(query, &search).unwrap())
    };
    let expected = build(1, 3000);
    assert_eq!(build(3, 3000), expected);
    assert_eq!(build(2, 700), expected);
}

#[test]
fn a_search_for_few_hits_finds_the_first_of_those_for_many() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = create(&directory, Analyzer::Plain, 1);
    for n in 0..500 {
        writer.add(&document(&format!("d{}", n * 379 % 500), words_of(n % 2))).unwrap();
        if n % 70 == 69 {
            writer.commit().unwrap();
        }
    }
    // not `finish`: the segments stay apart
    writer.commit().unwrap();
    let reader = LexicalReader::open(directory.path()).unwrap();
    let hits = |k| reader.search("a", &LexicalSearch { k, ..Default::default() }).unwrap();
    let all = hits(1000);
    assert_eq!(all.len(), 500);
    // as trec_eval sorts a run: by score, then by the bytes of the id, both falling
    let mut judged = all.clone();
    judged.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.id.cmp(&a.id)));
    assert_eq!(all, judged);
    assert_eq!(ids(&all[..3]), ["d98", "d96", "d94"]);
    for k in [1, 10, 69, 71, 249, 250, 251, 499] {
        assert_eq!(hits(k), all[..k], "{k}");
    }
}

/// Few different texts, so that many scores are equal.
fn words_of(n: usize) -> &'static str {
    ["a", "a b", "b c", "c d a", "d", "a a b", "e"][n % 7]
}

#[test]
fn max_score_equals_the_exhaustive_way_on_many_windows() {
    // a word's share of documents falls from all of them to one in 2^12
    let text = |n: u32| {
        let words = (0..13).filter(|word| n.is_multiple_of(1 << word));
        words.map(|word| format!("w{word} ").repeat(1 + (n as usize / 3) % 3)).collect::<String>()
    };
    let documents: Vec<Document> = (0..20_000_u32)
        .map(|n| with_metadata(&format!("{n}"), &text(n), &format!("{{\"n\": {n}}}")))
        .collect();
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    for query in ["w0 w12", "w0 w1 w2 w11", "w0 w0 w0 w7", "w3 w5 w7 w9 w11", "w0"] {
        for (k, filter) in [
            (1, "n >= 0"),
            (20, "n >= 0"),
            (10, "n < 5000"),
            (100, "not n < 19000"),
            (10, "n = 8192"),
        ] {
            // with k1 = 0 each word earns its whole weight, so scores equal their bounds
            for bm25 in [Bm25::default(), Bm25::new(0.0, 0.0).unwrap()] {
                let search = LexicalSearch { k, bm25, ..filtered(filter) };
                let expected = reader.search_exhaustively(query, &search).unwrap();
                assert_eq!(reader.search(query, &search).unwrap(), expected, "{query} {search:?}");
            }
        }
    }
}

#[test]
fn an_id_given_twice_is_refused_until_it_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = create(&directory, Analyzer::Plain, 2);
    writer.add(&document("a", "one")).unwrap();
    let error = writer.add(&document("a", "two")).unwrap_err();
    insta::assert_snapshot!(error, @"document `a` is already in the index");
    insta::assert_snapshot!(error.hint().unwrap(), @"give each document its own id, or replace it");
    writer.commit().unwrap();
    assert!(writer.add(&document("a", "two")).is_err());
    writer.delete("a");
    writer.add(&document("a", "three")).unwrap();
    writer.replace(&document("a", "four")).unwrap();
    writer.finish().unwrap();
    let reader = LexicalReader::open(directory.path()).unwrap();
    assert_eq!((reader.len(), reader.get("a").unwrap().unwrap()), (1, document("a", "four")));
    let mut writer = LexicalWriter::open(directory.path(), ONE).unwrap();
    let error = writer.add(&document(&"x".repeat(70_000), "")).unwrap_err();
    insta::assert_snapshot!(error, @"document id `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` has 70000 bytes, wanted at most 65530");
}

#[test]
fn what_is_not_committed_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = create(&directory, Analyzer::English, 1);
    assert!(LexicalReader::open(directory.path()).unwrap().is_empty());
    writer.add(&document("a", "one")).unwrap();
    writer.commit().unwrap();
    let before = LexicalReader::open(directory.path()).unwrap();
    writer.add(&document("b", "one")).unwrap();
    writer.delete("a");
    drop(writer);
    let after = LexicalReader::open(directory.path()).unwrap();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_eq!(after.settings(), LexicalSettings { analyzer: Analyzer::English });
    assert!(after.get("a").unwrap().is_some() && after.get("b").unwrap().is_none());
}

#[test]
fn opening_what_is_no_index_says_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let said = || {
        let error = LexicalReader::open(directory.path()).err().unwrap();
        let hint = error.hint().unwrap();
        format!("{error}\n{hint}").replace(&directory.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(said(), @r"
    no lexical index in `DIR`
    create the index first, or check the path
    ");

    drop(create(&directory, Analyzer::English, 1));
    let again = LexicalWriter::create(directory.path(), LexicalSettings::default(), ONE);
    assert!(again.err().unwrap().to_string().starts_with("a lexical index is already in"));

    let meta = directory.path().join("meta.json");
    let sound = fs::read_to_string(&meta).unwrap();
    overwrite(&meta, &sound.replace("fastlane-1-", "fastlane-2-"));
    insta::assert_snapshot!(said(), @r"
    lexical index in `DIR` has format 2, this build reads 1
    a newer version of fastlane made it: use that version, or build it again
    ");
    overwrite(&meta, &sound.replace("fastlane-1-english", "default"));
    insta::assert_snapshot!(said(), @r"
    the index in `DIR` was not made by fastlane
    choose another directory
    ");
    overwrite(&meta, &sound[..sound.len() / 2]);
    insta::assert_snapshot!(said(), @r"
    the lexical index in `DIR` is damaged
    build the index again
    ");
}

#[test]
fn missing_and_cut_files_are_damage() {
    for cut in [0, 10] {
        let (directory, reader) = index_of(&[document("a", "one")], Analyzer::English);
        drop(reader);
        let term = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        let term = term.into_iter().find(|path| path.extension().is_some_and(|end| end == "term"));
        fs::OpenOptions::new().write(true).open(term.unwrap()).unwrap().set_len(cut).unwrap();
        let error = LexicalReader::open(directory.path()).err().unwrap();
        assert!(error.to_string().starts_with("the lexical index in"), "{error}");
        assert!(error.to_string().ends_with("is damaged"), "{error}");
    }
}

#[test]
fn two_writers_are_not_let_in() {
    let directory = tempfile::tempdir().unwrap();
    let _writer = create(&directory, Analyzer::English, 1);
    let error = LexicalWriter::open(directory.path(), ONE).err().unwrap();
    assert!(error.to_string().ends_with("is being written"), "{error}");
}

fn overwrite(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn defect_s1_comparisons_are_counted_and_equal_ones_are_looked_up_once() {
    let count = |filter: &str| filter.parse::<Filter>().unwrap().comparisons();
    assert_eq!(count("a = 1"), 1);
    assert_eq!(count("a in (1, 2, 3)"), 1);
    assert_eq!(count("not (a = 1 and exists b) or a = 1"), 3);
    let documents: Vec<Document> = (0..500)
        .map(|n| with_metadata(&format!("d{n}"), "x", &format!("{{\"n\": {n}}}")))
        .collect();
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let asked = std::cell::Cell::new(0);
    let evaluate = |filter: &str| {
        asked.set(0);
        let filter = filter.parse().unwrap();
        let passing = reader.passing(&filter, &|| {
            asked.set(asked.get() + 1);
            true
        });
        (reader.ids_of(&passing.unwrap()).unwrap().len(), asked.get())
    };
    let once = evaluate("n > 99");
    assert!(once.0 == 400 && once.1 > 5, "it looks between the lists of a range: {once:?}");
    assert_eq!(evaluate(&["n > 99"; 100].join(" or ")), once);
    assert_eq!(
        evaluate(&["n > 99", "not n <= 99"].map(|it| [it; 9].join(" and ")).join(" and ")).0,
        400
    );
    assert_eq!(evaluate("n in (7, 7, 7, 7, 8)"), evaluate("n in (7, 8)"));
}

#[test]
fn defect_s1_filters_and_words_stop_when_they_are_asked_to() {
    let documents: Vec<Document> = (0..500)
        .map(|n| with_metadata(&format!("d{n}"), "x y", &format!("{{\"n\": {n}}}")))
        .collect();
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let filter: Filter = "n >= 0".parse().unwrap();
    let stopped = |times: usize| {
        let left = std::cell::Cell::new(times);
        let go_on = || left.replace(left.get().saturating_sub(1)) > 0;
        reader.passing(&filter, &go_on).unwrap_err()
    };
    for times in [0, 1, 5] {
        assert!(matches!(stopped(times), LexicalSearchError::Stopped), "{times}");
    }
    let search = LexicalSearch::default();
    let error = reader.search_passing("x y", &search, None, &|| false).unwrap_err();
    assert!(matches!(error, LexicalSearchError::Stopped));
}

#[test]
fn defect_s1_a_set_of_documents_is_used_by_its_own_reader_only() {
    let documents: Vec<Document> =
        (0..9).map(|n| with_metadata(&format!("d{n}"), "x", &format!("{{\"n\": {n}}}"))).collect();
    let (_directory, reader) = index_of(&documents, Analyzer::Plain);
    let filter: Filter = "n > 5".parse().unwrap();
    let passing = reader.passing(&filter, &|| true).unwrap();
    let search = LexicalSearch::default();
    let found = reader.search_passing("x", &search, Some(&passing), &|| true).unwrap();
    assert_eq!(found, reader.search("x", &filtered("n > 5")).unwrap());
    let (_directory, other) = index_of(&documents[..3], Analyzer::Plain);
    let error = other.search_passing("x", &search, Some(&passing), &|| true).unwrap_err();
    assert!(matches!(error, LexicalSearchError::OtherCommit));
    assert!(matches!(other.ids_of(&passing), Err(LexicalSearchError::OtherCommit)));
}
