//! Users as the gateway meets them: REGISTER and INVITE by hand, with real digests.

mod desk;
mod proving;
mod registering;
