//! Synchronises a few threads through many short phases by spinning instead of sleeping.
//!
//! A query takes about a millisecond and has some forty phases; waking a thread takes as long as
//! one phase. So helper threads are woken once, and then poll for the next phase.
//!
//! Each phase has the same number of *parts*, which threads take one by one. Threads wait for
//! parts, not for each other: if a helper is late, or never starts, the others do its share. Only a
//! thread that has taken a part and then loses its core delays the phase.
//!
//! A part that panics aborts the pass on all threads, because its result is incomplete.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Polls before a thread yields its core: tens of microseconds.
const LOOKS: usize = 4000;

/// The shared state of the threads: counts of parts over all phases.
#[derive(Debug)]
pub(crate) struct Phases {
    parts: usize,
    taken: AtomicUsize,
    done: AtomicUsize,
    broken: AtomicBool,
}

/// A thread that takes part in the phases.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    crew: &'a Phases,
    /// The first part of the next phase.
    first: usize,
}

impl Phases {
    pub(crate) fn new(parts: usize) -> Self {
        let (taken, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { parts, taken, done, broken: AtomicBool::new(false) }
    }

    /// The number of parts of each phase.
    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    /// Joins from the first phase on; parts that are already done are skipped.
    pub(crate) fn join(&self) -> Member<'_> {
        Member { crew: self, first: 0 }
    }
}

impl Member<'_> {
    /// Works on parts of the next phase until all are done, by this thread or others.
    ///
    /// Every member must call it for the same phases in the same order.
    ///
    /// # Panics
    ///
    /// A part panicked, on this thread or another.
    pub(crate) fn share(&mut self, work: impl Fn(usize)) {
        let Phases { parts, taken, done, broken } = self.crew;
        let (first, end) = (self.first, self.first + parts);
        self.first = end;
        let next = |taken| (taken < end).then_some(taken + 1);
        // relaxed: the loads of `done` have shown that all parts before `first` are taken
        while let Ok(part) = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            let _done = Done(self.crew);
            work(part - first);
        }
        let mut looks = 0;
        // acquire: makes visible what other threads wrote before they were done
        while done.load(Ordering::Acquire) < end {
            looks += 1;
            if looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        assert!(!broken.load(Ordering::Relaxed), "a part of this pass panicked");
    }
}

/// Counts a part as done on drop, also after a panic, so that no thread waits for ever.
struct Done<'a>(&'a Phases);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
        self.0.done.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;
    use std::thread;

    use super::*;

    /// Sums numbers by phases, each of which needs the whole result of the one before; some members
    /// may be late.
    fn sum(parts: usize, phases: u64, late: &[bool]) -> Vec<u64> {
        let crew = Phases::new(parts);
        let sums: Vec<Mutex<Vec<u64>>> = (0..phases).map(|_| Mutex::default()).collect();
        let work = |late: bool| {
            if late {
                thread::sleep(std::time::Duration::from_millis(2));
            }
            let mut member = crew.join();
            for phase in 0..phases as usize {
                member.share(|part| {
                    let before = phase.checked_sub(1).map_or(1, |before| {
                        let before = sums[before].lock().unwrap();
                        assert_eq!(before.len(), parts, "the phase before is done");
                        before.iter().sum()
                    });
                    sums[phase].lock().unwrap().push(before + part as u64);
                });
            }
        };
        thread::scope(|scope| late.iter().for_each(|&late| drop(scope.spawn(move || work(late)))));
        sums.into_iter().map(|sums| sums.into_inner().unwrap().into_iter().sum()).collect()
    }

    #[test]
    fn every_part_is_done_once_and_phases_wait_for_each_other() {
        // three parts of s + 0, s + 1 and s + 2 make 3 s + 3
        let wanted: Vec<u64> =
            (0..20).scan(1, |s, _| Some(std::mem::replace(s, 3 * *s + 3))).collect();
        for late in [&[false][..], &[false, false], &[false, true, false, true], &[true; 5]] {
            let found = sum(3, 19, late);
            assert_eq!(found, wanted[1..], "{late:?}");
        }
    }

    #[test]
    fn a_panic_ends_the_pass_for_all_and_holds_nobody_up() {
        let crew = Phases::new(2);
        let work = || {
            let mut member = crew.join();
            member.share(|part| assert_eq!(part, 1, "part 0 fails"));
            member.share(|_| panic!("nobody comes so far"));
        };
        thread::scope(|scope| {
            for end in [(); 3].map(|()| scope.spawn(|| catch_unwind(AssertUnwindSafe(work)))) {
                let panic = end.join().unwrap().unwrap_err();
                let text = panic.downcast_ref::<String>().map_or("", String::as_str);
                assert!(!text.contains("nobody"), "{text}");
            }
        });
    }
}
