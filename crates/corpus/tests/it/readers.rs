//! Every format, read from its fixture and from the real collections beside the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastlane_corpus::{
    BadFiles, Columns, Document, Documents, Format, IdTriples, Keep, Outline, Queries, Query,
    ReadError, ReadSettings, Source, Triples, Unit,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared_data::shared_data;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn documents(path: impl AsRef<Path>) -> Vec<Document> {
    documents_with(path, &ReadSettings::default())
}

fn documents_with(path: impl AsRef<Path>, settings: &ReadSettings) -> Vec<Document> {
    Documents::open(path, settings).unwrap().collect::<Result<_, _>>().unwrap()
}

fn queries(path: impl AsRef<Path>) -> Vec<Query> {
    let settings = ReadSettings::default();
    Queries::open(path, &settings).unwrap().collect::<Result<_, _>>().unwrap()
}

fn document(id: &str, title: &str, text: &str, metadata: Value) -> Document {
    let Value::Object(metadata) = metadata else { panic!("{metadata} is no object") };
    Document {
        id: id.into(),
        title: title.into(),
        text: text.into(),
        metadata,
        outline: Outline::default(),
    }
}

fn query(id: &str, text: &str) -> Query {
    Query { id: id.into(), text: text.into() }
}

#[test]
fn beir_is_read_from_its_directory() {
    let first = json!({ "year": 1687, "lang": "en" });
    let wanted = [
        document("d1", "Gravity", "Masses attract.", first),
        document("2", "", "Light bends.", json!({})),
    ];
    assert_eq!(documents(fixture("beir")), wanted);
    assert_eq!(documents(fixture("beir/corpus.jsonl")), wanted);
    let wanted = [query("q1", "why do apples fall"), query("7", "does light bend")];
    assert_eq!(queries(fixture("beir")), wanted);
    assert_eq!(queries(fixture("beir/queries.jsonl")), wanted);
}

#[test]
fn jsonl_is_read_under_any_usual_name() {
    let wanted = [
        document("d1", "", "Masses attract.", json!({ "tags": ["physics", "old"] })),
        document("2", "", "Light bends.", json!({})),
    ];
    assert_eq!(documents(fixture("documents.jsonl")), wanted);
}

#[test]
fn csv_is_read_with_quotes_and_windows_line_ends() {
    let text = "Masses, they say, \"attract\".\n\nAlways.";
    let wanted = [
        document("d1", "Gravity", text, json!({ "year": "1687" })),
        document("2", "", "Light bends.", json!({ "year": "" })),
    ];
    assert_eq!(documents(fixture("documents.csv")), wanted);
}

#[test]
fn the_nameless_columns_of_spreadsheets_are_left_out() {
    let settings = ReadSettings { format: Some(Format::Csv), ..ReadSettings::default() };
    let source = Source::from_reader("id,text,,\n1,x,,\n".as_bytes(), "a.csv").unwrap();
    let found: Result<Vec<Document>, _> =
        Documents::from_source(source, &settings).unwrap().collect();
    assert_eq!(found.unwrap(), [document("1", "", "x", json!({}))]);
}

#[test]
fn columns_can_be_named_and_left_out() {
    let columns = Columns {
        id: Some("year".into()),
        text: Some("Title".into()),
        metadata: Keep::Only(vec!["ID".into()]),
        ..Columns::default()
    };
    let settings = ReadSettings { columns, ..ReadSettings::default() };
    let mut found = Documents::open(fixture("documents.csv"), &settings).unwrap();
    let wanted = document("1687", "", "Gravity", json!({ "ID": "d1" }));
    assert_eq!(found.next().unwrap().unwrap(), wanted);
}

#[test]
fn tsv_is_read_with_a_header_and_without() {
    let wanted = [
        document("d1", "", "Masses \"attract", json!({ "lang": "en" })),
        document("2", "", "Light bends.", json!({ "lang": "en" })),
    ];
    assert_eq!(documents(fixture("documents.tsv")), wanted);

    let wanted = [
        document("0", "", "The \"Manhattan Project", json!({})),
        document("1", "", "It's 5\" wide.", json!({})),
    ];
    assert_eq!(documents(fixture("collection.tsv")), wanted);
    let wanted =
        [query("300674", "how many years did it take"), query("125705", "define \"extreme")];
    assert_eq!(queries(fixture("topics.txt")), wanted);
}

#[test]
fn a_tsv_that_begins_like_a_text_column_has_no_header() {
    let read = |text: &'static str| Source::from_reader(text.as_bytes(), "a.tsv").unwrap();
    let settings = ReadSettings::default();
    let found = Queries::from_source(read("1\tquestion\n2\tanswer\n"), &settings).unwrap();
    let found: Vec<_> = found.map(Result::unwrap).collect();
    assert_eq!(found, [query("1", "question"), query("2", "answer")]);
    let mut found = Documents::from_source(read("1\ttext\n"), &settings).unwrap();
    assert_eq!(found.next().unwrap().unwrap(), document("1", "", "text", json!({})));
    let mut found = Documents::from_source(read("text\tDOCNO\nx\t1\n"), &settings).unwrap();
    assert_eq!(found.next().unwrap().unwrap(), document("1", "", "x", json!({})));
}

#[test]
fn a_column_to_keep_makes_the_first_line_of_a_tsv_a_header() {
    let keep = |names: &[&str]| {
        let metadata = Keep::Only(names.iter().map(ToString::to_string).collect());
        let columns = Columns { metadata, ..Columns::default() };
        let settings = ReadSettings { columns, ..ReadSettings::default() };
        let source = Source::from_reader(&b"1\ttext\n"[..], "a.tsv").unwrap();
        Documents::from_source(source, &settings).map(|found| found.map(Result::unwrap).count())
    };
    assert!(keep(&["year"]).unwrap_err().to_string().contains("no column for the id"));
    assert_eq!(keep(&[]).unwrap(), 1);
}

#[test]
fn queries_ignore_what_is_said_of_titles_and_metadata() {
    let columns = Columns {
        title: Some("name".into()),
        metadata: Keep::Only(vec!["year".into()]),
        ..Columns::default()
    };
    for format in [Format::Marco, Format::Tsv, Format::Jsonl] {
        let settings = ReadSettings {
            format: Some(format),
            columns: columns.clone(),
            ..ReadSettings::default()
        };
        let text = if format == Format::Jsonl { r#"{"id": "1", "text": "x"}"# } else { "1\tx" };
        let source = Source::from_reader(text.as_bytes(), "queries").unwrap();
        let mut found = Queries::from_source(source, &settings).unwrap();
        assert_eq!(found.next().unwrap().unwrap(), query("1", "x"), "{format:?}");
    }
}

#[test]
fn a_given_format_overrides_what_the_file_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "passages.data", b"id\ttext\n");
    let settings = ReadSettings { format: Some(Format::Marco), ..ReadSettings::default() };
    assert_eq!(documents_with(&file, &settings), [document("id", "", "text", json!({}))]);
    let settings = ReadSettings { format: Some(Format::Texts), ..ReadSettings::default() };
    assert_eq!(documents_with(&file, &settings)[0].text, "id\ttext\n");
}

#[test]
fn triples_are_read_by_text_and_by_id() {
    let path = fixture("triples.train.small.tsv");
    let found: Vec<_> = Triples::open(path).unwrap().map(Result::unwrap).collect();
    assert_eq!(found.len(), 2);
    assert_eq!((&*found[0].query, &*found[0].negative), ("who fell", "light bends"));
    assert_eq!(found[1].positive, "light bends");

    let path = fixture("qidpidtriples.train.small.tsv");
    let found: Vec<_> = IdTriples::open(path).unwrap().map(Result::unwrap).collect();
    assert_eq!((&*found[0].query, &*found[0].positive), ("1185869", "0"));
    assert_eq!(found[1].negative, "3957443");
}

#[test]
fn a_folder_of_texts_is_read_in_order_with_titles_and_paths() {
    let folder = fixture("texts");
    let mut found = Documents::open(&folder, &ReadSettings::default()).unwrap();
    let progress = found.progress();
    assert_eq!(found.ignored(), 1);
    assert_eq!((progress.unit(), progress.done(), progress.total()), (Unit::Files, 0, Some(3)));
    // a byte order mark is not part of the text
    let text = "# Apples\n\nThey fall.\n";
    let apples = Document {
        outline: Outline::markdown(text),
        ..document("apples.md", "Apples", text, json!({ "path": "apples.md" }))
    };
    assert_eq!(apples.outline.path_at(0), ["Apples"]);
    assert_eq!(found.next().unwrap().unwrap(), apples);
    let path = json!({ "path": "deep/light.TXT" });
    let light = document("deep/light.TXT", "light", "Light bends near masses.\n", path);
    assert_eq!(found.next().unwrap().unwrap(), light);
    assert!(found.next().is_none());
    assert_eq!(progress.done(), 3);

    let one = documents(folder.join("apples.md"));
    assert_eq!(one, [apples]);
}

#[test]
fn white_space_and_percents_in_a_path_are_written_in_percents() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("my notes")).unwrap();
    // U+3000, the blank of CJK, takes the bytes E3 80 80; `é` stays.
    write(&folder.path().join("my notes"), "50% é\u{3000}b.md", b"text");
    let path = json!({ "path": "my notes/50% é\u{3000}b.md" });
    let wanted = document("my%20notes/50%25%20é%E3%80%80b.md", "50% é\u{3000}b", "text", path);
    assert_eq!(documents(folder.path()), [wanted]);
}

#[test]
fn defect_a9_no_two_files_have_one_id() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["my notes.md", "my%20notes.md", "my%2520notes.md"] {
        write(folder.path(), name, b"text");
    }
    let ids: Vec<_> = documents(folder.path()).into_iter().map(|document| document.id).collect();
    assert_eq!(ids, ["my%20notes.md", "my%2520notes.md", "my%252520notes.md"]);
}

fn leaving_out() -> ReadSettings {
    ReadSettings { bad_files: BadFiles::LeaveOut, ..ReadSettings::default() }
}

#[test]
fn defect_a1_bad_files_are_left_out_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(folder.path(), "a.md", b"good");
    write(folder.path(), "b.txt", b"caf\xe9");
    write(folder.path(), "c.md.gz", &gzip(b"broken off")[..12]);
    write(folder.path(), "new\nline.md", b"good");
    write(folder.path(), "z.md", b"good");
    let mut found = Documents::open(folder.path(), &leaving_out()).unwrap();
    let ids: Vec<_> = found.by_ref().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["a.md", "z.md"]);
    assert_eq!((found.progress().done(), found.progress().total()), (5, Some(5)));
    let bad = found.left_out().take();
    let paths: Vec<_> = bad.iter().map(|bad| bad.path.clone()).collect();
    assert_eq!(paths, [path("b.txt"), path("c.md.gz"), path("new\nline.md")]);
    assert!(bad[0].covers("b.txt") && bad[1].covers("c.md.gz") && !bad[2].covers("new\nline.md"));
    assert!(found.left_out().take().is_empty(), "each is reported once");

    // strictly, a name that cannot be an id is an error before anything is read
    let error = Documents::open(folder.path(), &ReadSettings::default()).unwrap_err();
    assert!(matches!(error, ReadError::FileName { .. }), "{error}");
    std::fs::remove_file(path("new\nline.md")).unwrap();
    let mut found = Documents::open(folder.path(), &ReadSettings::default()).unwrap();
    assert!(found.next().unwrap().is_ok());
    assert!(matches!(found.next().unwrap().unwrap_err(), ReadError::Line { .. }));
    // and what was named itself is never left out
    let mut found = Documents::open(path("b.txt"), &leaving_out()).unwrap();
    assert!(matches!(found.next().unwrap().unwrap_err(), ReadError::Line { .. }));
}

#[test]
fn defect_a1_a_folder_of_bad_files_alone_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.md", b" \n");
    write(folder.path(), "b.txt", b"caf\xe9");
    let mut found = Documents::open(folder.path(), &leaving_out()).unwrap();
    let error = found.next().unwrap().unwrap_err();
    assert!(matches!(&error, ReadError::NoneReadable { count: 1, .. }), "{error}");
    assert!(found.next().is_none());
}

#[cfg(target_os = "linux")]
#[test]
fn defect_a1_paths_that_are_too_long_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let deep = |name: &str| {
        let path = (0..12).fold(folder.path().join(name), |path, _| path.join("d".repeat(200)));
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    // two of 2,400 bytes make one that no call takes
    let (first, second) = (deep("first"), deep("second"));
    write(&second, "lost.md", b"text");
    write(folder.path(), "good.md", b"text");
    #[expect(clippy::disallowed_methods, reason = "a test file may be lost in a crash")]
    std::fs::rename(folder.path().join("second"), first.join("second")).unwrap();
    let mut found = Documents::open(folder.path(), &leaving_out()).unwrap();
    let ids: Vec<_> = found.by_ref().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["good.md"]);
    let bad = found.left_out().take();
    assert!(bad.len() == 1 && bad[0].is_folder && bad[0].path.starts_with(&first), "{bad:?}");
    assert!(
        bad[0].covers(&format!("{}/x.md", bad[0].path.strip_prefix(&folder).unwrap().display()))
    );
}

#[test]
fn packed_texts_are_read_under_their_packed_names() {
    let folder = tempfile::tempdir().unwrap();
    let marked = "\u{feff}Masses attract.";
    let file = write(folder.path(), "a.md.gz", &gzip(marked.as_bytes()));
    write(
        folder.path(),
        "b.v2.TXT.ZST",
        &zstd::encode_all(&b"# Light\n\nIt bends."[..], 3).unwrap(),
    );
    // Not by its name, but by its first bytes.
    write(folder.path(), "c.txt", &gzip(b"Time slows."));
    write(folder.path(), "picture.png.gz", b"");
    write(folder.path(), "d.txt", b" \n");
    let path = |path| json!({ "path": path });
    let light = "# Light\n\nIt bends.";
    let wanted = [
        document("a.md.gz", "a", "Masses attract.", path("a.md.gz")),
        Document {
            outline: Outline::markdown(light),
            ..document("b.v2.TXT.ZST", "Light", light, path("b.v2.TXT.ZST"))
        },
        document("c.txt", "c", "Time slows.", path("c.txt")),
    ];
    let mut found = Documents::open(folder.path(), &ReadSettings::default()).unwrap();
    assert_eq!((found.ignored(), found.progress().total()), (1, Some(4)));
    assert_eq!(found.by_ref().map(Result::unwrap).collect::<Vec<_>>(), wanted);
    assert_eq!(found.progress().empty(), 1);
    assert_eq!(documents(file), wanted[..1]);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.txt", b"once");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("a.txt"), folder.path().join("b.txt")).unwrap();
    let ids: Vec<_> = documents(folder.path()).into_iter().map(|document| document.id).collect();
    assert_eq!(ids, ["a.txt"]);

    // What is named itself is read, link or not.
    assert_eq!(documents(folder.path().join("b.txt"))[0].text, "once");
    let circle = Documents::open(folder.path().join("circle"), &ReadSettings::default()).unwrap();
    assert_eq!(circle.ignored(), 2);
}

#[test]
fn packed_files_read_as_plain_ones_and_report_packed_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let plain = std::fs::read(fixture("beir/corpus.jsonl")).unwrap();
    let wanted = documents(fixture("beir"));
    write(folder.path(), "corpus.jsonl.gz", &gzip(&plain));
    assert_eq!(documents(folder.path()), wanted);
    let file = write(folder.path(), "corpus.jsonl.zst", &zstd::encode_all(&plain[..], 3).unwrap());
    assert_eq!(documents(&file), wanted);
    let misnamed = write(folder.path(), "misnamed.jsonl", &gzip(&plain));
    let mut found = Documents::open(&misnamed, &ReadSettings::default()).unwrap();
    assert_eq!(found.by_ref().count(), 2);
    let progress = found.progress();
    assert_eq!(Some(progress.done()), progress.total());
    assert_eq!((progress.done(), progress.unit()), (gzip(&plain).len() as u64, Unit::Bytes));
}

#[test]
fn shared_collections_are_read_whole() {
    let counts = [("scifact", 5183, 1109), ("medquad", 15809, 14979), ("squad-dev", 2067, 10570)];
    for (name, documents_wanted, queries_wanted) in counts {
        let Some(path) = shared_data(name, "shared_collections_are_read_whole") else { return };
        let found = documents(&path);
        assert_eq!((name, found.len()), (name, documents_wanted));
        assert!(found.iter().all(|document| !document.text.is_empty()));
        assert_eq!((name, queries(&path).len()), (name, queries_wanted));
    }
}

#[test]
fn shared_topics_are_read_packed_and_plain() {
    let Some(path) = shared_data("reference/topics", "shared_topics_are_read_packed_and_plain")
    else {
        return;
    };
    let scifact = queries(path.join("topics.beir-v1.0.0-scifact.test.tsv.gz"));
    assert_eq!(scifact.len(), 300);
    assert_eq!(scifact[0], query("1", "0-dimensional biomaterials show inductive properties."));
    assert_eq!(queries(path.join("topics.beir-v1.0.0-nfcorpus.test.tsv.gz")).len(), 323);
    assert_eq!(
        queries(path.join("topics.dl19-passage.txt"))[0],
        query("156493", "do goldfish grow")
    );
    assert_eq!(queries(path.join("topics.msmarco-passage.dev-subset.txt")).len(), 6980);
}

proptest! {
    #[test]
    fn jsonl_round_trips(
        id in "[^\\p{Cc}]{1,8}".prop_filter("not blank", |id| !id.trim().is_empty()),
        title in "\\PC{0,8}",
        text in any::<String>(),
        metadata in proptest::collection::btree_map("[a-d\u{e9}]{1,3}", any::<i64>(), 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut fields: BTreeMap<String, Value> =
            metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        fields.extend([("_id".into(), json!(id)), ("title".into(), json!(title)), ("text".into(), json!(text))]);
        let line = serde_json::to_vec(&fields).unwrap();
        let file = write(folder.path(), "one.jsonl", &line);
        prop_assert_eq!(documents(file), [document(&id, &title, &text, json!(metadata))]);
    }

    #[test]
    fn the_text_of_a_file_is_its_bytes_without_their_mark(
        mark in any::<bool>(),
        packed in any::<bool>(),
        text in "([a-e一é]{1,12}[.]?[ \r\n]{1,2}){1,60}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = [if mark { "\u{feff}" } else { "" }, &text].concat().into_bytes();
        if packed {
            write(folder.path(), "a.txt.gz", &gzip(&bytes));
        } else {
            write(folder.path(), "a.txt", &bytes);
        }
        let found = documents(folder.path());
        prop_assert_eq!((found.len(), &found[0].text), (1, &text));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test file may be lost in a crash")]
fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    std::io::copy(&mut encoder, &mut packed).unwrap();
    packed
}
