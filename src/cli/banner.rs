//! What a person at a terminal sees when the gateway has started.

use crate::dialplan::{Origin, Plan, Room, RouteTarget, Then};
use crate::http::Inviting;
use crate::net::Transports;
use crate::sip::message::Transport;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Rooms of these names are for trying things out: what opens them is no secret. In the second one browsers hear each
/// other directly.
const DEMO_ROOM: &str = "demo";
const DEMO_CONFERENCE: &str = "604715";

/// The one of them that browsers are invited to.
pub(super) fn demo(plan: &Plan) -> Option<Arc<Room>> {
    [DEMO_CONFERENCE, DEMO_ROOM].into_iter().find_map(|name| plan.room(name)).cloned()
}

/// Where to dial, and the demo room's PIN.
pub(super) fn banner(plan: &Plan, transports: &Transports) -> String {
    let mut text = String::from("\nPartyline is ready. Dial:\n\n");
    let udp = transports.bound().find(|bound| bound.transport == Transport::Udp);
    let Some(bound) = udp.or_else(|| transports.bound().next()) else { return text };
    let host = match bound.address.ip() {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    let port = bound.address.port();
    let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
    let place = if port == 5060 { host } else { format!("{host}:{port}") };
    for route in &plan.routes {
        let number = route.number.as_str().trim_start_matches('\\');
        // Only what can be dialled as it stands; a pattern is for the dialplan's reader.
        let dial = if number.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') {
            format!("sip:{number}@{place}")
        } else {
            format!("numbers {number} @{place}")
        };
        let is_dialled = route.from.iter().any(|from| matches!(from, Origin::Trunk(_)));
        let leads = match &route.target {
            RouteTarget::Ivr(ivr) if matches!(ivr.then, Then::ByPin { .. }) => "asks for a PIN".to_owned(),
            RouteTarget::Ivr(ivr) => format!("ivr {}", ivr.name),
            RouteTarget::Room(room) => format!("room {}", room.as_str()),
            // Not dialled from outside.
            RouteTarget::User(user) => format!("user {}", user.as_str()),
            RouteTarget::Direct => "that user".to_owned(),
            // Of sessions to one another, and of browsers: their pages do that.
            RouteTarget::Scenario(_) if !is_dialled => continue,
            RouteTarget::Scenario(scenario) => format!("scenario {}", scenario.name),
            RouteTarget::Trunks(_) => continue,
            RouteTarget::Reject(status) => format!("rejected with {status}"),
        };
        let line = format!("  {dial:<40} {leads}\n");
        // Telephones and users may have a route each.
        if !text.contains(&line) {
            text.push_str(&line);
        }
    }
    if let Some(pin) = plan.room(DEMO_ROOM).and_then(|room| room.pin.as_ref()) {
        let pin = pin.reveal();
        let _ = writeln!(text, "\nThe demo room's PIN is {pin}. From a second terminal:\n");
        let _ = writeln!(
            text,
            "  partyline call sip:1000@{place} --digits {pin}# --tone 440 --record heard.wav --seconds 10"
        );
    }
    text.push('\n');
    text
}

/// The conference page: a URL for each of two windows; empty where nobody can be invited.
pub(super) async fn pages(inviting: &Inviting, room: &Room) -> String {
    if !Inviting::has_page() {
        return "The conference page was not built in; `make run` builds it.\n\n".to_owned();
    }
    let host = inviting.invite(&room.name, "Host", true).await;
    let guest = inviting.invite(&room.name, "Guest", false).await;
    let (Some(host), Some(guest)) = (host, guest) else { return String::new() };
    let by_telephone = match (&room.access_number, room.keyed()) {
        (Some(number), Some(pin)) => format!("; telephones dial {number} and key {pin}#"),
        _ => String::new(),
    };
    format!(
        "Or meet in browsers, a window for each URL. The host invites others{by_telephone}.\n\n  {host}\n  {guest}\n\n"
    )
}
