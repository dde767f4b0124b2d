//! Real-time scheduling, where the system permits it.

/// A low real-time priority: above every ordinary thread, below the kernel's own.
const PRIORITY: libc::c_int = 10;

/// Asks for SCHED_RR for the calling thread. Whether it was granted.
pub(super) fn request() -> bool {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: the call reads the structure it is given, which outlives it, and concerns the calling thread (0) only.
    // nix has no wrapper.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, &raw const parameters) == 0 }
}
