//! Reading the dialplan anew while calls go on.

use super::mistakes::Mistakes;
use super::wire::Answer;
use crate::dialplan::Plan;
use crate::gateway::Sounds;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A dialplan and the sounds it needs.
pub(super) struct Loaded {
    pub(super) plan: Arc<Plan>,
    pub(super) sounds: Arc<dyn Sounds>,
    /// What is in it, in a line.
    pub(super) summary: String,
    /// Of its text.
    pub(super) fingerprint: u64,
    /// What is odd about it.
    pub(super) warnings: Mistakes,
}

/// What came of a load.
type Finished = Result<Loaded, Mistakes>;

/// Who waits for a load to end.
type Waiting = Vec<mpsc::Sender<Answer>>;

/// Reads the dialplan when it is asked to, beside the calls: the file and every sound it names take their time.
///
/// One load at a time, so that a file that is read slowly never takes the place of a newer one. Whoever asks during a
/// load is served by the next one, however many they are.
pub(super) struct Reloads<F> {
    load: Arc<F>,
    is_loading: bool,
    is_asked_again: bool,
    /// Who waits for this load, and who for the next.
    waiting: (Waiting, Waiting),
    /// What came of a load, and was said in the log.
    finished: (mpsc::Sender<Finished>, mpsc::Receiver<Finished>),
}

impl<F: Fn() -> Finished + Send + Sync + 'static> Reloads<F> {
    pub(super) fn new(load: F) -> Self {
        let waiting = (Waiting::new(), Waiting::new());
        Self { load: Arc::new(load), is_loading: false, is_asked_again: false, waiting, finished: mpsc::channel(1) }
    }

    /// Somebody wants the file to be read, and perhaps to hear what comes of it.
    pub(super) fn ask(&mut self, asks: Option<mpsc::Sender<Answer>>) {
        if std::mem::replace(&mut self.is_loading, true) {
            self.is_asked_again = true;
            self.waiting.1.extend(asks);
            return;
        }
        self.waiting.0.extend(asks);
        let (load, finished) = (Arc::clone(&self.load), self.finished.0.clone());
        tokio::task::spawn_blocking(move || {
            // A load that panics has said so by the log; the next one is not to wait for it.
            let loaded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| load()))
                .unwrap_or_else(|_| Err(Mistakes::elsewhere("the dialplan could not be read; the log says why")));
            // The gateway may have ended meanwhile.
            let _ = finished.blocking_send(loaded);
        });
    }

    /// Waits for a load to end; gives back what came of it, and who wants to hear that. May be dropped and called
    /// again.
    pub(super) async fn next(&mut self) -> (Finished, Waiting) {
        let Some(loaded) = self.finished.1.recv().await else { return std::future::pending().await };
        self.is_loading = false;
        let waiting = std::mem::take(&mut self.waiting.0);
        if std::mem::take(&mut self.is_asked_again) {
            self.waiting.0 = std::mem::take(&mut self.waiting.1);
            self.ask(None);
        }
        (loaded, waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc as std_mpsc;

    struct Silence;

    impl Sounds for Silence {
        fn prompt(&self, _: &str, _: &str) -> Option<crate::media::command::Pcm> {
            None
        }
        fn text(&self, _: &str, _: &str) -> Option<crate::media::command::Pcm> {
            None
        }
        fn file(&self, _: &crate::dialplan::SoundSource, _: bool) -> Option<crate::media::command::Clip> {
            None
        }
        fn tone(&self, _: &str) -> Option<crate::media::command::Clip> {
            None
        }
    }

    fn plan_with(routes: usize) -> Loaded {
        let route = |n| format!("[[routes]]\nname = \"R{n}\"\nfrom = \"a\"\nnumber = \"{n}\"\nroom = \"r\"\n");
        let routes: String = (0..routes).map(route).collect();
        let text = format!("[trunks.a]\nallow = \"192.0.2.1\"\n{routes}");
        let loaded = parse("dialplan.toml", &text, &Trusting).unwrap();
        Loaded {
            summary: loaded.summary(),
            plan: loaded.plan,
            sounds: Arc::new(Silence),
            fingerprint: loaded.fingerprint,
            warnings: Mistakes::default(),
        }
    }

    #[tokio::test]
    async fn a_burst_of_reloads_is_two_loads_and_the_newest_file_wins() {
        let (begin, begun) = std_mpsc::channel::<()>();
        let begun = Mutex::new(begun);
        let loads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&loads);
        let mut reloads = Reloads::new(move || {
            // The file is as it is when its load begins, and the first load takes long.
            let nth = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let _ = begun.lock().unwrap().recv();
            Ok(plan_with(nth))
        });
        let (answers, _) = mpsc::channel(1);
        for _ in 0..200 {
            reloads.ask(Some(answers.clone()));
        }
        begin.send(()).unwrap();
        let (first, waiting) = reloads.next().await;
        // Who asked while it was read may have changed the file since.
        assert_eq!((first.unwrap().plan.routes.len(), waiting.len()), (1, 1));
        begin.send(()).unwrap();
        let (second, waiting) = reloads.next().await;
        assert_eq!((second.unwrap().plan.routes.len(), waiting.len()), (2, 199));
        assert_eq!(loads.load(Ordering::SeqCst), 2);
        assert!(!reloads.is_loading && !reloads.is_asked_again);
    }

    #[tokio::test]
    async fn a_load_that_fails_or_panics_does_not_end_reloading() {
        let loads = AtomicUsize::new(0);
        let mut reloads = Reloads::new(move || match loads.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Mistakes::elsewhere("no such file")),
            1 => panic!("a load that panics"),
            _ => Ok(plan_with(3)),
        });
        for expected in [None, None, Some(3)] {
            reloads.ask(None);
            assert_eq!(reloads.next().await.0.ok().map(|loaded| loaded.plan.routes.len()), expected);
        }
    }
}
