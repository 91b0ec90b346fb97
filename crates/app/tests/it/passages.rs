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
