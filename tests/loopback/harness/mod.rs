//! What the loopback tests are made of.

pub mod address;
pub mod baresip;
mod browser;
pub mod certificate;
pub mod chromium;
pub mod dns;
pub mod folder;
mod gateway;
pub mod http;
pub mod kamailio;
pub mod linphone;
mod listener;
pub mod phone;
pub mod postgres;
pub mod process;
pub mod sipp;
pub mod slot;
pub mod sound;
pub mod turn;
pub mod wait;
pub mod web;

pub use address::Family;
pub use baresip::Baresip;
pub use browser::Browser;
pub use gateway::{ADMIN, Gateway, LOBBY, OPERATOR, PIN, PROGRAM, Setup, VIEWER};
pub use listener::Listener;
pub use phone::Phone;
pub use sipp::{Playing, Sipp};
pub use wait::seconds;
