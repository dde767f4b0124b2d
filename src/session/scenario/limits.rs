//! What a scenario may use: time, memory, timers, verbs. Whoever takes more has its session ended.

use super::shared::Shared;
use rquickjs::allocator::Allocator;
use std::rc::Rc;

/// Characters of source, at most.
pub const SOURCE: usize = 256 * 1024;
/// Octets of memory, at most.
pub const MEMORY: usize = 16 << 20;
/// Octets of stack that scripts may use; a thread that runs one needs as much again for the engine itself.
pub const STACK: usize = 192 * 1024;
/// Octets that are taken before garbage is first looked for.
pub(super) const GARBAGE: usize = 512 * 1024;
/// Jobs of promises in one callback, at most.
pub(super) const JOBS: u32 = 100_000;
/// Verbs of one callback, at most.
pub(super) const VERBS: usize = 1_000;
/// Lines in the log of one callback, at most; more are counted.
pub(super) const LINES: usize = 100;
/// Characters of a line in the log; the rest is left out.
pub(super) const LINE: usize = 1_024;

/// The engine takes an allocation that fails in the middle of its own work badly, and so does clearing up. What is
/// small is therefore given beyond [`MEMORY`], up to this: the script is stopped before it comes so far.
const RESERVE: usize = MEMORY * 2;
const SMALL: usize = 5 * 1_024;

/// Says when a callback has had its time.
pub trait Stopwatch {
    /// A callback begins.
    fn begin(&mut self);
    /// Whether it has taken too long. Asked about every 10,000 branches and calls of the script.
    fn is_over(&mut self) -> bool;
}

/// A stopwatch without a clock: it counts how often it was asked, so that the same script always ends at the same
/// place.
#[derive(Debug, Clone, Copy)]
pub struct Fuel {
    most: u32,
    used: u32,
}

impl Fuel {
    /// For as many questions; 10,000 take about a second.
    #[must_use]
    pub const fn new(most: u32) -> Self {
        Self { most, used: 0 }
    }
}

impl Stopwatch for Fuel {
    fn begin(&mut self) {
        self.used = 0;
    }

    fn is_over(&mut self) -> bool {
        self.used += 1;
        self.used > self.most
    }
}

/// A limit that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    Time,
    Memory,
    Jobs,
    Verbs,
    /// As the object model says ([`Shared::told`]).
    Told,
}

impl Breach {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Time => "a callback took longer than a second",
            Self::Memory => "it uses more than 16 MB of memory",
            Self::Jobs => "a callback led to more than 100,000 jobs of promises",
            Self::Verbs => "a callback asked for more than 1,000 things",
            Self::Told => "a limit",
        }
    }
}

/// The engine's allocator: mimalloc, with a meter.
pub(super) struct Metered(Rc<Shared>);

impl Metered {
    pub(super) const fn new(shared: Rc<Shared>) -> Self {
        Self(shared)
    }

    /// Whether so much more may be had.
    fn admits(&self, more: usize) -> bool {
        let total = self.0.memory.get().saturating_add(more);
        if total <= MEMORY {
            return true;
        }
        self.0.break_limit(Breach::Memory);
        // The error that no script can catch must come about, or a loop would catch that there is no memory for it,
        // again and again. Nothing of the script runs any more.
        let (most, end) = if self.0.is_stopping.get() { (RESERVE, RESERVE * 2) } else { (SMALL, RESERVE) };
        more <= most && total <= end
    }

    fn count(&self, pointer: *mut u8) -> *mut u8 {
        if !pointer.is_null() {
            self.0.memory.set(self.0.memory.get() + usable(pointer));
        }
        pointer
    }

    fn discount(&self, pointer: *mut u8) {
        self.0.memory.set(self.0.memory.get().saturating_sub(usable(pointer)));
    }
}

fn usable(pointer: *mut u8) -> usize {
    // SAFETY: all callers have it from mimalloc, or null.
    unsafe { libmimalloc_sys::mi_usable_size(pointer.cast()) }
}

// SAFETY: mimalloc's functions keep malloc's contract, and what one of them gave goes back to none but them.
unsafe impl Allocator for Metered {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !self.admits(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: any size may be asked for.
        self.count(unsafe { libmimalloc_sys::mi_malloc(size) }.cast())
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !self.admits(count.saturating_mul(size)) {
            return std::ptr::null_mut();
        }
        // SAFETY: any size may be asked for; a product that overflows is refused.
        self.count(unsafe { libmimalloc_sys::mi_calloc(count, size) }.cast())
    }

    unsafe fn dealloc(&mut self, pointer: *mut u8) {
        self.discount(pointer);
        // SAFETY: the caller has it from here.
        unsafe { libmimalloc_sys::mi_free(pointer.cast()) }
    }

    unsafe fn realloc(&mut self, pointer: *mut u8, size: usize) -> *mut u8 {
        let before = usable(pointer);
        if size > before && !self.admits(size - before) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller has it from here.
        let moved: *mut u8 = unsafe { libmimalloc_sys::mi_realloc(pointer.cast(), size) }.cast();
        if !moved.is_null() {
            self.0.memory.set(self.0.memory.get().saturating_sub(before));
        }
        self.count(moved)
    }

    unsafe fn usable_size(pointer: *mut u8) -> usize {
        usable(pointer)
    }
}
