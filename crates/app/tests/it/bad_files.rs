//! Folders with files that cannot be read, and ids that make trouble later.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fastlane::Folder;
use crate::model::with_models;

/// Without times.
fn timeless(words: &str) -> String {
    let mut parts = words.split(" in ");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.split_once(" s").filter(|(time, _)| time.parse::<f64>().is_ok());
        all +=
            &after.map_or_else(|| format!(" in {part}"), |(_, rest)| format!(" in (time) s{rest}"));
    }
    all
}

/// A gzip file that was cut off.
const CUT: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0];

fn notes() -> Folder {
    with_models(&[
        ("notes/a.md", b"the light of the harbour"),
        ("notes/b.txt", CUT),
        ("notes/deep/c.md", b"what is a ship?"),
        ("notes/deep/d.md", &[0xff, 0xfe, b'n', 0, b'o', 0]),
        ("notes/new\nline.txt", b"the light"),
        ("notes/picture.png", b""),
    ])
}

#[test]
fn defect_a1_a_folder_with_bad_files_is_indexed_without_them() {
    let folder = notes();
    let mut all = String::new();
    for arguments in [
        "index notes --output strict.index --model plain --strict",
        "index notes --output it.index --model plain",
        "search it.index light -k 9 --json",
        "bm25 --corpus notes --queries queries.tsv --run it.run",
    ] {
        if arguments.contains("search") {
            let found: Value = serde_json::from_slice(&folder.run(arguments).stdout).unwrap();
            let hits = found["hits"].as_array().unwrap();
            let mut ids: Vec<&str> = hits.iter().map(|hit| hit["id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, ["a.md", "deep/c.md", "deep/d.md"]);
            continue;
        }
        overwrite(&folder.path().join("queries.tsv"), b"1\tlight\n");
        all += &format!("$ fastlane {arguments}\n{}\n", timeless(&folder.said(arguments)));
    }
    assert!(!folder.path().join("strict.index").exists());
    assert_snapshot!(all);
}

#[test]
fn defect_a1_json_lists_all_that_was_left_out_and_people_see_ten() {
    let files: Vec<(String, &[u8])> =
        (10..22).map(|one| (format!("notes/{one}.txt"), CUT)).collect();
    let mut files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let good = ("notes/good.txt", &b"the light"[..]);
    let folder = with_models(&files);
    let said = folder.said("index notes --output it.index --model plain");
    let wanted = "has no document that can be read (skipped: 12): `notes/10.txt`";
    assert!(said.starts_with("exit code 1") && said.contains(wanted), "{said}");
    assert!(!folder.path().join("it.index").exists(), "no empty index stays");

    files.push(good);
    let folder = with_models(&files);
    let output = folder.run("index notes --output it.index --model plain --json");
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words}");
    assert!(words.contains("left out: 12 .txt (") && words.contains("  and 2 more\n"), "{words}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let left_out = summary["left_out"].as_array().unwrap();
    assert_eq!((left_out.len(), &summary["added"], &summary["kept"]), (12, &json!(1), &json!(0)));
    assert_eq!(left_out[11]["path"], "notes/21.txt");
    assert!(left_out[11]["why"].as_str().unwrap().starts_with("`notes/21.txt`"), "{left_out:?}");
    assert_eq!(summary["left_out_kinds"][0]["count"], 12);
}

#[test]
fn defect_a1_an_update_keeps_documents_of_files_that_cannot_be_read_now() {
    let folder = notes();
    overwrite(&folder.path().join("notes/b.txt"), "nine ships".as_bytes());
    folder.said("index notes --output it.index --model plain");
    overwrite(&folder.path().join("notes/b.txt"), CUT);
    std::fs::remove_file(folder.path().join("notes/deep/c.md")).unwrap();
    let said = folder.said("index notes --output it.index --update");
    assert_snapshot!(timeless(&said));
    assert!(folder.said("search it.index nine --hybrid").contains("b.txt"));
    assert!(!folder.said("search it.index ship --hybrid").contains("c.md"));
}

#[cfg(unix)]
#[test]
fn defect_a1_an_update_keeps_what_is_below_a_folder_that_cannot_be_read_now() {
    use std::os::unix::fs::PermissionsExt;
    let folder = notes();
    folder.said("index notes --output it.index --model plain");
    let deep = folder.path().join("notes/deep");
    let allow = |mode| std::fs::set_permissions(&deep, PermissionsExt::from_mode(mode)).unwrap();
    allow(0);
    if std::fs::read_dir(&deep).is_ok() {
        allow(0o755);
        // the superuser may read everything
        return;
    }
    let said = folder.said("index notes --output it.index --update");
    allow(0o755);
    let wanted = "skipped: 2 files and 1 folder; their documents kept in the index: 1\n";
    assert!(said.contains(wanted) && said.contains("deleted: 0"), "{said}");
    assert!(said.contains("  cannot open `notes/deep`: Permission denied"), "{said}");
}

#[test]
fn defect_a9_two_files_are_two_documents() {
    let folder =
        with_models(&[("notes/my notes.md", b"the light"), ("notes/my%20notes.md", b"nine ships")]);
    let said = folder.said("index notes --output it.index --model plain");
    assert!(said.contains("documents added: 2, replaced: 0"), "{said}");
    let said = folder.said("search it.index nine");
    assert!(said.contains("\tmy%20notes.md\t") && said.contains("\tmy%2520notes.md\t"), "{said}");
}

#[test]
fn defect_a10_ids_that_a_run_cannot_hold_are_pointed_out() {
    let notes = b"{\"id\": \"a\", \"text\": \"light\"}\n{\"id\": \"my id\", \"text\": \"ship\"}\n\
        {\"id\": \"b c\", \"text\": \"nine\"}\n";
    let folder = with_models(&[("notes.jsonl", notes), ("q.tsv", b"1\tlight\n")]);
    let said = folder.said("index notes.jsonl --output it.index --model plain");
    let wanted =
        "warning: ids that a TREC run cannot hold, because of a space: 2, the first is `my id`\n";
    assert!(said.starts_with("exit code 0") && said.contains(wanted), "{said}");
    let said = folder.said("search it.index --queries q.tsv --run -");
    assert!(said.starts_with("exit code 1"), "{said}");
}

#[test]
fn defect_a6_an_index_without_documents_is_pointed_out() {
    let folder = with_models(&[("notes.jsonl", b"{\"id\": \"a\", \"text\": \"light\"}\n")]);
    folder.said("index notes.jsonl --output it.index --model plain");
    assert!(!folder.said("search it.index light").contains("warning"));
    folder.said("delete it.index a");
    let said = folder.said("search it.index light --json");
    assert!(said.starts_with("exit code 0"), "{said}");
    let wanted = "warning: the index has no documents\nhint: index them again";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn defect_w4_a_run_for_few_is_the_start_of_a_run_for_many() {
    let line = |id: char| format!("{{\"id\": \"{id}\", \"text\": \"the light of the harbour\"}}\n");
    let notes: String = ('a'..='l').map(line).collect();
    let folder = with_models(&[("notes.jsonl", notes.as_bytes()), ("q.tsv", b"1\tlight\n")]);
    folder.said("index notes.jsonl --output it.index --model plain");
    for how in ["", "--rerank 0", "--rerank 0 --lanes 2", "--hybrid", "--hybrid=scores"] {
        let run = |k: u32| {
            let arguments = format!("search it.index --queries q.tsv --run - -k {k} {how}");
            String::from_utf8(folder.run(&arguments).stdout).unwrap()
        };
        let (few, many) = (run(5), run(12));
        assert_eq!((few.lines().count(), many.lines().count()), (5, 12), "{few}{many}");
        assert!(many.starts_with(&few), "{how}:\n{few}\n{many}");
        let shown = folder.said(&format!("search it.index light -k 2 {how}"));
        assert!(shown.contains("\tl\t") && shown.contains("\tk\t"), "{how}: {shown}");
    }
}

#[expect(clippy::disallowed_methods, reason = "fixtures need not survive a crash")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
