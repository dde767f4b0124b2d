//! Finding a SIP server (RFC 3263): what to ask the DNS, and what its answers come to.
//!
//! Pure: [`plan`] and [`services`] say what is to be asked next, whoever asks puts the answers into [`Candidate`]s, and
//! [`order`] draws the order in which they are tried (RFC 2782).

use std::net::IpAddr;
use std::time::Duration;

use rand::Rng;

use super::message::Transport;

/// What is known of a server before anybody is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Name or address, without brackets.
    pub host: String,
    /// The port, if one was given.
    pub port: Option<u16>,
    /// The transport, if one was given.
    pub transport: Option<Transport>,
}

/// What is to be asked (RFC 3263 sections 4.1 and 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: the host is an address.
    Numeric(Transport, IpAddr, u16),
    /// Its addresses: a port is given.
    Addresses(Transport, u16),
    /// The SRV records of one transport, then the addresses.
    Srv(Transport),
    /// NAPTR; then the SRV records of every transport; then the addresses.
    Naptr,
}

/// What `question` asks for.
#[must_use]
pub fn plan(question: &Question) -> Plan {
    let transport = question.transport.unwrap_or(Transport::Udp);
    if let Ok(address) = question.host.parse() {
        return Plan::Numeric(transport, address, question.port.unwrap_or(transport.default_port()));
    }
    match (question.port, question.transport) {
        (Some(port), _) => Plan::Addresses(transport, port),
        (None, Some(transport)) => Plan::Srv(transport),
        (None, None) => Plan::Naptr,
    }
}

/// The name under which a domain lists its servers for one transport.
#[must_use]
pub fn srv_name(domain: &str, transport: Transport) -> String {
    let domain = domain.trim_end_matches('.');
    match transport {
        Transport::Udp => format!("_sip._udp.{domain}."),
        Transport::Tls => format!("_sips._tcp.{domain}."),
        _ => format!("_sip._tcp.{domain}."),
    }
}

/// The transports tried where a domain has no NAPTR records: the safest first.
pub const ALL: [Transport; 3] = [Transport::Tls, Transport::Tcp, Transport::Udp];

/// A NAPTR record (RFC 3403), as much of it as SIP needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// The lower is taken first.
    pub order: u16,
    /// Among equal orders, the lower is taken first.
    pub preference: u16,
    /// `s`: the replacement names SRV records.
    pub flags: String,
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`.
    pub services: String,
    /// The name to ask for next.
    pub replacement: String,
}

/// The SRV names that NAPTR records lead to, each with its transport, best first. Other services are passed over.
#[must_use]
pub fn services(records: &[Naptr]) -> Vec<(Transport, String)> {
    let mut records: Vec<&Naptr> = records.iter().filter(|record| record.flags.eq_ignore_ascii_case("s")).collect();
    records.sort_by_key(|record| (record.order, record.preference));
    let known = records.into_iter().filter_map(|record| {
        let transport = match record.services.to_ascii_uppercase().as_str() {
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            "SIPS+D2T" => Transport::Tls,
            _ => return None,
        };
        Some((transport, record.replacement.clone()))
    });
    known.collect()
}

/// One server that may be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<T> {
    /// All of a lower rank are tried first: the place in the configuration, the place of the service, the SRV priority.
    pub rank: (u16, u16, u16),
    /// Its share of the load among those of its rank (RFC 2782).
    pub weight: u16,
    /// Its addresses, in the order of the answer.
    pub targets: Vec<T>,
}

/// What came of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The servers, in any order.
    pub candidates: Vec<Candidate<T>>,
    /// How long the answer holds: the shortest time to live of its records.
    pub lifetime: Duration,
    /// Places in the configuration (the first of a rank) of which the DNS did not say all: what it said of them before
    /// is worth more than what was found without it.
    pub doubtful: Vec<u16>,
    /// What went wrong, for people to read.
    pub trouble: Option<String>,
}

impl<T> Located<T> {
    /// Nothing yet.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { candidates: Vec::new(), lifetime: Duration::MAX, doubtful: Vec::new(), trouble: None }
    }

    /// Takes note of a question about the host in this place that the DNS did not answer.
    pub fn doubt(&mut self, place: u16, why: String) {
        if !self.doubtful.contains(&place) {
            self.doubtful.push(place);
        }
        self.trouble.get_or_insert(why);
    }
}

/// Targets in a fixed order, for as long as anybody likes.
impl<T> From<Vec<T>> for Located<T> {
    fn from(targets: Vec<T>) -> Self {
        let candidates = vec![Candidate { rank: (0, 0, 0), weight: 0, targets }];
        Self { candidates, ..Self::nothing() }
    }
}

/// The targets in the order they are to be tried, drawn as RFC 2782 has it: by rank, and within a rank at random by
/// weight.
pub fn order<T: Clone>(candidates: &[Candidate<T>], random: &mut impl Rng) -> Vec<T> {
    let mut left: Vec<&Candidate<T>> = candidates.iter().collect();
    left.sort_by_key(|candidate| (candidate.rank, candidate.weight != 0));
    let mut ordered = Vec::new();
    while let Some(rank) = left.first().map(|candidate| candidate.rank) {
        let end = left.iter().take_while(|candidate| candidate.rank == rank).count();
        let total: u32 = left.iter().take(end).map(|candidate| u32::from(candidate.weight)).sum();
        let drawn = random.random_range(0..=total);
        let mut sum = 0;
        let chosen = left.iter().take(end).position(|candidate| {
            sum += u32::from(candidate.weight);
            sum >= drawn
        });
        ordered.extend(left.remove(chosen.unwrap_or(0)).targets.iter().cloned());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn question(host: &str, port: Option<u16>, transport: Option<Transport>) -> Question {
        Question { host: host.into(), port, transport }
    }

    #[test]
    fn an_address_or_a_port_leaves_less_to_ask() {
        use Transport::{Tcp, Tls, Udp};
        let address = "192.0.2.1".parse().unwrap();
        for (question, wanted) in [
            (question("192.0.2.1", None, None), Plan::Numeric(Udp, address, 5060)),
            (question("192.0.2.1", None, Some(Tls)), Plan::Numeric(Tls, address, 5061)),
            (question("192.0.2.1", Some(5070), Some(Tcp)), Plan::Numeric(Tcp, address, 5070)),
            (question("2001:db8::1", None, None), Plan::Numeric(Udp, "2001:db8::1".parse().unwrap(), 5060)),
            (question("a.example", Some(5070), None), Plan::Addresses(Udp, 5070)),
            (question("a.example", Some(5071), Some(Tls)), Plan::Addresses(Tls, 5071)),
            (question("a.example", None, Some(Tcp)), Plan::Srv(Tcp)),
            (question("a.example", None, None), Plan::Naptr),
        ] {
            assert_eq!(plan(&question), wanted, "{question:?}");
        }
        assert_eq!(srv_name("a.example", Tls), "_sips._tcp.a.example.");
        assert_eq!(srv_name("a.example.", Udp), "_sip._udp.a.example.");
    }

    #[test]
    fn services_come_by_order_then_preference_and_strange_ones_are_passed_over() {
        let record = |order, preference, services: &str| Naptr {
            order,
            preference,
            flags: "S".into(),
            services: services.into(),
            replacement: format!("{services}.a.example."),
        };
        let mut records = vec![
            record(90, 50, "SIP+D2U"),
            record(50, 60, "sip+d2t"),
            record(50, 50, "SIPS+D2T"),
            record(1, 1, "SIP+D2S"),
            record(1, 1, "E2U+email"),
        ];
        let found: Vec<Transport> = services(&records).into_iter().map(|(transport, _)| transport).collect();
        assert_eq!(found, [Transport::Tls, Transport::Tcp, Transport::Udp]);
        records.iter_mut().for_each(|record| record.flags = "u".into());
        assert!(services(&records).is_empty());
    }

    #[test]
    fn ranks_come_in_order_and_weights_share_the_load() {
        let candidate = |priority, weight, name| Candidate { rank: (0, 0, priority), weight, targets: vec![name] };
        let candidates =
            [candidate(20, 0, "spare"), candidate(10, 60, "big"), candidate(10, 20, "small"), candidate(10, 0, "idle")];
        let mut random = StdRng::seed_from_u64(7);
        let (mut big, mut idle) = (0, 0);
        for _ in 0..4_000 {
            let order = order(&candidates, &mut random);
            assert_eq!(order.len(), 4);
            assert_eq!(order[3], "spare");
            big += usize::from(order[0] == "big");
            idle += usize::from(order[0] == "idle");
        }
        assert!((2_850..3_150).contains(&big), "three quarters: {big}");
        assert!((1..200).contains(&idle), "seldom, but not never: {idle}");
    }

    #[test]
    fn all_addresses_of_a_host_stay_together() {
        let candidates = [
            Candidate { rank: (1, 0, 0), weight: 0, targets: vec![3] },
            Candidate { rank: (0, 0, 0), weight: 0, targets: vec![1, 2] },
        ];
        assert_eq!(order(&candidates, &mut StdRng::seed_from_u64(1)), [1, 2, 3]);
        assert!(order::<u8>(&[], &mut StdRng::seed_from_u64(1)).is_empty());
    }
}
