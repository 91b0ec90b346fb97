//! A few threads that go through many short phases together, and do not sleep between them.
//!
//! A query is a millisecond of some forty phases, and to wake a thread takes as long as one of
//! them. So helpers are woken once, and then look again and again whether the next phase is there.
//!
//! Each phase has the same number of *parts*, and whoever comes takes the next one. All wait for
//! parts, not for threads: a helper that comes late, or never, leaves more for the others to do.
//! Only one that has taken a part and then loses its core is waited for.
//!
//! A part that panics ends the pass for all: nobody goes on with what it left unfinished.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Looks at what others do before a thread gives up its core for a moment: tens of microseconds.
const LOOKS: usize = 4000;

/// What the members of a crew know of each other: parts of all phases, counted through.
#[derive(Debug)]
pub(crate) struct Phases {
    parts: usize,
    taken: AtomicUsize,
    done: AtomicUsize,
    broken: AtomicBool,
}

/// A thread of a crew.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    crew: &'a Phases,
    /// The first part of the phase that is next.
    first: usize,
}

impl Phases {
    pub(crate) fn new(parts: usize) -> Self {
        let (taken, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { parts, taken, done, broken: AtomicBool::new(false) }
    }

    /// Counts the parts of each phase.
    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    /// Joins from the first phase on; what is done by then is passed over.
    pub(crate) fn join(&self) -> Member<'_> {
        Member { crew: self, first: 0 }
    }
}

impl Member<'_> {
    /// Does parts of the next phase until all are done, by this thread or others.
    ///
    /// Every member calls it for the same phases in the same order.
    ///
    /// # Panics
    ///
    /// A part panicked, here or elsewhere.
    pub(crate) fn share(&mut self, work: impl Fn(usize)) {
        let Phases { parts, taken, done, broken } = self.crew;
        let (first, end) = (self.first, self.first + parts);
        self.first = end;
        let next = |taken| (taken < end).then_some(taken + 1);
        // relaxed: that all before `first` are taken was seen with `done`
        while let Ok(part) = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            let _done = Done(self.crew);
            work(part - first);
        }
        let mut looks = 0;
        // what others wrote before they were done is seen after
        while done.load(Ordering::Acquire) < end {
            looks += 1;
            if looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        assert!(!broken.load(Ordering::Relaxed), "a part of this pass panicked");
    }
}

/// A part that ends, be it by a panic: nobody waits for ever.
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

    /// Adds up numbers by phases, each of which needs all of the one before; some members may be
    /// late.
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
