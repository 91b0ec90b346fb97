//! Every format, read from its fixture and from the real collections beside the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastlane_corpus::{
    Columns, Document, Documents, Format, IdTriples, Keep, OnError, Outline, Part, Queries, Query,
    ReadError, ReadSettings, Source, Triples,
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
    // 24 bytes, 25 bytes, none, and a picture of 9
    assert_eq!((progress.done(), progress.total()), (0, Some(58)));
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
    assert_eq!((progress.done(), progress.empty()), (58, 1));
    assert_eq!(kinds(&found), ["1 .png (no text)"]);

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

fn strictly() -> ReadSettings {
    ReadSettings { on_error: OnError::Stop, ..ReadSettings::default() }
}

#[test]
fn defect_a1_bad_files_are_left_out_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(folder.path(), "a.md", b"good");
    write(folder.path(), "b.txt.gz", b"\x1f\x8b\x08\x00bad");
    write(folder.path(), "c.md.gz", &gzip(b"broken off")[..12]);
    write(folder.path(), "new\nline.md", b"good");
    write(folder.path(), "z.md", b"good");
    let mut found = Documents::open(folder.path(), &ReadSettings::default()).unwrap();
    let ids: Vec<_> = found.by_ref().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["a.md", "z.md"]);
    assert_eq!(Some(found.progress().done()), found.progress().total());
    let bad = found.left_out().take();
    let paths: Vec<_> = bad.iter().map(|bad| bad.path.clone()).collect();
    assert_eq!(paths, [path("b.txt.gz"), path("c.md.gz"), path("new\nline.md")]);
    assert!(
        bad[0].covers("b.txt.gz") && bad[1].covers("c.md.gz") && !bad[2].covers("new\nline.md")
    );
    assert!(found.left_out().take().is_empty(), "each is reported once");
    assert_eq!(kinds(&found), ["1 .md (damaged)", "1 .md (name not UTF-8)", "1 .txt (damaged)"]);

    // strictly, a name that cannot be an id is an error before anything is read
    let error = Documents::open(folder.path(), &strictly()).unwrap_err();
    assert!(matches!(error, ReadError::FileName { .. }), "{error}");
    std::fs::remove_file(path("new\nline.md")).unwrap();
    let mut found = Documents::open(folder.path(), &strictly()).unwrap();
    assert!(found.next().unwrap().is_ok());
    assert!(matches!(found.next().unwrap().unwrap_err(), ReadError::Truncated { .. }));
    // and what was named itself is never left out
    let found = Documents::open(path("c.md.gz"), &ReadSettings::default());
    let error = found.and_then(|mut found| found.next().unwrap().map(drop)).unwrap_err();
    assert!(matches!(error, ReadError::Truncated { .. }), "{error}");
}

/// The table of what was left out.
fn kinds(found: &Documents) -> Vec<String> {
    let kinds = found.left_out().kinds();
    kinds.iter().map(|kind| format!("{} {} ({})", kind.count, kind.kind, kind.reason)).collect()
}

#[test]
fn defect_a1_a_folder_of_bad_files_alone_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.md", b" \n");
    write(folder.path(), "b.txt", &gzip(b"text")[..9]);
    let mut found = Documents::open(folder.path(), &ReadSettings::default()).unwrap();
    let error = found.next().unwrap().unwrap_err();
    assert!(matches!(&error, ReadError::NoneReadable { count: 1, .. }), "{error}");
    assert!(found.next().is_none());
}

#[test]
fn text_is_told_by_content_and_other_files_are_counted_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("README", &b"A text without an extension."[..]),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("b.PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("latin.txt", b"caf\xe9"),
        ("not-a.png", b"Only its name is that of a picture."),
        ("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0"),
        ("wide.txt", b"\xff\xfeh\0i\0"),
    ] {
        write(folder.path(), name, bytes);
    }
    // a text that is too large; only its beginning is read
    let large = write(folder.path(), "z.log", &vec![b'a'; 9000]);
    let large = std::fs::File::options().append(true).open(large).unwrap();
    large.set_len(1 << 40).unwrap();
    for settings in [ReadSettings::default(), strictly()] {
        let mut found = Documents::open(folder.path(), &settings).unwrap();
        let read = found.by_ref().map_while(Result::ok);
        let read: Vec<_> = read.map(|document| (document.id, document.text)).collect();
        let texts =
            ["A text without an extension.", "café", "Only its name is that of a picture.", "hi"];
        let names = ["README", "latin.txt", "not-a.png", "wide.txt"];
        assert!(read.iter().map(|(id, text)| (&**id, &**text)).eq(names.into_iter().zip(texts)));
        let mut wanted = vec!["2 .png (no text)", "1 file without extension (no text)"];
        if settings.on_error == OnError::Skip {
            wanted.insert(1, "1 .log (larger than 64 MiB)");
        }
        assert_eq!(kinds(&found), wanted);
        let foreign: Vec<_> =
            found.left_out().reencoded().into_iter().map(|it| it.encoding).collect();
        assert_eq!(foreign, ["windows-1252", "UTF-16"]);
    }
    let error = Documents::open(folder.path().join("a.png"), &ReadSettings::default());
    let error = error.unwrap().next().unwrap().unwrap_err();
    assert!(matches!(error, ReadError::NoText { .. }), "{error}");
}

#[test]
fn globs_and_ignore_files_choose_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("deep/build")).unwrap();
    for name in ["a.md", "b.txt", "deep/c.md", "deep/build/d.md", "deep/e.log"] {
        write(folder.path(), name, b"text");
    }
    write(folder.path(), ".gitignore", b"*.log\n/deep/build/\n");
    let ids = |include: &[&str], exclude: &[&str]| -> Vec<String> {
        let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect();
        let (include, exclude) = (owned(include), owned(exclude));
        let settings = ReadSettings { include, exclude, ..ReadSettings::default() };
        documents_with(folder.path(), &settings).into_iter().map(|found| found.id).collect()
    };
    assert_eq!(ids(&[], &[]), ["a.md", "b.txt", "deep/c.md"]);
    assert_eq!(ids(&["*.md"], &[]), ["a.md", "deep/c.md"]);
    assert_eq!(ids(&[], &["deep"]), ["a.md", "b.txt"]);
    assert_eq!(ids(&["*.md", "*.log"], &["a.*"]), ["deep/c.md", "deep/e.log"]);
    let settings = ReadSettings { exclude: vec!["a[".into()], ..ReadSettings::default() };
    let error = Documents::open(folder.path(), &settings).unwrap_err();
    assert!(matches!(error, ReadError::Glob { .. }), "{error}");
}

#[test]
fn bad_records_are_skipped_with_their_lines() {
    let lines = "{\"_id\": \"a\", \"text\": \"x\"}\n{\"_id\": \"b\", \"text\": null}\n{broken\n\
                 {\"_id\": \"c\", \"text\": \"y\"}\n";
    let source = || Source::from_reader(lines.as_bytes(), "a.jsonl").unwrap();
    let mut found = Documents::from_source(source(), &ReadSettings::default()).unwrap();
    let ids: Vec<_> = found.by_ref().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(kinds(&found), ["1 record (invalid JSON)", "1 record (wrong type)"]);
    let bad = found.left_out().take();
    assert!(bad.iter().all(|bad| bad.part == Part::Record));
    assert_eq!(bad[0].why.to_string(), "`a.jsonl` line 2: `text` is `null`, wanted a string");
    assert!(bad[0].covers("b") && !bad[0].covers("c") && bad[1].covers("any"));

    let mut found = Documents::from_source(source(), &strictly()).unwrap();
    assert!(found.next().unwrap().is_ok());
    assert!(matches!(found.next().unwrap().unwrap_err(), ReadError::Line { .. }));
    // queries are never skipped
    let mut found = Queries::from_source(source(), &ReadSettings::default()).unwrap();
    assert!(found.nth(1).unwrap().is_err());

    let source = Source::from_reader(&b"id,text\n1\n2\n"[..], "a.csv").unwrap();
    let mut found = Documents::from_source(source, &ReadSettings::default()).unwrap();
    let error = found.next().unwrap().unwrap_err();
    assert!(matches!(error, ReadError::NoneReadable { count: 2, .. }), "{error}");
    let many = "1\tx\n".to_owned() + &"y\n".repeat(10_001);
    let source = Source::from_reader(std::io::Cursor::new(many), "a.tsv").unwrap();
    let found = Documents::from_source(source, &ReadSettings::default()).unwrap();
    let error = found.last().unwrap().unwrap_err();
    assert!(matches!(error, ReadError::TooManySkipped { limit: 10_000, .. }), "{error}");
}

#[test]
fn several_inputs_are_read_as_one_under_their_own_names() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    for folder in ["notes", "other", "other/notes"] {
        std::fs::create_dir(path(folder)).unwrap();
        write(&path(folder), "a.md", b"text");
    }
    write(root.path(), "b.jsonl", b"{\"_id\": \"b\", \"text\": \"x\"}\n{broken\n");
    write(root.path(), "README", b"text");
    let open = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| path(name)).collect();
        Documents::open_all(&paths, &ReadSettings::default()).unwrap()
    };
    let mut found = open(&["notes", "b.jsonl", "other", "README"]);
    let ids: Vec<_> = found.by_ref().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["notes/a.md", "b", "other/a.md", "other/notes/a.md", "README"]);
    assert_eq!(Some(found.progress().done()), found.progress().total());
    assert_eq!(kinds(&found), ["1 record (invalid JSON)"]);
    assert_eq!(open(&["notes"]).next().unwrap().unwrap().id, "a.md", "one is read as ever");

    let error = open(&["notes", "other/notes"]).find_map(Result::err).unwrap();
    assert!(matches!(&error, ReadError::RepeatedId { id, .. } if id == "notes/a.md"), "{error}");
    let (first, second) = (path("notes"), path("other/notes"));
    let said =
        format!("document `notes/a.md` is in `{}` and in `{}`", first.display(), second.display());
    assert_eq!(error.to_string(), said);
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
    let mut found = Documents::open(folder.path(), &ReadSettings::default()).unwrap();
    let ids: Vec<_> = found.by_ref().map(|document| document.unwrap().id).collect();
    assert_eq!(ids, ["good.md"]);
    let bad = found.left_out().take();
    assert!(
        bad.len() == 1 && bad[0].part == Part::Folder && bad[0].path.starts_with(&first),
        "{bad:?}"
    );
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
    write(folder.path(), "picture.png.gz", &gzip(b"\x89PNG\r\n\x1a\n\0\0\0"));
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
    assert_eq!(found.by_ref().map(Result::unwrap).collect::<Vec<_>>(), wanted);
    assert_eq!(kinds(&found), ["1 .png (no text)"]);
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
    let circle = documents(folder.path().join("circle"));
    assert_eq!(circle.len(), 1);
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_in_a_folder_are_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.txt", b"once");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.txt")).status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket.txt")).unwrap();
    assert_eq!(documents(folder.path()).len(), 1);
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
    assert_eq!(progress.done(), gzip(&plain).len() as u64);
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
