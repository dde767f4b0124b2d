//! Sounds of every form, and broken ones.

mod broken;
mod data;
mod forms;
