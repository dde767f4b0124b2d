//! Look-ups of SIP servers (RFC 3263), beside the gateway: what is asked and what it comes to is `sip::locate`'s.

use crate::dialplan::{SipTransport, Trunk, TrunkAddress};
use crate::sip::locate::{self, Candidate, Located, Naptr, Plan, Question};
use crate::sip::message::Transport;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// SRV records and addresses of one name beyond this are passed over.
const MOST: usize = 32;
/// How long a name found in the hosts file, or by the system alone, is believed.
const SYSTEM: Duration = Duration::from_secs(60);

/// Patience with an answer of a server that the dialplan names. Each is asked three times.
const PATIENCE: Duration = Duration::from_secs(2);

/// Patience with the address of one host, for which a call waits.
const HOST_PATIENCE: Duration = Duration::from_secs(4);

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

/// Asks the DNS, and `/etc/hosts` first. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    dns: Option<Arc<TokioResolver>>,
    /// The servers that the dialplan names. None: those of this machine, and its other sources of names.
    servers: Vec<SocketAddr>,
}

impl Resolver {
    /// Asks these servers and nobody else; without any, those in the settings of this machine. Where neither can be
    /// used, addresses are asked of the system, and nothing else.
    #[must_use]
    pub fn new(servers: &[SocketAddr]) -> Self {
        let built = if servers.is_empty() {
            TokioResolver::builder_tokio().and_then(|builder| builder.build())
        } else {
            let config = ResolverConfig::from_name_servers(servers.iter().map(name_server).collect());
            let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            builder.options_mut().timeout = PATIENCE;
            builder.build()
        };
        if let Err(error) = &built {
            tracing::warn!(%error, "the DNS settings of this machine cannot be used: no SRV records");
        }
        Self { dns: built.ok().map(Arc::new), servers: servers.to_vec() }
    }

    /// The servers it was made with.
    #[must_use]
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// The addresses of one host that a peer names: a name of at most 253 octets, or an address (RFC 8866 section 5.7).
    ///
    /// # Errors
    /// Why there are none, in words: it is no name, nobody has it, or the DNS cannot say.
    pub async fn host(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(vec![address]);
        }
        if !is_host_name(name) {
            return Err("that is no host name".into());
        }
        let mut located = Located::<Server>::nothing();
        let answer = tokio::time::timeout(HOST_PATIENCE, self.addresses(&mut located, name)).await;
        match answer {
            Err(_) => Err(format!("the DNS does not answer for {name}")),
            Ok(Ok(addresses)) if addresses.is_empty() => Err(format!("the DNS knows no address of {name}")),
            Ok(answer) => answer,
        }
    }

    /// All servers of a trunk, or of its proxy where it has one.
    pub async fn locate(&self, trunk: &Trunk) -> Located<Server> {
        let mut located = Located::nothing();
        let proxy = trunk.proxy.as_ref();
        let hosts = proxy.map_or(trunk.address.as_slice(), |proxy| std::slice::from_ref(&proxy.address));
        let transport = proxy.and_then(|proxy| proxy.transport).or(trunk.transport).map(transport);
        for (place, host) in hosts.iter().enumerate() {
            let before = located.candidates.len();
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            self.locate_one(&mut located, place, host, transport).await;
            if located.candidates.len() == before {
                tracing::warn!(trunk = %trunk.name, host = %host.host, "host not found");
                located.trouble.get_or_insert_with(|| format!("the DNS knows no address of {}", host.host));
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
        let mut open = None;
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
                // Some servers fail at this kind of record for ever: where there are SRV records, they do.
                let records = self.naptr(located, &host.host).await;
                let services = locate::services(records.as_deref().unwrap_or_default());
                open = records.err();
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
            let records = match self.srv(located, &srv).await {
                Ok(records) => records,
                Err(why) => {
                    located.doubt(place, why);
                    continue;
                }
            };
            for (priority, weight, port, target) in records {
                let rank = (place, service, priority);
                self.add_host(located, rank, weight, &target, port, (transport, &name)).await;
            }
        }
        if located.candidates.len() == before {
            if let Some(why) = open {
                located.doubt(place, why);
            }
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
        let addresses = match self.addresses(located, host).await {
            Ok(addresses) => addresses,
            Err(why) => return located.doubt(rank.0, why),
        };
        let targets: Vec<Server> = addresses
            .into_iter()
            .map(|ip| Server { transport, address: SocketAddr::new(ip, port), name: name.to_owned() })
            .collect();
        if !targets.is_empty() {
            located.candidates.push(Candidate { rank, weight, targets });
        }
    }

    async fn naptr(&self, located: &mut Located<Server>, name: &str) -> Result<Vec<Naptr>, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let records = self.records(located, &absolute(name), RecordType::NAPTR).await?;
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
        Ok(read.take(MOST).collect())
    }

    async fn srv(&self, located: &mut Located<Server>, name: &str) -> Result<Vec<(u16, u16, u16, String)>, String> {
        let records = self.records(located, name, RecordType::SRV).await?;
        let read = records.into_iter().filter_map(|record| match record {
            // A target of "." says that there is no such service (RFC 2782).
            RData::SRV(record) if !record.target.is_root() => {
                Some((record.priority, record.weight, record.port, record.target.to_ascii()))
            }
            _ => None,
        });
        Ok(read.take(MOST).collect())
    }

    /// The records there are; an error where that is not known.
    async fn records(&self, located: &mut Located<Server>, name: &str, kind: RecordType) -> Result<Vec<RData>, String> {
        let Some(resolver) = &self.dns else { return Ok(Vec::new()) };
        match resolver.lookup(name, kind).await {
            Ok(found) => {
                located.lifetime = located.lifetime.min(left(found.valid_until()));
                Ok(found.answers().iter().map(|record| record.data.clone()).collect())
            }
            Err(error) => {
                tracing::debug!(name, %kind, %error, "DNS");
                unanswered(&error, name).map_or(Ok(Vec::new()), Err)
            }
        }
    }

    /// The addresses there are; an error where that is not known.
    async fn addresses(&self, located: &mut Located<Server>, host: &str) -> Result<Vec<IpAddr>, String> {
        let mut failed = None;
        if let Some(resolver) = &self.dns {
            match resolver.lookup_ip(host).await {
                Ok(found) => {
                    located.lifetime = located.lifetime.min(left(found.valid_until()));
                    return Ok(found.iter().take(MOST).collect());
                }
                Err(error) => {
                    tracing::debug!(host, %error, "DNS");
                    failed = unanswered(&error, host);
                }
            }
        }
        if !self.servers.is_empty() {
            return failed.map_or(Ok(Vec::new()), Err);
        }
        // Names that only the system knows: other sources than the DNS.
        located.lifetime = located.lifetime.min(SYSTEM);
        match tokio::net::lookup_host((host, 0)).await {
            Ok(found) => Ok(found.map(|address| address.ip()).take(MOST).collect()),
            Err(error) => {
                tracing::debug!(host, %error, "host name");
                failed.map_or(Ok(Vec::new()), Err)
            }
        }
    }
}

fn name_server(server: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.to_vec())
}

/// Why a question is open, unless the answer is that there is nothing.
fn unanswered(error: &NetError, name: &str) -> Option<String> {
    let name = name.trim_end_matches('.');
    match error {
        NetError::Dns(DnsError::NoRecordsFound(found))
            if matches!(found.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
        {
            None
        }
        NetError::Dns(DnsError::ResponseCode(code)) => Some(format!("the DNS fails for {name}: {code}")),
        NetError::Timeout => Some(format!("the DNS does not answer for {name}")),
        other => Some(format!("the DNS cannot be asked for {name}: {other}")),
    }
}

/// Whether this can be a host's name (RFC 1123 section 2.1; also with underscores, which some have).
fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
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

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Message, OpCode};
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::A;
    use tokio::net::UdpSocket;

    /// A DNS server that knows one name.
    async fn knows(name: &'static str, address: [u8; 4]) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let place = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut packet = [0; 1_500];
            loop {
                let (length, from) = socket.recv_from(&mut packet).await.unwrap();
                let question = Message::from_vec(&packet[..length]).unwrap();
                let mut answer = Message::response(question.metadata.id, OpCode::Query);
                for query in question.queries {
                    if query.name().to_ascii().trim_end_matches('.') != name {
                        answer.metadata.response_code = ResponseCode::NXDomain;
                    } else if query.query_type() == RecordType::A {
                        let data = RData::A(A(address.into()));
                        answer.add_answers([Record::from_rdata(query.name().clone(), 60, data)]);
                    }
                    answer.add_query(query);
                }
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        place
    }

    #[tokio::test]
    async fn a_host_that_a_peer_names_is_found_or_it_is_said_why_not() {
        let resolver = Resolver::new(&[knows("media.carrier.test", [192, 0, 2, 9]).await]);
        assert_eq!(resolver.host("media.carrier.test").await, Ok(vec![IpAddr::from([192, 0, 2, 9])]));
        assert_eq!(resolver.host("[2001:db8::1]").await, Ok(vec!["2001:db8::1".parse().unwrap()]));
        let unknown = resolver.host("nobody.carrier.test").await;
        assert_eq!(unknown, Err("the DNS knows no address of nobody.carrier.test".into()));
        for nonsense in ["", ".", "a..b", "a b", "-- ;", &"a.".repeat(200), &"a".repeat(64)] {
            assert_eq!(resolver.host(nonsense).await, Err("that is no host name".into()), "{nonsense}");
        }
    }
}
