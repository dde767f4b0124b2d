//! Memory that a rush left behind goes back to the system.
//!
//! What is freed stays with the allocator of the thread for a while. After a rush that is hundreds of times what an
//! idle gateway needs.

/// Gives the allocator's free pages back. Once after a rush, and some milliseconds at most.
pub(super) fn give_back() {
    // SAFETY: the call may be made at any time and from any thread; it only touches memory that nobody holds. The crate
    // that wraps it does not have this one.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
