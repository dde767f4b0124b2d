//! What is measured: each [`Work`] once in time (`micro.rs`) and once in instructions (`counts.rs`).
//!
//! All of it drives the library's public functions with fixed input and fixed seeds, and reads no clock.

mod call;
mod engine;
#[allow(dead_code, reason = "used by counts.rs alone")]
pub mod hostile;
mod jitter;
mod listeners;
mod mending;
mod sdp;
mod sip;
mod sound;
mod srtp;

use std::time::UNIX_EPOCH;

use partyline::types::Now;

/// One piece of work, done again and again.
pub struct Work {
    /// `sip/parse/invite`: what, and on what.
    pub name: String,
    /// How often it is done while instructions are counted; 0: it is measured in time alone.
    #[allow(dead_code, reason = "read by counts.rs alone")]
    pub counted: u32,
    /// Sets everything up. What comes back does the work once each time it is called.
    pub prepare: Box<dyn Fn() -> Run>,
}

/// Does the work once.
pub type Run = Box<dyn FnMut()>;

impl Work {
    fn new<R: FnMut() + 'static>(name: impl Into<String>, counted: u32, prepare: impl Fn() -> R + 'static) -> Self {
        Self { name: name.into(), counted, prepare: Box::new(move || Box::new(prepare())) }
    }
}

/// All there is.
pub fn all() -> Vec<Work> {
    let mut works = Vec::new();
    works.extend(sip::works());
    works.extend(sdp::works());
    works.extend(engine::works());
    works.extend(listeners::works());
    works.extend(sound::works());
    works.extend(mending::works());
    works.extend(jitter::works());
    works.extend(call::works());
    works.extend(srtp::works());
    works
}

/// The origin of the virtual clock.
fn start() -> Now {
    #[expect(clippy::disallowed_methods, reason = "some origin is needed; the clock is never read again")]
    let instant = std::time::Instant::now();
    Now { instant, wall: UNIX_EPOCH }
}

/// A small generator (xorshift): the same numbers in every run.
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % end
    }
}
