//! Work that may take long or hang, on a few threads beside the calls.
//!
//! Each job has a thread and a deadline of its own. One that is not done by then is given up and its place is free
//! again; one that panics leaves its place at once. Whoever asked is answered in any case.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Jobs that run at one time.
const WORKERS: usize = 4;
/// Jobs that wait for their turn.
const MOST_WAITING: usize = 1_000;
/// Jobs that were given up and still run: beyond it nothing new is begun.
const MOST_STUCK: usize = 16;

/// Why a job has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// It was not done in time.
    #[error("it was not done in time")]
    Late,
    /// It panicked.
    #[error("it failed; the log says why")]
    Died,
    /// Too much is to be done.
    #[error("too much is to be done already")]
    Refused,
}

type Work<T> = Box<dyn FnOnce() -> T + Send>;
type Deliver<T> = Box<dyn FnOnce(Result<T, Lost>) + Send>;

struct Job<T> {
    work: Work<T>,
    deliver: Deliver<T>,
    patience: Duration,
}

enum News<T> {
    Job(Job<T>),
    Done { number: u64, result: Result<T, Lost> },
}

/// The pool. It ends when all its handles are gone; what runs then is not waited for.
#[derive(Debug)]
pub struct Pool<T> {
    news: Sender<News<T>>,
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { news: self.news.clone() }
    }
}

impl<T: Send + 'static> Pool<T> {
    /// Starts the pool.
    ///
    /// # Errors
    /// There is no thread for it.
    pub fn start() -> io::Result<Self> {
        let (news, told) = mpsc::channel();
        let pool = Self { news };
        let mut crew = Crew { running: Vec::new(), stuck: Vec::new(), waiting: VecDeque::new(), next: 0 };
        let back = pool.news.clone();
        std::thread::Builder::new().name("sound-pool".into()).spawn(move || crew.work(&told, &back))?;
        Ok(pool)
    }

    /// Has work done, within `patience` from its begin. `deliver` gets the result, on another thread.
    pub fn run(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
        deliver: impl FnOnce(Result<T, Lost>) + Send + 'static,
    ) {
        let job = Job { work: Box::new(work), deliver: Box::new(deliver), patience };
        // It is there for as long as the process.
        let _ = self.news.send(News::Job(job));
    }
}

/// A job that has a thread.
struct Running<T> {
    number: u64,
    until: Instant,
    deliver: Deliver<T>,
}

struct Crew<T> {
    running: Vec<Running<T>>,
    /// Numbers of those given up.
    stuck: Vec<u64>,
    waiting: VecDeque<Job<T>>,
    next: u64,
}

impl<T: Send + 'static> Crew<T> {
    fn work(&mut self, told: &Receiver<News<T>>, back: &Sender<News<T>>) {
        loop {
            let next = self.running.iter().map(|job| job.until).min();
            let wait = next.map_or(Duration::from_secs(3_600), |until| until.saturating_duration_since(now()));
            match told.recv_timeout(wait) {
                Ok(News::Job(job)) if self.waiting.len() >= MOST_WAITING => (job.deliver)(Err(Lost::Refused)),
                Ok(News::Job(job)) => self.waiting.push_back(job),
                Ok(News::Done { number, result }) => self.done(number, result),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.give_up_late();
            while self.running.len() < WORKERS
                && let Some(job) = self.waiting.pop_front()
            {
                if self.stuck.len() < MOST_STUCK { self.begin(job, back) } else { (job.deliver)(Err(Lost::Refused)) }
            }
        }
    }

    fn begin(&mut self, Job { work, deliver, patience }: Job<T>, back: &Sender<News<T>>) {
        let (number, back) = (self.next, back.clone());
        self.next += 1;
        let thread = std::thread::Builder::new().name("sound-worker".into()).spawn(move || {
            be_nice();
            let result = catch_unwind(AssertUnwindSafe(work)).map_err(|_| Lost::Died);
            let _ = back.send(News::Done { number, result });
        });
        match thread {
            Ok(_) => self.running.push(Running { number, until: now() + patience, deliver }),
            Err(_) => deliver(Err(Lost::Refused)),
        }
    }

    fn done(&mut self, number: u64, result: Result<T, Lost>) {
        self.stuck.retain(|stuck| *stuck != number);
        if let Some(at) = self.running.iter().position(|job| job.number == number) {
            (self.running.swap_remove(at).deliver)(result);
        }
    }

    fn give_up_late(&mut self) {
        let now = now();
        for job in self.running.extract_if(.., |job| job.until <= now) {
            self.stuck.push(job.number);
            (job.deliver)(Err(Lost::Late));
        }
    }
}

/// Calls go first: this thread takes what they leave.
pub(super) fn be_nice() {
    // SAFETY: changes a number of the calling thread (who 0), and touches no memory.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}

#[expect(clippy::disallowed_methods, reason = "a shell: deadlines of real work")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_dies_or_hangs_is_replaced_and_everyone_is_answered() {
        let pool = Pool::start().unwrap();
        let (told, heard) = mpsc::channel();
        let answer = |name: u32| {
            let told = told.clone();
            move |result: Result<u32, Lost>| told.send((name, result)).unwrap()
        };
        // More than there are places, and each hangs.
        let (open, shut) = mpsc::channel::<()>();
        let shut = std::sync::Arc::new(std::sync::Mutex::new(shut));
        for name in 0..8 {
            let shut = std::sync::Arc::clone(&shut);
            let hang = move || {
                let _ = shut.lock().unwrap().recv();
                0
            };
            pool.run(Duration::from_millis(50), hang, answer(name));
        }
        pool.run(LONG, || panic!("a worker that dies"), answer(8));
        pool.run(LONG, || 42, answer(9));
        let mut answers: Vec<_> = (0..10).map(|_| heard.recv_timeout(LONG).unwrap()).collect();
        answers.sort_by_key(|(name, _)| *name);
        for (name, result) in &answers[..8] {
            assert_eq!(*result, Err(Lost::Late), "{name}");
        }
        assert_eq!(answers[8..], [(8, Err(Lost::Died)), (9, Ok(42))]);
        drop(open);
    }

    #[test]
    fn where_all_hang_nothing_new_is_begun_until_one_comes_back() {
        let pool = Pool::start().unwrap();
        let (told, heard) = mpsc::channel();
        let (open, shut) = mpsc::channel::<()>();
        let shut = std::sync::Arc::new(std::sync::Mutex::new(shut));
        for _ in 0..MOST_STUCK {
            let (shut, told) = (std::sync::Arc::clone(&shut), told.clone());
            let hang = move || {
                let _ = shut.lock().unwrap().recv();
            };
            pool.run(Duration::from_millis(20), hang, move |result| told.send(result).unwrap());
        }
        for _ in 0..MOST_STUCK {
            assert_eq!(heard.recv_timeout(LONG), Ok(Err(Lost::Late)));
        }
        let ask = || {
            let told = told.clone();
            pool.run(LONG, || (), move |result| told.send(result).unwrap());
            heard.recv_timeout(LONG).unwrap()
        };
        assert_eq!(ask(), Err(Lost::Refused));
        drop(open);
        // They come back one by one.
        while ask().is_err() {}
    }
}
