//! Sounds of every form, and broken ones; servers that are slow, lie, and lead astray.

mod broken;
mod data;
mod fetching;
mod forms;
mod loading;
mod server;
mod streaming;
