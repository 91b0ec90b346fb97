//! `docs/reference` says what the binary does: pages are made by it, and what it prints as JSON
//! follows the schemas.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::fastlane::Folder;
use crate::reference_page::{check_page, reference};

#[test]
fn the_page_of_commands_is_what_they_say() {
    let folder = Folder::new(&[]);
    let help = |arguments: &str| {
        let output = folder.run(&format!("{arguments} --help"));
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help("");
    let commands = all.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands.take_while(|line| !line.is_empty());
    // what a command does may take a second line, which stands further right
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 15, "{names:?}");
    let mut page = "# Commands\n\nWhat `--help` says: this page is made by a test.\n".to_owned();
    page += &format!("\n## fastlane\n\n```text\n{all}```\n");
    for name in names {
        page += &format!("\n## fastlane {name}\n\n```text\n{}```\n", help(name));
    }
    check_page("commands.md", &page);
}

fn schema(name: &str) -> Validator {
    let path = reference(&format!("schemas/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::draft202012::options().build(&schema).unwrap()
}

/// Runs a command that prints JSON, and compares that with its schema.
fn check(folder: &Folder, arguments: &str) -> Value {
    let output = folder.run(&format!("{arguments} --json"));
    let text = String::from_utf8_lossy(&output.stdout);
    let value = serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!("{arguments}: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    let name = arguments.split_whitespace().next().unwrap();
    let problems: Vec<String> = schema(name)
        .iter_errors(&value)
        .map(|it| format!("{}: {it}", it.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{arguments}: {problems:#?}\n{value:#}");
    value
}

#[test]
fn json_follows_the_schemas() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
    let handbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/handbook");
    let (model, handbook) = (model.display(), handbook.display());
    let folder = Folder::new(&[
        ("docs.jsonl", b"{\"_id\": \"a\", \"text\": \"light\", \"year\": 2020}\n"),
        (
            "long.jsonl",
            &[b"{\"_id\": \"b\", \"text\": \"".as_slice(), &b"nine ships ".repeat(99), b"\"}\n"]
                .concat(),
        ),
        ("none.run", b"expensive Q0 nothing 1 1 other\n"),
    ]);
    check(&folder, &format!("encode --model {model} --input long.jsonl --output views"));
    check(&folder, &format!("explain light --model {model}"));
    check(&folder, &format!("index {handbook}/notes --output index --model {model}"));
    check(&folder, "index docs.jsonl --output index --update");
    check(&folder, "index long.jsonl --output index");
    check(&folder, "index views --output views.index --diverse 8");
    for how in ["", "--hybrid", "--rerank 0", "--lanes 2", "--filter year=2020"] {
        let answer = check(&folder, &format!("search index light {how}"));
        assert!(!answer["hits"].as_array().unwrap().is_empty(), "{how}: {answer}");
    }
    check(&folder, "delete index a nobody");
    check(&folder, "compact index");
    check(&folder, "stat index");
    check(&folder, "stat views.index");
    check(&folder, "check index");
    let ranked = format!("--queries {handbook}/queries.tsv --run bm25.run");
    assert!(folder.run(&format!("bm25 --corpus {handbook}/notes {ranked}")).status.success());
    check(&folder, &format!("eval bm25.run --qrels {handbook}/qrels.tsv"));
    check(
        &folder,
        &format!("eval bm25.run none.run --baseline bm25.run --qrels {handbook}/qrels.tsv -q"),
    );
}

#[test]
fn what_a_run_made_follows_its_schema() {
    let done = check(&crate::train::folder(), "train run.toml --output out");
    assert_eq!(done.as_array().unwrap().len(), 1);
}

#[test]
fn a_schema_refuses_what_it_does_not_know() {
    let (delete, mut value) =
        (schema("delete"), serde_json::json!({"deleted": 1, "absent": [], "documents": 2}));
    assert!(delete.is_valid(&value));
    value["more"] = Value::from(1);
    assert!(!delete.is_valid(&value));
}
