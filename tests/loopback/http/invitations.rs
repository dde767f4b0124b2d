//! Invitations: who comes by one is in its room, by SIP over WebSocket, and in no other.

use super::super::harness::http::{Http, WebSocket, request};
use super::super::harness::{ADMIN, Gateway, OPERATOR, Setup, VIEWER, seconds, wait};
use super::sip_client::{Client, header};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// All users call the lobby; nobody else calls room `board`.
const ROUTES: &str = r##"
[rooms.board]
announce = "none"

[[routes]]
name   = "UsersLobby"
from   = "users"
number = "2000"
room   = "lobby"
"##;

fn start() -> Gateway {
    let gateway = Setup::new().also(ROUTES).web().setting("origins = [\"https://app.example\"]").start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

/// An invitation to the board.
fn invite(gateway: &Gateway, expires: &str) -> Value {
    let body = format!(r#"{{"name":"Anna Ashton","expires":"{expires}"}}"#);
    let made = request(gateway, "POST", "/api/v1/rooms/board/invitations", Some(OPERATOR), Some(&body));
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()
}

/// The path of its URL.
fn path(invitation: &Value) -> String {
    let url = invitation["url"].as_str().unwrap();
    let path = url.strip_prefix("http://gate.example").unwrap_or_else(|| panic!("{url}"));
    assert_eq!(path, format!("/join/board/{}", invitation["token"].as_str().unwrap()));
    path.to_owned()
}

/// What somebody gets who opens it.
fn join(gateway: &Gateway, invitation: &Value) -> Value {
    let joined = request(gateway, "POST", &path(invitation), None, None);
    assert_eq!(joined.status, 201, "{}", joined.body);
    joined.json()
}

/// A client with what an invitation gave, that calls `number`.
fn client(gateway: &Gateway, admitted: &Value, number: &str) -> Client<WebSocket> {
    let (user, password) = (admitted["user"].as_str().unwrap(), admitted["password"].as_str().unwrap());
    Client::of(WebSocket::sip(gateway), number, (user, password))
}

/// The user part of a SIP address.
fn user_of(uri: &Value) -> &str {
    uri.as_str().unwrap().strip_prefix("sip:").unwrap().split('@').next().unwrap()
}

#[test]
fn who_is_invited_registers_and_is_in_that_room_and_in_no_other() {
    let gateway = start();
    let invitation = invite(&gateway, "2h");
    let seen = request(&gateway, "GET", &path(&invitation), None, None).json();
    let expires = invitation["expires"].clone();
    let said = json!({ "room": "board", "name": "Anna Ashton", "host": false, "expires": expires });
    assert_eq!(seen, said);
    let admitted = join(&gateway, &invitation);
    assert_eq!(admitted["websocket"], "ws://gate.example/sip");
    assert_eq!((&admitted["room"], &admitted["ice_servers"]), (&json!("board"), &json!([])));
    assert_eq!(user_of(&admitted["uri"]), admitted["user"].as_str().unwrap());
    let mut anna = client(&gateway, &admitted, user_of(&admitted["call"]));
    let registered = anna.registers(600);
    assert!(registered.starts_with("SIP/2.0 200"), "{registered}");
    let answer = anna.calls();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    gateway.wait_for_members("board", 1);
    for other in ["2000", "lobby", "1000", "demo"] {
        let answer = client(&gateway, &admitted, other).calls();
        assert!(answer.starts_with("SIP/2.0 403"), "{other}: {answer}");
    }
    let mut guesser = Client::of(WebSocket::sip(&gateway), "board", (admitted["user"].as_str().unwrap(), "guessed"));
    assert!(guesser.calls().starts_with("SIP/2.0 401"));
    let listed = request(&gateway, "GET", "/api/v1/rooms/board/invitations", Some(OPERATOR), None).json();
    assert_eq!((&listed[0]["id"], &listed[0]["user"]), (&invitation["id"], &admitted["user"]), "{listed}");
    assert!(!listed.to_string().contains(invitation["token"].as_str().unwrap()), "who lists them cannot use them");
    anna.hangs_up();
    drop(anna);
    let key = std::fs::metadata(gateway.folder().join("var/invitations.key")).unwrap();
    assert_eq!((key.len(), key.permissions().mode() & 0o777), (32, 0o600));
    let remains = gateway.finish();
    let record = remains.records.iter().find(|record| record["rooms"] == json!(["board"])).unwrap();
    assert_eq!(record["user"], admitted["user"], "{record}");
    remains.assert_silent_about(&[admitted["password"].as_str().unwrap(), invitation["token"].as_str().unwrap()]);
}

#[test]
fn a_second_use_sends_out_who_came_by_the_first() {
    let gateway = start();
    let invitation = invite(&gateway, "2h");
    let mut first = client(&gateway, &join(&gateway, &invitation), "board");
    assert!(first.registers(600).starts_with("SIP/2.0 200"));
    assert!(first.calls().starts_with("SIP/2.0 200"));
    gateway.wait_for_members("board", 1);
    let admitted = join(&gateway, &invitation);
    let bye = first.line.receive_text();
    assert!(bye.starts_with("BYE "), "{bye}");
    first.accepts(&bye);
    assert!(first.registers(600).starts_with("SIP/2.0 401"));
    let mut second = client(&gateway, &admitted, "board");
    assert!(second.calls().starts_with("SIP/2.0 200"));
    gateway.wait_for_members("board", 1);
    second.hangs_up();
    gateway.finish();
}

#[test]
fn what_is_expired_altered_revoked_or_another_rooms_admits_nobody_after_a_restart_too() {
    let gateway = start();
    let (good, short, revoked) = (invite(&gateway, "2h"), invite(&gateway, "1s"), invite(&gateway, "2h"));
    let admitted = join(&gateway, &revoked);
    let mut anna = client(&gateway, &admitted, "board");
    assert!(anna.calls().starts_with("SIP/2.0 200"));
    let place = format!("/api/v1/rooms/board/invitations/{}", revoked["id"].as_str().unwrap());
    assert_eq!(request(&gateway, "DELETE", &place, Some(OPERATOR), None).status, 204);
    let bye = anna.line.receive_text();
    assert!(bye.starts_with("BYE "), "{bye}");
    anna.accepts(&bye);
    let gateway = gateway.kill_and_start_again();
    gateway.wait_for_log("users loaded", seconds(20));
    let refused = |path: &str| {
        ["GET", "POST"].map(|method| {
            let answer = request(&gateway, method, path, None, None);
            (answer.status, answer.rule())
        })
    };
    let both = |status: u16, rule: &str| [(status, rule.to_owned()), (status, rule.to_owned())];
    assert_eq!(refused(&path(&revoked)), both(410, "invitation-revoked"));
    assert_eq!(refused(&path(&good).replace("/board/", "/lobby/")), both(403, "invitation-room"));
    let (payload, seal) = good["token"].as_str().unwrap().split_once('.').unwrap();
    let other = short["token"].as_str().unwrap().split_once('.').unwrap().0;
    for altered in [format!("{other}.{seal}"), payload.to_owned(), format!("{payload}.{}", seal.to_lowercase())] {
        assert_eq!(refused(&format!("/join/board/{altered}")), both(403, "invitation-altered"), "{altered}");
    }
    wait::until_true("its end", seconds(5), || request(&gateway, "GET", &path(&short), None, None).status == 410);
    assert_eq!(refused(&path(&short)), both(410, "invitation-expired"));
    let mut ben = client(&gateway, &join(&gateway, &good), "board");
    assert!(ben.calls().starts_with("SIP/2.0 200"));
    ben.hangs_up();
    gateway.finish();
}

#[test]
fn pages_of_named_sites_may_use_invitations_and_others_may_not_read_the_answer() {
    let gateway = start();
    let path = path(&invite(&gateway, "2h"));
    for (origin, allowed) in [("https://app.example", Some("https://app.example")), ("https://evil.example", None)] {
        for method in ["OPTIONS", "POST"] {
            let answer = Http::open(&gateway).send(method, &path, &[("Origin", origin)], "").unwrap();
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{method} {origin}");
        }
    }
    let viewed = request(&gateway, "GET", "/api/v1/rooms/board/invitations", Some(VIEWER), None);
    assert_eq!((viewed.status, viewed.rule().as_str()), (403, "role"));
    gateway.finish();
}

#[test]
fn guesses_at_invitations_are_bounded_as_those_at_tokens() {
    let gateway = start();
    let invitation = invite(&gateway, "2h");
    let statuses: Vec<u16> = (0..20)
        .map(|guess| request(&gateway, "POST", &format!("/join/board/eyJ.{guess}"), None, None).status)
        .collect();
    assert!(statuses.starts_with(&[403; 5]) && statuses.ends_with(&[429]), "{statuses:?}");
    join(&gateway, &invitation);
    gateway.finish();
}

#[test]
fn those_invited_to_one_room_call_each_other_directly_and_nobody_else() {
    let gateway = start();
    let (anna, ben) = (join(&gateway, &invite(&gateway, "2h")), join(&gateway, &invite(&gateway, "2h")));
    let body = r#"{"name":"Carl","expires":"2h"}"#;
    let carl = request(&gateway, "POST", "/api/v1/rooms/lobby/invitations", Some(OPERATOR), Some(body)).json();
    let carl = format!("/join/lobby/{}", carl["token"].as_str().unwrap());
    let carl = request(&gateway, "POST", &carl, None, None).json();
    let bens = ben["user"].as_str().unwrap();
    assert!(client(&gateway, &anna, bens).calls().starts_with("SIP/2.0 480"), "Ben is not registered");
    let mut called = client(&gateway, &ben, "board");
    assert!(called.registers(600).starts_with("SIP/2.0 200"));
    assert!(client(&gateway, &carl, bens).calls().starts_with("SIP/2.0 403"), "Carl was invited elsewhere");
    let mut caller = client(&gateway, &anna, bens);
    let offer = caller.offer();
    let answer = std::thread::scope(|scope| {
        let calling = scope.spawn(|| caller.calls());
        let invite = called.line.receive_text();
        assert!(invite.starts_with("INVITE ") && invite.ends_with(&offer), "{invite}");
        assert!(header(&invite, "From").contains(anna["user"].as_str().unwrap()), "{invite}");
        let copied = ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(&invite, name)));
        let to = header(&invite, "To");
        let lines = copied.concat();
        called.line.send(&format!("SIP/2.0 603 Decline\r\n{lines}To: {to};tag=ben\r\nContent-Length: 0\r\n\r\n"));
        calling.join().unwrap()
    });
    assert!(answer.starts_with("SIP/2.0 603"), "{answer}");
    gateway.finish();
}

#[test]
fn whoever_invites_and_a_host_are_told_what_to_read_out_to_telephones_and_a_guest_is_not() {
    let rooms = "[rooms.4217]\npin = \"731946\"\naccess_number = \"4000\"\n[rooms.bare]\n";
    let setup = Setup::new().also(ROUTES).also(rooms).web().setting("access_number = \"+44 20 7946 0100\"");
    let gateway = setup.start();
    gateway.wait_for_log("users loaded", seconds(20));
    let made = r#"{"name":"made","pin":"905316"}"#;
    assert_eq!(request(&gateway, "POST", "/api/v1/rooms", Some(ADMIN), Some(made)).status, 201);
    for (room, number, pin) in [
        ("4217", "4000", Some("731946")),
        ("bare", "+44 20 7946 0100", None),
        ("made", "+44 20 7946 0100", Some("905316")),
    ] {
        for host in [true, false] {
            let body = format!(r#"{{"name":"Hanna","expires":"2h","host":{host}}}"#);
            let place = format!("/api/v1/rooms/{room}/invitations");
            let invitation = request(&gateway, "POST", &place, Some(OPERATOR), Some(&body)).json();
            let told = |answer: &Value| ["access_number", "pin"].map(|field| answer[field].as_str().map(str::to_owned));
            let both = [Some(number.to_owned()), pin.map(str::to_owned)];
            assert_eq!(told(&invitation), both, "whoever invites to {room}, host: {host}");
            let place = format!("/join/{room}/{}", invitation["token"].as_str().unwrap());
            let admitted = request(&gateway, "POST", &place, None, None).json();
            assert_eq!(told(&admitted), if host { both } else { [None, None] }, "{room}, host: {host}");
            assert_eq!(admitted["by_scenario"], json!(false), "{room}");
            let listed = request(&gateway, "GET", &format!("/api/v1/rooms/{room}/invitations"), Some(OPERATOR), None);
            assert!(!listed.body.contains("\"pin\""), "{}", listed.body);
        }
    }
    let remains = gateway.finish();
    assert!(!remains.log.contains("731946") && !remains.log.contains("905316"), "{}", remains.log);
}

#[test]
fn an_invitation_is_a_token_for_its_room_by_which_guests_see_and_hosts_act() {
    let gateway = start();
    let (guest, body) = (invite(&gateway, "2h"), r#"{"name":"Hanna","expires":"2h","host":true}"#);
    let host = request(&gateway, "POST", "/api/v1/rooms/board/invitations", Some(OPERATOR), Some(body)).json();
    let token = |invitation: &Value| invitation["token"].as_str().unwrap().to_owned();
    let (guest, hosts) = (token(&guest), token(&host));
    let mut anna =
        client(&gateway, &request(&gateway, "POST", &format!("/join/board/{guest}"), None, None).json(), "board");
    assert!(anna.calls().starts_with("SIP/2.0 200"));
    gateway.wait_for_members("board", 1);
    let ask = |method: &str, path: &str, token: &str, body: Option<&str>| {
        let answer = request(&gateway, method, path, Some(token), body);
        (answer.status, if answer.status < 300 { String::new() } else { answer.rule() })
    };
    let lock = Some(r#"{"locked":true}"#);
    let refused = |status: u16, rule: &str| (status, rule.to_owned());
    let seen = request(&gateway, "GET", "/api/v1/rooms/board/participants", Some(&guest), None).json();
    assert_eq!((&seen[0]["display_name"], &seen[0]["outgoing"]), (&json!("Anna Ashton"), &json!(false)), "{seen}");
    assert!(seen[0]["user"].as_str().unwrap().starts_with("guest-"), "{seen}");
    assert_eq!(ask("PUT", "/api/v1/rooms/board/lock", &guest, lock), refused(403, "role"));
    assert_eq!(ask("GET", "/api/v1/rooms/lobby/participants", &guest, None), refused(403, "room"));
    assert_eq!(ask("PUT", "/api/v1/rooms/board/lock", &hosts, lock), (204, String::new()));
    assert_eq!(ask("PUT", "/api/v1/rooms/lobby/lock", &hosts, lock), refused(403, "room"));
    assert_eq!(ask("POST", "/api/v1/rooms", &hosts, Some(r#"{"name":"another"}"#)), refused(403, "role"));
    assert_eq!(ask("GET", "/api/v1/users", &hosts, None).0, 403);
    let call = seen[0]["name"].as_str().unwrap();
    assert_eq!(
        ask("PUT", &format!("/api/v1/calls/{call}/mute"), &hosts, Some(r#"{"muted":true}"#)),
        (204, String::new())
    );
    assert_eq!(ask("DELETE", "/api/v1/rooms/board/participants", &hosts, None), (204, String::new()));
    let bye = anna.line.receive_text();
    assert!(bye.starts_with("BYE "), "{bye}");
    anna.accepts(&bye);
    let place = format!("/api/v1/rooms/board/invitations/{}", host["id"].as_str().unwrap());
    assert_eq!(ask("DELETE", &place, OPERATOR, None), (204, String::new()));
    assert_eq!(ask("GET", "/api/v1/rooms/board", &hosts, None), refused(401, "unauthorized"));
    gateway.finish();
}
