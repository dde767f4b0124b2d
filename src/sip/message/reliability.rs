use std::fmt;

use bytes::Bytes;

use super::{CSeq, InvalidValue, Method, charset};

/// RSeq: the number of a reliable provisional response (RFC 3262 section 7.1), 1 to 2³² − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RSeq(pub u32);

impl RSeq {
    /// Reads the number.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        read_number(charset::trim(value)).map(Self).ok_or(InvalidValue("RSeq"))
    }
}

impl fmt::Display for RSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// RAck: which reliable provisional response a PRACK is for (RFC 3262 section 7.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RAck {
    /// The response's RSeq.
    pub rseq: u32,
    /// The response's CSeq number.
    pub cseq: u32,
    /// The response's CSeq method.
    pub method: Method,
}

impl RAck {
    /// Reads `776656 1 INVITE`.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        const INVALID: InvalidValue = InvalidValue("RAck");
        let part = charset::trim(value);
        let end = part.iter().position(|byte| charset::is_space(*byte)).ok_or(INVALID)?;
        let (rseq, rest) = part.split_at(end);
        let CSeq { number, method } = CSeq::parse(&value.slice_ref(rest)).map_err(|_| INVALID)?;
        Ok(Self { rseq: read_number(rseq).ok_or(INVALID)?, cseq: number, method })
    }
}

fn read_number(digits: &[u8]) -> Option<u32> {
    charset::number(digits, u32::MAX.into()).and_then(|number| u32::try_from(number).ok())
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.cseq, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rack_names_response_and_request() {
        let rack = RAck { rseq: 776_656, cseq: 1, method: Method::Invite };
        assert_eq!(RAck::parse(&" 776656  1\tINVITE ".into()), Ok(rack.clone()));
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        for bad in ["", "1", "1 2", "1 INVITE", "x 1 INVITE", "4294967296 1 INVITE"] {
            assert!(RAck::parse(&bad.into()).is_err(), "{bad}");
        }
        assert_eq!(RSeq::parse(&"988789".into()), Ok(RSeq(988_789)));
    }
}
