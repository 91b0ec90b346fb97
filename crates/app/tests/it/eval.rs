//! `fastlane eval`: what people see, and what they see when a file is wrong.

use std::process::Command;

use insta::assert_snapshot;

use crate::fastlane::Folder;
use crate::shared_data::shared_data;

const QRELS: &[u8] = b"q1 0 d1 1\nq1 0 d2 2\nq2 0 d1 1\nq3 0 d9 1\nq4 0 d9 1\n";
const BM25: &[u8] = b"q1 Q0 d1 1 3 bm25\nq1 Q0 d7 2 2 bm25\nq2 Q0 d8 1 2 bm25\nq2 Q0 d1 2 1 bm25\n\
    q3 Q0 d8 1 2 bm25\n";
const LANE: &[u8] = b"q1 Q0 d2 1 3 lane\nq1 Q0 d1 2 2 lane\nq2 Q0 d1 1 2 lane\nq3 Q0 d9 1 2 lane\n\
    q9 Q0 d9 1 2 lane\n";

fn folder() -> Folder {
    Folder::new(&[("qrels.txt", QRELS), ("bm25.run", BM25), ("lane.run", LANE)])
}

#[test]
fn means_for_a_pipe() {
    assert_snapshot!(folder().said("eval bm25.run lane.run --qrels qrels.txt"));
}

#[test]
fn means_as_markdown_with_unanswered_queries_counted() {
    assert_snapshot!(folder().said(
        "eval bm25.run lane.run --qrels qrels.txt -c --markdown -m P@1,AP(rel=2),success_1,P_1"
    ));
}

#[test]
fn every_query() {
    assert_snapshot!(folder().said("eval lane.run --qrels qrels.txt --per-query -m RR,R@10"));
}

#[test]
fn differences_to_a_baseline() {
    assert_snapshot!(folder().said("eval lane.run --qrels qrels.txt --baseline bm25.run -m RR,AP"));
}

#[test]
fn every_query_against_a_baseline() {
    assert_snapshot!(
        folder().said("eval lane.run --qrels qrels.txt -c --baseline bm25.run -q -m RR,P@1")
    );
}

#[test]
fn a_baseline_needs_another_run_and_common_queries() {
    let folder = Folder::new(&[
        ("qrels.txt", QRELS),
        ("bm25.run", BM25),
        ("other.run", b"q4 Q0 d9 1 1 other\n"),
    ]);
    let error = |arguments: &str| {
        let said = folder.said(arguments);
        said.lines().find(|line| line.starts_with("error: ")).unwrap().to_owned()
    };
    assert_eq!(
        error("eval ./bm25.run --qrels qrels.txt --baseline bm25.run"),
        "error: the only run is the baseline `bm25`, wanted a run to compare with it"
    );
    assert_eq!(
        error("eval other.run --qrels qrels.txt --baseline bm25.run"),
        "error: runs `other` and `bm25` answer no judged query in common"
    );
}

#[test]
fn everything_as_json() {
    assert_snapshot!(
        folder()
            .said("eval lane.run --qrels qrels.txt --baseline bm25.run -m RR --per-query --json")
    );
}

#[test]
fn packed_files_are_read_as_they_are() {
    let Some(data) = shared_data("reference", "packed_files_are_read_as_they_are") else { return };
    let run = data.join("runs/webis.colbert.dl19.run");
    let packed = Command::new("gzip").arg("-c").arg(run).output().unwrap().stdout;
    let folder = Folder::new(&[("colbert.run.gz", &packed)]);
    let qrels = data.join("qrels/qrels.dl19-passage.txt");
    let said =
        folder.said(&format!("eval colbert.run.gz --qrels {} -m map,ndcg_cut_10", qrels.display()));
    assert_eq!(
        said,
        "exit code 0\n--- stdout\nrun\tqueries\tAP\tnDCG@10\ncolbert\t43\t0.5392\t0.7320\n--- stderr\n"
    );
}

#[test]
fn wrong_files_get_one_sentence_and_a_way_out() {
    let gzip = include_bytes!("fixtures/bm25.run.gz");
    let folder = Folder::new(&[
        ("qrels.txt", QRELS),
        ("good.run", BM25),
        ("short.run", b"q1 Q0 d1 1 3 t\nq1 Q0 d2\n"),
        ("nan.run", b"q1 Q0 d1 1 NaN t\n"),
        ("twice.run", b"q1 Q0 d1 1 3 t\nq1 Q0 d1 2 2 t\n"),
        ("mixed.run", b"q1 Q0 d1 1 3 a\nq1 Q0 d2 2 2 b\n"),
        ("spaces.run", b"q1 Q0 my notes.md 1 3 t\n"),
        ("latin1.run", b"q1 Q0 caf\xe9 1 3 t\n"),
        ("empty.run", b""),
        ("other.run", b"topic7 Q0 d1 1 3 t\n"),
        (
            "crlf.run",
            b"\xef\xbb\xbfq1 Q0 d1 1 3 t\r\nq2 Q0 d1 1 3 t\r\nq3 Q0 d9 1 3 t\r\nq4 Q0 d9 1 3 t\r\n",
        ),
        ("whole.run.gz", gzip),
        ("cut.run.gz", &gzip[..gzip.len() - 12]),
        ("folder/x.run", BM25),
    ]);
    let mut all = String::new();
    for (run, qrels) in [
        ("short.run", "qrels.txt"),
        ("nan.run", "qrels.txt"),
        ("twice.run", "qrels.txt"),
        ("mixed.run", "qrels.txt"),
        ("spaces.run", "qrels.txt"),
        ("latin1.run", "qrels.txt"),
        ("empty.run", "qrels.txt"),
        ("other.run", "qrels.txt"),
        ("crlf.run", "qrels.txt"),
        ("whole.run.gz", "qrels.txt"),
        ("cut.run.gz", "qrels.txt"),
        ("folder", "qrels.txt"),
        ("absent.run", "qrels.txt"),
        ("qrels.txt", "qrels.txt"),
        ("good.run", "good.run"),
    ] {
        let arguments = format!("eval {run} --qrels {qrels} -m RR");
        all += &format!("$ fastlane {arguments}\n{}\n", folder.said(&arguments));
    }
    assert_snapshot!(all);
}
