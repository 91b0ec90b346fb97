//! Every error has one sentence with what, where, found and wanted, and a hint.

use std::io::{self, Read};

use fastlane_eval::{Qrels, ReadError, Run};

fn said<T: std::fmt::Debug>(read: Result<T, ReadError>) -> (String, Option<&'static str>) {
    let error = read.unwrap_err();
    (error.to_string(), error.hint())
}

fn run(text: &str) -> String {
    said(Run::read(text.as_bytes(), "x.run")).0
}

fn qrels(text: &str) -> String {
    said(Qrels::read(text.as_bytes(), "x.qrels")).0
}

#[test]
fn a_short_line() {
    assert_eq!(
        run("q1 Q0 d1 1 9.5 t\nq1 Q0 d2 2 8.5\n"),
        "`x.run` line 2: found 5 columns in `q1 Q0 d2 2 8.5`, \
         wanted 6: query Q0 document rank score tag"
    );
    assert_eq!(
        qrels("q1 0 d1 1\n\nq1 0 d2\n"),
        "`x.qrels` line 3: found 3 columns in `q1 0 d2`, \
         wanted 4: query 0 document relevance (or 3 with tabs, as BEIR writes them)"
    );
}

#[test]
fn a_non_number() {
    assert_eq!(run("q1 Q0 d1 1 high t\n"), "`x.run` line 1: score `high` is not a number");
    assert_eq!(
        qrels("q1 0 d1 yes\n"),
        "`x.qrels` line 1: relevance `yes` is not a whole number of 32 bits"
    );
    assert_eq!(
        qrels("query_id doc_id relevance iteration\nq1 d1 1 0\n"),
        "`x.qrels` line 1: relevance `iteration` is not a whole number of 32 bits"
    );
    assert_eq!(
        qrels("q1\td1\t0.5\n"),
        "`x.qrels` line 1: relevance `0.5` is not a whole number of 32 bits"
    );
}

#[test]
fn nan_and_infinite_scores() {
    for score in ["NaN", "inf", "-Infinity", "1e999"] {
        assert_eq!(
            run(&format!("q1 Q0 d1 1 {score} t\n")),
            format!("`x.run` line 1: score `{score}` is not finite, so no ranking can place it")
        );
    }
}

#[test]
fn a_document_twice_under_one_query() {
    assert_eq!(
        run("q1 Q0 d1 1 3 t\nq2 Q0 d1 1 2 t\nq1 Q0 d2 2 2 t\nq1 Q0 d1 3 1 t\n"),
        "`x.run` line 4: document `d1` stands twice under query `q1`, first on line 1"
    );
    assert_eq!(
        qrels("query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td1\t1\n"),
        "`x.qrels` line 3: document `d1` stands twice under query `q1`, first on line 2"
    );
}

#[test]
fn two_runs_in_one_file() {
    assert_eq!(
        run("q1 Q0 d1 1 3 bm25\nq1 Q0 d2 1 3 colbert\n"),
        "`x.run` line 2: tag `colbert` differs from `bm25` on the lines before, \
         wanted one run per file"
    );
}

#[test]
fn an_empty_file() {
    for text in ["", "\n\n", "\u{feff}", "# nothing but a comment\n"] {
        assert_eq!(run(text), "`x.run` is empty, wanted a TREC run");
        assert_eq!(qrels(text), "`x.qrels` is empty, wanted a qrels file");
    }
    assert_eq!(qrels("query-id\tcorpus-id\tscore\n"), "`x.qrels` is empty, wanted a qrels file");
}

#[test]
fn not_utf8() {
    let bytes = b"q1 Q0 d1 1 3 t\r\nq1 Q0 d\xff 2 2 t\n";
    assert_eq!(
        said(Run::read(&bytes[..], "x.run")).0,
        "`x.run` line 2: byte 8 of the line is not UTF-8 text"
    );
    assert_eq!(
        said(Qrels::read(&b"\xfe\xff"[..], "x.qrels")).0,
        "`x.qrels` line 1: byte 1 of the line is not UTF-8 text"
    );
}

#[test]
fn ids_with_spaces() {
    assert_eq!(
        run("q1 Q0 my notes.md 1 3 t\n"),
        "`x.run` line 1: found 7 columns in `q1 Q0 my notes.md 1 3 t`, \
         wanted 6: query Q0 document rank score tag"
    );
    // Without the tag there are as many columns as expected: the rank shows the error.
    assert_eq!(run("q1 Q0 my notes.md 1 3\n"), "`x.run` line 1: rank `notes.md` is not a number");
    assert_eq!(
        qrels("q1 0 my notes.md 1\n"),
        "`x.qrels` line 1: found 5 columns in `q1 0 my notes.md 1`, \
         wanted 4: query 0 document relevance (or 3 with tabs, as BEIR writes them)"
    );
}

#[test]
fn one_kind_of_file_given_as_the_other() {
    assert_eq!(
        run("19335 Q0 1017759 0\n"),
        "`x.run` line 1: `19335 Q0 1017759 0` looks like a qrels file, wanted a TREC run"
    );
    assert_eq!(
        run("query-id\tcorpus-id\tscore\n1\t31715818\t1\n"),
        "`x.run` line 1: `query-id\\tcorpus-id\\tscore` looks like a qrels file, wanted a TREC run"
    );
    assert_eq!(
        qrels("q1 Q0 d1 1 9.5 t\n"),
        "`x.qrels` line 1: `q1 Q0 d1 1 9.5 t` looks like a TREC run, wanted a qrels file"
    );
}

#[test]
fn a_stream_that_breaks_off() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the gzip stream ends early"))
        }
    }
    let reader = "q1 Q0 d1 1 3 t\nq1 Q0 d2 2 2 t\n".as_bytes().chain(Broken);
    let error = Run::read(reader, "x.run.gz").unwrap_err();
    assert_eq!(error.to_string(), "cannot read `x.run.gz` beyond line 2");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the gzip stream ends early");
}

#[test]
fn messages_cannot_write_to_the_terminal() {
    let long = "x".repeat(100);
    let message = run(&format!("q1 Q0 \u{1b}[2J{long}\n"));
    assert!(message.contains("found 3 columns in `q1 Q0 \\u{1b}[2Jxxx"), "{message}");
    assert!(message.contains("x…`"), "shortened: {message}");
}

#[test]
fn every_fault_has_a_way_out() {
    for text in ["q1 Q0 d1", "q1 0 d1 1", "q1 Q0 d1 1 x t", "q1 Q0 d1 1 inf t", ""] {
        assert!(said(Run::read(text.as_bytes(), "x")).1.is_some(), "{text}");
    }
    for text in ["q1 0", "q1 0 d1 x", "q1 0 d1 1\nq1 0 d1 1", "q Q0 d 1 1 t"] {
        assert!(said(Qrels::read(text.as_bytes(), "x")).1.is_some(), "{text}");
    }
}
