//! Changes become commits, in the order in which they were accepted, by one thread for each index.
//!
//! Changes that wait are committed together. If one of them cannot be made, each is made alone, and
//! those that fail are reported. While the system refuses (a full disk, another writer), all wait,
//! and are tried again: what was accepted is not lost to a bad hour.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fastlane::{Collection, CollectionError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Refusal, ServeError, chain};
use crate::journal::{self, Change, Journal};

/// The tag of a collection that says how far the journal was worked off.
const TAG: &str = "journal";
/// Changes that are committed together at most.
const TOGETHER: usize = 64;
/// Ended jobs that are remembered.
const REMEMBERED: usize = 10_000;
/// How long to wait before changes that the system refused are tried again: longer each time.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(30)];
/// How often somebody who waits looks whether the service ends.
const LOOK: Duration = Duration::from_millis(100);

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Job {
    /// It is accepted, and not in the collection yet.
    Waiting {
        /// What it waits for, if something is in the way.
        #[serde(skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// It is in the collection.
    Done {
        /// The commit that holds it; 0 where the service was started anew since.
        generation: u64,
    },
    /// It cannot be made.
    Failed {
        /// Why not.
        message: String,
    },
}

/// The changes of an index.
pub(crate) struct Jobs {
    give: Mutex<Option<Sender<u64>>>,
    shared: Arc<Shared>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// Why changes are not made.
enum NotMade {
    /// They may be, later.
    Yet(String),
    /// They cannot be.
    Ever(String),
}

struct Shared {
    collection: Collection,
    journal: Journal,
    log: Arc<dyn Fn(&str) + Send + Sync>,
    state: Mutex<Known>,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Known {
    /// The number of the next change.
    next: u64,
    /// All changes up to this one were ended before the service began.
    ended: u64,
    /// Of the changes up to this one it is not known any more which failed.
    forgotten: u64,
    waiting: usize,
    jobs: BTreeMap<u64, Job>,
}

impl Jobs {
    /// Goes on with what was accepted before.
    pub(crate) fn open(
        collection: &Collection,
        log: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, ServeError> {
        let directory = collection.path();
        let failed = |source| ServeError::File { path: directory.to_owned(), source };
        let journal = Journal::open(directory).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => ServeError::Taken { path: directory.to_owned() },
            _ => failed(error),
        })?;
        let done: u64 = collection.tag(TAG).and_then(|number| number.parse().ok()).unwrap_or(0);
        let (give, take) = channel();
        let mut known = Known { next: done + 1, ended: done, ..Known::default() };
        let failures = journal.failures().map_err(failed)?;
        if failures.len() >= journal::REMEMBERED {
            // failures before the oldest of these may have been forgotten
            known.forgotten = failures.first().map_or(0, |(oldest, _)| oldest - 1);
        }
        for (number, message) in failures {
            known.next = known.next.max(number + 1);
            known.jobs.insert(number, Job::Failed { message });
        }
        for number in journal.numbers().map_err(failed)? {
            // the commit came before the crash, and forgetting did not
            if number <= done {
                journal.forget(number).map_err(failed)?;
                continue;
            }
            known.next = known.next.max(number + 1);
            known.waiting += 1;
            known.jobs.insert(number, Job::Waiting { because: None });
            let _ = give.send(number);
        }
        let collection = collection.clone();
        let (state, stopping) = (Mutex::new(known), AtomicBool::new(false));
        let shared = Arc::new(Shared { collection, journal, log, state, stopping });
        let worker = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("write".to_owned()).spawn(move || shared.work(&take))
        };
        let worker = Mutex::new(Some(worker.map_err(ServeError::Threads)?));
        Ok(Self { give: Mutex::new(Some(give)), shared, worker })
    }

    /// Counts the changes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.known().waiting
    }

    /// Takes a change in, on disk, and tells its number. It blocks on the disk.
    pub(crate) fn accept(&self, change: &Change, room: usize) -> Result<u64, Refusal> {
        // numbers come in the order of the journal
        let give = self.give.lock().expect("nobody panics while it is held");
        let Some(give) = &*give else { return Err(stopping()) };
        let number = {
            let mut known = self.shared.known();
            if known.waiting >= room {
                return Err(Refusal::overloaded("changes"));
            }
            known.next += 1;
            known.next - 1
        };
        if let Err(error) = self.shared.journal.keep(number, change) {
            // the next change takes a number that was refused: no client waits for it
            self.shared.known().next = number;
            return Err(Refusal::storage(format!("cannot write the journal: {error}")));
        }
        let mut known = self.shared.known();
        known.waiting += 1;
        known.jobs.insert(number, Job::Waiting { because: None });
        drop(known);
        give.send(number).map_err(|_| stopping())?;
        Ok(number)
    }

    /// Tells what became of a change, if there was one of that number.
    pub(crate) fn find(&self, number: u64) -> Option<Job> {
        let known = self.shared.known();
        let before = known.forgotten < number && number <= known.ended;
        known.jobs.get(&number).cloned().or(before.then_some(Job::Done { generation: 0 }))
    }

    /// Makes the changes that were accepted, and takes no more. Those that the system refuses wait
    /// in the journal for the next start; tells how many.
    pub(crate) fn finish(&self) -> usize {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.give.lock().expect("nobody panics while it is held").take();
        let worker = self.worker.lock().expect("nobody panics while it is held").take();
        if let Some(worker) = worker {
            let _ = worker.join();
        }
        self.waiting()
    }
}

fn stopping() -> Refusal {
    let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
    Refusal::new(status, "stopping", "the service is about to stop")
}

impl Shared {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.state.lock().expect("nobody panics while it is held")
    }

    fn work(&self, take: &Receiver<u64>) {
        loop {
            let first = match take.recv_timeout(Duration::from_secs(1)) {
                Ok(first) => first,
                // others may write too, such as `fastlane index`
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.collection.refresh() {
                        (self.log)(&chain(&error));
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut numbers = vec![first];
            numbers.extend(std::iter::from_fn(|| take.try_recv().ok()).take(TOGETHER - 1));
            if self.settle(&numbers).is_break() {
                return;
            }
        }
    }

    /// Makes some changes, however long it takes, or reports those that cannot be made. It breaks
    /// where the service ends before they are made: what comes later must not overtake them.
    fn settle(&self, numbers: &[u64]) -> ControlFlow<()> {
        let mut pause = PAUSES[0];
        loop {
            match self.make(numbers) {
                Ok(generation) => {
                    self.end(numbers, &Job::Done { generation });
                    return ControlFlow::Continue(());
                }
                Err(NotMade::Ever(_)) if numbers.len() > 1 => {
                    return numbers.iter().try_for_each(|number| self.settle(&[*number]));
                }
                Err(NotMade::Ever(why)) => {
                    self.fail(numbers[0], why);
                    return ControlFlow::Continue(());
                }
                Err(NotMade::Yet(why)) => self.wait(numbers, why, pause)?,
            }
            pause = PAUSES[1].min(pause * 2);
        }
    }

    /// Says why changes wait, and waits; breaks if the service ends meanwhile.
    fn wait(&self, numbers: &[u64], why: String, pause: Duration) -> ControlFlow<()> {
        let waiting = Job::Waiting { because: Some(why) };
        let mut known = self.known();
        for &number in numbers {
            if known.jobs.insert(number, waiting.clone()).as_ref() == Some(&waiting) {
                continue;
            }
            if let Job::Waiting { because: Some(why) } = &waiting {
                (self.log)(&format!("change {number} waits: {why}"));
            }
        }
        drop(known);
        let began = Instant::now();
        while began.elapsed() < pause {
            if self.stopping.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            std::thread::sleep(LOOK);
        }
        ControlFlow::Continue(())
    }

    /// Makes some changes in one commit; one that makes us panic cannot be made.
    fn make(&self, numbers: &[u64]) -> Result<u64, NotMade> {
        catch_unwind(AssertUnwindSafe(|| self.commit(numbers))).unwrap_or_else(|_| {
            Err(NotMade::Ever("it made the service panic: its log says where".to_owned()))
        })
    }

    fn commit(&self, numbers: &[u64]) -> Result<u64, NotMade> {
        let mut writer = self.collection.writer()?;
        for &number in numbers {
            let change = self.journal.read(number).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::NotFound => {
                    NotMade::Ever(format!("the journal has lost it: {error}"))
                }
                _ => NotMade::Yet(error.to_string()),
            })?;
            match change {
                Change::Put(documents) => {
                    // one at a time: values take more memory than their text
                    let mut unread = None;
                    let documents = documents.into_iter().map_while(|sent| {
                        sent.document().map_err(|error| unread = Some(error)).ok()
                    });
                    let added = writer.add(documents).map(|_| ());
                    match unread {
                        Some(error) => return Err(NotMade::Ever(error.to_string())),
                        None => added,
                    }
                }
                Change::Delete(ids) => ids.iter().try_for_each(|id| writer.delete(id).map(|_| ())),
            }?;
        }
        writer.tag(TAG, numbers.last().map_or(String::new(), ToString::to_string));
        Ok(writer.commit()?)
    }

    fn fail(&self, number: u64, message: String) {
        (self.log)(&format!("change {number} cannot be made: {message}"));
        if let Err(error) = self.journal.fail(number, &message) {
            (self.log)(&format!(
                "cannot write to the journal that change {number} failed: {error}"
            ));
        }
        self.ended(&[number], &Job::Failed { message });
    }

    fn end(&self, numbers: &[u64], job: &Job) {
        for &number in numbers {
            // a file that stays is forgotten at the next start, by the tag
            if let Err(error) = self.journal.forget(number) {
                (self.log)(&format!("cannot remove change {number} from the journal: {error}"));
            }
        }
        self.ended(numbers, job);
    }

    fn ended(&self, numbers: &[u64], job: &Job) {
        let mut known = self.known();
        known.waiting -= numbers.len();
        known.jobs.extend(numbers.iter().map(|&number| (number, job.clone())));
        while known.jobs.len() > REMEMBERED {
            // failures are remembered longest: what is not known any more was made
            let done =
                |(number, job): (&u64, &Job)| matches!(job, Job::Done { .. }).then_some(*number);
            let Some(oldest) = known.jobs.iter().find_map(done) else { break };
            known.jobs.remove(&oldest);
            known.ended = known.ended.max(oldest);
        }
    }
}

impl From<CollectionError> for NotMade {
    fn from(error: CollectionError) -> Self {
        match error.may_pass() {
            true => Self::Yet(chain(&error)),
            false => Self::Ever(chain(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use fastlane::{Model, Settings};

    use super::*;

    fn collection(place: &Path) -> Collection {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
        let model = Model::open(&model, &Settings::default()).unwrap();
        Collection::options().encoder(model).create(place).unwrap()
    }

    fn delete(id: &str) -> Change {
        Change::Delete(vec![id.to_owned()])
    }

    #[test]
    fn defect_u3_failures_that_were_forgotten_are_not_told_as_done() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notes");
        let collection = collection(&place);
        let last = journal::REMEMBERED as u64 + 5;
        drop(Journal::open(&place).unwrap());
        for number in 1..=last {
            std::fs::File::create_new(place.join(format!("journal/{number:012}.failed"))).unwrap();
        }
        let mut writer = collection.writer().unwrap();
        writer.tag(TAG, (last + 1).to_string());
        writer.commit().unwrap();
        for _ in 0..2 {
            let jobs = Jobs::open(&collection, Arc::new(|_| {})).unwrap();
            assert_eq!(jobs.find(5), None, "it failed, and this is not known any more");
            assert!(matches!(jobs.find(6), Some(Job::Failed { .. })));
            assert!(matches!(jobs.find(last), Some(Job::Failed { .. })));
            assert_eq!(jobs.find(last + 1), Some(Job::Done { generation: 0 }));
            jobs.finish();
        }
    }

    #[test]
    fn defect_u3_the_number_of_a_refused_change_is_that_of_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notes");
        let jobs = Jobs::open(&collection(&place), Arc::new(|_| {})).unwrap();
        let in_the_way = place.join("journal/000000000001.json.aside");
        std::fs::create_dir(&in_the_way).unwrap();
        let refused = jobs.accept(&delete("a"), 9).unwrap_err();
        assert_eq!((refused.code, jobs.find(1)), ("storage", None));
        std::fs::remove_dir(&in_the_way).unwrap();
        assert_eq!(jobs.accept(&delete("a"), 9).unwrap(), 1);
        jobs.finish();
        assert!(matches!(jobs.find(1), Some(Job::Done { .. })));
    }
}
