//! Servers that help clients through firewalls, with passwords that end by themselves: those who ask get a name that
//! says until when it holds, and its HMAC under what the servers share with us (as coturn's `use-auth-secret` has it).

use crate::dialplan::{Ice, Plan};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha1::Sha1;
use std::time::{SystemTime, UNIX_EPOCH};
use utoipa::ToSchema;

/// Servers, as `RTCPeerConnection` takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct IceServer {
    #[schema(example = json!(["turns:turn.example.com:443?transport=tcp"]))]
    pub(super) urls: Vec<String>,
    /// Of TURN: until when it holds (Unix time), and for whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) username: Option<String>,
    /// Of TURN: the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<String>,
}

/// What passwords of TURN servers, and invitations, end by.
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// The servers of a dialplan, for whoever is called `name`.
pub(super) fn servers(plan: &Plan, name: &str, now: SystemTime) -> Vec<IceServer> {
    let Ice { stun, turn, turn_secret, turn_lifetime } = &plan.ice;
    let mut servers = Vec::new();
    if !stun.is_empty() {
        servers.push(IceServer { urls: stun.clone(), username: None, credential: None });
    }
    if let Some(secret) = turn_secret.as_ref().filter(|_| !turn.is_empty()) {
        let until = (now + *turn_lifetime).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let username = format!("{until}:{name}");
        let mut mac = Hmac::<Sha1>::new_from_slice(secret.reveal().as_bytes()).expect("any length is a key");
        mac.update(username.as_bytes());
        let credential = STANDARD.encode(mac.finalize().into_bytes());
        servers.push(IceServer { urls: turn.clone(), username: Some(username), credential: Some(credential) });
    }
    servers
}

impl IceServer {
    /// Each URL as a `Link` (RFC 9725 section 4.6).
    pub(super) fn links(&self) -> impl Iterator<Item = String> + '_ {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let credentials = self.username.as_deref().zip(self.credential.as_deref()).map(|(username, credential)| {
            let (username, credential) = (quoted(username), quoted(credential));
            format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"")
        });
        let credentials = credentials.unwrap_or_default();
        self.urls.iter().map(move |url| format!("<{url}>; rel=\"ice-server\"{credentials}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};
    use std::time::Duration;

    fn plan(ice: &str) -> std::sync::Arc<Plan> {
        let text = format!(
            "[ice]\n{ice}\n[trunks.a]\nallow = \"192.0.2.1\"\n[[routes]]\nname = \"R\"\nfrom = \"a\"\nnumber = '1'\nroom = \"r\"\n"
        );
        parse("dialplan.toml", &text, &Trusting).unwrap_or_else(|found| panic!("{found}")).plan
    }

    #[test]
    fn a_password_says_until_when_it_holds_and_is_what_coturn_expects() {
        let plan =
            plan("turn = \"turn:turn.example.com\"\nturn_secret = { plain = \"north\" }\nturn_lifetime = \"1h\"");
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let servers = servers(&plan, "alice", now);
        assert_eq!(servers.len(), 1);
        assert_eq!(servers[0].username.as_deref(), Some("1700003600:alice"));
        // printf 1700003600:alice | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(servers[0].credential.as_deref(), Some("wjwSXO2ch1B6VaLTLMy2Avn5O9o="));
    }

    #[test]
    fn servers_are_links_for_whip_as_the_rfc_has_them() {
        let ice = "stun = \"stun:stun.example.net\"\n\
                   turn = [\"turn:turn.example.net?transport=udp\", \"turns:turn.example.net?transport=tcp\"]\n\
                   turn_secret = { plain = \"north\" }\nturn_lifetime = \"1h\"";
        let servers = servers(&plan(ice), "a\"b", UNIX_EPOCH);
        let links: Vec<String> = servers.iter().flat_map(IceServer::links).collect();
        assert_eq!(links[0], "<stun:stun.example.net>; rel=\"ice-server\"");
        let begins =
            "<turn:turn.example.net?transport=udp>; rel=\"ice-server\"; username=\"3600:a\\\"b\"; credential=\"";
        assert!(links[1].starts_with(begins) && links[1].ends_with("\"; credential-type=\"password\""), "{}", links[1]);
        assert!(links[2].starts_with("<turns:turn.example.net?transport=tcp>; rel=\"ice-server\"") && links.len() == 3);
    }

    #[test]
    fn without_servers_there_are_none_and_stun_needs_no_password() {
        assert_eq!(servers(&plan(""), "alice", UNIX_EPOCH), []);
        let stun = servers(&plan("stun = \"stun:stun.example.com\""), "alice", UNIX_EPOCH);
        assert_eq!((stun.len(), &stun[0].username, &stun[0].credential), (1, &None, &None));
        assert_eq!(serde_json::to_string(&stun).unwrap(), r#"[{"urls":["stun:stun.example.com"]}]"#);
    }
}
