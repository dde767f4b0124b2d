//! Users as the gateway meets them: REGISTER and INVITE by hand, with real digests.

mod calling;
pub(in crate::gateway) mod desk;
mod gruu;
mod inviting;
mod keeping;
mod messaging;
mod proving;
mod registering;
mod rooms;
