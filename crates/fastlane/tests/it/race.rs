//! Two writers race for one collection, with failures and stops in between: what a writer reported
//! holds, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastlane::{Collection, CollectionError, CollectionWriter, Model, OpenIndexError};

use crate::{document, memory, model, problems, words};

/// Rounds of two writers each.
const ROUNDS: u64 = 500;
/// Rounds of two that make one collection.
const CREATIONS: usize = 100;
const SEED: u64 = 17;

type Documents = BTreeMap<String, String>;

/// What one writer does in a round.
#[derive(Debug, Clone, Copy)]
enum Act {
    Add,
    Update,
    Delete,
    Compact,
    /// Adds, and stops before the commit.
    GiveUp,
    /// Adds, and a document fails on the way.
    Fail,
    /// Adds, and is stopped in the commit.
    Interrupt,
}

const ACTS: [Act; 7] =
    [Act::Add, Act::Update, Act::Delete, Act::Compact, Act::GiveUp, Act::Fail, Act::Interrupt];

/// A change that was reported: the number of its commit, and what it made of the documents.
struct Reported {
    generation: u64,
    change: Box<dyn FnOnce(&mut Documents) + Send>,
}

#[test]
fn what_writers_report_holds_with_others_writing() {
    let folder = memory();
    let place = folder.path().join("notes");
    let model = model("lanes-split");
    drop(Collection::options().encoder(Arc::clone(&model)).create(&place).unwrap());
    let mut held = Documents::new();
    let mut reported = 0;
    for round in 0..ROUNDS {
        let race = |writer: u64| {
            let (place, model) = (place.clone(), Arc::clone(&model));
            std::thread::spawn(move || write(&place, model, round * 2 + writer))
        };
        let mut ended: Vec<Reported> =
            [race(0), race(1)].into_iter().filter_map(|writer| writer.join().unwrap()).collect();
        ended.sort_by_key(|it| it.generation);
        reported += ended.len();
        ended.into_iter().for_each(|it| (it.change)(&mut held));
        assert_holds(&place, &model, &held, round);
    }
    println!("{ROUNDS} rounds, seed {SEED}: {reported} commits, 0 lost");
    assert!(reported > ROUNDS as usize / 2, "only {reported} commits");
}

/// One writer: waits for the lock, changes, and perhaps commits.
fn write(place: &Path, model: Arc<Model>, number: u64) -> Option<Reported> {
    let mut random = Random(SEED ^ (number << 8));
    let act = ACTS[random.below(ACTS.len())];
    let collection = Collection::options().encoder(model).open(place).unwrap();
    let mut writer = wait(&collection);
    let some: Vec<(String, String)> = (0..1 + random.below(3))
        .map(|_| (format!("d{}", random.below(12)), format!("light ship {number}")))
        .collect();
    let documents = || some.iter().map(|(id, text)| document(id, text)).collect::<Vec<_>>();
    let insert = |held: &mut Documents, some: Vec<(String, String)>| held.extend(some);
    match act {
        Act::Add => {
            writer.add(documents()).unwrap();
            report(writer.commit(), move |held| insert(held, some))
        }
        Act::Update => {
            let mut once: Documents = some.into_iter().collect();
            let each = once.iter().map(|(id, text)| document(id, text)).collect::<Vec<_>>();
            writer.update(each).unwrap();
            report(writer.commit(), move |held| *held = std::mem::take(&mut once))
        }
        Act::Delete => {
            for (id, _) in &some {
                writer.delete(id).unwrap();
            }
            report(writer.commit(), move |held| {
                held.retain(|id, _| some.iter().all(|it| it.0 != *id));
            })
        }
        Act::Compact => report(writer.compact(), |_| {}),
        Act::GiveUp => {
            writer.add(documents()).unwrap();
            None
        }
        Act::Fail => {
            let mut failing = documents();
            failing.push(document("", "light"));
            writer.add(failing).unwrap_err();
            None
        }
        Act::Interrupt => {
            writer.add(documents()).unwrap();
            let mut looks = random.below(3);
            writer.on_progress(move |_| {
                looks = looks.wrapping_sub(1);
                looks < usize::MAX / 2
            });
            report(writer.commit(), move |held| insert(held, some))
        }
    }
}

fn report(
    committed: Result<u64, CollectionError>,
    change: impl FnOnce(&mut Documents) + Send + 'static,
) -> Option<Reported> {
    match committed {
        Err(CollectionError::Stopped) => None,
        committed => Some(Reported { generation: committed.unwrap(), change: Box::new(change) }),
    }
}

/// The writer of a collection, once no other has it.
fn wait(collection: &Collection) -> CollectionWriter {
    loop {
        match collection.writer() {
            Err(CollectionError::OpenViews(OpenIndexError::Locked { .. })) => {
                std::thread::yield_now();
            }
            writer => return writer.unwrap(),
        }
    }
}

fn assert_holds(place: &Path, model: &Arc<Model>, held: &Documents, round: u64) {
    assert_eq!(problems(place), Vec::<String>::new(), "round {round}");
    let collection = Collection::options().encoder(Arc::clone(model)).open(place).unwrap();
    let found: Documents = (collection.ids().into_iter())
        .map(|id| {
            let text = collection.document(&id).unwrap().unwrap().text;
            (id, text)
        })
        .collect();
    assert_eq!(found, *held, "round {round}");
    assert_eq!(words(place).len(), 1, "round {round}");
}

#[test]
fn of_two_that_make_a_collection_one_makes_it() {
    let model = model("lanes-split");
    let refused = Arc::new(AtomicUsize::new(0));
    for round in 0..CREATIONS {
        let folder = memory();
        let place = folder.path().join("notes");
        let make = |id: &'static str| {
            let (place, model, refused) = (place.clone(), Arc::clone(&model), Arc::clone(&refused));
            std::thread::spawn(move || match Collection::options().encoder(model).create(&place) {
                Ok(collection) => {
                    let mut writer = wait(&collection);
                    writer.add([document(id, "light")]).unwrap();
                    writer.commit().unwrap();
                    Some(id)
                }
                Err(_) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    None
                }
            })
        };
        let mut made: Vec<&str> =
            [make("a"), make("b")].into_iter().filter_map(|it| it.join().unwrap()).collect();
        made.sort_unstable();
        assert_eq!(made.len(), 1, "round {round}");
        assert_eq!(
            Collection::options().without_encoder().open(&place).unwrap().ids(),
            made,
            "round {round}"
        );
        assert_eq!(problems(&place), Vec::<String>::new(), "round {round}");
    }
    assert_eq!(refused.load(Ordering::Relaxed), CREATIONS);
}

/// A small generator of random numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % most as u64) as usize
    }
}
