//! Real peers on loopback against the built program: sipp with the scenarios of `tests/sipp`, baresip, linphonec,
//! Kamailio, sipsak, and `partyline call`. Each test has a gateway, addresses and a folder of its own; at its end no
//! call is left.
//!
//! Some of these tests wait for timers of the RFCs (32 to 60 seconds) without doing anything: run eight at once.
#![allow(clippy::disallowed_methods, reason = "the world outside has clocks and sockets")]

mod aiortc;
mod asked_addresses;
mod bad_input;
mod bot;
mod browsers;
mod calling_out;
mod calls;
mod cancelling;
mod chromium;
mod command_line;
mod conference;
mod conference_page;
mod control;
mod dialling;
mod disturbances;
mod equal_answers;
mod events;
mod failover;
mod floods;
mod flows;
mod harness;
mod hidden_text;
mod hold;
mod http;
mod ice_tcp;
mod kamailio;
mod linphone;
mod names;
mod no_file_descriptors;
mod no_tls;
mod offers;
mod pins;
mod processing;
mod records;
mod refusals;
mod registration;
mod retransmission;
mod scanners;
mod scenario_storage;
mod session_timer;
mod sha256_registrar;
mod sipsak;
mod smuggling;
mod sound_baresip;
mod sound_codecs;
mod sound_phones;
mod sound_sipp;
mod sounds;
mod speaking;
mod strange_realm;
mod stuck_workers;
mod transfer;
mod unknown_sources;
mod unwritable_log;
mod users;
