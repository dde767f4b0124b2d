//! Memory that a rush left behind goes back to the system.
//!
//! What is freed stays with the allocator of the thread that had it for a while. After a rush that is hundreds of times
//! what an idle gateway needs.

/// Gives back the free pages that this thread has of the allocator. Once after a rush, and some milliseconds at most.
pub fn give_back_memory() {
    // SAFETY: the call may be made at any time and from any thread; it only touches memory that nobody holds. The crate
    // that wraps it does not have this one.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
