//! Where `fastlane encode` puts its files, and what it never takes away.

use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use insta::assert_snapshot;

use crate::encode::{CORPUS, counts, encode, files};
use crate::fastlane::Folder;
use crate::model::with_models;

/// Ends a run of many documents in the middle: a line that is not JSON comes last.
fn begun(name: &str, arguments: &str) -> Folder {
    let broken = [CORPUS, b"{\n"].concat();
    let folder = with_models(&[
        ("corpus.jsonl", CORPUS),
        ("broken.jsonl", &broken),
        ("q.tsv", b"1\tship\n"),
    ]);
    let said = folder.said(&format!("encode --input broken.jsonl --output {name} {arguments}"));
    assert!(
        said.contains(&format!("kept in `{name}.partial`: 3 documents; fix the error, then ")),
        "{said}"
    );
    folder
}

const ROUTED: &str = "--model routed --precision portable";

#[test]
fn what_comes_into_its_place_meanwhile_stays() {
    let folder = begun("out", ROUTED);
    // another process puts its own there before this one ends
    let pipe = folder.path().join("pipe.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let command = format!("encode {ROUTED} --input pipe.jsonl --output out");
    let said = std::thread::scope(|scope| {
        let run = scope.spawn(|| folder.said(&command));
        // opens when the other side does: the place was found free by then
        let mut writer = File::options().write(true).open(&pipe).unwrap();
        std::fs::create_dir_all(folder.path().join("out/notes")).unwrap();
        writer.write_all(CORPUS).unwrap();
        drop(writer);
        run.join().unwrap()
    });
    assert!(said.contains("error: `out` already exists, wanted a new directory\n"), "{said}");
    assert!(folder.path().join("out/notes").exists());
    std::fs::remove_dir(folder.path().join("out/notes")).unwrap();
    let (summary, _) = encode(&folder, "--model routed --input corpus.jsonl --output out");
    assert_eq!(summary["texts"], 3);
}

#[test]
fn work_that_begins_anew_leaves_nothing_of_other_work() {
    let folder = with_models(&[("corpus.jsonl", CORPUS), ("q.tsv", b"1\tship\nbroken\n")]);
    let queries = folder.said(&format!("encode {ROUTED} --input q.tsv --query --output out"));
    assert!(queries.contains("kept in `out.partial`: 1 query; fix the error"), "{queries}");
    assert!(folder.path().join("out.partial/alpha.npy").exists());
    let documents = "--model plain --input corpus.jsonl --output";
    encode(&folder, &format!("{documents} out --overwrite"));
    encode(&folder, &format!("{documents} fresh"));
    assert_eq!(files(&folder.path().join("out")), files(&folder.path().join("fresh")));
}

#[test]
fn damaged_work_begins_anew_when_asked_to() {
    let folder = begun("out", ROUTED);
    std::fs::remove_file(folder.path().join("out.partial/tokens.npy")).unwrap();
    let again = format!("{ROUTED} --input corpus.jsonl --output out");
    for _ in 0..2 {
        assert_eq!(
            folder.said(&format!("encode {again}")),
            "exit code 1\n--- stdout\n--- stderr\nkept in `out.partial`: 3 documents\n\
             error: `out.partial` is damaged: no file `out.partial/tokens.npy`, wanted one of 284 \
             bytes\nhint: start again with --overwrite\n"
        );
    }
    let (summary, _) =
        encode(&folder, "--model routed --input corpus.jsonl --output out --overwrite");
    assert_eq!((&summary["texts"], &summary["continued_after"]), (&3.into(), &0.into()));
}

#[test]
fn a_model_that_changed_does_not_continue() {
    let folder = begun("out", ROUTED);
    let path = folder.path().join("routed/2_FastLaneRouter/model.safetensors");
    let mut weights = std::fs::read(&path).unwrap();
    let last = weights.len() - 4;
    weights[last] ^= 1;
    std::fs::remove_file(&path).unwrap();
    let mut file = File::options().write(true).create_new(true).open(&path).unwrap();
    file.write_all(&weights).unwrap();
    let said = folder.said(&format!("encode {ROUTED} --input corpus.jsonl --output out"));
    assert!(said.contains("error: `out.partial` was started with model routed ("), "{said}");
}

#[test]
fn a_mounted_directory_is_refused_before_the_work() {
    let folder = with_models(&[("corpus.jsonl", CORPUS), ("elsewhere/.keep", b"")]);
    std::fs::remove_file(folder.path().join("elsewhere/.keep")).unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let script = "mount --bind elsewhere out && echo mounted && \
                  exec \"$0\" encode --model plain --input corpus.jsonl --output out";
    let mounted = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_fastlane")])
        .current_dir(folder.path())
        .output();
    match mounted {
        Ok(output) if output.stdout == b"mounted\n" => assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "error: `out` is a mount point, wanted a directory below it\n"
        ),
        other => println!("skipped: nothing can be mounted here: {other:?}"),
    }
    assert_eq!(folder.names(), ["corpus.jsonl", "elsewhere", "out", "plain", "routed"]);
}

#[test]
fn columns_folders_and_an_output_that_is_there() {
    let folder = with_models(&[
        ("shop.csv", b"sku,name,text\nA-1,ship,a light\n"),
        ("notes/my notes.md", b"# light\n\nOne ship.\n"),
        ("notes/photo.png", b"\x89PNG"),
        ("notes/blank.txt", b" \n"),
    ]);
    std::fs::create_dir(folder.path().join("out")).unwrap();
    encode(
        &folder,
        "--model plain --input shop.csv --id-column sku --title-column name --output out",
    );
    assert_eq!(folder.read("out/ids.txt"), "A-1\n");
    let first = files(&folder.path().join("out"));
    // [CLS] ship a light [SEP]
    assert_eq!(counts(&first["tokens.npy"]), [2, 56, 5, 51, 3]);
    let again = "encode --model plain --input notes --output out";
    assert_snapshot!(folder.said(again));
    assert_eq!(files(&folder.path().join("out")), first);
    let (_, words) = encode(&folder, "--model plain --input notes --output out --overwrite");
    assert!(words.starts_with("left out: 1 .png (no text)\n"), "{words}");
    assert!(words.contains("files skipped as empty: 1\n1 document,"), "{words}");
    assert_eq!(folder.read("out/ids.txt"), "my%20notes.md\n");
    assert_eq!(folder.names(), ["notes", "out", "plain", "routed", "shop.csv"]);
}
