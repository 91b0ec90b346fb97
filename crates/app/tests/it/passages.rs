//! Documents longer than a model reads: found to their end through every input of the command.

use serde_json::{Value, json};

use crate::fastlane::Folder;
use crate::model::with_models;

/// A text of a thousand words with the answer at its end.
fn long() -> String {
    format!("{}nine ships", "light house.\n\n".repeat(500))
}

fn searched(folder: &Folder, arguments: &str) -> Value {
    let output = folder.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_end_of_a_long_document_is_found_through_every_input() {
    let text = long();
    let jsonl = format!("{}\n", json!({"_id": "long", "text": text}));
    let csv = format!("id,text\nlong,\"{text}\"\n");
    let inputs = [
        ("folder/long.md", text.as_bytes(), "folder", "long.md"),
        ("long.jsonl", jsonl.as_bytes(), "long.jsonl", "long"),
        ("long.csv", csv.as_bytes(), "long.csv", "long"),
    ];
    for (file, bytes, input, id) in inputs {
        let folder = with_models(&[(file, bytes)]);
        let said = folder.said(&format!("index {input} --output it.index --model plain"));
        assert!(said.contains("passages of 1 documents"), "{said}");
        let stat = searched(&folder, "stat it.index --json");
        let (documents, passages) = (&stat["documents"], stat["passages"].as_u64().unwrap());
        assert!(*documents == 1 && passages > 1, "{input}: {stat}");
        let found = searched(&folder, "search it.index ships --lanes all -k 1000 --json");
        let hits = found["hits"].as_array().unwrap();
        let last = hits.iter().find(|hit| hit["text"].as_str().unwrap().ends_with("nine ships"));
        let last = last.unwrap_or_else(|| panic!("{input}: {found}"));
        assert_eq!((&last["id"], &last["passage"]["number"]), (&json!(id), &json!(passages)));
        let grouped = searched(&folder, "search it.index ships --group --context 1 --json");
        assert_eq!(grouped["hits"].as_array().unwrap().len(), 1, "{input}");
        let said = folder.said("delete it.index long long.md");
        assert!(said.contains("documents deleted: 1"), "{said}");
        assert_eq!(searched(&folder, "stat it.index --json")["passages"], 0, "{input}");
    }
}

#[test]
fn several_inputs_are_one_run_and_views_stand_alone() {
    let folder = with_models(&[
        ("notes/a.md", b"the light"),
        ("more/a.md", b"nine ships"),
        ("c.jsonl", b"{\"_id\": \"c\", \"text\": \"old keeper\"}\n"),
    ]);
    let said = folder.said("index notes more c.jsonl --output it.index --model plain");
    assert!(said.contains("documents added: 3"), "{said}");
    let found = searched(&folder, "search it.index light -k 9 --json");
    let hits = found["hits"].as_array().unwrap();
    let mut ids: Vec<&str> = hits.iter().map(|hit| hit["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["c", "more/a.md", "notes/a.md"]);
    folder.said("encode --model plain --input c.jsonl --output c.views");
    let said = folder.said("index notes c.views --output other.index --model plain");
    let wanted = "error: `c.views` is a directory of views, wanted it alone";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn globs_choose_files_of_a_folder() {
    let folder = with_models(&[
        ("notes/a.md", b"the light"),
        ("notes/b.txt", b"nine ships"),
        ("notes/old/c.md", b"old keeper"),
    ]);
    let said =
        folder.said("index notes --output it.index --model plain --include *.md --exclude old");
    assert!(said.contains("documents added: 1,"), "{said}");
}
