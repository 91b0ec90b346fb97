//! Commits accepted changes in order, with one thread for each index.
//!
//! Waiting changes are committed together. If one of them fails, each is applied alone, and those
//! that fail are reported. While the system refuses writes (a full disk, another writer), all wait
//! and are retried, so that accepted changes are not lost to a temporary fault.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fastlane::{Collection, CollectionError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Refusal, ServeError, chain};
use crate::journal::{self, Change, Journal, JournalError};

/// The tag of a collection that stores the last change that was applied from the journal.
const TAG: &str = "journal";
/// The most changes in one commit.
const TOGETHER: usize = 64;
/// Finished jobs whose state is kept.
const REMEMBERED: usize = 10_000;
/// Delays before refused changes are retried, rising.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(30)];
/// The interval at which waiting threads check for shutdown.
const LOOK: Duration = Duration::from_millis(100);

/// The state of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Job {
    /// Accepted, not committed yet.
    Waiting {
        /// Why the change is delayed, if it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// Committed.
    Done {
        /// The number of the commit with the change; 0 if the service has been restarted since.
        generation: u64,
    },
    /// Failed: the change cannot be applied.
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

/// Why changes are not applied.
enum ApplyError {
    /// A temporary fault: retry later.
    Transient(String),
    /// A permanent error.
    Permanent(String),
}

struct Shared {
    collection: Collection,
    journal: Journal,
    log: Arc<dyn Fn(&str) + Send + Sync>,
    table: Mutex<JobTable>,
    stopping: AtomicBool,
}

#[derive(Default)]
struct JobTable {
    /// The number of the next change.
    next: u64,
    /// All changes up to this one were finished before the service started.
    ended: u64,
    /// The failures of changes up to this one are no longer stored.
    forgotten: u64,
    waiting: usize,
    jobs: BTreeMap<u64, Job>,
}

impl Jobs {
    /// Resumes with the changes that were accepted earlier.
    pub(crate) fn open(
        collection: &Collection,
        place: Option<&Path>,
        log: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, ServeError> {
        let path = collection.path();
        let journal = Journal::open(path, place).map_err(|error| match error {
            JournalError::Taken => ServeError::Taken { path: path.to_owned() },
            JournalError::Left { directory, count } => {
                ServeError::JournalLeft { path: path.to_owned(), directory, count }
            }
            JournalError::Io { path, source } => ServeError::File { path, source },
        })?;
        let directory = journal.directory().to_owned();
        let failed = |source| ServeError::File { path: directory.clone(), source };
        let done: u64 = collection.tag(TAG).and_then(|number| number.parse().ok()).unwrap_or(0);
        let (give, take) = channel();
        let mut table = JobTable { next: done + 1, ended: done, ..JobTable::default() };
        let failures = journal.failures().map_err(failed)?;
        if failures.len() >= journal::REMEMBERED {
            // failures before the oldest of these may have been dropped
            table.forgotten = failures.first().map_or(0, |(oldest, _)| oldest - 1);
        }
        for (number, message) in failures {
            table.next = table.next.max(number + 1);
            table.jobs.insert(number, Job::Failed { message });
        }
        for number in journal.numbers().map_err(failed)? {
            // the crash was after the commit and before the removal from the journal
            if number <= done {
                journal.forget(number).map_err(failed)?;
                continue;
            }
            table.next = table.next.max(number + 1);
            table.waiting += 1;
            table.jobs.insert(number, Job::Waiting { because: None });
            let _ = give.send(number);
        }
        let collection = collection.clone();
        let (table, stopping) = (Mutex::new(table), AtomicBool::new(false));
        let shared = Arc::new(Shared { collection, journal, log, table, stopping });
        let worker = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("write".to_owned()).spawn(move || shared.work(&take))
        };
        let worker = Mutex::new(Some(worker.map_err(ServeError::Threads)?));
        Ok(Self { give: Mutex::new(Some(give)), shared, worker })
    }

    /// Counts the changes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.table().waiting
    }

    /// Accepts a change: writes it to the journal and returns its number. It blocks on the disk.
    pub(crate) fn accept(&self, change: &Change, room: usize) -> Result<u64, Refusal> {
        // numbers are assigned in the order of the journal
        let give = self.give.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(give) = &*give else { return Err(stopping()) };
        let number = {
            let mut table = self.shared.table();
            if table.waiting >= room {
                return Err(Refusal::overloaded("changes"));
            }
            table.next += 1;
            table.next - 1
        };
        if let Err(error) = self.shared.journal.keep(number, change) {
            // the next change reuses the number of a refused one: no client waits for it
            self.shared.table().next = number;
            return Err(Refusal::storage(format!("cannot write the journal: {error}")));
        }
        let mut table = self.shared.table();
        table.waiting += 1;
        table.jobs.insert(number, Job::Waiting { because: None });
        drop(table);
        give.send(number).map_err(|_| stopping())?;
        Ok(number)
    }

    /// Returns the state of a change, if there is one with that number.
    pub(crate) fn find(&self, number: u64) -> Option<Job> {
        let table = self.shared.table();
        let before = table.forgotten < number && number <= table.ended;
        table.jobs.get(&number).cloned().or(before.then_some(Job::Done { generation: 0 }))
    }

    /// Applies the accepted changes and accepts no more. Those that the system refuses stay in the
    /// journal for the next start; returns their number.
    pub(crate) fn finish(&self) -> usize {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.give.lock().unwrap_or_else(PoisonError::into_inner).take();
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            let _ = worker.join();
        }
        self.waiting()
    }
}

fn stopping() -> Refusal {
    let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
    Refusal::new(status, "stopping", "the service is shutting down")
}

impl Shared {
    fn table(&self) -> std::sync::MutexGuard<'_, JobTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, take: &Receiver<u64>) {
        loop {
            let first = match take.recv_timeout(Duration::from_secs(1)) {
                Ok(first) => first,
                // other processes may write too, such as `fastlane index`
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

    /// Applies some changes, retrying until it succeeds, or reports those that fail. It breaks if
    /// the service stops first: later changes must not overtake them.
    fn settle(&self, numbers: &[u64]) -> ControlFlow<()> {
        let mut pause = PAUSES[0];
        loop {
            match self.make(numbers) {
                Ok(generation) => {
                    self.end(numbers, &Job::Done { generation });
                    return ControlFlow::Continue(());
                }
                Err(ApplyError::Permanent(_)) if numbers.len() > 1 => {
                    return numbers.iter().try_for_each(|number| self.settle(&[*number]));
                }
                Err(ApplyError::Permanent(why)) => {
                    self.fail(numbers[0], why);
                    return ControlFlow::Continue(());
                }
                Err(ApplyError::Transient(why)) => self.wait(numbers, why, pause)?,
            }
            pause = PAUSES[1].min(pause * 2);
        }
    }

    /// Logs why changes are delayed, and waits; breaks if the service stops meanwhile.
    fn wait(&self, numbers: &[u64], why: String, pause: Duration) -> ControlFlow<()> {
        let waiting = Job::Waiting { because: Some(why) };
        let mut table = self.table();
        for &number in numbers {
            if table.jobs.insert(number, waiting.clone()).as_ref() == Some(&waiting) {
                continue;
            }
            if let Job::Waiting { because: Some(why) } = &waiting {
                (self.log)(&format!("change {number} waits: {why}"));
            }
        }
        drop(table);
        let began = Instant::now();
        while began.elapsed() < pause {
            if self.stopping.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            std::thread::sleep(LOOK);
        }
        ControlFlow::Continue(())
    }

    /// Applies some changes in one commit; a change that causes a panic fails.
    fn make(&self, numbers: &[u64]) -> Result<u64, ApplyError> {
        catch_unwind(AssertUnwindSafe(|| self.commit(numbers))).unwrap_or_else(|_| {
            Err(ApplyError::Permanent("it caused a panic in the service: see the log".to_owned()))
        })
    }

    fn commit(&self, numbers: &[u64]) -> Result<u64, ApplyError> {
        let mut writer = self.collection.writer()?;
        for &number in numbers {
            let change = self.journal.read(number).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::NotFound => {
                    ApplyError::Permanent(format!("it is missing from the journal: {error}"))
                }
                _ => ApplyError::Transient(error.to_string()),
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
                        Some(error) => return Err(ApplyError::Permanent(error.to_string())),
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
        (self.log)(&format!("change {number} cannot be applied: {message}"));
        if let Err(error) = self.journal.fail(number, &message) {
            (self.log)(&format!(
                "cannot write to the journal that change {number} failed: {error}"
            ));
        }
        self.ended(&[number], &Job::Failed { message });
    }

    fn end(&self, numbers: &[u64], job: &Job) {
        for &number in numbers {
            // a file that remains is ignored at the next start, because of the tag
            if let Err(error) = self.journal.forget(number) {
                (self.log)(&format!("cannot remove change {number} from the journal: {error}"));
            }
        }
        self.ended(numbers, job);
    }

    fn ended(&self, numbers: &[u64], job: &Job) {
        let mut table = self.table();
        table.waiting -= numbers.len();
        table.jobs.extend(numbers.iter().map(|&number| (number, job.clone())));
        while table.jobs.len() > REMEMBERED {
            // failures are kept longest, so a change without a stored state was applied
            let done =
                |(number, job): (&u64, &Job)| matches!(job, Job::Done { .. }).then_some(*number);
            let Some(oldest) = table.jobs.iter().find_map(done) else { break };
            table.jobs.remove(&oldest);
            table.ended = table.ended.max(oldest);
        }
    }
}

impl From<CollectionError> for ApplyError {
    fn from(error: CollectionError) -> Self {
        match error.is_transient() {
            true => Self::Transient(chain(&error)),
            false => Self::Permanent(chain(&error)),
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
        drop(Journal::open(&place, None).unwrap());
        for number in 1..=last {
            std::fs::File::create_new(place.join(format!("journal/{number:012}.failed"))).unwrap();
        }
        let mut writer = collection.writer().unwrap();
        writer.tag(TAG, (last + 1).to_string());
        writer.commit().unwrap();
        for _ in 0..2 {
            let jobs = Jobs::open(&collection, None, Arc::new(|_| {})).unwrap();
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
        let jobs = Jobs::open(&collection(&place), None, Arc::new(|_| {})).unwrap();
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
