//! Who asks: the client's address, also behind a reverse proxy of ours.

use crate::dialplan::Plan;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The connection that a request came over.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// By TLS with us.
    pub(super) tls: bool,
    /// Somebody with a token uses it: it does not make room for others.
    pub(super) is_known: Arc<AtomicBool>,
}

impl Peer {
    pub(super) fn recognise(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// Its address; the port is that of the connection to us.
    pub(super) address: SocketAddr,
    /// Nobody between it and us, or our proxy, can read what it sends.
    pub(super) secure: bool,
}

impl Client {
    /// Whoever sent a request with these headers. Of what proxies say, that of the outermost that is ours is believed.
    pub(super) fn of(peer: &Peer, headers: &HeaderMap, plan: &Plan) -> Self {
        let is_proxy = |address: IpAddr| plan.gateway.trusted_proxies.iter().any(|network| network.contains(address));
        let nearest = peer.remote.ip().to_canonical();
        if !is_proxy(nearest) {
            return Self { address: SocketAddr::new(nearest, peer.remote.port()), secure: peer.tls };
        }
        let said = |name: &str| {
            let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).map(|part| part.trim().to_owned()).collect::<Vec<_>>()
        };
        let mut address = nearest;
        for hop in said("x-forwarded-for").iter().rev() {
            let Some(before) = address_in(hop) else { break };
            address = before;
            if !is_proxy(address) {
                break;
            }
        }
        let secure = peer.tls || said("x-forwarded-proto").last().is_some_and(|scheme| scheme == "https");
        Self { address: SocketAddr::new(address, peer.remote.port()), secure }
    }
}

/// The host and port that a request says it is for, as long as they can be ones; else our address.
pub(super) fn place(peer: &Peer, headers: &HeaderMap) -> Authority {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let named = named.filter(|host| !host.as_str().contains('@') && !host.host().is_empty());
    named.unwrap_or_else(|| peer.local.to_string().parse().unwrap_or_else(|_| Authority::from_static("localhost")))
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`.
fn address_in(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().or_else(|_| hop.trim_matches(['[', ']']).parse());
    address.or_else(|_| hop.parse::<SocketAddr>().map(|place| place.ip())).ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};

    fn asked_by(remote: &str, forwarded: &[&str], scheme: &str) -> (String, bool) {
        let text = "[gateway]\nhttp = \"127.0.0.1:8080\"\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n\
                    [trunks.a]\nallow = [\"192.0.2.1\"]\n[[routes]]\nname = \"A\"\nfrom = \"a\"\nnumber = '1'\nroom = \"b\"\n";
        let plan = parse("dialplan.toml", text, &Trusting).unwrap().plan;
        let peer = Peer {
            local: "127.0.0.1:8080".parse().unwrap(),
            remote: SocketAddr::new(remote.parse().unwrap(), 4711),
            tls: false,
            is_known: Arc::default(),
        };
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        headers.append("x-forwarded-proto", scheme.parse().unwrap());
        let client = Client::of(&peer, &headers, &plan);
        (client.address.ip().to_string(), client.secure)
    }

    #[test]
    fn a_proxy_of_ours_is_believed_and_nobody_else() {
        for (remote, forwarded, scheme, expected) in [
            ("203.0.113.1", &["198.51.100.1"][..], "https", ("203.0.113.1", false)),
            ("127.0.0.1", &[], "http", ("127.0.0.1", false)),
            ("127.0.0.1", &["198.51.100.1"], "https", ("198.51.100.1", true)),
            ("127.0.0.1", &["192.0.2.66, 198.51.100.1"], "https", ("198.51.100.1", true)),
            ("127.0.0.1", &["192.0.2.66", "198.51.100.1, 10.1.2.3"], "http", ("198.51.100.1", false)),
            ("127.0.0.1", &["198.51.100.1", "nonsense"], "http", ("127.0.0.1", false)),
            ("::ffff:127.0.0.1", &["[2001:db8::7]:1234"], "http", ("2001:db8::7", false)),
        ] {
            let (address, secure) = asked_by(remote, forwarded, scheme);
            assert_eq!((address.as_str(), secure), expected, "{remote} {forwarded:?}");
        }
    }
}
