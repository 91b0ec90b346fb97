//! `fastlane serve`, `key` and `mcp` as processes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::fastlane::Folder;
use crate::model::with_models;

fn indexed() -> Folder {
    let notes = b"{\"_id\": \"d1\", \"text\": \"the light of the harbour\"}\n";
    let folder = with_models(&[("notes.jsonl", notes)]);
    let said = folder.said("index notes.jsonl --output it.index --model plain");
    assert!(said.starts_with("exit code 0"), "{said}");
    folder
}

fn start(folder: &Folder, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_service_starts_answers_and_ends() {
    let folder = indexed();
    let mut service = start(&folder, &["serve", "notes=it.index", "--listen", "127.0.0.1:0"]);
    let mut lines = BufReader::new(service.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening on http://").unwrap().to_owned();
    let get = |path: &str| {
        ask(
            &address,
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
    };
    assert!(get("/health").starts_with("HTTP/1.1 200"));
    assert!(get("/?q=light").contains("data-id=\"d1\""));
    let id = i32::try_from(service.id()).unwrap();
    let killed = Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(service.wait().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let line: Value = serde_json::from_str(&rest[0]).unwrap();
    assert_eq!((&line["path"], &line["status"]), (&json!("/health"), &json!(200)));
    assert_eq!(rest.last().unwrap(), "stopped; all accepted changes are committed");
}

#[test]
fn keys_are_made_and_wanted() {
    let folder = indexed();
    let open = folder.said("serve it.index --listen 0.0.0.0:0");
    assert!(open.contains("is open to other machines, and there are no keys"), "{open}");
    let key = folder.run("key me --keys keys.txt");
    let key = String::from_utf8(key.stdout).unwrap();
    let kept = folder.read("keys.txt");
    assert!(key.starts_with("fl_") && kept.starts_with("me:read:") && !kept.contains(&key[3..]));
    let again = folder.said("key me --keys keys.txt");
    assert!(again.contains("already has the key `me`"), "{again}");
    let said = folder.said("serve it.index --keys notes.jsonl");
    assert!(said.contains("line 1 of `notes.jsonl` is not a key"), "{said}");
}

#[test]
fn an_agent_searches_and_reads() {
    let folder = indexed();
    let mut agent = start(&folder, &["mcp", "it.index"]);
    let mut input = agent.stdin.take().unwrap();
    let mut output = BufReader::new(agent.stdout.take().unwrap()).lines();
    let mut ask = |message: Value| {
        writeln!(input, "{message}").unwrap();
        message.get("id").map(|_| {
            let line = output.next().unwrap().unwrap();
            serde_json::from_str::<Value>(&line).unwrap()["result"].clone()
        })
    };
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let told = ask(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}));
    assert_eq!(told.unwrap()["serverInfo"]["name"], "fastlane");
    ask(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let tools = ask(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).unwrap();
    let mut names: Vec<&str> =
        tools["tools"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["fetch", "search"]);
    let mut call = |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments});
        let result =
            ask(json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params}));
        let result = result.unwrap();
        (result["isError"] == true, result["content"][0]["text"].as_str().unwrap().to_owned())
    };
    let (failed, text) = call("search", json!({"query": "light"}));
    let found: Value = serde_json::from_str(&text).unwrap();
    assert!(!failed && found["results"][0]["id"] == "d1", "{text}");
    let (failed, text) = call("fetch", json!({"id": "d1"}));
    assert!(!failed && text.contains("the light of the harbour"), "{text}");
    let (failed, text) = call("fetch", json!({"id": "nobody"}));
    assert!(failed && text == "there is no document `nobody`", "{text}");
    drop(input);
    assert!(agent.wait().unwrap().success());
}
