//! The media plane's wake-up as something tokio can wait for.

use crate::media::thread::MediaHandle;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use tokio::io::unix::AsyncFd;

/// Readable whenever the media plane has events.
pub(super) fn media_wake(media: &MediaHandle) -> io::Result<AsyncFd<OwnedFd>> {
    let descriptor = media.as_fd().try_clone_to_owned()?;
    // SAFETY: the descriptor is a duplicate owned by the `AsyncFd` itself, which neither replaces nor closes it while
    // it is registered.
    Ok(unsafe { AsyncFd::register(descriptor) }?)
}
