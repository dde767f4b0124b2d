//! ITU-T G.729 annex A at 8 kb/s, by libbcg729: frames of 10 ms, 80 samples of 8 kHz in 10 octets. A packet is some of
//! them, and at its end perhaps one of comfort noise, of 2 octets (annex B, RFC 3551 section 4.5.6).
//!
//! libbcg729 is under the GPL, so it is never linked: it is loaded while we run, where the administrator turns G.729
//! on. We send no comfort noise (`annexb=no`), but hear it.

use std::ffi::c_void;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// What the library is called; in Debian it comes with the package libbcg729-0.
pub const LIBRARY: &str = "libbcg729.so.0";

/// Samples and octets of a frame, of sound and of nothing in which what was heard before fades away.
pub const FRAME: usize = 80;
const OCTETS: usize = 10;
const FADED: usize = 10;
/// Octets of a frame of comfort noise.
const NOISE_OCTETS: usize = 2;

/// Why there is no G.729.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The library is not there, or cannot be loaded.
    #[error("G.729 needs {name}, in Debian's package libbcg729-0: {reason}")]
    Library {
        /// The library.
        name: String,
        /// What the loader said.
        reason: String,
    },
    /// The library is another one, or too old.
    #[error("{name} is no libbcg729 of version 1.0.2 or later: it has no {function}")]
    Function {
        /// The library.
        name: String,
        /// What it lacks.
        function: &'static str,
    },
}

/// The payload is no row of G.729 frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} octets are no G.729 packet")]
pub struct PayloadError(pub usize);

type OpenEncoder = unsafe extern "C" fn(u8) -> *mut c_void;
type OpenDecoder = unsafe extern "C" fn() -> *mut c_void;
type Close = unsafe extern "C" fn(*mut c_void);
/// State, 80 samples, room for 10 octets, how many were written.
type Encode = unsafe extern "C" fn(*mut c_void, *const i16, *mut u8, *mut u8);
/// State, octets (null for a lost frame), how many, lost?, comfort noise?, comfort noise of RFC 3389?, 80 samples.
type Decode = unsafe extern "C" fn(*mut c_void, *const u8, u8, u8, u8, u8, *mut i16);

/// libbcg729, loaded: what encoders and decoders are made of.
pub struct Library {
    open_encoder: OpenEncoder,
    close_encoder: Close,
    encode: Encode,
    open_decoder: OpenDecoder,
    close_decoder: Close,
    decode: Decode,
    /// The functions are good as long as this lives.
    _library: libloading::Library,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("libbcg729")
    }
}

impl Library {
    /// Loads the library, by a name that the system's loader searches for ([`LIBRARY`]) or a path. Reads files: it is
    /// done once, by a shell.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(name: &str) -> Result<Arc<Self>, LoadError> {
        // SAFETY: loading runs the library's initialisers. The administrator chose it; libbcg729 has none.
        let library = unsafe { libloading::Library::new(name) }
            .map_err(|reason| LoadError::Library { name: name.to_owned(), reason: reason.to_string() })?;
        /// Copies a function's address out of the library.
        ///
        /// # Safety
        /// `F` is the type of that function, and is called only while the library stays loaded.
        unsafe fn function<F: Copy>(
            library: &libloading::Library,
            name: &str,
            function: &'static str,
        ) -> Result<F, LoadError> {
            // SAFETY: the caller's promise.
            let found = unsafe { library.get::<F>(function) };
            found.map(|found| *found).map_err(|_| LoadError::Function { name: name.to_owned(), function })
        }
        // SAFETY: these are the signatures of bcg729/encoder.h and bcg729/decoder.h since version 1.0.2; the first line
        // refuses older libraries of the same name, whose decoder takes fewer parameters. The addresses are kept beside
        // the library, which is dropped last.
        unsafe {
            function::<Close>(&library, name, "bcg729GetRFC3389Payload")?;
            Ok(Arc::new(Self {
                open_encoder: function(&library, name, "initBcg729EncoderChannel")?,
                close_encoder: function(&library, name, "closeBcg729EncoderChannel")?,
                encode: function(&library, name, "bcg729Encoder")?,
                open_decoder: function(&library, name, "initBcg729DecoderChannel")?,
                close_decoder: function(&library, name, "closeBcg729DecoderChannel")?,
                decode: function(&library, name, "bcg729Decoder")?,
                _library: library,
            }))
        }
    }
}

/// The sound of a packet in samples; `None` where it is no G.729 packet. A frame of comfort noise counts as 10 ms.
#[must_use]
pub const fn packet_duration(payload: &[u8]) -> Option<usize> {
    let noise = match payload.len() % OCTETS {
        0 => 0,
        NOISE_OCTETS => FRAME,
        _ => return None,
    };
    Some(payload.len() / OCTETS * FRAME + noise)
}

/// Encodes one stream. Its state is the library's own and cannot be copied.
#[derive(Debug)]
pub struct Encoder {
    state: NonNull<c_void>,
    library: Arc<Library>,
}

// SAFETY: the state is one block of memory that only its owner uses, and the library keeps nothing else that changes:
// it serves any number of channels on any threads.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder at the beginning of a stream; `None` where the library has no memory for it. Allocates; encoding
    /// never does.
    #[must_use]
    pub fn new(library: &Arc<Library>) -> Option<Self> {
        // SAFETY: the function is the library's, which is there. 0: no detection of pauses, every frame has 10 octets.
        let state = NonNull::new(unsafe { (library.open_encoder)(0) })?;
        Some(Self { state, library: Arc::clone(library) })
    }

    /// Encodes whole frames of 80 samples, as many as both slices hold. Returns the octets written.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        let (frames, _) = samples.as_chunks::<FRAME>();
        let (places, _) = payload.as_chunks_mut::<OCTETS>();
        let mut written = 0;
        for (frame, place) in frames.iter().zip(places) {
            let mut octets = 0;
            // SAFETY: the state was opened by this library and is ours alone; the library reads 80 samples, and writes
            // 10 octets and their number.
            unsafe {
                (self.library.encode)(self.state.as_ptr(), frame.as_ptr(), place.as_mut_ptr(), &raw mut octets);
            }
            debug_assert_eq!(usize::from(octets), OCTETS);
            written += OCTETS;
        }
        written
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the state was opened by this library, and is closed once.
        unsafe { (self.library.close_encoder)(self.state.as_ptr()) }
    }
}

/// Whether a packet ends with comfort noise: its sender pauses after it.
#[must_use]
pub const fn begins_pause(payload: &[u8]) -> bool {
    payload.len() % OCTETS == NOISE_OCTETS
}

/// Decodes one stream.
#[derive(Debug)]
pub struct Decoder {
    state: NonNull<c_void>,
    library: Arc<Library>,
    /// The newest frame of the sender was comfort noise.
    in_pause: bool,
}

// SAFETY: as for the encoder; what else the decoder's state points to belongs to it.
unsafe impl Send for Decoder {}

/// What the decoder is given for 10 ms.
enum Given<'a> {
    Voice(&'a [u8; OCTETS]),
    Noise(&'a [u8; NOISE_OCTETS]),
    /// Lost, or not sent in a pause.
    Nothing,
}

impl Decoder {
    /// A decoder at the beginning of a stream; `None` where the library has no memory for it. Allocates; decoding never
    /// does.
    #[must_use]
    pub fn new(library: &Arc<Library>) -> Option<Self> {
        // SAFETY: the function is the library's, which is there.
        let state = NonNull::new(unsafe { (library.open_decoder)() })?;
        Some(Self { state, library: Arc::clone(library), in_pause: false })
    }

    /// Decodes a packet, as many whole frames as `samples` holds. Returns the samples written.
    ///
    /// # Errors
    /// The packet's length is none that G.729 has; nothing is written.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> Result<usize, PayloadError> {
        packet_duration(payload).ok_or(PayloadError(payload.len()))?;
        let (voice, rest) = payload.as_chunks();
        let noise = rest.first_chunk().map(Given::Noise);
        let (frames, _) = samples.as_chunks_mut();
        let mut written = 0;
        for (given, frame) in voice.iter().map(Given::Voice).chain(noise).zip(frames) {
            self.frame(&given, frame);
            written += FRAME;
        }
        self.in_pause = begins_pause(payload);
        Ok(written)
    }

    /// Whether the sender pauses, and said what its room sounds like.
    #[must_use]
    pub const fn is_in_pause(&self) -> bool {
        self.in_pause
    }

    /// Makes up for lost packets, or goes on with the noise of a pause: whole frames, as many as `samples` holds.
    /// Returns the samples written.
    pub fn conceal(&mut self, samples: &mut [i16]) -> usize {
        let (frames, _) = samples.as_chunks_mut();
        frames.iter_mut().for_each(|frame| self.frame(&Given::Nothing, frame));
        frames.len() * FRAME
    }

    /// Another stream begins. The library has no way to forget; but what it knows fades where nothing comes.
    pub fn reset(&mut self) {
        self.in_pause = false;
        self.conceal(&mut [0; FADED * FRAME]);
    }

    fn frame(&mut self, given: &Given<'_>, samples: &mut [i16; FRAME]) {
        let (octets, length, lost, noise) = match given {
            Given::Voice(octets) => (octets.as_ptr(), 10, 0, 0),
            Given::Noise(octets) => (octets.as_ptr(), 2, 0, 1),
            Given::Nothing => (ptr::null(), 0, 1, 0),
        };
        // SAFETY: the state was opened by this library and is ours alone; the library reads as many octets as a frame
        // of that kind has, none of a lost one, and writes 80 samples.
        unsafe {
            (self.library.decode)(self.state.as_ptr(), octets, length, lost, noise, 0, samples.as_mut_ptr());
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the state was opened by this library, and is closed once.
        unsafe { (self.library.close_decoder)(self.state.as_ptr()) }
    }
}

#[cfg(test)]
mod tests;
