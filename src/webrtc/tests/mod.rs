//! Two peers in memory, on a virtual clock.

mod connecting;
mod pair;
