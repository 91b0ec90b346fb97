//! What attacks once did, one test for each: named by the list of defects.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::num::NonZero;
use std::time::{Duration, Instant};

use fastlane_serve::{Config, Limits};
use serde_json::{Value, json};

use crate::service::{Running, code, config, make, start};

const SEARCH: &str = "/indexes/notes/search";

fn head(length: usize) -> String {
    format!("POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
}

/// Documents whose metadata is large.
fn put_large(service: &Running, count: usize) {
    for part in 0..count.div_ceil(10) {
        let document = |number: usize| {
            let id = format!("large{}", part * 10 + number);
            json!({"id": id, "text": "light house", "metadata": {"note": "x".repeat(60_000)}})
        };
        let documents: Vec<Value> = (0..10).map(document).collect();
        service.change("POST", &json!({"documents": documents}));
    }
}

#[test]
fn defect_s1_a_search_is_answered_while_a_batch_runs() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let threads = NonZero::<usize>::MIN;
    let limits = Limits { request: Duration::from_secs(60), ..config(folder.path()).limits };
    let service = start(Config { threads, limits, ..config(folder.path()) });
    let queries: Vec<String> = (0..256).map(|n| format!("light house {n} ").repeat(20)).collect();
    let body = json!({"queries": queries, "hybrid": "ranks"});
    let timed = |body: &Value| {
        let began = Instant::now();
        (service.json("POST", SEARCH, body).0, began.elapsed())
    };
    let (batch, times) = std::thread::scope(|scope| {
        let batch = scope.spawn(|| timed(&body));
        let mut times = Vec::new();
        while !batch.is_finished() {
            let (status, time) = timed(&json!({"query": "ships"}));
            assert_eq!(status, 200);
            times.push(time);
        }
        let (status, time) = batch.join().unwrap();
        assert_eq!(status, 200);
        (time, times)
    });
    assert!(times.len() > 3, "{} searches were answered beside the batch", times.len());
    let longest = times.into_iter().max().unwrap();
    assert!(longest < batch / 2, "a search took {longest:?} beside a batch of {batch:?}");
}

#[test]
fn defect_s1_filters_and_batches_have_limits() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let filter = vec!["n>0"; 65].join(" or ");
    let (status, answer) = service.json("POST", SEARCH, &json!({"query": "a", "filter": filter}));
    assert_eq!((status, code(&answer)), (400, "bad_request"), "{answer}");
    let page = format!("/?q=a&filter={}", filter.replace(' ', "+").replace('>', "%3E"));
    let (status, page) = service.ask("GET", &page, "", b"");
    assert!(status == 400 && page.contains("65 comparisons"), "{page}");
    let many = json!({"queries": vec!["a"; 101], "k": 100});
    let (status, answer) = service.json("POST", SEARCH, &many);
    assert_eq!((status, code(&answer)), (400, "bad_request"), "{answer}");
}

#[test]
fn defect_s2_an_image_on_another_page_is_no_search() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let image =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    let (status, answer) = service.ask("GET", "/?q=light", image, b"");
    assert!(status == 403 && answer.contains("foreign_site"), "{answer}");
    let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
                Sec-Fetch-User: ?1\r\n";
    assert_eq!(service.ask("GET", "/?q=light", link, b"").0, 200);
}

#[test]
fn defect_s3_bodies_count_when_they_come() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let limits = Limits { body: 1 << 20, memory: 4 << 20, ..Limits::default() };
    let service = start(Config { limits, ..config(folder.path()) });
    let announced = [head(1 << 20).as_bytes(), b"{"].concat();
    let connect = || {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(&announced).unwrap();
        stream
    };
    let silent: Vec<TcpStream> = (0..17).map(|_| connect()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    assert_eq!(service.json("POST", SEARCH, &json!({"query": "light"})).0, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(silent);
}

#[test]
fn defect_s3_a_body_that_comes_too_slowly_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let stall = Duration::from_millis(300);
    let limits = Limits { stall, request: Duration::from_secs(60), ..Limits::default() };
    let service = start(Config { limits, ..config(folder.path()) });
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.write_all(head(1 << 20).as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (began, mut answer) = (Instant::now(), Vec::new());
    let mut part = [0; 1024];
    while answer.is_empty() && began.elapsed() < Duration::from_secs(20) {
        let _ = stream.write_all(b" ");
        if let Ok(count) = stream.read(&mut part) {
            answer.extend_from_slice(&part[..count]);
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn defect_s3_what_one_client_has_in_memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let limits = Limits { body: 1 << 20, memory: 50_000, ..Limits::default() };
    let service = start(Config { limits, ..config(folder.path()) });
    let body = json!({"query": "light", "filter": " ".repeat(90_000)});
    let (status, answer) = service.json("POST", SEARCH, &body);
    assert_eq!((status, code(&answer)), (429, "overloaded"), "{answer}");
    assert_eq!(service.json("POST", SEARCH, &json!({"query": "light"})).0, 200);
}

#[test]
#[cfg(target_os = "linux")]
fn defect_s4_one_client_does_not_take_all_connections() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let limits = Limits { connections: 16, ..Limits::default() };
    let service = start(Config { limits, ..config(folder.path()) });
    let silent: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect(service.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let answer = service.health_from([127, 0, 0, 2]);
    assert!(answer.as_ref().is_some_and(|it| it.starts_with("HTTP/1.1 200 ")), "{answer:?}");
    drop(silent);
}

#[test]
fn defect_s4_silent_connections_are_closed_sooner_when_many_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let head = Duration::from_secs(5);
    let limits = Limits { connections: 8, head, ..Limits::default() };
    let service = start(Config { limits, ..config(folder.path()) });
    let silent: Vec<TcpStream> =
        (0..6).map(|_| TcpStream::connect(service.address).unwrap()).collect();
    let closed = |mut stream: &TcpStream| {
        let began = Instant::now();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.read(&mut [0; 1]);
        began.elapsed()
    };
    let last = closed(&silent[5]);
    assert!(last < Duration::from_secs(3), "the last one was closed after {last:?}");
    assert!(closed(&silent[0]) > Duration::from_secs(1), "the first one has its time");
}

#[test]
fn defect_s5_a_client_that_takes_its_answer_slowly_is_left() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let stall = Duration::from_millis(500);
    let limits = Limits { rate: 1 << 20, stall, ..Limits::default() };
    let service = start(Config { limits, ..config(folder.path()) });
    put_large(&service, 200);
    let body = json!({"query": "light", "k": 200, "rerank": 0}).to_string();
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.write_all(head(body.len()).as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    // a little of 12 MB, again and again
    let (began, mut part, mut taken) = (Instant::now(), vec![0; 10_000], 0);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    while began.elapsed() < Duration::from_secs(3) {
        taken += stream.read(&mut part).unwrap_or(0);
        std::thread::sleep(Duration::from_millis(200));
    }
    while let Ok(count @ 1..) = stream.read(&mut part) {
        taken += count;
    }
    assert!(taken > 10_000 && taken < 11_000_000, "{taken} bytes came");
}

#[test]
fn defect_c1_an_answer_has_a_limit_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let limits = Limits { answer: 1_000_000, ..config(folder.path()).limits };
    let service = start(Config { limits, ..config(folder.path()) });
    put_large(&service, 30);
    let ask = |body: &Value| service.json("POST", SEARCH, body);
    let (status, answer) = ask(&json!({"query": "light", "k": 5}));
    assert_eq!((status, answer["answers"][0]["hits"].as_array().unwrap().len()), (200, 5));
    for body in [json!({"query": "light", "k": 30}), json!({"queries": vec!["light"; 4], "k": 6})] {
        let (status, answer) = ask(&body);
        assert_eq!((status, code(&answer)), (413, "too_large"));
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.ends_with("ask for fewer at once, or use a smaller `k`"), "{message}");
    }
    // all answers of a client together
    let limits = Limits { memory: 1_000_000, ..config(folder.path()).limits };
    drop(service);
    let service = start(Config { limits, ..config(folder.path()) });
    let (status, answer) = service.json("POST", SEARCH, &json!({"query": "light", "k": 30}));
    assert_eq!((status, code(&answer)), (429, "overloaded"));
}

#[test]
fn defect_s6_lists_and_metadata_are_bounded_while_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let ask = |path: &str, body: String| {
        let (status, answer) = service.ask("POST", path, "", body.as_bytes());
        (status, serde_json::from_str::<Value>(&answer).unwrap()["error"]["code"].clone())
    };
    let texts = format!("[{}\"a\"]", "\"a\",".repeat(100_000));
    let too_large = (413, json!("too_large"));
    assert_eq!(ask(SEARCH, format!("{{\"queries\":{texts}}}")), too_large);
    for list in ["queries", "documents"] {
        let body = format!("{{\"index\":\"notes\",\"{list}\":{texts}}}");
        assert_eq!(ask("/encode", body), too_large, "{list}");
    }
    let body = format!("{{\"index\":\"notes\",\"query\":\"a\",\"documents\":{texts}}}");
    assert_eq!(ask("/rerank", body), too_large);
    let change = "/indexes/notes/documents";
    let document = |metadata: &str| {
        format!(r#"{{"documents":[{{"id":"m","text":"light","metadata":{metadata}}}]}}"#)
    };
    let lists = format!("{{\"a\":[{}[]]}}", "[],".repeat(100_000));
    for metadata in [lists.as_str(), "[]", "{\"a\":1e999}"] {
        assert_eq!(ask(change, document(metadata)), (400, json!("bad_request")));
    }
    let ids = format!("{{\"ids\":[{}\"a\"]}}", "\"a\",".repeat(10_000));
    let (status, answer) = service.ask("DELETE", change, "", ids.as_bytes());
    assert!(status == 413 && answer.contains("more than 10000 ids"), "{answer}");
    // and what may be sent is kept as it came
    let sent =
        json!({"id": "m", "title": "", "text": "light", "metadata": {"a": [1, {"b": null}]}});
    service.change("POST", &json!({"documents": [sent]}));
    let (_, found) = service.json("GET", "/indexes/notes/documents/m", &json!(null));
    assert_eq!(found, sent);
}
