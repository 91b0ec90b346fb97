//! Help, version and arguments that make no sense.

use insta::assert_snapshot;

use crate::fastlane::Folder;

#[test]
fn help() {
    assert_snapshot!("help", Folder::new(&[]).said("--help"));
    assert_snapshot!("help_eval", Folder::new(&[]).said("eval --help"));
    assert_snapshot!("help_bm25", Folder::new(&[]).said("bm25 --help"));
    assert_snapshot!("help_encode", Folder::new(&[]).said("encode --help"));
    assert_snapshot!("help_explain", Folder::new(&[]).said("explain --help"));
    for command in [
        "train",
        "index",
        "search",
        "serve",
        "mcp",
        "key",
        "quickstart",
        "delete",
        "compact",
        "convert",
        "stat",
        "check",
    ] {
        let said = Folder::new(&[]).said(&format!("{command} --help"));
        assert_snapshot!(format!("help_{command}"), said);
    }
}

#[test]
fn arguments_that_make_no_sense() {
    let folder = Folder::new(&[("x.run", b"q1 Q0 d1 1 3 t\n"), ("qrels.txt", b"q1 0 d1 1\n")]);
    let mut all = String::new();
    for arguments in [
        "eval --qrels qrels.txt",
        "eval x.run",
        "eval x.run --qrels qrels.txt -m nDGC@10",
        "eval x.run --qrels qrels.txt -m P",
        "eval x.run --qrels qrels.txt --json --markdown",
        "eval x.run --qrels qrels.txt --seed 7",
        "bm25 --corpus . --queries q.tsv --run out --k 0",
        "bm25 --corpus . --queries q.tsv --run out --analyzer klingon",
        "bm25 --corpus . --queries q.tsv --run out --tag=",
        "encode --model m --input q.tsv --output out --precision int8",
        "encode --model m --input q.tsv --output out --query --title-column t",
        "explain lane --model m --lanes 0",
        "evaluate x.run",
    ] {
        all += &format!("$ fastlane {arguments}\n{}\n", folder.said(arguments));
    }
    assert_snapshot!(all);
}
