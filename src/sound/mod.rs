//! A file or URL to PCM.
//!
//! A shell: it reads files and asks web servers, beside the calls. [`Reader`] decodes any form of sound piece by piece, at
//! both rates that a player takes, and so in bounded memory; [`load`] decodes what is short whole.

mod decoder;
mod form;
mod load;
mod reader;
mod source;
#[cfg(test)]
mod tests;
mod unplayable;

pub use form::Hint;
pub use load::{LONGEST_WHOLE, Loaded, load};
pub use reader::{Block, Reader};
pub use unplayable::Unplayable;
