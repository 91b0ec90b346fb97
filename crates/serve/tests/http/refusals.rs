//! What the service refuses, and whom.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZero;

use fastlane_serve::{Config, Keys, Limits, Scope, ServeError, Service, new_key, serve};
use serde_json::{Value, json};

use crate::service::{code, config, make, start};

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
