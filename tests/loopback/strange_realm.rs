//! Whoever asks for our password in a realm that is not its own gets none.

use super::harness::{Family, Gateway, Playing, Setup, Sipp, address, seconds};

const ASKS: [(&str, &str, &str); 2] = [
    ("401 Unauthorized", "WWW-Authenticate", "Authorization:"),
    ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization:"),
];

fn gateway_with_password_for(peer: &Playing, more: &str) -> Gateway {
    let place = address::host_port(peer.address, peer.port);
    let routes = format!(
        "[trunks.carrier]\naddress = [\"{place}\"]\nping = \"off\"\nusername = \"acme\"\npassword = {{ plain = \"correct horse\" }}\n{more}\n\
         [rooms.standup]\n[[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"carrier\"\n\
         confirm = false\n"
    );
    Setup::new().routes(&routes).start()
}

fn dial(gateway: &Gateway) -> i32 {
    gateway.ctl(&["dial", "--room", "standup", "+442079460123"]).code()
}

/// No message of the gateway's holds a digest. (Those of the peer do.)
fn assert_no_digest(messages: &str) {
    for name in ["Authorization: Digest", "Proxy-Authorization: Digest", "username="] {
        assert!(!messages.contains(name), "{messages}");
    }
}

#[test]
fn a_bye_is_not_authorised_for_a_strange_realm() {
    for (status, header, _) in ASKS {
        for realm in ["", "realm = \"carrier.example\""] {
            let telephone =
                Sipp::new("challenges_bye").with("STATUS", status).with("HEADER", header).listen(Family::V4);
            let gateway = gateway_with_password_for(&telephone, realm);
            assert_eq!(dial(&gateway), 0);
            gateway.wait_for_members("standup", 1);
            gateway.kick_only_call();
            assert_no_digest(&telephone.finish());
            assert_eq!(gateway.finish().record()["cause"], "kicked");
        }
    }
}

#[test]
fn an_invite_is_not_authorised_for_a_strange_realm() {
    for (status, header, reply) in ASKS {
        let telephone = Sipp::new("challenges_strangely")
            .with("METHOD", "INVITE")
            .with("STATUS", status)
            .with("HEADER", header)
            .with("REPLY", reply)
            .with("ACK", "<recv request=\"ACK\"/>")
            .listen(Family::V4);
        let gateway = gateway_with_password_for(&telephone, "realm = \"carrier.example\"");
        assert_eq!(dial(&gateway), 1);
        assert_no_digest(&telephone.finish());
        assert_eq!(gateway.finish().record()["cause"], "declined");
    }
}

#[test]
fn a_register_is_not_authorised_for_a_strange_realm() {
    for (status, header, reply) in ASKS {
        let registrar = Sipp::new("challenges_strangely")
            .with("METHOD", "REGISTER")
            .with("STATUS", status)
            .with("HEADER", header)
            .with("REPLY", reply)
            .with("ACK", "")
            .listen(Family::V4);
        let gateway = gateway_with_password_for(&registrar, "register = true\nrealm = \"carrier.example\"");
        gateway.wait_for_log("registration failed", seconds(10));
        assert_no_digest(&registrar.finish());
        gateway.finish();
    }
}
