//! What a user agent needs of a message beyond its being one (RFC 3261 sections 8.1.1, 8.2 and 8.1.3).

use super::{CSeq, Defect, HeaderName, Headers, Method, Request, Response, Via};

/// Headers that may come once only, and that somebody would read the wrong one of (RFC 4475 section 3.3.8).
const ONCE: [(HeaderName, &str); 5] = [
    (HeaderName::From, "From"),
    (HeaderName::To, "To"),
    (HeaderName::CallId, "Call-ID"),
    (HeaderName::CSeq, "CSeq"),
    (HeaderName::MaxForwards, "Max-Forwards"),
];

/// Whether a request has all that an answer and a dialog are made from, once and well-formed.
///
/// Not looked at: what depends on who asks (method, scheme, Require, dialog, Max-Forwards 0), and headers that an
/// element may pass over when they are malformed (Date, Expires, Warning, Authorization, …).
pub fn check_request(request: &Request) -> Result<(), Defect> {
    let headers = &request.headers;
    let Common { cseq, .. } = check_common(headers)?;
    headers.from().map_err(Defect::from)?;
    headers.to().map_err(Defect::from)?;
    // A method nobody knows is refused as such, with a status that says more (RFC 4475 section 3.1.2.18).
    if cseq.method != request.method && !matches!(request.method, Method::Other(_)) {
        return Err(Defect::MethodMismatch);
    }
    if let Some(max_forwards) = request.max_forwards() {
        max_forwards?;
    }
    // RFC 3261 section 19.1.1: headers have no place in a request URI.
    if request.uri.headers.is_some() {
        return Err(Defect::RequestUri);
    }
    headers.contacts()?;
    if request.method == Method::Invite {
        headers.addresses(&HeaderName::RecordRoute).map_err(|_| Defect::Malformed("Record-Route"))?;
    }
    Ok(())
}

/// Whether a response can be matched to a transaction of ours. One that cannot is dropped.
pub fn check_response(response: &Response) -> Result<(), Defect> {
    let headers = &response.headers;
    let Common { vias, .. } = check_common(headers)?;
    headers.from()?;
    headers.to()?;
    // RFC 3261 section 8.1.3.3: a user agent's response has no Via but the agent's own.
    if vias > 1 {
        return Err(Defect::Misrouted);
    }
    Ok(())
}

/// What was read while checking.
struct Common {
    cseq: CSeq,
    vias: usize,
}

fn check_common(headers: &Headers) -> Result<Common, Defect> {
    for (name, text) in ONCE {
        let mut lines = headers.all(&name);
        if lines.next().is_none_or(|value| value.is_empty()) && name != HeaderName::MaxForwards {
            return Err(Defect::Missing(text));
        }
        if lines.next().is_some() {
            return Err(Defect::Repeated(text));
        }
    }
    let cseq = headers.cseq()?;
    if !headers.contains(&HeaderName::Via) {
        return Err(Defect::Missing("Via"));
    }
    // Only the top one is ours to use, but all of them go back with every answer.
    let mut vias = 0;
    for via in headers.values(&HeaderName::Via) {
        Via::parse(&via)?;
        vias += 1;
    }
    if vias == 0 {
        return Err(Defect::Malformed("Via"));
    }
    Ok(Common { cseq, vias })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::StatusCode;

    fn options() -> Request {
        Request::new(Method::Options, "sip:b@example.com".parse().unwrap())
            .with(HeaderName::Via, "SIP/2.0/UDP h.example;branch=z9hG4bKa")
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, "<sip:a@example.com>;tag=1")
            .with(HeaderName::To, "<sip:b@example.com>")
            .with(HeaderName::CallId, "c")
            .with(HeaderName::CSeq, "1 OPTIONS")
    }

    fn changed(change: impl FnOnce(&mut Request)) -> Result<(), Defect> {
        let mut request = options();
        change(&mut request);
        check_request(&request)
    }

    #[test]
    fn a_sound_request_passes() {
        assert_eq!(check_request(&options()), Ok(()));
        assert_eq!(changed(|request| assert_eq!(request.headers.remove(&HeaderName::MaxForwards), 1)), Ok(()));
    }

    #[test]
    fn each_mandatory_header_must_be_there_once() {
        for (name, text) in ONCE.into_iter().chain([(HeaderName::Via, "Via")]) {
            if name != HeaderName::MaxForwards {
                let removed = changed(|request| assert_eq!(request.headers.remove(&name), 1));
                assert_eq!(removed, Err(Defect::Missing(text)));
            }
            if name != HeaderName::Via {
                let value = options().headers.get(&name).unwrap().clone();
                let doubled = changed(|request| request.headers.push(name, value));
                assert_eq!(doubled, Err(Defect::Repeated(text)));
            }
        }
    }

    #[test]
    fn what_is_needed_must_be_well_formed() {
        for (name, value, text) in [
            (HeaderName::Via, "SIP/2.0/UDP", "Via"),
            (HeaderName::From, "\"x <sip:a@b>", "From"),
            (HeaderName::To, "sip:a@b?c=d", "To"),
            (HeaderName::CSeq, "4294967296 OPTIONS", "CSeq"),
            (HeaderName::MaxForwards, "256", "Max-Forwards"),
            (HeaderName::Contact, "*, <sip:a@b>", "Contact"),
        ] {
            assert_eq!(changed(|request| request.headers.set(name, value)), Err(Defect::Malformed(text)));
        }
        let mismatch = changed(|request| request.headers.set(HeaderName::CSeq, "1 INVITE"));
        assert_eq!(mismatch, Err(Defect::MethodMismatch));
    }

    #[test]
    fn a_response_with_two_vias_is_not_for_a_user_agent() {
        let mut response = Response::to_request(&options(), StatusCode::OK);
        assert_eq!(check_response(&response), Ok(()));
        response.headers.push(HeaderName::Via, "SIP/2.0/UDP other.example;branch=z9hG4bKb");
        assert_eq!(check_response(&response), Err(Defect::Misrouted));
    }
}
