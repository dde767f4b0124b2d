//! What callers of an IVR meet, with the whole gateway and no media plane.

mod attack;
mod desk;
