//! `fastlane bm25`: from a collection to a run, and what stops it.

use std::process::{Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;

use crate::fastlane::{Folder, said};
use crate::shared_data::shared_data;

const CORPUS: &[u8] = br#"{"_id": "d1", "title": "Lanes", "text": "A router picks one lane.", "metadata": {"year": 2026, "lang": "en"}}
{"_id": "d2", "title": "", "text": "Routers and switches in a rack.", "metadata": {"year": 2019, "lang": "en"}}
{"_id": "d3", "title": "Spuren", "text": "Eine Spur f\u00fcr jede Frage.", "metadata": {"year": 2026, "lang": "de"}}
"#;
const QUERIES: &[u8] = b"{\"_id\": \"q1\", \"text\": \"which lane does the router pick?\"}\n\
    {\"_id\": \"q2\", \"text\": \"the of and\"}\n";

fn folder() -> Folder {
    Folder::new(&[("c/corpus.jsonl", CORPUS), ("c/queries.jsonl", QUERIES)])
}

/// stderr ends with timings, which no snapshot can hold.
fn run(folder: &Folder, arguments: &str) -> String {
    let output = folder.run(arguments);
    assert!(output.status.success(), "{}", said(&output));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("documents indexed in"), "{words}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_collection_becomes_a_run() {
    let folder = folder();
    run(&folder, "bm25 --corpus c --queries c/queries.jsonl --run out.run");
    assert_snapshot!(folder.read("out.run"));
    assert_eq!(folder.names(), ["c", "out.run"], "no index and no half-written file stay behind");
}

#[test]
fn analysis_filters_and_depth_are_settings() {
    let folder = folder();
    let all = "bm25 --corpus c --queries c/queries.jsonl --run -";
    let plain = run(&folder, &format!("{all} --analyzer plain --tag plain"));
    let ours = |line: &&str| line.starts_with("q1 ");
    let found: Vec<&str> = plain.lines().filter(ours).collect();
    assert!(found.len() == 1 && found[0].contains(" d1 "), "`Routers` is not `router`: {plain}");
    let one = run(&folder, &format!("{all} -k 1 --threads 1"));
    assert_eq!(one.lines().count(), 1, "{one}");
    let filter = ["--filter", "year < 2020"];
    let old = folder.command(&[&all.split(' ').collect::<Vec<_>>()[..], &filter].concat());
    let old = String::from_utf8(old.stdout).unwrap();
    assert!(old.lines().count() == 1 && old.starts_with("q1 Q0 d2 1 "), "{old}");
}

#[test]
fn silence_is_pointed_out() {
    let folder = folder();
    let all = "bm25 --corpus c --queries c/queries.jsonl --run out.run --filter";
    for (filter, wanted) in [
        ("lnag=en", "no document has the field `lnag`, which the filter uses: check its spelling"),
        ("lang=xx", "no document passes the filter lang = \"xx\""),
    ] {
        let output = folder.run(&format!("{all} {filter}"));
        let words = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines[0], format!("warning: {wanted}"));
        assert_eq!(lines[1], "warning: 2 of 2 queries found nothing");
    }
}

#[test]
fn columns_can_be_named() {
    let shop = b"sku,description,price\nA-1,\"A fast, red lane\",10\nA-2,\"A slow lane\",30\n";
    let folder = Folder::new(&[("shop.csv", shop), ("q.csv", b"nr,wish\n1,lane\n")]);
    let out = run(
        &folder,
        "bm25 --corpus shop.csv --id-column sku --text-column description \
         --queries q.csv --query-id-column nr --query-text-column wish --run - --filter price<20",
    );
    assert!(out.lines().count() == 1 && out.starts_with("1 Q0 A-1 1 "), "{out}");
}

#[test]
fn what_stops_it_is_said_before_the_work() {
    let folder = Folder::new(&[
        ("c/corpus.jsonl", CORPUS),
        (
            "twice.jsonl",
            b"{\"_id\": \"d1\", \"text\": \"a\"}\n{\"_id\": \"d1\", \"text\": \"b\"}\n",
        ),
        ("broken.jsonl", b"{\"_id\": \"d1\", \"text\": \"a\"}\n{\"_id\": \"d2\", \"text\"\n"),
        ("spaced.jsonl", b"{\"_id\": \"d 1\", \"text\": \"a\"}\n"),
        ("notes/my notes.md", b"# Notes\n\nOne lane.\n"),
        ("q.tsv", b"1\tlane\n"),
        ("spaces.tsv", b"1 a\tlane\n"),
        ("repeated.tsv", b"1\tlane\n1\trouter\n"),
    ]);
    let mut all = String::new();
    for arguments in [
        "--corpus c --queries absent.tsv --run out",
        "--corpus absent --queries q.tsv --run out",
        "--corpus c --queries q.tsv --run absent/out",
        "--corpus c --queries q.tsv --run c",
        "--corpus twice.jsonl --queries q.tsv --run ./twice.jsonl",
        "--corpus c --queries q.tsv --run q.tsv",
        "--corpus c --queries q.tsv --run out.run.gz",
        "--corpus c --queries q.tsv --run out --k1 -1",
        "--corpus c --queries q.tsv --run out --b 2",
        "--corpus c --queries q.tsv --run out --filter year>",
        "--corpus c --queries spaces.tsv --run out",
        "--corpus c --queries repeated.tsv --run out",
        "--corpus twice.jsonl --queries q.tsv --run out",
        "--corpus broken.jsonl --queries q.tsv --run out --strict",
        "--corpus spaced.jsonl --queries q.tsv --run out",
        "--corpus notes --id-column name --queries q.tsv --run out",
        "--corpus c --text-column body --queries q.tsv --run out",
    ] {
        all += &format!(
            "$ fastlane bm25 {arguments}\n{}\n",
            folder.said(&format!("bm25 {arguments}"))
        );
    }
    assert_snapshot!(all);
    let files = [
        "broken.jsonl",
        "c",
        "notes",
        "q.tsv",
        "repeated.tsv",
        "spaced.jsonl",
        "spaces.tsv",
        "twice.jsonl",
    ];
    assert_eq!(folder.names(), files, "nothing was written");
}

#[test]
fn a_folder_of_notes_is_ranked_as_it_is() {
    let folder = Folder::new(&[
        ("notes/my notes.md", b"# Notes\n\nOne lane.\n"),
        ("notes/sub/b.txt", b"No word of it."),
        ("notes/photo.png", b"\x89PNG"),
        ("q.tsv", b"1\tlane\n"),
    ]);
    let output = folder.run("bm25 --corpus notes --queries q.tsv --run -");
    let (data, words) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    assert!(data.unwrap().starts_with("1 Q0 my%20notes.md 1 "));
    assert!(words.unwrap().starts_with("left out: 1 .png (no text)\n"));
}

#[test]
fn scifact_comes_out_as_published() {
    let Some(data) = shared_data("scifact", "scifact_comes_out_as_published") else { return };
    let folder = Folder::new(&[]);
    let data = data.display();
    run(&folder, &format!("bm25 --corpus {data} --queries {data}/queries.jsonl --run bm25.run"));
    let output =
        folder.run(&format!("eval bm25.run --qrels {data}/qrels/test.tsv -m nDCG@10,R@100 --json"));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let means = &report["runs"][0]["means"];
    let (ndcg, recall) = (means["nDCG@10"].as_f64().unwrap(), means["R@100"].as_f64().unwrap());
    // Anserini, flat index, k1 0.9, b 0.4: 0.6789 and 0.9253.
    assert!((ndcg - 0.6789).abs() < 0.01, "{ndcg}");
    assert!((recall - 0.9253).abs() < 0.01, "{recall}");
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let line =
        "{\"_id\": \"%\", \"text\": \"lane router view token score document query index\"}\n";
    let corpus: String = (0..400_000).map(|n| line.replace('%', &n.to_string())).collect();
    let folder = Folder::new(&[("corpus.jsonl", corpus.as_bytes()), ("q.tsv", b"1\tlane\n")]);
    let child = Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args("bm25 --corpus corpus.jsonl --queries q.tsv --run out.run".split(' '))
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while folder.names().len() < 4 {
        // The index and the run's new file appear beside the two inputs.
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output), "exit code 130\n--- stdout\n--- stderr\nerror: interrupted\n");
    assert_eq!(folder.names(), ["corpus.jsonl", "q.tsv"]);
}
