//! What becomes of changes, whatever happens to the service.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastlane_serve::{Config, ServeError, Service};
use serde_json::json;

use crate::service::{config, make, start};

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
    // a directory where the next manifest wants a file
    let obstacle = folder.path().join("views/generation-000003");
    std::fs::create_dir(&obstacle).unwrap();
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
    assert!(waiting["because"].as_str().unwrap().contains("views"), "{waiting}");
    // nor are they lost when the service ends meanwhile
    drop(service);
    let service = start(config());
    assert_eq!(service.job(1)["state"], "waiting");
    std::fs::remove_dir(&obstacle).unwrap();
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
