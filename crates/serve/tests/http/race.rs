//! A service and another writer race for one index: what either reported holds, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use fastlane::{Collection, CollectionError, Document, OpenIndexError};
use serde_json::json;

use crate::service::{Running, config, make, start};

const ROUNDS: u64 = 50;

type Documents = BTreeMap<String, String>;

#[test]
fn what_a_service_and_a_writer_report_holds() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let service = start(config(folder.path()));
    let mut held = Documents::from([("a", "light house"), ("b", "nine ships seen")].map(owned));
    let mut reported = 0;
    for round in 0..ROUNDS {
        let place = folder.path().to_owned();
        let writer = std::thread::spawn(move || write(&place, round));
        let mut ended = vec![ask(&service, round)];
        ended.extend(writer.join().unwrap());
        ended.sort_by_key(|it| it.0);
        reported += ended.len();
        for (_, change) in ended {
            change(&mut held);
        }
        let checked = Collection::check(folder.path(), |_| true).unwrap();
        assert_eq!(checked.problems, [], "round {round}");
        let collection = Collection::options().without_encoder().open(folder.path()).unwrap();
        let text = |id: &String| collection.document(id).unwrap().unwrap().text;
        let found: Documents =
            collection.ids().into_iter().map(|id| (id.clone(), text(&id))).collect();
        assert_eq!(found, held, "round {round}");
    }
    println!("{ROUNDS} rounds: {reported} changes, 0 lost");
    assert!(reported as u64 > ROUNDS + ROUNDS / 4);
}

fn owned((id, text): (&str, &str)) -> (String, String) {
    (id.to_owned(), text.to_owned())
}

/// The number of a commit, and what it made of the documents.
type Reported = (u64, Box<dyn FnOnce(&mut Documents) + Send>);

/// Puts or deletes a document by the service.
fn ask(service: &Running, round: u64) -> Reported {
    let (id, text) = (format!("d{}", round % 7), format!("light {round}"));
    let (method, body) = match round % 3 {
        0 => ("DELETE", json!({"ids": [id]})),
        _ => ("POST", json!({"documents": [{"id": id, "text": text}]})),
    };
    let (status, accepted) = service.json(method, "/indexes/notes/documents", &body);
    assert_eq!(status, 202, "{accepted}");
    let job = service.ended(accepted["job"].as_u64().unwrap());
    let generation = job["generation"].as_u64().unwrap_or_else(|| panic!("{job}"));
    (
        generation,
        match method {
            "DELETE" => Box::new(move |held| drop(held.remove(&id))),
            _ => Box::new(move |held| drop(held.insert(id, text))),
        },
    )
}

/// Changes the index beside the service; every third time it gives up before the commit.
fn write(place: &Path, round: u64) -> Option<Reported> {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
    let collection = Collection::options().model(model).open(place).unwrap();
    let mut writer = loop {
        match collection.writer() {
            Err(CollectionError::OpenViews(OpenIndexError::Locked { .. })) => {}
            writer => break writer.unwrap(),
        }
    };
    let (id, text) = (format!("d{}", round % 5), format!("ship {round}"));
    let document = || Document { id: id.clone(), text: text.clone(), ..Document::default() };
    match round % 6 {
        0 | 3 => {
            writer.add([document()]).unwrap();
            None
        }
        1 => {
            writer.update([document()]).unwrap();
            let all = Documents::from([(id, text)]);
            Some((writer.commit().unwrap(), Box::new(move |held| *held = all)))
        }
        2 => Some((writer.compact().unwrap(), Box::new(|_| {}))),
        _ => {
            writer.add([document()]).unwrap();
            Some((writer.commit().unwrap(), Box::new(move |held| drop(held.insert(id, text)))))
        }
    }
}
