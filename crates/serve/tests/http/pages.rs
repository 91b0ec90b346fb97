//! What the service says of itself.

use std::collections::HashSet;
use std::io::Write as _;

use fastlane_serve::{Config, Keys, Scope, new_key};
use serde_json::{Value, json};

use crate::reference_page;
use crate::service::{config, make, start};

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
