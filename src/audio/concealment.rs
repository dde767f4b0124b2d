//! Packet loss concealment.
