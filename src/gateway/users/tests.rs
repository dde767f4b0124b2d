//! Users as the gateway meets them: REGISTER and INVITE by hand, with real digests.

mod calling;
mod desk;
mod keeping;
mod proving;
mod registering;
