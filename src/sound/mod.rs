//! A file or URL to PCM.
//!
//! A shell: it reads files and asks web servers, beside the calls. [`Reader`] decodes any form of sound piece by piece,
//! at both rates that a player takes, and so in bounded memory; [`load`] decodes what is short whole. [`Loader`] is
//! what the rest of the gateway asks: a [`Source`] is a sound of the dialplan, and gives clips to play.
//!
//! Long sounds are decoded while they are played (`stream`). URLs are fetched beside the calls ([`Fetcher`], by workers
//! of `pool`), from addresses that a [`Guard`] lets pass, and kept on the disk (`store`).

mod decoder;
mod fetch;
mod form;
mod guard;
mod load;
mod loader;
mod pool;
mod reader;
mod request;
mod source;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod unplayable;

pub use fetch::{Answer, Cause, FetchError, Fetcher, Patience, Validators, check_url};
pub use form::Hint;
pub use guard::{Guard, Refused};
pub use load::{LONGEST_WHOLE, Loaded, load};
pub use loader::{Loader, Source};
pub use pool::{Lost, Pool};
pub use reader::{Block, Reader};
pub use request::{Ask, Asked};
pub use stream::{StreamPatience, Streams};
pub use unplayable::Unplayable;
