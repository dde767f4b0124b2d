//! How many calls with sound are made at once: their programs must keep up with real time.

use std::sync::{Condvar, Mutex};

/// Tests with sound at once.
const AT_ONCE: usize = 3;

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// The leave to make calls with sound, until dropped.
pub struct Slot(());

impl Slot {
    /// Waits for it.
    pub fn take() -> Self {
        let taken = TAKEN.lock().unwrap();
        let mut taken = FREED.wait_while(taken, |taken| *taken >= AT_ONCE).unwrap();
        *taken += 1;
        Self(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Ok(mut taken) = TAKEN.lock() {
            *taken -= 1;
        }
        FREED.notify_one();
    }
}
