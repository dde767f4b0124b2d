//! Memory that a rush left behind goes back to the system.
//!
//! What is freed in small pieces stays with the allocator, unless it happens to lie at the end of the heap. After a rush
//! that is hundreds of times what an idle gateway needs.

/// Gives the allocator's free pages back. Once after a rush, and some milliseconds at most.
#[cfg(target_env = "gnu")]
pub(super) fn give_back() {
    // SAFETY: the call may be made at any time and from any thread; it only touches memory that nobody holds. nix has no
    // wrapper.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators see to it themselves.
#[cfg(not(target_env = "gnu"))]
pub(super) fn give_back() {}
