//! `fastlane encode`: from texts to files of views, stopped and continued, and what stops it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::Value;

use crate::fastlane::{Folder, said};
use crate::model::with_models;

pub(crate) const CORPUS: &[u8] = br#"{"_id": "d1", "title": "light", "text": "the lighthouse is on the harbour."}
{"_id": "d 2", "title": "", "text": "what is a ship? what is a ship? what is a ship? what is a ship? what is a ship?"}
{"_id": "d3", "title": "", "text": ""}
"#;
const QUERIES: &[u8] = b"q1\twhat is the light?\nq2\tship\n";

/// Without what differs from run to run.
fn timeless(words: &str) -> String {
    let line = |line: &str| match line.split_once(", encoded in ") {
        Some((before, _)) => format!("{before}, encoded in (time)\n"),
        None => format!("{line}\n"),
    };
    words.lines().map(line).collect()
}

/// Without fingerprints.
fn nameless(words: &str) -> String {
    let is_number = |word: &str| {
        let digits = word.strip_prefix("f1-").unwrap_or(word);
        matches!(digits.len(), 16 | 32) && digits.chars().all(|c| c.is_ascii_hexdigit())
    };
    let word = |word: &str| if is_number(word) { "number".to_owned() } else { word.to_owned() };
    words
        .split_inclusive(['(', ')'])
        .map(|part| match part.strip_suffix(')') {
            Some(inside) => word(inside) + ")",
            None => part.to_owned(),
        })
        .collect()
}

/// Encodes, and gives the JSON summary and the words on stderr.
pub(crate) fn encode(folder: &Folder, arguments: &str) -> (Value, String) {
    let output = folder.run(&format!("encode --precision portable --json {arguments}"));
    assert!(output.status.success(), "{}", said(&output));
    let words = String::from_utf8(output.stderr).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), timeless(&words))
}

pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// What a NumPy file says of itself.
fn header(bytes: &[u8]) -> String {
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00\x76\x00"), "format 1.0, 118 bytes to come");
    String::from_utf8(bytes[10..128].to_vec()).unwrap().trim_end().to_owned()
}

pub(crate) fn counts(bytes: &[u8]) -> Vec<u32> {
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    bytes[128..].chunks(4).map(number).collect()
}

/// The names, shapes and types of a directory.
fn shapes(files: &BTreeMap<String, Vec<u8>>) -> String {
    let line = |(name, bytes): (&String, &Vec<u8>)| match name.ends_with(".npy") {
        true => format!("{name}: {} and {} bytes\n", header(bytes), bytes.len() - 128),
        false => format!("{name}: {:?}\n", String::from_utf8_lossy(bytes)),
    };
    files.iter().map(line).collect()
}

#[test]
fn documents_become_files_of_views() {
    let folder = with_models(&[("corpus.jsonl", CORPUS)]);
    let (summary, words) = encode(&folder, "--model plain --input corpus.jsonl --output out");
    let files = files(&folder.path().join("out"));
    assert_snapshot!(shapes(&files) + &words);
    // the tokens by hand: [CLS], light, the light ##house is on the harbour ., [SEP]
    assert_eq!(counts(&files["tokens.npy"])[..10], [2, 51, 50, 51, 49, 53, 57, 50, 55, 59]);
    // an empty text has its special tokens
    assert_eq!(counts(&files["doclens.npy"]), [11, 27, 2]);
    assert_eq!((&summary["texts"], &summary["views"]), (&3.into(), &40.into()));
    assert_eq!(folder.names(), ["corpus.jsonl", "out", "plain", "routed"]);
}

#[test]
fn lanes_lie_apart_and_long_texts_are_counted() {
    let folder = with_models(&[("corpus.jsonl", CORPUS)]);
    let (mut summary, words) =
        encode(&folder, "--model routed --input corpus.jsonl --output out --threads 1");
    let files = files(&folder.path().join("out"));
    for timing in ["seconds", "tokens_per_second"] {
        assert!(summary[timing].take().as_f64().unwrap() > 0.0);
    }
    let summary = serde_json::to_string_pretty(&summary).unwrap();
    assert_snapshot!(shapes(&files) + &words + &summary);
    assert_eq!(counts(&files["lanelens.npy"]), [3, 3, 3]);
}

#[test]
fn queries_have_alpha_and_a_soft_lane() {
    let folder = with_models(&[("q.tsv", QUERIES)]);
    let (summary, words) = encode(&folder, "--model routed --input q.tsv --query --output out");
    let files = files(&folder.path().join("out"));
    assert_snapshot!(shapes(&files) + &words);
    let alpha: Vec<f32> = (files["alpha.npy"][128..].chunks(4))
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let first = counts(&files["doclens.npy"])[0] as usize;
    assert!((alpha[..first].iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(summary["side"], "queries");
}

#[test]
fn what_stops_it_is_said() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    let folder = with_models(&[
        ("c/corpus.jsonl", CORPUS),
        ("q.tsv", QUERIES),
        ("empty.jsonl", b""),
        ("broken.tsv", b"1\tship\n2\tsh\xffip\n"),
        ("break.jsonl", b"{\"_id\": \"a\\nb\", \"text\": \"ship\"}\n"),
        ("notes/a.md", b"ship"),
        ("mine/diary.txt", b"Dear diary"),
        ("twice.tsv", b"1\tship\n2\tlight\n1\tship\n"),
        (
            "split.jsonl",
            "{\"_id\": \"1\", \"text\": \"\"}\n{\"_id\": \"b\u{2028}\", \"text\": \"\"}\n"
                .as_bytes(),
        ),
        ("theirs/ids.txt", b"1\n2\n"),
        ("lfs/config.json", include_bytes!("../../../model/tests/golden/tiny/config.json")),
        ("lfs/model.safetensors", pointer),
        ("lfs/tokenizer.json", b"{}"),
    ]);
    std::os::unix::fs::symlink("gone", folder.path().join("nowhere")).unwrap();
    let before = folder.names();
    let mut all = String::new();
    for arguments in [
        "--model absent --input q.tsv --output out",
        "--model lfs --input q.tsv --output out",
        "--model plain --input absent.tsv --output out",
        "--model plain --input q.tsv --output absent/out",
        "--model plain --input q.tsv --output q.tsv",
        "--model plain --input q.tsv --output ..",
        "--model plain --input q.tsv --output mine",
        "--model plain --input q.tsv --output mine --overwrite",
        "--model plain --input c/corpus.jsonl --output c --overwrite",
        "--model plain --input notes --output notes/out",
        "--model plain --input notes --query --output out",
        "--model plain --input empty.jsonl --output out",
        "--model plain --input broken.tsv --output out",
        "--model plain --input break.jsonl --output out",
        "--model plain --input c --text-column body --output out",
        "--model q.tsv --input c --output out",
        "--model plain --input q.tsv --output -",
        "--model plain --input q.tsv --output nowhere",
        "--model plain --input q.tsv --output theirs --overwrite",
        "--model plain --input twice.tsv --output out",
        "--model plain --input split.jsonl --output out",
    ] {
        let said = folder.said(&format!("encode {arguments}"));
        all += &format!("$ fastlane encode {arguments}\n{said}\n");
        let _ = std::fs::remove_dir_all(folder.path().join("out.partial"));
    }
    assert_snapshot!(all);
    assert_eq!(folder.names(), before, "nothing was written");
}

/// A corpus of small documents of different lengths.
fn corpus(count: usize) -> Vec<String> {
    let words = ["ship", "light", "harbour", "the", "lighthouse", "what"];
    let text = |n: usize| (0..n % 7).map(|at| words[(n + at * at) % 6]).collect::<Vec<_>>();
    let line = |n| format!("{{\"_id\": \"d{n}\", \"text\": \"{}\"}}\n", text(n).join(" "));
    (0..count).map(line).collect()
}

/// A run that reads from a pipe, which the test fills as slowly as it likes.
struct Slow {
    child: Child,
    pipe: File,
}

impl Slow {
    fn begin(folder: &Folder) -> Self {
        let pipe = folder.path().join("pipe.jsonl");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let arguments = "encode --model routed --input pipe.jsonl --output out --threads 1 \
                         --precision portable";
        let child = Command::new(env!("CARGO_BIN_EXE_fastlane"))
            .args(arguments.split_whitespace())
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, pipe: File::options().write(true).open(pipe).unwrap() }
    }

    fn feed(&mut self, lines: &[String]) {
        self.pipe.write_all(lines.concat().as_bytes()).unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

/// Continues with the whole corpus, and holds the result against one made at once.
fn continue_and_compare(folder: &Folder, after: u64) {
    let rest = "--model routed --input corpus.jsonl --threads 2 --output";
    let (summary, _) = encode(folder, &format!("{rest} out"));
    assert_eq!((&summary["texts"], &summary["continued_after"]), (&150.into(), &after.into()));
    let (whole, _) = encode(folder, &format!("{rest} whole"));
    assert_eq!((&whole["cut"], &whole["views"]), (&summary["cut"], &summary["views"]));
    assert_eq!(files(&folder.path().join("out")), files(&folder.path().join("whole")));
    assert_eq!(folder.names(), ["corpus.jsonl", "out", "pipe.jsonl", "plain", "routed", "whole"]);
}

#[test]
fn ctrl_c_keeps_what_is_done() {
    let lines = corpus(150);
    let folder = with_models(&[("corpus.jsonl", lines.concat().as_bytes())]);
    let mut slow = Slow::begin(&folder);
    slow.feed(&lines[..100]);
    // all but the seven that are in work can be given by now
    std::thread::sleep(Duration::from_millis(500));
    slow.signal("-INT");
    slow.feed(&lines[100..101]);
    let said = said(&slow.child.wait_with_output().unwrap());
    let kept = said.split_once("kept in `out.partial`: ").and_then(|(_, rest)| {
        rest.strip_suffix(" documents; run the same command to continue\nerror: interrupted\n")
    });
    assert!(said.starts_with("exit code 130\n"), "{said}");
    let kept = kept.unwrap().parse().unwrap();
    assert!(kept <= 94, "{said}");
    continue_and_compare(&folder, kept);
}

#[test]
fn a_crash_costs_some_seconds_of_work() {
    let lines = corpus(150);
    let folder = with_models(&[("corpus.jsonl", lines.concat().as_bytes())]);
    let mut slow = Slow::begin(&folder);
    slow.feed(&lines[..70]);
    // nothing more comes, and what is there is saved all the same; eight are in work
    let journal = folder.path().join("out.partial/progress.json");
    let saved = || std::fs::read_to_string(&journal).is_ok_and(|j| j.contains("\"texts\": 63"));
    for _ in 0..600 {
        if saved() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(saved());
    let busy = folder.run("encode --model routed --input corpus.jsonl --output out");
    let busy = String::from_utf8(busy.stderr).unwrap();
    assert!(busy.starts_with("error: another process is writing `out.partial`\nhint: "), "{busy}");
    slow.signal("-KILL");
    slow.child.wait().unwrap();
    continue_and_compare(&folder, 63);
}

#[test]
fn work_is_continued_only_with_what_it_was_begun_with() {
    let lines = corpus(40);
    let mut broken = lines.clone();
    broken.push("{\"_id\": \"x\", \"text\n".to_owned());
    let mut other = lines.clone();
    other.swap(3, 4);
    let folder = with_models(&[
        ("broken.jsonl", broken.concat().as_bytes()),
        ("other.jsonl", other.concat().as_bytes()),
        ("mended.jsonl", lines.concat().as_bytes()),
    ]);
    let mut all = String::new();
    for arguments in [
        "--model routed --input broken.jsonl --precision portable",
        "--model plain --input broken.jsonl --precision portable",
        "--model routed --input other.jsonl --precision portable",
        "--model routed --input broken.jsonl --precision portable --query",
        "--model routed --input mended.jsonl --precision portable",
        "--model routed --input broken.jsonl --precision portable --overwrite",
        "--model plain --input broken.jsonl --precision portable --overwrite",
        "--model plain --input other.jsonl --precision portable --overwrite",
    ] {
        let said = nameless(&timeless(&folder.said(&format!("encode {arguments} --output out"))));
        all += &format!("$ fastlane encode {arguments} --output out\n{said}\n");
    }
    assert_snapshot!(all);
}
