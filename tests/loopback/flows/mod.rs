//! The call flows of RFC 3665 and RFC 5359 that concern an endpoint, as sipp scenarios. Where a flow has a caller and a
//! callee, the gateway is either in turn: *called* means that sipp calls it, *calling* that `partyline ctl dial` makes
//! it call sipp. Paths are those of the tests, below `loopback`; `flows` is this folder.
//!
//! # RFC 3665
//!
//! | section | flow | played by |
//! |---|---|---|
//! | 2.1 | new registration, with a digest | `registration`, `sha256_registrar` |
//! | 2.2 | update of a list of contacts | `flows::registering::others_have_contacts_there_too` |
//! | 2.3 | request for the list of contacts | never asked for; the answers to 2.1 and 2.2 hold the list, and ours is found in it by the same test |
//! | 2.4 | cancellation | `registration`; that others' contacts stay: as 2.2 |
//! | 2.5 | refused | `flows::registering::a_password_that_is_wrong_is_not_tried_again_at_once` |
//! | 3.1 | call without a proxy | called: `calls`; calling: `flows::calling::a_call_is_answered_and_ended`, `calling_out` |
//! | 3.2 | through two proxies | called: `flows::called::through_two_proxies`; calling: as 3.3, which only has one question more |
//! | 3.3 | several proxies ask for a digest | calling: `flows::calling::through_two_proxies_that_ask_for_a_digest`; called: no proxy asks the callee, which sees 3.2 |
//! | 3.4 | a proxy is dead | calling: `flows::calling::a_dead_proxy_is_passed_over`; called: as 3.2 |
//! | 3.5 | through an application-level gateway | called: `flows::called::through_an_alg`; calling: `flows::calling::sound_may_come_from_elsewhere` |
//! | 3.6 | redirection, description in the ACK | called: `offers`; calling: `flows::calling::a_redirection_is_followed`. Our own INVITEs always hold an offer |
//! | 3.7 | re-INVITE with another address | called: `flows::called::the_caller_moves`; calling: `flows::calling::the_callee_holds_and_moves` |
//! | 3.8 | no answer | called: `cancelling`; calling: `flows::calling::nobody_answers` |
//! | 3.9 | busy | called: `flows::called::a_number_may_be_refused`; calling: `calling_out` |
//! | 3.10 | no response from the callee | calling: `flows::calling::refusals_have_their_causes`; a proxy's matter otherwise |
//! | 3.11 | temporarily unavailable | called and calling: as 3.9, 3.10 |
//!
//! # RFC 5359
//!
//! | section | flow | played by |
//! |---|---|---|
//! | 2.1 | hold | called: `hold`; calling: `flows::calling::the_callee_holds_and_moves` |
//! | 2.2 | consultation hold | `flows::called::consultation_hold` |
//! | 2.3 | music on hold | `flows::called::music_on_hold` |
//! | 2.4 | transfer, unattended | the gateway is transferred: `transfer::a_call_is_referred_to_another_telephone`; it transfers: `sim::transfer` |
//! | 2.5 | transfer, attended | the gateway is the target: `transfer::a_call_takes_the_place_of_another`; it is transferred (Replaces in Refer-To): `sim::transfer`; it never transfers so itself |
//! | 2.6 | transfer of instant messages | MESSAGE gets 405, as any method that is not ours (`refusals`) |
//! | 2.7, 2.8, 2.9 | forwarding: always, when busy, without an answer | calling: `flows::calling::a_call_is_forwarded`, `flows::calling::a_redirection_is_followed`; called: what the second telephone sees is 3.2 |
//! | 2.10 | a third party is added to a conference | `flows::called::a_third_is_called_into_the_room` |
//! | 2.11 | a third party joins | the same test: joining is calling the room's number. The Join header is an extension we do not have (420, `refusals`) |
//! | 2.12 | find-me | calling: `flows::calling::a_call_is_forwarded` (one after the other), `dialling` (all at once); called: `cancelling` |
//! | 2.13 | screening of incoming calls | called: `flows::called::a_number_may_be_refused`; calling: `flows::calling::refusals_have_their_causes` |
//! | 2.14 | screening of outgoing calls | calling: `flows::calling::refusals_have_their_causes`; our own rules: `calling_out` |
//! | 2.15 | park | to park is 2.4, to take back is 2.5's INVITE with Replaces; who parks has no subscription (405) |
//! | 2.16 | pickup | a call that rings is not picked up (481, `sim::replacing`); nor are dialogs told (405) |
//! | 2.17 | automatic redial | needs subscriptions to dialogs: SUBSCRIBE gets 405 (`refusals`) |
//! | 2.18 | click to dial | a REFER outside a call would let an unknown source's click dial; what stands for it is `partyline ctl dial`: `calling_out`, `flows::calling` |

mod called;
mod calling;
mod registering;

use super::harness::{Family, Sipp, seconds};
use std::net::UdpSocket;

/// Where sound is to go that is not sipp's own: an address and a port that a scenario names as `@RELAY@` and
/// `@RELAY_PORT@`.
struct Relay(UdpSocket);

impl Relay {
    fn new() -> Self {
        let socket = UdpSocket::bind((Family::V4.own_address(), 0)).unwrap();
        socket.set_read_timeout(Some(seconds(10))).unwrap();
        Self(socket)
    }

    /// The scenario with this relay's address in it.
    fn tell(&self, scenario: Sipp) -> Sipp {
        let here = self.0.local_addr().unwrap();
        scenario.with("RELAY", &here.ip().to_string()).with("RELAY_PORT", &here.port().to_string())
    }

    /// Waits for sound.
    fn hears(&self) {
        let mut packet = [0; 1500];
        let (length, _) = self.0.recv_from(&mut packet).expect("the gateway sends its sound to the relay");
        assert!(length > 12 && packet[0] >> 6 == 2, "not RTP");
    }
}
