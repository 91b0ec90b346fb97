//! Concurrent readers and writers, and all behaviour that is defined for odd input.

use std::num::NonZero;

use super::{DIM, THOROUGH, found, index_settings, lane, open, settings, views};
use crate::encoder::Lane;
use crate::{
    IndexSettings, Nominate, OpenIndexError, Reader, Reduction, Request, Rerank, SearchError,
    Store, TokenMatrix, WriteIndexError, Writer, WriterSettings,
};

fn one(values: [f32; DIM]) -> TokenMatrix {
    TokenMatrix::new(DIM, values.to_vec())
}

fn unit(place: usize) -> TokenMatrix {
    let mut values = [0.0; DIM];
    values[place] = 1.0;
    one(values)
}

#[test]
fn scores_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    let values = [unit(0).values(), unit(1).values()].concat();
    writer.add("both", &TokenMatrix::new(DIM, values), None).unwrap();
    writer.add("first", &one([2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), None).unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let (x, y) = (unit(0), unit(1));
    let lanes = [
        Lane { token: 4, weight: 0.25, view: x.row(0) },
        Lane { token: 2, weight: 0.75, view: y.row(0) },
    ];
    // 0.25 * 1 + 0.75 * 1 against 0.25 * 2
    let hits = reader.search(&Request::new(&lanes, 10)).unwrap();
    let told: Vec<_> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
    assert_eq!(told, [("both", 1.0), ("first", 0.5)]);
    let pairs: Vec<_> = hits[0].pairs.iter().map(|pair| (pair.query, pair.view)).collect();
    assert_eq!(pairs, [(4, 0), (2, 1)]);

    let query = TokenMatrix::new(DIM, [x.values(), y.values(), y.values()].concat());
    let hits = reader.search(&Request::sum_max(&query, 1)).unwrap();
    assert_eq!((hits[0].id, hits[0].score, hits.len()), ("both", 3.0, 1));
    let weights = Some([1.0, 0.0, 0.0].as_slice());
    let rerank = Some(Rerank { query: &query, weights, documents: 2 });
    let hits = reader.search(&Request { rerank, ..Request::new(&lanes[1..], 1) }).unwrap();
    assert_eq!((hits[0].id, hits[0].score), ("first", 2.0));
}

#[test]
fn token_views_score_and_lane_views_nominate() {
    // views of one direction have the same relative error, so their order is kept
    for (store, near) in [(Store::F16, 0.0), (Store::Bits8, 0.01), (Store::Bits4, 0.1)] {
        compare_two_sets(store, near);
    }
}

fn compare_two_sets(store: Store, near: f32) {
    let directory = tempfile::tempdir().unwrap();
    let index = IndexSettings { token_dim: Some(16), store, ..index_settings() };
    let mut writer = Writer::open(directory.path(), &index, settings()).unwrap();
    let tokens = |value: f32| TokenMatrix::new(16, vec![value; 32]);
    for document in 0..30 {
        let id = format!("d{document}");
        writer.add(&id, &views(document, 2), Some(&tokens(document as f32))).unwrap();
    }
    let missing = writer.add("x", &views(1, 1), None).unwrap_err();
    assert!(matches!(missing, WriteIndexError::Sets { found: "without", wanted: "with", .. }));
    writer.commit().unwrap();
    writer.compact().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let (query, lane_view) = (tokens(0.5), views(3, 1));
    let lanes = [lane(lane_view.row(0))];
    let rerank = Some(Rerank { query: &query, weights: None, documents: 30 });
    let hits = reader.search(&Request { rerank, ..Request::new(&lanes, 2) }).unwrap();
    // two tokens of sixteen products 0.5 * 29
    assert_eq!(hits[0].id, "d29");
    assert!((hits[0].score / 464.0 - 1.0).abs() <= near, "{store}: {}", hits[0].score);
    assert_eq!(reader.statistics().token_views, 60);
    assert!(reader.statistics().lists > 0);
}

#[test]
fn a_reader_stays_until_it_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut writer = open(path);
    writer.add("old", &unit(0), None).unwrap();
    writer.commit().unwrap();
    let mut reader = Reader::open(path).unwrap();
    let files = || std::fs::read_dir(path).unwrap().count();
    let before = files();

    writer.add("new", &unit(0), None).unwrap();
    writer.delete("old").unwrap();
    writer.commit().unwrap();
    let query = unit(0);
    assert_eq!(found(&reader, query.row(0), 9, Nominate::Auto), [("old".to_owned(), 1.0)]);
    assert!(files() > before, "the reader's files stay");
    assert!(reader.refresh().unwrap() && !reader.refresh().unwrap());
    assert_eq!(found(&reader, query.row(0), 9, Nominate::Auto), [("new".to_owned(), 1.0)]);
    drop(writer);
    drop(open(path));
    assert_eq!(files(), before, "and go when no reader has them");
}

#[test]
fn one_writer_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let writer = open(directory.path());
    let second = Writer::open(directory.path(), &index_settings(), settings()).unwrap_err();
    assert!(matches!(second, OpenIndexError::Locked { .. }));
    drop(writer);
    drop(open(directory.path()));
}

#[test]
fn nothing_to_commit_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    assert_eq!(writer.commit().unwrap(), 1);
    assert_eq!(writer.commit().unwrap(), 1);
    writer.delete("nobody").unwrap();
    assert_eq!(writer.commit().unwrap(), 1);
    writer.add("a", &unit(0), None).unwrap();
    assert_eq!(writer.commit().unwrap(), 2);
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!((reader.generation(), reader.statistics().documents), (2, 1));
}

#[test]
fn other_settings_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let open = |index: &IndexSettings| Writer::open(path, index, settings()).map(|_| ());
    let dim = |dim| IndexSettings { dim, ..index_settings() };
    for odd in [0, 4, 12, 1032] {
        assert!(matches!(open(&dim(odd)), Err(OpenIndexError::Dim { found }) if found == odd));
    }
    super::open(path).commit().unwrap();
    let other = IndexSettings { model: "another".to_owned(), ..index_settings() };
    let tokens = IndexSettings { token_dim: Some(8), ..index_settings() };
    let smaller = IndexSettings { store: Store::Bits4, ..index_settings() };
    for wrong in [dim(16), tokens, smaller] {
        assert!(matches!(open(&wrong), Err(OpenIndexError::Other { .. })), "{wrong:?}");
    }
    let error = open(&other).unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("--model")));
    assert!(error.to_string().ends_with("has views of model test, wanted another"), "{error}");
    open(&index_settings()).unwrap();
    assert!(Writer::open_existing(path, settings()).is_ok());
    let none = tempfile::tempdir().unwrap();
    let absent = Writer::open_existing(none.path(), settings()).unwrap_err();
    assert!(matches!(absent, OpenIndexError::Absent { .. }));
}

#[test]
fn odd_documents_have_defined_results() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    let refused = |result: Result<(), WriteIndexError>| result.unwrap_err().to_string();
    assert_eq!(refused(writer.add("", &unit(0), None)), "a document has an empty id");
    let long = "x".repeat(65_536);
    assert!(refused(writer.add(&long, &unit(0), None)).contains("has 65536 bytes, wanted at most"));
    let wide = TokenMatrix::new(16, vec![0.0; 16]);
    assert!(refused(writer.add("a", &wide, None)).contains("views of 16 values, wanted 8"));
    for value in [f32::NAN, f32::INFINITY, 70_000.0] {
        let views = one([0.0, value, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(refused(writer.add("a", &views, None)).contains("in view 0"), "{value}");
    }
    // none of these errors ended the writer
    writer.add(&long[1..], &unit(1), None).unwrap();
    writer.add("empty", &TokenMatrix::new(DIM, Vec::new()), None).unwrap();
    writer.add("zero", &one([0.0; DIM]), None).unwrap();
    writer.add("twice", &unit(0), None).unwrap();
    writer.add("twice", &unit(2), None).unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.statistics().documents, 4);
    assert!(reader.contains("empty") && reader.contains(&long[1..]));
    let query = unit(2);
    let all = found(&reader, query.row(0), 100, Nominate::Auto);
    let told: Vec<_> = all.iter().map(|(id, score)| (&id[..4], *score)).collect();
    assert_eq!(told, [("twic", 1.0), ("zero", 0.0), ("xxxx", 0.0)]);
    assert_eq!(found(&reader, query.row(0), 0, Nominate::Auto), []);
}

#[test]
fn a_document_of_100_000_views_is_one_document() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    writer.add("long", &views(1, 100_000), None).unwrap();
    (0..9).for_each(|one| writer.add(&format!("d{one}"), &views(one, 1), None).unwrap());
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let query = views(77, 1);
    let all = found(&reader, query.row(0), 10, Nominate::Auto);
    assert_eq!(all.len(), 10);
    assert_eq!(all, found(&reader, query.row(0), 10, Nominate::Scan));
}

#[test]
fn odd_queries_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    writer.add("a", &unit(0), None).unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let search = |view: &[f32]| reader.search(&Request::new(&[lane(view)], 1)).map(|_| ());
    assert!(matches!(search(&[0.0; 16]), Err(SearchError::Dim { found: 16, wanted: 8, .. })));
    assert!(matches!(search(&[f32::NAN; 8]), Err(SearchError::Value { .. })));
    let query = unit(0);
    let rerank = Some(Rerank { query: &query, weights: Some(&[1.0, 2.0]), documents: 5 });
    let error = reader.search(&Request { rerank, ..Request::new(&[], 1) }).unwrap_err();
    assert!(matches!(error, SearchError::Weights { found: 2, wanted: 1 }));
    assert_eq!(reader.search(&Request::new(&[], 1)).unwrap(), []);
    let set = reader.select(["a"]);
    writer.add("b", &unit(0), None).unwrap();
    writer.commit().unwrap();
    let newer = Reader::open(directory.path()).unwrap();
    let view = unit(0);
    let lanes = [lane(view.row(0))];
    let request = Request { filter: Some(&set), ..Request::new(&lanes, 1) };
    let error = newer.search(&request).unwrap_err();
    assert!(matches!(error, SearchError::Filter { found: 1, wanted: 2 }));
}

#[test]
fn filters_are_exact_whatever_they_leave() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..300).for_each(|one| writer.add(&format!("d{one}"), &views(one, 4), None).unwrap());
    writer.commit().unwrap();
    writer.delete("d5").unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let query = views(1_000, 1);
    let lanes = [lane(query.row(0))];
    let all = found(&reader, query.row(0), 300, Nominate::Scan);
    assert_eq!(all.len(), 299);
    for step in [1, 2, 100] {
        let wanted = |id: &str| id[1..].parse::<usize>().unwrap() % step == 0;
        let set = reader.select_where(wanted);
        let expected: Vec<&str> =
            all.iter().map(|(id, _)| id.as_str()).filter(|id| wanted(id)).take(5).collect();
        for nominate in [Nominate::Auto, THOROUGH, Nominate::Scan] {
            let request = Request { filter: Some(&set), nominate, ..Request::new(&lanes, 5) };
            let hits = reader.search(&request).unwrap();
            let ids: Vec<&str> = hits.iter().map(|hit| hit.id).collect();
            assert_eq!(ids, expected, "{step} {nominate:?}");
        }
    }
    let none = reader.select(["d5", "nobody"]);
    assert!(none.is_empty());
    let request = Request { filter: Some(&none), ..Request::new(&lanes, 5) };
    assert_eq!(reader.search(&request).unwrap(), []);
}

#[test]
fn attachments_share_the_commit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut writer = open(path);
    writer.attach("text", Some(b"text")).unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(path).unwrap();
    assert_eq!(std::fs::read(reader.attachment("text").unwrap()).unwrap(), b"text");
    writer.add("a", &unit(0), None).unwrap();
    writer.commit().unwrap();
    assert!(Reader::open(path).unwrap().attachment("text").is_some(), "it stays");
    writer.attach("text", None).unwrap();
    writer.commit().unwrap();
    assert_eq!(Reader::open(path).unwrap().attachment("text"), None);
    // the old reader still has it
    assert!(reader.attachment("text").unwrap().exists());
}

#[test]
fn little_memory_makes_more_segments_and_the_same_results() {
    let build = |memory| {
        let directory = tempfile::tempdir().unwrap();
        let settings = WriterSettings { memory, ..settings() };
        let mut writer = Writer::open(directory.path(), &index_settings(), settings).unwrap();
        (0..200).for_each(|one| writer.add(&format!("d{one}"), &views(one, 5), None).unwrap());
        assert!(writer.delete("d100").unwrap());
        writer.add("d150", &views(9_999, 2), None).unwrap();
        writer.commit().unwrap();
        let reader = Reader::open(directory.path()).unwrap();
        assert_eq!(Reader::check(directory.path(), |_| true).unwrap().problems, []);
        (reader.statistics().segments, found(&reader, views(4, 1).row(0), 99, THOROUGH))
    };
    let ((one, wanted), (many, found)) = (build(1 << 30), build(16 << 10));
    assert!(one == 1 && many > 3, "{one} {many}");
    assert_eq!(found, wanted);
}

#[test]
fn threads_change_no_byte() {
    let build = |threads| {
        let directory = tempfile::tempdir().unwrap();
        let threads = NonZero::new(threads).unwrap();
        let settings = WriterSettings { threads, ..settings() };
        let mut writer = Writer::open(directory.path(), &index_settings(), settings).unwrap();
        (0..500).for_each(|one| writer.add(&format!("d{one}"), &views(one, 5), None).unwrap());
        writer.commit().unwrap();
        drop(writer);
        std::fs::read(directory.path().join("generation-000001")).unwrap()
    };
    // the manifest has the checksums of all files
    assert_eq!(build(1), build(3));
}

#[test]
fn near_duplicates_are_left_out_of_what_scores() {
    let directory = tempfile::tempdir().unwrap();
    let settings = WriterSettings { reduction: Reduction::default(), ..settings() };
    let index = IndexSettings { token_dim: Some(DIM), ..index_settings() };
    let mut writer = Writer::open(directory.path(), &index, settings).unwrap();
    let twice = [unit(0).values(), unit(0).values(), unit(1).values()].concat();
    let twice = TokenMatrix::new(DIM, twice);
    writer.add("a", &twice, Some(&twice)).unwrap();
    writer.add("b", &unit(2), Some(&unit(2))).unwrap();
    writer.commit().unwrap();
    for others in [2, 1] {
        let reader = Reader::open(directory.path()).unwrap();
        let statistics = reader.statistics();
        assert_eq!((statistics.views, statistics.token_views), (others + 2, others + 1));
        let query = unit(1);
        let hits = reader.search(&Request::sum_max(&query, 1)).unwrap();
        // the third token, though it is the second that is kept
        assert_eq!((hits[0].id, hits[0].pairs[0].view), ("a", 2));
        // and when it is copied without its neighbour
        writer.delete("b").unwrap();
        writer.compact().unwrap();
    }
}

#[test]
fn few_lists_or_none_asked_for_are_enough() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..60).for_each(|one| writer.add(&format!("d{one:02}"), &unit(0), None).unwrap());
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.statistics().lists, 1);
    let query = unit(0);
    let wanted = found(&reader, query.row(0), 5, Nominate::Scan);
    assert_eq!(wanted[4], ("d55".to_owned(), 1.0));
    for nominate in [Nominate::Auto, Nominate::Lists { probes: 0, margin: 0.0 }] {
        assert_eq!(found(&reader, query.row(0), 5, nominate), wanted);
    }
}

#[test]
fn a_rerank_gives_as_many_as_are_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..50).for_each(|one| writer.add(&format!("d{one}"), &views(one, 3), None).unwrap());
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let query = views(9, 2);
    let lanes = [lane(query.row(0)), lane(query.row(1))];
    for documents in [0, 5, usize::MAX] {
        let rerank = Some(Rerank { query: &query, weights: None, documents });
        for nominate in [Nominate::Auto, THOROUGH] {
            let request = Request { rerank, nominate, ..Request::new(&lanes, 20) };
            assert_eq!(reader.search(&request).unwrap().len(), 20, "{documents}");
        }
    }
}

#[test]
fn weights_and_values_that_make_no_sense_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    writer.add("a", &unit(0), None).unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let view = unit(0);
    for weight in [-1.0, f32::NAN, f32::INFINITY] {
        let lanes = [Lane { token: 0, weight, view: view.row(0) }];
        let error = reader.search(&Request::new(&lanes, 1)).unwrap_err();
        assert!(matches!(error, SearchError::Weight { .. }), "{error}");
    }
    let error = reader.search(&Request::new(&[lane(&[3e38; DIM])], 1)).unwrap_err();
    assert!(error.to_string().contains("wanted one between -1e30 and 1e30"), "{error}");
}

#[test]
fn what_is_left_of_many_documents_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..2_000).for_each(|one| writer.add(&format!("d{one}"), &views(one, 2), None).unwrap());
    writer.commit().unwrap();
    (0..1_980).for_each(|one| assert!(writer.delete(&format!("d{one}")).unwrap()));
    writer.commit().unwrap();
    for compacted in [false, true] {
        let reader = Reader::open(directory.path()).unwrap();
        let query = views(77, 1);
        let wanted = found(&reader, query.row(0), 10, Nominate::Scan);
        assert_eq!(found(&reader, query.row(0), 10, Nominate::Auto), wanted);
        if !compacted {
            assert!(reader.statistics().lists > 30);
            writer.compact().unwrap();
        } else {
            // 40 views: as few lists as there would have been from the beginning
            assert!(reader.statistics().lists < 40, "{:?}", reader.statistics());
        }
    }
    let before = writer.compact().unwrap();
    assert_eq!(writer.compact().unwrap(), before, "what is compact stays as it is");
}

#[test]
fn what_was_not_committed_leaves_no_files() {
    let directory = tempfile::tempdir().unwrap();
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    let mut writer = open(directory.path());
    writer.add("a", &unit(0), None).unwrap();
    writer.commit().unwrap();
    let before = files();
    (0..99).for_each(|one| writer.add(&format!("d{one}"), &views(one, 2), None).unwrap());
    assert!(files() > before);
    drop(writer);
    assert_eq!(files(), before);
}

#[test]
fn many_small_segments_become_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    for one in 0..100 {
        writer.add(&format!("d{one}"), &views(one, 2), None).unwrap();
        writer.commit().unwrap();
        let statistics = Reader::open(directory.path()).unwrap().statistics();
        // at most seven of each size: 1 to 3, 4 to 15, 16 to 63, and 64 documents
        assert!(statistics.segments <= 28 && statistics.documents == one + 1, "{statistics:?}");
    }
    let reader = Reader::open(directory.path()).unwrap();
    assert!(reader.statistics().segments < 20, "{:?}", reader.statistics());
    assert_eq!(Reader::check(directory.path(), |_| true).unwrap().problems, []);
    let query = views(5, 1);
    let wanted = found(&reader, query.row(0), 100, Nominate::Scan);
    assert_eq!(found(&reader, query.row(0), 100, THOROUGH), wanted);
    assert_eq!(wanted.len(), 100);
}

#[test]
fn a_model_gets_another_name_with_a_commit_of_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    writer.add("a", &unit(0), None).unwrap();
    writer.commit().unwrap();
    let name = || Reader::open(directory.path()).unwrap().settings().model.clone();
    let before = name();
    writer.set_model("new").unwrap();
    drop(writer);
    // uncommitted changes leave no trace
    assert_eq!(name(), before);
    let mut writer = Writer::open_existing(directory.path(), settings()).unwrap();
    writer.set_model("new").unwrap();
    assert_eq!(writer.settings().model, "new");
    assert_eq!((writer.commit().unwrap(), name().as_str()), (2, "new"));
    assert_eq!(writer.compact().unwrap(), 2);
    assert_eq!(Reader::open(directory.path()).unwrap().statistics().documents, 1);
    drop(writer);
    let other = Writer::open(directory.path(), &index_settings(), settings()).unwrap_err();
    assert!(matches!(other, OpenIndexError::Model { .. }), "{other}");
}
