//! Reading the dialplan anew while calls go on.

use crate::dialplan::Plan;
use crate::gateway::Sounds;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A dialplan and the sounds it needs.
pub(super) type Loaded = (Arc<Plan>, Arc<dyn Sounds>);

/// Reads the dialplan when it is asked to, beside the calls: the file and every sound it names take their time.
///
/// One load at a time, so that a file that is read slowly never takes the place of a newer one. Whoever asks during a load
/// is served by the next one, however many they are.
pub(super) struct Reloads<F> {
    load: Arc<F>,
    is_loading: bool,
    is_asked_again: bool,
    /// What came of a load; nothing where the file cannot be used, and that was said.
    finished: (mpsc::Sender<Option<Loaded>>, mpsc::Receiver<Option<Loaded>>),
}

impl<F: Fn() -> Option<Loaded> + Send + Sync + 'static> Reloads<F> {
    pub(super) fn new(load: F) -> Self {
        Self { load: Arc::new(load), is_loading: false, is_asked_again: false, finished: mpsc::channel(1) }
    }

    /// Somebody wants the file to be read.
    pub(super) fn ask(&mut self) {
        if std::mem::replace(&mut self.is_loading, true) {
            self.is_asked_again = true;
            return;
        }
        let (load, finished) = (Arc::clone(&self.load), self.finished.0.clone());
        tokio::task::spawn_blocking(move || {
            // A load that panics has said so by the log; the next one is not to wait for it.
            let loaded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| load())).unwrap_or_default();
            // The gateway may have ended meanwhile.
            let _ = finished.blocking_send(loaded);
        });
    }

    /// Waits for a load to end. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Loaded> {
        let loaded = self.finished.1.recv().await.flatten();
        self.is_loading = false;
        if std::mem::take(&mut self.is_asked_again) {
            self.ask();
        }
        loaded
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
        fn file(&self, _: &std::path::Path) -> Option<crate::media::command::Pcm> {
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
        (parse("dialplan.toml", &text, &Trusting).unwrap().plan, Arc::new(Silence))
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
            Some(plan_with(nth))
        });
        for _ in 0..200 {
            reloads.ask();
        }
        begin.send(()).unwrap();
        let (first, _) = reloads.next().await.unwrap();
        assert_eq!(first.routes.len(), 1);
        begin.send(()).unwrap();
        let (second, _) = reloads.next().await.unwrap();
        assert_eq!((second.routes.len(), loads.load(Ordering::SeqCst)), (2, 2));
        assert!(!reloads.is_loading && !reloads.is_asked_again);
    }

    #[tokio::test]
    async fn a_load_that_fails_or_panics_does_not_end_reloading() {
        let loads = AtomicUsize::new(0);
        let mut reloads = Reloads::new(move || match loads.fetch_add(1, Ordering::SeqCst) {
            0 => None,
            1 => panic!("a load that panics"),
            _ => Some(plan_with(3)),
        });
        for expected in [None, None, Some(3)] {
            reloads.ask();
            assert_eq!(reloads.next().await.map(|(plan, _)| plan.routes.len()), expected);
        }
    }
}
