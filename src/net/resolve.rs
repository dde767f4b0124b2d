//! Look-ups of SIP servers (RFC 3263), beside the gateway: what is asked and what it comes to is `sip::locate`'s.

use crate::dialplan::{SipTransport, Trunk, TrunkAddress};
use crate::sip::locate::{self, Candidate, Located, Naptr, Plan, Question};
use crate::sip::message::Transport;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// SRV records and addresses of one name beyond this are passed over.
const MOST: usize = 32;
/// How long a name found in the hosts file, or by the system alone, is believed.
const SYSTEM: Duration = Duration::from_secs(60);

/// One server: how it is reached, where it is, and the name its certificate must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// The host as the administrator wrote it: not what the DNS made of it (RFC 5922 section 4).
    pub name: String,
}

/// Asks the DNS by the system's settings, and `/etc/hosts` first. Cheap to clone.
#[derive(Clone)]
pub struct Resolver(Option<Arc<TokioResolver>>);

impl Resolver {
    /// By the settings of this machine. Where they cannot be read, addresses are asked of the system, and nothing else.
    #[must_use]
    pub fn system() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        if let Err(error) = &built {
            tracing::warn!(%error, "the DNS settings of this machine cannot be used: no SRV records");
        }
        Self(built.ok().map(Arc::new))
    }

    /// All servers of a trunk, or of its proxy where it has one.
    pub async fn locate(&self, trunk: &Trunk) -> Located<Server> {
        let mut located = Located { candidates: Vec::new(), lifetime: Duration::MAX };
        let proxy = trunk.proxy.as_ref();
        let hosts = proxy.map_or(trunk.address.as_slice(), |proxy| std::slice::from_ref(&proxy.address));
        let transport = proxy.and_then(|proxy| proxy.transport).or(trunk.transport).map(transport);
        for (place, host) in hosts.iter().enumerate() {
            let before = located.candidates.len();
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            self.locate_one(&mut located, place, host, transport).await;
            if located.candidates.len() == before {
                tracing::warn!(trunk = %trunk.name, host = %host.host, "host not found");
                // The others serve meanwhile.
                located.lifetime = located.lifetime.min(SYSTEM);
            }
        }
        located
    }

    async fn locate_one(
        &self,
        located: &mut Located<Server>,
        place: u16,
        host: &TrunkAddress,
        transport: Option<Transport>,
    ) {
        let name = host.host.trim_end_matches('.').to_owned();
        let question = Question { host: host.host.clone(), port: host.port, transport };
        let services = match locate::plan(&question) {
            Plan::Numeric(transport, ip, port) => {
                let server = Server { transport, address: SocketAddr::new(ip, port), name };
                let rank = (place, 0, 0);
                return located.candidates.push(Candidate { rank, weight: 0, targets: vec![server] });
            }
            Plan::Addresses(transport, port) => {
                return self.add_host(located, (place, 0, 0), 0, &host.host, port, (transport, &name)).await;
            }
            Plan::Srv(transport) => vec![(transport, locate::srv_name(&host.host, transport))],
            Plan::Naptr => {
                let records = self.naptr(located, &host.host).await;
                let services = locate::services(&records);
                if services.is_empty() {
                    locate::ALL.map(|transport| (transport, locate::srv_name(&host.host, transport))).to_vec()
                } else {
                    services
                }
            }
        };
        let before = located.candidates.len();
        for (service, (transport, srv)) in services.into_iter().enumerate() {
            let service = u16::try_from(service).unwrap_or(u16::MAX);
            for (priority, weight, port, target) in self.srv(located, &srv).await {
                let rank = (place, service, priority);
                self.add_host(located, rank, weight, &target, port, (transport, &name)).await;
            }
        }
        if located.candidates.len() == before {
            let transport = transport.unwrap_or(Transport::Udp);
            let port = transport.default_port();
            self.add_host(located, (place, 0, 0), 0, &host.host, port, (transport, &name)).await;
        }
    }

    async fn add_host(
        &self,
        located: &mut Located<Server>,
        rank: (u16, u16, u16),
        weight: u16,
        host: &str,
        port: u16,
        (transport, name): (Transport, &str),
    ) {
        let addresses = self.addresses(located, host).await;
        let targets: Vec<Server> = addresses
            .into_iter()
            .map(|ip| Server { transport, address: SocketAddr::new(ip, port), name: name.to_owned() })
            .collect();
        if !targets.is_empty() {
            located.candidates.push(Candidate { rank, weight, targets });
        }
    }

    async fn naptr(&self, located: &mut Located<Server>, name: &str) -> Vec<Naptr> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let records = self.records(located, &absolute(name), RecordType::NAPTR).await;
        let read = records.into_iter().filter_map(|record| match record {
            RData::NAPTR(record) => Some(Naptr {
                order: record.order,
                preference: record.preference,
                flags: text(&record.flags),
                services: text(&record.services),
                replacement: record.replacement.to_ascii(),
            }),
            _ => None,
        });
        read.take(MOST).collect()
    }

    async fn srv(&self, located: &mut Located<Server>, name: &str) -> Vec<(u16, u16, u16, String)> {
        let records = self.records(located, name, RecordType::SRV).await;
        let read = records.into_iter().filter_map(|record| match record {
            // A target of "." says that there is no such service (RFC 2782).
            RData::SRV(record) if !record.target.is_root() => {
                Some((record.priority, record.weight, record.port, record.target.to_ascii()))
            }
            _ => None,
        });
        read.take(MOST).collect()
    }

    async fn records(&self, located: &mut Located<Server>, name: &str, kind: RecordType) -> Vec<RData> {
        let Some(resolver) = &self.0 else { return Vec::new() };
        match resolver.lookup(name, kind).await {
            Ok(found) => {
                located.lifetime = located.lifetime.min(left(found.valid_until()));
                found.answers().iter().map(|record| record.data.clone()).collect()
            }
            Err(error) => {
                tracing::debug!(name, %kind, %error, "DNS");
                Vec::new()
            }
        }
    }

    async fn addresses(&self, located: &mut Located<Server>, host: &str) -> Vec<IpAddr> {
        if let Some(resolver) = &self.0 {
            match resolver.lookup_ip(host).await {
                Ok(found) => {
                    located.lifetime = located.lifetime.min(left(found.valid_until()));
                    return found.iter().take(MOST).collect();
                }
                Err(error) => tracing::debug!(host, %error, "DNS"),
            }
        }
        // Names that only the system knows: other sources than the DNS.
        located.lifetime = located.lifetime.min(SYSTEM);
        match tokio::net::lookup_host((host, 0)).await {
            Ok(found) => found.map(|address| address.ip()).take(MOST).collect(),
            Err(error) => {
                tracing::debug!(host, %error, "host name");
                Vec::new()
            }
        }
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// A transport of the dialplan as SIP's.
#[must_use]
pub const fn transport(written: SipTransport) -> Transport {
    match written {
        SipTransport::Udp => Transport::Udp,
        SipTransport::Tcp => Transport::Tcp,
        SipTransport::Tls => Transport::Tls,
    }
}
