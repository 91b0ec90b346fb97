//! What the service answers.

use serde_json::{Value, json};

use crate::service::{code, config, make, start};

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
