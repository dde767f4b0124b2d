//! Threads that accept, shake hands, read, frame and write: one for SIP's streams, one for ICE by TCP. However much of
//! that unknown sources cause, the gateway's own thread only ever sees whole messages.

use std::io;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Ends when dropped, and with it every connection.
pub(super) struct ShellThread {
    runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl ShellThread {
    /// Starts it under a name.
    ///
    /// # Errors
    /// When the system gives no thread, or nothing to wait with.
    pub(super) fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(name.into()).spawn(move || {
            // Nothing is ever sent: it is dropped.
            let _ = runtime.block_on(ended);
            // A look at the files of roots may be going on.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, _end: end })
    }

    /// What tasks are started with that live on it.
    pub(super) const fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
