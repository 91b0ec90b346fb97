//! A service over real connections: what it answers, what it refuses, what it survives.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/reference_page.rs"]
mod reference_page;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastlane::{Collection, Document, Model, Settings};
use fastlane_serve::{Config, Keys, Limits, Scope, ServeError, Service, new_key, serve};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A service on a port of its own, stopped when dropped.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn make(place: &Path) {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
    let model = Model::open(&model, &Settings::default()).unwrap();
    let collection = Collection::create(place, Arc::new(model)).unwrap();
    let mut writer = collection.writer().unwrap();
    let document = |id: &str, text: &str| Document {
        id: id.to_owned(),
        text: text.to_owned(),
        ..Document::default()
    };
    let all = [document("a", "light house"), document("b", "nine ships seen")];
    writer.add(all, &mut |_| true).unwrap();
    writer.commit().unwrap();
}

fn config(place: &Path) -> Config {
    Config {
        indexes: vec![("notes".to_owned(), place.to_owned())],
        model: None,
        keys: None,
        threads: NonZero::new(2).unwrap(),
        limits: Limits { body: 1 << 20, request: Duration::from_secs(2), ..Limits::default() },
        log: Arc::new(|_| {}),
    }
}

fn start(config: Config) -> Running {
    let service = Service::open(config).unwrap();
    let (stop, stopped) = oneshot::channel();
    let (give, take) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let address = (SocketAddr::from(([127, 0, 0, 1], 0)), None);
        let ready = |address| give.send(address).unwrap();
        let stopped = async { stopped.await.unwrap() };
        runtime.block_on(serve(service, address, ready, stopped)).unwrap();
    });
    let address = take.recv().unwrap();
    Running { address, stop: Some(stop), thread: Some(thread) }
}

impl Running {
    /// Sends bytes and reads until the service closes.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // it may have answered, and closed, before all was sent
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        let answer = self.raw(&[head.as_bytes(), body].concat());
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (
            status.unwrap_or_else(|| panic!("no answer to {method} {path}: {answer:?}")),
            body.to_owned(),
        )
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.ask(method, path, "", body.to_string().as_bytes());
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}")))
    }

    /// Changes documents and waits until it is done.
    fn change(&self, method: &str, body: &Value) {
        let (status, accepted) = self.json(method, "/indexes/notes/documents", body);
        assert_eq!(status, 202, "{accepted}");
        let job = self.ended(accepted["job"].as_u64().unwrap());
        assert_eq!(job["state"], "done", "{job}");
    }

    fn job(&self, number: u64) -> Value {
        self.json("GET", &format!("/indexes/notes/jobs/{number}"), &json!(null)).1
    }

    /// Waits until a change is made, or cannot be.
    fn ended(&self, number: u64) -> Value {
        let began = Instant::now();
        loop {
            let job = self.job(number);
            if job["state"] != "waiting" {
                return job;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{number} is not made");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_else(|| panic!("no error: {answer}"))
}

#[test]
fn documents_come_are_found_and_go() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let search =
        |query: &str| service.json("POST", "/indexes/notes/search", &json!({"query": query}));
    let (status, found) = search("light");
    assert_eq!(status, 200);
    let answer = &found["answers"][0];
    assert_eq!(answer["hits"].as_array().unwrap().len(), 2);
    assert_eq!(answer["tokens"][0]["token"], "[CLS]");
    assert!(answer["milliseconds"]["total"].as_f64().unwrap() > 0.0);

    let document = json!({"id": "c/1 ü", "title": "Baking", "text": "the harbour", "metadata": {"lang": "en"}});
    service.change("POST", &json!({"documents": [document]}));
    let (status, found) =
        service.json("GET", "/indexes/notes/documents/c%2F1%20%C3%BC", &json!(null));
    assert_eq!((status, &found), (200, &document));
    let filtered = json!({"query": "light", "filter": "lang = en", "hybrid": "ranks"});
    let (_, found) = service.json("POST", "/indexes/notes/search", &filtered);
    assert_eq!(found["answers"][0]["hits"][0]["id"], "c/1 ü");
    let (_, about) = service.json("GET", "/indexes/notes", &json!(null));
    assert_eq!((&about["documents"], &about["waiting"]), (&json!(3), &json!(0)));

    let again = json!({"id": "c/1 ü", "text": "the old harbour"});
    service.change("PUT", &json!({"documents": [again]}));
    let (_, found) = service.json("GET", "/indexes/notes/documents/c%2F1%20%C3%BC", &json!(null));
    assert_eq!(found["text"], "the old harbour");

    service.change("DELETE", &json!({"ids": ["a", "absent"]}));
    let (status, gone) = service.json("GET", "/indexes/notes/documents/a", &json!(null));
    assert_eq!((status, code(&gone)), (404, "no_such_document"));
    let (_, metrics) = service.ask("GET", "/metrics", "", b"");
    for line in [
        "fastlane_documents{index=\"notes\"} 2",
        "fastlane_stage_seconds_count{stage=\"encode\"} 2",
        "fastlane_changes_waiting{index=\"notes\"} 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
}

#[test]
fn vectors_search_as_texts_do() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let (_, encoded) = service.json(
        "POST",
        "/encode",
        &json!({"index": "notes", "queries": ["light"], "documents": ["nine ships seen"]}),
    );
    let views = &encoded["queries"][0]["views"];
    let by_text = json!({"query": "light", "lanes": 99});
    let by_vectors = json!({"vectors": [{"views": views}]});
    let of = |body: &Value| {
        let (_, found) = service.json("POST", "/indexes/notes/search", body);
        let hits = found["answers"][0]["hits"].as_array().unwrap().clone();
        hits.iter()
            .map(|hit| (hit["id"].to_string(), hit["score"].as_f64().unwrap()))
            .collect::<Vec<_>>()
    };
    let (texts, vectors) = (of(&by_text), of(&by_vectors));
    assert_eq!(texts.len(), 2);
    for (text, vector) in texts.iter().zip(&vectors) {
        assert!(text.0 == vector.0 && (text.1 - vector.1).abs() < 1e-3, "{text:?} {vector:?}");
    }
    let body = json!({"index": "notes", "query": "light", "documents": ["nine ships seen", "light house"]});
    let (_, order) = service.json("POST", "/rerank", &body);
    let first = order["results"][0]["place"].as_u64().unwrap();
    assert_eq!(["\"b\"", "\"a\""][first as usize], texts[0].0);
}

#[test]
fn who_asks_again_is_answered_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    make(&place);
    let service = start(config(&place));
    let ask = |query: &str| {
        let (status, mut answer) =
            service.json("POST", "/indexes/notes/search", &json!({"query": query}));
        assert_eq!(status, 200, "{answer}");
        let encode = answer["answers"][0]["milliseconds"]["encode"].as_f64().unwrap();
        answer["answers"][0]["milliseconds"].take();
        (answer, encode)
    };
    let (first, second, other) = (ask("light"), ask("light"), ask("ships"));
    assert_eq!(first.0, second.0);
    assert_ne!(first.0, other.0);
    assert!(first.1 > 0.0 && second.1 == 0.0 && other.1 > 0.0);
    let (_, metrics) = service.ask("GET", "/metrics", "", b"");
    for line in ["cache=\"hit\"} 1", "cache=\"miss\"} 2"] {
        let line = format!("fastlane_queries_total{{index=\"notes\",{line}");
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let search = "/indexes/notes/search";
    let deep = format!("{{\"query\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&str, &str, Vec<u8>, u16, &str); 16] = [
        ("POST", search, b"{".to_vec(), 400, "bad_json"),
        ("POST", search, b"\xff\xfe".to_vec(), 400, "bad_json"),
        ("POST", search, deep.into_bytes(), 400, "bad_json"),
        ("POST", search, b"{\"query\":\"a\",\"limit\":3}".to_vec(), 400, "bad_json"),
        ("POST", search, b"{\"query\":\"\"}".to_vec(), 400, "empty_query"),
        ("POST", search, vec![b' '; 2 << 20], 413, "too_large"),
        (
            "POST",
            search,
            format!("{{\"query\":\"{}\"}}", "a".repeat(1 << 19)).into_bytes(),
            413,
            "too_large",
        ),
        ("POST", search, b"{\"vectors\":[{\"views\":[[1.0]]}]}".to_vec(), 400, "bad_request"),
        ("POST", "/indexes/other/search", b"{\"query\":\"a\"}".to_vec(), 404, "no_such_index"),
        (
            "POST",
            "/indexes/..%2f..%2fetc/search",
            b"{\"query\":\"a\"}".to_vec(),
            404,
            "no_such_index",
        ),
        ("GET", search, Vec::new(), 405, "wrong_method"),
        ("GET", "/../../etc/passwd", Vec::new(), 404, "no_such_path"),
        ("GET", "/indexes/notes/jobs/99", Vec::new(), 404, "no_such_job"),
        ("GET", "/indexes/notes/jobs/x", Vec::new(), 400, "bad_request"),
        ("POST", "/indexes/notes/documents", b"{\"documents\":[]}".to_vec(), 400, "bad_request"),
        (
            "POST",
            "/indexes/notes/documents",
            b"{\"documents\":[{\"id\":\"\",\"text\":\"a\"}]}".to_vec(),
            400,
            "bad_request",
        ),
    ];
    for (method, path, body, status, wanted) in cases {
        let (found, answer) = service.ask(method, path, "", &body);
        let answer: Value =
            serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{path}: {answer}"));
        assert_eq!((found, code(&answer)), (status, wanted), "{method} {path}: {answer}");
    }
    // bodies that do not come, and ones that break off
    let head = format!(
        "POST {search} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 50\r\n\r\n{{"
    );
    let answer = service.raw(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let mut broken = TcpStream::connect(service.address).unwrap();
    broken.write_all(head.as_bytes()).unwrap();
    drop(broken);
    service.raw(b"\x00\x01\x02 nonsense\r\n\r\n");
    assert_eq!(service.ask("GET", "/health", "", b"").0, 200, "and it lives");
}

#[test]
fn keys_say_who_may_do_what() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    make(&place);
    let (reader, line) = new_key("reader", Scope::Read).unwrap();
    let (writer, other) = new_key("writer", Scope::Write).unwrap();
    let file = folder.path().join("keys");
    let mut text = std::fs::File::create_new(&file).unwrap();
    writeln!(text, "{line}\n{other}").unwrap();
    let service = start(Config { keys: Some(Keys::open(&file).unwrap()), ..config(&place) });
    let bearer = |key: &str| format!("Authorization: Bearer {key}\r\n");
    let (search, put) = (br#"{"query":"a"}"#, br#"{"documents":[{"id":"c","text":"ship"}]}"#);
    let ask = |method: &str, path: &str, headers: &str, body: &[u8]| {
        service.ask(method, path, headers, body).0
    };
    for (method, path) in [
        ("GET", "/indexes"),
        ("GET", "/indexes/notes"),
        ("GET", "/indexes/notes/documents/a"),
        ("GET", "/indexes/notes/jobs/1"),
        ("POST", "/indexes/notes/search"),
        ("POST", "/indexes/notes/documents"),
        ("PUT", "/indexes/notes/documents"),
        ("DELETE", "/indexes/notes/documents"),
        ("POST", "/encode"),
        ("POST", "/rerank"),
        ("GET", "/metrics"),
    ] {
        for headers in ["", "Authorization: Bearer fl_wrong\r\n", "Authorization: Basic ???\r\n"] {
            assert_eq!(ask(method, path, headers, b"{}"), 401, "{method} {path} {headers}");
        }
    }
    assert_eq!(ask("GET", "/health", "", b""), 200);
    assert_eq!(ask("POST", "/indexes/notes/search", &bearer(&reader), search), 200);
    assert_eq!(ask("POST", "/indexes/notes/documents", &bearer(&reader), put), 403);
    assert_eq!(
        ask("DELETE", "/indexes/notes/documents", &bearer(&reader), br#"{"ids":["a"]}"#),
        403
    );
    assert_eq!(ask("POST", "/indexes/notes/documents", &bearer(&writer), put), 202);
}

#[test]
fn nothing_listens_beyond_this_machine_without_keys() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = Service::open(config(folder.path())).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = SocketAddr::from(([0, 0, 0, 0], 0));
    let served = runtime.block_on(serve(service, (address, None), |_| {}, async {}));
    assert!(matches!(served, Err(ServeError::Open { .. })));
    let names = ["", "a/b", ".hidden", "a b"];
    for name in names {
        let indexes = vec![(name.to_owned(), folder.path().to_owned())];
        let opened = Service::open(Config { indexes, ..config(folder.path()) });
        assert!(matches!(opened.err(), Some(ServeError::Name { .. })), "{name:?}");
    }
}

#[test]
fn accepted_changes_survive_the_end() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    // as a killed service leaves it: accepted, on disk, and not in the collection
    let journal = folder.path().join("journal");
    std::fs::create_dir(&journal).unwrap();
    for (number, text) in [(1, "light"), (2, "ship")] {
        let change = json!({"put": [{"id": "x", "text": text}, {"id": text, "text": text}]});
        let path = journal.join(format!("{number:012}.json"));
        write!(std::fs::File::create_new(path).unwrap(), "{change}").unwrap();
    }
    let service = start(config(folder.path()));
    service.change("POST", &json!({"documents": [{"id": "y", "text": "baking"}]}));
    let text = |id: &str| {
        service.json("GET", &format!("/indexes/notes/documents/{id}"), &json!(null)).1["text"]
            .clone()
    };
    assert_eq!(
        [text("x"), text("light"), text("ship"), text("y")],
        ["ship", "light", "ship", "baking"]
    );
    drop(service);
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 1, "its lock alone");
    // numbers go on where they were
    let service = start(config(folder.path()));
    assert_eq!(service.job(3), json!({"state": "done", "generation": 0}));
    let body = json!({"documents": [{"id": "z", "text": "nine"}]});
    let (_, accepted) = service.json("POST", "/indexes/notes/documents", &body);
    assert_eq!(accepted["job"], 4);
}

#[test]
fn changes_wait_while_the_system_refuses() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    // a file where the next words want a directory
    let obstacle = folder.path().join("words-000003");
    std::fs::File::create_new(&obstacle).unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&log);
    let config = || Config {
        log: Arc::new({
            let kept = Arc::clone(&kept);
            move |line: &str| kept.lock().unwrap().push(line.to_owned())
        }),
        ..config(folder.path())
    };
    let service = start(config());
    let body = json!({"documents": [{"id": "z", "text": "nine"}]});
    assert_eq!(service.json("POST", "/indexes/notes/documents", &body).1["job"], 1);
    let began = Instant::now();
    while log.lock().unwrap().iter().all(|line| !line.contains("change 1 waits")) {
        assert!(began.elapsed() < Duration::from_secs(20), "{log:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    let waiting = service.job(1);
    assert_eq!(waiting["state"], "waiting");
    assert!(waiting["because"].as_str().unwrap().contains("words-000003"), "{waiting}");
    // nor are they lost when the service ends meanwhile
    drop(service);
    let service = start(config());
    assert_eq!(service.job(1)["state"], "waiting");
    std::fs::remove_file(&obstacle).unwrap();
    assert_eq!(service.ended(1)["state"], "done");
    assert_eq!(service.ask("GET", "/indexes/notes/documents/z", "", b"").0, 200);
}

#[test]
fn an_index_is_served_once() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let error = Service::open(config(folder.path())).err().unwrap();
    assert!(matches!(error, ServeError::Taken { .. }) && error.hint().is_some(), "{error}");
    drop(service);
    let place = folder.path().to_owned();
    let twice = vec![("a".to_owned(), place.clone()), ("b".to_owned(), place)];
    let error = Service::open(Config { indexes: twice, ..config(folder.path()) }).err().unwrap();
    assert!(matches!(error, ServeError::Taken { .. }), "{error}");
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let (path, body) = ("/indexes/notes/documents", br#"{"ids": ["a"]}"#);
    for header in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        let (status, answer) = service.ask("DELETE", path, header, body);
        assert!(status == 403 && answer.contains("foreign_site"), "{header}: {answer}");
    }
    // a name of somebody else that leads to this machine
    let rebound = "GET /indexes HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(service.raw(rebound.as_bytes()).starts_with("HTTP/1.1 403"));
    let (status, _) = service.ask("DELETE", path, "Origin: http://localhost\r\n", body);
    assert_eq!(status, 202);
}

#[test]
fn metadata_has_limits_and_methods_are_counted_by_name() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let put = |metadata: Value| {
        let document = json!({"id": "m", "text": "light", "metadata": metadata});
        service.json("POST", "/indexes/notes/documents", &json!({"documents": [document]}))
    };
    for metadata in [json!({"a": vec![0; 1001]}), json!({"a": "x".repeat(65_536)})] {
        let (status, answer) = put(metadata);
        assert_eq!((status, code(&answer)), (400, "bad_request"), "{answer}");
    }
    assert_eq!(put(json!({"a": vec![0; 1000]})).0, 202);
    service.ask("BREW", "/indexes", "", b"");
    let (_, metrics) = service.ask("GET", "/metrics", "", b"");
    assert!(metrics.contains("method=\"other\"") && !metrics.contains("BREW"), "{metrics}");
}

#[test]
fn what_cannot_be_made_is_told_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let journal = folder.path().join("journal");
    std::fs::create_dir(&journal).unwrap();
    write!(std::fs::File::create_new(journal.join("000000000001.json")).unwrap(), "no").unwrap();
    let service = start(config(folder.path()));
    let failed = service.ended(1);
    assert_eq!(failed["state"], "failed");
    drop(service);
    let service = start(config(folder.path()));
    assert_eq!(service.job(1), failed);
    let body = json!({"documents": [{"id": "z", "text": "nine"}]});
    assert_eq!(service.json("POST", "/indexes/notes/documents", &body).1["job"], 2);
}

#[test]
fn who_finds_no_room_is_told_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let limits = Limits { waiting: 1, ..config(folder.path()).limits };
    let threads = NonZero::<usize>::MIN;
    let service = start(Config { limits, threads, ..config(folder.path()) });
    // many long texts at once, one thread and room for one
    let body = json!({"index": "notes", "documents": vec!["light ".repeat(300); 250]}).to_string();
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let ask = || service.ask("POST", "/encode", "", body.as_bytes());
        let all: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let of = |status: u16| answers.iter().filter(|(found, _)| *found == status).count();
    assert_eq!(of(200) + of(429), 12, "{:?}", answers.iter().map(|it| it.0).collect::<Vec<_>>());
    assert!(of(200) >= 1 && of(429) >= 1);
    assert_eq!(service.json("POST", "/indexes/notes/search", &json!({"query": "a"})).0, 200);
}

#[test]
fn the_description_names_every_path() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    make(&place);
    let service = start(config(&place));
    let (status, api) = service.json("GET", "/openapi.json", &json!(null));
    assert_eq!(status, 200);
    let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/indexes/{name}/search",
        "/indexes/{name}/documents",
        "/encode",
        "/rerank",
        "/metrics",
        "/ready",
    ] {
        assert!(paths.iter().any(|found| *found == path), "{path} in {paths:?}");
    }
    let mut ids = HashSet::new();
    for operation in operations(&api) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "`{id}` stands twice");
        assert!(operation["responses"]["408"].is_object(), "{id}");
        assert!(operation["responses"]["401"].is_null(), "{id} wants a key that nobody has");
    }
    assert!(api["security"].is_null());
    drop(service);

    let (_, line) = new_key("reader", Scope::Read).unwrap();
    let file = folder.path().join("keys");
    writeln!(std::fs::File::create_new(&file).unwrap(), "{line}").unwrap();
    let service = start(Config { keys: Some(Keys::open(&file).unwrap()), ..config(&place) });
    let (_, api) = service.json("GET", "/openapi.json", &json!(null));
    assert!(api["security"].is_array());
    let page = serde_json::to_string_pretty(&api).unwrap() + "\n";
    reference_page::check_page("openapi.json", &page);
    for operation in operations(&api) {
        let open = operation["security"].is_array();
        assert_eq!(
            operation["responses"]["401"].is_object(),
            !open,
            "{}",
            operation["operationId"]
        );
    }
}

/// All operations of a description.
fn operations(api: &Value) -> Vec<&Value> {
    let paths = api["paths"].as_object().unwrap().values();
    paths.flat_map(|path| path.as_object().unwrap().values()).collect()
}

#[test]
fn pages_are_for_people() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let attack = r#"<script>alert(1)</script>"><img src=x onerror=alert(2)>"#;
    let metadata = json!({attack: attack});
    let document = json!({"id": attack, "title": attack, "text": attack, "metadata": metadata});
    service.change("POST", &json!({"documents": [document]}));
    let page = |path: &str| service.ask("GET", path, "", b"");
    let (status, home) = page("/");
    assert!(status == 200 && home.contains("id=\"ask\""), "{home}");
    for path in ["/style.css", "/page.js", "/icon.svg", "/stats", "/api"] {
        assert_eq!(page(path).0, 200, "{path}");
    }
    let coded: String = form_urlencoded::byte_serialize(attack.as_bytes()).collect();
    for path in [
        format!("/?q={coded}&filter="),
        format!("/?q=light&filter={coded}"),
        format!("/?q=light&index={coded}"),
        format!("/?q=light&hybrid=0&hybrid=1&lanes={coded}&rerank={coded}"),
        format!("/?q={coded}&fragment=1"),
        format!("/stats?index={coded}"),
    ] {
        let (_, text) = page(&path);
        assert!(!text.contains("<script>alert") && !text.contains("<img"), "{path}: {text}");
    }
    let (status, text) = page("/?q=light&filter=lang+%3D");
    assert!(status == 400 && text.contains("The filter cannot be read"), "{text}");
    let (status, text) = page("/?q=light&filter=lang+%3D&fragment=1");
    assert!(status == 400 && text.starts_with("The filter") && text.ends_with('.'), "{text}");
    assert_eq!(page("/?q=light&index=none").0, 404);
    let (status, text) = page("/?q=light");
    assert!(status == 200 && text.contains("data-id=\"a\""), "{text}");
}
