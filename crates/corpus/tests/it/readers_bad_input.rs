//! What readers say of input they cannot use: every error, as a snapshot, with its hint.

use std::fmt::Write as _;
use std::io::{Cursor, Read};
use std::path::Path;

use fastlane_corpus::{
    Columns, Documents, Format, IdTriples, Keep, OnError, Queries, ReadError, ReadSettings, Source,
    Triples,
};

const JSONL: &[u8] = b"{\"_id\": \"a\", \"text\": \"x\"}\n";

/// Reads documents from memory to the end, or to the first error.
fn read(name: &str, bytes: impl Into<Vec<u8>>) -> Result<usize, ReadError> {
    read_with(name, bytes, &strictly())
}

fn read_with(
    name: &str,
    bytes: impl Into<Vec<u8>>,
    settings: &ReadSettings,
) -> Result<usize, ReadError> {
    read_stream(name, Cursor::new(bytes.into()), settings)
}

fn read_stream(
    name: &str,
    reader: impl Read + Send + 'static,
    settings: &ReadSettings,
) -> Result<usize, ReadError> {
    let source = Source::from_reader(reader, name)?;
    Documents::from_source(source, settings)?
        .try_fold(0, |count, found| Ok(count + found.map(|_| 1)?))
}

/// Message, causes and hint, as a person sees them.
fn said(error: &ReadError) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(said, "\n  caused by: {error}").unwrap();
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        write!(said, "\n  hint: {hint}").unwrap();
    }
    said
}

fn named(columns: Columns) -> ReadSettings {
    ReadSettings { columns, ..strictly() }
}

fn strictly() -> ReadSettings {
    ReadSettings { on_error: OnError::Stop, ..ReadSettings::default() }
}

#[test]
fn lines_that_cannot_be_used_are_named_quoted_and_explained() {
    let only = |name: &str| Keep::Only(vec![name.into()]);
    let long = [b"{\"_id\": \"".to_vec(), vec![b'a'; 100], b"\n".to_vec()].concat();
    let errors = [
        read("a.jsonl", "\n{\"_id\": \"a\", \"text\" 1}\n"),
        read("a.jsonl", "[\n  {\"_id\": \"a\"}\n]"),
        read("a.jsonl", long),
        read("a.jsonl", "[1, 2]"),
        read("a.jsonl", "{\"_id\": \"a\", \"txt\": \"x\"}"),
        read("a.jsonl", "{}"),
        read("a.jsonl", "{\"_id\": \"a\", \"text\": null}"),
        read("a.jsonl", "{\"_id\": 1.5, \"text\": \"x\"}"),
        read("a.jsonl", "{\"_id\": \"a\", \"text\": \"x\", \"title\": [\"y\"]}"),
        read("a.jsonl", "{\"_id\": \" \", \"text\": \"x\"}"),
        read("a.jsonl", "{\"_id\": \"a\\tb\", \"text\": \"x\"}"),
        read_with(
            "a.jsonl",
            JSONL,
            &named(Columns { text: Some("body".into()), ..Columns::default() }),
        ),
        read("a.csv", "key,text\n1,x\n"),
        read("a.csv", "id,text\n1,x\n2\n"),
        read("a.csv", "id,text\n1,x\n2,y, and z\n"),
        read("a.csv", "id,text\n1,\"x\n2,y\n3,z\n"),
        read("a.csv", "\u{1}"),
        read_with(
            "a.csv",
            "id,text\n",
            &named(Columns { title: Some("name".into()), ..Columns::default() }),
        ),
        read_with(
            "a.csv",
            "id,text\n",
            &named(Columns { metadata: only("year"), ..Columns::default() }),
        ),
        read("a.csv", "id,text,text,id\n1,x,y,2\n"),
        read("a.tsv", "id\ttext\tlang\tlang\n1\tx\ten\tde\n"),
        read("a.tsv", "pid\tpassage_text\n1\tx\n"),
        read("a.tsv", "1\tx\n2 y\n"),
        read("a.tsv", "\tx\n"),
        read("a.tsv", b"1\tx\n2\tcaf\xe9\n".to_vec()),
    ];
    let report: Vec<_> = errors.into_iter().map(|found| said(&found.unwrap_err())).collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn files_that_cannot_be_used_are_named_and_explained() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let settings = strictly();
    let excluding = ReadSettings { exclude: vec!["a[".into()], ..ReadSettings::default() };
    let beir = ReadSettings { format: Some(Format::Beir), ..ReadSettings::default() };
    let jsonl = ReadSettings { format: Some(Format::Jsonl), ..ReadSettings::default() };
    let columns = Columns { metadata: Keep::Only(vec!["year".into()]), ..Columns::default() };
    let kept = named(columns);
    let texts = named(Columns { text: Some("body".into()), ..Columns::default() });
    let marco = ReadSettings { format: Some(Format::Marco), ..texts.clone() };
    for folder in ["pictures", "large", "packed", "bomb"] {
        std::fs::create_dir(path(folder)).unwrap();
    }
    write(&path("pictures/a.png"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    write(&path("pictures/blank.txt"), b" \n");
    write(&path("large/a.txt"), &vec![b'a'; (64 << 20) + 1]);
    write(&path("packed/a.md.gz"), &gzip(b"one\ntwo three four five six")[..30]);
    write(&path("bomb/a.md.zst"), &zstd::encode_all(&vec![b'a'; (64 << 20) + 1][..], 3).unwrap());
    write(&path("empty.jsonl"), b"\n\n");
    write(&path("header.csv"), b"id,text\n");
    write(&path("a.parquet"), b"PAR1\0\0\0\0");
    write(&path("triples.tsv"), b"1\t2\n");
    write(&path("cut.jsonl.gz"), &gzip(JSONL)[..20]);
    write(&path("cut.jsonl.zst"), &zstd::encode_all(JSONL, 3).unwrap()[..20]);
    let mut damaged = gzip(JSONL);
    // The last eight bytes are checksum and length.
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 0xff;
    write(&path("damaged.jsonl.gz"), &damaged);

    let open = |name: &str, settings: &ReadSettings| {
        Documents::open(path(name), settings).and_then(Iterator::collect::<Result<Vec<_>, _>>)
    };
    let errors = [
        open("absent.jsonl", &settings).map(drop),
        open("pictures", &jsonl).map(drop),
        open("pictures", &beir).map(drop),
        open("pictures", &settings).map(drop),
        open("pictures", &excluding).map(drop),
        open("large", &settings).map(drop),
        open("packed", &settings).map(drop),
        open("bomb", &settings).map(drop),
        open("pictures", &kept).map(drop),
        open("pictures/blank.txt", &texts).map(drop),
        open("triples.tsv", &marco).map(drop),
        Queries::open(path("triples.tsv"), &marco).map(drop),
        open("empty.jsonl", &settings).map(drop),
        open("header.csv", &settings).map(drop),
        open("a.parquet", &settings).map(drop),
        open("cut.jsonl.gz", &settings).map(drop),
        open("cut.jsonl.zst", &settings).map(drop),
        open("damaged.jsonl.gz", &settings).map(drop),
        Queries::open(path("pictures"), &settings).map(drop),
        Queries::open(path("a.parquet"), &settings).map(drop),
        Queries::open(path("empty.jsonl"), &settings)
            .and_then(|mut all| all.next().unwrap().map(drop)),
        Triples::open(path("triples.tsv")).and_then(|mut all| all.next().unwrap().map(drop)),
        IdTriples::open(path("pictures")).map(drop),
        Source::open(path("absent.run")).map(drop),
    ];
    let root = format!("{}{}", root.path().display(), std::path::MAIN_SEPARATOR);
    let report: Vec<_> = errors
        .into_iter()
        .map(|found| said(&found.unwrap_err()).replace(&root, "").replace('\\', "/"))
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn every_cut_of_a_packed_file_is_an_error_and_never_fewer_documents() {
    let text: String =
        (0..40).map(|n| format!("{{\"_id\": {n}, \"text\": \"{}\"}}\n", n * 7919)).collect();
    for packed in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
        assert_eq!(read("a.jsonl", packed.clone()).unwrap(), 40);
        for cut in 0..packed.len() {
            let error = read("a.jsonl", &packed[..cut]).unwrap_err();
            let truncated = matches!(error, ReadError::Truncated { .. });
            assert!(truncated || cut < 4, "{cut} of {} bytes: {error}", packed.len());
        }
    }
}

#[test]
fn a_cut_is_named_by_the_line_it_falls_in() {
    let text: String = (0..100_000).map(|n| format!("{n}\t{}\n", n * 7919 % 10_007)).collect();
    let packed = gzip(text.as_bytes());
    let error = read("a.tsv", &packed[..packed.len() / 2]).unwrap_err();
    let ReadError::Truncated { place, .. } = error else { panic!("{error}") };
    assert!((30_000..70_000).contains(&place.line), "{}", place.line);
}

#[test]
fn the_first_error_ends_the_stream() {
    let source = Source::from_reader(&b"1\tx\n2\n3\ty\n"[..], "a.tsv").unwrap();
    let mut found = Documents::from_source(source, &strictly()).unwrap();
    assert!(found.next().unwrap().is_ok());
    assert!(found.next().unwrap().is_err());
    assert!(found.next().is_none());
}

#[test]
fn endless_lines_and_quotes_are_refused_in_bounded_memory() {
    let endless = || std::io::repeat(b'a');
    let fault = |name: &str, head: &'static [u8]| {
        said(&read_stream(name, head.chain(endless()), &ReadSettings::default()).unwrap_err())
    };
    let quoted = std::io::repeat(b'\n').take(64 << 20);
    let csv = (&b"id,text\n1,\""[..]).chain(quoted);
    let csv = read_stream("a.csv", csv, &ReadSettings::default()).unwrap_err();
    insta::assert_snapshot!(
        [
            fault("a.jsonl", b"{"),
            fault("a.tsv", b"1\tx\n2\t"),
            fault("a.csv", b"id,text\n"),
            said(&csv)
        ]
        .join("\n")
    );
}

#[expect(clippy::disallowed_methods, reason = "a test file may be lost in a crash")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    encoder.read_to_end(&mut packed).unwrap();
    packed
}
