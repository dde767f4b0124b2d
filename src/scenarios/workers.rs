//! Threads that take turns at whatever is to be done.
//!
//! There are a few of them, as many as the machine has cores. Where all of them have been at one job each for
//! [`STALL`] while others wait, another one comes, and goes when it has nothing to do: so nobody waits for a job that
//! loops, and a job that sleeps has no thread.

use super::STACK;
use crate::types::give_back_memory;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long nobody may take up a job before another thread comes.
const STALL: Duration = Duration::from_millis(20);
/// How long a thread is without a job before it gives back what memory it has, and goes if it came because of a stall.
const REST: Duration = Duration::from_secs(10);

/// Something that has work to do now and then.
pub(super) trait Job: Send + Sync {
    /// Does some of it. Never twice at once.
    fn work(&self) -> Progress;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is more to do, after what others have to do.
    More,
    /// There is none before it is handed in again.
    Done,
}

/// The threads, as long as this is there.
pub(super) struct Workers(Arc<Crew>);

struct Crew {
    state: Mutex<State>,
    /// Tells a thread that rests.
    job: Condvar,
    /// Tells the one that watches for stalls.
    backlog: Condvar,
    few: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<dyn Job>>,
    threads: usize,
    resting: usize,
    /// How many jobs were ever taken up.
    taken: u64,
    is_watched: bool,
    is_over: bool,
}

impl State {
    /// There are jobs that no thread is about to take up.
    fn has_backlog(&self) -> bool {
        self.waiting.len() > self.resting
    }
}

impl Workers {
    /// No threads yet.
    pub(super) fn new() -> Self {
        // One that loops leaves another.
        let few = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        let (job, backlog) = (Condvar::new(), Condvar::new());
        Self(Arc::new(Crew { state: Mutex::default(), job, backlog, few }))
    }

    /// Hands in a job, to be done soon. It is not handed in again before that.
    ///
    /// # Errors
    /// There is no thread, and there can be none.
    pub(super) fn hand_in(&self, job: Arc<dyn Job>) -> io::Result<()> {
        Crew::hand_in(&self.0, job)
    }

    /// What hands in jobs as long as the threads are there.
    pub(super) fn entrance(&self) -> impl Fn(Arc<dyn Job>) + Send + Sync + use<> {
        let crew = Arc::downgrade(&self.0);
        move |job| {
            if let Some(crew) = crew.upgrade() {
                // Where one was handed in before, there are threads.
                let _ = Crew::hand_in(&crew, job);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn threads(&self) -> usize {
        self.0.state().threads
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_over = true;
        state.waiting.clear();
        self.0.job.notify_all();
        self.0.backlog.notify_all();
    }
}

impl Crew {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is done under it does not panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_in(self: &Arc<Self>, job: Arc<dyn Job>) -> io::Result<()> {
        let mut state = self.state();
        if state.is_over {
            return Ok(());
        }
        state.waiting.push_back(job);
        if !state.has_backlog() {
            self.job.notify_one();
            return Ok(());
        }
        if state.threads < self.few
            && let Err(error) = self.spawn(&mut state)
            && state.threads == 0
        {
            state.waiting.clear();
            return Err(error);
        }
        if !state.is_watched {
            let crew = Arc::clone(self);
            let thread = std::thread::Builder::new().name("scenario-watch".into()).stack_size(STACK);
            state.is_watched = thread.spawn(move || crew.watch()).is_ok();
        }
        self.backlog.notify_one();
        Ok(())
    }

    fn spawn(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let crew = Arc::clone(self);
        std::thread::Builder::new().name("scenario".into()).stack_size(STACK).spawn(move || crew.serve())?;
        state.threads += 1;
        Ok(())
    }

    /// Takes up one job after the other.
    fn serve(&self) {
        let mut state = self.state();
        let mut has_worked = false;
        while !state.is_over {
            let Some(job) = state.waiting.pop_front() else {
                state.resting += 1;
                let (rested, rest) = self.job.wait_timeout(state, REST).unwrap_or_else(PoisonError::into_inner);
                state = rested;
                state.resting -= 1;
                if !rest.timed_out() || !state.waiting.is_empty() {
                    continue;
                }
                if state.threads > self.few {
                    break;
                }
                if std::mem::take(&mut has_worked) {
                    // What sessions that are over had of this thread, whichever ended them.
                    drop(state);
                    give_back_memory();
                    state = self.state();
                }
                continue;
            };
            (state.taken, has_worked) = (state.taken + 1, true);
            drop(state);
            let progress = job.work();
            state = self.state();
            if progress == Progress::More && !state.is_over {
                state.waiting.push_back(job);
                // One of them this thread takes up itself.
                if state.waiting.len() > 1 {
                    self.backlog.notify_one();
                }
            }
        }
        state.threads -= 1;
    }

    /// Has another thread come wherever jobs wait and nobody takes one up.
    fn watch(self: &Arc<Self>) {
        let mut state = self.state();
        while !state.is_over {
            if !state.has_backlog() {
                state = self.backlog.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let taken = state.taken;
            drop(state);
            std::thread::sleep(STALL);
            state = self.state();
            if !state.is_over && state.has_backlog() && state.taken == taken {
                // Where there can be none, those that there are will come to it.
                let _ = self.spawn(&mut state);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Tells that it is done, at once.
    struct Quick(Sender<()>);

    impl Job for Quick {
        fn work(&self) -> Progress {
            let _ = self.0.send(());
            Progress::Done
        }
    }

    /// Tells that it has begun, and is at it until it is let go.
    struct Long(Sender<()>, Mutex<Receiver<()>>);

    impl Job for Long {
        fn work(&self) -> Progress {
            let _ = self.0.send(());
            let _ = self.1.lock().unwrap().recv_timeout(PATIENCE);
            Progress::Done
        }
    }

    /// Has more to do so many times.
    struct Steps(AtomicUsize, AtomicUsize, Sender<()>);

    impl Job for Steps {
        fn work(&self) -> Progress {
            assert_eq!(self.1.fetch_add(1, Ordering::SeqCst), 0, "it is done by two at once");
            let left = self.0.fetch_sub(1, Ordering::SeqCst) - 1;
            self.1.fetch_sub(1, Ordering::SeqCst);
            if left > 0 {
                return Progress::More;
            }
            let _ = self.2.send(());
            Progress::Done
        }
    }

    #[test]
    fn those_that_last_hold_up_no_other() {
        let (workers, (begun, begins)) = (Workers::new(), channel());
        let count = workers.0.few + 5;
        let let_go: Vec<_> = (0..count)
            .map(|_| {
                let (let_go, go) = channel();
                workers.hand_in(Arc::new(Long(begun.clone(), Mutex::new(go)))).unwrap();
                let_go
            })
            .collect();
        for at in 0..count {
            begins.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{at} of {count} have begun"));
        }
        let (told, done) = channel();
        workers.hand_in(Arc::new(Quick(told))).unwrap();
        done.recv_timeout(PATIENCE).expect("another is done meanwhile");
        assert_eq!(workers.threads(), count + 1);
        drop(let_go);
    }

    #[test]
    fn many_that_are_quick_share_a_few_threads() {
        const MANY: usize = 1_000;
        let (workers, (told, done)) = (Workers::new(), channel());
        for _ in 0..MANY {
            workers.hand_in(Arc::new(Quick(told.clone()))).unwrap();
        }
        for _ in 0..MANY {
            done.recv_timeout(PATIENCE).unwrap();
        }
        // More than a few only where a busy machine has let all of them wait.
        assert!(workers.threads() < MANY / 20, "{} threads", workers.threads());
    }

    #[test]
    fn what_has_more_to_do_is_done_to_its_end_and_others_have_their_turn() {
        let (workers, (told, done)) = (Workers::new(), channel());
        for _ in 0..workers.0.few + 1 {
            let steps = Steps(AtomicUsize::new(1_000), AtomicUsize::new(0), told.clone());
            workers.hand_in(Arc::new(steps)).unwrap();
        }
        for _ in 0..=workers.0.few {
            done.recv_timeout(PATIENCE).unwrap();
        }
    }

    #[test]
    fn what_is_handed_in_after_the_end_is_not_done() {
        let (workers, (told, done)) = (Workers::new(), channel());
        let entrance = workers.entrance();
        drop(workers);
        entrance(Arc::new(Quick(told)));
        assert!(done.recv_timeout(PATIENCE).is_err());
    }
}
